/*
 * soundjoin.h - the frames of two sounds around the place where they meet,
 * mixed and encoded anew.
 *
 * Both are on one grid of frames.  From the join on the new sound is faded in
 * over 5 ms, or over the frames of a transition; some frames before and behind
 * are encoded with them, so that at both seams copied and encoded frames were
 * made of the same samples.
 *
 * Units:  frames of AAC_SAMPLES.
 * Errors: ERR_MEDIA from the codec.
 * Owner:  results are in the arena.
 */
#ifndef MEDIA_SOUNDJOIN_H
#define MEDIA_SOUNDJOIN_H

#include <stdbool.h>

#include "media/aac.h"

/* A growing list of frames; their bytes are somewhere that outlives it. */
struct framelist {
	struct audio_frame *frames;
	size_t nr;
	size_t capacity;
};

void framelist_append(struct arena *a, struct framelist *list,
		      const struct audio_frame *frame);

/* As above, with a copy of its bytes in the arena. */
void framelist_append_copy(struct arena *a, struct framelist *list,
			   const struct audio_frame *frame);

struct soundjoin {
	struct framelist a; /* of the old sound, around its end */
	size_t a_end;
	struct framelist b; /* of the new, around its beginning */
	size_t b_start;
	size_t nr_before; /* frames of A to encode anew */
	size_t nr_middle; /* of the transition */
	size_t nr_behind; /* of B */
};

static inline size_t soundjoin_nr(const struct soundjoin *j)
{
	return j->nr_before + j->nr_middle + j->nr_behind;
}

/* Whether both are of one kind, and one that can be encoded here. */
bool soundjoin_can(const struct soundjoin *j) MUST_CHECK;

/* All soundjoin_nr() frames; their times are left 0. */
enum err soundjoin_encode(struct arena *a, const struct soundjoin *j,
			  struct audio_frame **frames_r,
			  struct errmsg *e) MUST_CHECK;

#endif
