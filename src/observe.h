/*
 * observe.h - a request in the metrics.
 *
 * Arguments of the path become label values only where the channel and the
 * quality exist, so that strangers cannot fill the table; where they are more
 * than it holds they are "other".
 */
#ifndef SRC_OBSERVE_H
#define SRC_OBSERVE_H

#include "base/text.h"
#include "request.h"

/*
 * http_request_latency_all and _ENDPOINT; once a request, before whoever asked
 * can have all of the answer: what it has is counted, whatever then becomes of
 * us.
 */
void observe_request(const struct request *req, int status);

/*
 * A piece of work within a request: NAME_latency, NAME_cputime{type} and, per
 * unit of work, NAME_latency_normalized and NAME_cputime_normalized.
 */
struct work {
	struct timespec began;
	uint64_t user_ns;
	uint64_t system_ns;
};
void work_begin(struct work *work);

/* label is "name=value" as in the exposition, or ""; no units: none done. */
void work_end(const struct work *work, const struct request *req,
	      enum metric_work what, const char *label, double units,
	      enum err err);

/* What is known at scrape time: concurrency, slots, processes. */
void observe_gauges(const struct server *server, struct text *out);

/* Counts every line logged; for log_set_observer(). */
void observe_log_into(struct metrics *metrics);

#endif
