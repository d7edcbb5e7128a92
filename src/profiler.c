#include "config.h"

#include "profiler.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "owner.h"
#include "profile/symbols.h"
#include "sampler.h"

#define ADD_UP_EVERY_US (5 * INT64_C(1000000))

static const char *name_of(void *symbols, uintptr_t address)
{
	return symbols_name(symbols, address);
}

/* One at a time; what a dead one began is over. */
static bool take_session(struct profile *p)
{
	uint64_t owner = p->session;

	if (owner && owner_is_alive(owner))
		return false;
	return atomic_compare_exchange_strong(&p->session, &owner,
					      owner_self());
}

static enum err fold(struct profile *p, struct text *out, struct errmsg *e)
{
	struct symbols *symbols;
	struct folded folded;
	enum err err = symbols_open(&symbols, e);

	if (err)
		return err;
	folded_init(&folded, name_of, symbols);
	folded_add(&folded, &p->tables[PROFILE_SESSION]);
	folded_merge(&folded);
	folded_put(&folded, out);
	folded_release(&folded);
	symbols_close(&symbols);
	return text_check(out, "the profile", e);
}

static void count_sample(void *ctx, const struct stack *stack, uint64_t count)
{
	uint64_t *total = ctx;

	UNUSED(stack);
	*total += count;
}

static void run_session(const struct shared *shared,
			struct profiler_session *session)
{
	struct profile *p = shared->profile;
	int64_t until_us =
		scoreboard_now() + session->seconds * INT64_C(1000000);
	struct sampler sampler;

	profile_begin(p, PROFILE_SESSION);
	sampler_init(&sampler, shared->board, PROFILE_SESSION, session->hz);
	while (scoreboard_now() < until_us && !session->is_gone(session->ctx))
		sampler_tick(&sampler);
	profile_end(p, PROFILE_SESSION);
	session->nr_signals = sampler.nr_signals;
	sampler_release(&sampler);
	session->nr_lost = p->tables[PROFILE_SESSION].nr_lost;
	session->nr_samples = session->nr_lost;
	stacktable_each(&p->tables[PROFILE_SESSION], count_sample,
			&session->nr_samples);
}

enum err profiler_sample(const struct shared *shared,
			 struct profiler_session *session, struct text *out,
			 struct errmsg *e)
{
	struct profile *p = shared->profile;
	enum err err;

	if (access("/proc/self/stat", R_OK) < 0)
		return err_set(e, ERR_UNBUILT,
			       "there is no /proc here to see what runs");
	if (!take_session(p))
		return err_set(e, ERR_BUSY, "process %ld takes a profile",
			       (long)owner_pid(p->session));
	run_session(shared, session);
	err = fold(p, out, e);
	p->session = OWNER_NONE;
	return err;
}

/* --profile */

struct profiler {
	struct profile *profile;
	struct sampler sampler;
	struct symbols *symbols;
	int64_t next_us; /* when the table is read */
};

/* Turns to the other table, and adds up the one that was filled. */
static void add_up(struct profiler *r)
{
	enum profile_table full = r->sampler.table;
	struct folded folded;

	r->sampler.table = full == PROFILE_EVEN ? PROFILE_ODD : PROFILE_EVEN;
	profile_begin(r->profile, r->sampler.table);
	/* What was sent last has time to arrive. */
	sampler_tick(&r->sampler);
	profile_end(r->profile, full);
	folded_init(&folded, name_of, r->symbols);
	folded_add(&folded, &r->profile->tables[full]);
	folded.nr_other += r->profile->tables[full].nr_lost;
	folded_merge(&folded);
	flame_add(&r->profile->flame, &folded);
	folded_release(&folded);
}

int profiler_run(const struct shared *shared)
{
	struct profiler r = { .profile = shared->profile };
	struct errmsg e;

	if (access("/proc/self/stat", R_OK) < 0 ||
	    symbols_open(&r.symbols, &e)) {
		log_error("--profile: cannot read /proc and the symbols");
		return EXIT_FAILURE;
	}
	sampler_init(&r.sampler, shared->board, PROFILE_EVEN,
		     shared->profile->hz);
	/* Of one that died. */
	profile_end(r.profile, PROFILE_ODD);
	profile_begin(r.profile, PROFILE_EVEN);
	for (;;) {
		r.next_us = scoreboard_now() + ADD_UP_EVERY_US;
		while (scoreboard_now() < r.next_us)
			sampler_tick(&r.sampler);
		add_up(&r);
	}
}
