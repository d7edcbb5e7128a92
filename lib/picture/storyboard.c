#include "config.h"

#include "picture/storyboard.h"

#include <inttypes.h>
#include <string.h>

/* Of a tile without a picture. */
#define EMPTY_GREY 0x30

/* Wider or higher ones get bars, whatever the source is. */
#define MAX_ASPECT 4

/* Of a source that does not say: 16:9. */
#define USUAL_WIDTH  16
#define USUAL_HEIGHT 9

static enum err check_pixels(int columns, int rows, int width, int height,
			     struct errmsg *e)
{
	if (columns * width > PICTURE_MAX_SIDE ||
	    rows * height > PICTURE_MAX_SIDE)
		return err_set(e, ERR_INPUT,
			       "columns, rows, height: the sheet would have "
			       "%dx%d pixels; a side has at most %d",
			       columns * width, rows * height,
			       PICTURE_MAX_SIDE);
	if ((int64_t)columns * width * rows * height > STORYBOARD_MAX_PIXELS)
		return err_set(e, ERR_INPUT,
			       "columns, rows, height: the sheet would have "
			       "%dx%d pixels; at most %d million are allowed",
			       columns * width, rows * height,
			       (int)(STORYBOARD_MAX_PIXELS / 1000000));
	return ERR_OK;
}

enum err storyboard_check(int columns, int rows, int height,
			  const struct time_range *range, struct errmsg *e)
{
	int nr = columns * rows;

	if (nr > STORYBOARD_MAX_TILES)
		return err_set(e, ERR_INPUT,
			       "columns, rows: %d tiles are too many; at most "
			       "%d are allowed",
			       nr, STORYBOARD_MAX_TILES);
	if (range->end_us - range->start_us < nr * STORYBOARD_MIN_TILE_US)
		return err_set(e, ERR_INPUT,
			       "end: the range is too short for %d tiles of "
			       "at least a millisecond each",
			       nr);
	return check_pixels(columns, rows, 1, height, e);
}

/* To the nearest even number, at least 2. */
static int even(int64_t numerator, int64_t denominator)
{
	int64_t half = (numerator + denominator) / (2 * denominator);

	return half < 1 ? 2 : (int)(half * 2);
}

enum err storyboard_size(int columns, int rows, int height, int source_width,
			 int source_height, struct storyboard *board_r,
			 struct errmsg *e)
{
	bool is_known = source_width > 0 && source_height > 0;
	int64_t w = is_known ? source_width : USUAL_WIDTH;
	int64_t h = is_known ? source_height : USUAL_HEIGHT;
	struct storyboard board = { .columns = columns,
				    .rows = rows,
				    .height = height / 2 * 2 };
	enum err err;

	w = w > h * MAX_ASPECT ? h * MAX_ASPECT : w;
	h = h > w * MAX_ASPECT ? w * MAX_ASPECT : h;
	board.width = even(w * board.height, h);
	err = check_pixels(columns, rows, board.width, board.height, e);
	if (!err)
		*board_r = board;
	return err;
}

enum err storyboard_sheet(struct arena *a, const struct storyboard *board,
			  struct picture *sheet_r, struct errmsg *e)
{
	int width = board->columns * board->width;
	int height = board->rows * board->height;
	enum err err = picture_new(a, width, height, 3, sheet_r, e);

	if (!err)
		memset(sheet_r->pixels, EMPTY_GREY,
		       (size_t)width * (size_t)height * 3);
	return err;
}

/* The largest size of a picture's aspect that a tile has room for. */
static void fit(const struct storyboard *board, const AVFrame *frame,
		int *width_r, int *height_r)
{
	int64_t wide = (int64_t)frame->width * board->height;
	int64_t high = (int64_t)frame->height * board->width;

	*width_r = board->width;
	*height_r = board->height;
	/* No bars where only rounding to even numbers asks for them. */
	if (wide < high)
		*width_r = even(wide, frame->height);
	else if (even(wide, frame->height) > board->width)
		*height_r = even(high, frame->width);
}

static uint8_t *pixel_at(const struct picture *sheet, int x, int y)
{
	return sheet->pixels +
	       ((size_t)y * (size_t)sheet->width + (size_t)x) * 3;
}

enum err storyboard_draw(const struct storyboard *board, struct picture *sheet,
			 size_t tile, const AVFrame *frame, struct errmsg *e)
{
	int x = (int)(tile % (size_t)board->columns) * board->width;
	int y = (int)(tile / (size_t)board->columns) * board->height;
	struct picture picture;
	struct arena scratch;
	int width, height;
	enum err err;

	fit(board, frame, &width, &height);
	arena_init(&scratch);
	/* Not into the sheet: libswscale writes beyond the ends of rows. */
	err = picture_scaled(&scratch, frame, width, height, 1, &picture, e);
	for (int row = 0; !err && row < board->height; row++)
		memset(pixel_at(sheet, x, y + row), 0,
		       (size_t)board->width * 3);
	x += (board->width - width) / 2;
	y += (board->height - height) / 2;
	for (int row = 0; !err && row < height; row++)
		memcpy(pixel_at(sheet, x, y + row), pixel_at(&picture, 0, row),
		       (size_t)width * 3);
	arena_release(&scratch);
	return err;
}

/* HH:MM:SS.mmm; hours have as many digits as they need. */
static void put_time(struct text *out, usec_t us)
{
	uint64_t ms = hour_length_ms(us);

	text_printf(out, "%02" PRIu64 ":%02u:%02u.%03u", ms / 3600000,
		    (unsigned)(ms / 60000 % 60), (unsigned)(ms / 1000 % 60),
		    (unsigned)(ms % 1000));
}

void storyboard_vtt(const struct storyboard *board,
		    const struct time_range *range, const char *url,
		    struct text *out)
{
	size_t nr = (size_t)board->columns * (size_t)board->rows;
	char start[UTIME_ISO_SIZE];

	text_printf(out, "WEBVTT\n\nNOTE 00:00:00.000 is %s\n",
		    utime_format(range->start_us, start));
	for (size_t i = 0; i < nr; i++) {
		text_putc(out, '\n');
		put_time(out, storyplan_time(range, nr, i) - range->start_us);
		text_puts(out, " --> ");
		put_time(out,
			 storyplan_time(range, nr, i + 1) - range->start_us);
		text_printf(out, "\n%s#xywh=%d,%d,%d,%d\n", url,
			    (int)(i % (size_t)board->columns) * board->width,
			    (int)(i / (size_t)board->columns) * board->height,
			    board->width, board->height);
	}
}
