/*
 * master.c - supervises; see process.h.
 *
 * All signals are blocked and taken one by one with sigtimedwait(), so there
 * is no handler and nothing to race with.
 *
 * A worker that dies is replaced at once.  Only one that dies young, before it
 * has answered anything, is replaced with a growing delay: a request that
 * kills its worker cannot slow the service down, a broken installation cannot
 * spin.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/hoursweep.h"
#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"
#include "console.h"
#include "process.h"
#include "route.h"
#include "profiler.h"

#define TICK_SECONDS   1
#define YOUNG_US       (1000 * 1000)
#define FIRST_DELAY_US (100 * 1000)
#define LAST_DELAY_US  (10 * 1000 * 1000)
#define SWEEP_EVERY_US (600 * INT64_C(1000000))

struct crew {
	pid_t pid; /* 0: none */
	int64_t started_us;
	int64_t not_before_us; /* no start before */
	int64_t delay_us;      /* after the next young death */
};

/* What runs beside the workers. */
struct aide {
	struct crew crew;
	const char *name; /* of the process, and in the log */
	int (*run)(const struct shared *shared);
	bool is_wanted;
};

enum { AIDE_CONSOLE, AIDE_PROFILER, NR_AIDES };

enum phase { RUNNING, DRAINING, STOPPING };

struct master {
	const struct shared *shared;
	struct crew *crew; /* one per worker slot */
	uint32_t nr;
	enum phase phase;
	int64_t stop_by_us; /* STOPPING: heavy requests may live until */
	int64_t next_sweep_us;
	pid_t sweeper;
	struct aide aides[NR_AIDES];
};

/* Before it does anything: a child that does not outlive its master. */
static void begin_child(const char *name, pid_t master, int last_signal)
{
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, last_signal);
	if (getppid() != master)
		_exit(EXIT_FAILURE);
}

static void start_worker(struct master *m, uint32_t i)
{
	struct slot_info *slot = scoreboard_worker(m->shared->board, i);
	pid_t master = getpid();
	pid_t pid = fork();

	if (pid < 0) {
		log_error("cannot start a worker: %s", strerror(errno));
		m->crew[i].not_before_us = scoreboard_now() + LAST_DELAY_US;
		return;
	}
	if (pid == 0) {
		/* By no more than its work. */
		begin_child("restreamer-work", master, SIGQUIT);
		/* What runs on when the master was killed stops no other. */
		fs_close(&m->shared->listener->lock_fd);
		fs_close(&m->shared->control->fd);
		fs_close(&m->shared->control->lock_fd);
		exit(worker_run(m->shared, slot, false));
	}
	slot->owner = owner_of(pid);
	m->crew[i].pid = pid;
	m->crew[i].started_us = scoreboard_now();
	metrics_add(m->shared->metrics, METRIC_WORKER_STARTS, 1);
}

static void start_aide(struct master *m, struct aide *aide)
{
	pid_t master = getpid();
	pid_t pid = fork();

	if (pid < 0) {
		log_error("cannot start %s: %s", aide->name, strerror(errno));
		aide->crew.not_before_us = scoreboard_now() + LAST_DELAY_US;
		return;
	}
	if (pid == 0) {
		begin_child(aide->name, master, SIGKILL);
		fs_close(&m->shared->listener->fd);
		fs_close(&m->shared->listener->lock_fd);
		fs_close(&m->shared->control->lock_fd);
		if (aide->run != console_run)
			fs_close(&m->shared->control->fd);
		exit(aide->run(m->shared));
	}
	aide->crew.pid = pid;
	aide->crew.started_us = scoreboard_now();
}

static void start_missing(struct master *m)
{
	int64_t now = scoreboard_now();

	for (size_t i = 0; i < NR_AIDES; i++)
		if (m->aides[i].is_wanted && !m->aides[i].crew.pid &&
		    m->aides[i].crew.not_before_us <= now)
			start_aide(m, &m->aides[i]);

	for (uint32_t i = 0; m->phase == RUNNING && i < m->nr; i++)
		if (!m->crew[i].pid && m->crew[i].not_before_us <= now)
			start_worker(m, i);
}

/* Deaths soon after the start delay the next one. */
static void delay_next(struct crew *crew, int64_t now)
{
	crew->delay_us = crew->delay_us ? crew->delay_us * 2 : FIRST_DELAY_US;
	if (crew->delay_us > LAST_DELAY_US)
		crew->delay_us = LAST_DELAY_US;
	crew->not_before_us = now + crew->delay_us;
}

