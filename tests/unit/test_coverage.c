/*
 * test_coverage.c - what is told of a range: every kind of it by hand, and that
 * the parts make the whole.
 */
#include "config.h"

#include "archive/coverage.h"

#include <limits.h>

#include "picture/coveragemap.h"
#include "sequence.h"

#define MS USEC_PER_MS
#define SEC USEC_PER_SEC

/* What was told, as words: see add_item(). */
struct told {
	struct text *of[COVERAGE_KIND_COUNT];
	usec_t last_us[COVERAGE_KIND_COUNT];
	usec_t at_us; /* where the next span or hole must begin */
	struct coverage_sum sum;
};

static void add_us(struct text *out, usec_t us)
{
	seq_add_us(out, us - UNIT_HOUR);
}

/*
 * Spans are "START-END*SEGMENTS", holes "START-END", segments "STARTk" with the
 * letter of their kind, overlaps also "(OVERLAP)", duplicates
 * "START REASON NUMBER".
 */
static void add_item(void *ctx, const struct coverage_item *item)
{
	struct told *told = ctx;
	struct text *out = told->of[item->kind];

	assert_true(item->start_us >= told->last_us[item->kind]);
	told->last_us[item->kind] = item->start_us;
	if (out->len)
		text_puts(out, " ");
	add_us(out, item->start_us);
	if (item->kind == COVERAGE_SPAN || item->kind == COVERAGE_HOLE) {
		assert_int_equal(item->start_us, told->at_us);
		assert_true(item->end_us >= item->start_us);
		told->at_us = item->end_us;
		text_puts(out, "-");
		add_us(out, item->end_us);
		if (item->kind == COVERAGE_SPAN)
			text_printf(out, "*%d", (int)item->nr_segments);
		return;
	}
	assert_int_equal(item->start_us, item->entry->start_us);
	assert_int_equal(item->end_us, hour_entry_end(item->entry));
	if (item->kind == COVERAGE_DUPLICATE) {
		text_printf(out, " %s %d", coverage_reason(item),
			    (int)item->nr_others);
		return;
	}
	text_printf(out, "%c", segment_kind_names[item->entry->kind][0]);
	if (item->kind == COVERAGE_OVERLAP) {
		text_puts(out, "(");
		seq_add_us(out, item->overlap_us);
		text_puts(out, ")");
	}
}

static enum err tell(const char *quality, usec_t start_us, usec_t end_us,
		     struct told *told, struct coverage *c)
{
	struct time_range range = { start_us, end_us };
	struct errmsg e = { "" };

	*told = (struct told){ .at_us = start_us };
	for (int i = 0; i < COVERAGE_KIND_COUNT; i++) {
		told->of[i] = text_new(&seq.arena, 1 << 20);
		told->last_us[i] = INT64_MIN;
		text_puts(told->of[i], "");
	}
	return coverage_find(seq_reader(quality), &range, HOUR_WANT_SIZES,
			     add_item, told, c, &e);
}

/* The parts of an answer must agree with each other, and with the sequence. */
static void check_whole(const char *quality, const struct told *told,
			const struct coverage *c)
{
	struct sequence s;
	usec_t covered_us = 0, missing_us = 0;
	uint64_t nr = 0, nr_holes = 0;

	assert_int_equal(told->at_us, c->range.end_us);
	seq_find(seq_reader(quality), c->range.start_us, c->range.end_us, &s);
	assert_int_equal(c->total.nr_holes, s.nr_holes);
	assert_int_equal(c->total.missing_us, s.holes_us);
	assert_int_equal(c->nr_segments, sequence_count(&s));
	assert_int_equal(c->total.covered_us + c->total.missing_us,
			 c->range.end_us - c->range.start_us);
	for (size_t i = 0; i < c->nr_hours; i++) {
		usec_t from_us = utime_hour(c->range.start_us) +
				 (usec_t)i * USEC_PER_HOUR;
		usec_t to_us = from_us + USEC_PER_HOUR;
		const struct coverage_sum *hour = &c->hours[i];

		from_us = from_us < c->range.start_us ? c->range.start_us :
							from_us;
		to_us = to_us > c->range.end_us ? c->range.end_us : to_us;
		assert_int_equal(hour->covered_us + hour->missing_us,
				 to_us - from_us);
		covered_us += hour->covered_us;
		missing_us += hour->missing_us;
		nr_holes += hour->nr_holes;
		for (int kind = 0; kind < SEGMENT_TEMP; kind++)
			nr += hour->nr_kind[kind];
	}
	assert_int_equal(covered_us, c->total.covered_us);
	assert_int_equal(missing_us, c->total.missing_us);
	assert_int_equal(nr_holes, c->total.nr_holes);
	assert_int_equal(nr, c->nr_segments);
}

