/*
 * mem.h - memory that is there.
 *
 * Small allocations do not fail here: without memory there is nothing sensible
 * left to do for a request, so the process says so and exits, and the master
 * starts another.  Anything whose size comes from outside is bounded before it
 * reaches these functions.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/compiler.h"

/* Never NULL, not even for a size of 0. */
void *mem_alloc(size_t size) MUST_CHECK;
void *mem_zero(size_t size) MUST_CHECK;
void *mem_resize(void *ptr, size_t size) MUST_CHECK;
char *mem_strdup(const char *text) MUST_CHECK;

#endif
