/*
 * test_hoursweep.c - what is swept from the cache directory, what stays, and
 * what is told of it.
 */
#include "config.h"

#include "archive/hoursweep.h"
#include "archive/hourstore.h"

#include <errno.h>

#include "archive/hourcache.h"
#include "unit.h"

#define DAY (24 * USEC_PER_HOUR)

/* A base and a cache directory of each test's own. */
static char *base;
static char *cache;
static int base_fd;
static int cache_fd;

static int make_dirs(void **state)
{
	static unsigned counter;
	char name[32];

	UNUSED(state);
	snprintf(name, sizeof(name), "%u/base", counter);
	unit_mkdir(unit_fd, name);
	if (asprintf(&base, "%s/%s", unit_dir, name) < 0)
		return -1;
	snprintf(name, sizeof(name), "%u/cache", counter++);
	unit_mkdir(unit_fd, name);
	if (asprintf(&cache, "%s/%s", unit_dir, name) < 0)
		return -1;
	base_fd = unit_open_dir(base);
	cache_fd = unit_open_dir(cache);
	unit_mkdir(cache_fd, HOURSTORE_VERSION_DIR);
	unit_logged("");
	return 0;
}

static int leave_dirs(void **state)
{
	UNUSED(state);
	close(base_fd);
	close(cache_fd);
	free(base);
	free(cache);
	return 0;
}

/* Used and changed so long ago. */
static void age(const char *rel, usec_t atime_us, usec_t mtime_us)
{
	usec_t now_us = utime_now();
	struct timespec times[2] = {
		{ .tv_sec = (now_us - atime_us) / USEC_PER_SEC },
		{ .tv_sec = (now_us - mtime_us) / USEC_PER_SEC },
	};

	assert_int_equal(utimensat(cache_fd, rel, times, AT_SYMLINK_NOFOLLOW),
			 0);
}

static bool is_there(const char *rel)
{
	return faccessat(cache_fd, rel, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An index of an hour with so many segments, as the cache writes it. */
static struct hourindex *build_index(usec_t hour_us, int nr)
{
	struct fs_list list = { 0 };
	struct hour_source source = { .hour_us = hour_us,
				      .url = "/segments/main/source/",
				      .list = &list };
	struct hourindex *index;
	struct errmsg e;
	char path[64];

	snprintf(path, sizeof(path), "listing%d", nr);
	for (int i = 0; i < nr; i++) {
		char name[128];

		snprintf(name, sizeof(name), "%s/00:%02d-1-full-a.ts", path,
			 i);
		unit_make(unit_fd, name, 1);
	}
	unit_mkdir(unit_fd, path);
	source.fd = openat(unit_fd, path, O_RDONLY | O_DIRECTORY);
	assert_true(source.fd >= 0);
	assert_int_equal(fs_list_read(source.fd, &list, &e), ERR_OK);
	assert_int_equal(hourindex_build(&source, &index, &e), ERR_OK);
	fs_list_release(&list);
	close(source.fd);
	return index;
}

#define Q HOURSTORE_VERSION_DIR "/main/source/"

static void test_private_files(void **state)
{
	static const struct {
		const char *name;
		usec_t age_us;
		bool stays;
	} rows[] = {
		{ Q ".2026-11-07T00.idx.1-a.tmp", 0, true },
		{ Q ".2026-11-07T01.idx.1-a.tmp", 50 * 60 * USEC_PER_SEC,
		  true },
		{ Q ".2026-11-07T02.idx.1-a.tmp", 61 * 60 * USEC_PER_SEC,
		  false },
		{ Q ".2026-11-07T03.idx.1-a.tmp", 400 * DAY, false },
		{ Q ".of-the-future.tmp", -DAY, true },
		{ HOURSTORE_VERSION_DIR "/.2026.tmp", DAY, false },
		{ HOURSTORE_VERSION_DIR "/main/.2026.tmp", DAY, false },
		/* Not ours to judge. */
		{ Q "note.txt", 400 * DAY, true },
		{ ".old.tmp", 400 * DAY, true },
		{ "v0/main/source/.old.tmp", 400 * DAY, true },
		{ Q "deeper/.old.tmp", 400 * DAY, true },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unit_make(cache_fd, rows[i].name, 100);
		age(rows[i].name, rows[i].age_us, rows[i].age_us);
	}
	hoursweep_run(cache, base, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].name);
		assert_int_equal(is_there(rows[i].name), rows[i].stays);
	}
	assert_int_equal(unit_logged("swept 4 files"), 1);
	hoursweep_run(cache, base, UINT64_MAX);
	assert_int_equal(unit_logged("swept"), 0);
}

