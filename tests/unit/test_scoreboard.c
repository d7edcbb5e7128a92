/*
 * test_scoreboard.c - slots that are owned by processes, some of them dead.
 */
#include "config.h"

#include "scoreboard.h"

#include <sys/wait.h>

#include "inboard.h"
#include "unit.h"

#define NR_WORKERS 2
#define NR_HEAVY   3

static struct scoreboard *board;

static int begin(void **state)
{
	UNUSED(state);
	board = new_board(NR_WORKERS, NR_HEAVY);
	return board ? 0 : -1;
}

static int end(void **state)
{
	UNUSED(state);
	return munmap(board, sizeof(*board));
}

/* A process that is no more. */
static uint64_t dead_owner(void)
{
	uint64_t owner;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	owner = owner_of(pid);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return owner;
}

static void test_taking(void **state)
{
	struct slot_info *taken[NR_HEAVY];
	uint64_t self = owner_self();

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
	uint64_t dead = dead_owner();
	struct slot_info *slot;

	UNUSED(state);
	for (uint32_t i = 0; i < NR_HEAVY; i++)
		assert_non_null(
			scoreboard_take_heavy(board, i ? dead : owner_self()));
	slot = scoreboard_take_heavy(board, owner_self());
	assert_ptr_equal(slot, scoreboard_heavy(board, 1));
	assert_int_equal(scoreboard_heavy(board, 2)->owner, 0);
	scoreboard_sweep_heavy(board);
	assert_int_equal(scoreboard_heavy(board, 0)->owner, owner_self());
	assert_int_equal(scoreboard_heavy(board, 1)->owner, owner_self());
	slot_free(scoreboard_heavy(board, 0));
	slot_free(scoreboard_heavy(board, 1));
}

/* Somebody who comes late to free a dead one's slot finds another's there. */
static void test_free_of_another(void **state)
{
	uint64_t dead = dead_owner();
	struct slot_info *slot = scoreboard_take_heavy(board, dead);

	UNUSED(state);
	(void)slot_free_dead(board, slot, dead);
	assert_int_equal(slot->owner, 0);
	assert_int_equal(scoreboard_count(board, SLOT_HEAVY), 0);
	assert_ptr_equal(scoreboard_take_heavy(board, owner_self()), slot);
	(void)slot_free_dead(board, slot, dead);
	assert_int_equal(slot->owner, owner_self());
	assert_int_equal(slot->state, SLOT_HEAVY);
	slot_free(slot);
}

/* What died with a request is counted, once, though the log is not told. */
static void test_lost_is_counted(void **state)
{
	uint64_t dead = dead_owner();

	UNUSED(state);
	board->nr_lost = 0;
	for (int i = 0; i < 4; i++) {
		struct slot_info *slot = scoreboard_take_heavy(board, dead);

		slotnote_write(&slot->note, i < 2 ? "id" : "", "::1", "/");
		if (i == 3)
			slot_enter(slot, SLOT_READING);
		assert_true(slot_free_dead(board, slot, dead));
		assert_false(slot_free_dead(board, slot, dead));
		assert_int_equal(board->nr_lost, i < 1 ? 1 : 2);
	}
}

/* A slot that its owner died in long ago is as young as its next owner. */
static void test_time_of_a_taken_slot(void **state)
{
	uint64_t dead = dead_owner();
	struct slot_info *slot = scoreboard_take_heavy(board, dead);
	int64_t before_us = scoreboard_now();

	UNUSED(state);
	slot->since_us = 1;
	scoreboard_sweep_heavy(board);
	assert_int_equal(slot->owner, 0);
	assert_ptr_equal(scoreboard_take_heavy(board, owner_self()), slot);
	assert_true(slot->since_us >= before_us);
	slot_free(slot);
}

static void test_workers(void **state)
{
	struct slot_info *slot = scoreboard_worker(board, 1);
	int64_t before_us = scoreboard_now();

	UNUSED(state);
	assert_int_equal(scoreboard_workers(board), 0);
	slot->owner = owner_self();
	slot_enter(slot, SLOT_LIGHT);
	slot->route = 3;
	assert_int_equal(scoreboard_workers(board), 1);
	assert_int_equal(scoreboard_count(board, SLOT_LIGHT), 1);
	assert_int_equal(scoreboard_count(board, SLOT_IDLE), 0);
	assert_true(slot->since_us >= before_us);
	slot_enter(slot, SLOT_IDLE);
	assert_int_equal(slot->route, 0);
	slot_free(slot);
	assert_int_equal(scoreboard_workers(board), 0);
	assert_int_equal(scoreboard_count(board, SLOT_IDLE), 0);
}

