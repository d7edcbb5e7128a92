/*
 * profiler.h - sampling: for as long as somebody asks, or all the time.
 */
#ifndef SRC_PROFILER_H
#define SRC_PROFILER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "process.h"

/*
 * Samples for so many seconds, or until is_gone says so, and appends the folded
 * stacks.  ERR_BUSY if somebody else does, ERR_UNBUILT without a /proc, ERR_IO.
 */
struct profiler_session {
	uint32_t seconds;
	uint32_t hz;
	bool (*is_gone)(void *ctx);
	void *ctx;
	uint64_t nr_signals; /* sent */
	uint64_t nr_samples; /* taken */
	uint64_t nr_lost;    /* for which the table had no room */
};
enum err profiler_sample(const struct shared *shared,
			 struct profiler_session *session, struct text *out,
			 struct errmsg *e) MUST_CHECK;

/* The process of --profile: adds up what /metrics tells, for ever. */
int profiler_run(const struct shared *shared) MUST_CHECK;

#endif
