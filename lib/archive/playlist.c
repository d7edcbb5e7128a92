#include "config.h"

#include "archive/playlist.h"

#include <string.h>

#include <xxhash.h>

#define DISCONTINUITY "#EXT-X-DISCONTINUITY\n"
#define END_OF_LIST   "#EXT-X-ENDLIST\n"

/* A list in the making. */
struct list {
	struct media_playlist *out;
	struct sequence *seqs;
	size_t nr_seqs;
	uint64_t hash;
};

static void add_bytes(struct list *list, const void *data, size_t len)
{
	struct media_playlist *out = list->out;

	out->iov[out->nr_iov++] =
		(struct iovec){ .iov_base = (void *)data, .iov_len = len };
	out->length += len;
}

static void add_text(struct list *list, const char *text, size_t len)
{
	add_bytes(list, text, len);
	list->hash = XXH3_64bits_withSeed(text, len, list->hash);
}

/* The lines of a span are one piece of its index's text. */
static void add_span(struct list *list, const struct segspan *span)
{
	const struct hour_entry *first = &span->index->entries[span->first];
	const struct hour_entry *last = &span->index->entries[span->last];
	uint32_t end = last->text_off + last->text_len;
	struct {
		uint64_t hash;
		uint64_t from;
		uint64_t to;
	} identity = { span->index->head->text_hash, first->text_off, end };

	if (first->text_off == 0 && end == span->index->head->chain_size)
		list->out->blocks[list->out->nr_iov] =
			hourindex_block(span->index);
	add_bytes(list, span->index->text + first->text_off,
		  end - first->text_off);
	list->hash =
		XXH3_64bits_withSeed(&identity, sizeof(identity), list->hash);
}

static bool is_over_an_hour_past(usec_t end_us, usec_t now_us)
{
	return end_us + PLAYLIST_PAST_US < now_us;
}

static bool is_final(const struct sequence *seq, bool is_live, usec_t now_us)
{
	bool is_past = is_over_an_hour_past(seq->range.end_us, now_us);

	if (is_live)
		return !seq->hole_at_end && is_past;
	return !seq->hole_at_end || is_past ||
	       seq->range.end_us <= seq->range.start_us;
}

/* The longest segment of a span in rounded seconds. */
static uint32_t longest_of(const struct segspan *span)
{
	const struct hour_header *head = span->index->head;
	usec_t longest_us = 0;

	if (span->first == 0 && span->last == head->last_chain)
		return head->max_rounded_s;
	for (uint32_t i = span->first; i <= span->last;
	     i = segspan_next(span, i))
		if (span->index->entries[i].length_us > longest_us)
			longest_us = span->index->entries[i].length_us;
	return hour_rounded_s(longest_us);
}

static uint32_t target_duration(const struct list *list)
{
	uint32_t longest = 1; /* a target of 0 is no target */

	for (size_t s = 0; s < list->nr_seqs; s++)
		for (size_t i = 0; i < list->seqs[s].nr; i++) {
			uint32_t n = longest_of(&list->seqs[s].spans[i]);

			longest = n > longest ? n : longest;
		}
	return longest;
}

static void add_sequences(struct list *list)
{
	bool is_first = true;

	for (size_t s = 0; s < list->nr_seqs; s++) {
		const struct sequence *seq = &list->seqs[s];

		for (size_t i = 0; i < seq->nr; i++) {
			bool is_edit = i == 0 && !is_first;

			if (seq->spans[i].after_hole || is_edit)
				add_text(list, DISCONTINUITY,
					 sizeof(DISCONTINUITY) - 1);
			add_span(list, &seq->spans[i]);
			is_first = false;
		}
		list->out->nr_segments += sequence_count(seq);
		list->out->nr_holes += seq->nr_holes;
		list->out->holes_us += seq->holes_us;
	}
}

static void write_list(struct list *list, struct arena *a)
{
	const char *head;
	size_t nr = 2;

	for (size_t s = 0; s < list->nr_seqs; s++)
		nr += 2 * list->seqs[s].nr;
	list->out->iov = arena_alloc(a, nr * sizeof(*list->out->iov));
	list->out->blocks = arena_alloc(a, nr * sizeof(*list->out->blocks));
	head = arena_printf(a,
			    "#EXTM3U\n"
			    "#EXT-X-VERSION:3\n"
			    "#EXT-X-TARGETDURATION:%u\n"
			    "#EXT-X-MEDIA-SEQUENCE:0\n"
			    "%s",
			    target_duration(list),
			    list->out->is_final ? "#EXT-X-PLAYLIST-TYPE:VOD\n" :
						  "");
	add_text(list, head, strlen(head));
	add_sequences(list);
	if (list->out->is_final)
		add_text(list, END_OF_LIST, sizeof(END_OF_LIST) - 1);
	list->out->hash = list->hash;
}

/*
 * Whether an entry at or after from_us may not stay where it is: it is not
 * full, or in the hole in front of it there is room for a later one.
 */
static bool may_change(const struct sequence *seq, size_t s, uint32_t i,
		       usec_t from_us)
{
	const struct segspan *span = &seq->spans[s];
	const struct hour_entry *entry = &span->index->entries[i];
	bool after_hole = i != span->first ? entry->flags & ENTRY_AFTER_HOLE :
			  s		   ? span->after_hole :
					     seq->hole_at_start;

	return entry->start_us >= from_us &&
	       (entry->kind != SEGMENT_FULL || after_hole);
}

/* Cuts a sequence before the first entry of its end that may still change. */
static void hold_back(struct sequence *seq, usec_t from_us)
{
	size_t held_span = seq->nr;
	uint32_t held_entry = 0;
	bool is_older = false;

	for (size_t s = seq->nr; s-- > 0 && !is_older;) {
		const struct segspan *span = &seq->spans[s];
		uint32_t i = span->last;

		for (;; i = segspan_previous(span, i)) {
			is_older = hour_entry_end(&span->index->entries[i]) <=
				   from_us;
			if (is_older)
				break;
			if (may_change(seq, s, i, from_us)) {
				held_span = s;
				held_entry = i;
			}
			if (i == span->first)
				break;
		}
	}
	if (held_span < seq->nr)
		sequence_cut_before(seq, held_span, held_entry);
}

static void settle_live(struct sequence *seq, usec_t now_us)
{
	usec_t newest_us;

	if (!seq->nr)
		return;
	newest_us = hour_entry_end(sequence_last(seq));
	if (now_us < newest_us + PLAYLIST_STOPPED_US)
		hold_back(seq, newest_us - PLAYLIST_HOLD_BACK_US);
	sequence_forget_end(seq);
}

enum err playlist_media(struct hourreader *reader,
			const struct time_range *ranges, size_t nr_ranges,
			bool is_live, usec_t now_us,
			struct media_playlist *list_r, struct errmsg *e)
{
	struct arena *a = reader->arena;
	struct media_playlist out = { .is_final = true };
	struct list list = {
		.out = &out,
		.seqs = arena_alloc(a, nr_ranges * sizeof(*list.seqs)),
		.nr_seqs = nr_ranges,
	};

	for (size_t i = 0; i < nr_ranges; i++) {
		struct sequence *seq = &list.seqs[i];
		enum err err = bestseg_find(reader, &ranges[i], seq, e);

		if (err)
			return err;
		out.is_final &= is_final(seq, is_live, now_us);
		if (is_live)
			settle_live(seq, now_us);
	}
	write_list(&list, a);
	*list_r = out;
	return ERR_OK;
}
