/*
 * places.h - how many processes may encode at once.
 *
 * Encoding takes all the cores it gets, so only a few may; a place is owned by
 * a pid, so a process that dies cannot keep one.  In memory that all processes
 * share.
 */
#ifndef SRC_PLACES_H
#define SRC_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define PLACES_MAX 64

struct places {
	uint32_t nr; /* at most PLACES_MAX */
	_Atomic pid_t pids[PLACES_MAX];
};

/* False if there is none left that is not owned by a living process. */
bool places_take(struct places *p, pid_t pid) MUST_CHECK;

/* Frees all places of a process. */
void places_free_of(struct places *p, pid_t pid);

/* Those that living processes have. */
uint32_t places_count(struct places *p);

#endif
