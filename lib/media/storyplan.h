/*
 * storyplan.h - what a storyboard shows of a range: for each of its tiles the
 * segments that its picture may be in.
 *
 * The range is divided into equal intervals, to a microsecond; each tile has
 * one, and shows a picture of it.  That is the first key picture at or after
 * the interval's start; but where a segment begins in the interval's first
 * quarter, what lies before is not looked into, so of a long range one segment
 * a tile is read.
 *
 * Errors: ERR_HOLES where there is nothing in the range; those of
 *         bestseg_find().  A segment that cannot be read is left out.
 * Owner:  all is in the reader's arena.
 */
#ifndef MEDIA_STORYPLAN_H
#define MEDIA_STORYPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/roughcut.h"

/* So many segments are tried where the first give no picture, at most. */
#define STORY_TRIES 3

struct story_tile {
	struct time_range time; /* not empty */
	size_t first;		/* pieces of the cover, in order */
	size_t nr;
	bool is_covered; /* at its start, by the first of them */
	bool is_hole;	 /* at its start */
};

struct storyplan {
	struct hourreader *reader;
	struct time_range range;
	usec_t now_us;
	struct story_tile *tiles;
	size_t nr_tiles;
	struct roughcut cover; /* its pieces are only those looked into */
	int width;	       /* of the first pictures; 0: not known */
	int height;
};

/* When tile i of nr begins; tile nr would at the range's end. */
usec_t storyplan_time(const struct time_range *range, size_t nr, size_t i);

/* The range has at least a microsecond for each tile. */
enum err storyplan_make(struct hourreader *reader,
			const struct time_range *range, size_t nr_tiles,
			usec_t now_us, struct storyplan *plan_r,
			struct errmsg *e) MUST_CHECK;

#endif
