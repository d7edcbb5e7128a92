/*
 * cutedges.h - where a run begins and ends to the frame, and what of it must
 * be encoded anew.
 *
 * A copied stretch begins at an IDR picture and ends so that every picture in
 * it can be shown: the longest prefix, in order of decoding, that nothing
 * behind it is shown before.  So at most the pictures from the start to the
 * next IDR are encoded (the head), and the B-pictures at the end whose anchor
 * lies behind it (the tail).  An I picture that is no IDR is never spliced at.
 *
 *	[ head: encoded ][ copied: units ... whole files ... units ][ tail ]
 *
 * Units:  times in 90 kHz ticks of the source, unwrapped.
 * Errors: those of reading segments.
 * Owner:  plain data; what it points to is in the arena of the call.
 * Source: H.264 7.4.1.2.4 (IDR), C.4 (output order).
 */
#ifndef MEDIA_CUTEDGES_H
#define MEDIA_CUTEDGES_H

#include "media/cutpieces.h"
#include "media/framesource.h"
#include "media/h264.h"

/* A run without an IDR picture for so long is encoded whole. */
#define MAX_EDGE_TICKS ((int64_t)12 * TS_HZ)

/* So far in front of a run a key picture is looked for, if it has none. */
#define CUT_LEAD_IN_US (60 * USEC_PER_SEC)

/* A unit of the video of a piece. */
struct cut_place {
	size_t piece;
	size_t unit;
};

struct cut_edges {
	bool is_empty;	  /* there is no picture, or sound, in it */
	bool has_video;	  /* else only sound, from start to end */
	bool start_moved; /* pictures at the start could not be decoded */

	int64_t in;	   /* where a transition into it begins: <= start */
	int64_t start;	   /* pts of its first picture */
	int64_t end;	   /* its last picture is before this */
	int64_t stop;	   /* where the last picture's time is over */
	int64_t out;	   /* where a transition from it ends: >= end */
	int64_t out_stop;  /* where the last picture before out is over */
	size_t nr_pairs;   /* pictures from end to out */
	int64_t out_start; /* pts of the first of these */

	int64_t step;	       /* from picture to picture, usually */
	int64_t min_step;      /* at least */
	int64_t reorder;       /* pts - dts of IDR pictures */
	struct h264_sets sets; /* of the source */

	size_t first; /* piece of the first picture */
	size_t last;  /* piece that the end is in */
	bool has_copy;
	struct cut_place copy;	   /* the first unit that is copied */
	struct cut_place copy_end; /* behind the last */

	bool has_head;
	uint64_t nr_head; /* pictures, or 0: not counted */
	struct framestretch head;
	bool has_tail;
	uint64_t nr_tail;
	struct framestretch tail;
	struct framestretch lead_out; /* pictures from end to out */
	struct framestretch lead_in;  /* from in to start */
};

enum cut_mode {
	CUT_COPIES, /* what can be copied is */
	CUT_WHOLE,  /* the head is all of the run */
};

enum err cutedges_find(struct arena *a, const struct cutplan *plan,
		       struct cutpieces *pieces, const struct cut_run *run,
		       enum cut_mode mode, struct cut_edges *edges_r,
		       struct errmsg *e) MUST_CHECK;

#endif
