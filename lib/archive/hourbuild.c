/*
 * hourbuild.c - from a listing to an index; the layout is in hourindex.h.
 *
 * The parts are laid out twice: once to know their sizes, once to fill them.
 */
#include "config.h"

#include "archive/hourindex.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "archive/hourselect.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uri.h"

#define DATE_TIME "#EXT-X-PROGRAM-DATE-TIME:"

struct build {
	const struct hour_source *source;
	struct hour_selection chosen;
	struct hour_header head;
	struct hour_entry *entries;
	struct hour_other *others;
	/* "#EXT-X-PROGRAM-DATE-TIME:2026-11-07T00:" */
	char stamp_text[sizeof(DATE_TIME) + UTIME_HOUR_LEN + 1];
	size_t stamp_len;
	char *url; /* "PREFIX/segments/CHANNEL/QUALITY/HOUR/" */
	size_t url_len;
};

/* Decides which entries follow each other, and where the holes are. */
static void link_chain(struct build *b)
{
	const struct hour_entry *previous = NULL;
	struct hour_header *head = &b->head;

	for (uint32_t i = 0; i < head->nr_entries; i++) {
		struct hour_entry *entry = &b->entries[i];
		usec_t gap =
			previous ? entry->start_us - hour_entry_end(previous) :
				   0;

		if (gap < -SEAM_US)
			continue;
		entry->flags = ENTRY_IN_CHAIN;
		if (previous &&
		    (gap > SEAM_US || previous->kind != SEGMENT_FULL)) {
			entry->flags |= ENTRY_AFTER_HOLE;
			head->nr_holes++;
			head->holes_us += gap > 0 ? gap : 0;
		}
		head->nr_chain++;
		head->last_chain = i;
		previous = entry;
	}
}

/* No more than fits, whatever size a sparse file claims to have. */
static uint64_t bits_a_second(const struct hour_entry *entry)
{
	double bps = (double)entry->size * 8e6 / (double)entry->length_us;

	return bps < (double)INT64_MAX ? (uint64_t)bps : INT64_MAX;
}

static void sum_up(struct build *b)
{
	struct hour_header *head = &b->head;

	for (uint32_t i = 0; i < head->nr_entries; i++) {
		const struct hour_entry *entry = &b->entries[i];
		usec_t end = hour_entry_end(entry);
		uint32_t rounded = hour_rounded_s(entry->length_us);
		uint64_t bps;

		if (entry->length_us > head->max_length_us)
			head->max_length_us = entry->length_us;
		if (end > head->max_end_us)
			head->max_end_us = end;
		if (rounded > head->max_rounded_s)
			head->max_rounded_s = rounded;
		if (!b->source->measure || !(entry->flags & ENTRY_IN_CHAIN))
			continue;
		head->total_bytes += (uint64_t)entry->size;
		head->total_us += entry->length_us;
		bps = bits_a_second(entry);
		if (bps > head->peak_bps)
			head->peak_bps = bps;
	}
}

static void fill_entries(struct build *b)
{
	b->head.nr_entries = (uint32_t)b->chosen.nr;
	for (size_t i = 0; i < b->chosen.nr; i++) {
		struct candidate *c = &b->chosen.best[i];

		if (b->source->measure && c->size < 0)
			c->size = hour_file_size(b->source->fd, c->file->name);
		b->entries[i] = (struct hour_entry){
			.start_us = c->seg.start_us,
			.length_us = c->seg.length_us,
			.size = c->size,
			.name_off = (uint32_t)b->head.names_size,
			.name_len = c->file->len,
			.kind = c->seg.kind,
		};
		b->head.names_size += c->file->len + 1U;
	}
}

