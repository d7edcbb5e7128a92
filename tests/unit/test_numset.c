/*
 * test_numset.c - sets of numbers, against a plain table of what is in them.
 */
#include "config.h"

#include "base/numset.h"

#include "inarena.h"

static void check(const struct numset *set, const bool *table, uint32_t limit)
{
	uint32_t next = NUMSET_NONE;

	assert_int_equal(numset_next(set, limit), NUMSET_NONE);
	for (uint32_t i = limit; i--;) {
		if (table[i])
			next = i;
		assert_int_equal(numset_next(set, i), next);
	}
}

static void test_random(void **state)
{
	static const uint32_t limits[] = { 0,	 1,    63,   64,     65,    127,
					   4095, 4096, 4097, 262144, 262145 };
	uint64_t seed = 3;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		uint32_t limit = limits[i];
		bool *table = arena_alloc(&arena, limit);
		struct numset set;

		print_message("# below %u\n", limit);
		numset_init(&set, &arena, limit);
		check(&set, table, limit);
		for (int turn = 0; limit && turn < 500; turn++) {
			/* Some in dense places, some anywhere. */
			uint64_t among = turn % 2 ? limit : limit / 50 + 1;
			uint32_t nr = (uint32_t)(unit_random(&seed) % among);

			table[nr] = unit_random(&seed) % 3 != 0;
			if (table[nr])
				numset_add(&set, nr);
			else
				numset_remove(&set, nr);
			if (turn % 100 == 99)
				check(&set, table, limit);
		}
		for (uint32_t nr = 0; nr < limit; nr++) {
			table[nr] = false;
			numset_remove(&set, nr);
		}
		check(&set, table, limit);
		arena_reset(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
