#include "config.h"

#include "picture/coveragemap.h"

#include <stdio.h>
#include <string.h>

#include <gd.h>
#include <gdfonts.h>
#include <xxhash.h>

/* In pixels. */
#define PLOT_WIDTH  1200
#define PLOT_LEFT   120
#define PLOT_TOP    66
#define PLOT_RIGHT  62 /* of the right margin */
#define MARGIN	    10
#define MAX_ROW	    16
#define MAX_HEIGHT  4096
#define TEXT_HEIGHT 13 /* of gdFontGetSmall(), whose letters are 6 wide */

#define PIXEL_US (USEC_PER_HOUR / PLOT_WIDTH)

/* States in order of what hides what, then what is only drawn with. */
enum colour {
	PAPER,
	COVERED,
	DUPLICATE,
	OVERLAP,
	NONFULL,
	HOLE,
	INK,
	RULE,
	COLOUR_COUNT
};

static const struct {
	int red, green, blue;
	const char *legend;
} colours[COLOUR_COUNT] = {
	[PAPER] = { 255, 255, 255, NULL },
	[COVERED] = { 166, 212, 242, "covered" },
	[DUPLICATE] = { 0, 114, 178, "several files" },
	[OVERLAP] = { 204, 121, 167, "overlap" },
	[NONFULL] = { 230, 159, 0, "not full" },
	[HOLE] = { 24, 24, 24, "hole" },
	[INK] = { 40, 40, 40, NULL },
	[RULE] = { 150, 150, 150, NULL },
};

struct map {
	gdImagePtr image;
	void *file; /* of libgd, too */
	struct time_range range;
	usec_t first_us; /* the first hour */
	size_t nr_rows;
	int row;  /* height, the gap below it included */
	int step; /* rows a label */
};

static void release(void *ptr)
{
	struct map *m = ptr;

	if (m->image)
		gdImageDestroy(m->image);
	gdFree(m->file);
}

static int row_top(const struct map *m, size_t row)
{
	return PLOT_TOP + (int)row * m->row;
}

/* Whether there is a clear line below each row. */
static bool has_gaps(const struct map *m)
{
	return m->row > 3;
}

/* Painting: all of it on the first line of each row. */

static void paint_row(struct map *m, size_t row, usec_t from_us, usec_t to_us,
		      enum colour colour)
{
	unsigned char *line = m->image->pixels[row_top(m, row)] + PLOT_LEFT;
	usec_t from = from_us / PIXEL_US;
	usec_t to = (to_us + PIXEL_US - 1) / PIXEL_US;

	if (from == PLOT_WIDTH)
		from--;
	for (usec_t x = from; x < to || x == from; x++)
		if (line[x] < colour)
			line[x] = (unsigned char)colour;
}

/* At least a pixel, whatever its length. */
static void paint(struct map *m, usec_t start_us, usec_t end_us,
		  enum colour colour)
{
	size_t row;

	if (start_us < m->range.start_us)
		start_us = m->range.start_us;
	if (end_us > m->range.end_us)
		end_us = m->range.end_us;
	row = (size_t)((start_us - m->first_us) / USEC_PER_HOUR);
	if (row == m->nr_rows)
		row--;
	do {
		usec_t hour_us = m->first_us + (usec_t)row * USEC_PER_HOUR;
		usec_t to_us = end_us - hour_us;

		paint_row(m, row, start_us - hour_us,
			  to_us < USEC_PER_HOUR ? to_us : USEC_PER_HOUR,
			  colour);
		start_us = hour_us + USEC_PER_HOUR;
		row++;
	} while (start_us < end_us);
}

static void paint_item(void *ctx, const struct coverage_item *item)
{
	static const enum colour colour_of[COVERAGE_KIND_COUNT] = {
		[COVERAGE_SPAN] = COVERED,	  [COVERAGE_HOLE] = HOLE,
		[COVERAGE_NONFULL] = NONFULL,	  [COVERAGE_OVERLAP] = OVERLAP,
		[COVERAGE_DUPLICATE] = DUPLICATE,
	};

	struct map *m = ctx;

	/* Beside the segment that covers the start, one may end before it. */
	if (item->end_us > m->range.start_us || item->kind == COVERAGE_HOLE)
		paint(m, item->start_us, item->end_us, colour_of[item->kind]);
}

