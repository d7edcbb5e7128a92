/*
 * test_wipe.c - the four wipes, sample for sample as FFmpeg draws them.
 *
 * FFmpeg's own evaluator is asked for every sample; then the ffmpeg program,
 * if there is one, for whole pictures.
 */
#include "config.h"

#include "media/wipe.h"

#include <time.h>

#include <libavutil/eval.h>

#include "formulas.h"
#include "inarena.h"

/* As FFmpeg has it: computed in floats. */
static double progress_of(unsigned k, unsigned n)
{
	return (double)(1.F - (float)k / (float)n);
}

static void test_names(void **state)
{
	static const char *const others[] = { "",      "fade",	 "clockwipe2",
					      "clock", "custom", "Batman" };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++)
		assert_true(wipe_is(wipes[i].name));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(wipe_is(others[i]));
}

/* ---- against the evaluator ---- */

enum { VAR_X, VAR_Y, VAR_W, VAR_H, VAR_P, VAR_COUNT };

static AVExpr *parse(const char *text)
{
	static const char *const names[] = { "X", "Y", "W", "H", "P", NULL };
	AVExpr *expr = NULL;

	assert_true(av_expr_parse(&expr, text, names, NULL, NULL, NULL, NULL, 0,
				  NULL) >= 0);
	return expr;
}

/* A plane of one byte a sample: A is 0, B is 1; drawn in two parts. */
static void draw(const struct wipe *wipe, double progress,
		 const struct wipe_plane *like, unsigned width, unsigned height,
		 uint8_t *out)
{
	static uint8_t ones[4096];
	static uint8_t zeros[4096];
	struct wipe_plane plane = *like;

	assert_true(width <= sizeof(ones));
	memset(ones, 1, sizeof(ones));
	plane.a = zeros;
	plane.b = ones;
	plane.out = out;
	plane.stride_out = (ptrdiff_t)width;
	plane.bytes_per_sample = 1;
	memset(out, 7, (size_t)width * height);
	wipe_draw(wipe, progress, &plane, height / 3, height);
	wipe_draw(wipe, progress, &plane, 0, height / 3);
}

/* How many samples show B; all are as the expression has it. */
static size_t compare(AVExpr *expr, const struct wipe *wipe, double progress,
		      const struct wipe_plane *like, unsigned width,
		      unsigned height)
{
	unsigned w = (width + (1U << like->shift_x) - 1) >> like->shift_x;
	unsigned h = (height + (1U << like->shift_y) - 1) >> like->shift_y;
	double values[VAR_COUNT] = { 0, 0, width, height, progress };
	uint8_t *out = malloc((size_t)w * h);
	size_t nr_new = 0;

	assert_non_null(out);
	draw(wipe, progress, like, w, h, out);
	for (size_t i = 0; i < (size_t)w * h; i++) {
		bool is_new;

		values[VAR_X] = (double)((i % w) << like->shift_x);
		values[VAR_Y] = (double)((i / w) << like->shift_y);
		is_new = av_expr_eval(expr, values, NULL) != 0;
		if (out[i] != is_new)
			fail_msg("%zu,%zu at %.9f: %u, but FFmpeg has %u",
				 i % w, i / w, progress, out[i], is_new);
		nr_new += is_new;
	}
	free(out);
	return nr_new;
}

static void compare_all(size_t which, unsigned width, unsigned height,
			const struct wipe_plane *like)
{
	struct wipe *wipe = wipe_new(&arena, wipes[which].name, width, height);
	AVExpr *expr = parse(wipes[which].is_new);
	uint64_t seed = width;

	assert_int_equal(compare(expr, wipe, 1, like, width, height), 0);
	if (width > 1) /* a diamond is never as large as its corners */
		assert_true(compare(expr, wipe, 0, like, width, height) > 0);
	for (unsigned k = 0; k < 30; k++)
		compare(expr, wipe, progress_of(k, 30), like, width, height);
	for (unsigned k = 0; k < 10; k++)
		compare(expr, wipe,
			(double)(unit_random(&seed) % 1000003) / 1000003, like,
			width, height);
	av_expr_free(expr);
}

