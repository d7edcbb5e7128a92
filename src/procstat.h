/*
 * procstat.h - what /proc tells of a process or a thread.
 *
 * Source: proc(5), /proc/PID/stat and status.
 */
#ifndef SRC_PROCSTAT_H
#define SRC_PROCSTAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct procstat {
	char state;	    /* 'R' runs or could, 'S' sleeps ... */
	uint64_t cpu_ms;    /* of all threads, or of the one */
	uint64_t began;	    /* ticks since the boot */
	uint64_t reaped_ms; /* of children that were waited for */
	uint64_t virtual_bytes;
	uint64_t resident_bytes;
};

/* False if the line is not of the form of a stat file. */
bool procstat_parse(const char *line, struct procstat *stat_r) MUST_CHECK;

/* False if there is no such process, or no /proc. */
bool procstat_of(pid_t pid, struct procstat *stat_r) MUST_CHECK;

/* The state of a thread, 0 if it is not there. */
char procstat_of_thread(pid_t pid, pid_t tid);

/* Whether a process has a handler for a signal. */
bool procstat_catches(pid_t pid, int number);

#endif
