/*
 * test_procstat.c - lines of /proc, and what is none.
 */
#include "config.h"

#include "procstat.h"

#include <signal.h>

#include "unit.h"

#define REST " 1 2 3 4 5 6 7 8 9 10 100 200 7 8 20 0 1 0 999 4096000 10 18446"

static void test_good(void **state)
{
	static const char *const names[] = { "(cat)", "(a) R b)", "()", "(:-))",
					     "(((((((((((((((()" };
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct procstat stat;
		char line[256];

		snprintf(line, sizeof(line), "42 %s S" REST "\n", names[i]);
		print_message("# %s\n", names[i]);
		assert_true(procstat_parse(line, &stat));
		assert_int_equal(stat.state, 'S');
		assert_int_equal(stat.cpu_ms, 300 * 1000 / ticks);
		assert_int_equal(stat.reaped_ms, 15 * 1000 / ticks);
		assert_int_equal(stat.virtual_bytes, 4096000);
		assert_int_equal(stat.resident_bytes,
				 10 * sysconf(_SC_PAGESIZE));
	}
}

static void test_bad(void **state)
{
	static const char *const lines[] = {
		"",
		"42 (cat",
		"42 cat S 1 2 3",
		"42 (cat)",
		"42 (cat) S",
		"42 (cat) S 1 2 3 4 5 6 7 8 9 10 100 200 7 8 20 0 1 0 999 4096",
		"42 (cat) S 1 2 3 4 5 6 7 8 9 10 a 200 7 8 20 0 1 0 999 1 1",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct procstat stat = { .cpu_ms = UNIT_UNTOUCHED };

		print_message("# '%s'\n", lines[i]);
		assert_false(procstat_parse(lines[i], &stat));
		assert_int_equal(stat.cpu_ms, UNIT_UNTOUCHED);
	}
}

static void on_signal(int number)
{
	UNUSED(number);
}

static void test_self(void **state)
{
	struct procstat stat;

	UNUSED(state);
	assert_true(procstat_of(getpid(), &stat));
	assert_int_equal(stat.state, 'R');
	assert_true(stat.virtual_bytes >= stat.resident_bytes);
	assert_int_equal(procstat_of_thread(getpid(), getpid()), 'R');
	assert_int_equal(procstat_of_thread(getpid(), 1 << 30), 0);
	assert_false(procstat_of(1 << 30, &stat));
	signal(SIGPROF, SIG_DFL);
	assert_false(procstat_catches(getpid(), SIGPROF));
	signal(SIGPROF, SIG_IGN);
	assert_false(procstat_catches(getpid(), SIGPROF));
	signal(SIGPROF, on_signal);
	assert_true(procstat_catches(getpid(), SIGPROF));
	signal(SIGPROF, SIG_DFL);
	assert_false(procstat_catches(1 << 30, SIGPROF));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
