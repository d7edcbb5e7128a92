/*
 * test_stacktable.c - counting by many processes, some of which die of it.
 */
#include "config.h"

#include "profile/stacktable.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "unit.h"

#define NR_PROCESSES 4
#define NR_ADDED     20000

static struct stacktable *table;

static int begin(void **state)
{
	UNUSED(state);
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return table == MAP_FAILED ? -1 : 0;
}

static int end(void **state)
{
	UNUSED(state);
	return munmap(table, sizeof(*table));
}

static struct stack make(uintptr_t first, uint32_t nr)
{
	struct stack stack = { .role = "r", .thread = "t", .nr = nr };

	for (uint32_t i = 0; i < nr; i++)
		stack.frames[i] = first + i;
	return stack;
}

struct seen {
	uint64_t nr;
	uint64_t total;
	uint64_t nr_wrong; /* not of the form that make() gives */
	struct stack last;
};

static void see(void *ctx, const struct stack *stack, uint64_t count)
{
	struct seen *seen = ctx;

	seen->nr++;
	seen->total += count;
	for (uint32_t i = 1; i < stack->nr; i++)
		seen->nr_wrong += stack->frames[i] != stack->frames[0] + i;
	seen->last = *stack;
}

static struct seen look(void)
{
	struct seen seen = { .nr = 0 };

	stacktable_each(table, see, &seen);
	assert_int_equal(seen.nr_wrong, 0);
	return seen;
}

static void test_keys(void **state)
{
	struct stack stack = make(100, 3);

	UNUSED(state);
	for (int i = 0; i < 5; i++)
		stacktable_add(table, &stack);
	assert_int_equal(look().nr, 1);
	assert_int_equal(look().total, 5);
	assert_int_equal(look().last.nr, 3);
	assert_string_equal(look().last.thread, "t");
	/* each part of a stack makes it another */
	stack.nr = 2;
	stacktable_add(table, &stack);
	assert_int_equal(look().nr, 2);
	stack.thread[0] = 'u';
	stacktable_add(table, &stack);
	assert_int_equal(look().nr, 3);
	stack.endpoint = "cut";
	stacktable_add(table, &stack);
	assert_int_equal(look().nr, 4);
	stack.role = "s";
	stacktable_add(table, &stack);
	assert_int_equal(look().nr, 5);
	stack = make(100, STACKTABLE_DEPTH);
	stacktable_add(table, &stack);
	stack = make(100, 0);
	stacktable_add(table, &stack);
	assert_int_equal(look().nr, 7);
	assert_int_equal(look().total, 11);
	stacktable_clear(table);
	assert_int_equal(look().nr, 0);
}

/* What does not fit is counted, and nothing before it is lost. */
static void test_full(void **state)
{
	const uint64_t nr = 4 * STACKTABLE_SIZE;
	struct seen seen;

	UNUSED(state);
	for (uint64_t i = 0; i < nr; i++) {
		struct stack stack = make(1000 * (i + 1), 4);

		stacktable_add(table, &stack);
	}
	seen = look();
	print_message("# %llu of %d entries used\n",
		      (unsigned long long)seen.nr, STACKTABLE_SIZE);
	assert_true(seen.nr > STACKTABLE_SIZE / 2);
	assert_true(table->nr_lost > 0);
	assert_int_equal(seen.total + table->nr_lost, nr);
	stacktable_clear(table);
	assert_int_equal(table->nr_lost, 0);
}

static void add_many(uint64_t seed)
{
	for (int i = 0; i < NR_ADDED; i++) {
		struct stack stack =
			make(1000 * (1 + unit_random(&seed) % 500), 30);

		stacktable_add(table, &stack);
	}
	_exit(0);
}

static void test_processes(void **state)
{
	UNUSED(state);
	for (uint64_t i = 0; i < NR_PROCESSES; i++)
		if (fork() == 0)
			add_many(i);
	for (int i = 0; i < NR_PROCESSES; i++) {
		int status;

		look(); /* while they write */
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(look().total, NR_PROCESSES * NR_ADDED);
	assert_int_equal(look().nr, 500);
	stacktable_clear(table);
}

/* Killed anywhere, they leave nothing that cannot be read. */
static void test_killed(void **state)
{
	uint64_t seed = 1;

	UNUSED(state);
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				stacktable_add(
					table,
					&(struct stack[1]){ make(
						1000 * (1 + unit_random(&seed) %
								    5000),
						STACKTABLE_DEPTH) }[0]);
		assert_true(pid > 0);
		usleep((useconds_t)(unit_random(&seed) % 2000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		seed += 7;
		look();
	}
	assert_true(look().total > 0);
	stacktable_clear(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
