/*
 * blendsource.h - the pictures of a transition, one after the other.
 *
 * For every picture of the stretch A the one of B that is shown at the same
 * time of the transition is found, and both are drawn into one (blend.h); so
 * neither needs to have an even rate, nor both the same.
 *
 * Units:  times in 90 kHz ticks: those of A.
 * Errors: of reading, decoding and drawing.
 * Owner:  closed by the arena; a picture is the caller's.
 */
#ifndef MEDIA_BLENDSOURCE_H
#define MEDIA_BLENDSOURCE_H

#include "media/framesource.h"

struct blendsource_config {
	const char *transition; /* one of transition.h's names */
	struct framestretch a;
	struct framestretch b;
	size_t nr_pairs; /* pictures of A */
	int64_t frame_ticks;
	int nr_threads;
	const atomic_bool *cancel; /* or NULL */
};

struct blendsource;

enum err blendsource_open(struct arena *a,
			  const struct blendsource_config *config,
			  struct blendsource **src_r,
			  struct errmsg *e) MUST_CHECK;

/* The next picture into frame, which is empty; *has_r false at the end. */
enum err blendsource_next(struct blendsource *src, AVFrame *frame, bool *has_r,
			  struct errmsg *e) MUST_CHECK;

/* Of A's decoder, once there was a picture. */
const AVCodecContext *blendsource_context(const struct blendsource *src);

#endif
