/*
 * test_thumbnail.c - compositions: the recorded ones, and what must hold of
 * any.
 */
#include "config.h"

#include "picture/thumbnail.h"

#include <json-c/json.h>

#include "picture/picread.h"

#include "inarena.h"

/* ---- the recorded ones ---- */

static int open_golden(void)
{
	const char *top = getenv("top_srcdir");
	char path[1024];

	snprintf(path, sizeof(path), "%s/tests/data/golden/thumbnail",
		 top ? top : ".");
	return unit_open_dir(path);
}

static struct picture read_picture(int dir_fd, const char *name)
{
	struct errmsg e = { "" };
	struct picture picture;
	size_t size = 0;
	char *data = unit_read(dir_fd, name, &size);

	assert_non_null(data);
	if (picread(&arena, (const uint8_t *)data, size, &picture, &e))
		fail_msg("%s: %s", name, e.text);
	free(data);
	return picture;
}

static struct picture without_alpha(const struct picture *from)
{
	size_t nr = (size_t)from->width * (size_t)from->height;
	struct picture to;
	struct errmsg e;

	assert_int_equal(
		picture_new(&arena, from->width, from->height, 3, &to, &e),
		ERR_OK);
	for (size_t i = 0; i < nr; i++)
		memcpy(to.pixels + i * 3, from->pixels + i * 4, 3);
	return to;
}

static const char *text_of(struct json_object *row, const char *name)
{
	return json_object_get_string(json_object_object_get(row, name));
}

static struct box box_of(struct json_object *row, const char *name)
{
	struct json_object *sides = json_object_object_get(row, name);
	int n[4];

	for (size_t i = 0; i < 4; i++)
		n[i] = json_object_get_int(json_object_array_get_idx(sides, i));
	return (struct box){ n[0], n[1], n[2], n[3] };
}

static void assert_same(const struct picture *got, const struct picture *want)
{
	assert_int_equal(got->width, want->width);
	assert_int_equal(got->height, want->height);
	assert_int_equal(got->nr_channels, want->nr_channels);
	assert_memory_equal(got->pixels, want->pixels,
			    (size_t)got->width * (size_t)got->height *
				    (size_t)got->nr_channels);
}

static void run_case(int dir_fd, struct json_object *row)
{
	struct picture opaque = read_picture(dir_fd, text_of(row, "frame"));
	struct picture frame = without_alpha(&opaque);
	struct picture template =
		read_picture(dir_fd, text_of(row, "template"));
	struct box crop = box_of(row, "crop");
	struct box location = box_of(row, "location");
	struct picture want, got;
	struct errmsg e = { "" };
	enum err err = thumbnail_compose(&arena, &frame, &crop, &location,
					 &template, &got, &e);

	if (json_object_object_get(row, "error")) {
		assert_int_equal(err, ERR_INPUT);
		assert_non_null(strstr(e.text, "no inside"));
		return;
	}
	assert_int_equal(err, ERR_OK);
	print_message("# %s\n", text_of(row, "expected"));
	want = read_picture(dir_fd, text_of(row, "expected"));
	assert_same(&got, &want);
}

static void test_golden(void **state)
{
	int dir_fd = open_golden();
	char *text = unit_read(dir_fd, "cases.json", NULL);
	struct json_object *rows;

	UNUSED(state);
	assert_non_null(text);
	rows = json_tokener_parse(text);
	assert_true(json_object_array_length(rows) > 10);
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		run_case(dir_fd, json_object_array_get_idx(rows, i));
	json_object_put(rows);
	free(text);
	close(dir_fd);
}

/* ---- any ---- */

static struct picture noise(int width, int height, int nr_channels,
			    uint64_t seed)
{
	size_t size = (size_t)width * (size_t)height * (size_t)nr_channels;
	struct picture picture;
	struct errmsg e;

	assert_int_equal(
		picture_new(&arena, width, height, nr_channels, &picture, &e),
		ERR_OK);
	for (size_t i = 0; i < size; i++)
		picture.pixels[i] = (uint8_t)unit_random(&seed);
	return picture;
}

static struct picture clear(int width, int height)
{
	struct picture picture = noise(width, height, 4, 1);

	for (int i = 0; i < width * height; i++)
		picture.pixels[i * 4 + 3] = 0;
	return picture;
}

static struct picture compose(const struct picture *frame, struct box crop,
			      struct box location,
			      const struct picture *template)
{
	struct errmsg e = { "" };
	struct picture got;

	if (thumbnail_compose(&arena, frame, &crop, &location, template, &got,
			      &e))
		fail_msg("%s", e.text);
	assert_int_equal(got.width, template->width);
	assert_int_equal(got.height, template->height);
	assert_int_equal(got.nr_channels, 4);
	return got;
}

