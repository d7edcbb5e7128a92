/*
 * profile.h - which functions the time goes into, seen from outside.
 *
 * No process has a timer.  A sampler (sampler.h) looks many times a second
 * which threads of workers and heavy processes run, and sends each of those
 * SIGPROF; the handler writes the stack of that very thread into a table in
 * shared memory.  So nothing stays armed when a sampler dies, threads that
 * FFmpeg made are seen, and while nobody samples it costs nothing.
 *
 * A sample is a thread that runs or could: one that fell asleep before the
 * signal came, or was only just woken, is left out.
 *
 * The signal carries the table that it is for, so several samplers do not
 * disturb each other; one that carries none that is on does nothing.  It is
 * blocked but while a request is being answered by code of ours (and of
 * FFmpeg): libfcgi takes an interrupted call for the end of a connection.
 * A signal that comes while it is blocked is taken when it no longer is, once,
 * and then counts as profile_allow().
 *
 * The handler calls backtrace(3).  With libgcc of GCC 12 and glibc 2.35 or
 * newer that takes no lock and no memory (_dl_find_object), once libgcc is
 * loaded, which profile_install() sees to.  What has no unwinding tables,
 * assembler above all, ends a stack.
 *
 * Errors: none.
 */
#ifndef SRC_PROFILE_H
#define SRC_PROFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/flame.h"
#include "profile/stacktable.h"

enum profile_table {
	PROFILE_SESSION, /* of the console: one at a time */
	PROFILE_EVEN,	 /* of --profile, in turn: one is read while */
	PROFILE_ODD,	 /* the other is filled */
	PROFILE_TABLES
};

struct profile {
	_Atomic uint32_t on;	  /* a bit for each table */
	_Atomic uint64_t session; /* whose it is (owner.h), or OWNER_NONE */
	_Atomic bool is_usable;	  /* the handler is installed */
	uint32_t hz;		  /* of --profile, or 0 */
	struct stacktable tables[PROFILE_TABLES];
	struct flame flame;
};

/* NULL if there is no memory for it.  Pages are taken when they are used. */
struct profile *profile_new(uint32_t hz) MUST_CHECK;

/*
 * Installs the handler and blocks the signal, in this process and in all that
 * are forked from it.  Before there are any, or one would die of the signal.
 */
void profile_install(struct profile *p);

/* What stacks of this process are filed under; the route may change later. */
void profile_file_under(const char *role, const _Atomic uint32_t *route);

/* Around the answering of a request; threads made between inherit it. */
void profile_allow(void);
void profile_forbid(void);

/* Empties a table and turns it on, or turns it off. */
void profile_begin(struct profile *p, enum profile_table table);
void profile_end(struct profile *p, enum profile_table table);

#endif
