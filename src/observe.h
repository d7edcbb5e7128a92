/*
 * observe.h - a request in the metrics.
 *
 * Arguments of the path become label values only where the channel and the
 * quality exist, so that strangers cannot fill the table.
 */
#ifndef SRC_OBSERVE_H
#define SRC_OBSERVE_H

#include "base/text.h"
#include "request.h"

/* After the last byte: http_request_latency_all and _ENDPOINT. */
void observe_request(const struct request *req);

/* What is known at scrape time: concurrency, slots, processes. */
void observe_gauges(const struct server *server, struct text *out);

/* Counts every line logged; for log_set_observer(). */
void observe_log_into(struct metrics *metrics);

#endif
