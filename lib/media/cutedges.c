#include "config.h"

#include "media/cutedges.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/cutsearch.h"

#define FAR	    (INT64_MAX / 4)
#define NAME_SLACK  ((int64_t)TS_HZ) /* that a name may be wrong by */
#define MAX_REORDER 16		     /* pictures: H.264 A.3.1 */
#define MAX_COUNTED 4		     /* pieces */
#define MAX_STEP    (TS_HZ / 2)	     /* a picture is not shown longer */
#define MIN_STEP    (TS_HZ / 300)

/* Fails for those that we cannot cut by. */
static enum err check_units(const struct tsfile *file, struct errmsg *e)
{
	for (size_t i = 0; i < file->nr_units; i++)
		if (file->units[i].nr_auds > 1)
			return err_set(e, ERR_FORMAT,
				       "a PES packet holds several pictures");
	return ERR_OK;
}

/* Steps */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The steps between the pictures of a file: the most frequent, the least. */
static void find_steps(const struct tsfile *file, struct cut_edges *edges)
{
	int64_t *pts = mem_alloc((file->nr_units + 1) * sizeof(*pts));
	size_t nr = 0;
	size_t best = 0;

	for (size_t i = 0; i < file->nr_units; i++)
		if (file->units[i].pts != TS_NONE)
			pts[nr++] = file->units[i].pts;
	qsort(pts, nr, sizeof(*pts), by_value);
	for (size_t i = 1; i < nr; i++)
		pts[i - 1] = pts[i] - pts[i - 1];
	nr -= nr > 0;
	qsort(pts, nr, sizeof(*pts), by_value);
	edges->step = TS_HZ / 30;
	edges->min_step = nr && pts[0] > MIN_STEP ? pts[0] : MIN_STEP;
	for (size_t i = 0, run = 0; i < nr; i++) {
		run = i && pts[i] == pts[i - 1] ? run + 1 : 1;
		if (run > best && pts[i] > 0) {
			best = run;
			edges->step = pts[i];
		}
	}
	free(pts);
}

/* Times that a range names */

/* The time in a piece that stands for an instant of the range. */
static int64_t map_time(const struct search *s, size_t piece,
			const struct tsfile *file, usec_t us)
{
	usec_t start_us =
		rough_piece_entry(&s->plan->cover.pieces[piece])->start_us;

	return file->first_pts + ticks_of_us(us - start_us);
}

/*
 * A tick before what is named, since times are rounded to ticks.  A run that
 * goes on to a hole has what its segments' names say, more or less: times that
 * jump within one do not make hours of it.
 */
static enum err find_times(struct search *s, struct errmsg *e)
{
	const struct time_range *range = &s->plan->cover.ranges[s->run->range];
	const struct hour_entry *last =
		rough_piece_entry(&s->plan->cover.pieces[s->run->last]);
	struct cut_edges *edges = s->edges;
	const struct tsfile *file;
	int64_t named;
	enum err err;

	err = search_load(s, s->run->first, &file, e);
	if (err)
		return err;
	edges->in = edges->start =
		s->plan->pieces[s->run->first].dts - NAME_SLACK;
	named = map_time(s, s->run->first, file, range->start_us);
	if (s->run->begins_range)
		edges->in = edges->start = named - 1;
	if (s->run->in)
		edges->start += ticks_of_us(s->run->in->length_us);
	err = search_load(s, s->run->last, &file, e);
	if (err)
		return err;
	edges->end = edges->out =
		map_time(s, s->run->last, file, hour_entry_end(last)) +
		NAME_SLACK;
	named = map_time(s, s->run->last, file, range->end_us);
	if (s->run->ends_range)
		edges->end = edges->out = named - 1;
	if (s->run->out)
		edges->end -= ticks_of_us(s->run->out->length_us);
	return ERR_OK;
}

/* The pictures between two times, over all of the run's last pieces. */
struct span {
	int64_t first; /* pts of the first; TS_NONE: there is none */
	int64_t last;
	size_t piece; /* of the last */
	size_t nr;
	int64_t next; /* pts of the first behind, or TS_NONE */
};

static void add_to_span(struct span *span, int64_t lo, int64_t hi, int64_t pts,
			size_t piece)
{
	if (pts == TS_NONE || pts < lo)
		return;
	if (pts >= hi) {
		if (span->next == TS_NONE || pts < span->next)
			span->next = pts;
		return;
	}
	span->nr++;
	if (span->first == TS_NONE || pts < span->first)
		span->first = pts;
	if (span->last == TS_NONE || pts > span->last) {
		span->last = pts;
		span->piece = piece;
	}
}

