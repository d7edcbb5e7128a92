/*
 * process.h - the processes: a master, its workers, and a child for every
 * heavy request.
 *
 * The master listens, forks workers, replaces the dead, kills the stuck and
 * sweeps the cache; it reads no request.  A worker answers one request at a
 * time.  A heavy request is handed to a process forked for it, so that light
 * ones never wait behind it: the worker lets go of the connection at once.  So
 * is any other whose client is too slow for its body (fastcgi.h).
 *
 *	TERM, INT	stop: light requests are finished, heavy ones may go
 *			on for --stop-timeout
 *	QUIT		drain: stop when every request has been answered
 *	HUP		replace the workers, each after its request
 *	USR1		reopen the log, all processes
 *
 * Beside them are the console (console.h) and the profiler (profiler.h), if
 *they are asked for; they answer no requests, and end with the master.
 *
 * A heavy process belongs to the worker that forked it, and to the master when
 * that worker is gone first; it is never waited for.
 */
#ifndef SRC_PROCESS_H
#define SRC_PROCESS_H

#include <signal.h>

#include "base/err.h"
#include "metrics/metrics.h"
#include "listen.h"
#include "profile.h"
#include "scoreboard.h"
#include "sharedarea.h"
#include "settings.h"

/* What the processes share; made before the first fork. */
struct shared {
	const struct settings *settings;
	struct listener *listener;
	struct metrics *metrics;
	struct scoreboard *board;
	const struct sharedarea *area; /* of both */
	struct listener *control;      /* fd -1: no console */
	struct profile *profile;
};

/* Runs the master until it is told to stop; the exit status. */
int master_run(const struct shared *shared) MUST_CHECK;

/* Blocks all signals that mean something to us; they are taken when waiting. */
void block_signals(sigset_t *set_r);

/* Workers without a master that are listed; more work, but unlisted. */
#define MAX_ALONE 64

/*
 * Answers requests until told to stop, as the worker of a slot; the exit
 * status.
 */
int worker_run(const struct shared *shared, struct slot_info *slot,
	       bool is_alone) MUST_CHECK;

/* The same without a master, in a slot that it finds. */
int worker_run_alone(const struct shared *shared) MUST_CHECK;

/* Reaps what has ended below a worker and frees its slots. */
void heavy_reap(struct scoreboard *board);

/* ERR_BUSY, in words. */
enum err heavy_refuse(const struct scoreboard *board, struct errmsg *e);

/*
 * Forks a process for the request being answered: ERR_OK in it, ERR_HANDED in
 * the caller, ERR_BUSY if no slot or no process is to be had.
 */
enum err heavy_fork(struct scoreboard *board, struct slot_info **slot,
		    struct errmsg *e) MUST_CHECK;

#endif
