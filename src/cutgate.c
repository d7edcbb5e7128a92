#include "config.h"

#include "cutgate.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define PATIENCE_US (10 * USEC_PER_SEC)
#define MOMENT_NS   (2 * 1000 * 1000)

struct cutgate {
	struct edgegate gate;
	struct scoreboard *board;
	struct places *places;
	pthread_mutex_t lock;
	unsigned nr; /* jobs inside */
};

static enum err refuse(struct errmsg *e, const char *what)
{
	return err_set(e, ERR_BUSY,
		       "all places for %s are taken; try again in a few "
		       "seconds",
		       what);
}

/*
 * The lock is not held while waiting: a job that is told to end must not wait
 * for one that is not.
 */
static bool try_enter(struct cutgate *g)
{
	bool is_in;

	pthread_mutex_lock(&g->lock);
	is_in = g->nr || places_take(g->places, owner_self());
	g->nr += is_in;
	pthread_mutex_unlock(&g->lock);
	return is_in;
}

/* Whether there was a place within the time, before anybody cancelled. */
static bool wait_for_place(struct cutgate *g, const atomic_bool *cancel)
{
	const struct timespec moment = { .tv_nsec = MOMENT_NS };
	int64_t began_us = scoreboard_now();
	bool is_in = try_enter(g);

	if (is_in)
		return true;
	while (!is_in && !atomic_load(cancel) &&
	       scoreboard_now() < began_us + PATIENCE_US) {
		nanosleep(&moment, NULL);
		is_in = try_enter(g);
	}
	log_debug("%s a place to encode after %lld ms",
		  is_in ? "found" : "did not get",
		  (long long)(scoreboard_now() - began_us) / 1000);
	return is_in;
}

static enum err enter(void *ctx, const atomic_bool *cancel, struct errmsg *e)
{
	struct cutgate *g = ctx;
	struct slot_info *slot = scoreboard_find(g->board, getpid());
	bool is_in;

	if (slot)
		slot->is_waiting = true;
	is_in = wait_for_place(g, cancel);
	if (slot)
		slot->is_waiting = false;
	return is_in ? ERR_OK : refuse(e, "encoding edges");
}

static void leave(void *ctx)
{
	struct cutgate *g = ctx;

	pthread_mutex_lock(&g->lock);
	if (!--g->nr)
		places_free_of(g->places, owner_self());
	pthread_mutex_unlock(&g->lock);
}

const struct edgegate *cutgate_edges(struct request *req)
{
	struct scoreboard *board = req->server->board;
	struct cutgate *g;

	if (!board)
		return NULL;
	g = ARENA_NEW(&req->arena, struct cutgate);
	g->gate = (struct edgegate){ enter, leave, g };
	g->board = board;
	g->places = &board->edges;
	pthread_mutex_init(&g->lock, NULL);
	return &g->gate;
}

enum err cutgate_full(struct request *req)
{
	struct scoreboard *board = req->server->board;

	if (!board || places_take(&board->full, owner_self()))
		return ERR_OK;
	return refuse(&req->error, "encoding whole cuts");
}