static const struct span empty_span = { .first = TS_NONE,
					.last = TS_NONE,
					.next = TS_NONE };

/* The pictures of pieces first to last. */
static enum err find_span(struct search *s, size_t first, size_t last,
			  int64_t lo, int64_t hi, struct span *span_r,
			  struct errmsg *e)
{
	*span_r = empty_span;
	for (size_t p = first; p <= last; p++) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		for (size_t i = 0; i < search_nr_units(s, p, file); i++)
			add_to_span(span_r, lo, hi, file->units[i].pts, p);
	}
	return ERR_OK;
}

/* When the last picture of a span is over. */
static int64_t span_stop(const struct search *s, const struct span *span)
{
	int64_t length = s->edges->step;

	if (!s->ends_at_gap && span->next != TS_NONE &&
	    span->next - span->last <= MAX_STEP)
		length = span->next - span->last;
	return span->last + length;
}

static bool breaks_off(const struct search *s)
{
	return !s->run->ends_range || search_drops_last(s, s->run->last);
}

/*
 * Where a segment breaks off, pictures that would be shown before the last
 * ones may be missing: then the end is where the first of these should be.
 */
static enum err end_at_gap(struct search *s, struct errmsg *e)
{
	const struct tsfile *file;
	struct cut_edges *edges = s->edges;
	enum err err = search_load(s, s->run->last, &file, e);
	int64_t *pts;
	size_t nr = 0;

	if (err || !breaks_off(s))
		return err;
	pts = mem_alloc((file->nr_units + 1) * sizeof(*pts));
	for (size_t i = 0; i < search_nr_units(s, s->run->last, file); i++)
		if (file->units[i].pts != TS_NONE)
			pts[nr++] = file->units[i].pts;
	qsort(pts, nr, sizeof(*pts), by_value);
	for (size_t i = nr > MAX_REORDER ? nr - MAX_REORDER : 1; i < nr; i++)
		if (pts[i] - pts[i - 1] > edges->step * 3 / 2 &&
		    pts[i - 1] >= edges->start && pts[i - 1] < edges->end) {
			edges->end = pts[i - 1] + 1;
			edges->out = edges->end;
			s->ends_at_gap = true;
			break;
		}
	free(pts);
	return ERR_OK;
}

/* The start */

static enum err find_first_picture(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;

	/* If it has none, everything that follows is behind the start. */
	for (size_t p = s->run->first; p <= s->run->last; p++) {
		const struct tsfile *file;
		struct span span;
		enum err err = search_load(s, p, &file, e);

		if (!err)
			err = check_units(file, e);
		if (!err)
			err = find_span(s, p, p, edges->start, edges->end,
					&span, e);
		if (err)
			return err;
		if (span.nr) {
			edges->start = span.first;
			edges->first = p;
			find_steps(file, edges);
			return ERR_OK;
		}
	}
	edges->is_empty = true;
	return ERR_OK;
}

static bool is_idr(const struct unit *unit)
{
	return (unit->flags & UNIT_IDR) && unit->pts != TS_NONE;
}

/* The first IDR picture that can be copied from, if one is near. */
static enum err find_copy_start(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;

	for (size_t p = edges->first; p <= s->run->last; p++) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		for (size_t i = 0; i < search_nr_units(s, p, file); i++) {
			const struct unit *unit = &file->units[i];

			if (!is_idr(unit) || unit->pts < edges->start)
				continue;
			if (unit->pts >= edges->end)
				return ERR_OK;
			edges->has_copy = true;
			edges->copy = (struct cut_place){ p, i };
			edges->reorder = unit->pts - unit->dts;
			return ERR_OK;
		}
		if (file->last_pts != TS_NONE &&
		    file->last_pts > edges->start + MAX_EDGE_TICKS)
			return ERR_OK;
	}
	return ERR_OK;
}

/* The end */

/* The units of the last group of pictures, in order of decoding. */
struct group {
	struct cut_place *places;
	int64_t *pts;
	int64_t *least_after; /* least pts of those behind */
	size_t nr;
};

static bool is_before(struct cut_place a, struct cut_place b)
{
	return a.piece < b.piece || (a.piece == b.piece && a.unit < b.unit);
}

/*
 * The last IDR picture before the end, from the copy's start on.  Where there
 * is none for long (open GOPs), any place that is far enough in front does:
 * all before it is copied.
 */
