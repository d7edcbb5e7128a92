/*
 * test_lograte.c - what is held back, under a clock of our own.
 */
#include "config.h"

#include "base/lograte.h"

#include "unit.h"

#define SECOND ((int64_t)1000 * 1000)

static const char file[] = "file.c";
static struct lograte rate;
static uint32_t repeated;
static struct lograte_place *held;
static struct lograte_place due;

static bool admits(int line, int64_t now_us)
{
	return lograte_admits(&rate, file, line, now_us, &repeated, &held);
}

static void test_window(void **state)
{
	UNUSED(state);
	lograte_init(&rate);
	for (int i = 0; i < LOGRATE_LINES; i++) {
		assert_true(admits(1, 100 + i));
		assert_int_equal(repeated, 0);
	}
	for (int i = 0; i < 37; i++)
		assert_false(admits(1, 100 + i * SECOND / 10));
	assert_int_equal(held->nr_held, 37);
	/* Another place has a window of its own. */
	assert_true(admits(2, 100));
	/* The last moment of the window, and the first of the next. */
	assert_false(admits(1, 99 + LOGRATE_WINDOW_US));
	assert_false(lograte_take_due(&rate, 99 + LOGRATE_WINDOW_US, &due));
	assert_true(admits(1, 100 + LOGRATE_WINDOW_US));
	assert_int_equal(repeated, 38);
	assert_false(lograte_take_due(&rate, INT64_MAX, &due));
	assert_true(admits(1, 101 + LOGRATE_WINDOW_US));
	assert_int_equal(repeated, 0);
}

static void test_due(void **state)
{
	UNUSED(state);
	lograte_init(&rate);
	for (int i = 0; i < LOGRATE_LINES + 5; i++)
		if (!admits(1, 0)) {
			held->level = 3;
			snprintf(held->text, sizeof(held->text), "no %d", i);
		}
	assert_false(lograte_take_due(&rate, LOGRATE_WINDOW_US - 1, &due));
	assert_true(lograte_take_due(&rate, LOGRATE_WINDOW_US, &due));
	assert_ptr_equal(due.file, file);
	assert_int_equal(due.line, 1);
	assert_int_equal(due.nr_held, 5);
	assert_int_equal(due.level, 3);
	assert_string_equal(due.text, "no 14");
	assert_false(lograte_take_due(&rate, LOGRATE_WINDOW_US, &due));
	/* It was told: nothing is left for its next line to tell. */
	assert_true(admits(1, 2 * LOGRATE_WINDOW_US));
	assert_int_equal(repeated, 0);
	/* At the end, windows do not count. */
	for (int i = 0; i < LOGRATE_LINES; i++)
		(void)admits(1, 2 * LOGRATE_WINDOW_US);
	assert_true(lograte_take_due(&rate, INT64_MAX, &due));
	assert_int_equal(due.nr_held, 1);
}

/* More places than there is room for are let through, until there is room. */
static void test_places(void **state)
{
	UNUSED(state);
	lograte_init(&rate);
	for (int line = 1; line <= LOGRATE_PLACES; line++)
		for (int i = 0; i <= LOGRATE_LINES; i++)
			assert_int_equal(admits(line, 0), i < LOGRATE_LINES);
	for (int i = 0; i < 100; i++)
		assert_true(admits(1000, 0));
	assert_true(lograte_take_due(&rate, LOGRATE_WINDOW_US, &due));
	for (int i = 0; i <= LOGRATE_LINES; i++)
		assert_int_equal(admits(1000, LOGRATE_WINDOW_US),
				 i < LOGRATE_LINES);
}

/* What was said is what was written and what was told, whatever happens. */
static void test_sum(void **state)
{
	uint64_t seed = 7, said = 0, told = 0;
	int64_t now_us = 0;

	UNUSED(state);
	lograte_init(&rate);
	for (int i = 0; i < 200000; i++) {
		int line = 1 + (int)(unit_random(&seed) % 80);

		now_us += (int64_t)(unit_random(&seed) % (SECOND / 100));
		said++;
		if (admits(line, now_us))
			told += 1 + repeated;
		if (unit_random(&seed) % 100 == 0)
			while (lograte_take_due(&rate, now_us, &due))
				told += due.nr_held;
		assert_true(told <= said);
	}
	assert_true(told < said);
	while (lograte_take_due(&rate, INT64_MAX, &due))
		told += due.nr_held;
	assert_int_equal(told, said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
