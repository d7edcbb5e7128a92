/*
 * test_arena.c - memory that is zeroed, aligned, and ends together.
 */
#include "config.h"

#include "base/arena.h"

#include "unit.h"

static void test_alloc(void **state)
{
	static const size_t sizes[] = { 0,     1,      7,     8,     15,
					16,    17,     100,   4095,  4096,
					4097,  8192,   16383, 16384, 16385,
					70000, 1000000 };
	struct arena a;
	char *previous = NULL;

	UNUSED(state);
	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *p = arena_alloc(&a, sizes[i]);

			print_message("# %zu bytes\n", sizes[i]);
			assert_non_null(p);
			assert_ptr_not_equal(p, previous);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t),
					 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xbd, sizes[i]);
			previous = p;
		}
		arena_reset(&a);
	}
	arena_release(&a);
	assert_null(a.blocks);
}

/* Nothing at all is still a place of its own. */
static void test_alloc_nothing(void **state)
{
	struct arena a;
	char *p;

	UNUSED(state);
	arena_init(&a);
	p = arena_alloc(&a, 0);
	assert_non_null(p);
	assert_ptr_not_equal(p, arena_alloc(&a, 0));
	arena_release(&a);
}

static void test_many_small(void **state)
{
	struct arena a;
	unsigned char *all[5000];

	UNUSED(state);
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = arena_alloc(&a, i % 50 + 1);
		memset(all[i], (int)(i & 255), i % 50 + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t k = 0; k <= i % 50; k++)
			assert_int_equal(all[i][k], i & 255);
	arena_release(&a);
	arena_release(&a);
}

static void test_grow(void **state)
{
	struct arena a;
	size_t capacity = 0;
	int *numbers = NULL;

	UNUSED(state);
	arena_init(&a);
	for (int i = 0; i < 1000; i++) {
		int *before = numbers;
		bool is_full = (size_t)i == capacity;

		numbers = arena_grow(&a, numbers, (size_t)i, &capacity,
				     sizeof(*numbers));
		assert_true(capacity > (size_t)i);
		assert_int_equal(numbers != before, is_full);
		numbers[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	arena_release(&a);
}

static void test_text(void **state)
{
	struct arena a;
	char *big;

	UNUSED(state);
	arena_init(&a);
	assert_string_equal(arena_strndup(&a, "hello", 3), "hel");
	assert_string_equal(arena_strndup(&a, "", 0), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 12, "x"), "12-x");
	assert_string_equal(arena_printf(&a, "%s", ""), "");
	big = arena_printf(&a, "%50000d", 1);
	assert_int_equal(strlen(big), 50000);
	arena_release(&a);
}

struct note {
	int *counter;
	int order;
	struct arena *arena;
};

static void run_note(void *ptr)
{
	struct note *note = ptr;

	note->order = ++*note->counter;
}

static void test_cleanups(void **state)
{
	int counter = 0;
	struct note notes[3];
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		notes[i] = (struct note){ .counter = &counter };
		arena_defer(&a, run_note, &notes[i]);
	}
	assert_int_equal(counter, 0);
	arena_reset(&a);
	assert_int_equal(counter, 3);
	assert_int_equal(notes[0].order, 3); /* newest first */
	assert_int_equal(notes[2].order, 1);
	arena_reset(&a); /* once only */
	assert_int_equal(counter, 3);
	arena_defer(&a, run_note, &notes[0]);
	arena_release(&a);
	assert_int_equal(counter, 4);
}

/* A cleanup may still use what the arena holds. */
static void read_arena(void *ptr)
{
	struct note *note = ptr;

	assert_int_equal(note->order, 77);
	*note->counter = 1;
}

static void test_cleanup_sees_memory(void **state)
{
	int done = 0;
	struct arena a;
	struct note *note;

	UNUSED(state);
	arena_init(&a);
	note = ARENA_NEW(&a, struct note);
	note->order = 77;
	note->counter = &done;
	arena_defer(&a, read_arena, note);
	arena_release(&a);
	assert_int_equal(done, 1);
}

static void test_release_of_zeroed(void **state)
{
	struct arena a = { 0 };

	UNUSED(state);
	arena_release(&a);
	arena_reset(&a);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_alloc_nothing),
		cmocka_unit_test(test_many_small),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_cleanups),
		cmocka_unit_test(test_cleanup_sees_memory),
		cmocka_unit_test(test_release_of_zeroed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
