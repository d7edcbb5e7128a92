/*
 * sampler.h - makes running threads of the server tell where they are.
 *
 * For whoever samples: the console, and the profiler of --profile.  A tick
 * looks at the processes that are answering requests, in /proc, and sends
 * SIGPROF to each of their threads that runs or could (state R); see profile.h.
 *
 * Errors: none.  What has ended meanwhile is left out.
 * Owner:  the scoreboard and the profile outlive it.
 */
#ifndef SRC_SAMPLER_H
#define SRC_SAMPLER_H

#include <stdint.h>

#include "base/fsutil.h"
#include "profile.h"
#include "scoreboard.h"

#define SAMPLER_MAX_HZ 1000

struct sampler {
	struct scoreboard *board;
	enum profile_table table;
	int64_t period_ns;
	int64_t next_ns; /* monotonic */
	uint64_t nr_signals;
	struct fs_list list; /* of threads */
	pid_t *known;	     /* of each slot: the process that may be sent to */
};

void sampler_init(struct sampler *s, struct scoreboard *board,
		  enum profile_table table, uint32_t hz);
void sampler_release(struct sampler *s);

/* Waits for the next tick, leaving out those that are over, and does it. */
void sampler_tick(struct sampler *s);

#endif
