/*
 * metrics.h - counters and histograms of all processes together.
 *
 * One area of shared memory in which every process adds with relaxed atomics.
 * A process that dies in the middle of anything leaves all numbers as they were
 * or increased, so every series is monotone while the area lives.  One cell per
 * number, shared by all, rather than a slot per process: it costs some ten
 * nanoseconds more per increment under contention and has nothing to sum up,
 * fold or leak.
 *
 * Labelled series live in a table of fixed size and are never removed.  A
 * series is claimed by its hash, then written, then published; two processes
 * that claim one at the same time, or one that dies between, leave two slots
 * for one series or a slot without one, and the reader merges equal keys. Apart
 * from them is room for series whose labels are few, so that they have a place
 * however many the others are.
 *
 * Source: the Prometheus text format 0.0.4.
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum metric {
#define METRIC(id, name, help) METRIC_##id,
#include "metrics/metrics.def"
	METRIC_COUNT
};

enum metric_family {
#define GAUGE(id, name, help)		 FAMILY_##id,
#define SUM(id, name, help)		 FAMILY_##id,
#define COUNTERS(id, name, labels, help) FAMILY_##id,
#define GAUGES(id, name, labels, help)	 FAMILY_##id,
#define TIMES(id, name, labels, help)	 FAMILY_##id,
#define WORK(id, name, labels, what, unit)                                     \
	FAMILY_##id##_LATENCY, FAMILY_##id##_CPUTIME,                          \
		FAMILY_##id##_LATENCY_NORMALIZED,                              \
		FAMILY_##id##_CPUTIME_NORMALIZED,
#include "metrics/metrics.def"
	FAMILY_COUNT
};

/* A piece of work is the first of its four families. */
enum metric_work {
#define WORK(id, name, labels, what, unit) WORK_##id = FAMILY_##id##_LATENCY,
#include "metrics/metrics.def"
};
enum work_family {
	OF_LATENCY,
	OF_CPUTIME,
	OF_LATENCY_NORMALIZED,
	OF_CPUTIME_NORMALIZED,
};

#define METRICS_MAX_SERIES     4096
#define METRICS_MAX_PER_FAMILY 1024
#define METRICS_MAX_OTHERS     2048 /* of bounded labels; room is kept */
#define METRICS_MAX_KEY	       300

struct metrics;

/*
 * The area is its maker's: zeroed memory of metrics_size(), shared by all that
 * count together, aligned like a page.
 */
size_t metrics_size(void);

/* A hash of all that its layout depends on; no two versions share an area. */
uint64_t metrics_layout(void);

/* Whether every series in it is one that we could have made. */
bool metrics_are_sound(const struct metrics *m) MUST_CHECK;

void metrics_add(struct metrics *m, enum metric metric, uint64_t n);
uint64_t metrics_get(const struct metrics *m, enum metric metric);

/*
 * labels is what goes between the braces, already escaped by
 * metrics_label(): "a=\"x\",b=\"y\"".  There must be few of them: they may
 * go where room is kept.
 */
void metrics_count(struct metrics *m, enum metric_family family,
		   const char *labels, uint64_t n);
void metrics_observe(struct metrics *m, enum metric_family family,
		     const char *labels, uint64_t ns);

/*
 * An observation of a family that each endpoint has, whose labels may be many:
 * where there is no room for them it is counted under others, of which there
 * are few.
 */
void metrics_observe_of(struct metrics *m, enum metric_family family,
			const char *endpoint, const char *labels,
			const char *others, uint64_t ns);

/* The same only if these labels have been seen before: false if not. */
bool metrics_observe_again(struct metrics *m, enum metric_family family,
			   const char *endpoint, const char *labels,
			   uint64_t ns) MUST_CHECK;

/* Appends name="value", with a comma in front if there is something there. */
void metrics_label(struct text *labels, const char *name, const char *value);

/* Appends HELP and TYPE of a family; endpoint: "" if it is not one of each. */
void metrics_put_head(struct text *out, enum metric_family family,
		      const char *endpoint);

/* Appends the whole of a number that is known only at scrape time. */
void metrics_put_number(struct text *out, enum metric_family family,
			double value);

/* Appends the counters and all series, sorted and merged. */
void metrics_render(const struct metrics *m, struct text *out);

/* What is declared, in that order. */
struct metric_about {
	const char *name; /* ends in "_" if it is one of each endpoint */
	const char *type;
	const char *labels; /* "a,b", or "" */
	const char *help;
};
void metrics_each(void (*fn)(const struct metric_about *about, void *ctx),
		  void *ctx);

#endif
