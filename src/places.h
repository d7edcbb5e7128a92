/*
 * places.h - how many processes may encode at once.
 *
 * Encoding takes all the cores it gets, so only a few may; a place has an
 * owner, so a process that dies cannot keep one.  In memory that all processes
 * share.
 */
#ifndef SRC_PLACES_H
#define SRC_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "owner.h"

#define PLACES_MAX 64

struct places {
	uint32_t nr; /* at most PLACES_MAX */
	_Atomic uint64_t owners[PLACES_MAX];
};

/* False if there is none left that is not owned by a living process. */
bool places_take(struct places *p, uint64_t owner) MUST_CHECK;

/* Frees what a process had that was reaped. */
void places_free_dead(struct places *p, pid_t pid);

/* Frees all places of a process. */
void places_free_of(struct places *p, uint64_t owner);

/* Those that living processes have. */
uint32_t places_count(struct places *p);

#endif
