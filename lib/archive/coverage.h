/*
 * coverage.h - what the archive holds of a range of time, and what it does not.
 *
 * It goes along the best sequence of the range (bestseg.h) and tells of
 *
 *	spans		runs of the sequence that no hole interrupts
 *	holes		between them, and at the edges.  One of no length is
 *			where a segment follows one that is not full
 *	non-full	segments of the sequence
 *	overlaps	segments that are not in it because they begin more than
 *			10 ms before the previous one ends
 *	duplicates	starts that have several candidates (hourselect.h)
 *
 * Spans and holes follow each other without gaps and are the whole range: a
 * seam of up to 10 ms belongs to a span, and where a segment begins before the
 * end of one that is not full, the span ends there.  The rest is told of what
 * begins in the range, and of what covers its start.
 *
 * All is counted by hours, too: seconds where they are, everything else in the
 * hour where it begins, what begins before the range in the first.
 *
 * An hour that changes meanwhile is as it was when it was first looked at.
 *
 * Errors: ERR_INPUT for a range that ends before it begins, ERR_LIMIT for an
 *         answer that is too long, and those of hourcache.h.
 * Owner:  all is in the arena of the reader, or in indexes that it holds.
 */
#ifndef ARCHIVE_COVERAGE_H
#define ARCHIVE_COVERAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "archive/bestseg.h"
#include "archive/hourcache.h"
#include "base/err.h"

struct coverage_sum {
	usec_t covered_us;
	usec_t missing_us; /* in holes */
	uint64_t nr_spans;
	uint64_t nr_holes;
	uint64_t nr_kind[SEGMENT_TEMP]; /* segments of the sequence */
	uint64_t bytes;			/* of these, if sizes are wanted */
	uint64_t nr_overlaps;
	uint64_t nr_duplicates; /* starts */
	uint64_t nr_deleted;	/* files with a tombstone */
	uint64_t nr_temp;
};

struct coverage {
	struct time_range range;
	struct coverage_sum total;
	struct coverage_sum *hours; /* from the one that the range begins in */
	size_t nr_hours;
	uint64_t nr_segments; /* in the sequence */
};

enum coverage_kind {
	COVERAGE_SPAN,
	COVERAGE_HOLE,
	COVERAGE_NONFULL,
	COVERAGE_OVERLAP,
	COVERAGE_DUPLICATE,
	COVERAGE_KIND_COUNT
};

struct coverage_item {
	enum coverage_kind kind;
	usec_t start_us;      /* of spans and holes within the range; */
	usec_t end_us;	      /* of the others the segment's own */
	uint64_t nr_segments; /* of a span */
	const struct hourindex *index;	 /* of all but spans and holes: */
	const struct hour_entry *entry;	 /* the segment */
	usec_t overlap_us;		 /* to the end of the previous one */
	const struct hour_other *others; /* a duplicate's, but the chosen one */
	size_t nr_others;
};

/* Each kind comes in order of start. */
typedef void coverage_fn(void *ctx, const struct coverage_item *item);

/* How many hours a range is in; 0 if it ends before it begins. */
size_t coverage_nr_hours(const struct time_range *range);

/* want: whether bytes are counted and the sizes of duplicates are known. */
enum err coverage_find(struct hourreader *reader,
		       const struct time_range *range, enum hour_want want,
		       coverage_fn *fn, void *ctx, struct coverage *coverage_r,
		       struct errmsg *e) MUST_CHECK;

/*
 * Why a duplicate's best file was chosen, by what decided against the last of
 * the others: "only-full", "suspect-before-partial", "longest", "largest",
 * "highest-hash" or "first-by-name".
 */
const char *coverage_reason(const struct coverage_item *duplicate);

/* All of it as JSON, in pieces of memory. */
struct coverage_json {
	struct coverage coverage;
	struct iovec *iov;
	int nr_iov;
	uint64_t length; /* bytes */
	uint64_t hash;	 /* equal for equal texts */
};

#define COVERAGE_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* With totals and hours alone, or with the lists of everything, too. */
enum err coverage_json(struct hourreader *reader,
		       const struct time_range *range, bool with_lists,
		       struct coverage_json *json_r,
		       struct errmsg *e) MUST_CHECK;

#endif
