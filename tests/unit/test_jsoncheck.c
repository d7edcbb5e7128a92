/*
 * test_jsoncheck.c - what is JSON and what is none, where parsers differ.
 */
#include "config.h"

#include "base/jsoncheck.h"

#include <json-c/json.h>

#include "unit.h"

#define DEEP_31 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
#define PEED_31 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static const char *const good[] = {
	"{}",
	"[]",
	"0",
	"-0",
	"-0.0e-0",
	"1E+5",
	"12.50",
	"true",
	"false",
	"null",
	"\"\"",
	" \t\r\n{ \"a\" : [ 1 , { } , [ ] , \"b\" ] , \"c\" : null } \n",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u12aF\"",
	"\"\\u0000\"",
	"\"\\ud83d\\uDE00 \\uD7FF\\ue000\"",
	"\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"",
	"999999999999999999",
	"9223372036854775807",
	"-9223372036854775808",
	"18446744073709551615",
	"123456789012345678901234567890.0",
	"1e999",
	"{\"a\\\\u0000\":1}",
	DEEP_31 "[1]" PEED_31,
};

static const char *const bad[] = {
	"",
	" ",
	"{",
	"[",
	"{\"a\"",
	"{\"a\":",
	"{\"a\":1",
	"{\"a\":1,",
	"{\"a\":1,}",
	"{,}",
	"{1:2}",
	"{a:2}",
	"{'a':1}",
	"{\"a\" 1}",
	"{\"a\":1]",
	"[1}",
	"[1,]",
	"[,1]",
	"[1 2]",
	"1 2",
	"{}{}",
	"{}]",
	"01",
	"00",
	"-",
	"-01.5",
	"+1",
	"1.",
	"1.e5",
	".5",
	"1e",
	"1e+",
	"0x10",
	"NaN",
	"Infinity",
	"-Infinity",
	"nan",
	"True",
	"tru",
	"nul",
	"truex",
	"'a'",
	"\"",
	"\"a",
	"\"\\\"",
	"\"\\",
	"\"\\x41\"",
	"\"\\u12\"",
	"\"\\u12g4\"",
	"\"\\ud800\"",
	"\"\\uDFFF\"",
	"\"\\udc00\\ud800\"",
	"\"\\ud83d\\ud83d\\ude00\"",
	"\"\\ud83d\\n\"",
	"\"\\ud83dude00\"",
	"\"\\ud83d\\ude0\"",
	"\"\\ud83d\\u",
	"\"\x01\"",
	"\"\t\"",
	"\"\xff\"",
	"\"\xc0\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xc3",
	"\xef\xbb\xbf{}",
	"1/**/",
	"//\n1",
	"18446744073709551616",
	"-9223372036854775809",
	"100000000000000000000000",
	"{\"a\\u0000b\":1}",
	DEEP_31 "[[1]]" PEED_31,
};

/* A copy of just its size, so that a sanitizer sees a read past it. */
static const char *check(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	const char *fault;

	assert_non_null(copy);
	memcpy(copy, text, len);
	fault = jsoncheck(copy, len);
	free(copy);
	return fault;
}

static void test_good(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct json_tokener *tokener =
			json_tokener_new_ex(JSONCHECK_MAX_DEPTH + 2);

		print_message("# %s\n", good[i]);
		assert_null(check(good[i], strlen(good[i])));
		/* And the parser takes it; a NUL ends what is no object. */
		json_object_put(json_tokener_parse_ex(
			tokener, good[i], (int)strlen(good[i]) + 1));
		assert_int_equal(json_tokener_get_error(tokener),
				 json_tokener_success);
		json_tokener_free(tokener);
	}
}

static void test_bad(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *fault = check(bad[i], strlen(bad[i]));

		print_message("# %s: %s\n", bad[i], fault ? fault : "taken");
		assert_non_null(fault);
	}
	assert_non_null(check("{}\0", 3));
	assert_non_null(check("\"a\0b\"", 5));
}

/* Whatever is cut off is none. */
static void test_cut(void **state)
{
	static const char whole[] =
		"{\"a\":[1.5e3,{\"b\\u2603\":null}],\"c\":{\"d\":\"e\"}}";

	UNUSED(state);
	assert_null(check(whole, sizeof(whole) - 1));
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_non_null(check(whole, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
