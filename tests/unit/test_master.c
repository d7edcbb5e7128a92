/*
 * test_master.c - the HLS master playlist: which variants, in which order,
 * with what said of them.
 *
 * A list as words is "NAME=BANDWIDTH" for each variant; the reader is strict.
 */
#include "config.h"

#include "archive/playlist.h"

#include "sequence.h"

#define H (USEC_PER_HOUR)

static const struct range_limits limits = {
	.max_explicit_us = 31 * 24 * USEC_PER_HOUR,
	.max_implicit_us = 12 * USEC_PER_HOUR,
	.max_ranges = 100,
};

/* What the probe says of a quality, and what it was asked. */
static const struct {
	const char *quality;
	struct hour_media media;
} told[] = {
	{ "source", { "avc1.64002a,mp4a.40.2", 1920, 1080, 60, 1 } },
	{ "720p30", { "avc1.4d401f,mp4a.40.2", 1280, 720, 30000, 1001 } },
	{ "audio", { .codecs = "mp4a.40.2" } },
};
static unsigned nr_probes;
static char probed[256];

static void probe(const struct quality *quality, const char *path,
		  struct hour_media *media_r)
{
	nr_probes++;
	snprintf(probed, sizeof(probed), "%s/%s", quality->name, path);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (!strcmp(told[i].quality, quality->name))
			*media_r = told[i].media;
}

/* What probes nothing. */
static void blind(const struct quality *quality, const char *path,
		  struct hour_media *media_r)
{
	UNUSED(quality);
	UNUSED(path);
	UNUSED(media_r);
	nr_probes++;
}

static void put(const char *channel, const char *quality, usec_t start_us,
		usec_t length_us, const char *kind, off_t size)
{
	char path[256];
	char file[512];

	seq_path(path, UNIT_HOUR + start_us, length_us, kind, "a");
	snprintf(file, sizeof(file), "base/%s/%s/%s.ts", channel, quality,
		 path);
	unit_make(unit_fd, file, size);
}

static void put_dir(const char *channel, const char *quality)
{
	char path[512];

	snprintf(path, sizeof(path), "base/%s/%s", channel, quality);
	unit_mkdir(unit_fd, path);
}

struct asked {
	const char *channel;
	struct range_spec range;
	const char *query;
	playlist_probe_fn *probe;
};

static const char *ask(const struct asked *q)
{
	struct text *out = text_new(&seq.arena, 1 << 20);
	struct master_spec spec = {
		.channel = q->channel,
		.range = &q->range,
		.limits = &limits,
		.prefix = "/p",
		.query = q->query ? q->query : "",
		.probe = q->probe ? q->probe : blind,
	};
	struct errmsg e = { "" };
	enum err err = playlist_master(&seq.archive, seq.cache, &seq.arena,
				       &spec, out, &e);

	if (err)
		fail_msg("%s: %s", err_name(err), e.text);
	return out->data;
}

/* A master in words; every URI must be this channel's with this query. */
static const char *in_words(const char *list, const char *channel,
			    const char *query)
{
	struct text *out = text_new(&seq.arena, 1 << 16);
	const char *p = list;
	bool is_first = true;

	text_puts(out, "");
	assert_true(seq_took(&p, "#EXTM3U\n#EXT-X-VERSION:4\n"));
	while (*p) {
		char line[512];
		char name[64];
		size_t len;

		assert_true(seq_took(&p, "#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\""));
		len = strcspn(p, "\"\n");
		snprintf(name, sizeof(name), "%.*s", (int)len, p);
		p += len;
		snprintf(line, sizeof(line),
			 "\",NAME=\"%s\",AUTOSELECT=YES,DEFAULT=%s\n"
			 "#EXT-X-STREAM-INF:VIDEO=\"%s\",NAME=\"%s\",BANDWIDTH=",
			 name, is_first ? "YES" : "NO", name, name);
		if (!seq_took(&p, line))
			fail_msg("expected '%s' at '%.200s'", line, p);
		text_printf(out, "%s=%lu ", name, strtoul(p, NULL, 10));
		p = strchr(p, '\n') + 1;
		snprintf(line, sizeof(line), "/p/playlist/%s/%s.m3u8%s\n",
			 channel, name, query);
		if (!seq_took(&p, line))
			fail_msg("expected '%s' at '%.200s'", line, p);
		is_first = false;
	}
	if (out->len)
		out->data[--out->len] = '\0';
	return out->data;
}

