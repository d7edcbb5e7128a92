/*
 * cutsound.h - the sound of a cut: whole frames copied, one grid throughout.
 *
 * A frame of AAC lasts 21.3 ms at 48 kHz and cannot be divided, but the sound
 * of a cut must have neither a gap nor an overlap.  So at every join the first
 * frame of the new run is the one that fits best behind the last of the old:
 * from 5.3 ms early to 16 ms late against its picture, which is what ears
 * forgive; nothing adds up, since each run is placed against the video.  What
 * is missing is filled with silent frames.
 *
 * A frame decodes right only beside its neighbours.  Around a join the last
 * frames of the old run and the first of the new are therefore decoded,
 * crossfaded and encoded anew (soundjoin.h); a transition's crossfade is the
 * same over its whole length.  Only AAC LC: of other sounds frames are copied,
 * and in a transition the old sound goes on to its end.
 *
 * Order of calls, for each run: begin_run, then upto and finish_piece (or
 * skip_piece) as the video goes on, then end_run; flush after the last.
 *
 * Units:  times in 90 kHz ticks of the cut's clock; positions inside are kept
 *         in ticks times the sampling rate and rounded once.
 * Owner:  the arena it was made with.
 * Source: EBU R37 and ITU-R BT.1359 for the window; hls.js
 *         fills in the same way (maxAudioFramesDrift 1).
 */
#ifndef MEDIA_CUTSOUND_H
#define MEDIA_CUTSOUND_H

#include "media/cutpieces.h"
#include "media/unitsink.h"

struct cutsound;

struct cutsound *cutsound_new(struct arena *a, const struct cutplan *plan,
			      struct cutpieces *pieces, struct unitsink *out);

struct soundrun {
	const struct cut_run *run;
	int64_t delta;	  /* from the source's clock to the cut's, for video */
	int64_t start;	  /* of the run's first picture, on the cut's clock */
	int64_t end;	  /* of its last */
	size_t first_raw; /* the first piece that is rewritten in place, */
			  /* or one past the last of the run */
	bool breaks;	  /* the clock jumps here: nothing to join */
};
enum err cutsound_begin_run(struct cutsound *s, const struct soundrun *run,
			    struct errmsg *e) MUST_CHECK;

/* What to add to the times of sound in files rewritten in place. */
int64_t cutsound_delta(const struct cutsound *s);

/* Sends what begins at or before a time. */
enum err cutsound_upto(struct cutsound *s, int64_t time,
		       struct errmsg *e) MUST_CHECK;

/* Sends all there is up to and with a piece. */
enum err cutsound_finish_piece(struct cutsound *s, size_t piece,
			       struct errmsg *e) MUST_CHECK;

/* The sound of this piece is sent with it. */
void cutsound_skip_piece(struct cutsound *s, size_t piece);

/*
 * Sends the rest of the run, but for what the join to the next may change;
 * transition_end is where a transition from it ends, or the run's end.
 */
enum err cutsound_end_run(struct cutsound *s, int64_t transition_end,
			  struct errmsg *e) MUST_CHECK;

/* Sends what is in its place, and what was held back for a join. */
enum err cutsound_flush(struct cutsound *s, struct errmsg *e) MUST_CHECK;

#endif
