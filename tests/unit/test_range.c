/*
 * test_range.c - the times a request asks for: which are refused, with which
 * words, and what absent ones become.
 */
#include "config.h"

#include "archive/range.h"

#include "sequence.h"

#define H   USEC_PER_HOUR
#define DAY (24 * H)

static const struct range_limits limits = {
	.max_explicit_us = 31 * DAY,
	.max_implicit_us = 12 * H,
	.max_ranges = 3,
};

static void test_limit_text(void **state)
{
	static const struct {
		usec_t us;
		const char *text;
	} rows[] = {
		{ 31 * DAY, "31 days" },
		{ 4 * DAY, "4 days" },
		{ 3 * DAY, "72 hours" },
		{ 4 * DAY + H, "97 hours" },
		{ 12 * H, "12 hours" },
		{ H, "1 hour" },
		{ H + USEC_PER_SEC, "3601 seconds" },
		{ 90 * USEC_PER_SEC, "90 seconds" },
		{ USEC_PER_SEC, "1 second" },
		{ 0, "0 seconds" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char buf[32];

		print_message("# %s\n", rows[i].text);
		assert_string_equal(range_limit_text(rows[i].us, buf),
				    rows[i].text);
	}
}

static void test_check(void **state)
{
	static struct time_range ranges[] = {
		{ 0, 1 }, { 5, 4 }, { 0, 31 * DAY }, { 7, 7 },
		{ 0, 31 * DAY + 1 }, { 1, 2 }, { 1, 2 },
		/* from 7: together just as long as one may be, then not */
		{ 0, 15 * DAY }, { 5 * DAY, 21 * DAY }, { 0, 1 },
	};
	static const struct {
		struct range_spec spec;
		enum range_flags flags;
		const char *error;	/* in the message; NULL: none */
	} rows[] = {
		{ .error = NULL },
		{ { .has_start = true, .start_us = 5 }, 0, NULL },
		{ { .has_end = true, .end_us = 5 }, 0, NULL },
		{ { .has_end = true, .start_us = 9, .end_us = 5 }, 0, NULL },
		{ { true, true, 5, 6, NULL, 0 }, 0, NULL },
		{ { true, true, 0, 31 * DAY, NULL, 0 }, 0, NULL },
		{ { true, true, -1, 31 * DAY, NULL, 0 }, 0, "31 days" },
		{ { true, true, -1, 31 * DAY, NULL, 0 }, RANGE_MAY_BE_EMPTY,
		  "start and end: longer" },
		{ { true, true, 5, 5, NULL, 0 }, 0, "end must be after" },
		{ { true, true, 5, 4, NULL, 0 }, 0, "start and end: end" },
		{ { true, true, 5, 5, NULL, 0 }, RANGE_MAY_BE_EMPTY, NULL },
		{ { true, true, 5, -99, NULL, 0 }, RANGE_MAY_BE_EMPTY, NULL },
		{ { .ranges = &ranges[0], .nr_ranges = 1 }, 0, NULL },
		{ { .ranges = &ranges[1], .nr_ranges = 1 }, 0,
		  "range: end must be after" },
		{ { .ranges = &ranges[1], .nr_ranges = 1 }, RANGE_MAY_BE_EMPTY,
		  "range: end must be after" },
		{ { .ranges = &ranges[2], .nr_ranges = 1 }, 0, NULL },
		{ { .ranges = &ranges[3], .nr_ranges = 1 }, 0,
		  "range: end must be after" },
		{ { .ranges = &ranges[4], .nr_ranges = 1 }, 0, "31 days" },
		/* Any of them. */
		{ { .ranges = &ranges[0], .nr_ranges = 2 }, 0, "end must" },
		{ { .ranges = &ranges[4], .nr_ranges = 3 }, 0, "31 days" },
		{ { .ranges = &ranges[0], .nr_ranges = 4 }, 0,
		  "range: more than 3" },
		/* All of them. */
		{ { .ranges = &ranges[7], .nr_ranges = 2 }, 0, NULL },
		{ { .ranges = &ranges[7], .nr_ranges = 3 }, 0,
		  "all ranges together: longer than 31 days" },
		/* They override start and end, good or bad. */
		{ { true, true, 5, 4, &ranges[0], 1 }, 0, NULL },
		{ { true, true, 4, 5, &ranges[1], 1 }, 0, "range: end must" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errmsg e = { "" };
		enum err err;

		print_message("# row %zu: %s\n", i,
			      rows[i].error ? rows[i].error : "good");
		err = range_spec_check(&rows[i].spec, &limits, rows[i].flags,
				       &e);
		assert_int_equal(err, rows[i].error ? ERR_INPUT : ERR_OK);
		if (rows[i].error && !strstr(e.text, rows[i].error))
			fail_msg("'%s' does not say '%s'", e.text,
				 rows[i].error);
	}
}

static void put_hour(const char *quality, int hour)
{
	seq_put(quality, UNIT_HOUR + hour * H + 5, USEC_PER_SEC, "full", "a",
		1);
}

static const struct quality *open_quality(const char *quality)
{
	return seq_reader(quality)->quality;
}

static void test_resolve(void **state)
{
	static const struct {
		const char *quality;
		const char *start;	/* seconds, or NULL: absent */
		const char *end;
		const char *expected;	/* "START,END", or of the message */
		enum err err;
	} rows[] = {
		{ "two", "5", "6", "5,6", ERR_OK },
		{ "two", "6", "5", "6,5", ERR_OK },
		{ "two", "-999999", "999999", "-999999,999999", ERR_OK },
		{ "none", "5", "6", "5,6", ERR_OK },
		{ "two", NULL, NULL, "0,7200", ERR_OK },
		{ "two", "10", NULL, "10,7200", ERR_OK },
		{ "two", "-10", NULL, "-10,7200", ERR_OK },
		{ "two", NULL, "5000", "0,5000", ERR_OK },
		{ "two", "9000", NULL, "9000,7200", ERR_OK },
		{ "two", NULL, "-5", "0,-5", ERR_OK },
		{ "two", NULL, "43200", "0,43200", ERR_OK },
		{ "two", NULL, "43200.000001", "start is absent", ERR_INPUT },
		{ "two", "-36000", NULL, "-36000,7200", ERR_OK },
		{ "two", "-36000.000001", NULL, "end is absent", ERR_INPUT },
		{ "twelve", NULL, NULL, "0,43200", ERR_OK },
		{ "many", NULL, NULL, "start and end is absent", ERR_INPUT },
		{ "many", NULL, NULL, "12 hours", ERR_INPUT },
		{ "many", "3600", NULL, "3600,46800", ERR_OK },
		{ "many", "3599", NULL, "end is absent", ERR_INPUT },
		{ "many", NULL, "43200", "0,43200", ERR_OK },
		{ "none", NULL, NULL, "", ERR_NOTFOUND },
		{ "none", "5", NULL, "", ERR_NOTFOUND },
		{ "none", NULL, "5", "", ERR_NOTFOUND },
	};

	UNUSED(state);
	put_hour("two", 0);
	put_hour("two", 1);
	put_hour("twelve", 0);
	put_hour("twelve", 11);
	put_hour("many", 0);
	put_hour("many", 12);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *start = rows[i].start;
		const char *end = rows[i].end;
		struct range_spec spec = {
			.has_start = start,
			.has_end = end,
			.start_us = start ? UNIT_HOUR + seq_us(start) : 0,
			.end_us = end ? UNIT_HOUR + seq_us(end) : 0,
		};
		struct time_range *ranges = NULL;
		size_t nr = UNIT_UNTOUCHED;
		struct errmsg e = { "" };
		struct text *out = text_new(&seq.arena, 1000);

		print_message("# %s from %s to %s\n", rows[i].quality,
			      start ? start : "-", end ? end : "-");
		assert_int_equal(range_spec_resolve(
					 &spec, &limits,
					 open_quality(rows[i].quality),
					 &seq.arena, &ranges, &nr, &e),
				 rows[i].err);
		if (rows[i].err) {
			assert_null(ranges);
			assert_int_equal(nr, UNIT_UNTOUCHED);
			assert_true(e.text[0] != '\0');
			if (!strstr(e.text, rows[i].expected))
				fail_msg("'%s' does not say '%s'", e.text,
					 rows[i].expected);
			continue;
		}
		assert_int_equal(nr, 1);
		seq_add_us(out, ranges[0].start_us - UNIT_HOUR);
		text_putc(out, ',');
		seq_add_us(out, ranges[0].end_us - UNIT_HOUR);
		assert_string_equal(out->data, rows[i].expected);
	}
}

static void test_resolve_list(void **state)
{
	static struct time_range list[] = { { 3, 4 }, { 1, 2 } };
	struct range_spec spec = { .has_start = true,
				   .ranges = list,
				   .nr_ranges = 2 };
	struct time_range *ranges = NULL;
	struct errmsg e = { "" };
	size_t nr = 0;

	UNUSED(state);
	/* As they are, in their order, and no archive is asked. */
	assert_int_equal(range_spec_resolve(&spec, &limits, NULL, &seq.arena,
					    &ranges, &nr, &e),
			 ERR_OK);
	assert_int_equal(nr, 2);
	assert_memory_equal(ranges, list, sizeof(list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_text),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_resolve_list),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
