/*
 * scoreboard.h - what every process is doing, in shared memory.
 *
 * In memory that all processes share (sharedarea.h); every slot is written by
 * the one process that owns it, in single words, without locks; what words do
 * not hold is a note (slotnote.h).  A process that dies leaves its slot as it
 * was, and the master, or where there is none whoever looks next, frees it: a
 * slot has an owner, so a kill cannot leak one.
 *
 * Workers have the first slots; a heavy request takes one of the rest for as
 * long as it lives.
 */
#ifndef SRC_SCOREBOARD_H
#define SRC_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/chat.h"
#include "base/compiler.h"
#include "base/log.h"
#include "owner.h"
#include "places.h"
#include "slotnote.h"

enum slot_state {
	SLOT_FREE, /* of a worker: not started or dead */
	SLOT_IDLE,
	SLOT_READING, /* a request is arriving */
	SLOT_LIGHT,
	SLOT_HEAVY,
};

/* How far an answer is. */
struct progress {
	_Atomic uint64_t sent;	 /* bytes of the body */
	_Atomic uint64_t length; /* of it, or LENGTH_UNKNOWN */
};

struct slot_info {
	_Atomic uint64_t owner;	    /* OWNER_NONE: free */
	_Atomic int state;	    /* enum slot_state */
	_Atomic int64_t since_us;   /* monotonic, of the state */
	_Atomic uint32_t route;	    /* its number (route.h), or 0 */
	_Atomic int method;	    /* enum method */
	_Atomic uint32_t nr_served; /* requests, by a worker */
	_Atomic uint64_t cpu_ms;    /* used, by a worker without master */
	_Atomic bool is_waiting;    /* for a place to encode */
	struct progress progress;
	struct slotnote note;
};

struct scoreboard {
	uint32_t nr_workers;
	uint32_t nr_heavy;
	_Atomic uint64_t cpu_ms_max;  /* process_cpu_seconds never falls */
	_Atomic uint64_t cpu_ms_gone; /* of workers swept */
	_Atomic pid_t master;	      /* 0: there is none */
	_Atomic bool logs_access;     /* also of those that died */
	_Atomic uint64_t nr_lost;     /* answers, until they are counted */
	struct log_shared log;
	struct chat_said chat_said;
	int64_t started_us;	  /* when, since 1970 */
	struct places edges;	  /* encoding edges of cuts */
	struct places full;	  /* encoding whole cuts */
	struct slot_info slots[]; /* workers, then heavy */
};

size_t scoreboard_size(uint32_t nr_workers, uint32_t nr_heavy);

/* In zeroed memory of that size. */
void scoreboard_init(struct scoreboard *b, uint32_t nr_workers,
		     uint32_t nr_heavy);

/* Monotonic microseconds. */
int64_t scoreboard_now(void);

void slot_enter(struct slot_info *slot, enum slot_state state);

/* The same request in another process. */
void slot_copy(struct slot_info *to, struct slot_info *from);

/* By its owner, or where nobody else may free or take it. */
void slot_free(struct slot_info *slot);

/*
 * Frees the slot of a process that is dead, unless it is not its any more:
 * several may notice a death, and another may have taken the slot.  Who
 * frees it, which is told so, counts the request that was lost, and says in the
 * access log which it was.
 */
bool slot_free_dead(struct scoreboard *b, struct slot_info *slot,
		    uint64_t owner);

/* Frees all heavy slots and places of a process that has been reaped. */
void scoreboard_free_of(struct scoreboard *b, pid_t pid);

static inline struct slot_info *scoreboard_worker(struct scoreboard *b,
						  uint32_t i)
{
	return &b->slots[i];
}

static inline struct slot_info *scoreboard_heavy(struct scoreboard *b,
						 uint32_t i)
{
	return &b->slots[b->nr_workers + i];
}

/* The slot of a process, or NULL. */
struct slot_info *scoreboard_find(struct scoreboard *b, pid_t pid);

/* Takes a heavy slot for a process; NULL if all are taken. */
struct slot_info *scoreboard_take_heavy(struct scoreboard *b,
					uint64_t owner) MUST_CHECK;

/* The same of a worker without master, which finds its slot by itself. */
struct slot_info *scoreboard_take_worker(struct scoreboard *b,
					 uint64_t owner) MUST_CHECK;

/* Whether a heavy slot is free now. */
bool scoreboard_has_room(struct scoreboard *b) MUST_CHECK;

/* Frees the heavy slots of processes that do not exist any more. */
void scoreboard_sweep_heavy(struct scoreboard *b);

/* The same, and where there is no master those of dead workers, too. */
void scoreboard_sweep(struct scoreboard *b);

/* Workers that are there. */
uint32_t scoreboard_workers(struct scoreboard *b);

/* Processes in a state. */
uint32_t scoreboard_count(struct scoreboard *b, enum slot_state state);

#endif