static void fill_others(struct build *b)
{
	b->head.nr_others = (uint32_t)b->chosen.nr_rejects;
	for (size_t i = 0; i < b->chosen.nr_rejects; i++) {
		struct reject *r = &b->chosen.rejects[i];

		if (b->source->measure && r->c.size < 0 && r->why < WHY_DELETED)
			r->c.size =
				hour_file_size(b->source->fd, r->c.file->name);
		b->others[i] = (struct hour_other){
			.start_us = r->c.seg.start_us,
			.length_us = r->c.seg.length_us,
			.size = r->c.size,
			.name_off = (uint32_t)b->head.names_size,
			.name_len = r->c.file->len,
			.kind = r->c.seg.kind,
			.why = (uint8_t)r->why,
		};
		b->head.names_size += r->c.file->len + 1U;
	}
}

/* "S.sss", rounded to the nearest millisecond. */
static char *put_length(char *to, usec_t length_us)
{
	uint64_t ms = hour_length_ms(length_us);
	unsigned digits = 1;

	for (uint64_t s = ms / 1000; s >= 10; s /= 10)
		digits++;
	utime_put_digits(to, digits, ms / 1000);
	to[digits] = '.';
	utime_put_digits(to + digits + 1, 3, ms % 1000);
	return to + digits + 4;
}

static char *put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

#define PUT(to, literal) put((to), (literal), sizeof(literal) - 1)

/* The three lines of a segment. */
static char *put_lines(char *to, const struct build *b,
		       const struct hour_entry *entry, const char *name)
{
	uint64_t us = (uint64_t)(entry->start_us - b->head.hour_us);
	uint64_t seconds = us / (uint64_t)USEC_PER_SEC;

	to = put(to, b->stamp_text, b->stamp_len);
	utime_put_digits(to, 2, seconds / 60);
	to[2] = ':';
	utime_put_digits(to + 3, 2, seconds % 60);
	to[5] = '.';
	utime_put_digits(to + 6, 6, us % (uint64_t)USEC_PER_SEC);
	to = PUT(to + 12, "Z\n#EXTINF:");
	to = put_length(to, entry->length_us);
	to = PUT(to, ",live\n");
	to = put(to, b->url, b->url_len);
	to += uri_encode(name, entry->name_len, to);
	*to++ = '\n';
	return to;
}

/* At most what the lines of one segment take. */
static size_t lines_bound(const struct build *b, size_t name_len)
{
	return sizeof(HOUR_DISCONTINUITY) + b->stamp_len + 64 + b->url_len +
	       3 * name_len;
}

/* Writes the lines of the entries that are (or are not) in the chain. */
static char *put_text(char *to, const char *text, struct build *b,
		      struct hour_entry *entries, const char *names,
		      bool in_chain)
{
	for (uint32_t i = 0; i < b->head.nr_entries; i++) {
		struct hour_entry *entry = &entries[i];

		if (!(entry->flags & ENTRY_IN_CHAIN) == in_chain)
			continue;
		if (entry->flags & ENTRY_AFTER_HOLE)
			to = PUT(to, HOUR_DISCONTINUITY);
		entry->text_off = (uint32_t)(to - text);
		to = put_lines(to, b, entry, names + entry->name_off);
		entry->text_len =
			(uint16_t)((size_t)(to - text) - entry->text_off);
	}
	return to;
}

static size_t pad(char *data, size_t at)
{
	while (at & 7)
		data[at++] = '\0';
	return at;
}

static void put_names(char *names, const struct build *b)
{
	for (size_t i = 0; i < b->chosen.nr; i++)
		memcpy(names + b->entries[i].name_off,
		       b->chosen.best[i].file->name,
		       b->entries[i].name_len + 1U);
	for (size_t i = 0; i < b->chosen.nr_rejects; i++)
		memcpy(names + b->others[i].name_off,
		       b->chosen.rejects[i].c.file->name,
		       b->others[i].name_len + 1U);
}

static struct hourindex *lay_out(struct build *b)
{
	struct hour_header *head = &b->head;
	size_t others_size = head->nr_others * sizeof(*b->others);
	size_t size = sizeof(*head) + head->nr_entries * sizeof(*b->entries) +
		      others_size + head->names_size + 24;
	char *data;
	char *names;
	char *text;
	size_t at;

