#include "config.h"

#include "media/storyshots.h"

#include "base/log.h"
#include "base/threads.h"
#include "media/shotfile.h"
#include "media/still.h"
#include "media/videodec.h"

enum shot_state {
	SHOT_WANTED,
	SHOT_TAKEN,
	SHOT_HOLE,
	SHOT_FAILED,
};

/* What becomes of a tile; written by one thread at a time. */
struct shot {
	enum shot_state state;
	const struct still *still; /* or NULL */
	enum err err;		   /* of one that failed */
	struct errmsg e;
};

/* Tiles that begin in the same segment; a single one if in none. */
struct job {
	size_t first;
	size_t nr;
};

struct shots {
	const struct storyplan *plan;
	const struct storyshots_config *config;
	struct arena *arena;
	struct shot *shots; /* by tile */
	struct job *jobs;
	size_t nr_jobs;
	size_t *stills; /* tiles of which still.h decodes the picture */
	size_t nr_stills;

	/* What the threads do now: work for each number up to nr. */
	void (*work)(struct shots *s, struct arena *a, size_t i);
	size_t nr;
	atomic_size_t next;
	atomic_bool cancel;
};

static void fail(struct shot *shot, enum err err, const struct errmsg *e)
{
	shot->state = err == ERR_HOLES ? SHOT_HOLE : SHOT_FAILED;
	shot->err = err;
	shot->e = *e;
}

static void take(struct shots *s, size_t tile, const AVFrame *frame)
{
	const struct storyshots_config *config = s->config;
	struct shot *shot = &s->shots[tile];
	struct errmsg e;
	enum err err = config->take(config->ctx, tile, frame, &e);

	if (err)
		fail(shot, err, &e);
	else
		shot->state = SHOT_TAKEN;
}

/* Threads */

/* Nobody waits any more: for the main thread to ask, between two tiles. */
static bool is_gone(const struct shots *s, int member)
{
	return !member && s->config->is_gone &&
	       s->config->is_gone(s->config->client);
}

static void run_member(void *ctx, int member)
{
	struct shots *s = ctx;
	struct arena a;
	size_t i;

	arena_init(&a);
	while (!atomic_load(&s->cancel) &&
	       (i = atomic_fetch_add(&s->next, 1)) < s->nr) {
		s->work(s, &a, i);
		arena_reset(&a);
		if (is_gone(s, member))
			atomic_store(&s->cancel, true);
	}
	arena_release(&a);
}

static enum err run(struct shots *s,
		    void (*work)(struct shots *s, struct arena *a, size_t i),
		    size_t nr, struct errmsg *e)
{
	int nr_threads = s->config->nr_threads;

	s->work = work;
	s->nr = nr;
	atomic_store(&s->next, 0);
	team_run((size_t)nr_threads < nr ? nr_threads : (int)nr, run_member, s);
	return atomic_load(&s->cancel) ?
		       err_set(e, ERR_GONE, "nobody waits for it any more") :
		       ERR_OK;
}

/* The pictures of one segment */

struct pass {
	struct shots *s;
	struct arena *arena;
	const struct shotfile *file;
	size_t first; /* tile */
	size_t nr;
	size_t *units; /* that the tiles want, or SHOT_NONE */
	struct videodec *dec;
};

static usec_t since_start(const struct rough_piece *piece, usec_t us)
{
	return us - rough_piece_entry(piece)->start_us;
}

static enum err take_frame(void *ctx, AVFrame *frame, struct errmsg *e)
{
	const struct pass *p = ctx;

	UNUSED(e);
	/* Whether a damaged one is shown is for still.h to say. */
	if (frame->decode_error_flags || frame->flags & AV_FRAME_FLAG_CORRUPT)
		return ERR_OK;
	for (size_t i = 0; i < p->nr; i++)
		if (p->units[i] != SHOT_NONE &&
		    p->file->ts->units[p->units[i]].pts == frame->pts &&
		    p->s->shots[p->first + i].state == SHOT_WANTED)
			take(p->s, p->first + i, frame);
	return ERR_OK;
}

static enum err open_decoder(struct pass *p, struct errmsg *e)
{
	const struct videodec_config config = {
		.codec = videodec_codec(p->file->ts->video->type),
		.nr_threads = 1,
		.take = take_frame,
		.ctx = p,
	};

	return videodec_open(p->arena, &config, &p->dec, e);
}