/* What the death of a worker means for the start of the next. */
static void note_death(struct master *m, uint32_t i, int status)
{
	struct slot_info *slot = scoreboard_worker(m->shared->board, i);
	struct crew *crew = &m->crew[i];
	int64_t now = scoreboard_now();
	bool is_young = !slot->nr_served && now - crew->started_us < YOUNG_US;

	if (WIFSIGNALED(status))
		log_error("worker %ld died of signal %d", (long)crew->pid,
			  WTERMSIG(status));
	else if (WEXITSTATUS(status))
		log_error("worker %ld ended with status %d", (long)crew->pid,
			  WEXITSTATUS(status));
	crew->pid = 0;
	slot_free_dead(m->shared->board, slot, slot->owner);
	slot_free(slot);
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		crew->delay_us = 0;
		return;
	}
	metrics_add(m->shared->metrics, METRIC_WORKER_RESTARTS, 1);
	if (!is_young || WTERMSIG(status) == SIGKILL) {
		crew->delay_us = 0;
		return;
	}
	delay_next(crew, now);
}

static bool note_aide(struct master *m, pid_t pid)
{
	for (size_t i = 0; i < NR_AIDES; i++) {
		struct crew *crew = &m->aides[i].crew;
		int64_t now = scoreboard_now();

		if (crew->pid != pid)
			continue;
		log_error("%s %ld ended", m->aides[i].name, (long)pid);
		crew->pid = 0;
		if (now - crew->started_us < YOUNG_US)
			delay_next(crew, now);
		else
			crew->delay_us = 0;
		return true;
	}
	return false;
}

/* Frees whatever slot a process had that is not a worker. */
static void note_other(struct master *m, pid_t pid)
{
	if (pid == m->sweeper)
		m->sweeper = 0;
	scoreboard_free_of(m->shared->board, pid);
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		uint32_t i = 0;

		while (i < m->nr && m->crew[i].pid != pid)
			i++;
		if (i < m->nr)
			note_death(m, i, status);
		else if (!note_aide(m, pid))
			note_other(m, pid);
	}
}

static void signal_workers(const struct master *m, int number)
{
	for (uint32_t i = 0; i < m->nr; i++)
		if (m->crew[i].pid)
			kill(m->crew[i].pid, number);
}

static void signal_aides(const struct master *m, int number)
{
	for (size_t i = 0; i < NR_AIDES; i++)
		if (m->aides[i].crew.pid)
			kill(m->aides[i].crew.pid, number);
}

static void signal_heavy(const struct master *m, int number)
{
	struct scoreboard *board = m->shared->board;

	for (uint32_t i = 0; i < board->nr_heavy; i++) {
		pid_t pid = owner_pid(scoreboard_heavy(board, i)->owner);

		if (pid)
			kill(pid, number);
	}
}

static void kill_if_late(const struct master *m, struct slot_info *slot,
			 enum slot_state state, uint32_t seconds, int number)
{
	/*
	 * In this order, and slot_enter() writes in the other: the time read is
	 * that of the state read, or of a later one.
	 */
	pid_t pid = owner_pid(slot->owner);
	const struct route *route = route_at(slot->route);
	bool is_so = slot->state == (int)state;
	int64_t for_us = scoreboard_now() - slot->since_us;

	if (!pid || !is_so || !seconds || for_us < seconds * INT64_C(1000000))
		return;
	log_error("process %ld is killed: its request (%s) took over %u s",
		  (long)pid, route ? route->name : "unread", seconds);
	metrics_add(m->shared->metrics, METRIC_WORKER_TIMEOUTS, 1);
	kill(pid, number);
}

static void watch(const struct master *m)
{
	const struct settings *s = m->shared->settings;
	struct scoreboard *board = m->shared->board;

	for (uint32_t i = 0; i < m->nr; i++) {
		struct slot_info *slot = scoreboard_worker(board, i);

		kill_if_late(m, slot, SLOT_READING, s->read_timeout, SIGKILL);
		kill_if_late(m, slot, SLOT_LIGHT, s->light_timeout, SIGKILL);
	}
	for (uint32_t i = 0; i < board->nr_heavy; i++)
		kill_if_late(m, scoreboard_heavy(board, i), SLOT_HEAVY,
			     s->heavy_timeout, SIGTERM);
	scoreboard_sweep_heavy(board);
}

