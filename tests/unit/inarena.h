/*
 * inarena.h - an arena for all tests of a program, and its directory (unit.h):
 * set up by begin_arena() and let go by end_arena().
 */
#ifndef TESTS_UNIT_INARENA_H
#define TESTS_UNIT_INARENA_H

#include "base/arena.h"
#include "unit.h"

static struct arena arena;

static int begin_arena(void **state)
{
	arena_init(&arena);
	return unit_begin(state);
}

static int end_arena(void **state)
{
	arena_release(&arena);
	return unit_end(state);
}

#endif