static void test_vanished_hours(void **state)
{
	static const struct {
		const char *index;
		const char *hour;	/* made in the archive, or NULL */
		bool stays;
	} rows[] = {
		{ "main/source/2026-11-07T00.idx", "main/source/2026-11-07T00",
		  true },
		{ "main/source/2026-11-07T01.idx", NULL, false },
		{ "main/720p/2026-11-07T00.idx", NULL, false },
		{ "other/source/2026-11-07T00.idx", NULL, false },
		{ "a b%/\xc3\xa9/2026-11-07T00.idx",
		  "a b%/\xc3\xa9/2026-11-07T00", true },
		{ "main/source/no-hour.idx", NULL, false },
		{ "main/source/2026-11-07T02", NULL, true },
		/* Not to be found out now is not gone. */
		{ "loop/source/2026-11-07T00.idx", NULL, true },
	};
	char path[256];

	UNUSED(state);
	assert_int_equal(symlinkat("loop", base_fd, "loop"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(path, sizeof(path), HOURSTORE_VERSION_DIR "/%s",
			 rows[i].index);
		unit_make(cache_fd, path, 100);
		if (rows[i].hour)
			unit_mkdir(base_fd, rows[i].hour);
	}
	hoursweep_run(cache, base, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].index);
		snprintf(path, sizeof(path), HOURSTORE_VERSION_DIR "/%s",
			 rows[i].index);
		assert_int_equal(is_there(path), rows[i].stays);
	}
	assert_int_equal(unit_logged("swept 4 files"), 1);
}

/* Eight indexes of 1000 bytes; the larger of two times is their last use. */
static void test_least_recently_used(void **state)
{
	static const struct {
		const char *hour;
		int atime;	/* days ago */
		int mtime;
	} rows[] = {	/* the longest unused first */
		{ "main/source/2026-11-07T05", 90, 90 },
		{ "main/720p/2026-11-07T00", 80, 99 },
		{ "main/source/2026-11-07T01", 70, 70 },
		{ "other/source/2026-11-07T00", 95, 60 },
		{ "main/source/2026-11-07T03", 50, 50 },
		{ "main/source/2026-11-07T00", 40, 91 },
		{ "main/source/2026-11-07T04", 99, 30 },
		{ "main/source/2026-11-07T02", 1, 98 },
	};
	static const struct {
		uint64_t max_bytes;
		size_t nr_left;
	} limits[] = {
		{ UINT64_MAX, 8 }, { 8000, 8 }, { 7999, 7 }, { 6001, 6 },
		{ 6000, 6 }, { 3500, 3 }, { 1, 0 }, { 0, 0 },
	};
	char path[256];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unit_mkdir(base_fd, rows[i].hour);
		snprintf(path, sizeof(path), HOURSTORE_VERSION_DIR "/%s.idx",
			 rows[i].hour);
		unit_make(cache_fd, path, 1000);
		age(path, rows[i].atime * DAY, rows[i].mtime * DAY);
	}
	for (size_t k = 0; k < ARRAY_SIZE(limits); k++) {
		print_message("# at most %llu bytes\n",
			      (unsigned long long)limits[k].max_bytes);
		hoursweep_run(cache, base, limits[k].max_bytes);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			snprintf(path, sizeof(path),
				 HOURSTORE_VERSION_DIR "/%s.idx",
				 rows[i].hour);
			assert_int_equal(is_there(path),
					 i >= 8 - limits[k].nr_left);
		}
	}
}

/* What somebody writes at this moment counts, but is not taken away. */
static void test_private_files_count(void **state)
{
	UNUSED(state);
	unit_mkdir(base_fd, "main/source/2026-11-07T00");
	unit_make(cache_fd, Q "2026-11-07T00.idx", 1000);
	unit_make(cache_fd, Q ".2026-11-07T01.idx.1-a.tmp", 1000);
	age(Q ".2026-11-07T01.idx.1-a.tmp", 60 * USEC_PER_SEC,
	    60 * USEC_PER_SEC);
	/* What is swept anyway does not count any more. */
	unit_make(cache_fd, Q "2026-11-07T09.idx", 1000);
	hoursweep_run(cache, base, 2000);
	assert_true(is_there(Q "2026-11-07T00.idx"));
	assert_false(is_there(Q "2026-11-07T09.idx"));
	hoursweep_run(cache, base, 1500);
	assert_false(is_there(Q "2026-11-07T00.idx"));
	assert_true(is_there(Q ".2026-11-07T01.idx.1-a.tmp"));
}