/* Takes and frees at random, dying now and then with what it holds. */
static void struggle(uint64_t seed)
{
	for (int i = 0; i < 300; i++) {
		struct slot_info *slot =
			scoreboard_take_heavy(board, owner_self());

		if (!slot)
			continue;
		/* Nobody else may have it while we do. */
		if (slot->method != 0)
			_exit(1);
		slot->method = 1;
		if (unit_random(&seed) % 3 == 0)
			usleep((useconds_t)(unit_random(&seed) % 50));
		if (slot->owner != owner_self() || slot->method != 1)
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
	const unsigned nr = unit_rounds(200);
	int running = 0;

	UNUSED(state);
	for (uint64_t i = 0; i < nr || running; i++) {
		int status;

		if (i < nr) {
			pid_t pid = fork();

			if (pid == 0)
				struggle(i);
			assert_true(pid > 0);
			running++;
		}
		if (running < 8 && i < nr)
			continue;
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		running--;
	}
	scoreboard_sweep_heavy(board);
	for (uint32_t i = 0; i < NR_HEAVY; i++)
		assert_int_equal(scoreboard_heavy(board, i)->owner, 0);
}

/* A new process with the number of a dead one has none of what that had. */
static void test_reused_number(void **state)
{
	uint64_t self = owner_self();
	uint64_t earlier = self - 1;
	struct slot_info *slot;

	UNUSED(state);
	assert_int_equal(owner_pid(self), getpid());
	assert_true((uint32_t)self != 0);
	assert_true(owner_is_alive(self));
	assert_true(owner_is_alive((uint64_t)getpid() << 32));
	assert_false(owner_is_alive(earlier));
	assert_int_equal(owner_of(getpid()), self);
	for (uint32_t i = 0; i < NR_HEAVY; i++)
		assert_non_null(scoreboard_take_heavy(board, earlier));
	board->full.nr = 1;
	assert_true(places_take(&board->full, earlier));
	slot = scoreboard_take_heavy(board, self);
	assert_non_null(slot);
	assert_true(places_take(&board->full, self));
	assert_false(places_take(&board->full, self));
	scoreboard_free_of(board, getpid()); /* it lives */
	assert_int_equal(slot->owner, self);
	assert_int_equal(places_count(&board->full), 1);
	places_free_of(&board->full, earlier);
	assert_int_equal(places_count(&board->full), 1);
	places_free_of(&board->full, self);
	assert_int_equal(places_count(&board->full), 0);
	slot_free(slot);
}

static void test_zombie(void **state)
{
	pid_t pid = fork();
	siginfo_t info;
	uint64_t owner;

	UNUSED(state);
	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	owner = owner_of(pid);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(owner_is_alive(owner));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(owner_is_alive(owner));
}

/* Where there is no master, who comes sweeps, and CPU time is not lost. */
static void test_workers_without_master(void **state)
{
	uint64_t dead = dead_owner();

	UNUSED(state);
	board->master = 0;
	for (uint32_t i = 0; i < NR_WORKERS; i++)
		assert_ptr_equal(scoreboard_take_worker(board, owner_self()),
				 scoreboard_worker(board, i));
	assert_null(scoreboard_take_worker(board, owner_self()));
	scoreboard_worker(board, 1)->owner = dead;
	scoreboard_worker(board, 1)->cpu_ms = 70;
	assert_ptr_equal(scoreboard_take_worker(board, owner_self()),
			 scoreboard_worker(board, 1));
	assert_int_equal(board->cpu_ms_gone, 70);
	scoreboard_worker(board, 1)->owner = dead;
	board->master = getpid();
	scoreboard_sweep(board);
	assert_int_equal(scoreboard_workers(board), NR_WORKERS);
	board->master = 0;
	scoreboard_sweep(board);
	assert_int_equal(scoreboard_workers(board), 1);
	slot_free(scoreboard_worker(board, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taking),
		cmocka_unit_test(test_the_dead),
		cmocka_unit_test(test_free_of_another),
		cmocka_unit_test(test_lost_is_counted),
		cmocka_unit_test(test_time_of_a_taken_slot),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_reused_number),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test(test_workers_without_master),
		cmocka_unit_test(test_struggle),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
