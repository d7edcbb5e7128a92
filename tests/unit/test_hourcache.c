/*
 * test_hourcache.c - an hour is answered as it is now, whatever the cache
 * held and whatever has become of its files.
 *
 * An hour settles only two seconds after its last change, so all directories
 * are made first and waited for once.
 */
#include "config.h"

#include "archive/hourcache.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fresh.h"
#include "unit.h"

#define NR_HOURS 24

static const char *const qualities[] = {
	"levels",  "faults",  "nostore", "fsize",  "mounted", "evict",
	"listing", "two",     "prefix",  "sizes",  "media",   "a b%",
	"moved",   "ignored", "fresh",
};

/* One archive, on one file system. */
struct place {
	char *path;
	char *cache_dir;
	int fd;
	struct archive archive;
};
static struct place disk;
static struct place memory;	/* path NULL if there is none */
static struct arena arena;

static usec_t hour_of(unsigned i)
{
	return UNIT_HOUR + (usec_t)i * USEC_PER_HOUR;
}

static int open_hour(const struct place *place, const char *quality,
		     unsigned i)
{
	char hour[UTIME_HOUR_SIZE];
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "base/main/%s/%s", quality,
		 utime_format_hour(hour_of(i), hour));
	fd = openat(place->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void make_place(struct place *place, const char *parent)
{
	char base[512];

	place->path = unit_new_dir(parent);
	place->fd = unit_open_dir(place->path);
	assert_true(asprintf(&place->cache_dir, "%s/cache", place->path) > 0);
	for (size_t q = 0; q < ARRAY_SIZE(qualities); q++) {
		for (unsigned i = 0; i < NR_HOURS; i++) {
			char hour[UTIME_HOUR_SIZE];
			char path[128];
			int fd;

			snprintf(path, sizeof(path), "base/main/%s/%s",
				 qualities[q],
				 utime_format_hour(hour_of(i), hour));
			unit_mkdir(place->fd, path);
			fd = open_hour(place, qualities[q], i);
			for (unsigned k = 0; k < 5; k++) {
				char name[64];

				snprintf(name, sizeof(name),
					 "00:%02u-2-full-h%u.ts", 2 * k, i);
				unit_make(fd, name, 10 * k);
			}
			close(fd);
		}
	}
	snprintf(base, sizeof(base), "%s/base", place->path);
	assert_int_equal(archive_open(&place->archive, base,
				      &(struct errmsg){ "" }),
			 ERR_OK);
}

/* When an hour was last changed whose numbers are asserted as unsettled. */
static usec_t changed_us;
static bool was_late;

static int begin_test(void **state)
{
	UNUSED(state);
	changed_us = 0;
	was_late = false;
	return 0;
}

static void change(int fd, const char *name)
{
	unit_make(fd, name, 1);
	changed_us = utime_now();
}

static void settle(void)
{
	usleep(2100000);
	changed_us = 0;
}

/* On a slow machine the hour may have settled meanwhile. */
static bool is_too_late(void)
{
	if (changed_us && utime_now() - changed_us > 15 * USEC_PER_SEC / 10)
		was_late = true;
	if (was_late)
		print_message("# too slow here: not compared\n");
	return was_late;
}

static int make_places(void **state)
{
	if (unit_begin(state))
		return -1;
	make_place(&disk, NULL);
	if (!access("/dev/shm", W_OK))
		make_place(&memory, "/dev/shm");
	arena_init(&arena);
	settle();
	return 0;
}

static int remove_places(void **state)
{
	struct place *places[] = { &disk, &memory };

	arena_release(&arena);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i]->path)
			continue;
		archive_close(&places[i]->archive);
		close(places[i]->fd);
		unit_remove(places[i]->path);
		free(places[i]->path);
		free(places[i]->cache_dir);
	}
	return unit_end(state);
}

static struct hourcache *new_cache(const char *cache_dir)
{
	return hourcache_new(&(struct hourcache_config){
		.cache_dir = cache_dir,
		.prefix = "",
		.max_hours = 1000,
		.max_heap = (size_t)64 << 20,
	});
}

/* A reader of its own request; all requests end with the test. */
static struct hourreader *reader_of(const struct place *place,
				    struct hourcache *cache,
				    const char *quality)
{
	struct quality *q = NULL;
	struct errmsg e;

	assert_int_equal(archive_quality(&place->archive, &arena, "main",
					 quality, &q, &e),
			 ERR_OK);
	return hourcache_reader(cache, q, &arena);
}

/* The index of hour i, compared with what is there; a request of its own. */
static struct hourindex *get_want(struct hourreader *reader, unsigned i,
				  enum hour_want want)
{
	struct hourindex *index = (void *)&arena;
	struct hourindex *fresh;
	struct errmsg e = { "" };

