/*
 * test_box.c - boxes in text, and what is none.
 */
#include "config.h"

#include "picture/box.h"

#include "unit.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		struct box want;
	} rows[] = {
		{ "0,0,1,1", { 0, 0, 1, 1 } },
		{ "1,2,3,4", { 1, 2, 3, 4 } },
		{ "-5,-6,-4,-3", { -5, -6, -4, -3 } },
		{ "-0,00,010,1", { 0, 0, 10, 1 } },
		{ "-16384,8192,-8192,16384", { -16384, 8192, -8192, 16384 } },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errmsg e = { "" };
		struct box box;

		print_message("# %s\n", rows[i].text);
		assert_int_equal(box_parse(rows[i].text, &box, &e), ERR_OK);
		assert_memory_equal(&box, &rows[i].want, sizeof(box));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *words;
	} rows[] = {
		{ "", "is no box" },
		{ ",", "is no box" },
		{ "1,2,3", "is no box" },
		{ "1,2,3,", "is no box" },
		{ "1,2,3,4,", "is no box" },
		{ "1,2,3,4,5", "is no box" },
		{ " 1,2,3,4", "is no box" },
		{ "1,2,3,4 ", "is no box" },
		{ "1, 2,3,4", "is no box" },
		{ "1;2;3;4", "is no box" },
		{ "+1,2,3,4", "is no box" },
		{ "--1,2,3,4", "is no box" },
		{ "-,2,3,4", "is no box" },
		{ "1.5,2,3,4", "is no box" },
		{ "0x1,2,3,4", "is no box" },
		{ "16385,0,16386,1", "is no box" },
		{ "-16385,0,0,1", "is no box" },
		{ "99999999999999999999,0,1,1", "is no box" },
		{ "1,1,1,2", "no inside" },
		{ "1,1,2,1", "no inside" },
		{ "100,100,50,50", "no inside" },
		{ "0,0,8193,1", "at most 8192" },
		{ "0,-16384,1,16384", "at most 8192" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errmsg e = { "" };
		struct box box;

		print_message("# %s\n", rows[i].text);
		assert_int_equal(box_parse(rows[i].text, &box, &e), ERR_INPUT);
		assert_non_null(strstr(e.text, rows[i].words));
	}
}

/* Not from text: of any number. */
static void test_check(void **state)
{
	static const int strange[] = { INT32_MIN, -16385, 16385, INT32_MAX };
	struct errmsg e;

	UNUSED(state);
	assert_int_equal(box_check(&(struct box){ 0, 0, 8192, 8192 }, &e),
			 ERR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		for (size_t k = 0; k < 4; k++) {
			int sides[] = { 0, 0, 10, 10 };
			struct box box;

			sides[k] = strange[i];
			memcpy(&box, sides, sizeof(box));
			e.text[0] = '\0';
			assert_int_equal(box_check(&box, &e), ERR_INPUT);
			assert_non_null(strstr(e.text, "sides of a box"));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
