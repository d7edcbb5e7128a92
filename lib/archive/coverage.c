#include "config.h"

#include "archive/coverage.h"

struct walk {
	struct hourreader *reader;
	const struct sequence *seq;
	struct coverage *c;
	coverage_fn *fn;
	void *ctx;
	usec_t from_us; /* of what begins in the range or covers its start */
	/* Where in the sequence it is: */
	size_t span;
	uint32_t next; /* entry of the span */
	const struct hour_entry *last;
	usec_t run_us; /* when the run began */
	uint64_t run_nr;
};

static usec_t within(const struct time_range *range, usec_t us)
{
	return us < range->start_us ? range->start_us :
	       us > range->end_us   ? range->end_us :
				      us;
}

/* The hour that counts what begins then. */
static struct coverage_sum *hour_of(struct coverage *c, usec_t us)
{
	usec_t first_us = utime_hour(c->range.start_us);
	size_t i;

	if (us < first_us)
		return c->hours;
	i = (size_t)((us - first_us) / USEC_PER_HOUR);
	return &c->hours[i < c->nr_hours ? i : c->nr_hours - 1];
}

/* Adds the time from start to end to a field of the hours it is in. */
static void add_time(struct coverage *c, size_t field, usec_t start_us,
		     usec_t end_us)
{
	while (start_us < end_us) {
		char *sum = (char *)hour_of(c, start_us);
		usec_t next_us = utime_hour(start_us) + USEC_PER_HOUR;

		if (next_us > end_us)
			next_us = end_us;
		*(usec_t *)(void *)(sum + field) += next_us - start_us;
		start_us = next_us;
	}
}

static void tell_run(struct walk *w, usec_t end_us)
{
	struct coverage_item item = {
		.kind = COVERAGE_SPAN,
		.start_us = w->run_us,
		.end_us = within(&w->c->range, end_us),
		.nr_segments = w->run_nr,
	};

	hour_of(w->c, item.start_us)->nr_spans++;
	add_time(w->c, offsetof(struct coverage_sum, covered_us), item.start_us,
		 item.end_us);
	w->run_nr = 0;
	w->fn(w->ctx, &item);
}

/* What comes after it begins a new run. */
static void tell_hole(struct walk *w, usec_t start_us, usec_t end_us)
{
	struct coverage_item item = {
		.kind = COVERAGE_HOLE,
		.start_us = within(&w->c->range, start_us),
		.end_us = within(&w->c->range, end_us),
	};

	hour_of(w->c, item.start_us)->nr_holes++;
	add_time(w->c, offsetof(struct coverage_sum, missing_us), item.start_us,
		 item.end_us);
	w->run_us = item.end_us;
	w->fn(w->ctx, &item);
}

static void tell_segment(struct walk *w, enum coverage_kind kind,
			 const struct hourindex *index,
			 const struct hour_entry *entry)
{
	struct coverage_item item = {
		.kind = kind,
		.start_us = entry->start_us,
		.end_us = hour_entry_end(entry),
		.index = index,
		.entry = entry,
		.overlap_us =
			w->last ? hour_entry_end(w->last) - entry->start_us : 0,
	};

	w->fn(w->ctx, &item);
}

/* Whether there is a hole in front of the next segment. */
static bool is_after_hole(const struct walk *w)
{
	return w->last ?
		       segspan_is_after_hole(&w->seq->spans[w->span], w->next) :
		       w->seq->hole_at_start;
}

/* The next segment of the sequence. */
static void take(struct walk *w, const struct hourindex *index,
		 const struct hour_entry *entry)
{
	const struct segspan *span = &w->seq->spans[w->span];
	struct coverage_sum *sum = hour_of(w->c, entry->start_us);

	if (is_after_hole(w)) {
		usec_t end_us = w->last ? hour_entry_end(w->last) :
					  w->c->range.start_us;

		if (end_us > entry->start_us)
			end_us = entry->start_us;
		if (w->last)
			tell_run(w, end_us);
		tell_hole(w, end_us, entry->start_us);
	}
	w->run_nr++;
	sum->nr_kind[entry->kind]++;
	sum->bytes += entry->size > 0 ? (uint64_t)entry->size : 0;
	if (entry->kind != SEGMENT_FULL)
		tell_segment(w, COVERAGE_NONFULL, index, entry);
	w->last = entry;
	w->next = segspan_next(span, w->next);
	if (w->next > span->last && ++w->span < w->seq->nr)
		w->next = w->seq->spans[w->span].first;
}

static bool is_next(const struct walk *w, const struct hourindex *index,
		    uint32_t i)
{
	return w->span < w->seq->nr && w->next == i &&
	       w->seq->spans[w->span].index == index;
}

static void visit_entries(struct walk *w, const struct hourindex *index)
{
	for (uint32_t i = hourindex_find(index, w->from_us);
	     i < index->head->nr_entries; i++) {
		const struct hour_entry *entry = &index->entries[i];

		if (entry->start_us >= w->c->range.end_us)
			break;
		if (is_next(w, index, i)) {
			take(w, index, entry);
		} else if (w->last &&
			   entry->start_us <
				   hour_entry_end(w->last) - SEAM_US) {
			hour_of(w->c, entry->start_us)->nr_overlaps++;
			tell_segment(w, COVERAGE_OVERLAP, index, entry);
		}
	}
}

/* Tells of all files of one start; returns how many others there are. */
static uint32_t tell_duplicate(struct walk *w, const struct hourindex *index,
			       const struct hour_other *others, uint32_t max)
{
	const struct hour_entry *best =
		&index->entries[hourindex_find(index, others->start_us)];
	struct coverage_item item = {
		.kind = COVERAGE_DUPLICATE,
		.start_us = best->start_us,
		.end_us = hour_entry_end(best),
		.index = index,
		.entry = best,
		.others = others,
		.nr_others = 1,
	};

	while (item.nr_others < max &&
	       others[item.nr_others].start_us == others->start_us &&
	       hour_other_is_duplicate(&others[item.nr_others]))
		item.nr_others++;
	hour_of(w->c, best->start_us)->nr_duplicates++;
	w->fn(w->ctx, &item);
	return (uint32_t)item.nr_others;
}