	assert_int_equal(hourcache_get(reader, hour_of(i), want, &index, &e),
			 ERR_OK);
	fresh = fresh_index(reader->quality->fd, reader->url, hour_of(i),
			    want & HOUR_WANT_SIZES);
	assert_true(fresh_equal(index, fresh));
	hourindex_drop(&fresh);
	if (index && (want & HOUR_WANT_SIZES))
		assert_true(index->head->flags & HOUR_MEASURED);
	hourcache_flush(reader->cache);
	return index;
}

static struct hourindex *get(struct hourreader *reader, unsigned i)
{
	return get_want(reader, i, HOUR_WANT_NAMES);
}

static void assert_stats(const struct hourcache *cache, uint64_t hits,
			 uint64_t mapped, uint64_t relisted, uint64_t built,
			 uint64_t stored)
{
	const struct hourcache_stats *stats = hourcache_stats(cache);

	print_message("# hits %ju, mapped %ju, relisted %ju, built %ju, "
		      "stored %ju\n",
		      stats->hits, stats->mapped, stats->relisted,
		      stats->built, stats->stored);
	if (is_too_late())
		return;
	assert_int_equal(stats->hits, hits);
	assert_int_equal(stats->mapped, mapped);
	assert_int_equal(stats->relisted, relisted);
	assert_int_equal(stats->built, built);
	assert_int_equal(stats->stored, stored);
}

/* The index file of hour i. */
static const char *file_of(const char *quality, unsigned i)
{
	char hour[UTIME_HOUR_SIZE];

	return arena_printf(&arena, "cache/v1/main/%s/%s.idx", quality,
			    utime_format_hour(hour_of(i), hour));
}

/* Which source answers, from the quiet hour to the live one. */
static void test_levels(void **state)
{
	struct hourcache *cache = new_cache(disk.cache_dir);
	struct hourreader *reader = reader_of(&disk, cache, "levels");
	struct hourcache *second;
	int fd;

	UNUSED(state);
	print_message("# a quiet hour is built, stored, mapped, at hand\n");
	assert_non_null(get(reader, 0));
	assert_stats(cache, 0, 0, 0, 1, 1);
	assert_true(get(reader, 0)->is_mapped);
	assert_stats(cache, 0, 1, 0, 1, 1);
	get(reader, 0);
	assert_stats(cache, 1, 1, 0, 1, 1);

	print_message("# another process maps at once\n");
	second = new_cache(disk.cache_dir);
	get(reader_of(&disk, second, "levels"), 0);
	assert_stats(second, 0, 1, 0, 0, 0);
	hourcache_free(&second);

	print_message("# a changed one is built, but not stored\n");
	fd = open_hour(&disk, "levels", 0);
	change(fd, "30:00-2-full-x.ts");
	get(reader, 0);
	assert_stats(cache, 1, 1, 0, 2, 1);
	print_message("# unsettled and the same: listed\n");
	get(reader, 0);
	assert_stats(cache, 1, 1, 1, 2, 1);
	close(fd);
	hourcache_free(&cache);
	assert_null(cache);
	hourcache_free(&cache);
}

/* What one request built is stored together, when it has been answered. */
static void test_flush(void **state)
{
	struct hourcache *cache = hourcache_new(&(struct hourcache_config){
		.cache_dir = disk.cache_dir, .prefix = "", .max_hours = 4,
		.max_heap = (size_t)1 << 30 });
	struct hourreader *reader = reader_of(&disk, cache, "levels");
	struct hourindex *index;
	struct errmsg e;

	UNUSED(state);
	for (unsigned i = 10; i < 14; i++)
		assert_int_equal(hourcache_get(reader, hour_of(i), 0, &index,
					       &e),
				 ERR_OK);
	assert_stats(cache, 0, 0, 0, 4, 0);
	assert_int_equal(hourcache_get(reader, hour_of(10), 0, &index, &e),
			 ERR_OK);
	assert_stats(cache, 1, 0, 0, 4, 0);
	print_message("# what must go from memory is stored before\n");
	assert_int_equal(hourcache_get(reader, hour_of(14), 0, &index, &e),
			 ERR_OK);
	assert_stats(cache, 1, 0, 0, 5, 1);
	hourcache_flush(cache);
	assert_stats(cache, 1, 0, 0, 5, 5);
	hourcache_flush(cache);
	assert_stats(cache, 1, 0, 0, 5, 5);
	print_message("# never flushed: only time is lost\n");
	assert_int_equal(hourcache_get(reader, hour_of(15), 0, &index, &e),
			 ERR_OK);
	hourcache_free(&cache);
	cache = new_cache(disk.cache_dir);
	get(reader_of(&disk, cache, "levels"), 15);
	assert_stats(cache, 0, 0, 0, 1, 1);
	hourcache_free(&cache);
}

