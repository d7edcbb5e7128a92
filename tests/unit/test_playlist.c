/*
 * test_playlist.c - HLS texts, media and master, to the letter; and that a
 * live list only ever appends.
 *
 * Most rows give a list as words: "t2 vod 0 2 D 5 end" is a target duration of
 * 2, the type VOD, the starts of segments in seconds after UNIT_HOUR, D for a
 * discontinuity and ENDLIST.  The reader of lists is strict.
 */
#include "config.h"

#include "archive/playlist.h"

#include "sequence.h"

#define HEAD "#EXTM3U\n#EXT-X-VERSION:3\n"
#define H0   UNIT_HOUR_NAME "/"

/* What a list is asked for, and the list. */
struct asked {
	struct hourreader *reader;
	struct time_range ranges[8];
	size_t nr;
	bool is_live;
	usec_t now_us;
	struct media_playlist list;
};

static const char *ask(struct asked *q)
{
	struct text *text = text_new(&seq.arena, 1 << 24);
	struct errmsg e = { "" };

	assert_int_equal(playlist_media(q->reader, q->ranges, q->nr,
					q->is_live, q->now_us, &q->list, &e),
			 ERR_OK);
	text_puts(text, "");
	for (int i = 0; i < q->list.nr_iov; i++)
		text_append(text, q->list.iov[i].iov_base,
			    q->list.iov[i].iov_len);
	assert_int_equal(text->len, q->list.length);
	return text->data;
}

/* Steps over a literal; the test fails if it is not there. */
static void take(const char **p, const char *literal)
{
	if (!seq_took(p, literal))
		fail_msg("expected '%s' at '%.60s'", literal, *p);
}

static unsigned long take_number(const char **p)
{
	char *end;
	unsigned long n;

	assert_true(isdigit((unsigned char)**p));
	n = strtoul(*p, &end, 10);
	*p = end;
	return n;
}

/* One segment: its lines agree with each other; its length in ms. */
static unsigned long take_segment(const char **p, const char *url,
				  struct text *out)
{
	char stamp[UTIME_ISO_SIZE];
	char again[UTIME_ISO_SIZE];
	char at[64];
	unsigned long ms;
	struct errmsg e;
	usec_t us;

	take(p, "#EXT-X-PROGRAM-DATE-TIME:");
	assert_int_equal(strcspn(*p, "\n"), UTIME_ISO_SIZE - 1);
	memcpy(stamp, *p, UTIME_ISO_SIZE - 1);
	stamp[UTIME_ISO_SIZE - 1] = '\0';
	*p += UTIME_ISO_SIZE - 1;
	assert_int_equal(utime_parse(stamp, 0, UTIME_UTC_ONLY, &us, &e),
			 ERR_OK);
	assert_string_equal(utime_format(us, again), stamp);
	take(p, "\n#EXTINF:");
	ms = take_number(p) * 1000;
	take(p, ".");
	assert_int_equal(strspn(*p, "0123456789"), 3);
	ms += take_number(p);
	take(p, ",live\n");
	take(p, url);
	snprintf(at, sizeof(at), "/%.13s/%.2s%%3A%.2s", stamp, stamp + 14,
		 stamp + 17);
	take(p, at);
	*p += strcspn(*p, "\n");
	take(p, "\n");
	seq_add_us(out, us - UNIT_HOUR);
	text_puts(out, " ");
	return ms;
}

/* A list in words. */
static const char *in_words(const char *list, const char *url)
{
	struct text *out = text_new(&seq.arena, 1 << 20);
	const char *p = list;
	bool is_vod, is_first = true;
	unsigned long target;

	take(&p, HEAD "#EXT-X-TARGETDURATION:");
	target = take_number(&p);
	take(&p, "\n#EXT-X-MEDIA-SEQUENCE:0\n");
	is_vod = seq_took(&p, "#EXT-X-PLAYLIST-TYPE:VOD\n");
	text_printf(out, "t%lu %s", target, is_vod ? "vod " : "");
	while (*p && strcmp(p, "#EXT-X-ENDLIST\n") != 0) {
		if (!is_first && seq_took(&p, "#EXT-X-DISCONTINUITY\n"))
			text_puts(out, "D ");
		/* RFC 8216 4.3.3.1: rounded to the nearest integer */
		assert_true((take_segment(&p, url, out) + 500) / 1000 <=
			    target);
		is_first = false;
	}
	if (*p)
		text_puts(out, "end ");
	assert_int_equal(is_vod, *p != '\0');
	out->data[--out->len] = '\0';
	return out->data;
}

