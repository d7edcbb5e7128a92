/*
 * owner.h - which process something in shared memory belongs to.
 *
 * A number that another process may get as well, after a crash or a year, is
 * no name: an owner is the process's number and when it began, so a new
 * process is never taken for the dead one that had its number.  One word, so
 * that it is taken and given up in one step.
 *
 * Where there is no /proc (--chroot) it is the number alone.
 *
 * Source: proc(5), field 22 of /proc/PID/stat, in ticks since the boot; its
 *         lower 32 bits, which at 100 a second are 497 days.
 */
#ifndef SRC_OWNER_H
#define SRC_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define OWNER_NONE 0

/* This process; looked up once, and again after a fork. */
uint64_t owner_self(void);

/* Another that exists. */
uint64_t owner_of(pid_t pid);

/* Whether it is there and has not ended; what cannot be known is alive. */
bool owner_is_alive(uint64_t owner) MUST_CHECK;

static inline pid_t owner_pid(uint64_t owner)
{
	return (pid_t)(owner >> 32);
}

#endif