	for (size_t i = 0; i < b->chosen.nr; i++)
		size += lines_bound(b, b->chosen.best[i].file->len);
	data = mem_alloc(size);
	head->entries_off = at = sizeof(*head);
	memcpy(data + at, b->entries, head->nr_entries * sizeof(*b->entries));
	at += head->nr_entries * sizeof(*b->entries);
	head->others_off = at; /* entries and others are multiples of 8 */
	if (others_size)
		memcpy(data + at, b->others, others_size);
	at += others_size;
	head->names_off = at;
	names = data + at;
	put_names(names, b);
	at += head->names_size;
	head->text_off = at = pad(data, at);
	text = data + at;
	at = (size_t)(put_text(text, text, b,
			       (void *)(data + head->entries_off), names,
			       true) -
		      text);
	head->chain_size = at;
	at = (size_t)(put_text(text + at, text, b,
			       (void *)(data + head->entries_off), names,
			       false) -
		      text);
	head->text_size = at;
	head->text_hash = XXH3_64bits(text, at);
	head->file_size = pad(data, head->text_off + at);
	memcpy(data, head, sizeof(*head));
	/* Only what a mapped file also has; the rest of the block is spare. */
	return hourindex_adopt(mem_resize(data, head->file_size));
}

static void begin(struct build *b)
{
	const struct hour_source *source = b->source;
	char hour[UTIME_HOUR_SIZE];
	size_t len = strlen(source->url);

	utime_format_hour(source->hour_us, hour);
	memcpy(b->stamp_text, DATE_TIME, sizeof(DATE_TIME) - 1);
	memcpy(b->stamp_text + sizeof(DATE_TIME) - 1, hour, UTIME_HOUR_LEN);
	b->stamp_len = sizeof(DATE_TIME) - 1 + UTIME_HOUR_LEN;
	b->stamp_text[b->stamp_len++] = ':';
	b->url = mem_alloc(len + UTIME_HOUR_LEN + 2);
	memcpy(b->url, source->url, len);
	memcpy(b->url + len, hour, UTIME_HOUR_LEN);
	b->url_len = len + UTIME_HOUR_LEN;
	b->url[b->url_len++] = '/';
	b->head = (struct hour_header){
		.magic = HOUR_MAGIC,
		.url_hash = hourindex_url_hash(source->url),
		.header_size = sizeof(b->head),
		.entry_size = sizeof(struct hour_entry),
		.rules = HOUR_RULES,
		.flags = (source->is_settled ? HOUR_SETTLED : 0U) |
			 (source->measure ? HOUR_MEASURED : 0U) |
			 (source->media ? HOUR_PROBED : 0U),
		.hour_us = source->hour_us,
		.stamp = source->stamp,
		.listing_hash = source->list->hash,
		.nr_ignored = b->chosen.nr_ignored,
	};
	if (source->media)
		b->head.media = *source->media;
}

enum err hourindex_build(const struct hour_source *source,
			 struct hourindex **index_r, struct errmsg *e)
{
	struct build b = { .source = source };
	enum err err;

	err = hour_select(source->hour_us, source->fd, source->list,
			  HOUR_MAX_ENTRIES, &b.chosen, e);
	if (err)
		return err;
	begin(&b);
	b.entries = mem_zero(b.chosen.nr * sizeof(*b.entries));
	b.others = mem_zero(b.chosen.nr_rejects * sizeof(*b.others));
	fill_entries(&b);
	fill_others(&b);
	link_chain(&b);
	sum_up(&b);
	*index_r = lay_out(&b);
	if (b.chosen.nr_ignored > source->known_ignored)
		log_warning(
			"%u names under '%.*s' are no segments, such as '%s'",
			b.chosen.nr_ignored, (int)b.url_len, b.url,
			b.chosen.ignored);
	hour_selection_release(&b.chosen);
	free(b.entries);
	free(b.others);
	free(b.url);
	return ERR_OK;
}