/* No directory, no sweeping; above all not of a base that is not mounted. */
static void test_nothing_to_sweep(void **state)
{
	struct hoursweep_stats stats = { .nr_files = UNIT_UNTOUCHED };
	struct errmsg e = { "" };

	UNUSED(state);
	unit_make(cache_fd, Q "2026-11-07T00.idx", 1000);
	hoursweep_run(cache, "/no/such/base", UINT64_MAX);
	hoursweep_run(cache, "/dev/null", UINT64_MAX);
	assert_true(is_there(Q "2026-11-07T00.idx"));
	assert_int_equal(unit_logged("cannot sweep"), 2);
	/* A cache that was never written is nothing to talk about. */
	hoursweep_run("/no/such/cache", base, 0);
	assert_int_equal(unit_logged("cannot sweep"), 0);
	for (enum hoursweep_task task = HOURSWEEP_STATS;
	     task <= HOURSWEEP_CLEAR; task++) {
		assert_int_equal(hoursweep_task("/no/such/cache", task, &stats,
						&e),
				 ERR_NOTFOUND);
		assert_int_equal(stats.nr_files, UNIT_UNTOUCHED);
		assert_non_null(strstr(e.text, "/no/such/cache"));
	}
	/* An empty one has nothing in it. */
	unit_remove(cache);
	unit_mkdir(unit_fd, cache + strlen(unit_dir) + 1);
	assert_int_equal(hoursweep_task(cache, HOURSWEEP_STATS, &stats, &e),
			 ERR_NOTFOUND);
}

/* Nothing is followed out of the cache directory. */
static void test_links(void **state)
{
	UNUSED(state);
	unit_make(cache_fd, "precious/q/.old.tmp", 10);
	unit_make(cache_fd, "precious/q/2026-11-07T00.idx", 10);
	age("precious/q/.old.tmp", DAY, DAY);
	assert_int_equal(symlinkat("../precious", cache_fd,
				   HOURSTORE_VERSION_DIR "/main"),
			 0);
	unit_mkdir(cache_fd, HOURSTORE_VERSION_DIR "/other/q");
	assert_int_equal(symlinkat("../../../precious/q/.old.tmp", cache_fd,
				   HOURSTORE_VERSION_DIR "/other/q/.link.tmp"),
			 0);
	age(HOURSTORE_VERSION_DIR "/other/q/.link.tmp", DAY, DAY);
	hoursweep_run(cache, base, 0);
	assert_true(is_there("precious/q/.old.tmp"));
	assert_true(is_there("precious/q/2026-11-07T00.idx"));
}

/* Tasks */

enum fault {
	GOOD,
	FLIPPED,	/* a byte in the middle */
	CUT,		/* half of it */
	EMPTY,
	FOREIGN,	/* another version of the rules */
	RENAMED,	/* a good one of another hour */
	NO_HOUR,	/* a name that is no hour */
};

static const struct {
	const char *name;
	enum fault fault;
	int nr;
} stored[] = {
	{ Q "2026-11-07T00.idx", GOOD, 3 },
	{ Q "2026-11-07T01.idx", GOOD, 5 },
	{ HOURSTORE_VERSION_DIR "/other/720p/2026-11-07T01.idx", GOOD, 0 },
	{ Q "2026-11-07T02.idx", FLIPPED, 3 },
	{ Q "2026-11-07T03.idx", CUT, 3 },
	{ Q "2026-11-07T04.idx", EMPTY, 3 },
	{ Q "2026-11-07T05.idx", FOREIGN, 3 },
	{ Q "2026-11-07T06.idx", RENAMED, 3 },
	{ Q "2026-11-07T0x.idx", NO_HOUR, 3 },
	{ Q "2026-11-07T00.idx.bak", NO_HOUR, 3 },
	{ Q "notes.txt", NO_HOUR, 3 },
};
#define NR_BAD 8

