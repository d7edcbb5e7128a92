/*
 * blend.h - one picture made of two: the transitions between ranges.
 *
 * All of FFmpeg's xfade are drawn by libavfilter, and only for it the pictures
 * are turned to 4:4:4 on the way; four wipes are our own (wipe.h) and work on
 * the pictures as they are.  What comes out has the pixel format, size and
 * colours of the first picture of A.
 *
 * Pictures come in pairs, A and B at the same instant of the transition, all
 * of the same distance; the k-th of n pairs is drawn at progress k/n: the
 * first is A itself, the last not yet B.  The pts of a result is that of its A,
 * and so is all else that a picture says of itself but its type.
 *
 * B's of another range or bit depth are converted, and those of another matrix
 * if both sides name theirs.
 *
 * Errors: ERR_UNBUILT if this FFmpeg has no such xfade; ERR_MEDIA if pictures
 *         cannot be blended: they are planar YUV of 8 or 10 bits, all of a side
 *         of one format and size.
 * Owner:  closed by the arena; frames are the caller's.
 * Source: FFmpeg's vf_xfade.c for what progress means; the wipes: wipe.h.
 */
#ifndef MEDIA_BLEND_H
#define MEDIA_BLEND_H

#include <stdbool.h>

#include <libavutil/frame.h>

#include "base/arena.h"
#include "base/err.h"

struct blend_config {
	const char *name;    /* one of transition.h's */
	size_t nr_pairs;     /* over the whole transition, at least 1 */
	int64_t frame_ticks; /* from one pair to the next */
	int nr_threads;
};

struct blend;

/* Whether the FFmpeg that is installed can draw it; no NULL. */
bool blend_has(const char *name) MUST_CHECK;

/* a, b: pictures as those that will follow; B's are scaled if need be. */
enum err blend_open(struct arena *arena, const struct blend_config *config,
		    const AVFrame *a, const AVFrame *b, struct blend **blend_r,
		    struct errmsg *e) MUST_CHECK;

/*
 * Draws the next pair into out, which is empty before, and stays so on errors;
 * out may share the memory of A.  At most nr_pairs.
 */
enum err blend_draw(struct blend *blend, const AVFrame *a, const AVFrame *b,
		    AVFrame *out, struct errmsg *e) MUST_CHECK;

#endif
