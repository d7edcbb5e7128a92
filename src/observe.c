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

#define MAX_LABELS 300

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

static void put_path_labels(const struct request *req, struct text *labels)
{
	bool exists = req->channel && path_exists(req);

	if (req->channel)
		metrics_label(labels, "channel", exists ? req->channel : "");
	if (req->quality)
		metrics_label(labels, "quality", exists ? req->quality : "");
	if (req->hour)
		metrics_label(labels, "hour", exists ? req->hour : "");
}

void observe_request(const struct request *req)
{
	const char *endpoint = req->route ? req->route->name : "none";
	struct text all, own;
	uint64_t ns = ns_since(&req->began);
	char family[100];
	char status[12];

	snprintf(status, sizeof(status), "%d", req->status);
	snprintf(family, sizeof(family), "http_request_latency_%s", endpoint);
	text_init(&all, MAX_LABELS);
	text_init(&own, MAX_LABELS);
	put_path_labels(req, &own);
	metrics_label(&all, "endpoint", endpoint);
	metrics_label(&all, "method", method_names[req->method]);
	metrics_label(&all, "status", status);
	text_printf(&own, "%s%s", own.len ? "," : "", all.data);
	metrics_observe(req->server->metrics, "http_request_latency_all",
			all.data, METRIC_BUCKETS_HTTP, ns);
	if (req->route && !own.overflowed)
		metrics_observe(req->server->metrics, family, own.data,
				METRIC_BUCKETS_HTTP, ns);
	text_release(&all);
	text_release(&own);
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

static void observe_work(struct metrics *m, const char *name,
			 const char *ending, const struct text *labels,
			 const char *type, uint64_t ns)
{
	struct text all;
	char family[100];

	snprintf(family, sizeof(family), "%s%s", name, ending);
	text_init(&all, MAX_LABELS);
	text_append(&all, labels->data, labels->len);
	if (type)
		metrics_label(&all, "type", type);
	metrics_observe(m, family, all.data, METRIC_BUCKETS_WORK, ns);
	text_release(&all);
}

void work_end(const struct work *work, const struct request *req,
	      const char *name, const char *label, double units, enum err err)
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
	observe_work(m, name, "_latency", &labels, NULL, wall_ns);
	observe_work(m, name, "_cputime", &labels, "user", user_ns);
	observe_work(m, name, "_cputime", &labels, "system", system_ns);
	if (units > 0) {
		observe_work(m, name, "_latency_normalized", &labels, NULL,
			     (uint64_t)((double)wall_ns / units));
		observe_work(m, name, "_cputime_normalized", &labels, "user",
			     (uint64_t)((double)user_ns / units));
		observe_work(m, name, "_cputime_normalized", &labels, "system",
			     (uint64_t)((double)system_ns / units));
	}
	text_release(&labels);
}

/* Gauges of requests under way */

struct concurrency {
	struct text *out;
	struct scoreboard *board;
	const char *family; /* NULL: the one of each endpoint */
	const char *last;   /* endpoint: it may have several routes */
};

static uint32_t count_running(struct scoreboard *board, const char *endpoint,
			      int method)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < board->nr_workers + board->nr_heavy; i++) {
		struct slot_info *slot = &board->slots[i];
		const char *runs = slot->endpoint;

		nr += slot->pid && runs && !strcmp(runs, endpoint) &&
		      slot->method == method;
	}
	return nr;
}

static bool put_concurrency(const struct route *route, void *ctx)
{
	struct concurrency *c = ctx;
	char own[128];

	if (c->last && !strcmp(c->last, route->name))
		return true;
	c->last = route->name;
	snprintf(own, sizeof(own), "http_request_concurrency_%s", route->name);
	if (!c->family)
		text_printf(c->out,
			    "# HELP %s Requests under way.\n# TYPE %s gauge\n",
			    own, own);
	for (int method = METHOD_GET; method <= METHOD_HEAD; method++)
		text_printf(c->out, "%s{endpoint=\"%s\",method=\"%s\"} %u\n",
			    c->family ? c->family : own, route->name,
			    method_names[method],
			    count_running(c->board, route->name, method));
	return true;
}

static void put_concurrencies(const struct server *server, struct text *out)
{
	struct concurrency c = { .out = out,
				 .board = server->board,
				 .family = "http_request_concurrency_all" };

	text_printf(out, "# HELP %s Requests under way.\n# TYPE %s gauge\n",
		    c.family, c.family);
	route_each(put_concurrency, &c);
	c.family = NULL;
	c.last = NULL;
	route_each(put_concurrency, &c);
}

/* The processes together */

struct process_sums {
	uint64_t cpu_ticks;
	uint64_t virtual_bytes;
	uint64_t resident_pages;
	uint64_t open_fds;
};

