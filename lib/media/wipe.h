/*
 * wipe.h - the four wipes of our own: which pixels still show the old picture.
 *
 * Each is a formula of the place and of the progress, as one would write it for
 * xfade=custom, and gives the same bytes as FFmpeg does with it, in doubles.
 * But the formula is not asked for every sample: where on a line it may change
 * its mind is known to a fraction of a pixel, and between two such places one
 * sample speaks for all.  There is nothing to prepare and nothing to keep.
 *
 * Planes that are smaller than the picture (chroma) take for each sample the
 * pixel where it begins; that is what xfade would draw in a picture of their
 * size, if both sides are halved.
 *
 * Source: the formulas are in wipe.c; progress P is 1 at the start of the
 *         transition and 0 at its end, as in FFmpeg's vf_xfade.c.
 */
#ifndef MEDIA_WIPE_H
#define MEDIA_WIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"

/* Whether a transition is one of ours. */
bool wipe_is(const char *name) MUST_CHECK;

struct wipe;

/* A wipe over pictures of this many pixels; the name is one of ours. */
struct wipe *wipe_new(struct arena *a, const char *name, unsigned width,
		      unsigned height) MUST_CHECK;

/* One plane, bytes_per_sample 1 or 2, lines of the given strides in bytes. */
struct wipe_plane {
	const uint8_t *a;
	const uint8_t *b;
	uint8_t *out;
	ptrdiff_t stride_a;
	ptrdiff_t stride_b;
	ptrdiff_t stride_out;
	unsigned bytes_per_sample;
	unsigned shift_x; /* a sample is 1 << shift_x pixels wide, */
	unsigned shift_y; /* and 1 << shift_y high */
};

/*
 * Lines first to last - 1 of the plane: several threads may draw parts of one.
 * The progress is from 0 to 1.
 */
void wipe_draw(const struct wipe *wipe, double progress,
	       const struct wipe_plane *plane, unsigned first, unsigned last);

#endif
