#include "config.h"

#include "media/storyplan.h"

#include <unistd.h>

#include <xxhash.h>

#include "media/probe.h"
#include "media/still.h"

/* So many are opened to find those that a tile may be of, at most. */
#define MAX_OPENED (3 * STORY_TRIES)

/* So many segments are asked for the size of their pictures, at most. */
#define SIZE_TRIES 8

/* A segment of a sequence. */
struct place {
	size_t span;
	uint32_t entry;
};

struct planning {
	struct storyplan *plan;
	struct sequence seq;
	struct place next; /* the first that begins at or after a tile */
	XXH3_state_t *hash;
};

usec_t storyplan_time(const struct time_range *range, size_t nr, size_t i)
{
	usec_t length = range->end_us - range->start_us;
	usec_t whole = length / (usec_t)nr;
	usec_t rest = length % (usec_t)nr;

	/* length * i / nr, which could overflow */
	return range->start_us + whole * (usec_t)i +
	       rest * (usec_t)i / (usec_t)nr;
}

/* Segments of the sequence */

static const struct hour_entry *entry_of(const struct sequence *seq,
					 struct place at)
{
	return &seq->spans[at.span].index->entries[at.entry];
}

/* Moves on to the first that begins at or after a time, if there is one. */
static bool seek(const struct sequence *seq, usec_t us, struct place *at)
{
	const struct segspan *span;
	uint32_t i;

	while (at->span < seq->nr &&
	       segspan_last(&seq->spans[at->span])->start_us < us)
		at->span++;
	if (at->span == seq->nr)
		return false;
	span = &seq->spans[at->span];
	i = hourindex_find(span->index, us);
	if (i < span->first)
		i = span->first;
	/* A lone one need not be in the chain. */
	while (i < span->last && i != span->first &&
	       !(span->index->entries[i].flags & ENTRY_IN_CHAIN))
		i++;
	at->entry = i;
	return true;
}

static bool step(const struct sequence *seq, struct place *at)
{
	const struct segspan *span = &seq->spans[at->span];

	at->entry = segspan_next(span, at->entry);
	if (at->entry <= span->last)
		return true;
	if (++at->span == seq->nr)
		return false;
	at->entry = seq->spans[at->span].first;
	return true;
}

static bool step_back(const struct sequence *seq, struct place *at)
{
	if (at->span < seq->nr && at->entry > seq->spans[at->span].first) {
		at->entry = segspan_previous(&seq->spans[at->span], at->entry);
		return true;
	}
	if (!at->span)
		return false;
	at->entry = seq->spans[--at->span].last;
	return true;
}

/* Pieces */

/* The piece that a segment is already; else the next that is free. */
static size_t find_piece(const struct storyplan *plan,
			 const struct hour_entry *entry)
{
	const struct roughcut *cover = &plan->cover;

	for (size_t i = cover->nr; i > 0 && i + STORY_TRIES >= cover->nr; i--)
		if (rough_piece_entry(&cover->pieces[i - 1]) == entry)
			return i - 1;
	return cover->nr;
}

/* Whether the segment is now the tile's last piece. */
static bool add_piece(struct planning *p, struct story_tile *tile,
		      struct place at)
{
	struct roughcut *cover = &p->plan->cover;
	const struct hour_entry *entry = entry_of(&p->seq, at);
	size_t i = find_piece(p->plan, entry);
	struct errmsg e;

	if (tile->nr && i != tile->first + tile->nr)
		return false; /* what was left out before can be read now */
	if (i == cover->nr) {
		cover->pieces[i] = (struct rough_piece){
			.index = p->seq.spans[at.span].index,
			.entry = at.entry,
		};
		if (roughcut_look_at(cover, &cover->pieces[i], p->hash, &e)) {
			cover->is_settled = false;
			return false;
		}
		cover->nr++;
	}
	if (!tile->nr++)
		tile->first = i;
	return true;
}

static void plan_tile(struct planning *p, struct story_tile *tile)
{
	const struct sequence *seq = &p->seq;
	usec_t start_us = tile->time.start_us;
	usec_t quarter_us = (tile->time.end_us - start_us) / 4;
	bool has_next = seek(seq, start_us, &p->next);
	struct place before = p->next;
	struct place at = p->next;
	usec_t next_us = has_next ? entry_of(seq, at)->start_us : INT64_MAX;
	bool is_covered = step_back(seq, &before) &&
			  hour_entry_end(entry_of(seq, before)) > start_us;

	tile->is_hole = !is_covered && next_us > start_us + SEAM_US;
	if (is_covered && next_us > start_us + quarter_us)
		tile->is_covered = add_piece(p, tile, before);
	for (int i = 0, nr = 0; i < MAX_OPENED && nr < STORY_TRIES && has_next;
	     i++) {
		if (entry_of(seq, at)->start_us >= tile->time.end_us)
			break;
		nr += add_piece(p, tile, at);
		has_next = step(seq, &at);
	}
}