/* Reads "0,4 8,10" into the ranges. */
static void set_ranges(struct asked *q, const char *words)
{
	q->nr = 0;
	for (const char *p = words; *p; p += strspn(p, " ")) {
		struct time_range *range = &q->ranges[q->nr++];

		range->start_us = UNIT_HOUR + seq_take_us(&p);
		assert_int_equal(*p++, ',');
		range->end_us = UNIT_HOUR + seq_take_us(&p);
	}
}

struct row {
	const char *what;
	const char *files;
	const char *ranges;
	const char *now;
	const char *expected;
	unsigned nr_holes;
	const char *holes;	/* their length in seconds */
};

static void check_rows(const char *name, const struct row *rows, size_t nr,
		       bool is_live)
{
	for (size_t i = 0; i < nr; i++) {
		struct asked q = { .is_live = is_live,
				   .now_us = UNIT_HOUR + seq_us(rows[i].now) };
		char quality[32];
		char url[64];
		const char *text;

		print_message("# %s\n", rows[i].what);
		snprintf(quality, sizeof(quality), "%s%zu", name, i);
		snprintf(url, sizeof(url), "/p/segments/main/%s", quality);
		q.reader = seq_reader(quality);
		seq_make(quality, rows[i].files);
		set_ranges(&q, rows[i].ranges);
		text = ask(&q);
		assert_string_equal(in_words(text, url), rows[i].expected);
		assert_int_equal(q.list.is_final,
				 strstr(text, "ENDLIST") != NULL);
		assert_int_equal(q.list.nr_holes, rows[i].nr_holes);
		assert_int_equal(q.list.holes_us, seq_us(rows[i].holes));
	}
}

static void test_exact_text(void **state)
{
	static const char expected[] =
		HEAD
		"#EXT-X-TARGETDURATION:6\n"
		"#EXT-X-MEDIA-SEQUENCE:0\n"
		"#EXT-X-PLAYLIST-TYPE:VOD\n"
		"#EXT-X-PROGRAM-DATE-TIME:2026-11-06T23:59:59.500000Z\n"
		"#EXTINF:1.500,live\n"
		"/p/segments/main/a%20%25%C3%A9/2026-11-06T23/"
		"59%3A59.500000-1.500000-full-a.ts\n"
		"#EXT-X-PROGRAM-DATE-TIME:2026-11-07T00:00:01.000000Z\n"
		"#EXTINF:5.834,live\n"
		"/p/segments/main/a%20%25%C3%A9/2026-11-07T00/"
		"00%3A01.000000-5.833500-full-Z-_0.ts\n"
		"#EXT-X-DISCONTINUITY\n"
		"#EXT-X-PROGRAM-DATE-TIME:2026-11-07T00:59:58.123456Z\n"
		"#EXTINF:2.000,live\n"
		"/p/segments/main/a%20%25%C3%A9/2026-11-07T00/"
		"59%3A58.123456-2.000000-full-a.ts\n"
		"#EXT-X-ENDLIST\n";
	static const char quality[] = "a %\xc3\xa9";
	struct asked q = { .reader = seq_reader(quality),
			   .now_us = UNIT_HOUR };

	UNUSED(state);
	seq_make(quality, "F-0.5+1.5 F3598.123456+2");
	seq_put(quality, UNIT_HOUR + USEC_PER_SEC, 5833500, "full", "Z-_0", 1);
	set_ranges(&q, "-0.5,3600");
	assert_string_equal(ask(&q), expected);
	assert_true(q.list.is_final);
	assert_int_equal(q.list.nr_holes, 1);
	assert_int_equal(q.list.holes_us, 3591289956);
}

