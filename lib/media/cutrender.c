#include "config.h"

#include "media/cutrender.h"

#include <string.h>

#include "media/cutcheck.h"
#include "media/cutsound.h"
#include "media/edgejob.h"

#define WAIT_MS		 20
#define MIN_EDGE_BPS	 INT64_C(20000000)
#define SOURCE_BPS_TIMES 3

/* A run with its edges found and their jobs begun. */
struct active {
	const struct cut_run *run;
	struct cut_edges edges;
	struct arena arena; /* its jobs, and what the edges point to */
	struct edgejob *head;
	struct edgejob *tail;
	int64_t delta;	      /* of its video */
	struct cut_place tag; /* the next tag of ID3 */
};

struct render {
	struct arena *arena;
	const struct cutplan *plan;
	const struct cut_means *means;
	const struct cut_taker *taker;
	struct cut_work *work;
	struct cutpieces *pieces;
	struct cutsound *sound;
	struct unitsink *out;
	int64_t clock; /* where the next run begins */
	bool is_begun;
	bool has_unit; /* the first was sent */
	size_t nr_done;
	bool has_range;	       /* there was something of the range */
	struct active runs[2]; /* this one and the one before */
};

/* Jobs */

static int64_t source_bps(const struct cutplan *plan, size_t piece)
{
	const struct rough_piece *p = &plan->cover.pieces[piece];
	int64_t length_us = rough_piece_entry(p)->length_us;

	return length_us > 0 ? (int64_t)((double)p->size * 8 * USEC_PER_SEC /
					 (double)length_us) :
			       0;
}

/* Whether all of a run is encoded, in the shape of the others. */
static bool scales(const struct render *r, const struct cut_run *run)
{
	return r->plan->pieces[run->first].scales;
}

static void edge_config(const struct render *r, const struct active *act,
			const struct framestretch *stretch,
			struct edgejob_config *config_r)
{
	int64_t bps = source_bps(r->plan, act->edges.first) * SOURCE_BPS_TIMES;

	*config_r = (struct edgejob_config){
		.a = *stretch,
		.frame_ticks = act->edges.step,
		.shape = scales(r, act->run) ? r->plan->shape :
					       (struct picture_shape){ 0 },
		.sps_id = h264_free_id(act->edges.sets.ids),
		.max_bps = bps > MIN_EDGE_BPS ? bps : MIN_EDGE_BPS,
		.store = r->means->store,
		.gate = r->means->gate,
	};
}

static enum err start_edge(struct render *r, struct active *act,
			   const struct framestretch *stretch,
			   struct edgejob **job_r, struct errmsg *e)
{
	struct edgejob_config config;

	edge_config(r, act, stretch, &config);
	return edgejob_start(&act->arena, &config, job_r, e);
}

/* ID3 */

static enum err send_tags(struct render *r, struct active *act, int64_t time,
			  size_t piece, struct errmsg *e)
{
	const struct cut_edges *edges = &act->edges;

	if (!r->plan->out.has[OUT_ID3])
		return ERR_OK;
	while (act->tag.piece <= piece && act->tag.piece <= act->run->last) {
		const struct tsfile *file;
		const struct unit *tag;
		enum err err =
			cutpieces_load(r->pieces, act->tag.piece, &file, e);

		if (err)
			return err;
		if (act->tag.unit >= file->nr_tags) {
			act->tag.piece++;
			act->tag.unit = 0;
			continue;
		}
		tag = &file->tags[act->tag.unit];
		if (tag->pts != TS_NONE && tag->pts >= edges->start &&
		    tag->pts < edges->end) {
			if (tag->pts + act->delta > time)
				return ERR_OK;
			err = r->out->id3(r->out, tag->data, tag->size,
					  tag->pts + act->delta, e);
			if (err)
				return err;
		}
		act->tag.unit++;
	}
	return ERR_OK;
}

/* Video */

/*
 * The first unit of the cut holds all parameter sets that any will need: some
 * players read only those.  Behind the unit's own come the others.
 */
