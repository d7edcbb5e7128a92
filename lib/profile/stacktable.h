/*
 * stacktable.h - how often which stack was seen, in memory that is shared.
 *
 * Of fixed size.  Added to by signal handlers of many processes at once,
 * without locks: an entry is claimed by its hash, then written, then published.
 * A process that dies between leaves an entry that is never read; what finds no
 * entry free near its hash is counted as lost.  Two stacks of one 64-bit hash
 * would be counted as one.
 *
 * Addresses mean the same in all processes, because they were forked from one.
 *
 * Errors: none.
 */
#ifndef PROFILE_STACKTABLE_H
#define PROFILE_STACKTABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define STACKTABLE_SIZE	 8192 /* a power of two */
#define STACKTABLE_DEPTH 64
#define STACK_THREAD	 16 /* bytes, of a thread's name with its NUL */

struct stack {
	const char *role;     /* a static string */
	const char *endpoint; /* the same, or NULL */
	char thread[STACK_THREAD];
	uint32_t nr;
	uintptr_t frames[STACKTABLE_DEPTH]; /* innermost first */
};

struct stack_entry {
	_Atomic uint64_t hash; /* 0: free */
	_Atomic uint64_t count;
	_Atomic bool is_ready;
	struct stack stack;
};

/* Zeroed is empty. */
struct stacktable {
	_Atomic uint64_t nr_lost;
	struct stack_entry entries[STACKTABLE_SIZE];
};

/* Async-signal-safe.  Of frames only nr are looked at. */
void stacktable_add(struct stacktable *t, const struct stack *stack);

/* While nobody adds; what somebody still adds may be lost or kept. */
void stacktable_clear(struct stacktable *t);

/* Calls fn for every stack, with frames of a number that can be. */
void stacktable_each(struct stacktable *t,
		     void (*fn)(void *ctx, const struct stack *stack,
				uint64_t count),
		     void *ctx);

#endif