static void test_formulas(void **state)
{
	static const struct {
		unsigned width;
		unsigned height;
		struct wipe_plane plane;
	} rows[] = {
		{ 96, 64, { .shift_x = 0 } },
		{ 97, 63, { .shift_x = 0 } },
		{ 192, 108, { .shift_x = 0 } },
		{ 96, 64, { .shift_x = 1, .shift_y = 1 } },
		{ 97, 63, { .shift_x = 1, .shift_y = 1 } },
		{ 600, 40, { .shift_x = 1 } },
		{ 40, 300, { .shift_y = 1 } },
		{ 1, 1, { .shift_x = 0 } },
		{ 3, 2, { .shift_x = 1, .shift_y = 1 } },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			print_message("# %s of %ux%u, shifted %u,%u\n",
				      wipes[i].name, rows[k].width,
				      rows[k].height, rows[k].plane.shift_x,
				      rows[k].plane.shift_y);
			compare_all(i, rows[k].width, rows[k].height,
				    &rows[k].plane);
		}
}

/*
 * A plane of half the size is what a picture of half the size would be: where
 * the sides are even, the pixel of a sample is in the same place of it.
 */
static void test_halves(void **state)
{
	static uint8_t half[96 * 54];
	static uint8_t own[96 * 54];
	const struct wipe_plane shifted = { .shift_x = 1, .shift_y = 1 };
	const struct wipe_plane plain = { .shift_x = 0 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++)
		for (unsigned k = 0; k < 60; k++) {
			double p = progress_of(k, 60);

			draw(wipe_new(&arena, wipes[i].name, 192, 108), p,
			     &shifted, 96, 54, half);
			draw(wipe_new(&arena, wipes[i].name, 96, 54), p, &plain,
			     96, 54, own);
			assert_memory_equal(half, own, sizeof(own));
		}
}

/* Samples of two bytes, lines that are farther apart than they are long. */
static void test_samples(void **state)
{
	enum { W = 50, H = 30, GAP = 7 };
	static uint8_t in[2][H][2 * W + GAP];
	static uint8_t out[H][2 * W + 3 * GAP];
	static uint8_t mask[H * W];
	const struct wipe_plane plain = { .shift_x = 0 };
	const struct wipe_plane plane = {
		.a = in[0][0],
		.b = in[1][0],
		.out = out[0],
		.stride_a = sizeof(in[0][0]),
		.stride_b = sizeof(in[1][0]),
		.stride_out = sizeof(out[0]),
		.bytes_per_sample = 2,
	};
	uint64_t seed = 3;

	UNUSED(state);
	for (size_t i = 0; i < sizeof(in); i++)
		(&in[0][0][0])[i] = (uint8_t)unit_random(&seed);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++) {
		struct wipe *wipe = wipe_new(&arena, wipes[i].name, W, H);

		memset(out, 0, sizeof(out));
		draw(wipe, 0.375, &plain, W, H, mask);
		wipe_draw(wipe, 0.375, &plane, 0, H);
		for (size_t k = 0; k < sizeof(mask); k++)
			assert_memory_equal(&out[k / W][k % W * 2],
					    &in[mask[k]][k / W][k % W * 2], 2);
		for (size_t k = 0; k < H; k++)
			for (size_t x = sizeof(in[0][0]) - GAP;
			     x < sizeof(out[0]); x++)
				assert_int_equal(out[k][x], 0);
	}
}

/* ---- against the program ---- */

static bool has_ffmpeg(void)
{
	return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

static void write_noise(const char *name, size_t size, uint64_t seed)
{
	uint8_t *data = malloc(size);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)unit_random(&seed);
	unit_write(unit_fd, name, data, size);
	free(data);
}

enum {
	NR = 30, /* pictures */
	WIDTH = 96,
	HEIGHT = 54,
	PLANE = WIDTH * HEIGHT
};

/* xfade with the expression over two streams of raw pictures. */
static void run_xfade(const char *name, const char *is_new, const char *format,
		      const char *out)
{
	const char *in = "-f rawvideo -r 25 -s 96x54 -pix_fmt";
	char command[4000];
	int len;

	len = snprintf(command, sizeof(command),
		       "cd '%s' && ffmpeg -v error -nostdin -y "
		       "-filter_complex_threads 1 %s %s -i a %s %s -i b "
		       "-filter_complex \"xfade=transition=custom:"
		       "duration=1.2:offset=0:expr='if(%s,B,A)'\" "
		       "-f rawvideo '%s'",
		       unit_dir, in, format, in, format, is_new, out);
	assert_true(len > 0 && (size_t)len < sizeof(command));
	if (system(command) != 0)
		fail_msg("%s: ffmpeg failed: %s", name, command);
}

