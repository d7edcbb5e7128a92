/*
 * picture.h - a picture as bytes: red, green, blue, and maybe alpha.
 *
 * What a decoder gives becomes one with the colours that its stream means: the
 * matrix and the range that it says, and where it says none those that players
 * take, BT.709 from 720 lines on and else BT.601, limited.
 *
 * Errors: ERR_MEDIA for pictures that cannot be converted, ERR_LIMIT for one
 *         that would be too large.
 * Owner:  pixels are in the arena.
 * Source: ITU-T H.273 (matrix coefficients), libswscale.
 */
#ifndef PICTURE_PICTURE_H
#define PICTURE_PICTURE_H

#include <stdint.h>

#include <libavutil/frame.h>

#include "base/arena.h"
#include "base/err.h"

#define PICTURE_MAX_SIDE 16384
#define PICTURE_MAX_READ 4096 /* of a side of one from outside */

struct picture {
	int width;
	int height;
	int nr_channels; /* 3 or 4, a byte each; rows without gaps */
	uint8_t *pixels;
};

/* Room for one: black, and clear if it has alpha. */
enum err picture_new(struct arena *a, int width, int height, int nr_channels,
		     struct picture *picture_r, struct errmsg *e) MUST_CHECK;

/* Room for one that a file from outside says to be; ERR_INPUT. */
enum err picture_new_read(struct arena *a, uint32_t width, uint32_t height,
			  struct picture *picture_r,
			  struct errmsg *e) MUST_CHECK;

/*
 * As large as is said, whatever its aspect was; the same bytes however many
 * threads there are.
 */
enum err picture_scaled(struct arena *a, const AVFrame *frame, int width,
			int height, int nr_threads, struct picture *picture_r,
			struct errmsg *e) MUST_CHECK;

/* height: scaled to that, 0: as it is.  Pixels stay as square as they were. */
enum err picture_of_frame(struct arena *a, const AVFrame *frame, int height,
			  int nr_threads, struct picture *picture_r,
			  struct errmsg *e) MUST_CHECK;

#endif