/* An hour that outgrows the limit between being built and being stored. */
static void test_too_many_before_flush(void **state)
{
	struct hourindex *index = NULL;
	struct hourcache *cache;
	struct hourreader *reader;
	struct errmsg e;
	char name[64];
	int fd;

	UNUSED(state);
	if (!memory.path) {
		print_message("# no /dev/shm\n");
		skip();
	}
	cache = new_cache(memory.cache_dir);
	reader = reader_of(&memory, cache, "levels");
	fd = open_hour(&memory, "levels", 0);
	assert_int_equal(hourcache_get(reader, hour_of(0), 0, &index, &e),
			 ERR_OK);
	for (int i = 0; i <= HOUR_MAX_ENTRIES; i++) {
		snprintf(name, sizeof(name), "30:00.%06d-2-full-a.ts", i);
		assert_int_equal(linkat(fd, "00:00-2-full-h0.ts", fd, name, 0),
				 0);
	}
	index = (void *)&arena;
	assert_int_equal(hourcache_get(reader, hour_of(0), 0, &index, &e),
			 ERR_LIMIT);
	assert_ptr_equal(index, &arena);
	hourcache_flush(cache);
	assert_stats(cache, 0, 0, 0, 1, 0);
	close(fd);
	hourcache_free(&cache);
}

static void test_absent(void **state)
{
	struct hourcache *cache = new_cache(NULL);
	struct hourreader *reader = reader_of(&disk, cache, "levels");
	struct hourindex *index;
	struct errmsg e;

	UNUSED(state);
	print_message("# an hour that was never there\n");
	assert_null(get(reader, NR_HOURS));
	assert_null(get(reader, NR_HOURS + 100000));

	print_message("# a file, a link to nowhere, a link that leads out\n");
	unit_write(disk.fd, "base/main/levels/2026-11-09T00", "", 0);
	assert_null(get(reader, 48));
	assert_int_equal(symlinkat("nowhere", disk.fd,
				   "base/main/levels/2026-11-09T01"),
			 0);
	assert_null(get(reader, 49));
	assert_int_equal(symlinkat("/tmp", disk.fd,
				   "base/main/levels/2026-11-09T02"),
			 0);
	index = (void *)&arena;
	assert_int_equal(hourcache_get(reader, hour_of(50), 0, &index, &e),
			 ERR_OK);
	assert_null(index);

	if (unit_follows_links()) {
		char hour[UTIME_HOUR_SIZE];

		print_message("# a link to another quality's hour\n");
		utime_format_hour(hour_of(3), hour);
		assert_int_equal(symlinkat(arena_printf(&arena, "../two/%s",
							hour),
					   disk.fd,
					   "base/main/levels/2026-11-09T04"),
				 0);
		assert_string_equal(hourindex_name(get(reader, 52), 0),
				    "00:00-2-full-h3.ts");
	}
	print_message("# one that goes and comes again\n");
	unit_mkdir(disk.fd, "base/main/levels/2026-11-09T03");
	assert_int_equal(get(reader, 51)->head->nr_entries, 0);
	assert_int_equal(unlinkat(disk.fd, "base/main/levels/2026-11-09T03",
				  AT_REMOVEDIR),
			 0);
	assert_null(get(reader, 51));
	unit_write(disk.fd, "base/main/levels/2026-11-09T03/00:00-2-full-a.ts",
		   "", 0);
	assert_int_equal(get(reader, 51)->head->nr_entries, 1);
	hourcache_free(&cache);
}

/* An hour exchanged for another directory as a whole. */
static void test_moved(void **state)
{
	struct hourcache *cache = new_cache(disk.cache_dir);
	struct hourreader *reader = reader_of(&disk, cache, "moved");
	int q = openat(disk.fd, "base/main/moved", O_RDONLY | O_DIRECTORY);
	char a[UTIME_HOUR_SIZE], b[UTIME_HOUR_SIZE];

	UNUSED(state);
	utime_format_hour(hour_of(0), a);
	utime_format_hour(hour_of(1), b);
	for (int i = 0; i < 2; i++) {
		get(reader, 0);
		get(reader, 1);
	}
	assert_int_equal(renameat(q, a, q, "x"), 0);
	assert_null(get(reader, 0));
	assert_int_equal(renameat(q, b, q, a), 0);
	assert_int_equal(renameat(q, "x", q, b), 0);
	assert_string_equal(hourindex_name(get(reader, 0), 0),
			    "00:00-2-full-h1.ts");
	assert_string_equal(hourindex_name(get(reader, 1), 0),
			    "00:00-2-full-h0.ts");
	close(q);
	hourcache_free(&cache);
}

/* Files of the cache */

static void put_bytes(int fd, const char *path, off_t at, const char *bytes,
		      size_t len)
{
	/* As another program would: not in place, we may have it mapped. */
	size_t size = 0;
	char *data = unit_read(fd, path, &size);

	assert_non_null(data);
	assert_true((size_t)at + len <= size);
	memcpy(data + at, bytes, len);
	assert_int_equal(unlinkat(fd, path, 0), 0);
	unit_write(fd, path, data, size);
	free(data);
}

