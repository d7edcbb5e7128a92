#include "config.h"

#include "scoreboard.h"

#include <time.h>

#include "access.h"

size_t scoreboard_size(uint32_t nr_workers, uint32_t nr_heavy)
{
	return sizeof(struct scoreboard) +
	       ((size_t)nr_workers + nr_heavy) * sizeof(struct slot_info);
}

void scoreboard_init(struct scoreboard *b, uint32_t nr_workers,
		     uint32_t nr_heavy)
{
	b->nr_workers = nr_workers;
	b->nr_heavy = nr_heavy;
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
		slot->route = 0;
}

void slot_copy(struct slot_info *to, struct slot_info *from)
{
	to->route = (uint32_t)from->route;
	to->method = from->method;
	to->is_waiting = false;
	to->progress.sent = from->progress.sent;
	to->progress.length = from->progress.length;
	slotnote_copy(&to->note, &from->note);
}

void slot_free(struct slot_info *slot)
{
	slot->route = 0;
	slot->state = SLOT_FREE;
	slot->owner = OWNER_NONE;
}

/* What its owner was answering; false if nothing. */
static bool find_lost(struct slot_info *slot, struct lost *lost)
{
	int state = slot->state;
	int64_t since_us = slot->since_us;

	*lost = (struct lost){
		.pid = owner_pid(slot->owner),
		.route = slot->route,
		.method = slot->method,
		.is_heavy = state == SLOT_HEAVY,
		.sent = slot->progress.sent,
		.for_us = scoreboard_now() - since_us,
	};
	return (state == SLOT_LIGHT || state == SLOT_HEAVY) &&
	       slotnote_read(&slot->note, &lost->text) && *lost->text.id;
}

bool slot_free_dead(struct scoreboard *b, struct slot_info *slot,
		    uint64_t owner)
{
	struct lost lost;
	bool is_lost = find_lost(slot, &lost);

	if (!atomic_compare_exchange_strong(&slot->owner, &owner, OWNER_NONE))
		return false;
	b->nr_lost += is_lost;
	if (is_lost && b->logs_access)
		access_log_lost(&lost);
	return true;
}

void scoreboard_free_of(struct scoreboard *b, pid_t pid)
{
	for (uint32_t i = 0; i < b->nr_heavy; i++) {
		struct slot_info *slot = scoreboard_heavy(b, i);
		uint64_t owner = slot->owner;

		if (owner_pid(owner) == pid && !owner_is_alive(owner))
			slot_free_dead(b, slot, owner);
	}
	places_free_dead(&b->edges, pid);
	places_free_dead(&b->full, pid);
}

struct slot_info *scoreboard_find(struct scoreboard *b, pid_t pid)
{
	for (uint32_t i = 0; i < b->nr_workers + b->nr_heavy; i++)
		if (owner_pid(b->slots[i].owner) == pid)
			return &b->slots[i];
	return NULL;
}

static struct slot_info *try_take(struct slot_info *slots, uint32_t nr,
				  uint64_t owner, enum slot_state state)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct slot_info *slot = &slots[i];
		uint64_t none = OWNER_NONE;

		if (slot->owner)
			continue;
		/* Before it is ours: what died here may have left its time. */
		slot->since_us = scoreboard_now();
		if (atomic_compare_exchange_strong(&slot->owner, &none,
						   owner)) {
			slot_enter(slot, state);
			return slot;
		}
	}
	return NULL;
}

struct slot_info *scoreboard_take_heavy(struct scoreboard *b, uint64_t owner)
{
	struct slot_info *first = scoreboard_heavy(b, 0);
	struct slot_info *slot =
		try_take(first, b->nr_heavy, owner, SLOT_HEAVY);

	if (slot)
		return slot;
	scoreboard_sweep_heavy(b);
	return try_take(first, b->nr_heavy, owner, SLOT_HEAVY);
}

struct slot_info *scoreboard_take_worker(struct scoreboard *b, uint64_t owner)
{
	scoreboard_sweep(b);
	return try_take(b->slots, b->nr_workers, owner, SLOT_IDLE);
}

static bool any_free(struct scoreboard *b)
{
	for (uint32_t i = 0; i < b->nr_heavy; i++)
		if (!scoreboard_heavy(b, i)->owner)
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
		uint64_t owner = slot->owner;

		if (owner && !owner_is_alive(owner))
			slot_free_dead(b, slot, owner);
	}
}

/* What it used of the processor stays in the sum. */
static void sweep_worker(struct scoreboard *b, struct slot_info *slot)
{
	uint64_t owner = slot->owner;
	uint64_t cpu_ms = slot->cpu_ms;

	if (!owner || owner_is_alive(owner))
		return;
	if (slot_free_dead(b, slot, owner))
		b->cpu_ms_gone += cpu_ms;
}

void scoreboard_sweep(struct scoreboard *b)
{
	scoreboard_sweep_heavy(b);
	for (uint32_t i = 0; !b->master && i < b->nr_workers; i++)
		sweep_worker(b, scoreboard_worker(b, i));
}

uint32_t scoreboard_workers(struct scoreboard *b)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < b->nr_workers; i++)
		nr += b->slots[i].owner != OWNER_NONE;
	return nr;
}

uint32_t scoreboard_count(struct scoreboard *b, enum slot_state state)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < b->nr_workers + b->nr_heavy; i++)
		nr += b->slots[i].owner && b->slots[i].state == (int)state;
	return nr;
}
