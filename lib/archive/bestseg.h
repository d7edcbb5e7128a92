/*
 * bestseg.h - the best sequence of segments for a range of time, and its
 * holes.
 *
 * Candidates (the best segment of every start time, hourselect.h) are taken
 * in order of start.  The first is the one that covers the range's start, or
 * else there is a hole and the first that begins before its end.  A later one
 * that begins more than 10 ms before the previous ends is skipped; more than
 * 10 ms after it, or after one that is not full, leaves a hole between them.
 * Nothing that begins at or after the end belongs to it, and nothing follows
 * one that reaches the end.  There is a hole at the end unless the last one is
 * full and reaches the end, or is full and continued within 10 ms; and a range
 * may begin inside such a seam without a hole.
 *
 * A segment that began in the hour before counts, and no older one.
 *
 * The result is a list of SPANS: neighbours along the chain of one hour's
 * index (hourindex.h), so that a week is a few hundred of them.
 */
#ifndef ARCHIVE_BESTSEG_H
#define ARCHIVE_BESTSEG_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/hourcache.h"
#include "base/arena.h"
#include "base/err.h"

/* start_us may be after end_us: then there is nothing in it. */
struct time_range {
	usec_t start_us;
	usec_t end_us;
};

struct segspan {
	const struct hourindex *index;
	uint32_t first;	 /* entries; a lone one need not be in the */
	uint32_t last;	 /* chain, else both and all between are */
	bool after_hole; /* a hole between the previous span and this */
	usec_t hole_us;	 /* its length, 0 for an overlap */
};

struct sequence {
	struct time_range range;
	struct segspan *spans; /* in the arena */
	size_t nr;
	bool hole_at_start;
	bool hole_at_end;
	usec_t start_hole_us;
	uint32_t nr_holes; /* all, those at the edges included */
	usec_t holes_us;   /* their length together */
	/* private */
	size_t capacity;
};

/* A range without any segment is not an error: nr is 0, all of it a hole. */
enum err bestseg_find(struct hourreader *reader, const struct time_range *range,
		      struct sequence *seq_r, struct errmsg *e) MUST_CHECK;

/* ERR_HOLES, saying from when to when, if there is no segment in it. */
enum err sequence_check(const struct sequence *seq,
			struct errmsg *e) MUST_CHECK;

/* The entry after entry i of a span, or the span's last + 1 at its end. */
uint32_t segspan_next(const struct segspan *span, uint32_t i);

/* The entry before entry i of a span; i is not its first. */
uint32_t segspan_previous(const struct segspan *span, uint32_t i);
const struct hour_entry *segspan_last(const struct segspan *span);

/* Whether there is a hole before entry i of a span. */
bool segspan_is_after_hole(const struct segspan *span, uint32_t i);

/* How many segments there are in it. */
uint64_t segspan_count(const struct segspan *span);
uint64_t sequence_count(const struct sequence *seq);

/* The last segment of a sequence that has one. */
const struct hour_entry *sequence_last(const struct sequence *seq);

/*
 * Drops an entry of a span and all that follow; the sequence then has a hole
 * at its end, which is not counted.
 */
void sequence_cut_before(struct sequence *seq, size_t span, uint32_t entry);

/* Stops counting a hole at the end, where the end is not one anybody named. */
void sequence_forget_end(struct sequence *seq);

#endif
