/*
 * test_utime.c - instants, lengths and hours: read, written, refused.
 */
#include "config.h"

#include "base/utime.h"

#include <time.h>

#include "unit.h"

#define SEC USEC_PER_SEC
#define NOW (UNIT_HOUR + 12 * SEC)

static void test_good_times(void **state)
{
	static const struct {
		const char *text;
		usec_t us;
	} rows[] = {
		{ "2026-11-07", UNIT_HOUR },
		{ "2026-11-07Z", UNIT_HOUR },
		{ "2026-11-07T00:00", UNIT_HOUR },
		{ "2026-11-07 00:01", UNIT_HOUR + 60 * SEC },
		{ "2026-11-07T00:00:01", UNIT_HOUR + SEC },
		{ "2026-11-07T00:00:01Z", UNIT_HOUR + SEC },
		{ "2026-11-07T00:00:01+00:00", UNIT_HOUR + SEC },
		{ "2026-11-07T00:00:01 00:00", UNIT_HOUR + SEC },
		{ "2026-11-07T00:00:01-00:00", UNIT_HOUR + SEC },
		{ "2026-11-07T00:00:00.5", UNIT_HOUR + 500000 },
		{ "2026-11-07T00:00:00.000001", UNIT_HOUR + 1 },
		{ "2026-11-07T00:00:00.0000019999", UNIT_HOUR + 1 },
		{ "2026-11-07T00:00:00.123456789Z", UNIT_HOUR + 123456 },
		{ "1970-01-01", 0 },
		{ "1969-12-31T23:59:59.999999", -1 },
		{ "2000-02-29", (usec_t)951782400 * SEC },
		{ "0001-01-01", (usec_t)-62135596800 * SEC },
		{ "9999-12-31T23:59:59.999999",
		  (usec_t)253402300800 * SEC - 1 },
		{ "now", NOW },
		{ "now-90s", NOW - 90 * SEC },
		{ "now-0s", NOW },
		{ "now-2h30m", NOW - 9000 * SEC },
		{ "now-1d", NOW - 86400 * SEC },
		{ "now-1d2h3m4s", NOW - (86400 + 7200 + 184) * SEC },
		{ "@0", 0 },
		{ "@-1", -SEC },
		{ "@-1.5", -1500000 },
		{ "@1794009600.25", UNIT_HOUR + 250000 },
		{ "@1794009600.2500009", UNIT_HOUR + 250000 },
		{ "@253402300799.999999", (usec_t)253402300800 * SEC - 1 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errmsg e = { "" };
		usec_t us = UNIT_UNTOUCHED;

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(utime_parse(rows[i].text, NOW, UTIME_UTC_ONLY,
					     &us, &e),
				 ERR_OK);
		assert_int_equal(us, rows[i].us);
		assert_string_equal(e.text, "");
	}
}

static void test_offsets(void **state)
{
	static const struct {
		const char *text;
		usec_t us;
	} rows[] = {
		{ "2026-11-07T02:00+02:00", UNIT_HOUR },
		{ "2026-11-06T19:00:00.5-05:00", UNIT_HOUR + 500000 },
		{ "2026-11-07T05:45 05:45", UNIT_HOUR },
		{ "2026-11-07+00:01", UNIT_HOUR - 60 * SEC },
	};
	struct errmsg e;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		usec_t us = UNIT_UNTOUCHED;

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(utime_parse(rows[i].text, NOW, UTIME_UTC_ONLY,
					     &us, &e),
				 ERR_INPUT);
		assert_int_equal(us, UNIT_UNTOUCHED);
		assert_non_null(strstr(e.text, "UTC"));
		assert_int_equal(utime_parse(rows[i].text, NOW,
					     UTIME_ANY_OFFSET, &us, &e),
				 ERR_OK);
		assert_int_equal(us, rows[i].us);
	}
}

