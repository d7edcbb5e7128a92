#include "config.h"

#include "scoreboard.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

struct scoreboard *scoreboard_new(uint32_t nr_workers, uint32_t nr_heavy)
{
	size_t size = sizeof(struct scoreboard) +
		      (nr_workers + nr_heavy) * sizeof(struct slot_info);
	struct scoreboard *b = mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		return NULL;
	b->nr_workers = nr_workers;
	b->nr_heavy = nr_heavy;
	return b;
}

int64_t scoreboard_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

void slot_enter(struct slot_info *slot, enum slot_state state)
{
	slot->since_us = scoreboard_now();
	slot->state = (int)state;
	if (state == SLOT_IDLE || state == SLOT_READING)
		slot->endpoint = NULL;
}

void slot_free(struct slot_info *slot)
{
	slot->endpoint = NULL;
	slot->state = SLOT_FREE;
	slot->pid = 0;
}

void slot_free_of(struct slot_info *slot, pid_t pid)
{
	atomic_compare_exchange_strong(&slot->pid, &pid, 0);
}

void scoreboard_free_of(struct scoreboard *b, pid_t pid)
{
	for (uint32_t i = 0; i < b->nr_heavy; i++)
		slot_free_of(scoreboard_heavy(b, i), pid);
	places_free_of(&b->edges, pid);
	places_free_of(&b->full, pid);
}

static struct slot_info *try_take(struct scoreboard *b, pid_t pid)
{
	for (uint32_t i = 0; i < b->nr_heavy; i++) {
		struct slot_info *slot = scoreboard_heavy(b, i);
		pid_t free_pid = 0;

		if (slot->pid)
			continue;
		/* Before it is ours: what died here may have left its time. */
		slot->since_us = scoreboard_now();
		if (atomic_compare_exchange_strong(&slot->pid, &free_pid,
						   pid)) {
			slot_enter(slot, SLOT_HEAVY);
			return slot;
		}
	}
	return NULL;
}

struct slot_info *scoreboard_take_heavy(struct scoreboard *b, pid_t pid)
{
	struct slot_info *slot = try_take(b, pid);

	if (slot)
		return slot;
	scoreboard_sweep_heavy(b);
	return try_take(b, pid);
}

static bool any_free(struct scoreboard *b)
{
	for (uint32_t i = 0; i < b->nr_heavy; i++)
		if (!scoreboard_heavy(b, i)->pid)
			return true;
	return false;
}

bool scoreboard_has_room(struct scoreboard *b)
{
	if (any_free(b))
		return true;
	scoreboard_sweep_heavy(b);
	return any_free(b);
}

void scoreboard_sweep_heavy(struct scoreboard *b)
{
	for (uint32_t i = 0; i < b->nr_heavy; i++) {
		struct slot_info *slot = scoreboard_heavy(b, i);
		pid_t pid = slot->pid;

		if (pid && kill(pid, 0) < 0 && errno == ESRCH)
			slot_free_of(slot, pid);
	}
}

uint32_t scoreboard_workers(struct scoreboard *b)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < b->nr_workers; i++)
		nr += b->slots[i].pid != 0;
	return nr;
}

uint32_t scoreboard_count(struct scoreboard *b, enum slot_state state)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < b->nr_workers + b->nr_heavy; i++)
		nr += b->slots[i].pid && b->slots[i].state == (int)state;
	return nr;
}