static void make_store(uint64_t *bytes_r)
{
	*bytes_r = 2 * 100;
	for (size_t i = 0; i < ARRAY_SIZE(stored); i++) {
		const char *name = stored[i].name;
		usec_t hour_us = UNIT_HOUR;
		struct hourindex *index;
		const char *tail = strstr(name, "T0");
		struct stat st;
		size_t size;
		char *data;

		if (tail && stored[i].fault <= FOREIGN)
			hour_us += (tail[2] - '0') * USEC_PER_HOUR;
		index = build_index(hour_us, stored[i].nr);
		size = index->size;
		data = malloc(size);
		assert_non_null(data);
		memcpy(data, index->head, size);
		hourindex_drop(&index);
		if (stored[i].fault == FLIPPED)
			data[size / 2] ^= 1;
		if (stored[i].fault == FOREIGN)
			((struct hour_header *)(void *)data)->rules++;
		size = stored[i].fault == CUT	? size / 2 :
		       stored[i].fault == EMPTY ? 0 :
						  size;
		unit_write(cache_fd, name, data, size);
		free(data);
		assert_int_equal(fstatat(cache_fd, name, &st, 0), 0);
		*bytes_r += (uint64_t)st.st_size;
	}
	unit_make(cache_fd, Q ".young.tmp", 100);
	unit_make(cache_fd, Q ".old.tmp", 100);
	age(Q ".old.tmp", DAY, DAY);
}

static void test_tasks(void **state)
{
	const size_t nr = ARRAY_SIZE(stored);
	struct hoursweep_stats stats;
	struct errmsg e = { "" };
	uint64_t bytes;

	UNUSED(state);
	make_store(&bytes);
	print_message("# stats\n");
	assert_int_equal(hoursweep_task(cache, HOURSWEEP_STATS, &stats, &e),
			 ERR_OK);
	assert_int_equal(stats.nr_files, nr + 2);
	assert_int_equal(stats.bytes, bytes);
	assert_int_equal(stats.nr_segments, 3 + 5);
	assert_int_equal(stats.nr_bad, NR_BAD);
	assert_int_equal(stats.nr_tmp, 2);
	assert_int_equal(stats.nr_removed, 0);
	for (size_t i = 0; i < nr; i++)
		assert_true(is_there(stored[i].name));

	print_message("# verify\n");
	assert_int_equal(hoursweep_task(cache, HOURSWEEP_VERIFY, &stats, &e),
			 ERR_OK);
	assert_int_equal(stats.nr_files, nr + 2);
	assert_int_equal(stats.bytes, bytes);
	assert_int_equal(stats.nr_bad, NR_BAD);
	assert_int_equal(stats.nr_removed, NR_BAD + 1);
	for (size_t i = 0; i < nr; i++) {
		print_message("#   %s\n", stored[i].name);
		assert_int_equal(is_there(stored[i].name),
				 stored[i].fault == GOOD);
	}
	assert_true(is_there(Q ".young.tmp"));
	assert_false(is_there(Q ".old.tmp"));

	print_message("# verify again: all is well\n");
	assert_int_equal(hoursweep_task(cache, HOURSWEEP_VERIFY, &stats, &e),
			 ERR_OK);
	assert_int_equal(stats.nr_files, 4);
	assert_int_equal(stats.nr_bad + stats.nr_removed, 0);
	assert_int_equal(stats.nr_segments, 3 + 5);

	print_message("# clear\n");
	assert_int_equal(hoursweep_task(cache, HOURSWEEP_CLEAR, &stats, &e),
			 ERR_OK);
	assert_int_equal(stats.nr_files, 4);
	assert_int_equal(stats.nr_removed, 4);
	assert_int_equal(hoursweep_task(cache, HOURSWEEP_STATS, &stats, &e),
			 ERR_OK);
	assert_int_equal(stats.nr_files + stats.bytes + stats.nr_removed, 0);
}

int main(void)
{
#define SWEEP_TEST(f) cmocka_unit_test_setup_teardown(f, make_dirs, leave_dirs)
	const struct CMUnitTest tests[] = {
		SWEEP_TEST(test_private_files),
		SWEEP_TEST(test_vanished_hours),
		SWEEP_TEST(test_least_recently_used),
		SWEEP_TEST(test_private_files_count),
		SWEEP_TEST(test_nothing_to_sweep),
		SWEEP_TEST(test_links),
		SWEEP_TEST(test_tasks),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
