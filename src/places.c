#include "config.h"

#include "places.h"

#include <errno.h>
#include <signal.h>

static bool try_take(struct places *p, pid_t pid)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		pid_t free_pid = 0;

		if (atomic_compare_exchange_strong(&p->pids[i], &free_pid, pid))
			return true;
	}
	return false;
}

static void sweep(struct places *p)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		pid_t pid = p->pids[i];

		if (pid && kill(pid, 0) < 0 && errno == ESRCH)
			atomic_compare_exchange_strong(&p->pids[i], &pid, 0);
	}
}

bool places_take(struct places *p, pid_t pid)
{
	if (try_take(p, pid))
		return true;
	sweep(p);
	return try_take(p, pid);
}

void places_free_of(struct places *p, pid_t pid)
{
	for (uint32_t i = 0; i < p->nr; i++) {
		pid_t owner = pid;

		atomic_compare_exchange_strong(&p->pids[i], &owner, 0);
	}
}

uint32_t places_count(struct places *p)
{
	uint32_t nr = 0;

	sweep(p);
	for (uint32_t i = 0; i < p->nr; i++)
		nr += p->pids[i] != 0;
	return nr;
}
