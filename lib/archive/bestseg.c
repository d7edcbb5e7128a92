#include "config.h"

#include "archive/bestseg.h"

#include <string.h>

struct walk {
	struct hourreader *reader;
	struct sequence *seq;
	const struct hour_entry *last; /* accepted last, or NULL */
	bool is_done;
};

uint32_t segspan_next(const struct segspan *span, uint32_t i)
{
	return i >= span->last ? span->last + 1 :
				 hourindex_next_in_chain(span->index, i);
}

uint32_t segspan_previous(const struct segspan *span, uint32_t i)
{
	do
		i--;
	while (!(span->index->entries[i].flags & ENTRY_IN_CHAIN));
	return i;
}

const struct hour_entry *segspan_last(const struct segspan *span)
{
	return &span->index->entries[span->last];
}

/* Whether the span is the whole chain, whose totals the index knows. */
static bool is_whole_chain(const struct segspan *span)
{
	return span->first == 0 && span->last == span->index->head->last_chain;
}

bool segspan_is_after_hole(const struct segspan *span, uint32_t i)
{
	return i == span->first ?
		       span->after_hole :
		       span->index->entries[i].flags & ENTRY_AFTER_HOLE;
}

uint64_t segspan_count(const struct segspan *span)
{
	uint64_t nr = 0;

	if (is_whole_chain(span))
		return span->index->head->nr_chain;
	for (uint32_t i = span->first; i <= span->last;
	     i = segspan_next(span, i))
		nr++;
	return nr;
}

uint64_t sequence_count(const struct sequence *seq)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < seq->nr; i++)
		nr += segspan_count(&seq->spans[i]);
	return nr;
}

enum err sequence_check(const struct sequence *seq, struct errmsg *e)
{
	char start[UTIME_ISO_SIZE], end[UTIME_ISO_SIZE];

	if (seq->nr)
		return ERR_OK;
	utime_format(seq->range.start_us, start);
	utime_format(seq->range.end_us, end);
	return err_set(e, ERR_HOLES,
		       "contains holes: there is nothing from %s to %s", start,
		       end);
}

const struct hour_entry *sequence_last(const struct sequence *seq)
{
	return segspan_last(&seq->spans[seq->nr - 1]);
}

static void count_hole(struct sequence *seq, usec_t length_us)
{
	seq->nr_holes++;
	seq->holes_us += length_us > 0 ? length_us : 0;
}

static void count_inner_holes(struct sequence *seq, const struct segspan *span)
{
	const struct hour_entry *entries = span->index->entries;
	uint32_t previous = span->first;

	if (is_whole_chain(span)) {
		seq->nr_holes += span->index->head->nr_holes;
		seq->holes_us += span->index->head->holes_us;
		return;
	}
	for (uint32_t i = segspan_next(span, previous); i <= span->last;
	     i = segspan_next(span, i)) {
		if (entries[i].flags & ENTRY_AFTER_HOLE)
			count_hole(seq,
				   entries[i].start_us -
					   hour_entry_end(&entries[previous]));
		previous = i;
	}
}

/* Adds a span after the last; seq->nr_holes is kept. */
static void add_span(struct walk *w, const struct hourindex *index,
		     uint32_t first, uint32_t last)
{
	struct sequence *seq = w->seq;
	const struct hour_entry *entry = &index->entries[first];
	struct segspan span = { .index = index, .first = first, .last = last };

	if (w->last) {
		usec_t gap = entry->start_us - hour_entry_end(w->last);

		span.after_hole =
			gap > SEAM_US || w->last->kind != SEGMENT_FULL;
		span.hole_us = gap > 0 ? gap : 0;
		if (span.after_hole)
			count_hole(seq, gap);
	}
	seq->spans = arena_grow(w->reader->arena, seq->spans, seq->nr,
				&seq->capacity, sizeof(span));
	seq->spans[seq->nr++] = span;
	count_inner_holes(seq, &span);
	w->last = &index->entries[last];
}

/* How far the range goes along the chain from entry first of it. */
static uint32_t follow_chain(const struct hourindex *index, uint32_t first,
			     usec_t end_us)
{
	const struct hour_header *head = index->head;
	uint32_t last = first;

	if (head->max_end_us < end_us &&
	    index->entries[head->last_chain].start_us < end_us)
		return head->last_chain;
	while (hour_entry_end(&index->entries[last]) < end_us) {
		uint32_t next = hourindex_next_in_chain(index, last);

		if (next == head->nr_entries ||
		    index->entries[next].start_us >= end_us)
			break;
		last = next;
	}
	return last;
}

/*
 * Whether a full segment ends at or before the range's start, and the first
 * one continues it: the start is inside a seam.
 */
static enum err starts_in_seam(struct walk *w, const struct hour_entry *first,
			       bool *yes_r, struct errmsg *e)
{
	usec_t start_us = w->seq->range.start_us;
	usec_t hour_us = utime_hour(start_us);

	*yes_r = false;
	if (first->start_us - start_us > SEAM_US)
		return ERR_OK;
	for (int back = 0; back < 2 && !*yes_r; back++) {
		struct hourindex *index;
		enum err err =
			hourcache_get(w->reader, hour_us - back * USEC_PER_HOUR,
				      HOUR_WANT_NAMES, &index, e);

		if (err)
			return err;
		for (uint32_t i = 0; index && i < index->head->nr_entries;
		     i++) {
			const struct hour_entry *entry = &index->entries[i];
			usec_t end_us = hour_entry_end(entry);

			if (entry->kind == SEGMENT_FULL && end_us <= start_us &&
			    end_us >= first->start_us - SEAM_US)
				*yes_r = true;
		}
	}
	return ERR_OK;
}