static const struct row {
	const char *what;
	const char *words; /* sequence.h */
	const char *start;
	const char *end;
	const char *of[COVERAGE_KIND_COUNT];
} rows[] = {
	{ "nothing at all", "", "0", "10", { "", "0-10", "", "", "" } },
	{ "one segment, all of the range",
	  "F0+10", "0", "10", { "0-10*1", "", "", "", "" } },
	{ "cut at both ends",
	  "F0+10", "3", "7", { "3-7*1", "", "", "", "" } },
	{ "holes at both ends and inside",
	  "F2+2 F4+2 F7+2", "0", "10",
	  { "2-6*2 7-9*1", "0-2 6-7 9-10", "", "", "" } },
	{ "a seam of 10 ms is no hole, one more is",
	  "F0+2 F2.01+2 F4.020001+2", "0", "6",
	  { "0-4.01*2 4.020001-6*1", "4.01-4.020001", "", "", "" } },
	{ "an overlap of 10 ms is a seam",
	  "F0+2 F1.99+2", "0", "3", { "0-3*2", "", "", "", "" } },
	{ "one more is an overlap",
	  "F0+2 F1.989999+2 F2+2", "0", "4",
	  { "0-4*2", "", "", "1.989999f(0.010001)", "" } },
	{ "a range begins and ends in seams",
	  "F0+2 F2.01+2 F4.01+1 F5.02+1", "2.005", "5.015",
	  { "2.005-5.015*2", "", "", "", "" } },
	{ "after a partial there is a hole of no length",
	  "F0+2 P2+2 F4+2", "0", "6",
	  { "0-4*2 4-6*1", "4-4", "2p", "", "" } },
	{ "which is where the next begins, if that is before its end",
	  "S0+2 F1.995+2", "0", "3",
	  { "0-1.995*1 1.995-3*1", "1.995-1.995", "0s", "", "" } },
	{ "a partial at the end",
	  "F0+2 P2+2", "0", "4", { "0-4*2", "4-4", "2p", "", "" } },
	{ "one that reaches over it",
	  "F0+2 P2+2", "0", "3", { "0-3*2", "3-3", "2p", "", "" } },
	{ "a partial's end right behind the start",
	  "P-2+2.005 F-0.004+2", "0", "1",
	  { "0-0*1 0-1*1", "0-0", "-2p", "", "" } },
	{ "an overlap behind the last one",
	  "F0+4 F3+1b", "0", "3.5", { "0-3.5*1", "", "", "3f(1)", "" } },
	{ "not one that begins at the end",
	  "F0+4 F3+1b", "0", "3", { "0-3*1", "", "", "", "" } },
	{ "an overlap before the start, beside the one that covers it",
	  "F-4+6 F-3+1b", "0", "1", { "0-1*1", "", "", "-3f(5)", "" } },
	{ "every reason",
	  "F0+2 S0+2 F2+2 F2+1 F4+2a F4+2b S6+2 P6+9 P8+2a P8+2b", "0", "10",
	  { "0-8*4 8-10*1", "8-8 10-10", "6s 8p", "",
	    "0 only-full 1 2 longest 1 4 highest-hash 1 "
	    "6 suspect-before-partial 1 8 first-by-name 1" } },
	{ "the reason is the last that was needed",
	  "F0+2a F0+2b F0+1 S0+2 P0+2", "0", "2",
	  { "0-2*1", "", "", "", "0 highest-hash 4" } },
	{ "temp and deleted ones are no duplicates",
	  "F0+2 T0+2 F0+3c X0+3c", "0", "2", { "0-2*1", "", "", "", "" } },
	{ "duplicates of what is skipped",
	  "F0+4 F1+2 F1+1", "0", "4",
	  { "0-4*1", "", "", "1f(3)", "1 longest 1" } },
	{ "not of what ends before the range",
	  "F-2+2 F-2+1 F0+2", "0", "2", { "0-2*1", "", "", "", "" } },
	{ "over hours",
	  "F3599+2 F3601+2 P7199+2 F7201+2 S10800+2", "3598", "10801",
	  { "3599-3603*2 7199-7201*1 7201-7203*1 10800-10801*1",
	    "3598-3599 3603-7199 7201-7201 7203-10800 10801-10801",
	    "7199p 10800s", "", "" } },
	{ "one that lasts an hour hides what begins in the next",
	  "F1800+3600 F3600+2 F3602+2 F5400+2", "1800", "5402",
	  { "1800-5402*2", "", "", "3600f(1800) 3602f(1798)", "" } },
	{ "an hour of which nothing is in the sequence",
	  "F3599+3600 F3600+2 F3600+1 F7199+2", "3599", "7201",
	  { "3599-7201*2", "", "", "3600f(3599)", "3600 longest 1" } },
};