static void test_bad_times(void **state)
{
	static const char *const bad[] = {
		"", " ", "2026", "2026-11", "2026-11-7", "2026-1-07",
		"26-11-07", "2026-11-07T", "2026-11-07 ", "2026-11-07T1",
		"2026-11-07T12", "2026-11-07T12:", "2026-11-07T12:3",
		"2026-11-07T12:34:", "2026-11-07T12:34:5",
		"2026-11-07T12:34:56.", "2026-11-07T12:34:56.Z",
		"2026-11-07T12:34.5", "2026-11-07T12:34:56,5",
		"2026-11-07T24:00", "2026-11-07T12:60", "2026-11-07T12:34:60",
		"2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32",
		"2026-02-29", "1900-02-29", "0000-01-01", "10000-01-01",
		"-001-01-01", "2026/11/07", "2026-11-07t12:34",
		"2026-11-07T12:34z", "2026-11-07T12:34ZZ",
		"2026-11-07T12:34 ", "2026-11-07T12:34 Z",
		"2026-11-07T12:34+", "2026-11-07T12:34+00",
		"2026-11-07T12:34+0000", "2026-11-07T12:34+24:00",
		"2026-11-07T12:34+00:60", "2026-11-07T12:34+00:00x",
		"2026-11-07T+1:34", "2026-11-07T12:-4", " 2026-11-07",
		"2026-11-07\n", "0x7e6-11-07", "inf", "nan", "1e9",
		"now-", "now+1h", "now-1", "now-s", "now-1x", "now-1m1h",
		"now-1h1h", "now--1h", "now-1.5h", "now -1h", "nowhere",
		"Now", "NOW", "now-1h ", "now-1234567890s",
		"now-999999999d", "now-999999999d999999999h",
		"now-800000d", "now-999999999h",
		"@", "@-", "@+1", "@x", "@1.", "@.5", "@1.x", "@1e9", "@ 1",
		"@1 ", "@--1", "@1234567890123", "@0x10", "@253402300800",
		"@-62135596801", "@99999999999999999999999999999999",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct errmsg e = { "" };
		usec_t us = UNIT_UNTOUCHED;

		print_message("# '%s'\n", err_quote(bad[i]).text);
		assert_int_equal(utime_parse(bad[i], NOW, UTIME_ANY_OFFSET,
					     &us, &e),
				 ERR_INPUT);
		assert_int_equal(us, UNIT_UNTOUCHED);
		assert_non_null(strstr(e.text, err_quote(bad[i]).text));
	}
}

/* An offset may not lead out of the years that can be written. */
static void test_offset_at_the_ends(void **state)
{
	static const char *const bad[] = {
		"0001-01-01T00:00+00:01",
		"9999-12-31T23:59:59.999999-00:01",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct errmsg e = { "" };
		usec_t us = UNIT_UNTOUCHED;

		print_message("# '%s'\n", bad[i]);
		assert_int_equal(utime_parse(bad[i], NOW, UTIME_ANY_OFFSET,
					     &us, &e),
				 ERR_INPUT);
		assert_int_equal(us, UNIT_UNTOUCHED);
		assert_non_null(strstr(e.text, "years"));
	}
}

static void test_seconds(void **state)
{
	static const struct {
		const char *text;
		usec_t us;
	} good[] = {
		{ "0", 0 }, { "2", 2 * SEC }, { "2.0", 2 * SEC },
		{ "2.002", 2002000 }, { "002", 2 * SEC },
		{ "0.000001", 1 }, { "0.0000014", 1 }, { "0.0000015", 2 },
		{ "0.00000149999999", 1 }, { "0.9999995", SEC },
		{ "1.99999949", 1999999 }, { "3600", 3600 * SEC },
		{ "3600.0000004", 3600 * SEC },
	};
	static const char *const bad[] = {
		"", ".", ".5", "2.", "-1", "+1", "1e3", "0x1", " 1", "1 ",
		"1,5", "1.5.", "1.-5", "nan", "inf", "3600.000001",
		"3600.0000005", "3601", "99999999999999999999999999",
		"1\n", "\xd9\xa1",
	};
	usec_t us;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		print_message("# '%s'\n", good[i].text);
		assert_true(utime_parse_seconds(good[i].text,
						strlen(good[i].text),
						3600 * SEC, &us));
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		print_message("# '%s'\n", err_quote(bad[i]).text);
		us = UNIT_UNTOUCHED;
		assert_false(utime_parse_seconds(bad[i], strlen(bad[i]),
						 3600 * SEC, &us));
		assert_int_equal(us, UNIT_UNTOUCHED);
	}
	/* The length decides, not a NUL. */
	assert_true(utime_parse_seconds("12345", 2, 3600 * SEC, &us));
	assert_int_equal(us, 12 * SEC);
	assert_false(utime_parse_seconds("1\0002", 3, 3600 * SEC, &us));
}

