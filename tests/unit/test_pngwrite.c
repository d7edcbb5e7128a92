/*
 * test_pngwrite.c - what is written reads as it was, and is the same by any
 * number of threads.
 */
#include "config.h"

#include "picture/pngwrite.h"

#include "picture/picread.h"
#include "inarena.h"

/* noise: of 256, how much of it is. */
static struct picture make(int width, int height, int nr_channels,
			   unsigned noise, uint64_t *seed)
{
	struct picture picture;
	struct errmsg e;
	size_t nr = (size_t)width * (size_t)height * (size_t)nr_channels;

	assert_int_equal(
		picture_new(&arena, width, height, nr_channels, &picture, &e),
		ERR_OK);
	for (size_t i = 0; i < nr; i++)
		picture.pixels[i] =
			unit_random(seed) % 256 < noise ?
				(uint8_t)unit_random(seed) :
				(uint8_t)(i / (size_t)nr_channels / 7);
	return picture;
}

static void compare(const struct picture *a, const struct picture *b)
{
	size_t nr = (size_t)a->width * (size_t)a->height;
	size_t step = (size_t)a->nr_channels;

	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	for (size_t i = 0; i < nr; i++) {
		if (memcmp(a->pixels + i * step, b->pixels + i * 4, step) ||
		    (step == 3 && b->pixels[i * 4 + 3] != 255))
			fail_msg("pixel %zu of %dx%d differs", i, a->width,
				 a->height);
	}
}

static void check(const struct picture *picture)
{
	const uint8_t *first = NULL;
	size_t first_size = 0;
	struct errmsg e;

	for (int nr_threads = 1; nr_threads <= 5; nr_threads += 2) {
		struct picture back;
		const uint8_t *data;
		size_t size;

		assert_int_equal(
			pngwrite(&arena, picture, nr_threads, &data, &size, &e),
			ERR_OK);
		if (first) {
			assert_int_equal(size, first_size);
			assert_memory_equal(data, first, size);
			continue;
		}
		first = data;
		first_size = size;
		assert_int_equal(picread(&arena, data, size, &back, &e),
				 ERR_OK);
		compare(picture, &back);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		int width, height;
	} sizes[] = {
		{ 1, 1 },     { 1, 4096 },   { 4096, 1 },   { 2, 3 },
		{ 640, 360 }, { 1919, 301 }, { 4096, 130 }, { 33, 1000 },
	};
	uint64_t seed = 4;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned noise = 0; noise <= 256; noise += 64) {
			struct picture picture =
				make(sizes[i].width, sizes[i].height,
				     noise % 128 ? 4 : 3, noise, &seed);

			check(&picture);
			arena_reset(&arena);
		}
}

/* Strips make use of what is before them: a flat picture is small. */
static void test_flat(void **state)
{
	uint64_t seed = 1;
	struct picture picture = make(2000, 2000, 3, 0, &seed);
	const uint8_t *data;
	struct errmsg e;
	size_t size;

	UNUSED(state);
	memset(picture.pixels, 77, 2000 * 2000 * 3);
	assert_int_equal(pngwrite(&arena, &picture, 2, &data, &size, &e),
			 ERR_OK);
	assert_in_range(size, 100, 2000 * 2000 * 3 / 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_flat),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