static void test_exact_text(void **state)
{
	static const char expected[] =
		"#EXTM3U\n"
		"#EXT-X-VERSION:4\n"
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"source\",NAME=\"source\","
		"AUTOSELECT=YES,DEFAULT=YES\n"
		"#EXT-X-STREAM-INF:VIDEO=\"source\",NAME=\"source\","
		"BANDWIDTH=4000000,AVERAGE-BANDWIDTH=3000000,"
		"CODECS=\"avc1.64002a,mp4a.40.2\",RESOLUTION=1920x1080,"
		"FRAME-RATE=60.000\n"
		"/p/playlist/ex%20act/source.m3u8?start=2026-11-07T00%3A00\n"
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"unknown\",NAME=\"unknown\","
		"AUTOSELECT=YES,DEFAULT=NO\n"
		"#EXT-X-STREAM-INF:VIDEO=\"unknown\",NAME=\"unknown\","
		"BANDWIDTH=6846146\n"
		"/p/playlist/ex%20act/unknown.m3u8?start=2026-11-07T00%3A00\n"
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"720p30\",NAME=\"720p30\","
		"AUTOSELECT=YES,DEFAULT=NO\n"
		"#EXT-X-STREAM-INF:VIDEO=\"720p30\",NAME=\"720p30\","
		"BANDWIDTH=4000,AVERAGE-BANDWIDTH=4000,"
		"CODECS=\"avc1.4d401f,mp4a.40.2\",RESOLUTION=1280x720,"
		"FRAME-RATE=29.970\n"
		"/p/playlist/ex%20act/720p30.m3u8?start=2026-11-07T00%3A00\n"
		"#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"audio\",NAME=\"audio\","
		"AUTOSELECT=YES,DEFAULT=NO\n"
		"#EXT-X-STREAM-INF:VIDEO=\"audio\",NAME=\"audio\","
		"BANDWIDTH=40,AVERAGE-BANDWIDTH=40,CODECS=\"mp4a.40.2\"\n"
		"/p/playlist/ex%20act/audio.m3u8?start=2026-11-07T00%3A00\n";
	struct asked q = { .channel = "ex act",
			   .range = { .has_start = true,
				      .start_us = UNIT_HOUR },
			   .query = "start=2026-11-07T00%3A00",
			   .probe = probe };

	UNUSED(state);
	put("ex act", "source", 0, 2000000, "full", 1000000);
	put("ex act", "source", 2000000, 2000000, "full", 500000);
	put("ex act", "720p30", 0, 2000000, "full", 1000);
	put("ex act", "unknown", 0, 2000000, "full", 1000);
	put("ex act", "audio", 0, 2000000, "full", 10);
	put("ex act", "chat", 0, 2000000, "full", 10);
	nr_probes = 0;
	assert_string_equal(ask(&q), expected);
	assert_int_equal(nr_probes, 4);
	/* What was probed once is known. */
	assert_string_equal(ask(&q), expected);
	assert_int_equal(nr_probes, 4);
}

static void test_order_and_defaults(void **state)
{
	static const char *const qualities[] = {
		"160p", "360p30", "480p", "720p60", "1080p60", "source",
		"audio_only", "chat", "720", "sources", "a\"b", ".hidden",
	};
	struct asked q = { .channel = "order" };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(qualities); i++)
		put("order", qualities[i], 0, 2000000, "full", 99999);
	/* No name may break out of its quotes, and each still leads home. */
	assert_non_null(strstr(ask(&q), "NAME=\"a_b\""));
	assert_non_null(strstr(ask(&q), "/p/playlist/order/a%22b.m3u8\n"));
	unit_remove(arena_printf(&seq.arena, "%s/base/order/a\"b", unit_dir));
	assert_string_equal(
		in_words(ask(&q), "order", ""),
		"source=6846146 1080p60=6846146 720=6846146 "
		"audio_only=6846146 sources=6846146 720p60=2373000 "
		"480p=1427999 360p30=630000 160p=230000");
}