static void plan_tiles(struct planning *p)
{
	struct storyplan *plan = p->plan;
	size_t nr = plan->nr_tiles;

	plan->tiles =
		arena_alloc(plan->reader->arena, nr * sizeof(*plan->tiles));
	plan->cover.pieces = arena_alloc(plan->reader->arena,
					 nr * (STORY_TRIES + 1) *
						 sizeof(*plan->cover.pieces));
	for (size_t i = 0; i < nr; i++) {
		plan->tiles[i].time = (struct time_range){
			storyplan_time(&plan->range, nr, i),
			storyplan_time(&plan->range, nr, i + 1),
		};
		plan_tile(p, &plan->tiles[i]);
	}
}

/* What the first segment says that says anything of pictures. */
static void find_size(struct storyplan *plan)
{
	const struct roughcut *cover = &plan->cover;

	for (size_t i = 0; i < cover->nr && i < SIZE_TRIES && !plan->width;
	     i++) {
		struct hour_media media;
		struct errmsg e;
		int fd;

		if (roughcut_open(cover, &cover->pieces[i], &fd, &e))
			continue;
		if (probe_segment(fd, &media, &e) == ERR_OK && media.width &&
		    media.height && media.width <= INT16_MAX &&
		    media.height <= INT16_MAX) {
			plan->width = (int)media.width;
			plan->height = (int)media.height;
		}
		close(fd);
	}
}

/* Of more segments it is the hours that are told apart. */
#define MAX_NAMES 5000

static void hash_span(struct planning *p, const struct segspan *span,
		      bool by_name)
{
	if (!by_name) {
		const struct hour_header *head = span->index->head;
		const uint64_t all[] = { (uint64_t)head->hour_us,
					 head->text_hash, span->first,
					 span->last };

		XXH3_128bits_update(p->hash, all, sizeof(all));
		return;
	}
	for (uint32_t i = span->first; i <= span->last;
	     i = segspan_next(span, i))
		XXH3_128bits_update(p->hash, hourindex_name(span->index, i),
				    span->index->entries[i].name_len + 1);
}

/* All that a picture may be made of, which still.h may take from outside. */
static enum err hash_around(struct planning *p, struct errmsg *e)
{
	struct storyplan *plan = p->plan;
	const struct time_range around = { plan->range.start_us -
						   CUT_LEAD_IN_US,
					   plan->range.end_us + STILL_FAR_US };
	struct sequence seq;
	enum err err = bestseg_find(plan->reader, &around, &seq, e);

	for (size_t i = 0; !err && i < seq.nr; i++)
		hash_span(p, &seq.spans[i], sequence_count(&seq) <= MAX_NAMES);
	if (!err && seq.hole_at_end)
		plan->cover.is_settled = false;
	return err;
}

static void find_hash(struct planning *p)
{
	struct storyplan *plan = p->plan;
	const int64_t all[] = { plan->range.start_us, plan->range.end_us,
				(int64_t)plan->nr_tiles, plan->cover.holes_us };
	XXH128_hash_t digest;

	XXH3_128bits_update(p->hash, all, sizeof(all));
	digest = XXH3_128bits_digest(p->hash);
	plan->cover.hash[0] = digest.high64;
	plan->cover.hash[1] = digest.low64;
}

static enum err plan_all(struct planning *p, struct errmsg *e)
{
	struct storyplan *plan = p->plan;
	enum err err = bestseg_find(plan->reader, &plan->range, &p->seq, e);

	if (!err)
		err = sequence_check(&p->seq, e);
	if (err)
		return err;
	plan->cover.nr_holes = p->seq.nr_holes;
	plan->cover.holes_us = p->seq.holes_us;
	plan->cover.is_settled =
		!p->seq.nr_holes &&
		plan->range.end_us + STILL_FAR_US + USEC_PER_HOUR <=
			plan->now_us;
	XXH3_128bits_reset(p->hash);
	plan_tiles(p);
	find_size(plan);
	err = hash_around(p, e);
	find_hash(p);
	return err;
}

enum err storyplan_make(struct hourreader *reader,
			const struct time_range *range, size_t nr_tiles,
			usec_t now_us, struct storyplan *plan_r,
			struct errmsg *e)
{
	struct planning p = { .plan = plan_r, .hash = XXH3_createState() };
	enum err err;

	if (!p.hash)
		return err_set(e, ERR_IO, "out of memory");
	*plan_r = (struct storyplan){
		.reader = reader,
		.range = *range,
		.now_us = now_us,
		.nr_tiles = nr_tiles,
		.cover = { .quality = reader->quality },
	};
	err = plan_all(&p, e);
	XXH3_freeState(p.hash);
	return err;
}