static uint64_t count_fds(pid_t pid)
{
	struct fs_list list = { 0 };
	struct errmsg e;
	char path[64];
	uint64_t nr = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fs_list_read(fd, &list, &e) == ERR_OK)
		nr = list.nr;
	fs_list_release(&list);
	fs_close(&fd);
	return nr;
}

/* Adds what /proc tells of a process; of its reaped children, too. */
static void add_process(pid_t pid, struct process_sums *sums)
{
	unsigned long long utime, stime, vsize;
	long long cutime, cstime, rss;
	char line[1024];
	char path[64];
	const char *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return;
	line[n] = '\0';
	p = strrchr(line, ')');
	/* Fields 14 to 17, 23 and 24 of proc(5); p is behind field 2. */
	if (!p || sscanf(p + 1,
			 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			 " %llu %llu %lld %lld %*d %*d %*d %*d %*u %llu %lld",
			 &utime, &stime, &cutime, &cstime, &vsize, &rss) != 6)
		return;
	sums->cpu_ticks +=
		utime + stime + (unsigned long long)(cutime + cstime);
	sums->virtual_bytes += vsize;
	sums->resident_pages += (uint64_t)rss;
	sums->open_fds += count_fds(pid);
}

static void put_processes(const struct server *server, struct text *out)
{
	struct scoreboard *board = server->board;
	struct process_sums sums = { 0 };
	struct rlimit files = { 0 };
	uint64_t cpu_ms, seen;

	add_process(board->master, &sums);
	for (uint32_t i = 0; i < board->nr_workers + board->nr_heavy; i++)
		if (board->slots[i].pid && board->slots[i].pid != board->master)
			add_process(board->slots[i].pid, &sums);
	cpu_ms = sums.cpu_ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	/* A process between its death and its reaping is in no sum. */
	seen = board->cpu_ms_max;
	while (cpu_ms > seen &&
	       !atomic_compare_exchange_weak(&board->cpu_ms_max, &seen, cpu_ms))
		;
	cpu_ms = cpu_ms > seen ? cpu_ms : seen;
	text_printf(out,
		    "# HELP process_cpu_seconds_total CPU time of all "
		    "processes.\n"
		    "# TYPE process_cpu_seconds_total counter\n"
		    "process_cpu_seconds_total %llu.%03llu\n",
		    (unsigned long long)(cpu_ms / 1000),
		    (unsigned long long)(cpu_ms % 1000));
	metrics_put_gauge(out, "process_virtual_memory_bytes",
			  "Virtual memory of all processes.",
			  (double)sums.virtual_bytes);
	metrics_put_gauge(out, "process_resident_memory_bytes",
			  "Resident memory of all processes, shared pages "
			  "counted in each.",
			  (double)sums.resident_pages *
				  (double)sysconf(_SC_PAGESIZE));
	metrics_put_gauge(out, "process_start_time_seconds",
			  "When the master began.",
			  (double)board->started_us / 1e6);
	metrics_put_gauge(out, "process_open_fds",
			  "Open files of all processes.",
			  (double)sums.open_fds);
	getrlimit(RLIMIT_NOFILE, &files);
	metrics_put_gauge(out, "process_max_fds",
			  "Open files that one process may have.",
			  (double)files.rlim_cur);
}

static void put_places(struct places *places, const char *name,
		       const char *what, struct text *out)
{
	char metric[64];
	char help[96];

	snprintf(metric, sizeof(metric), "restreamer_%s_places_used", name);
	snprintf(help, sizeof(help), "Processes that are %s.", what);
	metrics_put_gauge(out, metric, help, places_count(places));
	snprintf(metric, sizeof(metric), "restreamer_%s_places", name);
	snprintf(help, sizeof(help), "Processes that may be %s at once.", what);
	metrics_put_gauge(out, metric, help, places->nr);
}

void observe_gauges(const struct server *server, struct text *out)
{
	struct scoreboard *board = server->board;

	scoreboard_sweep_heavy(board);
	put_concurrencies(server, out);
	metrics_put_gauge(out, "restreamer_workers", "Workers that run.",
			  scoreboard_workers(board));
	metrics_put_gauge(out, "restreamer_workers_idle",
			  "Workers that wait for a request.",
			  scoreboard_count(board, SLOT_IDLE));
	metrics_put_gauge(out, "restreamer_heavy_slots_used",
			  "Heavy requests under way.",
			  scoreboard_count(board, SLOT_HEAVY));
	metrics_put_gauge(out, "restreamer_heavy_slots",
			  "Heavy requests that may be under way.",
			  board->nr_heavy);
	put_places(&board->edges, "edge", "encoding the edges of cuts", out);
	put_places(&board->full, "full", "encoding whole cuts", out);
	put_processes(server, out);
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
	metrics_count(log_metrics, "log_count_total", labels.data, 1);
	text_release(&labels);
}

void observe_log_into(struct metrics *metrics)
{
	log_metrics = metrics;
	log_set_observer(metrics ? observe_log : NULL);
}
