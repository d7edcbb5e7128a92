/*
 * test_httprange.c - byte ranges, entity tags, accepted encodings.
 */
#include "config.h"

#include "httprange.h"

#include "unit.h"

#define HUGE_NUMBER "99999999999999999999999999"

static void test_ranges(void **state)
{
	static const struct {
		const char *header;
		uint64_t length;
		uint64_t offset;
		uint64_t count;
	} rows[] = {
		{ "bytes=0-0", 10, 0, 1 },
		{ "bytes=0-9", 10, 0, 10 },
		{ "bytes=0-10", 10, 0, 10 },
		{ "bytes=9-9", 10, 9, 1 },
		{ "bytes=3-5", 10, 3, 3 },
		{ "bytes=3-", 10, 3, 7 },
		{ "bytes=-3", 10, 7, 3 },
		{ "bytes=-10", 10, 0, 10 },
		{ "bytes=-11", 10, 0, 10 },
		{ "bytes=-1", 1, 0, 1 },
		{ "bytes=0-" HUGE_NUMBER, 10, 0, 10 },
		{ "bytes=-" HUGE_NUMBER, 10, 0, 10 },
		{ "bytes=-18446744073709551615", 10, 0, 10 },
		{ "bytes=0-18446744073709551615", 10, 0, 10 },
		{ "bytes=000000000000000000000000003-5", 10, 3, 3 },
		{ "BYTES=3-5", 10, 3, 3 },
		{ "bytes= 3-5 ", 10, 3, 3 },
		{ "bytes=0-", UINT64_MAX - 1, 0, UINT64_MAX - 1 },
		{ "bytes=-1", UINT64_MAX - 1, UINT64_MAX - 2, 1 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t offset = UNIT_UNTOUCHED;
		uint64_t count = UNIT_UNTOUCHED;

		print_message("# '%s'\n", rows[i].header);
		assert_int_equal(httprange_parse(rows[i].header, rows[i].length,
						 &offset, &count),
				 RANGE_ONE);
		assert_true(offset == rows[i].offset);
		assert_true(count == rows[i].count);
	}
}

static void test_no_ranges(void **state)
{
	static const struct {
		const char *header;
		uint64_t length;
		enum range_verdict verdict;
	} rows[] = {
		/* ignored: the whole is sent */
		{ "", 10, RANGE_NONE },
		{ "bytes", 10, RANGE_NONE },
		{ "bytes=", 10, RANGE_NONE },
		{ "bytes=-", 10, RANGE_NONE },
		{ "bytes=3", 10, RANGE_NONE },
		{ "bytes=5-3", 10, RANGE_NONE },
		{ "bytes=0-1,3-4", 10, RANGE_NONE },
		{ "bytes=0-1,", 10, RANGE_NONE },
		{ "bytes=a-b", 10, RANGE_NONE },
		{ "bytes=0x1-2", 10, RANGE_NONE },
		{ "bytes=+1-2", 10, RANGE_NONE },
		{ "bytes=--1", 10, RANGE_NONE },
		{ "bytes=1--2", 10, RANGE_NONE },
		{ "bytes=1-2-3", 10, RANGE_NONE },
		{ "bytes=1 - 2", 10, RANGE_NONE },
		{ "bytes=1-2x", 10, RANGE_NONE },
		{ "bytes=1.5-2", 10, RANGE_NONE },
		{ "bytes =0-1", 10, RANGE_NONE },
		{ "octets=0-1", 10, RANGE_NONE },
		{ "items=0-1", 10, RANGE_NONE },
		{ "bytes:0-1", 10, RANGE_NONE },
		{ "0-1", 10, RANGE_NONE },
		{ "bytes=\xff-1", 10, RANGE_NONE },
		/* well-formed, but outside */
		{ "bytes=10-", 10, RANGE_UNSATISFIABLE },
		{ "bytes=10-10", 10, RANGE_UNSATISFIABLE },
		{ "bytes=11-20", 10, RANGE_UNSATISFIABLE },
		{ "bytes=" HUGE_NUMBER "-", 10, RANGE_UNSATISFIABLE },
		{ "bytes=" HUGE_NUMBER "-" HUGE_NUMBER, 10,
		  RANGE_UNSATISFIABLE },
		{ "bytes=18446744073709551615-", 10, RANGE_UNSATISFIABLE },
		{ "bytes=-0", 10, RANGE_UNSATISFIABLE },
		{ "bytes=0-", 0, RANGE_UNSATISFIABLE },
		{ "bytes=0-0", 0, RANGE_UNSATISFIABLE },
		{ "bytes=-1", 0, RANGE_UNSATISFIABLE },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t offset = UNIT_UNTOUCHED;
		uint64_t count = UNIT_UNTOUCHED;

		print_message("# %s of %llu\n",
			      err_quote(rows[i].header).text,
			      (unsigned long long)rows[i].length);
		assert_int_equal(httprange_parse(rows[i].header, rows[i].length,
						 &offset, &count),
				 rows[i].verdict);
		assert_true(offset == UNIT_UNTOUCHED);
		assert_true(count == UNIT_UNTOUCHED);
	}
}

/* Whatever the numbers, a range is never empty and lies inside. */
static void test_random_ranges(void **state)
{
	uint64_t seed = 1;

	UNUSED(state);
	for (int i = 0; i < 200000; i++) {
		uint64_t length = unit_random(&seed) >>
				  (unit_random(&seed) % 64);
		uint64_t first = unit_random(&seed) >>
				 (unit_random(&seed) % 64);
		uint64_t last = unit_random(&seed) >>
				(unit_random(&seed) % 64);
		uint64_t offset, count;
		char header[80];

		snprintf(header, sizeof(header), "bytes=%llu-%llu",
			 (unsigned long long)first, (unsigned long long)last);
		if (unit_random(&seed) % 4 == 0)
			snprintf(header, sizeof(header), "bytes=-%llu",
				 (unsigned long long)last);
		if (httprange_parse(header, length, &offset, &count) !=
		    RANGE_ONE)
			continue;
		if (!count || offset >= length || count > length - offset)
			fail_msg("'%s' of %llu: %llu bytes at %llu", header,
				 (unsigned long long)length,
				 (unsigned long long)count,
				 (unsigned long long)offset);
	}
}

static void test_etags(void **state)
{
	static const struct {
		const char *list;
		const char *etag;
		bool weak;	/* found by weak comparison */
		bool strong;
	} rows[] = {
		{ "\"a\"", "\"a\"", true, true },
		{ " \"a\" ", "\"a\"", true, true },
		{ "\"a\", \"b\"", "\"b\"", true, true },
		{ "\"a\",\"b\",\"c\"", "\"c\"", true, true },
		{ "\"a\"\t,\t\"b\"", "\"b\"", true, true },
		{ "W/\"a\"", "\"a\"", true, false },
		{ "W/\"a\", \"a\"", "\"a\"", true, true },
		{ "W/\"b\", W/\"a\"", "\"a\"", true, false },
		{ "*", "\"a\"", true, true },
		{ " * ", "\"a\"", true, true },
		{ "\"a,b\"", "\"a,b\"", true, true },
		{ "\"\"", "\"\"", true, true },
		/* bad, or another one */
		{ "", "\"a\"", false, false },
		{ " ", "\"a\"", false, false },
		{ "\"b\"", "\"a\"", false, false },
		{ "\"A\"", "\"a\"", false, false },
		{ "\"aa\"", "\"a\"", false, false },
		{ "\"\"", "\"a\"", false, false },
		{ "a", "\"a\"", false, false },
		{ "\"a", "\"a\"", false, false },
		{ "a\"", "\"a\"", false, false },
		{ "'a'", "\"a\"", false, false },
		{ "w/\"a\"", "\"a\"", false, false },
		{ "W/", "\"a\"", false, false },
		{ "W/a", "\"a\"", false, false },
		{ "W", "\"a\"", false, false },
		{ "WW/\"a\"", "\"a\"", false, false },
		{ "*, \"b\"", "\"a\"", false, false },
		{ "\"b\", *", "\"a\"", false, false },
		{ "\"b\",, a", "\"a\"", false, false },
		{ ",", "\"a\"", false, false },
		{ "\"b\" \"", "\"a\"", false, false },
		{ "Sat, 07 Nov 2026 00:00:00 GMT", "\"a\"", false, false },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s in %s\n", rows[i].etag, rows[i].list);
		assert_int_equal(etag_list_has(rows[i].list, rows[i].etag,
					       true),
				 rows[i].weak);
		assert_int_equal(etag_list_has(rows[i].list, rows[i].etag,
					       false),
				 rows[i].strong);
	}
}

static void test_gzip(void **state)
{
	static const struct {
		const char *header;
		bool accepts;
	} rows[] = {
		{ "gzip", true },
		{ "GZip", true },
		{ "x-gzip", true },
		{ "gzip, deflate, br", true },
		{ "br,gzip", true },
		{ "deflate;q=1.0, gzip;q=0.5", true },
		{ "gzip;q=0.001", true },
		{ "gzip; q=0.5", true },
		{ "gzip ; q=1", true },
		{ "gzip;q=1.000", true },
		{ "*", true },
		{ "*;q=0.1", true },
		{ "*;q=0, gzip", true },
		{ "identity;q=0, gzip", true },
		{ "\tgzip\t", true },
		{ "", false },
		{ " ", false },
		{ ",", false },
		{ ",,;;,", false },
		{ "identity", false },
		{ "deflate, br", false },
		{ "gzip;q=0", false },
		{ "gzip;Q=0", false },
		{ "gzip;q=0.0", false },
		{ "gzip;q=0.000", false },
		{ "gzip; q=0", false },
		{ "gzip ; q=0 ", false },
		{ "gzip;q=0, *", false },
		{ "*;q=0", false },
		{ "*;q=0.0, identity", false },
		{ "gzipped", false },
		{ "gzi", false },
		{ "xgzip", false },
		{ "not-gzip", false },
		{ "\"gzip\"", false },
		{ "\xff", false },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# '%s'\n", err_quote(rows[i].header).text);
		assert_int_equal(accepts_gzip(rows[i].header),
				 rows[i].accepts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_no_ranges),
		cmocka_unit_test(test_random_ranges),
		cmocka_unit_test(test_etags),
		cmocka_unit_test(test_gzip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
