/*
 * coveragemap.h - coverage as a picture: a row an hour, a colour a state.
 *
 * Three seconds are a pixel, which shows the worst of what is in it: a hole,
 * however short, before a segment that is not full, before overlaps,
 * duplicates, and what is simply covered.  Rows are up to 16 pixels high and
 * lower in long ranges, so that 31 days fit in 4,096.  The first and the last
 * row are clear where they are outside of the range.  At the left is the hour,
 * UTC; at the right the part that is covered, of the rows down to the next such
 * label, rounded down.
 *
 * The colours are of Okabe and Ito's palette, but for a lighter blue and black;
 * they differ in lightness, too.
 *
 * Errors: ERR_LIMIT for a range that would be too high a picture, ERR_MEDIA if
 *         the library refuses, and those of coverage.h.
 * Owner:  the file is in the arena of the reader.
 * Source: libgd; Okabe and Ito, "Color Universal Design" (2008).
 */
#ifndef PICTURE_COVERAGEMAP_H
#define PICTURE_COVERAGEMAP_H

#include <stdint.h>
#include <sys/uio.h>

#include "archive/coverage.h"

#define COVERAGEMAP_MAX_HOURS 10000

struct coveragemap {
	struct coverage coverage;
	struct iovec file; /* PNG */
	uint64_t hash;	   /* equal for equal files */
};

enum err coveragemap_draw(struct hourreader *reader,
			  const struct time_range *range,
			  struct coveragemap *map_r,
			  struct errmsg *e) MUST_CHECK;

#endif
