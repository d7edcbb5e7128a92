/*
 * smartcut.h - a cut to the frame as a virtual file.
 *
 * smartcut_make() does all that can fail, the encoding of the edges included,
 * and knows the length then; smartcut_send() sends any part of it, the same
 * bytes every time and in every process.  smartcut_stream() sends it from its
 * beginning while it is made.
 *
 * Errors: those of cutplan_make() and cutrender_run().  Of sending:
 *         ERR_CORRUPT when a segment vanished or changed since the plan,
 *         ERR_MEDIA when it holds what cannot be rewritten.  The receiver must
 *         then see a break.
 * Owner:  the cut is in the arena it was made with.
 */
#ifndef MEDIA_SMARTCUT_H
#define MEDIA_SMARTCUT_H

#include "base/sink.h"
#include "media/cutplan.h"
#include "media/cutrender.h"
#include "media/spool.h"

/* A part of the cut: packets made here, or a file rewritten in place. */
struct cut_part {
	uint64_t offset; /* of its first byte in the cut */
	uint64_t size;
	bool is_raw;
	struct cut_raw raw;
	uint64_t spooled;		/* where its packets are in the spool */
	struct tsout_counters counters; /* what they come to */
};

struct smartcut {
	const struct cutplan *plan;
	struct cut_part *parts;
	size_t nr;
	size_t capacity;
	struct spool *spool;
	uint64_t length; /* bytes */
	struct cut_work work;
};

struct smartcut_config {
	struct cut_means means;
	const char *spool_dir;	    /* or NULL */
	bool (*is_gone)(void *ctx); /* or NULL */
	void *ctx;
};

enum err smartcut_make(struct arena *a, const struct cutplan *plan,
		       const struct smartcut_config *config,
		       struct smartcut *cut_r, struct errmsg *e) MUST_CHECK;

/* Bytes offset to offset + count - 1 of the cut. */
enum err smartcut_send(const struct smartcut *cut, uint64_t offset,
		       uint64_t count, struct sink *sink,
		       struct errmsg *e) MUST_CHECK;

enum err smartcut_stream(struct arena *a, const struct cutplan *plan,
			 const struct smartcut_config *config,
			 struct sink *sink, struct cut_work *work_r,
			 struct errmsg *e) MUST_CHECK;

/* For a validator: what the bytes of a cut depend on. */
void smartcut_hash(const struct cutplan *plan, const struct cut_spec *spec,
		   uint64_t hash_r[2]);

#endif