/* A key picture may rely on parameter sets that came before it. */
static enum err put_sets(struct pass *p, size_t entry, struct errmsg *e)
{
	const struct unit *units = p->file->ts->units;
	struct h264_sets sets = { 0 };
	struct unit unit = { .pts = TS_NONE,
			     .dts = TS_NONE,
			     .flags = UNIT_SPS | UNIT_PPS };

	for (size_t i = entry; !(units[entry].flags & UNIT_SPS) && i-- > 0;)
		if (units[i].flags & UNIT_SPS) {
			h264_read_sets(p->arena, units[i].data, units[i].size,
				       &sets);
			break;
		}
	unit.data = sets.data;
	unit.size = sets.size;
	return sets.size ? videodec_put(p->dec, &unit, false, e) : ERR_OK;
}

static bool is_wanted(const struct pass *p, size_t unit)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->units[i] == unit)
			return true;
	return false;
}

/* Decodes from a key picture on as far as is needed. */
static enum err decode(struct pass *p, size_t entry, size_t last,
		       struct errmsg *e)
{
	enum err err = put_sets(p, entry, e);

	for (size_t i = entry; !err && i <= last; i++) {
		const struct unit *unit = &p->file->ts->units[i];

		if (atomic_load(&p->s->cancel))
			return ERR_GONE;
		if (unit->pts != TS_NONE)
			err = videodec_put(p->dec, unit, is_wanted(p, i), e);
	}
	return err ? err : videodec_flush(p->dec, e);
}

/* What several tiles want of one group of pictures is decoded at once. */
static void decode_wanted(struct pass *p)
{
	size_t i = 0;
	struct errmsg e;
	enum err err = ERR_OK;

	while (!err && i < p->nr) {
		size_t entry, last;

		if (p->units[i] == SHOT_NONE) {
			i++;
			continue;
		}
		last = p->units[i];
		entry = shotfile_entry(p->file, last);
		while (++i < p->nr && p->units[i] != SHOT_NONE &&
		       shotfile_entry(p->file, p->units[i]) == entry)
			if (p->units[i] > last)
				last = p->units[i];
		if (!p->dec)
			err = open_decoder(p, &e);
		if (!err)
			err = decode(p, entry, last, &e);
	}
}

/* The segments that begin in a tile's interval: one is enough. */
static void look_later(struct shots *s, size_t nth)
{
	const struct story_tile *tile = &s->plan->tiles[nth];
	const struct roughcut *cover = &s->plan->cover;
	struct arena scratch;

	arena_init(&scratch);
	for (size_t i = tile->is_covered;
	     i < tile->nr && s->shots[nth].state == SHOT_WANTED &&
	     !atomic_load(&s->cancel);
	     i++) {
		const struct rough_piece *piece =
			&cover->pieces[tile->first + i];
		struct shotfile file;
		size_t unit;
		struct pass p = { .s = s,
				  .arena = &scratch,
				  .file = &file,
				  .first = nth,
				  .nr = 1,
				  .units = &unit };
		struct errmsg e;

		if (!shotfile_read_key(&scratch, cover, piece,
				       since_start(piece, tile->time.start_us),
				       since_start(piece, tile->time.end_us),
				       &file, &unit, &e) &&
		    unit != SHOT_NONE)
			decode_wanted(&p);
	}
	arena_release(&scratch);
}

/* The unit that a tile wants of the segment that covers its start. */
static size_t find_unit(struct shots *s, const struct pass *p, size_t nth)
{
	const struct story_tile *tile = &s->plan->tiles[nth];
	const struct rough_piece *piece = &s->plan->cover.pieces[tile->first];
	usec_t from_us = since_start(piece, tile->time.start_us);
	usec_t to_us = since_start(piece, tile->time.end_us);
	size_t unit = shotfile_key(p->file, from_us, to_us);

	if (unit != SHOT_NONE)
		return unit;
	look_later(s, nth);
	if (s->shots[nth].state != SHOT_WANTED)
		return SHOT_NONE;
	unit = shotfile_picture(p->file, from_us);
	return unit != SHOT_NONE && shotfile_entry(p->file, unit) != SHOT_NONE ?
		       unit :
		       SHOT_NONE;
}