enum fault {
	FAULT_EMPTY,
	FAULT_SHORT,
	FAULT_HALF,
	FAULT_LONGER,
	FAULT_TEXT,
	FAULT_ZEROS,
	FAULT_FLIP_HEADER,
	FAULT_FLIP_TEXT,
	FAULT_CHECKSUM,
	FAULT_OTHER_HOUR,
	FAULT_RULES,
	FAULT_MAGIC,
	FAULT_GONE,
	FAULT_FIFO,
	FAULT_LINK,
	FAULT_COUNT
};

static void do_fault(enum fault fault, const char *path)
{
	size_t size = 0;
	char *data = unit_read(disk.fd, path, &size);
	char *longer = calloc(1, size + 8);

	assert_non_null(data);
	assert_non_null(longer);
	memcpy(longer, data, size);
	if (fault == FAULT_EMPTY || fault == FAULT_SHORT ||
	    fault == FAULT_HALF || fault == FAULT_LONGER ||
	    fault >= FAULT_GONE || fault == FAULT_TEXT ||
	    fault == FAULT_ZEROS || fault == FAULT_OTHER_HOUR)
		assert_int_equal(unlinkat(disk.fd, path, 0), 0);
	switch (fault) {
	case FAULT_EMPTY:
		unit_write(disk.fd, path, NULL, 0);
		break;
	case FAULT_SHORT:
		unit_write(disk.fd, path, data, 100);
		break;
	case FAULT_HALF:
		unit_write(disk.fd, path, data, size / 2);
		break;
	case FAULT_LONGER:
		unit_write(disk.fd, path, longer, size + 8);
		break;
	case FAULT_TEXT:
		unit_write(disk.fd, path, "hello", 5);
		break;
	case FAULT_ZEROS:
		unit_make(disk.fd, path, (off_t)size);
		break;
	case FAULT_FLIP_HEADER:
		put_bytes(disk.fd, path, 60, "\xff", 1);
		break;
	case FAULT_FLIP_TEXT:
		put_bytes(disk.fd, path, (off_t)size - 20, "\xff", 1);
		break;
	case FAULT_CHECKSUM:
		put_bytes(disk.fd, path, 8, "12345678", 8);
		break;
	case FAULT_OTHER_HOUR:
		free(data);
		data = unit_read(disk.fd, file_of("faults", NR_HOURS - 1),
				 &size);
		unit_write(disk.fd, path, data, size);
		break;
	case FAULT_RULES:
		put_bytes(disk.fd, path, offsetof(struct hour_header, rules),
			  "\x63", 1);
		break;
	case FAULT_MAGIC:
		put_bytes(disk.fd, path, 0, "other", 5);
		break;
	case FAULT_FIFO:
		assert_int_equal(mkfifoat(disk.fd, path, 0600), 0);
		break;
	case FAULT_LINK:
		assert_int_equal(symlinkat("/etc/passwd", disk.fd, path), 0);
		break;
	case FAULT_GONE:
	case FAULT_COUNT:
		break;
	}
	free(data);
	free(longer);
}

static void test_faults(void **state)
{
	static const struct {
		const char *what;
		bool is_corrupt;	/* logged and counted */
	} rows[FAULT_COUNT] = {
		[FAULT_EMPTY] = { "zero length", true },
		[FAULT_SHORT] = { "shorter than a header", true },
		[FAULT_HALF] = { "half of it", true },
		[FAULT_LONGER] = { "more than it", true },
		[FAULT_TEXT] = { "some text", true },
		[FAULT_ZEROS] = { "all zeros", false },
		[FAULT_FLIP_HEADER] = { "a byte of the header", true },
		[FAULT_FLIP_TEXT] = { "a byte of the text", true },
		[FAULT_CHECKSUM] = { "another checksum", true },
		[FAULT_OTHER_HOUR] = { "the file of another hour", true },
		[FAULT_RULES] = { "of another version", false },
		[FAULT_MAGIC] = { "something else", false },
		[FAULT_GONE] = { "deleted", false },
		[FAULT_FIFO] = { "a FIFO", false },
		[FAULT_LINK] = { "a link", false },
	};
	struct hourcache *cache = new_cache(disk.cache_dir);

	UNUSED(state);
	get(reader_of(&disk, cache, "faults"), NR_HOURS - 1);
	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		const char *path = file_of("faults", i);
		struct hourcache *other;

		print_message("# %s\n", rows[i].what);
		get(reader_of(&disk, cache, "faults"), i);
		get(reader_of(&disk, cache, "faults"), i);
		do_fault((enum fault)i, path);
		unit_logged("");
		other = new_cache(disk.cache_dir);
		get(reader_of(&disk, other, "faults"), i);
		assert_int_equal(hourcache_stats(other)->discarded,
				 rows[i].is_corrupt);
		assert_stats(other, 0, 0, 0, 1, 1);
		assert_int_equal(unit_logged("is corrupt; building it again"),
				 rows[i].is_corrupt);
		hourcache_free(&other);
		/* And now it is good again. */
		other = new_cache(disk.cache_dir);
		get(reader_of(&disk, other, "faults"), i);
		assert_stats(other, 0, 1, 0, 0, 0);
		hourcache_free(&other);
		/* The first process never noticed. */
		get(reader_of(&disk, cache, "faults"), i);
	}
	hourcache_free(&cache);
}

