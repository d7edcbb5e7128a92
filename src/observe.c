#include "config.h"

#include "observe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "route.h"

#define MAX_LABELS METRICS_MAX_KEY

static uint64_t ns_since(const struct timespec *began)
{
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (now.tv_sec - began->tv_sec) * INT64_C(1000000000) +
	     (now.tv_nsec - began->tv_nsec);
	return ns > 0 ? (uint64_t)ns : 0;
}

/* Whether the channel (and the quality, and the hour) of a request exist. */
static bool path_exists(const struct request *req)
{
	char path[1024];
	int n = snprintf(path, sizeof(path), "%s%s%s%s%s", req->channel,
			 req->quality ? "/" : "",
			 req->quality ? req->quality : "", req->hour ? "/" : "",
			 req->hour ? req->hour : "");
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path) || strstr(path, "/."))
		return false;
	fd = fs_open_beneath(req->server->archive.base_fd, path,
			     O_PATH | O_DIRECTORY);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* The labels of the path, each value as it is or the same for all. */
static void put_path_labels(const struct request *req, const char *value,
			    struct text *labels)
{
	if (req->channel)
		metrics_label(labels, "channel", value ? value : req->channel);
	if (req->quality)
		metrics_label(labels, "quality", value ? value : req->quality);
	if (req->hour)
		metrics_label(labels, "hour", value ? value : req->hour);
}

static void join_labels(struct text *labels, const struct text *more)
{
	if (labels->len)
		text_putc(labels, ',');
	text_append(labels, more->data, more->len);
}

/* A path that has no series yet, or does not exist, or finds no room. */
static void observe_new(const struct request *req, struct text *own,
			const struct text *all, uint64_t ns)
{
	struct text others;

	if (!path_exists(req)) {
		text_clear(own);
		put_path_labels(req, "", own);
		join_labels(own, all);
	}
	if (own->overflowed)
		metrics_add(req->server->metrics, METRIC_SERIES_DROPPED, 1);
	text_init(&others, MAX_LABELS);
	put_path_labels(req, "other", &others);
	join_labels(&others, all);
	metrics_observe_of(
		req->server->metrics, FAMILY_REQUEST_LATENCY, req->route->name,
		own->overflowed ? others.data : own->data, others.data, ns);
	text_release(&others);
}

/* In the endpoint's own family; all are the labels that it shares. */
static void observe_own(const struct request *req, const struct text *all,
			uint64_t ns)
{
	struct metrics *m = req->server->metrics;
	const char *name = req->route->name;
	struct text own;

	if (!req->channel) {
		metrics_observe_of(m, FAMILY_REQUEST_LATENCY, name, all->data,
				   NULL, ns);
		return;
	}
	text_init(&own, MAX_LABELS);
	put_path_labels(req, NULL, &own);
	join_labels(&own, all);
	/* What has a series existed once, which saves looking. */
	if (own.overflowed || !metrics_observe_again(m, FAMILY_REQUEST_LATENCY,
						     name, own.data, ns))
		observe_new(req, &own, all, ns);
	text_release(&own);
}

void observe_request(const struct request *req, int status)
{
	uint64_t ns = ns_since(&req->began);
	struct text all;
	char number[12];

	snprintf(number, sizeof(number), "%d", status);
	text_init(&all, MAX_LABELS);
	metrics_label(&all, "endpoint", req->route ? req->route->name : "none");
	metrics_label(&all, "method", method_names[req->method]);
	metrics_label(&all, "status", number);
	metrics_observe(req->server->metrics, FAMILY_REQUEST_LATENCY_ALL,
			all.data, ns);
	if (req->route)
		observe_own(req, &all, ns);
	text_release(&all);
}

/* Pieces of work */

static uint64_t ns_of(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000000 + (uint64_t)tv->tv_usec * 1000;
}

static void cpu_times(uint64_t *user_ns, uint64_t *system_ns)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	*user_ns = ns_of(&usage.ru_utime);
	*system_ns = ns_of(&usage.ru_stime);
}

void work_begin(struct work *work)
{
	clock_gettime(CLOCK_MONOTONIC, &work->began);
	cpu_times(&work->user_ns, &work->system_ns);
}

static void observe_work(struct metrics *m, enum metric_work work,
			 enum work_family which, const struct text *labels,
			 const char *type, uint64_t ns)
{
	enum metric_family family = (enum metric_family)work + which;
	struct text all;

	text_init(&all, MAX_LABELS);
	text_append(&all, labels->data, labels->len);
	if (type)
		metrics_label(&all, "type", type);
	metrics_observe(m, family, all.data, ns);
	text_release(&all);
}

void work_end(const struct work *work, const struct request *req,
	      enum metric_work what, const char *label, double units,
	      enum err err)
{
	struct metrics *m = req->server->metrics;
	uint64_t wall_ns = ns_since(&work->began);
	uint64_t user_ns, system_ns;
	struct text labels;

	if (!m)
		return;
	cpu_times(&user_ns, &system_ns);
	user_ns -= work->user_ns;
	system_ns -= work->system_ns;
	text_init(&labels, MAX_LABELS);
	text_puts(&labels, label);
	metrics_label(&labels, "error", err ? err_name(err) : "");
	observe_work(m, what, OF_LATENCY, &labels, NULL, wall_ns);
	observe_work(m, what, OF_CPUTIME, &labels, "user", user_ns);
	observe_work(m, what, OF_CPUTIME, &labels, "system", system_ns);
	if (units > 0) {
		observe_work(m, what, OF_LATENCY_NORMALIZED, &labels, NULL,
			     (uint64_t)((double)wall_ns / units));
		observe_work(m, what, OF_CPUTIME_NORMALIZED, &labels, "user",
			     (uint64_t)((double)user_ns / units));
		observe_work(m, what, OF_CPUTIME_NORMALIZED, &labels, "system",
			     (uint64_t)((double)system_ns / units));
	}
	text_release(&labels);
}

/* Counting log lines */

static struct metrics *log_metrics;

static void observe_log(enum log_level level, const char *module,
			const char *function)
{
	struct text labels;

	text_init(&labels, MAX_LABELS);
	metrics_label(&labels, "level", log_level_names[level]);
	metrics_label(&labels, "module", module);
	metrics_label(&labels, "function", function);
	metrics_count(log_metrics, FAMILY_LOG_COUNT, labels.data, 1);
	text_release(&labels);
}

void observe_log_into(struct metrics *metrics)
{
	log_metrics = metrics;
	log_set_observer(metrics ? observe_log : NULL);
}
