/*
 * test_threads.c - every member of a team works once, and hears no signal.
 */
#include "config.h"

#include "base/threads.h"

#include <signal.h>
#include <stdatomic.h>

#include "unit.h"

static atomic_int calls[TEAM_MAX + 1];
static atomic_int nr_open; /* threads that would take a signal */
static pthread_t caller;

static void run(void *ctx, int member)
{
	sigset_t set;

	assert_ptr_equal(ctx, calls);
	atomic_fetch_add(&calls[member], 1);
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	if (!sigismember(&set, SIGTERM))
		atomic_fetch_add(&nr_open, 1);
	if (pthread_equal(caller, pthread_self()))
		assert_int_equal(member, 0);
}

static void test_team(void **state)
{
	UNUSED(state);
	caller = pthread_self();
	for (int nr = 1; nr <= TEAM_MAX + 3; nr++) {
		int expected = nr < TEAM_MAX ? nr : TEAM_MAX;

		memset(calls, 0, sizeof(calls));
		atomic_store(&nr_open, 0);
		team_run(nr, run, calls);
		for (int i = 0; i <= TEAM_MAX; i++)
			assert_int_equal(calls[i], i < expected);
		assert_int_equal(nr_open, 1);
	}
}

/* Of nobody the caller is left. */
static void test_alone(void **state)
{
	UNUSED(state);
	caller = pthread_self();
	memset(calls, 0, sizeof(calls));
	team_run(0, run, calls);
	assert_int_equal(calls[0], 1);
}

static void test_cores(void **state)
{
	UNUSED(state);
	assert_int_equal(cores_at_most(1), 1);
	assert_in_range(cores_at_most(64), 1, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_team),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_cores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