static void visit_others(struct walk *w, const struct hourindex *index)
{
	uint32_t nr = index->head->nr_others;
	uint32_t i = 0;

	while (i < nr && index->others[i].start_us < w->from_us)
		i++;
	while (i < nr && index->others[i].start_us < w->c->range.end_us) {
		const struct hour_other *other = &index->others[i];
		struct coverage_sum *sum = hour_of(w->c, other->start_us);

		if (hour_other_is_duplicate(other)) {
			i += tell_duplicate(w, index, other, nr - i);
			continue;
		}
		sum->nr_deleted += other->why == WHY_DELETED;
		sum->nr_temp += other->why == WHY_TEMP;
		i++;
	}
}

/* The index that the sequence was made of, where it is in that hour. */
static enum err index_of(const struct walk *w, usec_t hour_us,
			 const struct hourindex **index_r, struct errmsg *e)
{
	struct hourindex *index;
	enum err err;

	if (w->span < w->seq->nr &&
	    w->seq->spans[w->span].index->head->hour_us == hour_us) {
		*index_r = w->seq->spans[w->span].index;
		return ERR_OK;
	}
	err = hourcache_get(w->reader, hour_us, HOUR_WANT_NAMES, &index, e);
	if (!err)
		*index_r = index;
	return err;
}

static enum err visit_hours(struct walk *w, struct errmsg *e)
{
	for (usec_t hour_us = utime_hour(w->from_us);
	     hour_us < w->c->range.end_us; hour_us += USEC_PER_HOUR) {
		const struct hourindex *index;
		enum err err = index_of(w, hour_us, &index, e);

		if (err)
			return err;
		if (!index)
			continue;
		visit_entries(w, index);
		visit_others(w, index);
	}
	return ERR_OK;
}

static void tell_end(struct walk *w)
{
	usec_t end_us = w->c->range.end_us;

	if (!w->last) {
		tell_hole(w, w->c->range.start_us, end_us);
		return;
	}
	if (w->seq->hole_at_end && hour_entry_end(w->last) < end_us)
		end_us = hour_entry_end(w->last);
	tell_run(w, end_us);
	if (w->seq->hole_at_end)
		tell_hole(w, end_us, w->c->range.end_us);
}

static void add_up(struct coverage *c)
{
	for (size_t i = 0; i < c->nr_hours; i++) {
		const struct coverage_sum *hour = &c->hours[i];

		c->total.covered_us += hour->covered_us;
		c->total.missing_us += hour->missing_us;
		c->total.nr_spans += hour->nr_spans;
		c->total.nr_holes += hour->nr_holes;
		for (int kind = 0; kind < SEGMENT_TEMP; kind++) {
			c->total.nr_kind[kind] += hour->nr_kind[kind];
			c->nr_segments += hour->nr_kind[kind];
		}
		c->total.bytes += hour->bytes;
		c->total.nr_overlaps += hour->nr_overlaps;
		c->total.nr_duplicates += hour->nr_duplicates;
		c->total.nr_deleted += hour->nr_deleted;
		c->total.nr_temp += hour->nr_temp;
	}
}

size_t coverage_nr_hours(const struct time_range *range)
{
	usec_t first_us = utime_hour(range->start_us);

	if (range->end_us <= range->start_us)
		return 0;
	return (size_t)((utime_hour(range->end_us - 1) - first_us) /
			USEC_PER_HOUR) +
	       1;
}

enum err coverage_find(struct hourreader *reader,
		       const struct time_range *range, enum hour_want want,
		       coverage_fn *fn, void *ctx, struct coverage *coverage_r,
		       struct errmsg *e)
{
	struct coverage c = { .range = *range };
	struct sequence seq;
	struct walk w = { .reader = reader,
			  .seq = &seq,
			  .c = &c,
			  .fn = fn,
			  .ctx = ctx,
			  .from_us = range->start_us,
			  .run_us = range->start_us };
	enum err err;

	c.nr_hours = coverage_nr_hours(range);
	if (!c.nr_hours)
		return err_set(e, ERR_INPUT,
			       "start and end: end must be after start");
	c.hours = arena_alloc(reader->arena, c.nr_hours * sizeof(*c.hours));
	reader->always |= want;
	err = bestseg_find(reader, range, &seq, e);
	if (err)
		return err;
	if (seq.nr) {
		const struct segspan *first = &seq.spans[0];

		w.next = first->first;
		if (first->index->entries[w.next].start_us < w.from_us)
			w.from_us = first->index->entries[w.next].start_us;
	}
	err = visit_hours(&w, e);
	if (err)
		return err;
	tell_end(&w);
	add_up(&c);
	*coverage_r = c;
	return ERR_OK;
}

const char *coverage_reason(const struct coverage_item *duplicate)
{
	static const char *const reasons[WHY_DELETED] = {
		[WHY_NOT_FULL] = "only-full",
		[WHY_NOT_SUSPECT] = "suspect-before-partial",
		[WHY_SHORTER] = "longest",
		[WHY_SMALLER] = "largest",
		[WHY_LOWER_HASH] = "highest-hash",
		[WHY_LATER_NAME] = "first-by-name",
	};
	unsigned last = 0;

	for (size_t i = 0; i < duplicate->nr_others; i++)
		if (duplicate->others[i].why > last)
			last = duplicate->others[i].why;
	return reasons[last];
}
