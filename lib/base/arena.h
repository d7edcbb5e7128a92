/*
 * arena.h - memory and cleanups that end together.
 *
 * A request owns an arena; what it allocates there lives until the request
 * ends, and no handler frees anything.  Objects of libraries (descriptors,
 * maps, codec contexts) are held by arena_defer(): register the cleanup first,
 * acquire second, so that no path can miss it.  A cleanup must therefore
 * accept an object that was only half built.
 *
 * Memory of an arena is never kept anywhere that outlives it.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"

struct arena_block;
struct arena_cleanup;

struct arena {
	struct arena_block *blocks;
	struct arena_cleanup *cleanups;
	char *free;
	size_t left;
};

void arena_init(struct arena *a);

/* Runs the cleanups, newest first, and keeps one block for the next use. */
void arena_reset(struct arena *a);

/* As reset, and gives all memory back.  Accepts a zeroed arena. */
void arena_release(struct arena *a);

/* Zeroed, aligned for any type, never NULL. */
void *arena_alloc(struct arena *a, size_t size) MUST_CHECK;
char *arena_strndup(struct arena *a, const char *text, size_t len) MUST_CHECK;
char *arena_printf(struct arena *a, const char *fmt, ...)
	PRINTF_LIKE(2, 3) MUST_CHECK;

/*
 * Room for one more element of size bytes behind nr: the array as it is or,
 * where it is full, a larger copy.
 */
void *arena_grow(struct arena *a, void *array, size_t nr, size_t *capacity,
		 size_t size) MUST_CHECK;

/* Calls fn(ptr) at reset or release. */
void arena_defer(struct arena *a, void (*fn)(void *ptr), void *ptr);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
