/*
 * storyboard.h - pictures of regular times as tiles of one sheet, left to right
 * then top to bottom, and the WebVTT that says which tile is of which time, as
 * players show them over a seek bar.
 *
 * Tiles have one size, even numbers, of the aspect of the source's first
 * pictures; one of another aspect is fitted, with black bars.  A tile without
 * a picture is dark grey.
 *
 * Errors: ERR_INPUT for a sheet that would be too large, saying what is
 *         allowed.
 * Owner:  the sheet's pixels are in the arena.
 * Source: WebVTT (W3C), Media Fragments 4.2.2 (#xywh).
 */
#ifndef PICTURE_STORYBOARD_H
#define PICTURE_STORYBOARD_H

#include "base/text.h"
#include "media/storyplan.h"
#include "picture/picture.h"

#define STORYBOARD_MAX_SIDE   40 /* columns, or rows */
#define STORYBOARD_MAX_TILES  400
#define STORYBOARD_MAX_PIXELS ((int64_t)40 * 1000 * 1000)
#define STORYBOARD_MIN_HEIGHT 16
#define STORYBOARD_MAX_HEIGHT 720

/* A cue has at least a millisecond. */
#define STORYBOARD_MIN_TILE_US USEC_PER_MS

struct storyboard {
	int columns;
	int rows;
	int width; /* of a tile */
	int height;
};

/* What can be checked before the source is known: tiles, and their height. */
enum err storyboard_check(int columns, int rows, int height,
			  const struct time_range *range,
			  struct errmsg *e) MUST_CHECK;

/* The sizes for a source of width x height, each 0 if that is not known. */
enum err storyboard_size(int columns, int rows, int height, int source_width,
			 int source_height, struct storyboard *board_r,
			 struct errmsg *e) MUST_CHECK;

/* A sheet of tiles without pictures. */
enum err storyboard_sheet(struct arena *a, const struct storyboard *board,
			  struct picture *sheet_r, struct errmsg *e) MUST_CHECK;

/* Puts a picture into a tile; several threads may, each into another. */
enum err storyboard_draw(const struct storyboard *board, struct picture *sheet,
			 size_t tile, const AVFrame *frame,
			 struct errmsg *e) MUST_CHECK;

/*
 * Appends the WebVTT.  url is that of the sheet, without a fragment.  Times
 * are from the range's start, rounded to the nearest millisecond; a cue ends
 * when the next begins.
 */
void storyboard_vtt(const struct storyboard *board,
		    const struct time_range *range, const char *url,
		    struct text *out);

#endif