static enum err find_last_idr(struct search *s, struct cut_place *idr_r,
			      struct errmsg *e)
{
	struct cut_edges *edges = s->edges;

	for (size_t p = edges->last + 1; p-- > edges->copy.piece;) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		for (size_t i = search_nr_units(s, p, file); i-- > 0;) {
			struct cut_place at = { p, i };

			if (is_before(at, edges->copy))
				break;
			if (is_idr(&file->units[i]) &&
			    file->units[i].pts < edges->end) {
				*idr_r = at;
				return ERR_OK;
			}
		}
		if (p > edges->copy.piece && file->first_pts != TS_NONE &&
		    file->first_pts < edges->end - MAX_EDGE_TICKS) {
			*idr_r = (struct cut_place){ p, 0 };
			return ERR_OK;
		}
	}
	*idr_r = edges->copy;
	return ERR_OK;
}

static enum err list_group(struct search *s, struct cut_place idr,
			   struct group *g, struct errmsg *e)
{
	size_t capacity = 0;

	for (size_t p = idr.piece; p <= s->run->last; p++) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		capacity += file->nr_units;
	}
	g->places = arena_alloc(s->arena, capacity * sizeof(*g->places));
	g->pts = arena_alloc(s->arena, capacity * sizeof(*g->pts));
	g->least_after = arena_alloc(s->arena, capacity * sizeof(int64_t));
	for (size_t p = idr.piece; p <= s->run->last; p++) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		for (size_t i = p == idr.piece ? idr.unit : 0;
		     i < search_nr_units(s, p, file); i++) {
			if (g->nr && is_idr(&file->units[i]))
				return ERR_OK;
			g->places[g->nr] = (struct cut_place){ p, i };
			g->pts[g->nr++] = file->units[i].pts;
		}
	}
	return ERR_OK;
}

/* How many of the group's units can be copied, and the last pts of those. */
static size_t find_prefix(const struct cut_edges *edges, const struct group *g,
			  int64_t *last_pts_r)
{
	int64_t least = FAR;
	int64_t greatest = -FAR;
	size_t best = 0;

	for (size_t i = g->nr; i-- > 0;) {
		g->least_after[i] = least;
		if (g->pts[i] < least)
			least = g->pts[i];
	}
	for (size_t i = 0; i < g->nr && g->pts[i] < edges->end; i++) {
		if (g->pts[i] > greatest)
			greatest = g->pts[i];
		if (greatest < g->least_after[i]) {
			best = i + 1;
			*last_pts_r = greatest;
		}
	}
	return best;
}

static enum err find_tail(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;
	struct group g = { .nr = 0 };
	struct cut_place idr;
	int64_t last_pts = 0;
	size_t nr_copied;
	enum err err = find_last_idr(s, &idr, e);

	if (!err)
		err = list_group(s, idr, &g, e);
	if (err)
		return err;
	nr_copied = find_prefix(edges, &g, &last_pts);
	edges->copy_end = g.places[nr_copied ? nr_copied - 1 : 0];
	edges->copy_end.unit += nr_copied > 0;
	for (size_t i = nr_copied; i < g.nr; i++)
		if (g.pts[i] < edges->end)
			edges->has_tail = true;
	if (edges->has_tail)
		search_stretch(s, &edges->tail, idr.piece, s->run->last,
			       nr_copied ? last_pts + 1 : g.pts[0], edges->end);
	edges->tail.sets = edges->sets;
	return ERR_OK;
}

static enum err find_head(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;
	const struct tsfile *file;
	int64_t hi = edges->end;
	size_t last = s->run->last;
	bool found = true;
	enum err err;

	if (edges->has_copy) {
		err = search_load(s, edges->copy.piece, &file, e);
		if (err)
			return err;
		hi = file->units[edges->copy.unit].pts;
		last = edges->copy.piece;
	}
	edges->has_head = edges->start < hi;
	if (!edges->has_head)
		return ERR_OK;
	search_stretch(s, &edges->head, edges->first, last, edges->start, hi);
	err = search_entry(s, &edges->head, edges->first, &found, e);
	if (err || found)
		return err;
	err = search_move_start(s, e);
	if (err || edges->is_empty)
		return err;
	edges->has_head = edges->start < hi;
	edges->head.lo = edges->start;
	return ERR_OK;
}

/*
 * How many pictures the edges are to give, so that none is missed in silence;
 * of a run that is encoded whole only if it is short.
 */
