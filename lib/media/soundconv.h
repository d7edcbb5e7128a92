/*
 * soundconv.h - the sound of a segment in another format: where the source
 * changes its rate or channels within a cut, the shorter part is decoded,
 * converted and encoded like the longer.
 *
 * The frames of all segments of a run are on one grid, that of the new rate
 * from the run's first frame on, and each segment has those that begin in its
 * time.  So they can be made one segment at a time, in any order, and are
 * always the same.
 *
 * Units:  times in 90 kHz ticks, as the plan has them.
 * Errors: those of reading; ERR_MEDIA from the codec.
 * Owner:  results are in the arena.
 */
#ifndef MEDIA_SOUNDCONV_H
#define MEDIA_SOUNDCONV_H

#include "media/cutplan.h"

/* Replaces the frames of a file, which is that of a piece. */
enum err soundconv_piece(struct arena *a, const struct cutplan *plan,
			 size_t piece, struct tsfile *file,
			 struct errmsg *e) MUST_CHECK;

#endif
