#include "config.h"

#include "base/threads.h"

#include <signal.h>

int thread_start(pthread_t *thread, void *(*run)(void *ctx), void *ctx)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, NULL, run, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

struct member {
	pthread_t thread;
	void (*run)(void *ctx, int member);
	void *ctx;
	int nr;
	bool has_thread;
};

static void *run_member(void *ptr)
{
	struct member *m = ptr;

	m->run(m->ctx, m->nr);
	return NULL;
}

void team_run(int nr, void (*run)(void *ctx, int member), void *ctx)
{
	struct member members[TEAM_MAX];

	nr = nr < TEAM_MAX ? nr : TEAM_MAX;
	for (int i = 1; i < nr; i++) {
		members[i] = (struct member){ .run = run, .ctx = ctx, .nr = i };
		members[i].has_thread = !thread_start(&members[i].thread,
						      run_member, &members[i]);
	}
	run(ctx, 0);
	for (int i = 1; i < nr; i++)
		if (members[i].has_thread)
			pthread_join(members[i].thread, NULL);
}
