#include "config.h"

#include "places.h"

static bool try_take(struct places *p, uint64_t owner)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		uint64_t none = OWNER_NONE;

		if (atomic_compare_exchange_strong(&p->owners[i], &none, owner))
			return true;
	}
	return false;
}

static void sweep(struct places *p)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		uint64_t owner = p->owners[i];

		if (owner && !owner_is_alive(owner))
			atomic_compare_exchange_strong(&p->owners[i], &owner,
						       OWNER_NONE);
	}
}

bool places_take(struct places *p, uint64_t owner)
{
	if (try_take(p, owner))
		return true;
	sweep(p);
	return try_take(p, owner);
}

void places_free_dead(struct places *p, pid_t pid)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		uint64_t owner = p->owners[i];

		if (owner_pid(owner) == pid && !owner_is_alive(owner))
			atomic_compare_exchange_strong(&p->owners[i], &owner,
						       OWNER_NONE);
	}
}

void places_free_of(struct places *p, uint64_t owner)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		uint64_t expected = owner;

		atomic_compare_exchange_strong(&p->owners[i], &expected,
					       OWNER_NONE);
	}
}

uint32_t places_count(struct places *p)
{
	uint32_t nr = 0;

	sweep(p);
	for (uint32_t i = 0; i < p->nr; i++)
		nr += p->owners[i] != OWNER_NONE;
	return nr;
}