static void test_rules(void **state)
{
	static const struct row rows[] = {
		{ "whole", "F0+2 F2+2", "0,4", "5", "t2 vod 0 2 end", 0, "0" },
		{ "a hole at the start: no discontinuity", "F2+2 F4+2", "0,6",
		  "7", "t2 vod 2 4 end", 1, "2" },
		{ "a hole at the end: not final", "F0+2 F2+2", "0,6", "7",
		  "t2 0 2", 1, "2" },
		{ "the same, just an hour past", "F0+2 F2+2", "0,6", "3606",
		  "t2 0 2", 1, "2" },
		{ "the same, over an hour past", "F0+2 F2+2", "0,6",
		  "3606.000001", "t2 vod 0 2 end", 1, "2" },
		{ "a partial at the end: not final", "F0+2 P2+2", "0,4", "5",
		  "t2 0 2", 1, "0" },
		{ "a hole inside", "F0+2 F3+2", "0,5", "6", "t2 vod 0 D 3 end",
		  1, "1" },
		{ "holes everywhere", "F1+2 P3+2 F5+2 F8+2", "0,11", "12",
		  "t2 1 3 D 5 D 8", 4, "3" },
		{ "a hole between hours", "F3597+2 F3601+2", "3597,3603",
		  "3605", "t2 vod 3597 D 3601 end", 1, "2" },
		{ "no hole between hours", "F3598+2 F3600+2", "3598,3602",
		  "3605", "t2 vod 3598 3600 end", 0, "0" },
		{ "one that is not of the hour's own sequence",
		  "F0+9 F4+2 F6+9", "9,14", "20", "t9 vod 6 end", 0, "0" },
		{ "the same, and on", "F-1+2.5 F0+2 F1.5+2 F2+2 F3.5+2",
		  "-1,5.5", "20", "t3 vod -1 1.5 3.5 end", 0, "0" },
		{ "nothing, the end to come", "", "0,6", "0", "t1", 1, "6" },
		{ "nothing, long past", "", "0,6", "9999", "t1 vod end", 1,
		  "6" },
		{ "the end before the start", "F0+9", "4,2", "0",
		  "t1 vod end", 1, "0" },
		{ "the end is the start", "F0+9", "4,4", "0", "t1 vod end", 1,
		  "0" },
		{ "the longest counts", "F0+2 F2+7.2 F9.2+1", "0,10", "11",
		  "t7 vod 0 2 9.2 end", 0, "0" },
		{ "the longest of the list, not of the hour",
		  "F0+2 F2+2 F4+30", "0,4", "5", "t2 vod 0 2 end", 0, "0" },
		{ "an edit list", "F0+2 F2+2 F4+2 F6+2", "0,2 6,8", "9",
		  "t2 vod 0 D 6 end", 0, "0" },
		{ "an edit list of neighbours", "F0+2 F2+2", "0,2 2,4", "9",
		  "t2 vod 0 D 2 end", 0, "0" },
		{ "an edit list, backwards and repeated", "F0+2 F2+2",
		  "2,4 0,4 0,4", "9", "t2 vod 2 D 0 2 D 0 2 end", 0, "0" },
		{ "an edit list with a hole", "F0+2 F3+2 F5+2", "0,5 5,7",
		  "9", "t2 vod 0 D 3 D 5 end", 1, "1" },
		{ "an edit list with nothing in the first", "F5+2",
		  "0,2 5,7", "9", "t2 5", 1, "2" },
		{ "an edit list with nothing in the middle",
		  "F0+2 F5+2", "0,2 3,4 5,7", "9999", "t2 vod 0 D 5 end", 1,
		  "1" },
		{ "an edit list is final when all of it is",
		  "F0+2 F2+1", "0,2 2,4", "9", "t2 0 D 2", 1, "1" },
	};

	UNUSED(state);
	check_rows("rules", rows, ARRAY_SIZE(rows), false);
}

