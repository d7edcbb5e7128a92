/*
 * test_sharedarea.c - a file that processes share who know nothing of each
 * other, and what becomes of one that is not as it should be.
 */
#include "config.h"

#include "sharedarea.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/fsutil.h"
#include "unit.h"

static char cache[600];

static struct sharedarea_config config(void)
{
	snprintf(cache, sizeof(cache), "%s/cache", unit_dir);
	return (struct sharedarea_config){ .cache_dir = cache,
					   .base = unit_dir,
					   .nr_workers = 3,
					   .nr_heavy = 4,
					   .nr_edges = 2,
					   .nr_full = 1 };
}

static void must_open(struct sharedarea *area,
		      const struct sharedarea_config *c)
{
	struct errmsg e;

	assert_int_equal(sharedarea_open(area, c, &e), ERR_OK);
	assert_non_null(area->metrics);
	assert_int_equal(area->board->nr_workers, c->nr_workers);
	assert_int_equal(area->board->nr_heavy, c->nr_heavy);
	assert_int_equal(area->board->edges.nr, c->nr_edges);
	assert_int_equal(area->board->full.nr, c->nr_full);
	assert_true(area->board->started_us > 0);
}

/* The only file, relative to unit_fd; how many there are. */
static unsigned find_area(char *rel, size_t size)
{
	struct fs_list list = { 0 };
	struct errmsg e;
	unsigned nr = 0;
	int fd = openat(unit_fd, "cache/shared", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return 0;
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	for (size_t i = 0; i < list.nr; i++)
		if (strstr(list.entries[i].name, ".area")) {
			snprintf(rel, size, "cache/shared/%s",
				 list.entries[i].name);
			nr++;
		}
	fs_list_release(&list);
	close(fd);
	return nr;
}

static void test_shared(void **state)
{
	struct sharedarea_config c = config();
	struct sharedarea first, second;
	char rel[600];
	struct stat st;

	UNUSED(state);
	must_open(&first, &c);
	assert_true(first.is_new);
	must_open(&second, &c);
	assert_false(second.is_new);
	assert_ptr_not_equal(first.metrics, second.metrics);
	metrics_add(first.metrics, METRIC_BYTES_SENT, 5);
	metrics_add(second.metrics, METRIC_BYTES_SENT, 6);
	assert_int_equal(metrics_get(first.metrics, METRIC_BYTES_SENT), 11);
	assert_non_null(scoreboard_take_worker(first.board, owner_self()));
	assert_int_equal(scoreboard_workers(second.board), 1);
	assert_true(places_take(&first.board->full, owner_self()));
	assert_false(places_take(&second.board->full, owner_self()));
	places_free_of(&second.board->full, owner_self());
	assert_true(places_take(&first.board->full, owner_self()));
	assert_int_equal(find_area(rel, sizeof(rel)), 1);
	assert_int_equal(fstatat(unit_fd, rel, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	sharedarea_close(&first);
	sharedarea_close(&second);
	/* It lives on without anybody. */
	must_open(&first, &c);
	assert_false(first.is_new);
	assert_int_equal(metrics_get(first.metrics, METRIC_BYTES_SENT), 11);
	sharedarea_close(&first);
	assert_int_equal(unit_logged(""), 0);
}

/* Whatever decides what is in it makes another file. */
static void test_other_settings(void **state)
{
	struct sharedarea_config c[6];
	struct sharedarea areas[6];
	char rel[600];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		c[i] = config();
	c[1].nr_workers++;
	c[2].nr_heavy++;
	c[3].nr_edges++;
	c[4].nr_full++;
	c[5].base = "/";
	unit_remove(cache);
	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		must_open(&areas[i], &c[i]);
		assert_true(areas[i].is_new);
		assert_int_equal(find_area(rel, sizeof(rel)), i + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(c); i++)
		sharedarea_close(&areas[i]);
}

/* A file that is not exactly ours is replaced; who has it keeps it. */
static void test_damage(void **state)
{
	static const struct {
		const char *what;
		off_t at;
		off_t size; /* or as it is */
		mode_t mode;
	} rows[] = {
		{ "magic", 0, 0, 0600 },
		{ "size", 8, 0, 0600 },
		{ "key", 16, 0, 0600 },
		{ "offset", 24, 0, 0600 },
		{ "empty", -1, 1, 0600 },
		{ "short", -1, 4096, 0600 },
		{ "sparse", -1, -1, 0600 },
		{ "others may read", -1, 0, 0644 },
		{ "link", -1, -2, 0600 },
		{ "directory", -1, -3, 0600 },
		{ "second name", -1, -4, 0600 },
	};
	struct sharedarea_config c = config();

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sharedarea before, after;
		char rel[600];
		struct stat st;
		int fd;

		print_message("# %s\n", rows[i].what);
		unit_remove(cache);
		must_open(&before, &c);
		metrics_add(before.metrics, METRIC_BYTES_SENT, 7);
		assert_int_equal(find_area(rel, sizeof(rel)), 1);
		fd = openat(unit_fd, rel, O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		if (rows[i].at >= 0)
			assert_int_equal(pwrite(fd, "x", 1, rows[i].at), 1);
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		close(fd);
		if (rows[i].size)
			assert_int_equal(unlinkat(unit_fd, rel, 0), 0);
		if (rows[i].size > 0 || rows[i].size == -1)
			unit_make(unit_fd, rel,
				  rows[i].size > 0 ? rows[i].size : st.st_size);
		if (rows[i].size == -2)
			assert_int_equal(symlinkat("/etc/passwd", unit_fd, rel),
					 0);
		if (rows[i].size == -4) {
			unit_make(unit_fd, "other", st.st_size);
			assert_int_equal(
				linkat(unit_fd, "other", unit_fd, rel, 0), 0);
			assert_int_equal(fchmodat(unit_fd, rel, 0600, 0), 0);
		}
		if (rows[i].size == -3)
			unit_mkdir(unit_fd, rel);
		must_open(&after, &c);
		assert_true(after.is_new);
		assert_int_equal(metrics_get(after.metrics, METRIC_BYTES_SENT),
				 0);
		metrics_add(after.metrics, METRIC_BYTES_SENT, 1);
		assert_int_equal(metrics_get(before.metrics, METRIC_BYTES_SENT),
				 7);
		/* A directory there stays; that is said, and it works. */
		assert_int_equal(unit_logged("counts for itself"),
				 rows[i].size == -3);
		sharedarea_close(&before);
		sharedarea_close(&after);
		unlinkat(unit_fd, "other", 0);
	}
}

/* A header is soon right; what is behind it is looked at, too. */
static void test_noise(void **state)
{
	struct sharedarea_config c = config();
	unsigned seed = 1;

	UNUSED(state);
	for (int turn = 0; turn < 20; turn++) {
		struct sharedarea before, after;
		char noise[4096];
		char rel[600];
		struct stat st;
		struct text out;
		int fd;

		unit_remove(cache);
		must_open(&before, &c);
		assert_int_equal(find_area(rel, sizeof(rel)), 1);
		fd = openat(unit_fd, rel, O_RDWR | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		for (off_t at = 4096; at < st.st_size; at += 4096) {
			for (size_t i = 0; i < sizeof(noise); i++)
				noise[i] = (char)rand_r(&seed);
			assert_int_equal(pwrite(fd, noise, sizeof(noise), at),
					 sizeof(noise));
		}
		close(fd);
		/* Whoever has it open already can still tell of it. */
		text_init(&out, (size_t)64 << 20);
		metrics_render(before.metrics, &out);
		text_release(&out);
		must_open(&after, &c);
		assert_true(after.is_new);
		assert_true(sharedarea_is_gone(&before));
		assert_false(sharedarea_is_gone(&after));
		sharedarea_close(&before);
		sharedarea_close(&after);
	}
}

static void test_nowhere(void **state)
{
	struct sharedarea_config c = config();
	struct sharedarea area;

	UNUSED(state);
	unit_remove(cache);
	c.cache_dir = NULL;
	must_open(&area, &c);
	assert_int_equal(area.fd, -1);
	assert_int_equal(unit_logged(""), 0);
	unit_write(unit_fd, "cache", "a file", 6);
	c = config();
	must_open(&area, &c);
	assert_int_equal(area.fd, -1);
	assert_int_equal(unit_logged("counts for itself"), 1);
	unit_remove(cache);
	/* Where others may write anything can happen. */
	unit_mkdir(unit_fd, "cache/shared");
	assert_int_equal(fchmodat(unit_fd, "cache/shared", 0777, 0), 0);
	must_open(&area, &c);
	assert_int_equal(area.fd, -1);
	assert_int_equal(unit_logged("counts for itself"), 1);
	unit_remove(cache);
}

/* A disk without room for all of it: no file that is mapped and has holes. */
static void test_no_room(void **state)
{
	struct sharedarea_config c = config();
	struct rlimit before, small;
	struct sharedarea area;
	char rel[600];

	UNUSED(state);
	unit_remove(cache);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	must_open(&area, &c);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(area.fd, -1);
	metrics_add(area.metrics, METRIC_BYTES_SENT, 1);
	assert_int_equal(find_area(rel, sizeof(rel)), 0);
	assert_int_equal(unit_logged("counts for itself"), 1);
	must_open(&area, &c);
	assert_true(area.fd >= 0);
	sharedarea_close(&area);
}

/* What nobody holds and is old goes; what somebody holds, or is new, stays. */
static void test_abandoned(void **state)
{
	static const struct timespec old[2] = { { .tv_sec = 1000000 },
						{ .tv_sec = 1000000 } };
	static const char *const names[] = {
		"cache/shared/0123456789abcdef.area", /* goes */
		"cache/shared/1123456789abcdef.area", /* is held */
		"cache/shared/2123456789abcdef.area", /* is new */
		"cache/shared/notes.area",	      /* is not ours */
	};
	struct sharedarea_config c = config();
	struct sharedarea area;
	int held;

	UNUSED(state);
	unit_remove(cache);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unit_write(unit_fd, names[i], "x", 1);
		if (i != 2)
			assert_int_equal(utimensat(unit_fd, names[i], old, 0),
					 0);
	}
	assert_int_equal(fchmodat(unit_fd, "cache/shared", 0700, 0), 0);
	held = openat(unit_fd, names[1], O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_SH), 0);
	must_open(&area, &c);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(faccessat(unit_fd, names[i], F_OK, 0) == 0,
				 i != 0);
	close(held);
	sharedarea_close(&area);
}

#define NR_RACERS 20
#define NR_ADDS	  1000

/* Many that begin at once have one file, and are killed and begin again. */
static void test_race(void **state)
{
	struct sharedarea_config c = config();
	struct sharedarea area;
	pid_t pids[NR_RACERS];
	char rel[600];

	UNUSED(state);
	unit_remove(cache);
	for (int i = 0; i < NR_RACERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i])
			continue;
		must_open(&area, &c);
		for (int k = 0; k < NR_ADDS; k++)
			metrics_add(area.metrics, METRIC_BYTES_SENT, 1);
		kill(getpid(), SIGKILL);
	}
	for (int i = 0; i < NR_RACERS; i++)
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	must_open(&area, &c);
	assert_int_equal(find_area(rel, sizeof(rel)), 1);
	assert_int_equal(metrics_get(area.metrics, METRIC_BYTES_SENT),
			 NR_RACERS * NR_ADDS);
	sharedarea_close(&area);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_other_settings),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_abandoned),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
