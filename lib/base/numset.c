#include "config.h"

#include "base/numset.h"

#define BIT(nr) (UINT64_C(1) << ((nr) % 64))

void numset_init(struct numset *set, struct arena *a, uint32_t limit)
{
	uint32_t nr = limit;

	*set = (struct numset){ .nr_levels = 0 };
	do {
		nr = nr / 64 + (nr % 64 != 0);
		set->nr_words[set->nr_levels] = nr;
		set->words[set->nr_levels++] =
			arena_alloc(a, nr * sizeof(uint64_t));
	} while (nr > 1);
}

void numset_add(struct numset *set, uint32_t nr)
{
	for (int i = 0; i < set->nr_levels; i++) {
		set->words[i][nr / 64] |= BIT(nr);
		nr /= 64;
	}
}

void numset_remove(struct numset *set, uint32_t nr)
{
	for (int i = 0; i < set->nr_levels; i++) {
		set->words[i][nr / 64] &= ~BIT(nr);
		if (set->words[i][nr / 64])
			return;
		nr /= 64;
	}
}

/* Of a number of a level that is in it: the least number that is below it. */
static uint32_t descend(const struct numset *set, int level, uint32_t nr)
{
	while (level--)
		nr = nr * 64 + (uint32_t)__builtin_ctzll(set->words[level][nr]);
	return nr;
}

uint32_t numset_next(const struct numset *set, uint32_t from)
{
	for (int i = 0; i < set->nr_levels; i++) {
		uint32_t at = from / 64;
		uint64_t word;

		if (at >= set->nr_words[i])
			return NUMSET_NONE;
		word = set->words[i][at] & ~(BIT(from) - 1);
		if (word)
			return descend(set, i,
				       at * 64 +
					       (uint32_t)__builtin_ctzll(word));
		from = at + 1;
	}
	return NUMSET_NONE;
}
