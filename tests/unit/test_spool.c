/*
 * test_spool.c - bytes come back as they went in, from memory and from a file,
 * which has no name and is not there before it is needed.
 */
#include "config.h"

#include "media/spool.h"

#include <dirent.h>

#include "unit.h"

#define CHUNK (1 << 20)

/* The descriptors this process has. */
static unsigned nr_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned nr = 0;

	assert_non_null(dir);
	while (dir && readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static unsigned nr_names(const char *path)
{
	DIR *dir = opendir(path);
	unsigned nr = 0;

	assert_non_null(dir);
	while (dir && readdir(dir))
		nr++;
	closedir(dir);
	return nr - 2;
}

/* Bytes that tell where they are. */
static void fill(uint64_t *words, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len / 8; i++)
		words[i] = (at / 8 + i) * UINT64_C(0x9e3779b97f4a7c15);
}

static void check(const struct spool *spool, uint64_t at, size_t len)
{
	static uint64_t words[CHUNK / 8 + 2];
	static uint64_t expected[CHUNK / 8 + 2];
	struct errmsg e = { "" };
	uint64_t from = at / 8 * 8;

	fill(expected, from, len + 16);
	assert_int_equal(spool_read(spool, at, words, len, &e), ERR_OK);
	assert_memory_equal(words, (uint8_t *)expected + (at - from), len);
}

static void test_memory_and_file(void **state)
{
	static uint64_t words[CHUNK / 8];
	unsigned before = nr_open();
	uint64_t seed = 8;
	uint64_t at = 0;
	struct spool *spool;
	struct arena a;
	struct errmsg e = { "" };

	UNUSED(state);
	arena_init(&a);
	spool = spool_new(&a, unit_dir);
	assert_int_equal(spool_size(spool), 0);
	for (int i = 0; i < 105; i++) {
		size_t len =
			i % 3 ? CHUNK : 8 * (1 + unit_random(&seed) % 1000);

		fill(words, at, len);
		assert_int_equal(spool_append(spool, words, len, &e), ERR_OK);
		at += len;
		assert_int_equal(spool_size(spool), at);
		assert_int_equal(nr_open() - before, at > SPOOL_MEMORY);
		assert_int_equal(nr_names(unit_dir), 1); /* the log */
		check(spool, 0, 100);
		check(spool, at - 8, 8);
		check(spool, unit_random(&seed) % (at - 7), 7);
	}
	for (int i = 0; i < 30; i++) {
		uint64_t from = unit_random(&seed) % at;

		check(spool, from,
		      at - from < CHUNK ? (size_t)(at - from) : CHUNK);
	}
	/* What is not there is not read. */
	assert_int_equal(spool_read(spool, at - 4, words, 8, &e), ERR_IO);
	arena_release(&a);
	assert_int_equal(nr_open(), before);
}

static void test_limit(void **state)
{
	static uint8_t byte;
	struct spool *spool;
	struct arena a;
	struct errmsg e = { "" };

	UNUSED(state);
	arena_init(&a);
	spool = spool_new(&a, unit_dir);
	assert_int_equal(spool_append(spool, &byte, 1, &e), ERR_OK);
	/* Nothing of it is looked at. */
	assert_int_equal(spool_append(spool, &byte, SPOOL_MAX, &e), ERR_LIMIT);
	assert_string_not_equal(e.text, "");
	assert_int_equal(spool_append(spool, &byte, SIZE_MAX, &e), ERR_LIMIT);
	assert_int_equal(spool_size(spool), 1);
	assert_int_equal(spool_append(spool, &byte, 1, &e), ERR_OK);
	assert_int_equal(spool_size(spool), 2);
	arena_release(&a);
}

static void test_no_directory(void **state)
{
	char *data = calloc(1, SPOOL_MEMORY);
	struct spool *spool;
	struct arena a;
	struct errmsg e = { "" };
	char path[300];
	uint8_t byte = 1;

	UNUSED(state);
	assert_non_null(data);
	snprintf(path, sizeof(path), "%s/nowhere", unit_dir);
	arena_init(&a);
	spool = spool_new(&a, path);
	assert_int_equal(spool_append(spool, data, SPOOL_MEMORY, &e), ERR_OK);
	assert_int_equal(spool_append(spool, &byte, 1, &e), ERR_IO);
	assert_null(strstr(e.text, unit_dir));
	/* What was there still is. */
	assert_int_equal(spool_size(spool), SPOOL_MEMORY);
	assert_int_equal(spool_read(spool, SPOOL_MEMORY - 1, &byte, 1, &e),
			 ERR_OK);
	assert_int_equal(byte, 0);
	arena_release(&a);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_and_file),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
