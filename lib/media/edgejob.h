/*
 * edgejob.h - pictures decoded, blended if need be, and encoded again, by a
 * thread of their own.
 *
 * A cut starts the jobs of its edges and takes their units when it gets to
 * them.  Nothing but the units is shared; the thread ends with the job, at the
 * latest a picture after it is stopped.
 *
 * The same job gives the same bytes, so finished ones are kept in a store
 * (edgestore.h) and then take no thread at all.
 *
 * Units:  times in 90 kHz ticks of the source (of A, in a transition).
 * Errors: of reading, decoding and encoding, given by edgejob_next().
 * Owner:  stopped and freed by the arena.
 */
#ifndef MEDIA_EDGEJOB_H
#define MEDIA_EDGEJOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "media/edgestore.h"
#include "media/framesource.h"
#include "media/scaler.h"

/* Who may encode; asked by the thread of a job. */
struct edgegate {
	enum err (*enter)(void *ctx, const atomic_bool *cancel,
			  struct errmsg *e);
	void (*leave)(void *ctx);
	void *ctx;
};

struct edgejob_config {
	struct framestretch a;
	/* A transition to the pictures of B, drawn over those of A; or NULL. */
	const char *transition;
	struct framestretch b;
	size_t nr_pairs;
	int64_t frame_ticks;
	struct picture_shape shape; /* of what comes out; width 0: A's own */
	unsigned sps_id;	    /* for the new parameter sets */
	int64_t max_bps;
	const struct edgestore *store;
	const struct edgegate *gate; /* or NULL */
};

/*
 * The threads that an encoder has: part of what bytes come.  A decoder has one:
 * with more, how FFmpeg conceals what is damaged depends on which thread is
 * first, so that the same request would give other bytes.
 */
#define EDGE_THREADS  2
#define EDGE_DECODERS 1
/* The quality of what is encoded: 50 to 54 dB against the source. */
#define EDGE_CRF 20.0

struct edgejob;

enum err edgejob_start(struct arena *a, const struct edgejob_config *config,
		       struct edgejob **job_r, struct errmsg *e) MUST_CHECK;

/*
 * Waits for the next unit, at most ms; its bytes last until the next call.
 * ERR_OK with neither *has_r nor *is_end_r if there is none yet.
 */
enum err edgejob_next(struct edgejob *job, int ms,
		      const struct edgeunit **unit_r, bool *is_end_r,
		      struct errmsg *e) MUST_CHECK;

/* Tells the thread to end, and waits until it has. */
void edgejob_stop(struct edgejob *job);

/*
 * The parameter sets (Annex B) that the units of a job will have, made of the
 * first picture of the stretch without encoding it.
 */
enum err edgejob_headers(struct arena *a, const struct edgejob_config *config,
			 const uint8_t **data_r, size_t *size_r,
			 struct errmsg *e) MUST_CHECK;

#endif