/* The entry that covers the start, else the first after it; or nr_entries. */
static uint32_t find_first(const struct hourindex *index, usec_t start_us)
{
	uint32_t i =
		hourindex_find(index, start_us - index->head->max_length_us);

	while (i < index->head->nr_entries &&
	       hour_entry_end(&index->entries[i]) <= start_us)
		i++;
	return i;
}

static enum err begin_with(struct walk *w, const struct hour_entry *first,
			   struct errmsg *e)
{
	usec_t start_us = w->seq->range.start_us;
	bool in_seam = false;
	enum err err;

	if (first->start_us <= start_us)
		return ERR_OK;
	err = starts_in_seam(w, first, &in_seam, e);
	if (!err && !in_seam) {
		w->seq->hole_at_start = true;
		w->seq->start_hole_us = first->start_us - start_us;
		count_hole(w->seq, w->seq->start_hole_us);
	}
	return err;
}

/* Whether entry may follow what was accepted last. */
static bool follows(const struct walk *w, const struct hour_entry *entry)
{
	return !w->last || entry->start_us >= hour_entry_end(w->last) - SEAM_US;
}

static enum err walk_hour(struct walk *w, const struct hourindex *index,
			  struct errmsg *e)
{
	const struct time_range *range = &w->seq->range;
	uint32_t i = w->last ? 0 : find_first(index, range->start_us);

	while (i < index->head->nr_entries) {
		const struct hour_entry *entry = &index->entries[i];
		uint32_t last = i;

		if (entry->start_us >= range->end_us)
			break;
		if (!follows(w, entry)) {
			i++;
			continue;
		}
		if (!w->last) {
			enum err err = begin_with(w, entry, e);

			if (err)
				return err;
		}
		if (entry->flags & ENTRY_IN_CHAIN)
			last = follow_chain(index, i, range->end_us);
		add_span(w, index, i, last);
		if (hour_entry_end(w->last) >= range->end_us) {
			w->is_done = true;
			break;
		}
		i = last + 1;
	}
	return ERR_OK;
}

/* Whether a segment that begins at or after the end continues the last one. */
static enum err continues(struct walk *w, bool *yes_r, struct errmsg *e)
{
	usec_t from_us = w->seq->range.end_us;
	usec_t to_us = hour_entry_end(w->last) + SEAM_US;

	*yes_r = false;
	for (usec_t hour_us = utime_hour(from_us); hour_us <= to_us && !*yes_r;
	     hour_us += USEC_PER_HOUR) {
		struct hourindex *index;
		enum err err = hourcache_get(w->reader, hour_us,
					     HOUR_WANT_NAMES, &index, e);
		uint32_t i;

		if (err)
			return err;
		if (!index)
			continue;
		i = hourindex_find(index, from_us);
		*yes_r = i < index->head->nr_entries &&
			 index->entries[i].start_us <= to_us;
	}
	return ERR_OK;
}

static enum err finish(struct walk *w, struct errmsg *e)
{
	struct sequence *seq = w->seq;
	usec_t missing_us;
	bool is_continued = false;
	enum err err;

	if (!w->last) {
		seq->hole_at_start = seq->hole_at_end = true;
		count_hole(seq, seq->range.end_us - seq->range.start_us);
		return ERR_OK;
	}
	missing_us = seq->range.end_us - hour_entry_end(w->last);
	if (w->last->kind == SEGMENT_FULL && missing_us <= 0)
		return ERR_OK;
	if (w->last->kind == SEGMENT_FULL && missing_us <= SEAM_US) {
		err = continues(w, &is_continued, e);
		if (err || is_continued)
			return err;
	}
	seq->hole_at_end = true;
	count_hole(seq, missing_us);
	return ERR_OK;
}

enum err bestseg_find(struct hourreader *reader, const struct time_range *range,
		      struct sequence *seq_r, struct errmsg *e)
{
	struct sequence seq = { .range = *range };
	struct walk w = { .reader = reader, .seq = &seq };
	usec_t hour_us = utime_hour(range->start_us) - USEC_PER_HOUR;
	enum err err;

	for (; !w.is_done && hour_us < range->end_us &&
	       range->start_us < range->end_us;
	     hour_us += USEC_PER_HOUR) {
		struct hourindex *index;

		err = hourcache_get(reader, hour_us, HOUR_WANT_NAMES, &index,
				    e);
		if (!err && index)
			err = walk_hour(&w, index, e);
		if (err)
			return err;
	}
	err = finish(&w, e);
	if (!err)
		*seq_r = seq;
	return err;
}

/* Counts all holes but one at the end. */
static void recount(struct sequence *seq)
{
	seq->nr_holes = 0;
	seq->holes_us = 0;
	if (seq->hole_at_start && seq->nr)
		count_hole(seq, seq->start_hole_us);
	for (size_t i = 0; i < seq->nr; i++) {
		if (seq->spans[i].after_hole)
			count_hole(seq, seq->spans[i].hole_us);
		count_inner_holes(seq, &seq->spans[i]);
	}
}

void sequence_cut_before(struct sequence *seq, size_t span, uint32_t entry)
{
	seq->nr = span;
	if (entry != seq->spans[span].first) {
		seq->spans[span].last =
			segspan_previous(&seq->spans[span], entry);
		seq->nr++;
	}
	seq->hole_at_end = true;
	recount(seq);
}

void sequence_forget_end(struct sequence *seq)
{
	recount(seq);
}
