/*
 * test_scoreboard.c - slots that are owned by processes, some of them dead.
 */
#include "config.h"

#include "scoreboard.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "unit.h"

#define NR_WORKERS 2
#define NR_HEAVY   3

static struct scoreboard *board;

static int begin(void **state)
{
	UNUSED(state);
	board = scoreboard_new(NR_WORKERS, NR_HEAVY);
	return board ? 0 : -1;
}

static int end(void **state)
{
	UNUSED(state);
	return munmap(board, sizeof(*board));
}

/* The number of a process that is no more. */
static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void test_taking(void **state)
{
	struct slot_info *taken[NR_HEAVY];
	pid_t self = getpid();

	UNUSED(state);
	for (uint32_t i = 0; i < NR_HEAVY; i++) {
		taken[i] = scoreboard_take_heavy(board, self);
		assert_ptr_equal(taken[i], scoreboard_heavy(board, i));
		assert_int_equal(taken[i]->state, SLOT_HEAVY);
		assert_int_equal(scoreboard_count(board, SLOT_HEAVY), i + 1);
	}
	assert_null(scoreboard_take_heavy(board, self));
	slot_free(taken[1]);
	assert_int_equal(taken[1]->state, SLOT_FREE);
	assert_int_equal(scoreboard_count(board, SLOT_HEAVY), NR_HEAVY - 1);
	assert_ptr_equal(scoreboard_take_heavy(board, self), taken[1]);
	for (uint32_t i = 0; i < NR_HEAVY; i++)
		slot_free(taken[i]);
	assert_int_equal(scoreboard_count(board, SLOT_HEAVY), 0);
}

/* What the dead hold is free for whoever asks; what the living hold is not. */
static void test_the_dead(void **state)
{
	pid_t dead = dead_pid();
	struct slot_info *slot;

	UNUSED(state);
	for (uint32_t i = 0; i < NR_HEAVY; i++)
		assert_non_null(scoreboard_take_heavy(board,
						      i ? dead : getpid()));
	slot = scoreboard_take_heavy(board, getpid());
	assert_ptr_equal(slot, scoreboard_heavy(board, 1));
	assert_int_equal(scoreboard_heavy(board, 2)->pid, 0);
	scoreboard_sweep_heavy(board);
	assert_int_equal(scoreboard_heavy(board, 0)->pid, getpid());
	assert_int_equal(scoreboard_heavy(board, 1)->pid, getpid());
	slot_free(scoreboard_heavy(board, 0));
	slot_free(scoreboard_heavy(board, 1));
}

/* Somebody who comes late to free a dead one's slot finds another's there. */
static void test_free_of_another(void **state)
{
	pid_t dead = dead_pid();
	struct slot_info *slot = scoreboard_take_heavy(board, dead);

	UNUSED(state);
	slot_free_of(slot, dead);
	assert_int_equal(slot->pid, 0);
	assert_int_equal(scoreboard_count(board, SLOT_HEAVY), 0);
	assert_ptr_equal(scoreboard_take_heavy(board, getpid()), slot);
	slot_free_of(slot, dead);
	assert_int_equal(slot->pid, getpid());
	assert_int_equal(slot->state, SLOT_HEAVY);
	slot_free(slot);
}

/* A slot that its owner died in long ago is as young as its next owner. */
static void test_time_of_a_taken_slot(void **state)
{
	pid_t dead = dead_pid();
	struct slot_info *slot = scoreboard_take_heavy(board, dead);
	int64_t before_us = scoreboard_now();

	UNUSED(state);
	slot->since_us = 1;
	scoreboard_sweep_heavy(board);
	assert_int_equal(slot->pid, 0);
	assert_ptr_equal(scoreboard_take_heavy(board, getpid()), slot);
	assert_true(slot->since_us >= before_us);
	slot_free(slot);
}

static void test_workers(void **state)
{
	struct slot_info *slot = scoreboard_worker(board, 1);
	int64_t before_us = scoreboard_now();

	UNUSED(state);
	assert_int_equal(scoreboard_workers(board), 0);
	slot->pid = getpid();
	slot_enter(slot, SLOT_LIGHT);
	slot->endpoint = "cut";
	assert_int_equal(scoreboard_workers(board), 1);
	assert_int_equal(scoreboard_count(board, SLOT_LIGHT), 1);
	assert_int_equal(scoreboard_count(board, SLOT_IDLE), 0);
	assert_true(slot->since_us >= before_us);
	slot_enter(slot, SLOT_IDLE);
	assert_null((const char *)slot->endpoint);
	slot_free(slot);
	assert_int_equal(scoreboard_workers(board), 0);
	assert_int_equal(scoreboard_count(board, SLOT_IDLE), 0);
}

/* Takes and frees at random, dying now and then with what it holds. */
static void struggle(uint64_t seed)
{
	for (int i = 0; i < 300; i++) {
		struct slot_info *slot = scoreboard_take_heavy(board,
							       getpid());

		if (!slot)
			continue;
		/* Nobody else may have it while we do. */
		if (slot->method != 0)
			_exit(1);
		slot->method = 1;
		if (unit_random(&seed) % 3 == 0)
			usleep((useconds_t)(unit_random(&seed) % 50));
		if (slot->pid != getpid() || slot->method != 1)
			_exit(1);
		slot->method = 0;
		if (unit_random(&seed) % 50 == 0)
			_exit(0);
		slot_free(slot);
	}
	_exit(0);
}

static void test_struggle(void **state)
{
	int running = 0;

	UNUSED(state);
	for (uint64_t i = 0; i < 200 || running; i++) {
		int status;

		if (i < 200) {
			pid_t pid = fork();

			if (pid == 0)
				struggle(i);
			assert_true(pid > 0);
			running++;
		}
		if (running < 8 && i < 200)
			continue;
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		running--;
	}
	scoreboard_sweep_heavy(board);
	for (uint32_t i = 0; i < NR_HEAVY; i++)
		assert_int_equal(scoreboard_heavy(board, i)->pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taking),
		cmocka_unit_test(test_the_dead),
		cmocka_unit_test(test_free_of_another),
		cmocka_unit_test(test_time_of_a_taken_slot),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_struggle),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
