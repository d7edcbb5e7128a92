/*
 * metrics.h - counters and histograms of all processes together.
 *
 * One area of shared memory, made before the first fork, in which every
 * process adds with relaxed atomics.  A process that dies in the middle of
 * anything leaves all numbers as they were or increased, so every series is
 * monotone until the master itself restarts.  One cell per number, shared by
 * all, rather than a slot per process: it costs some ten nanoseconds more per
 * increment under contention and has nothing to sum up, fold or leak.
 *
 * Labelled series live in a table of fixed size and are never removed.  A
 * series is claimed by its hash, then written, then published; two processes
 * that claim one at the same time, or one that dies between, leave two slots
 * for one series or a slot without one, and the reader merges equal keys.
 *
 * Source: the Prometheus text format 0.0.4.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum metric {
#define METRIC(id, name, help) METRIC_##id,
#include "metrics/metrics.def"
#undef METRIC
	METRIC_COUNT
};

#define METRICS_MAX_SERIES     4096
#define METRICS_MAX_PER_FAMILY 1024
#define METRICS_MAX_KEY	       300

/* Histogram bounds; both sets have as many. */
enum metric_buckets {
	METRIC_BUCKETS_HTTP, /* .001 ... 600 s */
	METRIC_BUCKETS_WORK, /* 1e-9 ... 1e4 s, powers of ten */
};

struct metrics;

/* NULL if there is no memory for it. */
struct metrics *metrics_new(void) MUST_CHECK;

void metrics_add(struct metrics *m, enum metric metric, uint64_t n);
uint64_t metrics_get(const struct metrics *m, enum metric metric);

/*
 * labels is what goes between the braces, already escaped by
 * metrics_label(): "a=\"x\",b=\"y\"".
 */
void metrics_count(struct metrics *m, const char *family, const char *labels,
		   uint64_t n);
void metrics_observe(struct metrics *m, const char *family, const char *labels,
		     enum metric_buckets buckets, uint64_t ns);

/* Appends name="value", with a comma in front if there is something there. */
void metrics_label(struct text *labels, const char *name, const char *value);

/* Appends the whole of a gauge that is known only at scrape time. */
void metrics_put_gauge(struct text *out, const char *name, const char *help,
		       double value);

/* Appends the counters and all series, sorted and merged. */
void metrics_render(const struct metrics *m, struct text *out);

#endif
