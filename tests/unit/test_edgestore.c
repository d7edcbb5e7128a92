/*
 * test_edgestore.c - what is kept comes back as it was or not at all, however
 * the files are treated, and the store stays as small as it should.
 */
#include "config.h"

#include "media/edgestore.h"

#include <sys/wait.h>
#include <time.h>

#include "inarena.h"

#define DIR_NAME "cache/" EDGESTORE_DIR

static char *cache;

static int begin(void **state)
{
	if (begin_arena(state))
		return -1;
	cache = arena_printf(&arena, "%s/cache", unit_dir);
	return 0;
}

/* An empty store for each test. */
static struct edgestore store;

static int set_up(void **state)
{
	UNUSED(state);
	unit_remove(cache);
	edgestore_open(&store, cache, 1 << 20);
	return store.blobs.fd >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	UNUSED(state);
	edgestore_close(&store);
	unit_logged("");
	return 0;
}

static struct blobkey key_of(uint64_t n)
{
	return (struct blobkey){ { n, n ^ UINT64_C(0xfedcba9876543210) } };
}

static const char *name_of(uint64_t n)
{
	return arena_printf(&arena, DIR_NAME "/%016llx%016llx.edge",
			    (unsigned long long)n,
			    (unsigned long long)key_of(n).hash[1]);
}

/* Units of an entry, which n alone decides. */
static size_t make_units(uint64_t n, size_t bytes, struct edgeunit units[20])
{
	uint64_t seed = n;
	size_t nr = 1 + unit_random(&seed) % 19;

	for (size_t i = 0; i < nr; i++) {
		size_t size = i + 1 == nr ? bytes : unit_random(&seed) % 3000;
		uint8_t *data = arena_alloc(&arena, size + 1);

		for (size_t k = 0; k < size; k++)
			data[k] = (uint8_t)unit_random(&seed);
		units[i] = (struct edgeunit){ (int64_t)unit_random(&seed), data,
					      (uint32_t)size, i % 3 == 0 };
	}
	return nr;
}

static void put(uint64_t n, size_t bytes)
{
	struct blobkey key = key_of(n);
	struct edgeunit units[20];
	size_t nr = make_units(n, bytes, units);

	edgestore_put(&store, &key, units, nr);
}

/* Whether it is there; if so it is what was put. */
static bool has(const struct edgestore *from, uint64_t n, size_t bytes)
{
	struct blobkey key = key_of(n);
	struct edgeunit expected[20];
	struct edgeunit *units = NULL;
	size_t nr = 0;

	if (!edgestore_get(from, &key, &arena, &units, &nr))
		return false;
	assert_int_equal(nr, make_units(n, bytes, expected));
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(units[i].pts, expected[i].pts);
		assert_int_equal(units[i].size, expected[i].size);
		assert_int_equal(units[i].is_key, expected[i].is_key);
		assert_memory_equal(units[i].data, expected[i].data,
				    units[i].size);
	}
	return true;
}

static void test_put_get(void **state)
{
	struct edgestore again;

	UNUSED(state);
	for (uint64_t n = 0; n < 30; n++)
		assert_false(has(&store, n, n * 100));
	for (uint64_t n = 0; n < 30; n++)
		put(n, n * 100);
	edgestore_open(&again, cache, 1 << 20);
	for (uint64_t n = 0; n < 30; n++) {
		assert_true(has(&store, n, n * 100));
		assert_true(has(&again, n, n * 100));
	}
	edgestore_close(&again);
	/* Put once more it is the same. */
	put(3, 300);
	assert_true(has(&store, 3, 300));
	assert_int_equal(unit_logged("edge"), 0);
}

/* Every byte changed, and every length. */
static void test_corrupt(void **state)
{
	const char *name = name_of(5);
	size_t len = 0;
	char *data;

	UNUSED(state);
	put(5, 100);
	data = unit_read(unit_fd, name, &len);
	assert_non_null(data);
	for (size_t at = 0; at < len; at += at < 400 ? 1 : 97) {
		data[at] ^= 0x10;
		unit_write(unit_fd, name, data, len);
		assert_false(has(&store, 5, 100));
		/* It is gone, so that nobody reads it again. */
		assert_int_equal(faccessat(unit_fd, name, F_OK, 0), -1);
		data[at] ^= 0x10;
	}
	for (size_t size = 0; size < len; size += size < 300 ? 1 : 97) {
		unit_write(unit_fd, name, data, size);
		assert_false(has(&store, 5, 100));
	}
	assert_true(unit_logged("bad edge") > 100);
	unit_write(unit_fd, name, data, len);
	assert_true(has(&store, 5, 100));
	/* Under another's name it is not that one's. */
	unit_write(unit_fd, name_of(6), data, len);
	assert_false(has(&store, 6, 100));
	free(data);
}

/* Neither a directory nor a link in its place is followed, nor a pipe. */
static void test_strange(void **state)
{
	const char *name = name_of(1);

	UNUSED(state);
	unit_mkdir(unit_fd, name);
	assert_false(has(&store, 1, 10));
	/* An empty one is removed as a file would be. */
	assert_int_equal(faccessat(unit_fd, name, F_OK, 0), -1);
	assert_int_equal(symlinkat("/etc/passwd", unit_fd, name), 0);
	assert_false(has(&store, 1, 10));
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	unlinkat(unit_fd, name, 0);
	assert_int_equal(mkfifoat(unit_fd, name, 0600), 0);
	assert_false(has(&store, 1, 10));
}

static void set_age(uint64_t n, int seconds)
{
	struct timespec times[2];

	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_int_equal(utimensat(unit_fd, name_of(n), times, 0), 0);
}