static void test_by_hand(void **state)
{
	static const char *const kinds[COVERAGE_KIND_COUNT] = {
		"spans", "holes", "non-full", "overlaps", "duplicates",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct coverage c;
		struct told told;
		char quality[32];

		print_message("# %s\n", rows[i].what);
		snprintf(quality, sizeof(quality), "hand%zu", i);
		seq_make(quality, rows[i].words);
		assert_int_equal(tell(quality, UNIT_HOUR + seq_us(rows[i].start),
				      UNIT_HOUR + seq_us(rows[i].end), &told,
				      &c),
				 ERR_OK);
		for (int kind = 0; kind < COVERAGE_KIND_COUNT; kind++) {
			if (strcmp(told.of[kind]->data, rows[i].of[kind]) != 0)
				print_message("# of the %s\n", kinds[kind]);
			assert_string_equal(told.of[kind]->data,
					    rows[i].of[kind]);
		}
		check_whole(quality, &told, &c);
	}
}

static void test_sums(void **state)
{
	struct coverage c;
	struct told told;

	UNUSED(state);
	seq_make("sums", "F-1+3 T0+1 F2+2 F2+1 F3+1 P4+2 T3599+2 F3600+2 "
			 "F3602+2 X3602+2 S3604+2 T3610+1");
	assert_int_equal(tell("sums", UNIT_HOUR, UNIT_HOUR + 3606 * SEC, &told,
			      &c),
			 ERR_OK);
	check_whole("sums", &told, &c);
	assert_int_equal(c.nr_hours, 2);
	assert_int_equal(c.hours[0].nr_kind[SEGMENT_FULL], 2);
	assert_int_equal(c.hours[0].nr_kind[SEGMENT_PARTIAL], 1);
	assert_int_equal(c.hours[0].bytes, 30);
	assert_int_equal(c.hours[0].nr_overlaps, 1);
	assert_int_equal(c.hours[0].nr_duplicates, 1);
	assert_int_equal(c.hours[0].nr_temp, 2);
	assert_int_equal(c.hours[0].nr_spans, 1);
	assert_int_equal(c.hours[0].nr_holes, 1);
	assert_int_equal(c.hours[0].missing_us, 3594 * SEC);
	assert_int_equal(c.hours[1].nr_kind[SEGMENT_FULL], 1);
	assert_int_equal(c.hours[1].nr_kind[SEGMENT_SUSPECT], 1);
	assert_int_equal(c.hours[1].nr_deleted, 1);
	assert_int_equal(c.hours[1].nr_temp, 0);
	assert_int_equal(c.hours[1].missing_us, 2 * SEC);
	assert_int_equal(c.total.bytes, 50);
	assert_int_equal(c.total.nr_temp, 2);
}