static enum err count_pictures(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;
	size_t last = edges->has_copy ? edges->copy.piece : s->run->last;
	struct span span;
	enum err err;

	if (edges->has_head &&
	    (edges->has_copy || last - edges->first < MAX_COUNTED)) {
		err = find_span(s, edges->first, last, edges->head.lo,
				edges->head.hi, &span, e);
		if (err)
			return err;
		edges->nr_head = span.nr;
	}
	if (!edges->has_tail)
		return ERR_OK;
	err = find_span(s, edges->copy_end.piece, s->run->last, edges->tail.lo,
			edges->tail.hi, &span, e);
	edges->nr_tail = span.nr;
	return err;
}

/* Putting it together */

static enum err find_stop(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;
	struct span span = empty_span;
	int64_t next = TS_NONE;
	enum err err = ERR_OK;

	for (size_t p = s->run->last + 1; p-- > edges->first && !span.nr;) {
		err = find_span(s, p, p, edges->start, edges->end, &span, e);
		if (err)
			return err;
		if (span.next != TS_NONE)
			next = span.next;
	}
	edges->is_empty = !span.nr;
	if (edges->is_empty)
		return ERR_OK;
	span.next = next;
	edges->last = span.piece;
	edges->stop = edges->out_stop = span_stop(s, &span);
	if (!s->run->out)
		return ERR_OK;
	err = find_span(s, edges->last, s->run->last, edges->end, edges->out,
			&span, e);
	if (err || !span.nr)
		return err;
	edges->nr_pairs = span.nr;
	edges->out_start = span.first;
	edges->out_stop = span_stop(s, &span);
	return ERR_OK;
}

static enum err find_leads(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;
	struct span span;
	bool found;
	enum err err = ERR_OK;

	if (s->run->out && edges->nr_pairs) {
		search_stretch(s, &edges->lead_out, edges->last, s->run->last,
			       edges->out_start, edges->out);
		err = search_entry(s, &edges->lead_out, edges->last, &found, e);
	}
	if (err || !s->run->in)
		return err;
	err = find_span(s, s->run->first, edges->first, edges->in, edges->start,
			&span, e);
	if (err || !span.nr)
		return err;
	search_stretch(s, &edges->lead_in, s->run->first, edges->first,
		       span.first, edges->start);
	return search_entry(s, &edges->lead_in, s->run->first, &found, e);
}

static void find_sound_only(struct search *s, const struct tsfile *last)
{
	struct cut_edges *edges = s->edges;

	edges->first = s->run->first;
	edges->last = s->run->last;
	edges->step = edges->min_step = TS_HZ / 30;
	if (edges->start < s->plan->pieces[s->run->first].dts)
		edges->start = s->plan->pieces[s->run->first].dts;
	if (last->last_pts != TS_NONE && edges->end > last->last_pts)
		edges->end = last->last_pts + edges->step;
	edges->stop = edges->out_stop = edges->out = edges->end;
	edges->is_empty = edges->start >= edges->end;
}

enum err cutedges_find(struct arena *a, const struct cutplan *plan,
		       struct cutpieces *pieces, const struct cut_run *run,
		       enum cut_mode mode, struct cut_edges *edges_r,
		       struct errmsg *e)
{
	struct search s = { .arena = a,
			    .plan = plan,
			    .pieces = pieces,
			    .run = run,
			    .edges = edges_r };
	const struct tsfile *last;
	enum err err;

	*edges_r = (struct cut_edges){
		.has_video = plan->pieces[run->first].has_video,
	};
	err = find_times(&s, e);
	if (!err)
		err = search_load(&s, run->last, &last, e);
	if (err)
		return err;
	if (!edges_r->has_video) {
		find_sound_only(&s, last);
		return ERR_OK;
	}
	err = find_first_picture(&s, e);
	if (!err && !edges_r->is_empty)
		err = end_at_gap(&s, e);
	if (!err && !edges_r->is_empty)
		err = find_stop(&s, e);
	if (!err && !edges_r->is_empty && mode == CUT_COPIES)
		err = find_copy_start(&s, e);
	if (!err && !edges_r->is_empty)
		err = find_head(&s, e);
	if (!err && !edges_r->is_empty)
		err = search_sets(&s, e);
	if (!err && !edges_r->is_empty && edges_r->has_copy)
		err = find_tail(&s, e);
	if (!err && !edges_r->is_empty && mode == CUT_COPIES)
		err = count_pictures(&s, e);
	if (!err && !edges_r->is_empty)
		err = find_leads(&s, e);
	return err;
}
