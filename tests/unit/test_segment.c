/*
 * test_segment.c - names that are segments, and the many that are not.
 */
#include "config.h"

#include "archive/segment.h"

#include "unit.h"

#define SEC USEC_PER_SEC
#define HASH43 "0123456789abcdefghijABCDEFGHIJ-_0123456789x"

static void test_good_names(void **state)
{
	static const struct {
		const char *name;
		usec_t start_us;	/* after the hour */
		usec_t length_us;
		enum segment_kind kind;
	} rows[] = {
		{ "00:00-2-full-a.ts", 0, 2 * SEC, SEGMENT_FULL },
		{ "15:09.533-2.002-full-" HASH43 ".ts", 909533000, 2002000,
		  SEGMENT_FULL },
		{ "59:59.999999-2-suspect-Ab_-9.ts", 3599999999, 2 * SEC,
		  SEGMENT_SUSPECT },
		{ "00:00.5-0.000001-partial-a.ts", 500000, 1,
		  SEGMENT_PARTIAL },
		{ "00:00.000001-3600-full-a.ts", 1, 3600 * SEC,
		  SEGMENT_FULL },
		{ "00:00.-2-full-a.ts", 0, 2 * SEC, SEGMENT_FULL },
		{ "00:00-2.0000005-full-a.ts", 0, 2000001, SEGMENT_FULL },
		{ "00:00-002-full-a.ts", 0, 2 * SEC, SEGMENT_FULL },
		{ "00:00-2-full--.ts", 0, 2 * SEC, SEGMENT_FULL },
		{ "00:00-2-full-a-b-c.ts", 0, 2 * SEC, SEGMENT_FULL },
		/* What is being written may have any name there. */
		{ "00:00-2-temp-0b7c6d5e-1f2a.ts", 0, 2 * SEC, SEGMENT_TEMP },
		{ "00:00-2-temp-.ts", 0, 2 * SEC, SEGMENT_TEMP },
		{ "00:00-2-temp-a b!\xff.ts", 0, 2 * SEC, SEGMENT_TEMP },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *name = rows[i].name;
		struct segment s;

		print_message("# '%s'\n", err_quote(name).text);
		assert_true(segment_parse(UNIT_HOUR, name, strlen(name), &s));
		assert_int_equal(s.start_us, UNIT_HOUR + rows[i].start_us);
		assert_int_equal(s.length_us, rows[i].length_us);
		assert_int_equal(s.kind, rows[i].kind);
		assert_int_equal(s.stem_len, strlen(name) - 3);
		assert_int_equal(name[s.hash_at - 1], '-');
		assert_memory_equal(name + s.hash_at - 1 -
					    strlen(segment_kind_names[s.kind]),
				    segment_kind_names[s.kind],
				    strlen(segment_kind_names[s.kind]));
	}
}