/* Values are taken only from what is a range. */
static void test_no_range(void **state)
{
	struct time_range range = { UNIT_HOUR, UNIT_HOUR };
	struct coverage c = { .nr_hours = UNIT_UNTOUCHED };
	struct coveragemap map = { .hash = UNIT_UNTOUCHED };
	struct errmsg e = { "" };
	struct told told;

	UNUSED(state);
	assert_int_equal(tell("none", UNIT_HOUR, UNIT_HOUR, &told, &c),
			 ERR_INPUT);
	assert_int_equal(tell("none", UNIT_HOUR, UNIT_HOUR - 1, &told, &c),
			 ERR_INPUT);
	assert_int_equal(c.nr_hours, UNIT_UNTOUCHED);
	assert_int_equal(coverage_nr_hours(&range), 0);
	assert_int_equal(coveragemap_draw(seq_reader("none"), &range, &map, &e),
			 ERR_INPUT);
	range.end_us += COVERAGEMAP_MAX_HOURS * USEC_PER_HOUR + 1;
	assert_int_equal(coverage_nr_hours(&range), COVERAGEMAP_MAX_HOURS + 1);
	assert_int_equal(coveragemap_draw(seq_reader("none"), &range, &map, &e),
			 ERR_LIMIT);
	assert_string_not_equal(e.text, "");
	assert_int_equal(map.hash, UNIT_UNTOUCHED);
}

static const char *json_of(const char *quality, usec_t end_us, bool with_lists,
			   struct coverage_json *json)
{
	struct time_range range = { UNIT_HOUR, end_us };
	struct text *out = text_new(&seq.arena, 1 << 20);
	struct errmsg e = { "" };

	assert_int_equal(coverage_json(seq_reader(quality), &range, with_lists,
				       json, &e),
			 ERR_OK);
	for (int i = 0; i < json->nr_iov; i++)
		text_append(out, json->iov[i].iov_base, json->iov[i].iov_len);
	assert_int_equal(out->len, json->length);
	return out->data;
}

#define ZERO "2026-11-07T00:00:00.000000Z"
#define FOUR "2026-11-07T00:00:04.000000Z"
#define SUMS \
	"\"covered\":2.000000,\"missing\":2.000000,\"spans\":1,\"holes\":1," \
	"\"full\":1,\"suspect\":0,\"partial\":0,\"bytes\":10," \
	"\"overlaps\":0,\"duplicates\":1,\"deleted\":0,\"temp\":0}"
#define HEAD \
	"{\"start\":\"" ZERO "\",\"end\":\"" FOUR "\",\n" \
	"\"totals\":{\"segments\":1," SUMS ",\n" \
	"\"hours\":[\n{\"hour\":\"2026-11-07T00\"," SUMS "]"
#define TWO "2026-11-07T00:00:02.000000Z"

static void test_json(void **state)
{
	struct coverage_json json;
	uint64_t hash;

	UNUSED(state);
	seq_make("json", "F0+2 S0+1");
	assert_string_equal(json_of("json", UNIT_HOUR + 4 * SEC, false, &json),
			    HEAD "}\n");
	hash = json.hash;
	assert_string_equal(
		json_of("json", UNIT_HOUR + 4 * SEC, true, &json),
		HEAD ",\n\"spans\":[\n{\"start\":\"" ZERO "\",\"end\":\"" TWO
		     "\",\"duration\":2.000000,\"segments\":1}],\n"
		     "\"holes\":[\n{\"start\":\"" TWO "\",\"end\":\"" FOUR
		     "\",\"duration\":2.000000}],\n"
		     "\"nonfull\":[],\n\"overlaps\":[],\n"
		     "\"duplicates\":[\n{\"start\":\"" ZERO
		     "\",\"reason\":\"only-full\",\"files\":["
		     "{\"chosen\":true,\"duration\":2.000000,"
		     "\"kind\":\"full\",\"name\":"
		     "\"00:00.000000-2.000000-full-a.ts\",\"size\":10},"
		     "{\"chosen\":false,\"duration\":1.000000,"
		     "\"kind\":\"suspect\",\"name\":"
		     "\"00:00.000000-1.000000-suspect-a.ts\",\"size\":10}"
		     "]}]}\n");
	assert_int_not_equal(json.hash, hash);
}