static void work_job(struct shots *s, struct arena *a, size_t i)
{
	const struct job *job = &s->jobs[i];
	const struct story_tile *tile = &s->plan->tiles[job->first];
	const struct roughcut *cover = &s->plan->cover;
	struct shotfile file;
	struct pass p = { .s = s,
			  .arena = a,
			  .file = &file,
			  .first = job->first,
			  .nr = job->nr };
	struct errmsg e;

	if (!tile->is_covered ||
	    shotfile_read(a, cover, &cover->pieces[tile->first], &file, &e)) {
		for (size_t k = 0; k < job->nr; k++)
			look_later(s, job->first + k);
		return;
	}
	p.units = arena_alloc(a, job->nr * sizeof(*p.units));
	for (size_t k = 0; k < job->nr; k++)
		p.units[k] = find_unit(s, &p, job->first + k);
	decode_wanted(&p);
}

static void find_jobs(struct shots *s)
{
	const struct storyplan *plan = s->plan;

	s->jobs = arena_alloc(s->arena, plan->nr_tiles * sizeof(*s->jobs));
	for (size_t i = 0; i < plan->nr_tiles; i++) {
		const struct story_tile *tile = &plan->tiles[i];

		if (i && tile->is_covered && tile[-1].is_covered &&
		    tile->first == tile[-1].first)
			s->jobs[s->nr_jobs - 1].nr++;
		else
			s->jobs[s->nr_jobs++] = (struct job){ i, 1 };
	}
}

/* What is left */

/* Not in a thread: the cache of indexes is this one's. */
static enum err find_stills(struct shots *s, struct errmsg *e)
{
	const struct storyplan *plan = s->plan;

	s->nr_stills = 0;
	s->stills = arena_alloc(s->arena, plan->nr_tiles * sizeof(*s->stills));
	for (size_t i = 0; i < plan->nr_tiles; i++) {
		struct shot *shot = &s->shots[i];
		struct still *still;
		struct errmsg why;
		enum err err;

		if (shot->state != SHOT_WANTED)
			continue;
		shot->state = SHOT_HOLE;
		if (plan->tiles[i].is_hole)
			continue;
		if (is_gone(s, 0))
			return err_set(e, ERR_GONE, "the client has left");
		still = ARENA_NEW(s->arena, struct still);
		err = still_find(s->arena, plan->reader,
				 plan->tiles[i].time.start_us, plan->now_us,
				 still, &why);
		still->cancel = &s->cancel;
		shot->still = still;
		if (err)
			fail(shot, err, &why);
		else
			s->stills[s->nr_stills++] = i;
	}
	return ERR_OK;
}

static void work_still(struct shots *s, struct arena *a, size_t i)
{
	size_t tile = s->stills[i];
	struct shot *shot = &s->shots[tile];
	const AVFrame *frame;
	struct errmsg e;
	enum err err = still_decode(a, shot->still, 1, &frame, &e);

	if (err)
		fail(shot, err, &e);
	else
		take(s, tile, frame);
}

/* Putting it together */

/* Without any picture, why that is. */
static enum err sum_up(const struct shots *s, size_t *nr_failed_r,
		       struct errmsg *e)
{
	const struct shot *first = NULL;
	bool has_picture = false;

	*nr_failed_r = 0;
	for (size_t i = 0; i < s->plan->nr_tiles; i++) {
		const struct shot *shot = &s->shots[i];

		has_picture |= shot->state == SHOT_TAKEN;
		if (shot->state != SHOT_FAILED)
			continue;
		++*nr_failed_r;
		first = first ? first : shot;
		log_debug("tile %zu has no picture: %s", i, shot->e.text);
	}
	if (has_picture)
		return ERR_OK;
	if (!first || first->err == ERR_MEDIA)
		return err_set(e, ERR_HOLES,
			       "contains holes: there is no picture that can "
			       "be decoded");
	return err_set(e, first->err, "%s", first->e.text);
}

static struct shots *new_shots(struct arena *a, const struct storyplan *plan,
			       const struct storyshots_config *config)
{
	struct shots *s = ARENA_NEW(a, struct shots);

	s->plan = plan;
	s->config = config;
	s->arena = a;
	s->shots = arena_alloc(a, plan->nr_tiles * sizeof(*s->shots));
	return s;
}

enum err storyshots_take(struct arena *a, const struct storyplan *plan,
			 const struct storyshots_config *config,
			 size_t *nr_failed_r, struct errmsg *e)
{
	struct shots *s = new_shots(a, plan, config);
	enum err err;

	find_jobs(s);
	err = run(s, work_job, s->nr_jobs, e);
	if (!err)
		err = find_stills(s, e);
	if (!err)
		err = run(s, work_still, s->nr_stills, e);
	return err ? err : sum_up(s, nr_failed_r, e);
}