static void assert_pixel(const struct picture *picture, int x, int y,
			 const uint8_t rgb[3], int alpha)
{
	const uint8_t *p = picture->pixels + (y * picture->width + x) * 4;

	assert_memory_equal(p, rgb, 3);
	assert_int_equal(p[3], alpha);
}

/* The same size: not a sample changes, wherever it is put. */
static void test_same_size(void **state)
{
	static const uint8_t black[3] = { 0 };
	struct picture frame = noise(50, 40, 3, 7);
	struct picture template = clear(60, 70);
	struct picture got =
		compose(&frame, (struct box){ -2, 5, 48, 50 },
			(struct box){ 20, -10, 70, 35 }, &template);

	UNUSED(state);
	for (int y = 0; y < 70; y++)
		for (int x = 0; x < 60; x++) {
			int from_x = x - 20 - 2;
			int from_y = y + 10 + 5;
			bool is_in = x >= 20 && y < 35;

			if (is_in && from_x >= 0 && from_y < 40)
				assert_pixel(&got, x, y,
					     frame.pixels +
						     (from_y * 50 + from_x) * 3,
					     255);
			else
				assert_pixel(&got, x, y, black,
					     is_in ? 255 : 0);
		}
}

/* Outside of the template nothing is put, and it is as it was where opaque. */
static void test_outside(void **state)
{
	static const struct box outside[] = {
		{ -10, 0, 0, 10 }, { 0, -10, 10, 0 },	 { 30, 0, 40, 10 },
		{ 0, 20, 10, 30 }, { -99, -99, -9, -9 },
	};
	struct picture frame = noise(9, 9, 3, 3);
	struct picture template = noise(30, 20, 4, 5);

	UNUSED(state);
	for (int i = 0; i < 30 * 20; i++)
		template.pixels[i * 4 + 3] |= 1;
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		struct picture got = compose(&frame, (struct box){ 0, 0, 9, 9 },
					     outside[i], &template);

		assert_same(&got, &template);
	}
}

/* A flat colour stays that, in any size, and each alpha weighs as it says. */
static void test_flat(void **state)
{
	struct picture frame = noise(33, 21, 3, 1);
	struct picture template = noise(256, 16, 4, 2);
	uint64_t seed = 4;

	UNUSED(state);
	for (int i = 0; i < 33 * 21; i++)
		memcpy(frame.pixels + i * 3, "\x10\x80\xff", 3);
	for (int i = 0; i < 256 * 16; i++)
		template.pixels[i * 4 + 3] = (uint8_t)i;
	for (int nr = 0; nr < 50; nr++) {
		int right = 1 + (int)(unit_random(&seed) % 33);
		int bottom = 1 + (int)(unit_random(&seed) % 21);
		struct picture got =
			compose(&frame, (struct box){ 0, 0, right, bottom },
				(struct box){ 0, 0, 256, 16 }, &template);

		for (int i = 0; i < 256 * 16; i++) {
			const uint8_t *over = template.pixels + i * 4;
			int red = (over[0] * over[3] + 16 * (255 - over[3]));

			assert_int_equal(got.pixels[i * 4 + 3], 255);
			assert_int_equal(got.pixels[i * 4], (red + 127) / 255);
		}
	}
}

/* The largest boxes cost what is seen of them. */
static void test_large(void **state)
{
	static const struct box all[] = {
		{ -8192, -8192, 0, 0 },
		{ 0, 0, 8192, 8192 },
		{ 30, 20, 31, 21 },
		{ -4096, -4096, 4096, 4096 },
		{ -16384, -16384, -8192, -8192 },
	};
	struct picture frame = noise(64, 36, 3, 3);
	struct picture template = clear(40, 30);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t k = 0; k < ARRAY_SIZE(all); k++)
			compose(&frame, all[i], all[k], &template);
}

static void test_refused(void **state)
{
	static const struct box good = { 0, 0, 5, 5 };
	static const struct box bad[] = {
		{ 0, 0, 0, 5 },
		{ 0, 0, 5, -5 },
		{ 0, 0, 9000, 5 },
		{ INT32_MIN, 0, INT32_MAX, 5 },
	};
	struct picture frame = noise(9, 9, 3, 3);
	struct picture template = clear(9, 9);
	struct picture got;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct errmsg e = { "" };

		assert_int_equal(thumbnail_compose(&arena, &frame, &bad[i],
						   &good, &template, &got, &e),
				 ERR_INPUT);
		assert_int_equal(thumbnail_compose(&arena, &frame, &good,
						   &bad[i], &template, &got,
						   &e),
				 ERR_INPUT);
		assert_true(e.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_same_size),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
