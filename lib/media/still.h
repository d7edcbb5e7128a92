/*
 * still.h - the picture of a moment: the one that a cut from there begins with.
 *
 * That is the first picture at or after the time, maybe of the next segment.
 * In a hole there is none.
 *
 * Errors: ERR_HOLES in a hole, or where nothing can be decoded; ERR_FORMAT
 *         where there is only sound; those of cutplan_make(), cutedges_find()
 *         and framesource_next().
 * Owner:  all is in the arena of the call.
 */
#ifndef MEDIA_STILL_H
#define MEDIA_STILL_H

#include "media/cutedges.h"

/* How far behind the time its picture may be. */
#define STILL_FAR_US USEC_PER_SEC

struct still {
	struct cutplan plan;
	struct cut_edges edges;	   /* of the run that begins with the picture */
	uint64_t hash[2];	   /* the same for the same picture */
	const atomic_bool *cancel; /* ends decoding with ERR_GONE; or NULL */
};

/* Finds it, which tells all but whether it can be decoded. */
enum err still_find(struct arena *a, struct hourreader *reader, usec_t time_us,
		    usec_t now_us, struct still *still_r,
		    struct errmsg *e) MUST_CHECK;

/* The picture, as it was encoded. */
enum err still_decode(struct arena *a, const struct still *still,
		      int nr_threads, const AVFrame **frame_r,
		      struct errmsg *e) MUST_CHECK;

#endif