/* The densest segment of the newest 12 hours that hold any. */
static void test_bandwidth(void **state)
{
	struct asked q = { .channel = "band",
			   .range = { .has_start = true,
				      .has_end = true,
				      .start_us = UNIT_HOUR,
				      .end_us = UNIT_HOUR + 24 * H },
			   .probe = probe };

	UNUSED(state);
	for (int h = 0; h < 13; h++)
		put("band", "source", h * H, 4000000, "full",
		    h == 0 ? 100000000 : 500000 + 1000 * h);
	put("band", "source", 5 * H + 10000000, 1000000, "full", 1000000);
	/* Not of the best sequence, so nobody plays it. */
	put("band", "source", 5 * H + 10000001, 1000000, "full", 90000000);
	put("band", "source", 3 * H, 3000000, "full", 90000000);
	put("band", "source", 3 * H, 4000000, "partial", 90000000);
	put("band", "source", 12 * H + 4000000, 2000000, "partial", 1);
	probed[0] = '\0';
	assert_non_null(strstr(ask(&q), "BANDWIDTH=8000000,"
					"AVERAGE-BANDWIDTH="));
	/* A full one of the newest hour. */
	assert_string_equal(probed, "source/2026-11-07T12/"
				    "00:00.000000-4.000000-full-a.ts");
	/* An earlier range looks at other hours. */
	q.range.end_us = UNIT_HOUR + 12 * H;
	assert_non_null(strstr(ask(&q), "BANDWIDTH=200000000,"));
	/* Files that are no video say nothing. */
	q.channel = "nothing";
	put("nothing", "480p", 0, 4000000, "full", 100000000);
	assert_string_equal(in_words(ask(&q), "nothing", ""), "480p=1427999");
	/* Nor do empty ones. */
	q.channel = "void";
	put("void", "source", 0, 4000000, "full", 0);
	assert_string_equal(in_words(ask(&q), "void", ""), "source=6846146");
}

static void test_has_data(void **state)
{
	static const struct {
		const char *start;	/* seconds, or NULL: absent */
		const char *end;
		const char *expected;
	} rows[] = {
		{ NULL, NULL, "first late lost none void" },
		{ "0", NULL, "first late lost" },
		{ "2", NULL, "late lost" },
		{ "14402", NULL, "" },
		{ NULL, "14400", "first lost" },
		{ NULL, "14401", "first late lost" },
		{ NULL, "0", "" },
		{ NULL, "-99999", "" },
		{ "0", "2", "first" },
		{ "1.999999", "2", "first" },
		{ "2", "3600", "" },
		{ "2", "3600.000001", "lost" },
		{ "-7200", "0", "" },
		{ "-7200", "0.000001", "first" },
		{ "14401", "99999", "late" },
		{ "2", "0", "" },
		{ "1", "1", "" },
		{ "-99999", "99999", "first late lost" },
	};

	UNUSED(state);
	put("data", "first", 0, 2000000, "full", 1);
	put("data", "late", 4 * H, 2000000, "full", 1);
	put("data", "lost", H, 2000000, "partial", 1);
	put("data", "void", H, 2000000, "temp", 1);
	put_dir("data", "none");
	put_dir("data", "chat");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct asked q = { .channel = "data" };
		char names[128] = "";
		const char *start = rows[i].start;
		const char *end = rows[i].end;
		const char *text;

		print_message("# from %s to %s\n", start ? start : "-",
			      end ? end : "-");
		q.range.has_start = start;
		q.range.has_end = end;
		q.range.start_us = start ? UNIT_HOUR + seq_us(start) : 0;
		q.range.end_us = end ? UNIT_HOUR + seq_us(end) : 0;
		text = in_words(ask(&q), "data", "");
		for (const char *p = text; *p; p++)
			if (*p == '=')
				p += strspn(p, "=0123456789") - 1;
			else
				strncat(names, p, 1);
		assert_string_equal(names, rows[i].expected);
	}
}

