/*
 * gauges.c - what is known when the metrics are asked for; see observe.h.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "observe.h"
#include "procstat.h"
#include "route.h"

/* Gauges of requests under way */

struct concurrency {
	struct text *out;
	struct scoreboard *board;
	bool is_all;	  /* else the family of each endpoint */
	const char *last; /* endpoint: it may have several routes */
};

static uint32_t count_running(struct scoreboard *board,
			      const struct route *route, int method)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < board->nr_workers + board->nr_heavy; i++) {
		struct slot_info *slot = &board->slots[i];
		const struct route *runs;

		if (!slot->owner || !slot->route || slot->method != method)
			continue;
		runs = route_at(slot->route);
		nr += runs && !strcmp(runs->name, route->name);
	}
	return nr;
}

static bool put_concurrency(const struct route *route, void *ctx)
{
	struct concurrency *c = ctx;

	if (c->last && !strcmp(c->last, route->name))
		return true;
	c->last = route->name;
	if (!c->is_all)
		metrics_put_head(c->out, FAMILY_CONCURRENCY, route->name);
	for (int method = METHOD_GET; method <= METHOD_HEAD; method++)
		text_printf(c->out,
			    "http_request_concurrency_%s"
			    "{endpoint=\"%s\",method=\"%s\"} %u\n",
			    c->is_all ? "all" : route->name, route->name,
			    method_names[method],
			    count_running(c->board, route, method));
	return true;
}

static void put_concurrencies(const struct server *server, struct text *out)
{
	struct concurrency c = {
		.out = out,
		.board = server->board,
		.is_all = true,
	};

	metrics_put_head(out, FAMILY_CONCURRENCY_ALL, "");
	route_each(put_concurrency, &c);
	c.is_all = false;
	c.last = NULL;
	route_each(put_concurrency, &c);
}

/* The processes together */

struct process_sums {
	uint64_t cpu_ms;
	uint64_t virtual_bytes;
	uint64_t resident_bytes;
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
	struct procstat stat;

	if (!procstat_of(pid, &stat))
		return;
	sums->cpu_ms += stat.cpu_ms + stat.reaped_ms;
	sums->virtual_bytes += stat.virtual_bytes;
	sums->resident_bytes += stat.resident_bytes;
	sums->open_fds += count_fds(pid);
}

static struct process_sums sum_processes(struct scoreboard *board)
{
	struct process_sums sums = { 0 };
	pid_t master = board->master;

	if (master)
		add_process(master, &sums);
	for (uint32_t i = 0; i < board->nr_workers + board->nr_heavy; i++) {
		pid_t pid = owner_pid(board->slots[i].owner);

		if (pid && pid != master)
			add_process(pid, &sums);
	}
	return sums;
}

/*
 * Seconds of CPU; what was said before is never taken back, though a process
 * between its death and its reaping is in no sum.
 */
static double cpu_seconds(struct scoreboard *board, uint64_t cpu_ms)
{
	uint64_t seen = board->cpu_ms_max;

	cpu_ms += board->cpu_ms_gone;
	while (cpu_ms > seen &&
	       !atomic_compare_exchange_weak(&board->cpu_ms_max, &seen, cpu_ms))
		;
	return (double)(cpu_ms > seen ? cpu_ms : seen) / 1000;
}

static void put_processes(struct scoreboard *board, struct text *out)
{
	struct process_sums sums = sum_processes(board);
	struct rlimit files = { 0 };

	getrlimit(RLIMIT_NOFILE, &files);
	metrics_put_number(out, FAMILY_CPU_SECONDS,
			   cpu_seconds(board, sums.cpu_ms));
	metrics_put_number(out, FAMILY_VIRTUAL_MEMORY,
			   (double)sums.virtual_bytes);
	metrics_put_number(out, FAMILY_RESIDENT_MEMORY,
			   (double)sums.resident_bytes);
	metrics_put_number(out, FAMILY_START_TIME,
			   (double)board->started_us / 1e6);
	metrics_put_number(out, FAMILY_OPEN_FDS, (double)sums.open_fds);
	metrics_put_number(out, FAMILY_MAX_FDS, (double)files.rlim_cur);
}

void observe_gauges(const struct server *server, struct text *out)
{
	struct scoreboard *board = server->board;

	scoreboard_sweep(board);
	put_concurrencies(server, out);
	metrics_put_number(out, FAMILY_WORKERS, scoreboard_workers(board));
	metrics_put_number(out, FAMILY_WORKERS_IDLE,
			   scoreboard_count(board, SLOT_IDLE));
	metrics_put_number(out, FAMILY_HEAVY_SLOTS_USED,
			   scoreboard_count(board, SLOT_HEAVY));
	metrics_put_number(out, FAMILY_HEAVY_SLOTS, board->nr_heavy);
	metrics_put_number(out, FAMILY_EDGE_PLACES_USED,
			   places_count(&board->edges));
	metrics_put_number(out, FAMILY_EDGE_PLACES, board->edges.nr);
	metrics_put_number(out, FAMILY_FULL_PLACES_USED,
			   places_count(&board->full));
	metrics_put_number(out, FAMILY_FULL_PLACES, board->full.nr);
	put_processes(board, out);
}