/* Something that cannot be replaced: answered all the same. */
static void test_directory_in_the_way(void **state)
{
	struct hourcache *cache = new_cache(disk.cache_dir);
	const char *path = file_of("faults", 20);

	UNUSED(state);
	unit_mkdir(disk.fd, path);
	unit_write(disk.fd, arena_printf(&arena, "%s/x", path), "", 0);
	unit_logged("");
	get(reader_of(&disk, cache, "faults"), 20);
	get(reader_of(&disk, cache, "faults"), 20);
	assert_stats(cache, 1, 0, 0, 1, 0);
	assert_int_equal(hourcache_stats(cache)->store_failures, 1);
	assert_int_equal(unit_logged("storing again in a minute"), 1);
	print_message("# not tried again so soon\n");
	get(reader_of(&disk, cache, "faults"), 21);
	assert_int_equal(hourcache_stats(cache)->store_failures, 1);
	assert_int_equal(unit_logged("storing"), 0);
	hourcache_free(&cache);
}

/* Cache directories that will not do */

static void test_no_cache_dir(void **state)
{
	static const char *const bad[] = { "file", "file/below",
					   "file/v1/below", "link", "open" };
	struct hourcache *cache;

	UNUSED(state);
	unit_write(disk.fd, "file", "", 0);
	assert_int_equal(symlinkat("nowhere", disk.fd, "link"), 0);
	unit_mkdir(disk.fd, "open/v1");
	assert_int_equal(fchmodat(disk.fd, "open/v1", 0777, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		print_message("# '%s'\n", bad[i]);
		unit_logged("");
		cache = new_cache(arena_printf(&arena, "%s/%s", disk.path,
					       bad[i]));
		assert_int_equal(unit_logged("running uncached"), 1);
		get(reader_of(&disk, cache, "nostore"), (unsigned)i);
		get(reader_of(&disk, cache, "nostore"), (unsigned)i);
		assert_stats(cache, 1, 0, 0, 1, 0);
		assert_int_equal(hourcache_stats(cache)->store_failures, 0);
		hourcache_free(&cache);
	}
	print_message("# none asked for: nothing is said\n");
	cache = new_cache(NULL);
	get(reader_of(&disk, cache, "nostore"), 0);
	assert_int_equal(unit_logged("uncached"), 0);
	hourcache_free(&cache);
}

static void limit_file_size(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A write that fails half way leaves nothing behind. */
static void test_write_fails(void **state)
{
	struct hourcache *cache = new_cache(disk.cache_dir);
	struct hourreader *reader = reader_of(&disk, cache, "fsize");
	struct fs_list list = { 0 };
	struct errmsg e;
	int fd;

	UNUSED(state);
	signal(SIGXFSZ, SIG_IGN);
	unit_logged("");
	limit_file_size(400); /* a line of the log fits, an index does not */
	get(reader, 0);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(hourcache_stats(cache)->store_failures, 1);
	assert_int_equal(unit_logged("storing again in a minute"), 1);
	get(reader, 0);
	assert_stats(cache, 1, 0, 0, 1, 0);
	fd = openat(disk.fd, "cache/v1/main/fsize", O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(list.nr, 0);
	fs_list_release(&list);
	close(fd);
	hourcache_free(&cache);
}

/* In a process of its own with its own mounts: 0, or 77 if it may not. */
static int run_on_mount(const char *target)
{
	struct hourcache *cache;
	struct hourreader *reader;
	uid_t uid = getuid();

	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 77;
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", target, "tmpfs", 0, "size=16k,mode=700") ||
	    getuid() != uid)
		return 77;
	cache = new_cache(target);
	reader = reader_of(&disk, cache, "mounted");
	for (unsigned i = 0; i < 8; i++)
		get(reader, i);
	if (hourcache_stats(cache)->stored == 0 ||
	    hourcache_stats(cache)->store_failures != 1 ||
	    unit_logged("No space left on device); storing again") != 1)
		return 1;
	hourcache_free(&cache);

	/* What is there is used; what is not cannot be stored, and that is
	 * said once. */
	if (mount("none", target, "none", MS_REMOUNT | MS_RDONLY, NULL))
		return 77;
	cache = new_cache(target);
	reader = reader_of(&disk, cache, "mounted");
	for (unsigned i = 0; i < 8; i++)
		get(reader, i);
	if (hourcache_stats(cache)->mapped == 0 ||
	    hourcache_stats(cache)->stored != 0 ||
	    hourcache_stats(cache)->store_failures != 1 ||
	    unit_logged("Read-only file system); storing no more") != 1)
		return 2;
	hourcache_free(&cache);
	return 0;
}

static void test_full_and_readonly(void **state)
{
	char *target = unit_new_dir(NULL);
	int status;
	pid_t pid;

	UNUSED(state);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(run_on_mount(target));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unit_remove(target);
	free(target);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("# may not mount here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Memory */

static void test_eviction_by_count(void **state)
{
	struct hourcache *cache = hourcache_new(&(struct hourcache_config){
		.prefix = "", .max_hours = 4, .max_heap = (size_t)1 << 30 });
	struct hourreader *reader = reader_of(&disk, cache, "evict");
	struct hourindex *all[NR_HOURS];

	UNUSED(state);
	for (unsigned i = 0; i < NR_HOURS; i++)
		all[i] = get(reader, i);
	assert_stats(cache, 0, 0, 0, NR_HOURS, 0);
	print_message("# the last four are there\n");
	for (unsigned i = NR_HOURS - 4; i < NR_HOURS; i++)
		get(reader, i);
	assert_stats(cache, 4, 0, 0, NR_HOURS, 0);
	print_message("# the least recently used goes first\n");
	get(reader, NR_HOURS - 4);
	get(reader, 0);
	get(reader, NR_HOURS - 4);
	assert_stats(cache, 6, 0, 0, NR_HOURS + 1, 0);
	get(reader, NR_HOURS - 3);
	assert_stats(cache, 6, 0, 0, NR_HOURS + 2, 0);
	print_message("# what was handed out lives on\n");
	for (unsigned i = 0; i < NR_HOURS; i++)
		assert_int_equal(all[i]->head->hour_us, hour_of(i));
	hourcache_free(&cache);
	for (unsigned i = 0; i < NR_HOURS; i++)
		assert_int_equal(all[i]->head->hour_us, hour_of(i));
	arena_reset(&arena);
}

static void test_eviction_by_heap(void **state)
{
	struct hourcache *cache = hourcache_new(&(struct hourcache_config){
		.prefix = "", .max_hours = 1000, .max_heap = 1 });
	struct hourreader *reader = reader_of(&disk, cache, "evict");

	UNUSED(state);
	print_message("# one is always kept\n");
	for (unsigned i = 0; i < 4; i++) {
		get(reader, i);
		get(reader, i);
	}
	assert_stats(cache, 4, 0, 0, 4, 0);
	get(reader, 0);
	assert_stats(cache, 4, 0, 0, 5, 0);
	hourcache_free(&cache);

	print_message("# mapped files take no heap\n");
	cache = hourcache_new(&(struct hourcache_config){
		.cache_dir = disk.cache_dir, .prefix = "", .max_hours = 1000,
		.max_heap = 1 });
	reader = reader_of(&disk, cache, "evict");
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < 4; i++)
			get(reader, i);
	assert_stats(cache, 4, 4, 0, 4, 4);
	hourcache_free(&cache);
}

/* Modes and neighbours */

static void test_listing_mode(void **state)
{
	struct hourcache_config config = {
		.cache_dir = disk.cache_dir,
		.prefix = "",
		.validation = HOUR_VALIDATION_LISTING,
		.max_hours = 1000,
		.max_heap = (size_t)1 << 30,
	};
	struct hourcache *cache;
	struct hourreader *reader;
	int fd;

	UNUSED(state);
	print_message("# a file settled by a process that trusted times\n");
	cache = new_cache(disk.cache_dir);
	get(reader_of(&disk, cache, "listing"), 0);
	assert_stats(cache, 0, 0, 0, 1, 1);
	hourcache_free(&cache);

	cache = hourcache_new(&config);
	reader = reader_of(&disk, cache, "listing");
	for (int i = 0; i < 3; i++)
		get(reader, 0);
	assert_stats(cache, 0, 0, 3, 0, 0);

	print_message("# and one of our own\n");
	for (int i = 0; i < 3; i++)
		assert_false(get(reader, 1)->head->flags & HOUR_SETTLED);
	assert_stats(cache, 0, 0, 5, 1, 1);
	fd = open_hour(&disk, "listing", 1);
	change(fd, "30:00-2-full-x.ts");
	close(fd);
	get(reader, 1);
	assert_stats(cache, 0, 0, 5, 2, 1);
	hourcache_free(&cache);

	print_message("# which nobody who trusts times believes at once\n");
	cache = hourcache_new(&config);
	get(reader_of(&disk, cache, "listing"), 2);
	hourcache_free(&cache);
	config.validation = HOUR_VALIDATION_MTIME;
	cache = hourcache_new(&config);
	get(reader_of(&disk, cache, "listing"), 2);
	get(reader_of(&disk, cache, "listing"), 2);
	get(reader_of(&disk, cache, "listing"), 2);
	assert_stats(cache, 1, 1, 1, 0, 1);
	hourcache_free(&cache);
}

static void test_settles_again(void **state)
{
	struct hourcache *a = new_cache(disk.cache_dir);
	struct hourcache *b = new_cache(disk.cache_dir);
	int fd;

	UNUSED(state);
	for (unsigned i = 0; i < 3; i++) {
		get(reader_of(&disk, a, "two"), i);
		get(reader_of(&disk, b, "two"), i);
	}
	assert_stats(a, 0, 0, 0, 3, 3);
	assert_stats(b, 0, 3, 0, 0, 0);
	fd = open_hour(&disk, "two", 0);
	change(fd, "30:00-2-full-x.ts");
	print_message("# both notice a change\n");
	get(reader_of(&disk, a, "two"), 0);
	get(reader_of(&disk, b, "two"), 0);
	get(reader_of(&disk, b, "two"), 0);
	assert_stats(a, 0, 0, 0, 4, 3);
	assert_stats(b, 0, 3, 1, 1, 0);
	settle();
	print_message("# the first to see it quiet stores it for both\n");
	get(reader_of(&disk, a, "two"), 0);
	assert_stats(a, 0, 0, 1, 4, 4);
	get(reader_of(&disk, a, "two"), 0);
	get(reader_of(&disk, a, "two"), 0);
	assert_stats(a, 1, 1, 1, 4, 4);
	get(reader_of(&disk, b, "two"), 0);
	get(reader_of(&disk, b, "two"), 0);
	change(fd, "30:02-2-full-x.ts");
	get(reader_of(&disk, b, "two"), 0);
	get(reader_of(&disk, a, "two"), 0);
	close(fd);
	hourcache_free(&a);
	hourcache_free(&b);
}

static void test_prefix_change(void **state)
{
	static const char *const prefixes[] = { "/a", "/b", "", "/a" };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		struct hourcache *cache =
			hourcache_new(&(struct hourcache_config){
				.cache_dir = disk.cache_dir,
				.prefix = prefixes[i],
				.max_hours = 10,
				.max_heap = (size_t)1 << 30 });
		struct hourreader *reader = reader_of(&disk, cache, "prefix");
		char line[64];

		print_message("# '%s'\n", prefixes[i]);
		unit_logged("");
		for (int k = 0; k < 3; k++)
			get(reader, 0);
		assert_stats(cache, 1, 1, 0, 1, 1);
		assert_int_equal(hourcache_stats(cache)->discarded, 0);
		assert_int_equal(unit_logged("corrupt"), 0);
		snprintf(line, sizeof(line), "\n%s/segments/main/prefix/",
			 prefixes[i]);
		assert_non_null(memmem(get(reader, 0)->text,
				       get(reader, 0)->head->text_size, line,
				       strlen(line)));
		hourcache_free(&cache);
	}
}

static void test_odd_names(void **state)
{
	struct hourcache *cache = new_cache(disk.cache_dir);
	struct hourreader *reader = reader_of(&disk, cache, "a b%");

	UNUSED(state);
	assert_string_equal(reader->url, "/segments/main/a%20b%25/");
	for (int i = 0; i < 3; i++)
		get(reader, 0);
	assert_stats(cache, 1, 1, 0, 1, 1);
	hourcache_free(&cache);
}

static void test_sizes(void **state)
{
	struct hourcache *cache = new_cache(disk.cache_dir);
	struct hourreader *reader = reader_of(&disk, cache, "sizes");
	int fd;

	UNUSED(state);
	print_message("# names only, then sizes, then names from the same\n");
	get(reader, 0);
	assert_stats(cache, 0, 0, 0, 1, 1);
	get_want(reader, 0, HOUR_WANT_SIZES);
	assert_stats(cache, 0, 0, 0, 2, 2);
	get_want(reader, 0, HOUR_WANT_SIZES);
	get(reader, 0);
	get_want(reader, 0, HOUR_WANT_SIZES);
	assert_stats(cache, 2, 1, 0, 2, 2);
	print_message("# an hour once measured stays so\n");
	fd = open_hour(&disk, "sizes", 0);
	unit_make(fd, "30:00-2-full-x.ts", 123);
	assert_true(get(reader, 0)->head->flags & HOUR_MEASURED);
	get_want(reader, 0, HOUR_WANT_SIZES);
	close(fd);
	hourcache_free(&cache);
}

static void test_media(void **state)
{
	struct hour_media media = { .codecs = "avc1.64001f", .width = 640 };
	struct hourcache *cache = new_cache(disk.cache_dir);
	struct hourreader *reader = reader_of(&disk, cache, "media");
	struct hourindex *index = get(reader, 0);
	struct hourcache *other;
	int fd;

	UNUSED(state);
	assert_false(index->head->flags & HOUR_PROBED);
	index = hourcache_put_media(reader, index, &media);
	assert_memory_equal(&index->head->media, &media, sizeof(media));
	assert_true(index->head->flags & HOUR_PROBED);
	hourcache_flush(cache);
	print_message("# others see it\n");
	other = new_cache(disk.cache_dir);
	index = get(reader_of(&disk, other, "media"), 0);
	assert_memory_equal(&index->head->media, &media, sizeof(media));
	hourcache_free(&other);
	print_message("# at hand, it outlives changes of the hour\n");
	get(reader, 0);
	fd = open_hour(&disk, "media", 0);
	change(fd, "30:00-2-full-x.ts");
	get(reader, 0);
	index = get(reader, 0);
	assert_memory_equal(&index->head->media, &media, sizeof(media));
	print_message("# put with an index that is old by now\n");
	index = get(reader, 0);
	change(fd, "30:02-2-full-x.ts");
	get(reader, 0);
	hourcache_put_media(reader, index, &media);
	get(reader, 0);
	close(fd);
	fd = open_hour(&disk, "media", 1);
	index = get(reader, 1);
	change(fd, "30:02-2-full-x.ts");
	hourcache_put_media(reader, index, &media);
	get(reader, 1);
	close(fd);
	hourcache_free(&cache);
}

static void test_ignored(void **state)
{
	struct hourcache *cache = new_cache(NULL);
	struct hourreader *reader = reader_of(&disk, cache, "ignored");
	int fd = open_hour(&disk, "ignored", 0);

	UNUSED(state);
	unit_make(fd, "junk1", 0);
	unit_make(fd, "junk2", 0);
	unit_logged("");
	get(reader, 0);
	assert_int_equal(hourcache_stats(cache)->names_ignored, 2);
	assert_int_equal(unit_logged("2 names under"), 1);
	unit_make(fd, "30:00-2-full-x.ts", 0);
	get(reader, 0);
	assert_int_equal(hourcache_stats(cache)->names_ignored, 2);
	assert_int_equal(unit_logged("names under"), 0);
	unit_make(fd, "junk3", 0);
	get(reader, 0);
	assert_int_equal(hourcache_stats(cache)->names_ignored, 3);
	assert_int_equal(unit_logged("3 names under"), 1);
	close(fd);
	hourcache_free(&cache);
}

/* Random changes to settled and unsettled hours, two processes looking. */
static void test_random_changes(void **state)
{
	const struct place *places[] = { &disk, &memory };
	uint64_t seed = 11;

	UNUSED(state);
	for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
		const struct place *place = places[p];
		struct hourcache *caches[2];
		struct hourreader *readers[2];

		if (!place->path) {
			print_message("# no /dev/shm: not tried there\n");
			continue;
		}
		print_message("# below %s\n", place->path);
		for (int k = 0; k < 2; k++) {
			caches[k] = new_cache(place->cache_dir);
			readers[k] = reader_of(place, caches[k], "fresh");
			for (unsigned i = 0; i < 2 * NR_HOURS; i++)
				get(readers[k], i % NR_HOURS);
		}
		/* The first of them from files and memory... */
		assert_stats(caches[0], 0, NR_HOURS, 0, NR_HOURS, NR_HOURS);
		for (unsigned round = 0; round < unit_rounds(1500); round++) {
			/* ... each changed once while it is settled. */
			unsigned i = round < NR_HOURS ?
					     round :
					     (unsigned)(unit_random(&seed) %
							NR_HOURS);
			int fd = open_hour(place, "fresh", i);
			uint64_t changes = unit_random(&seed) % 3;

			for (uint64_t c = 0; c <= changes; c++)
				assert_true(fresh_change(fd, &seed));
			close(fd);
			get_want(readers[unit_random(&seed) % 2], i,
				 unit_random(&seed) % 4 ? HOUR_WANT_NAMES :
							  HOUR_WANT_SIZES);
			get(readers[unit_random(&seed) % 2], i);
		}
		hourcache_free(&caches[0]);
		hourcache_free(&caches[1]);
		arena_reset(&arena);
	}
}

#define TEST(function) cmocka_unit_test_setup(function, begin_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_levels),
		TEST(test_flush),
		TEST(test_too_many_before_flush),
		TEST(test_absent),
		TEST(test_moved),
		TEST(test_faults),
		TEST(test_directory_in_the_way),
		TEST(test_no_cache_dir),
		TEST(test_write_fails),
		TEST(test_full_and_readonly),
		TEST(test_eviction_by_count),
		TEST(test_eviction_by_heap),
		TEST(test_listing_mode),
		TEST(test_prefix_change),
		TEST(test_odd_names),
		TEST(test_sizes),
		TEST(test_media),
		TEST(test_ignored),
		TEST(test_random_changes),
		TEST(test_settles_again),
	};

	return cmocka_run_group_tests(tests, make_places, remove_places);
}