/* The other lines of each row. */
static void fill_rows(struct map *m)
{
	int nr_lines = m->row - has_gaps(m);

	for (size_t row = 0; row < m->nr_rows; row++) {
		int top = row_top(m, row);

		for (int i = 1; i < nr_lines; i++)
			memcpy(m->image->pixels[top + i] + PLOT_LEFT,
			       m->image->pixels[top] + PLOT_LEFT, PLOT_WIDTH);
	}
}

/* Words */

/* The library's letters are Latin ones: others are shown as "?". */
static void put_text(struct map *m, int x, int y, const char *text)
{
	gdFontPtr font = gdFontGetSmall();

	for (; *text; text++, x += font->w) {
		unsigned char c = (unsigned char)*text;

		gdImageChar(m->image, font, x, y, c < 127 ? c : '?', INK);
	}
}

static void put_title(struct map *m, const struct quality *quality,
		      const struct coverage_sum *total)
{
	char start[UTIME_ISO_SIZE];
	char end[UTIME_ISO_SIZE];
	usec_t s = total->missing_us / USEC_PER_SEC;
	char text[256];

	utime_format(m->range.start_us, start);
	utime_format(m->range.end_us, end);
	snprintf(text, sizeof(text), "%.60s/%.60s   %.19s to %.19s UTC",
		 quality->channel, quality->name, start, end);
	put_text(m, PLOT_LEFT, MARGIN, text);
	snprintf(text, sizeof(text),
		 "%llu hole%s, %lld:%02lld:%02lld.%03lld missing",
		 (unsigned long long)total->nr_holes,
		 total->nr_holes == 1 ? "" : "s", (long long)(s / 3600),
		 (long long)(s / 60 % 60), (long long)(s % 60),
		 (long long)(total->missing_us % USEC_PER_SEC / USEC_PER_MS));
	put_text(m, PLOT_LEFT + PLOT_WIDTH - 6 * (int)strlen(text), MARGIN,
		 text);
}

static void put_legend(struct map *m)
{
	int x = PLOT_LEFT;

	for (int i = COVERED; i <= HOLE; i++) {
		gdImageFilledRectangle(m->image, x, 30, x + 17, 39, i);
		put_text(m, x + 24, 28, colours[i].legend);
		x += 24 + 6 * (int)strlen(colours[i].legend) + 24;
	}
}

/* Minutes above the rows, and short lines above and below. */
static void put_axis(struct map *m)
{
	int bottom = row_top(m, m->nr_rows);

	for (int minute = 0; minute <= 60; minute += 5) {
		int x = PLOT_LEFT + minute * PLOT_WIDTH / 60;
		char text[8];

		snprintf(text, sizeof(text), ":%02d", minute % 60);
		if (minute % 10 == 0)
			put_text(m, x - 9, 46, text);
		x -= minute == 60;
		gdImageLine(m->image, x, PLOT_TOP - 6, x, PLOT_TOP - 3, RULE);
		gdImageLine(m->image, x, bottom + 2, x, bottom + 5, RULE);
	}
}

/* Of the rows from one to the next label; rounded down, so that 100 is all. */
static void put_percent(struct map *m, const struct coverage *c, size_t row,
			int y)
{
	usec_t covered_us = 0;
	usec_t all_us = 0;
	char text[48];
	long long n;

	for (size_t i = row; i < row + (size_t)m->step && i < m->nr_rows; i++) {
		covered_us += c->hours[i].covered_us;
		all_us += c->hours[i].covered_us + c->hours[i].missing_us;
	}
	n = covered_us == all_us ? 10000 : covered_us / (all_us / 10000 + 1);
	if (n == 10000)
		snprintf(text, sizeof(text), "  100 %%");
	else
		snprintf(text, sizeof(text), "%2lld.%02lld %%", n / 100,
			 n % 100);
	put_text(m, PLOT_LEFT + PLOT_WIDTH + 8, y, text);
}