/* Partial ones are a span, a hole and a segment each, with long names. */
static void test_limit(void **state)
{
	enum { NR = 70000 };
	const usec_t step_us = USEC_PER_HOUR / NR;
	struct time_range range = { UNIT_HOUR, UNIT_HOUR + 2 * USEC_PER_HOUR };
	struct coverage_json json = { .length = UNIT_UNTOUCHED };
	struct errmsg e = { "" };

	UNUSED(state);
	for (int h = 0; h < 2; h++) {
		char dir[256];
		char hour[UTIME_HOUR_SIZE];
		int fd;

		snprintf(dir, sizeof(dir), SEQ_BASE "limit/%s",
			 utime_format_hour(UNIT_HOUR + h * USEC_PER_HOUR,
					   hour));
		unit_mkdir(unit_fd, dir);
		fd = openat(unit_fd, dir, O_RDONLY | O_DIRECTORY);
		assert_true(fd >= 0);
		for (usec_t us = 0; us < NR * step_us; us += step_us) {
			char name[NAME_MAX + 1];
			int file;

			snprintf(name, sizeof(name),
				 "%02d:%02d.%06d-0.01-partial-%0200d.ts",
				 (int)(us / SEC / 60), (int)(us / SEC % 60),
				 (int)(us % SEC), 0);
			file = openat(fd, name, O_WRONLY | O_CREAT, 0644);
			assert_true(file >= 0);
			close(file);
		}
		close(fd);
	}
	assert_int_equal(coverage_json(seq_reader("limit"), &range, true,
				       &json, &e),
			 ERR_LIMIT);
	assert_int_equal(json.length, UNIT_UNTOUCHED);
	assert_non_null(strstr(e.text, "64 MB"));
	assert_int_equal(coverage_json(seq_reader("limit"), &range, false,
				       &json, &e),
			 ERR_OK);
	assert_int_equal(json.coverage.total.nr_kind[SEGMENT_PARTIAL], 2 * NR);
	range.end_us = UNIT_HOUR + USEC_PER_HOUR;
	assert_int_equal(coverage_json(seq_reader("limit"), &range, true,
				       &json, &e),
			 ERR_OK);
	assert_true(json.length > COVERAGE_MAX_BYTES / 3);
}

/* Without sizes they are unknown, and nobody needs them for a picture. */
static void test_names_only(void **state)
{
	struct time_range range = { UNIT_HOUR, UNIT_HOUR + 4 * SEC };
	struct coveragemap map, again;
	struct hourindex *index;
	struct hourreader *reader;
	struct errmsg e = { "" };

	UNUSED(state);
	seq_make("names", "F0+2 S0+1");
	reader = seq_reader("names");
	assert_int_equal(coveragemap_draw(reader, &range, &map, &e), ERR_OK);
	assert_memory_equal(map.file.iov_base, "\x89PNG\r\n", 6);
	assert_int_equal(map.coverage.total.missing_us, 2 * SEC);
	assert_int_equal(hourcache_get(reader, UNIT_HOUR, HOUR_WANT_NAMES,
				       &index, &e),
			 ERR_OK);
	assert_int_equal(index->head->flags & HOUR_MEASURED, 0);
	assert_int_equal(coveragemap_draw(reader, &range, &again, &e), ERR_OK);
	assert_int_equal(again.hash, map.hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_no_range),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_names_only),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
