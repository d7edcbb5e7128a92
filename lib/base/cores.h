/*
 * cores.h - how many threads to take.
 */
#ifndef BASE_CORES_H
#define BASE_CORES_H

#include <unistd.h>

/* The processors there are, at least 1 and at most max. */
static inline int cores_at_most(int max)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);

	return nr < 1 ? 1 : nr > max ? max : (int)nr;
}

#endif