static void draw_stream(const char *name, const uint8_t *a, const uint8_t *b,
			uint8_t *out, unsigned bytes)
{
	struct wipe *wipe = wipe_new(&arena, name, WIDTH, HEIGHT);
	size_t plane_size = (size_t)PLANE * bytes;

	for (unsigned k = 0; k < 3 * NR; k++) {
		struct wipe_plane plane = {
			.a = a + k * plane_size,
			.b = b + k * plane_size,
			.out = out + k * plane_size,
			.stride_a = WIDTH * (ptrdiff_t)bytes,
			.stride_b = WIDTH * (ptrdiff_t)bytes,
			.stride_out = WIDTH * (ptrdiff_t)bytes,
			.bytes_per_sample = bytes,
		};

		wipe_draw(wipe, progress_of(k / 3, NR), &plane, 0, HEIGHT);
	}
}

static void compare_streams(const char *format, unsigned bytes)
{
	size_t size = (size_t)PLANE * 3 * NR * bytes;
	uint8_t *ours = malloc(size);
	char *a, *b, *theirs;

	assert_non_null(ours);
	write_noise("a", size, 1);
	write_noise("b", size, 2);
	a = unit_read(unit_fd, "a", NULL);
	b = unit_read(unit_fd, "b", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++) {
		size_t len = 0;
		size_t nr_bad = 0;

		run_xfade(wipes[i].name, wipes[i].is_new, format, "out");
		theirs = unit_read(unit_fd, "out", &len);
		assert_int_equal(len, size);
		draw_stream(wipes[i].name, (uint8_t *)a, (uint8_t *)b, ours,
			    bytes);
		for (size_t k = 0; k < size; k++)
			nr_bad += ours[k] != (uint8_t)theirs[k];
		print_message("# %s, %s: %zu of %zu bytes differ\n",
			      wipes[i].name, format, nr_bad, size);
		assert_int_equal(nr_bad, 0);
		free(theirs);
	}
	free(a);
	free(b);
	free(ours);
}

static void test_xfade(void **state)
{
	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	compare_streams("yuv444p", 1);
	compare_streams("yuv444p16", 2);
}

/* ---- how long it takes; nothing depends on it ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A picture of 4:2:0: a plane, and two of half its sides. */
static double draw_picture(const struct wipe *wipe, double progress,
			   const uint8_t *a, const uint8_t *b, uint8_t *out)
{
	double start = now_ms();

	for (unsigned p = 0; p < 3; p++) {
		unsigned shift = p > 0;
		size_t skip = (size_t)1920 * 1080 * (p + 3) / 4;
		struct wipe_plane plane = {
			.bytes_per_sample = 1,
			.shift_x = shift,
			.shift_y = shift,
			.stride_a = 1920 >> shift,
			.stride_b = 1920 >> shift,
			.stride_out = 1920 >> shift,
		};

		if (!p)
			skip = 0;
		plane.a = a + skip;
		plane.b = b + skip;
		plane.out = out + skip;
		wipe_draw(wipe, progress, &plane, 0, 1080 >> shift);
	}
	return now_ms() - start;
}

static void test_speed(void **state)
{
	size_t size = (size_t)1920 * 1080 * 3 / 2;
	uint8_t *pictures = malloc(3 * size);

	UNUSED(state);
	assert_non_null(pictures);
	memset(pictures, 1, 3 * size);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++) {
		double start = now_ms();
		struct wipe *wipe = wipe_new(&arena, wipes[i].name, 1920, 1080);
		double made = now_ms() - start;
		double most = 0;
		double sum = 0;

		for (unsigned k = 0; k < 30; k++) {
			double ms = draw_picture(wipe, progress_of(k, 30),
						 pictures, pictures + size,
						 pictures + 2 * size);

			sum += ms;
			most = ms > most ? ms : most;
		}
		print_message("# %s: made in %.3f ms, 1080p in %.2f ms, at "
			      "most %.2f\n",
			      wipes[i].name, made, sum / 30, most);
	}
	free(pictures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),  cmocka_unit_test(test_formulas),
		cmocka_unit_test(test_halves), cmocka_unit_test(test_samples),
		cmocka_unit_test(test_xfade),  cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
