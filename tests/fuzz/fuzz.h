/*
 * fuzz.h - what the fuzzers share.
 *
 * Inputs are copied to blocks of exactly their size, so that the sanitizer
 * sees a read past them.  A property that does not hold is a BUG().
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* 2026-11-07T00:00:00Z */
#define FUZZ_HOUR ((int64_t)1794009600 * 1000000)

#define MUST(condition) \
	do { \
		if (!(condition)) \
			BUG("'%s' does not hold", #condition); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of len bytes; free() it. */
static inline void *fuzz_copy(const void *data, size_t len)
{
	void *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	return copy;
}

/* The same with a NUL behind. */
static inline char *fuzz_text(const void *data, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

#endif