static void test_hours(void **state)
{
	static const struct {
		const char *text;
		usec_t us;
	} good[] = {
		{ UNIT_HOUR_NAME, UNIT_HOUR },
		{ "1970-01-01T00", 0 },
		{ "1969-12-31T23", -USEC_PER_HOUR },
		{ "2024-02-29T23", (usec_t)1709247600 * SEC },
		{ "9999-12-31T23", (usec_t)253402297200 * SEC },
		{ "0001-01-01T00", (usec_t)-62135596800 * SEC },
	};
	static const char *const bad[] = {
		"", "2026-11-07", "2026-11-07T", "2026-11-07T0",
		"2026-11-07T000", "2026-11-07T24", "2026-11-07T-1",
		"2026-11-07 00", "2026-11-07T00:00", "2026-11-07T00/",
		"2026-11-07T00 ", " 2026-11-07T00", "2026-02-30T00",
		"2026-11-7T00", "0000-01-01T00", ".2026-11-07T00",
		"2026-11-07t00", "2026-11-07T0x", "20261-1-07T00",
	};
	char text[UTIME_HOUR_SIZE];
	usec_t us;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		print_message("# '%s'\n", good[i].text);
		assert_true(utime_parse_hour(good[i].text, &us));
		assert_int_equal(us, good[i].us);
		assert_string_equal(utime_format_hour(us, text), good[i].text);
		assert_string_equal(utime_format_hour(us + USEC_PER_HOUR - 1,
						      text),
				    good[i].text);
		assert_int_equal(utime_hour(us), us);
		assert_int_equal(utime_hour(us + USEC_PER_HOUR - 1), us);
		assert_int_equal(utime_hour(us - 1), us - USEC_PER_HOUR);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		print_message("# '%s'\n", bad[i]);
		us = UNIT_UNTOUCHED;
		assert_false(utime_parse_hour(bad[i], &us));
		assert_int_equal(us, UNIT_UNTOUCHED);
	}
}

/* Against the C library, over all years; then read back. */
static void test_format(void **state)
{
	uint64_t seed = 1;
	char text[UTIME_ISO_SIZE];
	char expected[64];

	UNUSED(state);
	for (int i = 0; i < 20000; i++) {
		usec_t us = (usec_t)(unit_random(&seed) %
				     (UINT64_C(315537897600) * 1000000)) -
			    (usec_t)62135596800 * SEC;
		usec_t rest = (us % SEC + SEC) % SEC;
		time_t seconds = (time_t)((us - rest) / SEC);
		struct errmsg e;
		struct tm tm;
		usec_t back;

		gmtime_r(&seconds, &tm);
		snprintf(expected, sizeof(expected),
			 "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			 tm.tm_hour, tm.tm_min, tm.tm_sec,
			 (int)rest);
		assert_string_equal(utime_format(us, text), expected);
		assert_int_equal(utime_parse(text, NOW, UTIME_UTC_ONLY, &back,
					     &e),
				 ERR_OK);
		assert_int_equal(back, us);
	}
	assert_string_equal(utime_format(INT64_MAX, text),
			    "9999-12-31T23:59:59.999999Z");
	assert_string_equal(utime_format(INT64_MIN, text),
			    "0001-01-01T00:00:00.000000Z");
}

static void test_digits(void **state)
{
	char to[5] = "....";

	UNUSED(state);
	utime_put_digits(to, 3, 7);
	assert_string_equal(to, "007.");
	utime_put_digits(to, 2, 12345);
	assert_string_equal(to, "457.");
	assert_int_equal(utime_take_digits("0123", 4), 123);
	assert_int_equal(utime_take_digits("", 0), 0);
	assert_int_equal(utime_take_digits("1-", 2), -1);
	assert_int_equal(utime_take_digits("", 1), -1);
}

static void test_now(void **state)
{
	usec_t first = utime_now();

	UNUSED(state);
	assert_true(first > (usec_t)1700000000 * SEC);
	assert_true(utime_now() - first < 3600 * SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_times),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_bad_times),
		cmocka_unit_test(test_offset_at_the_ends),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
