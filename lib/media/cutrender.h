/*
 * cutrender.h - a plan made into units, from its beginning to its end.
 *
 * What comes out is a sequence of stretches: units that are encoded or copied
 * one by one, and whole files between them.  Who takes them decides
 * whether they are sent at once or remembered with their lengths, so both ways
 * give the same bytes.
 *
 * Errors: those of reading, decoding and encoding; those of the taker;
 *         ERR_HOLES if there is nothing to show; ERR_GONE if is_gone says so.
 * Owner:  all work is freed with the arena; plan and means live as long.
 */
#ifndef MEDIA_CUTRENDER_H
#define MEDIA_CUTRENDER_H

#include "media/cutplan.h"
#include "media/edgejob.h"
#include "media/unitsink.h"

/* A file of the cut, and what is added to its times. */
struct cut_raw {
	size_t piece;
	int64_t video_delta;
	int64_t audio_delta;
	int64_t frame_ticks;
};

struct cut_taker {
	/* What is made here, up to the next file. */
	struct unitsink *units;
	/*
	 * A file that is copied as it is; what was made before is complete.
	 * What is made after it has later times than all in it.
	 */
	enum err (*raw)(void *ctx, const struct cut_raw *raw, struct errmsg *e);
	/* Whether nobody waits for the result any more; may be NULL. */
	bool (*is_gone)(void *ctx);
	void *ctx;
};

/* What it took; for the dry run and the metrics. */
struct cut_work {
	uint64_t nr_encoded; /* pictures */
	uint64_t nr_raw;     /* files */
	int64_t length;	     /* of the cut, in 90 kHz ticks */
	bool start_moved;    /* there were pictures nothing could decode */
};

/* What the jobs of the edges use. */
struct cut_means {
	const struct edgestore *store;
	const struct edgegate *gate; /* or NULL */
};

enum err cutrender_run(struct arena *a, const struct cutplan *plan,
		       const struct cut_means *means,
		       const struct cut_taker *taker, struct cut_work *work_r,
		       struct errmsg *e) MUST_CHECK;

#endif