static void test_lengths(void **state)
{
	static const struct {
		const char *length;
		const char *extinf;
		const char *target;
	} rows[] = {
		{ "2", "2.000", "2" },
		{ "2.002", "2.002", "2" },
		{ "2.0004", "2.000", "2" },
		{ "2.000499", "2.000", "2" },
		{ "2.0005", "2.001", "2" },
		{ "2.499", "2.499", "2" },
		{ "2.499499", "2.499", "2" },
		/* What is written counts, and that rounds up. */
		{ "2.4995", "2.500", "3" },
		{ "2.499999", "2.500", "3" },
		{ "2.5", "2.500", "3" },
		{ "0.000001", "0.000", "1" },
		{ "0.4", "0.400", "1" },
		{ "1.4995", "1.500", "2" },
		{ "9.9999", "10.000", "10" },
		{ "59.9995", "60.000", "60" },
		{ "3600", "3600.000", "3600" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct asked q = { .now_us = UNIT_HOUR };
		char quality[32];
		char line[64];
		const char *text;

		print_message("# %s\n", rows[i].length);
		snprintf(quality, sizeof(quality), "length%zu", i);
		q.reader = seq_reader(quality);
		seq_put(quality, UNIT_HOUR, seq_us(rows[i].length), "full",
			"a", 1);
		/* As the whole of its hour, and as a part. */
		for (int k = 0; k < 2; k++) {
			set_ranges(&q, "0,0.000001");
			text = ask(&q);
			snprintf(line, sizeof(line), "#EXTINF:%s,live\n",
				 rows[i].extinf);
			assert_non_null(strstr(text, line));
			snprintf(line, sizeof(line),
				 "#EXT-X-TARGETDURATION:%s\n",
				 rows[i].target);
			assert_non_null(strstr(text, line));
			seq_make(quality, "F3599+1");
		}
	}
}

/* Without an end: the range is what the hours give. */
static void test_live(void **state)
{
	static const struct row rows[] = {
		{ "up to now", "F0+2 F2+2 F4+2", "0,3600", "6", "t2 0 2 4", 0,
		  "0" },
		{ "an old hole is shown", "F0+2 F4+2 F6+15", "0,3600", "21",
		  "t15 0 D 4 6", 1, "2" },
		{ "a fresh one is held back, and all behind it",
		  "F0+2 F4+2 F6+2", "0,3600", "8", "t2 0", 0, "0" },
		{ "two fresh ones", "F0+2 F4+2 F8+2", "0,3600", "10", "t2 0",
		  0, "0" },
		{ "an old one and a fresh one",
		  "F0+2 F4+20 F24+2 F28+2", "0,3600", "30", "t20 0 D 4 24", 1,
		  "2" },
		{ "a hole that ends 15 s before the newest's end",
		  "F0+2 F4+2 F6+13", "0,3600", "19", "t2 0", 0, "0" },
		{ "and a microsecond more", "F0+2 F4+2 F6+13.000001",
		  "0,3600", "20", "t13 0 D 4 6", 1, "2" },
		{ "a long hole that ends just now", "F0+2 F2+2 F100+2",
		  "0,3600", "102", "t2 0 2", 0, "0" },
		{ "a hole at the start that ends just now", "F100+2",
		  "0,3600", "102", "t1", 0, "0" },
		{ "an old hole at the start", "F100+2 F102+14", "0,3600",
		  "116", "t14 100 102", 1, "100" },
		{ "no hole at the start", "F0+2", "0,3600", "2", "t2 0", 0,
		  "0" },
		{ "a fresh partial", "F0+2 P2+2 F4+2", "0,3600", "6", "t2 0",
		  0, "0" },
		{ "a fresh partial, the newest", "F0+2 P2+2", "0,3600", "4",
		  "t2 0", 0, "0" },
		{ "a suspect too", "F0+2 S2+2 F4+2", "0,3600", "6", "t2 0", 0,
		  "0" },
		{ "an old partial", "F0+2 P2+2 F4+2 F6+14", "0,3600", "20",
		  "t14 0 2 D 4 6", 1, "0" },
		{ "only a fresh partial", "P0+2", "0,3600", "2", "t1", 0,
		  "0" },
		{ "a hole over the hour", "F3596+2 F3600+2", "3596,7200",
		  "3602", "t2 3596", 0, "0" },
		{ "a hole before the hour", "F3594+2 F3598+2 F3600+2",
		  "3594,7200", "3602", "t2 3594", 0, "0" },
		{ "an old one before the hour, none since",
		  "F3580+2 F3584+16 F3600+2", "3580,7200", "3602",
		  "t16 3580 D 3584 3600", 1, "2" },
		{ "stopped for just under a minute", "F0+2 F4+2", "0,3600",
		  "65.999999", "t2 0", 0, "0" },
		{ "stopped for a minute: all is shown", "F0+2 F4+2 P6+2",
		  "0,3600", "68", "t2 0 D 4 6", 1, "2" },
		{ "stopped, with a hole at the start", "F3+2", "0,3600", "65",
		  "t2 3", 1, "3" },
		{ "stopped long ago: still no end to it", "F0+2 F2+2",
		  "0,3600", "99999", "t2 0 2", 0, "0" },
		{ "the hour is full, but young", "F0+3600", "0,3600", "7200",
		  "t3600 0", 0, "0" },
		{ "the hour is full and over an hour past", "F0+3600",
		  "0,3600", "7200.000001", "t3600 vod 0 end", 0, "0" },
		{ "nothing", "", "0,3600", "10", "t1", 1, "3600" },
		{ "of the future, as clocks go", "F0+2 F4+2 F6+2", "0,3600",
		  "-10", "t2 0", 0, "0" },
	};

	UNUSED(state);
	check_rows("live", rows, ARRAY_SIZE(rows), true);
}

/* Where the segments of a list begin, behind its head. */
static const char *body_of(const char *text)
{
	const char *p = strstr(text, "#EXT-X-MEDIA-SEQUENCE:0\n");

	assert_non_null(p);
	return strchr(p, '\n') + 1;
}

#define NR_ARRIVALS 120

/* Segments of two seconds that come up to 12 s late, in any order. */
struct arrival {
	usec_t start_us;
	usec_t full_us;		/* when the whole of it is there */
	usec_t partial_us;	/* when a part of it is there, or 0 */
};

/* Makes a stream; some of it is never there, once for longer than a minute. */
static size_t make_stream(struct arrival *all, uint64_t *seed, usec_t from_us)
{
	usec_t us = from_us;
	size_t nr = 0;

	while (nr < NR_ARRIVALS) {
		struct arrival *a = &all[nr];
		uint64_t n = unit_random(seed);

		if (n % 16 == 0)	/* lost */
			us += 2 * USEC_PER_SEC;
		if (nr == NR_ARRIVALS / 2)
			us += 30 * USEC_PER_SEC;
		if (nr == NR_ARRIVALS * 3 / 4)
			us += 90 * USEC_PER_SEC;
		a->start_us = us;
		a->partial_us = n % 7 == 1 ? us + 2 * USEC_PER_SEC : 0;
		a->full_us = us + 2 * USEC_PER_SEC;
		if (n % 3 == 0 || a->partial_us)
			a->full_us += (usec_t)(unit_random(seed) % 9000000);
		us += 2 * USEC_PER_SEC;
		nr++;
	}
	return nr;
}

/* Writes what has come since, and polls. */
static void run_stream(const char *quality, const struct arrival *all,
		       size_t nr, usec_t from_us)
{
	struct asked q = { .reader = seq_reader(quality),
			   .nr = 1,
			   .is_live = true };
	char *before = strdup("");
	usec_t until_us = all[nr - 1].start_us + 90 * USEC_PER_SEC;
	usec_t last_us = from_us - 2 * USEC_PER_SEC;
	size_t nr_before = 0;

	q.ranges[0].start_us = utime_hour(from_us);
	for (usec_t us = from_us; us < until_us; us += USEC_PER_SEC) {
		const char *body;

		for (size_t i = 0; i < nr; i++) {
			if (all[i].partial_us > last_us &&
			    all[i].partial_us <= us)
				seq_put(quality, all[i].start_us,
					2 * USEC_PER_SEC, "partial", "p", 1);
			if (all[i].full_us > last_us && all[i].full_us <= us)
				seq_put(quality, all[i].start_us,
					2 * USEC_PER_SEC, "full", "f", 2);
		}
		last_us = us;
		q.ranges[0].end_us = utime_hour(us) + USEC_PER_HOUR;
		q.now_us = us;
		body = body_of(ask(&q));
		if (strncmp(body, before, strlen(before)) != 0)
			fail_msg("at %+.0f s the list was\n%s\nand is\n%s",
				 (double)(us - UNIT_HOUR) / 1e6, before, body);
		free(before);
		before = strdup(body);
	}
	nr_before = unit_count(before, "#EXTINF");
	free(before);
	assert_int_equal(nr_before, nr);	/* all is shown at last */
}

static void test_only_appends(void **state)
{
	static struct arrival all[NR_ARRIVALS];
	uint64_t seed = 99;

	UNUSED(state);
	for (int round = 0; round < 12; round++) {
		/* Over the hour, from within it, and from its beginning. */
		usec_t from_us = UNIT_HOUR +
				 (round % 3 == 0 ? -100 :
				  round % 3 == 1 ? 700 :
						   0) *
					 USEC_PER_SEC;
		char quality[32];
		size_t nr;

		print_message("# stream %d\n", round);
		snprintf(quality, sizeof(quality), "stream%d", round);
		nr = make_stream(all, &seed, from_us);
		run_stream(quality, all, nr, from_us);
		arena_reset(&seq.arena);
	}
}

/* A hole is filled while it is fresh, then one is not. */
static void test_hole_filled(void **state)
{
	struct asked q = { .reader = seq_reader("filled"),
			   .is_live = true,
			   .now_us = UNIT_HOUR + 10 * USEC_PER_SEC };
	static const struct {
		const char *more;
		const char *expected;
	} steps[] = {
		{ "F0+2 F2+2", "t2 0 2" },
		{ "F6+2", "t2 0 2" },
		{ "F4+2b", "t2 0 2 4 6" },
		{ "P8+2 F10+2", "t2 0 2 4 6" },
		{ "F8+2", "t2 0 2 4 6 8 10" },
		{ "F14+2", "t2 0 2 4 6 8 10" },
		{ "F16+13", "t2 0 2 4 6 8 10" },
		{ "F29+2", "t13 0 2 4 6 8 10 D 14 16 29" },
	};

	UNUSED(state);
	set_ranges(&q, "0,3600");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		print_message("# %s\n", steps[i].more);
		seq_make("filled", steps[i].more);
		assert_string_equal(in_words(ask(&q),
					     "/p/segments/main/filled"),
				    steps[i].expected);
	}
}

