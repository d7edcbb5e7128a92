/*
 * soundruns.h - which frames of a segment's sound are where their times say.
 *
 * Times may be damaged: a flipped bit moves a frame, and those behind it, by
 * hours.  Frames that follow each other are a run; of the runs within the time
 * that a segment can have, those are believed that go forward and together are
 * the most.
 *
 * Units: 90 kHz ticks.
 * Owner: the marks are in the arena.
 */
#ifndef MEDIA_SOUNDRUNS_H
#define MEDIA_SOUNDRUNS_H

#include "media/tsfile.h"

/* Of each frame whether it is believed; from <= pts < to of those that are. */
const bool *soundruns_find(struct arena *a, const struct tsfile *file,
			   int64_t from, int64_t to) MUST_CHECK;

#endif
