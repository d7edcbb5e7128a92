#include "config.h"

#include <string.h>
#include <unistd.h>

#include "media/cutsearch.h"

bool search_drops_last(const struct search *s, size_t piece)
{
	return piece == s->run->last &&
	       rough_piece_entry(&s->plan->cover.pieces[piece])->kind ==
		       SEGMENT_PARTIAL;
}

size_t search_nr_units(const struct search *s, size_t piece,
		       const struct tsfile *file)
{
	return file->nr_units - (file->nr_units && search_drops_last(s, piece));
}

void search_stretch(const struct search *s, struct framestretch *stretch,
		    size_t first, size_t last, int64_t lo, int64_t hi)
{
	*stretch = (struct framestretch){
		.cover = &s->plan->cover,
		.pieces = s->plan->cover.pieces + first,
		.nr_pieces = last - first + 1,
		.reference = s->plan->pieces[first].dts,
		.drops_last = search_drops_last(s, last),
		.lo = lo,
		.hi = hi,
	};
}

static bool read_sets(struct search *s, const struct tsfile *file)
{
	for (size_t i = 0; i < file->nr_units; i++)
		if (file->units[i].flags & UNIT_SPS) {
			h264_read_sets(s->arena, file->units[i].data,
				       file->units[i].size, &s->edges->sets);
			return true;
		}
	return false;
}

/* Segments in front of the range's first, the last of them first. */
static enum err look_in_front(struct search *s, struct framestretch *stretch,
			      int64_t pts, bool *found_r, struct errmsg *e)
{
	const struct rough_piece *first = stretch->pieces;
	usec_t start_us = rough_piece_entry(first)->start_us;
	struct time_range *range = ARENA_NEW(s->arena, struct time_range);
	struct roughcut *cover = ARENA_NEW(s->arena, struct roughcut);
	struct rough_spec spec = { range, 1, true, 0 };
	struct rough_piece *all;
	enum err err;

	*found_r = false;
	*range = (struct time_range){ start_us - CUT_LEAD_IN_US, start_us };
	err = roughcut_plan(s->plan->reader, &spec, cover, e);
	if (err || (cover->nr && hour_entry_end(rough_piece_entry(
					 &cover->pieces[cover->nr - 1])) <
					 start_us - SEAM_US))
		return err == ERR_HOLES ? ERR_OK : err;
	for (size_t i = cover->nr; i-- > 0 && !*found_r;) {
		int64_t reference =
			stretch->reference -
			ticks_of_us(
				start_us -
				rough_piece_entry(&cover->pieces[i])->start_us);
		struct arena scratch;
		struct tsfile *file;
		int fd;

		err = roughcut_open(cover, &cover->pieces[i], &fd, e);
		if (err)
			return err;
		arena_init(&scratch);
		err = tsfile_read(&scratch, fd, reference, &file, e);
		close(fd);
		*found_r = !err && framesource_has_entry(file, pts);
		if (*found_r)
			read_sets(s, file);
		arena_release(&scratch);
		if (err)
			return err;
		if (*found_r) {
			size_t nr = cover->nr - i;

			all = arena_alloc(s->arena, (nr + stretch->nr_pieces) *
							    sizeof(*all));
			memcpy(all, &cover->pieces[i], nr * sizeof(*all));
			memcpy(all + nr, stretch->pieces,
			       stretch->nr_pieces * sizeof(*all));
			stretch->pieces = all;
			stretch->nr_pieces += nr;
			stretch->reference = reference;
		}
		if (cover->pieces[i].after_hole)
			break;
	}
	return ERR_OK;
}

/* Lets a stretch begin where its first picture can be decoded from. */
enum err search_entry(struct search *s, struct framestretch *stretch,
		      size_t first, bool *found_r, struct errmsg *e)
{
	int64_t pts = stretch->lo;

	for (size_t p = first + 1; p-- > s->run->first;) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		if (framesource_has_entry(file, pts)) {
			stretch->nr_pieces += first - p;
			stretch->pieces -= first - p;
			stretch->reference = s->plan->pieces[p].dts;
			*found_r = true;
			return ERR_OK;
		}
	}
	stretch->nr_pieces += first - s->run->first;
	stretch->pieces -= first - s->run->first;
	stretch->reference = s->plan->pieces[s->run->first].dts;
	*found_r = false;
	if (!s->run->begins_range)
		return ERR_OK;
	return look_in_front(s, stretch, pts, found_r, e);
}

/* The first picture that can be decoded at all becomes the start. */
enum err search_move_start(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;

	for (size_t p = edges->first; p <= s->run->last; p++) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		for (size_t i = 0; i < search_nr_units(s, p, file); i++) {
			const struct unit *unit = &file->units[i];

			if (!(unit->flags & (UNIT_IDR | UNIT_RECOVERY)) ||
			    unit->pts == TS_NONE)
				continue;
			edges->start = unit->pts;
			edges->first = p;
			edges->start_moved = true;
			edges->is_empty = unit->pts >= edges->end;
			return ERR_OK;
		}
	}
	edges->is_empty = true;
	return ERR_OK;
}

/* The parameter sets of the first pieces, or of one in front of them. */
enum err search_sets(struct search *s, struct errmsg *e)
{
	struct cut_edges *edges = s->edges;
	size_t last = edges->has_copy ? edges->copy.piece : edges->first;
	struct framestretch stretch;
	bool found;

	for (size_t p = s->run->first; p <= last && !edges->sets.size; p++) {
		const struct tsfile *file;
		enum err err = search_load(s, p, &file, e);

		if (err)
			return err;
		if (read_sets(s, file))
			return ERR_OK;
	}
	if (edges->sets.size || !s->run->begins_range)
		return ERR_OK;
	search_stretch(s, &stretch, s->run->first, s->run->first, INT64_MAX, 0);
	return look_in_front(s, &stretch, INT64_MAX, &found, e);
}
