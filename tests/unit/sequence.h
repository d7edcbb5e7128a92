/*
 * sequence.h - archives of a few words, and sequences as text, for the tests
 * of everything that is made of a range.
 *
 * Segments are written as words "K START+LENGTH[HASH]" without the space:
 * "F0+2 P2+1.5 S-10+2 F2+2b".  K is F (full), S, P or T, or X for a tombstone
 * of the full one; START is in seconds after UNIT_HOUR and may be negative;
 * HASH is one letter, "a" if there is none.
 *
 * A sequence is written as the starts of its segments in seconds, and
 * "(LENGTH)" where there is a hole: "(1) 1 3 (0.5) 5.5".
 */
#ifndef TESTS_UNIT_SEQUENCE_H
#define TESTS_UNIT_SEQUENCE_H

#include "archive/bestseg.h"

#include <ctype.h>

#include "base/text.h"
#include "unit.h"

#define SEQ_BASE "base/main/"

struct seq_archive {
	struct archive archive;
	struct hourcache *cache;
	struct arena arena;
};

static struct seq_archive seq;

/* The archive is kept in memory where that is possible. */
static inline int seq_begin(void **state)
{
	struct hourcache_config config = { .prefix = "/p",
					   .max_hours = 1000,
					   .max_heap = 1 << 28 };
	char path[512];

	if (!access("/dev/shm", W_OK) && !getenv("TMPDIR"))
		setenv("TMPDIR", "/dev/shm", 1);
	if (unit_begin(state))
		return -1;
	unit_mkdir(unit_fd, SEQ_BASE);
	snprintf(path, sizeof(path), "%s/base", unit_dir);
	if (archive_open(&seq.archive, path, &(struct errmsg){ "" }))
		return -1;
	seq.cache = hourcache_new(&config);
	arena_init(&seq.arena);
	return 0;
}

static inline int seq_end(void **state)
{
	arena_release(&seq.arena);
	hourcache_free(&seq.cache);
	archive_close(&seq.archive);
	return unit_end(state);
}

/* A quality of the channel "main", made if need be. */
static inline struct hourreader *seq_reader(const char *quality)
{
	char path[256];
	struct quality *q;
	struct errmsg e = { "" };

	snprintf(path, sizeof(path), SEQ_BASE "%s", quality);
	unit_mkdir(unit_fd, path);
	assert_int_equal(archive_quality(&seq.archive, &seq.arena, "main",
					 quality, &q, &e),
			 ERR_OK);
	return hourcache_reader(seq.cache, q, &seq.arena);
}

/* The path of a segment below its quality, without suffix. */
static inline void seq_path(char path[256], usec_t start_us, usec_t length_us,
			    const char *kind, const char *hash)
{
	char hour[UTIME_HOUR_SIZE];
	usec_t us = start_us - utime_hour(start_us);

	snprintf(path, 256, "%s/%02d:%02d.%06d-%d.%06d-%s-%s",
		 utime_format_hour(start_us, hour),
		 (int)(us / USEC_PER_SEC / 60), (int)(us / USEC_PER_SEC % 60),
		 (int)(us % USEC_PER_SEC), (int)(length_us / USEC_PER_SEC),
		 (int)(length_us % USEC_PER_SEC), kind, hash);
}

/* Writes a segment of so many bytes. */
static inline void seq_put(const char *quality, usec_t start_us,
			   usec_t length_us, const char *kind,
			   const char *hash, off_t size)
{
	char path[256];
	char file[512];

	seq_path(path, start_us, length_us, kind, hash);
	snprintf(file, sizeof(file), SEQ_BASE "%s/%s.ts", quality, path);
	unit_make(unit_fd, file, size);
}

/* Steps over a literal, if it is there. */
static inline bool seq_took(const char **p, const char *literal)
{
	if (strncmp(*p, literal, strlen(literal)) != 0)
		return false;
	*p += strlen(literal);
	return true;
}

/* Reads "3599.995" or "-2"; *text is moved behind it. */
static inline usec_t seq_take_us(const char **text)
{
	bool is_negative = **text == '-';
	size_t len;
	usec_t us;

	*text += is_negative;
	len = strspn(*text, "0123456789.");
	assert_true(len > 0);
	assert_true(utime_parse_seconds(*text, len, INT64_MAX / 4, &us));
	*text += len;
	return is_negative ? -us : us;
}

static inline usec_t seq_us(const char *text)
{
	return seq_take_us(&text);
}