static enum err add_sets(struct render *r, struct out_unit *unit,
			 const uint8_t *sets, size_t size)
{
	size_t at = h264_after_sets(unit->data, unit->size);
	uint8_t *data = arena_alloc(r->arena, unit->size + size);

	memcpy(data, unit->data, at);
	if (size)
		memcpy(data + at, sets, size);
	memcpy(data + at + size, unit->data + at, unit->size - at);
	unit->data = data;
	unit->size += size;
	return ERR_OK;
}

static enum err send_unit(struct render *r, struct active *act,
			  struct out_unit *unit, struct errmsg *e)
{
	enum err err;

	/* A cut may begin with a picture that is no entry of its stream. */
	unit->is_key |= !r->has_unit;
	r->has_unit = true;
	err = send_tags(r, act, unit->pts, SIZE_MAX, e);
	if (!err)
		err = cutsound_upto(r->sound, unit->dts, e);
	return err ? err : r->out->video(r->out, unit, e);
}

static enum err wait_unit(struct render *r, struct edgejob *job,
			  const struct edgeunit **unit_r, struct errmsg *e)
{
	const struct cut_taker *taker = r->taker;
	bool is_end = false;

	*unit_r = NULL;
	/* Asked for each picture, however fast they come. */
	while (!*unit_r && !is_end) {
		enum err err;

		if (taker->is_gone && taker->is_gone(taker->ctx))
			return err_set(e, ERR_GONE, "the client left");
		err = edgejob_next(job, WAIT_MS, unit_r, &is_end, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err check_count(uint64_t nr, uint64_t expected, struct errmsg *e)
{
	if (!expected || nr == expected)
		return ERR_OK;
	return err_set(e, ERR_MEDIA,
		       "of %llu pictures at an edge %llu can be decoded: the "
		       "segment is damaged; try type=rough",
		       (unsigned long long)expected, (unsigned long long)nr);
}

/*
 * Sends all that a job gives, on the clock of a run; expected: so many units,
 * or 0 if that is not known.
 */
static enum err send_job(struct render *r, struct active *act,
			 struct edgejob *job, uint64_t expected,
			 struct errmsg *e)
{
	for (uint64_t nr = 0;; nr++) {
		const struct edgeunit *from;
		struct out_unit unit;
		enum err err = wait_unit(r, job, &from, e);

		if (err)
			return err;
		if (!from)
			return check_count(nr, expected, e);
		unit = (struct out_unit){
			.data = from->data,
			.size = from->size,
			.pts = from->pts + act->delta,
			.dts = from->pts + act->delta - act->edges.reorder,
			.is_key = from->is_key,
		};
		if (!r->has_unit)
			err = add_sets(r, &unit, act->edges.sets.data,
				       act->edges.sets.size);
		if (!err)
			err = send_unit(r, act, &unit, e);
		if (err)
			return err;
		r->work->nr_encoded++;
	}
}

/* The first unit of the cut is a copied one, and some later is not. */
static enum err add_coming_sets(struct render *r, struct active *act,
				struct out_unit *unit, bool has_sets,
				struct errmsg *e)
{
	const struct cut_edges *edges = &act->edges;
	struct edgejob_config config;
	struct framestretch stretch;
	const uint8_t *sets;
	size_t size;
	enum err err = ERR_OK;

	if (!has_sets)
		err = add_sets(r, unit, edges->sets.data, edges->sets.size);
	if (err || (r->plan->nr_runs == 1 && !edges->has_tail))
		return err;
	stretch = (struct framestretch){
		.cover = &r->plan->cover,
		.pieces = r->plan->cover.pieces + edges->copy.piece,
		.nr_pieces = act->run->last - edges->copy.piece + 1,
		.reference = r->plan->pieces[edges->copy.piece].dts,
		.lo = edges->start,
		.hi = edges->end,
	};
	edge_config(r, act, &stretch, &config);
	err = edgejob_headers(r->arena, &config, &sets, &size, e);
	return err ? err : add_sets(r, unit, sets, size);
}

static enum err copy_unit(struct render *r, struct active *act,
			  const struct unit *from, struct errmsg *e)
{
	struct out_unit unit;
	enum err err = ERR_OK;

	if (from->pts == TS_NONE)
		return ERR_OK;
	unit = (struct out_unit){
		.data = from->data,
		.size = from->size,
		.pts = from->pts + act->delta,
		.dts = from->dts + act->delta,
		.is_key = from->flags & UNIT_IDR,
	};
	if (!r->has_unit)
		err = add_coming_sets(r, act, &unit, from->flags & UNIT_SPS, e);
	return err ? err : send_unit(r, act, &unit, e);
}

/* Copies the units of a piece that are between the edges. */
static enum err copy_piece(struct render *r, struct active *act, size_t piece,
			   struct errmsg *e)
{
	const struct cut_edges *edges = &act->edges;
	const struct tsfile *file;
	enum err err = cutpieces_load(r->pieces, piece, &file, e);
	size_t i = piece == edges->copy.piece ? edges->copy.unit : 0;
	size_t end;

	if (err)
		return err;
	end = piece == edges->copy_end.piece ? edges->copy_end.unit :
					       file->nr_units;
	for (; !err && i < end; i++)
		err = copy_unit(r, act, &file->units[i], e);
	return err;
}

/* Files */

/* Whether a piece is copied whole, and can be as it lies. */
static bool is_raw(const struct render *r, const struct active *act,
		   size_t piece)
{
	const struct cut_piece *p = &r->plan->pieces[piece];
	const struct cut_edges *edges = &act->edges;

	return piece > edges->copy.piece && piece < edges->copy_end.piece &&
	       p->is_plain && (p->has_audio || !r->plan->out.has[OUT_AUDIO]);
}

static enum err send_raw(struct render *r, struct active *act, size_t piece,
			 struct errmsg *e)
{
	struct cut_raw raw = { .piece = piece,
			       .video_delta = act->delta,
			       .frame_ticks = act->edges.min_step };
	enum err err = ERR_OK;

	/* All of what lies before it, on every stream. */
	if (!is_raw(r, act, piece - 1)) {
		err = send_tags(r, act, INT64_MAX, piece - 1, e);
		if (!err)
			err = cutsound_finish_piece(r->sound, piece - 1, e);
		cutpieces_drop(r->pieces, act->run->first, piece);
	}
	raw.audio_delta = cutsound_delta(r->sound);
	if (!err)
		err = r->taker->raw(r->taker->ctx, &raw, e);
	cutsound_skip_piece(r->sound, piece);
	act->tag = (struct cut_place){ piece + 1, 0 };
	r->work->nr_raw++;
	return err;
}

/* Runs */

static size_t first_raw(const struct render *r, const struct active *act)
{
	if (act->edges.has_copy)
		for (size_t p = act->edges.copy.piece; p < act->run->last; p++)
			if (is_raw(r, act, p))
				return p;
	return act->run->last + 1;
}

static enum err begin_sound(struct render *r, const struct active *act,
			    bool breaks, struct errmsg *e)
{
	struct soundrun run = {
		.run = act->run,
		.delta = act->delta,
		.start = act->edges.start + act->delta,
		.end = act->edges.stop + act->delta,
		.first_raw = first_raw(r, act),
		.breaks = breaks,
	};

	return cutsound_begin_run(r->sound, &run, e);
}

/* Finds the edges of a run, puts it on the clock, begins its jobs. */
static enum err prepare(struct render *r, struct active *act,
			const struct cut_run *run, struct errmsg *e)
{
	struct cut_edges *edges = &act->edges;
	enum err err;

	act->run = run;
	act->head = act->tail = NULL;
	act->tag = (struct cut_place){ run->first, 0 };
	err = cutedges_find(&act->arena, r->plan, r->pieces, run,
			    scales(r, run) ? CUT_WHOLE : CUT_COPIES, edges, e);
	if (err || edges->is_empty)
		return err;
	r->work->start_moved |= edges->start_moved;
	if (r->plan->keeps_clock)
		act->delta = 0;
	else if (r->is_begun)
		act->delta = r->clock - edges->start;
	else
		act->delta = edges->reorder - edges->start;
	if (edges->has_head)
		err = start_edge(r, act, &edges->head, &act->head, e);
	if (!err && edges->has_tail)
		err = start_edge(r, act, &edges->tail, &act->tail, e);
	return err;
}

static enum err send_run(struct render *r, struct active *act, struct errmsg *e)
{
	const struct cut_edges *edges = &act->edges;
	enum err err = ERR_OK;

	if (act->head)
		err = send_job(r, act, act->head, edges->nr_head, e);
	for (size_t p = edges->copy.piece;
	     !err && edges->has_copy && p <= edges->copy_end.piece; p++)
		err = is_raw(r, act, p) ? send_raw(r, act, p, e) :
					  copy_piece(r, act, p, e);
	if (!err && act->tail)
		err = send_job(r, act, act->tail, edges->nr_tail, e);
	if (!err)
		err = send_tags(r, act, INT64_MAX, SIZE_MAX, e);
	if (!err)
		err = cutsound_end_run(r->sound, edges->out_stop + act->delta,
				       e);
	r->clock = edges->out_stop + act->delta;
	r->work->length += edges->out_stop - edges->start;
	return err;
}

/* Begins with the pictures of a transition from one run to the next. */
static enum err start_transition(struct render *r, struct active *from,
				 const struct active *to,
				 struct edgejob **job_r, struct errmsg *e)
{
	struct edgejob_config config;

	enum err err =
		cutcheck_blend(from->run->out, &from->edges, &to->edges, e);

	if (err)
		return err;
	edge_config(r, from, &from->edges.lead_out, &config);
	config.transition = from->run->out->name;
	config.b = to->edges.lead_in;
	config.nr_pairs = from->edges.nr_pairs;
	return edgejob_start(&from->arena, &config, job_r, e);
}

/* What of the run before is not needed any more. */
static void let_go(struct render *r, struct active *act)
{
	arena_release(&act->arena);
	if (act->run)
		cutpieces_drop(r->pieces, act->run->first, act->run->last + 1);
	act->run = NULL;
}

static enum err do_run(struct render *r, const struct cut_run *run,
		       struct errmsg *e)
{
	struct active *act = &r->runs[r->nr_done % 2];
	struct active *before = &r->runs[(r->nr_done + 1) % 2];
	bool jumps = r->plan->keeps_clock && r->is_begun;
	struct edgejob *transition = NULL;
	enum err err = prepare(r, act, run, e);

	if (err)
		return err;
	err = cutcheck_count(r->plan, run, act->edges.is_empty, &r->has_range,
			     e);
	if (err || act->edges.is_empty) {
		let_go(r, act);
		return err;
	}
	if (run->in)
		err = start_transition(r, before, act, &transition, e);
	if (!err)
		err = begin_sound(r, act, jumps, e);
	/* Its pictures are on the clock of the run that ends. */
	if (!err && run->in)
		err = send_job(r, before, transition, before->edges.nr_pairs,
			       e);
	if (!err && jumps) {
		err = cutsound_flush(r->sound, e);
		r->out->jump(r->out);
	}
	let_go(r, before);
	r->nr_done++;
	r->is_begun = true;
	return err ? err : send_run(r, act, e);
}

static void free_render(void *ptr)
{
	struct render *r = ptr;

	for (size_t i = 0; i < ARRAY_SIZE(r->runs); i++)
		arena_release(&r->runs[i].arena);
}

enum err cutrender_run(struct arena *a, const struct cutplan *plan,
		       const struct cut_means *means,
		       const struct cut_taker *taker, struct cut_work *work_r,
		       struct errmsg *e)
{
	struct render *r = ARENA_NEW(a, struct render);
	enum err err = ERR_OK;

	*work_r = (struct cut_work){ 0 };
	r->arena = a;
	r->plan = plan;
	r->means = means;
	r->taker = taker;
	r->work = work_r;
	r->out = taker->units;
	r->pieces = cutpieces_new(a, plan);
	for (size_t i = 0; i < ARRAY_SIZE(r->runs); i++)
		arena_init(&r->runs[i].arena);
	arena_defer(a, free_render, r);
	r->sound = cutsound_new(a, plan, r->pieces, r->out);
	for (size_t i = 0; !err && i < plan->nr_runs; i++)
		err = do_run(r, &plan->runs[i], e);
	if (!err)
		err = cutsound_flush(r->sound, e);
	return err;
}