static void test_bad_names(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "t", "ts", ".ts", "-.ts", "---.ts", "a.ts",
		"00:00-2-full-.ts", "00:00-2-full-a.mp4",
		"00:00-2-full-a.tombstone", "00:00-2-full-a.ts.tmp",
		"00:00-2-full-a.TS", "00:00-2-full-ats", "00:00-2-full-a.t",
		"00:00-2-full-a.ts ", " 00:00-2-full-a.ts",
		".00:00-2-full-a.ts", "0:00-2-full-a.ts", "00:0-2-full-a.ts",
		"000:00-2-full-a.ts", "00:000-2-full-a.ts",
		"60:00-2-full-a.ts", "00:60-2-full-a.ts", "99:99-2-full-a.ts",
		"-1:00-2-full-a.ts", "+0:00-2-full-a.ts", "0x:00-2-full-a.ts",
		"00.00-2-full-a.ts", "00-00-2-full-a.ts", "0000-2-full-a.ts",
		"00:00,5-2-full-a.ts", "00:00.1234567-2-full-a.ts",
		"00:00.x-2-full-a.ts", "00:00.1x-2-full-a.ts",
		"00:00.+1-2-full-a.ts", "00:00:00-2-full-a.ts",
		"00:00-0-full-a.ts", "00:00-0.0000001-full-a.ts",
		"00:00--2-full-a.ts", "00:00-+2-full-a.ts",
		"00:00--full-a.ts", "00:00-.5-full-a.ts",
		"00:00-2.-full-a.ts", "00:00-2e1-full-a.ts",
		"00:00-0x2-full-a.ts", "00:00-nan-full-a.ts",
		"00:00-inf-full-a.ts", "00:00- 2-full-a.ts",
		"00:00-3600.000001-full-a.ts", "00:00-999999-full-a.ts",
		"00:00-99999999999999999999-full-a.ts",
		"00:00-2-fulla-a.ts", "00:00-2-ful-a.ts", "00:00-2-Full-a.ts",
		"00:00-2--a.ts", "00:00-2-chunked-a.ts", "00:00-2-full.ts",
		"00:00-2-full a.ts", "00:00-2.ts", "00:00.ts",
		"00:00-2-full-a.b.ts", "00:00-2-full-a+b.ts",
		"00:00-2-full-a/b.ts", "00:00-2-full-a=.ts",
		"00:00-2-full-a\n.ts", "00:00-2-full-\xc3\xa9.ts",
		"00:00-2-suspect-.ts", "00:00-2-partial-$.ts",
		"00:00-2-temp.ts",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct segment s, untouched;

		memset(&untouched, 0x5a, sizeof(untouched));
		s = untouched;
		print_message("# '%s'\n", err_quote(bad[i]).text);
		assert_false(segment_parse(UNIT_HOUR, bad[i], strlen(bad[i]),
					   &s));
		assert_memory_equal(&s, &untouched, sizeof(s));
	}
}

static void test_length_of_name(void **state)
{
	char name[300];
	struct segment s;

	UNUSED(state);
	memset(name, 'a', sizeof(name));
	memcpy(name, "00:00-2-full-", 13);
	for (size_t len = 16; len < sizeof(name); len++) {
		memcpy(name + len - 3, ".ts", 3);
		assert_int_equal(segment_parse(UNIT_HOUR, name, len, &s),
				 len > 16 && len <= 255);
		name[len - 3] = name[len - 2] = name[len - 1] = 'a';
	}
	/* The length decides, not a NUL. */
	assert_false(segment_parse(UNIT_HOUR, "00:00-2-full-a\0.ts", 18, &s));
	assert_true(segment_parse(UNIT_HOUR, "00:00-2-full-a.tsx", 17, &s));
}

static void test_compare_hash(void **state)
{
	/* In order; the alphabet of base64 is not the order of ASCII. */
	static const char *const hashes[] = {
		"A", "AA", "AB", "B", "Z", "a", "z", "z0", "0", "9", "9-",
		"9_", "-", "--", "_", "_9",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(hashes); k++) {
			char a[64], b[64];
			struct segment sa, sb;
			int diff;

			/* Where the hash begins does not matter. */
			snprintf(a, sizeof(a), "00:00-2-full-%s.ts",
				 hashes[i]);
			snprintf(b, sizeof(b), "00:00.5-2.25-suspect-%s.ts",
				 hashes[k]);
			assert_true(segment_parse(0, a, strlen(a), &sa));
			assert_true(segment_parse(0, b, strlen(b), &sb));
			diff = segment_compare_hash(a, &sa, b, &sb);
			if ((diff > 0) - (diff < 0) != (i > k) - (i < k))
				fail_msg("'%s' and '%s': %d", hashes[i],
					 hashes[k], diff);
		}
	}
}

static void test_suffix(void **state)
{
	static const struct {
		const char *name;
		const char *suffix;
		bool has;
	} rows[] = {
		{ "a.ts", ".ts", true },
		{ "a.ts.ts", ".ts", true },
		{ "a.tombstone", TOMBSTONE_SUFFIX, true },
		{ ".ts", ".ts", false },
		{ "s", ".ts", false },
		{ "", ".ts", false },
		{ "a.tsx", ".ts", false },
		{ "a.Ts", ".ts", false },
		{ "a.ts", TOMBSTONE_SUFFIX, false },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# '%s' in '%s'\n", rows[i].suffix,
			      rows[i].name);
		assert_int_equal(segment_has_suffix(rows[i].name,
						    strlen(rows[i].name),
						    rows[i].suffix),
				 rows[i].has);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_names),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_length_of_name),
		cmocka_unit_test(test_compare_hash),
		cmocka_unit_test(test_suffix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
