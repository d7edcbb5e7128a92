/*
 * threads.h - threads that get no signals: those are for the main thread.
 */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/compiler.h"

/* The processors there are, at least 1 and at most max. */
static inline int cores_at_most(int max)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);

	return nr < 1 ? 1 : nr > max ? max : (int)nr;
}

/* 0, or an errno. */
int thread_start(pthread_t *thread, void *(*run)(void *ctx),
		 void *ctx) MUST_CHECK;

/*
 * Calls run(ctx, member) for every member from 0 to nr - 1, up to
 * TEAM_MAX at once: member 0 in this thread, each other in one of its own.
 * Returns when all have.  A member whose thread cannot be started is left out,
 * so they share out the work among themselves.
 */
#define TEAM_MAX 16
void team_run(int nr, void (*run)(void *ctx, int member), void *ctx);

#endif