/* Makes the segments of a text in a quality. */
static inline void seq_make(const char *quality, const char *words)
{
	for (const char *p = words; *p;) {
		const char *kind = *p == 'S' ? "suspect" :
				   *p == 'P' ? "partial" :
				   *p == 'T' ? "temp" :
					       "full";
		bool is_stone = *p == 'X';
		char hash[2] = "a";
		usec_t start_us, length_us;

		assert_non_null(strchr("FSPTX", *p));
		p++;
		start_us = UNIT_HOUR + seq_take_us(&p);
		assert_int_equal(*p++, '+');
		length_us = seq_take_us(&p);
		if (isalpha((unsigned char)*p))
			hash[0] = *p++;
		if (is_stone) {
			char path[256];
			char file[512];

			seq_path(path, start_us, length_us, kind, hash);
			snprintf(file, sizeof(file), SEQ_BASE "%s/%s.tombstone",
				 quality, path);
			unit_make(unit_fd, file, 0);
		} else {
			seq_put(quality, start_us, length_us, kind, hash, 10);
		}
		p += strspn(p, " ");
	}
}

/* Appends a number of seconds without needless zeros. */
static inline void seq_add_us(struct text *out, usec_t us)
{
	usec_t plain = us < 0 ? -us : us;

	text_printf(out, "%s%lld", us < 0 ? "-" : "",
		    (long long)(plain / USEC_PER_SEC));
	if (plain % USEC_PER_SEC == 0)
		return;
	text_printf(out, ".%06lld", (long long)(plain % USEC_PER_SEC));
	while (out->data[out->len - 1] == '0')
		out->data[--out->len] = '\0';
}

static inline void seq_add_hole(struct text *out, usec_t us)
{
	text_puts(out, "(");
	seq_add_us(out, us > 0 ? us : 0);
	text_puts(out, ") ");
}

/* A sequence being written, and what was seen of it. */
struct seq_tale {
	struct text *out;
	const struct hour_entry *previous;
	uint64_t nr_entries;
	uint32_t nr_holes;
	usec_t holes_us;
};

static inline void seq_tell_hole(struct seq_tale *t, usec_t us)
{
	t->nr_holes++;
	t->holes_us += us > 0 ? us : 0;
	seq_add_hole(t->out, us);
}

static inline void seq_tell_span(struct seq_tale *t,
				 const struct segspan *span)
{
	const struct hour_entry *entries = span->index->entries;
	uint32_t before = UINT32_MAX;

	assert_true(span->first <= span->last);
	assert_ptr_equal(segspan_last(span), &entries[span->last]);
	for (uint32_t i = span->first; i <= span->last;
	     i = segspan_next(span, i)) {
		bool is_first = i == span->first;
		usec_t gap_us = t->previous ?
					entries[i].start_us -
						hour_entry_end(t->previous) :
					0;

		if (!is_first)
			assert_int_equal(segspan_previous(span, i), before);
		if (is_first ? span->after_hole :
			       entries[i].flags & ENTRY_AFTER_HOLE) {
			assert_non_null(t->previous);
			seq_tell_hole(t, gap_us);
			if (is_first)
				assert_int_equal(span->hole_us,
						 gap_us > 0 ? gap_us : 0);
		}
		seq_add_us(t->out, entries[i].start_us - UNIT_HOUR);
		text_puts(t->out, " ");
		t->previous = &entries[i];
		t->nr_entries++;
		before = i;
	}
	assert_int_equal(before, span->last);
}

/*
 * The text of a sequence; what it says of itself must agree with it: counts,
 * lengths, neighbours.
 */
static inline const char *seq_text(const struct sequence *s)
{
	struct seq_tale t = { .out = text_new(&seq.arena, 1 << 24) };

	text_puts(t.out, "");
	if (!s->nr) {
		assert_true(s->hole_at_start && s->hole_at_end);
		seq_tell_hole(&t, s->range.end_us - s->range.start_us);
	} else if (s->hole_at_start) {
		seq_tell_hole(&t, s->start_hole_us);
	}
	for (size_t i = 0; i < s->nr; i++)
		seq_tell_span(&t, &s->spans[i]);
	if (s->nr && s->hole_at_end)
		seq_tell_hole(&t, s->range.end_us -
					  hour_entry_end(t.previous));
	assert_int_equal(s->nr_holes, t.nr_holes);
	assert_int_equal(s->holes_us, t.holes_us);
	assert_int_equal(sequence_count(s), t.nr_entries);
	if (s->nr)
		assert_ptr_equal(sequence_last(s), t.previous);
	if (t.out->len)
		t.out->data[--t.out->len] = '\0';	/* the last space */
	return t.out->data;
}

static inline void seq_find(struct hourreader *reader, usec_t start_us,
			    usec_t end_us, struct sequence *s)
{
	struct time_range range = { start_us, end_us };
	struct errmsg e = { "" };

	assert_int_equal(bestseg_find(reader, &range, s, &e), ERR_OK);
	assert_int_equal(s->range.start_us, start_us);
	assert_int_equal(s->range.end_us, end_us);
}

#endif
