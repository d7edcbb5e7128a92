/*
 * range.h - the times a request asks for, from words to instants.
 *
 * A request names a start and an end, either of which may be absent ("all
 * there is, by hours"), or a list of ranges, which overrides both.  First
 * range_spec_check(), which needs no archive; then range_spec_resolve(), which
 * may.
 *
 * Errors: ERR_INPUT says which argument and what is allowed; ERR_NOTFOUND
 *         where the archive would have to tell an absent end and has no hours.
 */
#ifndef ARCHIVE_RANGE_H
#define ARCHIVE_RANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/archive.h"
#include "archive/bestseg.h"
#include "base/arena.h"
#include "base/err.h"

struct range_spec {
	bool has_start;
	bool has_end;
	usec_t start_us;
	usec_t end_us;
	struct time_range *ranges; /* override start and end */
	size_t nr_ranges;
};

struct range_limits {
	usec_t max_explicit_us; /* of all ranges that name both ends */
	usec_t max_implicit_us; /* of one that does not */
	size_t max_ranges;
};

enum range_flags {
	RANGE_MAY_BE_EMPTY = 1 << 0, /* end <= start is not an error */
};

enum err range_spec_check(const struct range_spec *spec,
			  const struct range_limits *limits,
			  enum range_flags flags, struct errmsg *e) MUST_CHECK;

/* The ranges themselves, at least one, in the arena. */
enum err range_spec_resolve(const struct range_spec *spec,
			    const struct range_limits *limits,
			    const struct quality *quality, struct arena *a,
			    struct time_range **ranges_r, size_t *nr_r,
			    struct errmsg *e) MUST_CHECK;

/* "12 hours", "31 days": a limit in words. */
const char *range_limit_text(usec_t us, char buf[32]);

#endif
