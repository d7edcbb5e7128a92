/*
 * test_profile.c - a thread that is told to say where it is.
 */
#include "config.h"

#include "profile.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "inboard.h"
#include "profiler.h"
#include "route.h"
#include "sampler.h"
#include "unit.h"

static struct profile *profile;
static _Atomic bool must_stop;
static _Atomic pid_t busy_tid;
static _Atomic int last_errno;

static int begin(void **state)
{
	UNUSED(state);
	profile = profile_new(0);
	if (!profile)
		return -1;
	profile_install(profile);
	return 0;
}

/* Works, and can be found by its name on the stack. */
static __attribute__((noinline)) void *busy(void *arg)
{
	volatile uint64_t n = 0;

	UNUSED(arg);
	prctl(PR_SET_NAME, "busy");
	profile_allow();
	busy_tid = gettid();
	errno = 12345;
	while (!must_stop)
		n++;
	last_errno = errno;
	return NULL;
}

static void send_sample(pid_t tid, int code, int value)
{
	siginfo_t info = { .si_signo = SIGPROF, .si_code = code };

	info.si_value.sival_int = value;
	assert_int_equal(
		syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, SIGPROF, &info),
		0);
}

struct seen {
	uint64_t nr;
	bool has_busy; /* the innermost function is busy() */
	struct stack last;
};

static void see(void *ctx, const struct stack *stack, uint64_t count)
{
	struct seen *seen = ctx;
	uintptr_t at = stack->nr ? stack->frames[0] : 0;

	seen->nr += count;
	seen->has_busy |= at >= (uintptr_t)busy && at < (uintptr_t)busy + 512;
	seen->last = *stack;
}

static struct seen look(enum profile_table table)
{
	struct seen seen = { .nr = 0 };

	stacktable_each(&profile->tables[table], see, &seen);
	return seen;
}

static void wait_for_samples(pid_t tid, enum profile_table table, uint64_t nr)
{
	for (int i = 0; i < 60000 && look(table).nr < nr; i++) {
		send_sample(tid, SI_QUEUE, (int)table);
		usleep(1000);
	}
	assert_true(look(table).nr >= nr);
}

static void test_samples(void **state)
{
	static _Atomic uint32_t route = 1;
	pthread_t thread;
	struct seen seen;

	UNUSED(state);
	profile_file_under("heavy", &route);
	assert_int_equal(pthread_create(&thread, NULL, busy, NULL), 0);
	while (!busy_tid)
		usleep(100);
	profile_begin(profile, PROFILE_EVEN);
	wait_for_samples(busy_tid, PROFILE_EVEN, 20);
	seen = look(PROFILE_EVEN);
	assert_true(seen.has_busy);
	assert_string_equal(seen.last.role, "heavy");
	assert_string_equal(seen.last.endpoint, route_at(1)->name);
	assert_string_equal(seen.last.thread, "busy");
	/* only the table that is meant, and only while it is on */
	assert_int_equal(look(PROFILE_SESSION).nr, 0);
	send_sample(busy_tid, SI_QUEUE, PROFILE_ODD);
	send_sample(busy_tid, SI_QUEUE, PROFILE_TABLES);
	send_sample(busy_tid, SI_QUEUE, -1);
	send_sample(busy_tid, SI_QUEUE, 1 << 30);
	profile_begin(profile, PROFILE_SESSION);
	for (int i = 0; i < 50; i++) {
		/* not from a sampler */
		syscall(SYS_tgkill, getpid(), (pid_t)busy_tid, SIGPROF);
		usleep(500);
	}
	assert_int_equal(look(PROFILE_SESSION).nr, 0);
	assert_int_equal(look(PROFILE_ODD).nr, 0);
	wait_for_samples(busy_tid, PROFILE_SESSION, 5);
	profile_end(profile, PROFILE_EVEN);
	profile_end(profile, PROFILE_SESSION);
	seen = look(PROFILE_SESSION);
	for (int i = 0; i < 50; i++) {
		send_sample(busy_tid, SI_QUEUE, PROFILE_SESSION);
		usleep(500);
	}
	assert_int_equal(look(PROFILE_SESSION).nr, seen.nr);
	must_stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(last_errno, 12345);
}

/* What comes while it is not allowed is one sample at most, later. */
static void test_forbidden(void **state)
{
	UNUSED(state);
	profile_forbid();
	profile_begin(profile, PROFILE_ODD);
	for (int i = 0; i < 10; i++)
		send_sample(gettid(), SI_QUEUE, PROFILE_ODD);
	assert_int_equal(look(PROFILE_ODD).nr, 0);
	profile_allow();
	profile_forbid();
	assert_true(look(PROFILE_ODD).nr <= 1);
	profile_end(profile, PROFILE_ODD);
	profile_begin(profile, PROFILE_ODD);
	assert_int_equal(look(PROFILE_ODD).nr, 0);
	profile_end(profile, PROFILE_ODD);
}

/* The sampler sends to who runs an answer, and to nobody else. */
static void test_sampler(void **state)
{
	struct scoreboard *board = new_board(2, 1);
	struct slot_info *slot = scoreboard_worker(board, 0);
	struct sampler sampler;
	pthread_t thread;

	UNUSED(state);
	must_stop = false;
	assert_int_equal(pthread_create(&thread, NULL, busy, NULL), 0);
	slot->owner = owner_self();
	slot_enter(slot, SLOT_IDLE);
	profile_begin(profile, PROFILE_SESSION);
	sampler_init(&sampler, board, PROFILE_SESSION, 500);
	for (int i = 0; i < 10; i++)
		sampler_tick(&sampler);
	assert_int_equal(sampler.nr_signals, 0);
	slot_enter(slot, SLOT_LIGHT);
	for (int i = 0; i < 20000 && look(PROFILE_SESSION).nr < 20; i++)
		sampler_tick(&sampler);
	assert_true(sampler.nr_signals >= 20);
	assert_true(look(PROFILE_SESSION).has_busy);
	/* What is on its way to the thread ends with it. */
	must_stop = true;
	pthread_join(thread, NULL);
	/* who has no handler would die of it */
	signal(SIGPROF, SIG_DFL);
	sampler_release(&sampler);
	sampler_init(&sampler, board, PROFILE_SESSION, 500);
	for (int i = 0; i < 10; i++)
		sampler_tick(&sampler);
	assert_int_equal(sampler.nr_signals, 0);
	sampler_release(&sampler);
	profile_end(profile, PROFILE_SESSION);
}

static bool is_gone(void *ctx)
{
	UNUSED(ctx);
	return true;
}

/* What one with our number began is over, unless it is us. */
static void test_session_of_another(void **state)
{
	struct shared shared = { .profile = profile, .board = new_board(1, 1) };
	struct profiler_session session = { .hz = 1, .is_gone = is_gone };
	struct errmsg e;
	struct text out;

	UNUSED(state);
	text_init(&out, (size_t)1 << 20);
	profile->session = owner_self();
	assert_int_equal(profiler_sample(&shared, &session, &out, &e),
			 ERR_BUSY);
	profile->session = owner_self() ^ 1;
	assert_int_equal(profiler_sample(&shared, &session, &out, &e), ERR_OK);
	assert_int_equal(profile->session, OWNER_NONE);
	text_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_sampler),
		cmocka_unit_test(test_session_of_another),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
