/*
 * test_storyboard.c - the sizes and places of tiles, the times of cues, and
 * what is drawn where.
 */
#include "config.h"

#include "picture/storyboard.h"

#include <libavutil/imgutils.h>

#include "inarena.h"

#define HOURS (3600 * USEC_PER_SEC)

static void test_intervals(void **state)
{
	static const usec_t lengths[] = {
		1,
		2,
		3,
		399,
		400,
		401,
		999999,
		USEC_PER_SEC,
		7 * HOURS + 1,
		31 * 24 * HOURS,
		31 * 24 * HOURS - 1,
		/* the years 1 to 9999 */
		INT64_C(315537897600) * USEC_PER_SEC,
	};
	static const size_t counts[] = { 1, 2, 3, 7, 100, 399, 400 };

	UNUSED(state);
	for (size_t k = 0; k < ARRAY_SIZE(lengths); k++) {
		for (size_t c = 0; c < ARRAY_SIZE(counts); c++) {
			struct time_range range = { -5, lengths[k] - 5 };
			usec_t nr = (usec_t)counts[c];
			usec_t before = -5;

			assert_int_equal(storyplan_time(&range, counts[c], 0),
					 -5);
			for (size_t i = 1; i <= counts[c]; i++) {
				usec_t at =
					storyplan_time(&range, counts[c], i);

				/* they differ by a microsecond at most */
				assert_in_range(at - before, lengths[k] / nr,
						lengths[k] / nr + 1);
				before = at;
			}
			assert_int_equal(before, range.end_us);
		}
	}
}