/* In a process of its own: the master touches no archive. */
static void sweep_cache(struct master *m)
{
	const struct settings *s = m->shared->settings;
	struct arena a;
	const char *dir;
	pid_t pid;

	if (m->sweeper || scoreboard_now() < m->next_sweep_us)
		return;
	m->next_sweep_us = scoreboard_now() + SWEEP_EVERY_US;
	pid = fork();
	if (pid < 0)
		log_error("cannot start the sweeper: %s", strerror(errno));
	if (pid > 0)
		m->sweeper = pid;
	if (pid != 0)
		return;
	prctl(PR_SET_NAME, "restreamer-swep");
	fs_close(&m->shared->listener->fd);
	fs_close(&m->shared->listener->lock_fd);
	arena_init(&a);
	dir = settings_cache_dir(s, &a);
	if (dir)
		hoursweep_run(dir, s->base, (uint64_t)s->cache_max_mb << 20);
	arena_release(&a);
	exit(EXIT_SUCCESS);
}

static void stop(struct master *m, enum phase phase)
{
	int64_t grace_us = m->shared->settings->stop_timeout * INT64_C(1000000);

	if (m->phase >= phase)
		return;
	log_info("%s", phase == STOPPING ? "stopping" : "draining");
	m->phase = phase;
	/* With the last worker nobody listens any more, and fronts are told. */
	fs_close(&m->shared->listener->fd);
	m->stop_by_us = scoreboard_now() + grace_us;
	signal_workers(m, SIGQUIT);
}

static void handle_signal(struct master *m, int number)
{
	switch (number) {
	case SIGTERM:
	case SIGINT:
		stop(m, STOPPING);
		break;
	case SIGQUIT:
		stop(m, DRAINING);
		break;
	case SIGHUP:
		log_info("replacing the workers");
		signal_workers(m, SIGQUIT);
		break;
	case SIGUSR1:
		log_reopen();
		/* Or those that say nothing would keep the old file. */
		signal_workers(m, SIGUSR1);
		signal_aides(m, SIGUSR1);
		break;
	default:
		break; /* SIGCHLD: reaped in any case */
	}
}

static bool is_over(const struct master *m)
{
	struct scoreboard *board = m->shared->board;

	return m->phase != RUNNING && !scoreboard_workers(board) &&
	       !scoreboard_count(board, SLOT_HEAVY);
}

/* After TERM, what still runs has had its time. */
static void press(const struct master *m)
{
	if (m->phase != STOPPING || scoreboard_now() < m->stop_by_us)
		return;
	signal_heavy(m, SIGTERM);
	signal_workers(m, SIGKILL);
}

/* Whoever waits for us finds nothing of us when we have ended. */
static void end_others(const struct master *m)
{
	signal_aides(m, SIGKILL);
	for (size_t i = 0; i < NR_AIDES; i++)
		if (m->aides[i].crew.pid)
			waitpid(m->aides[i].crew.pid, NULL, 0);
	if (m->sweeper) {
		/* What it has not removed is removed another time. */
		kill(m->sweeper, SIGKILL);
		waitpid(m->sweeper, NULL, 0);
	}
}

int master_run(const struct shared *shared)
{
	struct master m = {
		.shared = shared,
		.nr = shared->board->nr_workers,
		.aides = { [AIDE_CONSOLE] = { .name = "restreamer-ctl",
					      .run = console_run,
					      .is_wanted =
						      shared->control->fd >=
						      0 },
			   [AIDE_PROFILER] = { .name = "restreamer-prof",
					       .run = profiler_run,
					       .is_wanted =
						       shared->profile->hz >
						       0 } },
	};
	const struct timespec tick = { .tv_sec = TICK_SECONDS };
	sigset_t set;

	block_signals(&set);
	if (!m.nr)
		return EXIT_FAILURE;
	m.crew = mem_zero(m.nr * sizeof(*m.crew));
	/* Heavy processes whose worker is gone become ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	log_info("serving '%s' with %u workers", shared->settings->base, m.nr);
	while (!is_over(&m)) {
		int number;

		start_missing(&m);
		number = sigtimedwait(&set, NULL, &tick);
		if (number > 0)
			handle_signal(&m, number);
		reap(&m);
		press(&m);
		watch(&m);
		sweep_cache(&m);
	}
	end_others(&m);
	free(m.crew);
	return EXIT_SUCCESS;
}
