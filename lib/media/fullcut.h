/*
 * fullcut.h - a cut that is encoded from its first picture to its last.
 *
 * From the same plan and the same edges as a smart cut, so of exactly the same
 * pictures; sound is cut to the sample.  Pictures of another size or pixel
 * format than the first are scaled to it.  It is made while it is sent, so it
 * has no length.
 *
 *	FULL_MPEGTS	H.264 and AAC in a transport stream
 *	FULL_WEBM	VP9 and Opus in WebM
 *
 * Errors: those of reading, decoding, encoding and of the sink; ERR_GONE if
 *         is_gone says so.
 * Owner:  all work is freed with the arena.
 */
#ifndef MEDIA_FULLCUT_H
#define MEDIA_FULLCUT_H

#include "base/sink.h"
#include "media/cutplan.h"
#include "media/cutrender.h"

enum fullcut_kind { FULL_MPEGTS, FULL_WEBM };

struct fullcut_config {
	enum fullcut_kind kind;
	double crf; /* -1: 0 of mpegts, 31 of webm */
	int nr_threads;
	bool (*is_gone)(void *ctx); /* or NULL */
	void *ctx;
};

enum err fullcut_stream(struct arena *a, const struct cutplan *plan,
			const struct fullcut_config *config, struct sink *sink,
			struct cut_work *work_r, struct errmsg *e) MUST_CHECK;

#endif