static void test_sizes(void **state)
{
	static const struct {
		int height, source_width, source_height;
		int tile_width, tile_height;
	} rows[] = {
		{ 90, 1920, 1080, 160, 90 }, { 90, 0, 0, 160, 90 },
		{ 90, 0, 1080, 160, 90 },    { 91, 1920, 1080, 160, 90 },
		{ 16, 1920, 1080, 28, 16 },  { 720, 1920, 1080, 1280, 720 },
		{ 90, 640, 360, 160, 90 },   { 90, 1080, 1920, 50, 90 },
		{ 90, 640, 480, 120, 90 },   { 90, 854, 480, 160, 90 },
		{ 100, 32767, 1, 400, 100 }, { 100, 1, 32767, 26, 100 },
		{ 16, 1, 32767, 4, 16 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct storyboard board;
		struct errmsg e = { "" };

		print_message("# %dx%d at %d\n", rows[i].source_width,
			      rows[i].source_height, rows[i].height);
		assert_int_equal(storyboard_size(2, 3, rows[i].height,
						 rows[i].source_width,
						 rows[i].source_height, &board,
						 &e),
				 ERR_OK);
		assert_int_equal(board.width, rows[i].tile_width);
		assert_int_equal(board.height, rows[i].tile_height);
		assert_int_equal(board.columns, 2);
		assert_int_equal(board.rows, 3);
	}
}

static void test_limits(void **state)
{
	static const struct {
		int columns, rows, height;
		usec_t length_us;
		enum err check, size;
		const char *says;
	} rows[] = {
		{ 10, 10, 90, HOURS, ERR_OK, ERR_OK, "" },
		{ 40, 10, 90, HOURS, ERR_OK, ERR_OK, "" },
		{ 10, 40, 90, HOURS, ERR_OK, ERR_OK, "" },
		{ 20, 20, 90, 400000, ERR_OK, ERR_OK, "" },
		{ 20, 20, 90, 399999, ERR_INPUT, ERR_OK, "a millisecond" },
		{ 20, 21, 90, HOURS, ERR_INPUT, ERR_OK, "at most 400" },
		{ 40, 40, 90, HOURS, ERR_INPUT, ERR_OK, "1600 tiles" },
		{ 1, 22, 720, HOURS, ERR_OK, ERR_OK, "" },
		{ 1, 23, 720, HOURS, ERR_INPUT, ERR_INPUT, "at most 16384" },
		{ 12, 1, 720, HOURS, ERR_OK, ERR_OK, "" },
		{ 13, 1, 720, HOURS, ERR_OK, ERR_INPUT, "16640x720" },
		{ 6, 7, 720, HOURS, ERR_OK, ERR_OK, "" },
		{ 6, 8, 720, HOURS, ERR_OK, ERR_INPUT, "40 million" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct time_range range = { 0, rows[i].length_us };
		struct storyboard board = { .width = UNIT_UNTOUCHED };
		struct errmsg e = { "" };

		print_message("# %d x %d of %d\n", rows[i].columns,
			      rows[i].rows, rows[i].height);
		assert_int_equal(storyboard_check(rows[i].columns, rows[i].rows,
						  rows[i].height, &range, &e),
				 rows[i].check);
		if (!rows[i].check)
			assert_int_equal(storyboard_size(rows[i].columns,
							 rows[i].rows,
							 rows[i].height, 1280,
							 720, &board, &e),
					 rows[i].size);
		if (rows[i].check || rows[i].size)
			assert_int_equal(board.width, UNIT_UNTOUCHED);
		assert_non_null(strstr(e.text, rows[i].says));
	}
}

/* Reads "HH:MM:SS.mmm", in milliseconds; *text is then behind it. */
static int64_t take_time(const char **text)
{
	long long h;
	int m, s, ms, len = 0;

	assert_int_equal(
		sscanf(*text, "%lld:%2d:%2d.%3d%n", &h, &m, &s, &ms, &len), 4);
	*text += len;
	return ((h * 60 + m) * 60 + s) * 1000 + ms;
}

static void check_cues(const struct storyboard *board, usec_t length_us)
{
	const struct time_range range = { UNIT_HOUR, UNIT_HOUR + length_us };
	struct text *out = text_new(&arena, 1024 * 1024);
	const char *p;
	int64_t last = 0;
	int nr = 0;

	storyboard_vtt(board, &range, "a%20b.jpg?x=1", out);
	assert_false(out->overflowed);
	p = strstr(out->data, "Z\n");
	assert_non_null(p);
	assert_memory_equal(out->data,
			    "WEBVTT\n\nNOTE 00:00:00.000 is "
			    "2026-11-07T00:00:00.000000Z\n",
			    (size_t)(p + 2 - out->data));
	for (p += 2; *p; nr++) {
		int x, y, w, h, len = 0;
		int64_t end;

		assert_int_equal(*p++, '\n');
		assert_int_equal(take_time(&p), last);
		assert_memory_equal(p, " --> ", 5);
		p += 5;
		end = take_time(&p);
		assert_true(end > last);
		last = end;
		assert_int_equal(*p++, '\n');
		assert_int_equal(sscanf(p, "a%%20b.jpg?x=1#xywh=%d,%d,%d,%d%n",
					&x, &y, &w, &h, &len),
				 4);
		assert_int_equal(x, nr % board->columns * board->width);
		assert_int_equal(y, nr / board->columns * board->height);
		assert_int_equal(w, board->width);
		assert_int_equal(h, board->height);
		p += len;
		assert_int_equal(*p++, '\n');
	}
	assert_int_equal(nr, board->columns * board->rows);
	assert_int_equal(last, (length_us + 500) / 1000);
}

/* Any number of cues and any length: they cover the range, each once. */
static void test_cues(void **state)
{
	static const usec_t lengths[] = {
		400000,	      400001,	       400499,	   400500,
		USEC_PER_SEC, 20001700,	       HOURS,	   31 * 24 * HOURS,
		99 * HOURS,   100 * HOURS + 1, 1234567891,
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		for (int columns = 1; columns <= 40; columns += 3) {
			struct storyboard board = { columns, 10, 160, 90 };

			check_cues(&board, lengths[i]);
			board.rows = 1;
			check_cues(&board, lengths[i]);
		}
}

static void test_hours(void **state)
{
	const struct storyboard board = { 1, 1, 2, 2 };
	const struct time_range range = { 0, 1000 * HOURS + 61001500 };
	struct text *out = text_new(&arena, 1024);

	UNUSED(state);
	storyboard_vtt(&board, &range, "x", out);
	assert_non_null(strstr(out->data, "\n00:00:00.000 --> 1000:01:01.002\n"
					  "x#xywh=0,0,2,2\n"));
}

/* A picture that is white all over. */
static AVFrame *white(int width, int height)
{
	AVFrame *frame = av_frame_alloc();

	assert_non_null(frame);
	frame->format = AV_PIX_FMT_YUV420P;
	frame->width = width;
	frame->height = height;
	assert_true(av_frame_get_buffer(frame, 0) >= 0);
	for (int y = 0; y < height; y++)
		memset(frame->data[0] + y * frame->linesize[0], 235,
		       (size_t)width);
	for (int p = 1; p < 3; p++)
		for (int y = 0; y < (height + 1) / 2; y++)
			memset(frame->data[p] + y * frame->linesize[p], 128,
			       (size_t)(width + 1) / 2);
	return frame;
}

/* The tile has a white box in its middle, black bars, and no more. */
static void test_drawing(void **state)
{
	static const struct {
		int width, height; /* of the picture */
		int box_width, box_height;
	} rows[] = {
		{ 1920, 1080, 160, 90 }, { 640, 360, 160, 90 },
		{ 854, 480, 160, 90 },	 { 640, 480, 120, 90 },
		{ 480, 640, 68, 90 },	 { 1920, 800, 160, 66 },
		{ 100, 1000, 10, 90 },	 { 4000, 16, 160, 2 },
		{ 161, 91, 160, 90 },	 { 32, 32, 90, 90 },
	};
	const struct storyboard board = { 3, 2, 160, 90 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AVFrame *frame = white(rows[i].width, rows[i].height);
		int left = 160 + (160 - rows[i].box_width) / 2;
		int top = 90 + (90 - rows[i].box_height) / 2;
		struct picture sheet;
		struct errmsg e;

		print_message("# %dx%d\n", rows[i].width, rows[i].height);
		assert_int_equal(storyboard_sheet(&arena, &board, &sheet, &e),
				 ERR_OK);
		assert_int_equal(storyboard_draw(&board, &sheet, 4, frame, &e),
				 ERR_OK);
		av_frame_free(&frame);
		for (int y = 0; y < 180; y++)
			for (int x = 0; x < 480; x++) {
				bool in_tile = x >= 160 && x < 320 && y >= 90;
				bool in_box = x >= left && y >= top &&
					      x < left + rows[i].box_width &&
					      y < top + rows[i].box_height;
				uint8_t *p = sheet.pixels + (y * 480 + x) * 3;
				int want = in_box ? 255 : in_tile ? 0 : 0x30;

				for (int c = 0; c < 3; c++)
					if (abs(p[c] - want) > 2)
						fail_msg("%d,%d: %d not %d", x,
							 y, p[c], want);
			}
		arena_reset(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cues),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_drawing),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
