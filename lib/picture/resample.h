/*
 * resample.h - a part of a picture in another size, by Lanczos' filter.
 *
 * To the byte what Pillow's crop() and resize(LANCZOS) give of an RGB picture:
 * what is outside of it is black, and the filter knows nothing of what is
 * outside of the crop.
 *
 * Only what is asked for is computed, so a large size of which little is seen
 * costs little.
 *
 * Errors: ERR_LIMIT as picture_new().
 * Owner:  the result is in the arena.
 * Source: Pillow's Resample.c (two passes, horizontal first, of 22 bits, and 8
 *         bits between them).
 */
#ifndef PICTURE_RESAMPLE_H
#define PICTURE_RESAMPLE_H

#include "picture/box.h"
#include "picture/picture.h"

/*
 * from has 3 channels, and so has the result.  seen: the part that is wanted,
 * not empty, in pixels of the crop as it is when resized to width x height.
 */
enum err resample(struct arena *a, const struct picture *from,
		  const struct box *crop, int width, int height,
		  const struct box *seen, struct picture *to_r,
		  struct errmsg *e) MUST_CHECK;

#endif