/* Equal requests over an archive as it was have equal hashes, others none. */
static void test_hash(void **state)
{
	static const char *const ranges[] = {
		"0,4", "1,4", "0.5,3.5", "0,2", "0,6", "2,6", "0,3600",
		"0,2 2,4", "0,4 0,4", "2,4 0,2", "9,7", "8,9", "-2,4",
		"3598,3602", "-7200,7200",
	};
	static const char *const more[] = {
		"F0+2 F2+2", "F0+2b", "F4+2", "P6+2", "F6+2b", "F1+2",
		"X2+2", "F3598+2 F3600+2", "F-2+2",
	};
	struct {
		uint64_t hash;
		const char *text;
	} seen[ARRAY_SIZE(ranges) * ARRAY_SIZE(more)];
	struct asked q = { .reader = seq_reader("hash") };
	size_t nr = 0;

	UNUSED(state);
	for (size_t m = 0; m < ARRAY_SIZE(more); m++) {
		seq_make("hash", more[m]);
		for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
			const char *text;
			uint64_t hash;

			q.now_us = UNIT_HOUR;
			set_ranges(&q, ranges[i]);
			seen[nr].text = ask(&q);
			hash = seen[nr].hash = q.list.hash;
			assert_string_equal(ask(&q), seen[nr].text);
			assert_true(q.list.hash == hash);
			/* The clock matters only where the text says so. */
			q.now_us = UNIT_HOUR + 9 * USEC_PER_HOUR;
			text = ask(&q);
			assert_int_equal(!strcmp(text, seen[nr].text),
					 q.list.hash == hash);
			nr++;
		}
	}
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < i; k++)
			if (seen[i].hash == seen[k].hash)
				assert_string_equal(seen[i].text,
						    seen[k].text);
	/* Two requests whose lists are one, over the same archive. */
	assert_string_equal(seen[0].text, seen[1].text);
	assert_true(seen[0].hash == seen[1].hash);
	assert_true(seen[0].hash == seen[2].hash);
}

static void test_error(void **state)
{
	struct hourreader *reader = seq_reader("broken");
	struct quality gone = *reader->quality;
	struct time_range range = { UNIT_HOUR, UNIT_HOUR + 1 };
	struct hourreader lost = *reader;
	struct media_playlist list = { .nr_iov = UNIT_UNTOUCHED };
	struct errmsg e = { "" };

	UNUSED(state);
	gone.fd = -1;
	lost.quality = &gone;
	assert_int_equal(playlist_media(&lost, &range, 1, false, UNIT_HOUR,
					&list, &e),
			 ERR_IO);
	assert_int_equal(list.nr_iov, UNIT_UNTOUCHED);
	assert_true(e.text[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_text),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_hole_filled),
		cmocka_unit_test(test_only_appends),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
