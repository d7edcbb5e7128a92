#include "config.h"

#include "media/edgestore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"

#define MAGIC	   UINT64_C(0x3165676465727473) /* "strdege1" */
#define MAX_UNITS  1000000
#define NAME_SIZE  64
#define TMP_AGE_NS (INT64_C(3600) * 1000000000)

/* On disk: the header, its units, their bytes. */
struct header {
	uint64_t magic;
	uint64_t checksum; /* XXH3 of all that follows */
	uint64_t key[2];
	uint64_t nr;
};

struct entry {
	int64_t pts;
	uint32_t size;
	uint32_t is_key;
};

void edgestore_open(struct edgestore *store, const char *cache_dir,
		    uint64_t max_bytes)
{
	*store = (struct edgestore){ .fd = -1, .max_bytes = max_bytes };
	if (!cache_dir || !max_bytes)
		return;
	store->fd = fs_open_private_dir(cache_dir, EDGESTORE_DIR);
	if (store->fd < 0)
		log_warning("edges are not kept: cannot use '%s/%s': %s",
			    cache_dir, EDGESTORE_DIR,
			    errno ? strerror(errno) :
				    "it is writable by others or not ours");
}

void edgestore_close(struct edgestore *store)
{
	fs_close(&store->fd);
}

static void name_of(const struct edgekey *key, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%016" PRIx64 "%016" PRIx64 "%s",
		 key->hash[0], key->hash[1], EDGESTORE_SUFFIX);
}

/* Reading */

static void *read_whole(int fd, struct arena *a, size_t *size_r)
{
	struct stat st;
	uint8_t *data;
	size_t size;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > EDGESTORE_MAX_BYTES)
		return NULL;
	size = (size_t)st.st_size;
	data = arena_alloc(a, size + 1);
	if (fs_read_at(fd, data, size, 0) != (ssize_t)size)
		return NULL;
	*size_r = size;
	return data;
}

/* Checks all of it: the checksum, and that the sizes add up. */
static bool check(const void *data, size_t size, const struct edgekey *key)
{
	const struct header *head = data;
	const struct entry *entries = (const void *)(head + 1);
	const size_t unchecked = offsetof(struct header, key);
	uint64_t total = sizeof(*head);

	if (size < sizeof(*head) || head->magic != MAGIC ||
	    head->nr > MAX_UNITS || head->key[0] != key->hash[0] ||
	    head->key[1] != key->hash[1] ||
	    XXH3_64bits((const char *)data + unchecked, size - unchecked) !=
		    head->checksum)
		return false;
	total += head->nr * sizeof(*entries);
	if (total > size)
		return false;
	for (uint64_t i = 0; i < head->nr; i++)
		total += entries[i].size;
	return total == size;
}

static void list_units(const void *data, struct arena *a,
		       struct edgeunit **units_r, size_t *nr_r)
{
	const struct header *head = data;
	const struct entry *entries = (const void *)(head + 1);
	const uint8_t *bytes = (const uint8_t *)(entries + head->nr);
	struct edgeunit *units =
		arena_alloc(a, (head->nr + 1) * sizeof(*units));

	for (uint64_t i = 0; i < head->nr; i++) {
		units[i] = (struct edgeunit){ entries[i].pts, bytes,
					      entries[i].size,
					      entries[i].is_key != 0 };
		bytes += entries[i].size;
	}
	*units_r = units;
	*nr_r = head->nr;
}

bool edgestore_get(const struct edgestore *store, const struct edgekey *key,
		   struct arena *a, struct edgeunit **units_r, size_t *nr_r)
{
	char name[NAME_SIZE];
	bool is_good = false;
	size_t size = 0;
	void *data;
	int fd;

	if (store->fd < 0)
		return false;
	name_of(key, name);
	fd = openat(store->fd, name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	data = read_whole(fd, a, &size);
	is_good = data && check(data, size, key);
	if (is_good) {
		futimens(fd, NULL); /* used just now, for the sweep */
		list_units(data, a, units_r, nr_r);
	} else {
		log_warning("removing a bad edge from the cache: '%s'", name);
		unlinkat(store->fd, name, 0);
	}
	close(fd);
	return is_good;
}

/* Sweeping */

struct found {
	const char *name;
	uint64_t bytes;
	int64_t used_ns;
};

static int by_use(const void *a, const void *b)
{
	int64_t x = ((const struct found *)a)->used_ns;
	int64_t y = ((const struct found *)b)->used_ns;

	return (x > y) - (x < y);
}

/* Lists what there is; left-over private files are removed by age. */
static size_t find_files(const struct edgestore *store,
			 const struct fs_list *list, struct found *files,
			 uint64_t *total_r)
{
	int64_t old_ns = utime_now() * 1000 - TMP_AGE_NS;
	size_t nr = 0;

	*total_r = 0;
	for (size_t i = 0; i < list->nr; i++) {
		const char *name = list->entries[i].name;
		struct fs_stamp stamp;
		struct stat st;

		if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		fs_stamp_of(&st, &stamp);
		if (name[0] == '.') {
			if (stamp.mtime_ns < old_ns)
				unlinkat(store->fd, name, 0);
			continue;
		}
		files[nr++] = (struct found){ name, (uint64_t)st.st_size,
					      stamp.mtime_ns };
		*total_r += (uint64_t)st.st_size;
	}
	return nr;
}

static void sweep(const struct edgestore *store)
{
	struct fs_list list = { 0 };
	struct found *files;
	struct errmsg e;
	uint64_t total;
	size_t nr;
	int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fs_list_read(fd, &list, &e)) {
		fs_close(&fd);
		return;
	}
	files = mem_alloc((list.nr + 1) * sizeof(*files));
	nr = find_files(store, &list, files, &total);
	qsort(files, nr, sizeof(*files), by_use);
	for (size_t i = 0; i < nr && total > store->max_bytes; i++)
		if (unlinkat(store->fd, files[i].name, 0) == 0)
			total -= files[i].bytes;
	free(files);
	fs_list_release(&list);
	close(fd);
}

/* Writing */

void edgestore_put(const struct edgestore *store, const struct edgekey *key,
		   const struct edgeunit *units, size_t nr)
{
	struct header head = { .magic = MAGIC,
			       .key = { key->hash[0], key->hash[1] },
			       .nr = nr };
	uint64_t total = sizeof(head) + nr * sizeof(struct entry);
	char name[NAME_SIZE];
	struct entry *entries;
	struct errmsg e;
	struct iovec iov;
	uint8_t *data;
	uint8_t *at;

	for (size_t i = 0; i < nr; i++)
		total += units[i].size;
	if (store->fd < 0 || nr > MAX_UNITS || total > EDGESTORE_MAX_BYTES)
		return;
	data = mem_zero(total);
	entries = (void *)(data + sizeof(head));
	at = (uint8_t *)(entries + nr);
	for (size_t i = 0; i < nr; i++) {
		entries[i] = (struct entry){ units[i].pts, units[i].size,
					     units[i].is_key };
		memcpy(at, units[i].data, units[i].size);
		at += units[i].size;
	}
	memcpy(data, &head, sizeof(head));
	head.checksum = XXH3_64bits(data + offsetof(struct header, key),
				    total - offsetof(struct header, key));
	memcpy(data, &head, sizeof(head));
	name_of(key, name);
	iov = (struct iovec){ data, total };
	if (fs_replace_file(store->fd, name, &iov, 1, &e))
		log_warning("cannot keep an edge: %s", e.text);
	else
		sweep(store);
	free(data);
}