/* The date where a day begins, and a line above its first row. */
static void put_day(struct map *m, size_t row, const char *date, int y)
{
	char text[16];

	snprintf(text, sizeof(text), "%.10s", date);
	put_text(m, MARGIN, y, text);
	if (row && has_gaps(m))
		gdImageLine(m->image, PLOT_LEFT, row_top(m, row) - 1,
			    PLOT_LEFT + PLOT_WIDTH - 1, row_top(m, row) - 1,
			    RULE);
}

static void put_labels(struct map *m, const struct coverage *c)
{
	for (size_t row = 0; row < m->nr_rows; row++) {
		char hour[UTIME_HOUR_SIZE]; /* "2026-11-07T02" */
		char text[16];
		int y = row_top(m, row) + (m->row - TEXT_HEIGHT) / 2;
		int nth;

		utime_format_hour(m->first_us + (usec_t)row * USEC_PER_HOUR,
				  hour);
		nth = (int)utime_take_digits(hour + 11, 2);
		/* A date in the first row, if the next is not too near. */
		if (nth == 0 || (row == 0 && (24 - nth) * m->row > TEXT_HEIGHT))
			put_day(m, row, hour, y);
		if (nth % m->step)
			continue;
		snprintf(text, sizeof(text), "%s:00", hour + 11);
		put_text(m, MARGIN + 70, y, text);
		put_percent(m, c, row, y);
	}
}

/* As many hours a label as its height asks for, and a day has. */
static int rows_a_label(int row)
{
	int step = 1;

	while (step < 24 && (step * row < TEXT_HEIGHT || 24 % step))
		step++;
	return step;
}

static enum err make_image(struct map *m, struct errmsg *e)
{
	int width = PLOT_LEFT + PLOT_WIDTH + PLOT_RIGHT;
	int height;

	if (!m->nr_rows)
		return err_set(e, ERR_INPUT,
			       "start and end: end must be after start");
	if (m->nr_rows > COVERAGEMAP_MAX_HOURS)
		return err_set(e, ERR_LIMIT, "a picture has at most %d hours",
			       COVERAGEMAP_MAX_HOURS);
	m->row = (MAX_HEIGHT - PLOT_TOP - 2 * MARGIN) / (int)m->nr_rows;
	m->row = m->row > MAX_ROW ? MAX_ROW : m->row < 1 ? 1 : m->row;
	m->step = rows_a_label(m->row);
	height = row_top(m, m->nr_rows) + 2 * MARGIN;
	m->image = gdImageCreate(width, height);
	if (!m->image)
		return err_set(e, ERR_MEDIA, "cannot make a picture of %dx%d",
			       width, height);
	/* The first is what the picture is filled with. */
	for (int i = 0; i < COLOUR_COUNT; i++)
		if (gdImageColorAllocate(m->image, colours[i].red,
					 colours[i].green,
					 colours[i].blue) != i)
			return err_set(e, ERR_MEDIA, "a colour is missing");
	return ERR_OK;
}

enum err coveragemap_draw(struct hourreader *reader,
			  const struct time_range *range,
			  struct coveragemap *map_r, struct errmsg *e)
{
	struct map *m = ARENA_NEW(reader->arena, struct map);
	struct coveragemap result;
	int size;
	enum err err;

	arena_defer(reader->arena, release, m);
	m->range = *range;
	m->first_us = utime_hour(range->start_us);
	m->nr_rows = coverage_nr_hours(range);
	err = make_image(m, e);
	if (!err)
		err = coverage_find(reader, range, HOUR_WANT_NAMES, paint_item,
				    m, &result.coverage, e);
	if (err)
		return err;
	fill_rows(m);
	put_title(m, reader->quality, &result.coverage.total);
	put_legend(m);
	put_axis(m);
	put_labels(m, &result.coverage);
	m->file = gdImagePngPtrEx(m->image, &size, 6);
	if (!m->file)
		return err_set(e, ERR_MEDIA, "cannot write a picture");
	result.file = (struct iovec){ m->file, (size_t)size };
	result.hash = XXH3_64bits(m->file, (size_t)size);
	*map_r = result;
	return ERR_OK;
}
