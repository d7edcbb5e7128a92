/*
 * numset.h - a set of numbers below a limit, that knows which comes next.
 *
 * A bit a number, and above each 64 words a word that says which of them are
 * not empty, up to a single one: whatever is done takes a step a level, of
 * which there are four for ten million numbers.
 *
 * Owner: all is in the arena.
 */
#ifndef BASE_NUMSET_H
#define BASE_NUMSET_H

#include <stdint.h>

#include "base/arena.h"

#define NUMSET_NONE   UINT32_MAX
#define NUMSET_LEVELS 6

struct numset {
	uint64_t *words[NUMSET_LEVELS];
	uint32_t nr_words[NUMSET_LEVELS];
	int nr_levels;
};

/* An empty one, of numbers below limit. */
void numset_init(struct numset *set, struct arena *a, uint32_t limit);

void numset_add(struct numset *set, uint32_t nr);
void numset_remove(struct numset *set, uint32_t nr);

/* The least that is not below from, or NUMSET_NONE. */
uint32_t numset_next(const struct numset *set, uint32_t from);

#endif