/* Over 12 hours without a start, the variants get one that is playable. */
static void test_chosen_start(void **state)
{
	static const struct {
		const char *what;
		int first;	/* hours with something in them */
		int last;
		const char *start;
		const char *end;
		const char *query;
		const char *expected;
	} rows[] = {
		{ "12 hours", 0, 11, NULL, NULL, "", "" },
		{ "13 hours", 0, 12, NULL, NULL, "",
		  "?start=2026-11-07T07:00:00.000000Z" },
		{ "13 hours and a query", 0, 12, NULL, NULL, "a=b",
		  "?a=b&start=2026-11-07T07:00:00.000000Z" },
		{ "two hours far apart", -100, 12, NULL, NULL, "",
		  "?start=2026-11-07T07:00:00.000000Z" },
		{ "13 hours and a start", 0, 12, "0", NULL, "start=x",
		  "?start=x" },
		{ "13 hours, both ends", 0, 12, "0", "46800", "start=x&end=y",
		  "?start=x&end=y" },
		{ "13 hours, an early end", 0, 12, NULL, "43200", "end=y",
		  "?end=y" },
		{ "13 hours, an end over 12 h on", 0, 12, NULL, "43201",
		  "end=y", "?end=y&start=2026-11-07T00:00:01.000000Z" },
		{ "13 hours, an end after all", 0, 12, NULL, "50000", "end=y",
		  "?end=y&start=2026-11-07T01:53:20.000000Z" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct asked q = { .query = rows[i].query };
		const char *start = rows[i].start;
		const char *end = rows[i].end;
		struct time_range *ranges;
		struct quality *quality;
		struct errmsg e;
		size_t nr;

		print_message("# %s\n", rows[i].what);
		q.channel = arena_printf(&seq.arena, "start%zu", i);
		put(q.channel, "source", rows[i].first * H, 2000000, "full",
		    1);
		put(q.channel, "source", rows[i].last * H, 2000000, "full", 1);
		q.range.has_start = start;
		q.range.has_end = end;
		q.range.start_us = start ? UNIT_HOUR + seq_us(start) : 0;
		q.range.end_us = end ? UNIT_HOUR + seq_us(end) : 0;
		assert_string_equal(in_words(ask(&q), q.channel,
					     rows[i].expected),
				    "source=6846146");
		if (!strstr(rows[i].expected, "start=2026"))
			continue;
		/* And with that the variant is no error. */
		q.range.has_start = true;
		assert_int_equal(utime_parse(strstr(rows[i].expected,
						    "start=2026") +
						     6,
					     0, UTIME_UTC_ONLY,
					     &q.range.start_us, &e),
				 ERR_OK);
		assert_int_equal(archive_quality(&seq.archive, &seq.arena,
						 q.channel, "source",
						 &quality, &e),
				 ERR_OK);
		assert_int_equal(range_spec_resolve(&q.range, &limits, quality,
						    &seq.arena, &ranges, &nr,
						    &e),
				 ERR_OK);
	}
}

/* Of several qualities the newest and the oldest hour count. */
static void test_chosen_start_of_many(void **state)
{
	struct asked q = { .channel = "many" };

	UNUSED(state);
	put("many", "old", 0, 2000000, "full", 1);
	put("many", "new", 13 * H, 2000000, "full", 1);
	put_dir("many", "none");
	assert_non_null(strstr(ask(&q), "/new.m3u8?start="
					"2026-11-07T08:00:00.000000Z\n"));
	assert_null(strstr(ask(&q), "/old.m3u8"));
}

static void test_errors(void **state)
{
	static const char *const bad[] = {
		"nowhere", "", ".", "..", ".hidden", "file", "ex act/source",
	};
	struct asked q = { .channel = "empty" };

	UNUSED(state);
	unit_write(unit_fd, "base/file", "", 0);
	unit_mkdir(unit_fd, "base/.hidden/source");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct text *out = text_new(&seq.arena, 1 << 16);
		struct master_spec spec = { .channel = bad[i],
					    .range = &q.range,
					    .limits = &limits,
					    .prefix = "",
					    .query = "",
					    .probe = blind };
		struct errmsg e = { "" };

		print_message("# '%s'\n", bad[i]);
		assert_int_equal(playlist_master(&seq.archive, seq.cache,
						 &seq.arena, &spec, out, &e),
				 ERR_NOTFOUND);
		assert_int_equal(out->len, 0);
		assert_non_null(strstr(e.text, bad[i]));
	}
	unit_mkdir(unit_fd, "base/empty");
	assert_string_equal(in_words(ask(&q), "empty", ""), "");
	put_dir("empty", "chat");
	assert_string_equal(in_words(ask(&q), "empty", ""), "");
}

static void test_too_long(void **state)
{
	struct text *out = text_new(&seq.arena, 300);
	struct range_spec range = { .has_start = false };
	struct master_spec spec = { .channel = "ex act",
				    .range = &range,
				    .limits = &limits,
				    .prefix = "",
				    .query = "",
				    .probe = blind };
	struct errmsg e = { "" };

	UNUSED(state);
	assert_int_equal(playlist_master(&seq.archive, seq.cache, &seq.arena,
					 &spec, out, &e),
			 ERR_LIMIT);
	assert_true(e.text[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_text),
		cmocka_unit_test(test_order_and_defaults),
		cmocka_unit_test(test_bandwidth),
		cmocka_unit_test(test_has_data),
		cmocka_unit_test(test_chosen_start),
		cmocka_unit_test(test_chosen_start_of_many),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