static uint64_t total(void)
{
	uint64_t bytes = 0;

	for (uint64_t n = 0; n < 100; n++) {
		struct stat st;

		if (fstatat(unit_fd, name_of(n), &st, 0) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

/* The least recently used go first, until it fits. */
static void test_sweep(void **state)
{
	UNUSED(state);
	for (uint64_t n = 0; n < 8; n++) {
		put(n, 100000);
		set_age(n, 1000 - (int)n);
	}
	for (uint64_t n = 0; n < 8; n++)
		assert_int_equal(faccessat(unit_fd, name_of(n), F_OK, 0), 0);
	/* Used now, so the last to go. */
	assert_true(has(&store, 0, 100000));
	assert_true(has(&store, 2, 100000));
	for (uint64_t n = 8; n < 12; n++)
		put(n, 100000);
	assert_in_range(total(), 700000, 1 << 20);
	assert_true(has(&store, 0, 100000));
	assert_false(has(&store, 1, 100000));
	assert_true(has(&store, 2, 100000));
	for (uint64_t n = 8; n < 12; n++)
		assert_true(has(&store, n, 100000));
}

/* What a killed process left goes when it is old; other names stay. */
static void test_left_over(void **state)
{
	static const char *const hidden[] = { DIR_NAME "/.x.edge.1-2.tmp",
					      DIR_NAME "/.y.edge.1-3.tmp" };
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	UNUSED(state);
	for (size_t i = 0; i < 2; i++)
		unit_write(unit_fd, hidden[i], "half", 4);
	assert_int_equal(utimensat(unit_fd, hidden[0], times, 0), 0);
	put(1, 100000);
	assert_int_equal(faccessat(unit_fd, hidden[0], F_OK, 0), -1);
	assert_int_equal(faccessat(unit_fd, hidden[1], F_OK, 0), 0);
}

/* One that is larger than all there may be is not kept, nor tried. */
static void test_too_large(void **state)
{
	struct blobkey key = key_of(1);
	struct edgeunit unit = { .size = (uint32_t)BLOBSTORE_MAX_BYTES };

	UNUSED(state);
	unit.data = calloc(1, unit.size);
	assert_non_null(unit.data);
	edgestore_put(&store, &key, &unit, 1);
	assert_int_equal(faccessat(unit_fd, name_of(1), F_OK, 0), -1);
	free((void *)(uintptr_t)unit.data);
}

static void test_unusable(void **state)
{
	static const char *const paths[] = { NULL, "/proc/nowhere",
					     "/dev/null" };
	struct edgestore none;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct blobkey key = key_of(1);
		struct edgeunit unit = { 1, (const uint8_t *)"x", 1, true };

		unit_logged("");
		edgestore_open(&none, paths[i], 1 << 20);
		assert_int_equal(none.blobs.fd, -1);
		assert_int_equal(unit_logged("not kept"), paths[i] != NULL);
		edgestore_put(&none, &key, &unit, 1);
		assert_false(has(&none, 1, 10));
		edgestore_close(&none);
	}
	/* Nor one that others may write to. */
	assert_int_equal(fchmod(store.blobs.fd, 0777), 0);
	edgestore_open(&none, cache, 1 << 20);
	assert_int_equal(none.blobs.fd, -1);
	/* Nothing may be kept. */
	edgestore_open(&none, cache, 0);
	assert_int_equal(none.blobs.fd, -1);
}

/* One that vanishes while it is used is only slower. */
static void test_vanished(void **state)
{
	UNUSED(state);
	put(1, 10);
	unit_remove(cache);
	assert_false(has(&store, 1, 10));
	put(2, 10);
	assert_false(has(&store, 2, 10));
}

/* Its directory is made again where it was removed, and only then. */
static void test_follow(void **state)
{
	int fd = store.blobs.fd;

	UNUSED(state);
	put(1, 10);
	blobstore_follow(&store.blobs, cache);
	assert_int_equal(store.blobs.fd, fd);
	assert_true(has(&store, 1, 10));
	unit_remove(cache);
	blobstore_follow(&store.blobs, cache);
	put(2, 10);
	assert_false(has(&store, 1, 10));
	assert_true(has(&store, 2, 10));
}

/* Two that put and get the same, with sweeps: all that is got is right. */
static void test_two_processes(void **state)
{
	pid_t pids[2];

	UNUSED(state);
	for (unsigned p = 0; p < 2; p++) {
		pids[p] = fork();
		assert_true(pids[p] >= 0);
		if (!pids[p]) {
			struct edgestore own;
			uint64_t seed = p;
			bool is_right = true;

			edgestore_open(&own, cache, 300000);
			store = own;
			for (int i = 0; i < 300; i++) {
				uint64_t n = unit_random(&seed) % 10;
				struct blobkey key = key_of(n);
				struct edgeunit expected[20];
				struct edgeunit *units;
				size_t nr;
				struct arena a;

				arena_init(&a);
				put(n, 50000);
				nr = make_units(n, 50000, expected);
				if (edgestore_get(&own, &key, &a, &units, &nr))
					is_right &= !memcmp(
						units[nr - 1].data,
						expected[nr - 1].data, 50000);
				arena_release(&a);
			}
			_exit(is_right ? 0 : 1);
		}
	}
	for (unsigned p = 0; p < 2; p++) {
		int status;

		assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(unit_logged("bad edge"), 0);
	assert_in_range(total(), 100000, 400000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_put_get),   TEST(test_corrupt),
		TEST(test_strange),   TEST(test_sweep),
		TEST(test_left_over), TEST(test_too_large),
		TEST(test_unusable),  TEST(test_vanished),
		TEST(test_follow),    TEST(test_two_processes),
	};

	return cmocka_run_group_tests(tests, begin, end_arena);
}
