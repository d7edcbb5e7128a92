/*
 * test_status.c - every error as a status, an exit status and words.
 */
#include "config.h"

#include "status.h"

#include "unit.h"

static void test_errors(void **state)
{
	static const struct {
		enum err err;
		int http;
		int exit;
	} rows[] = {
		{ ERR_OK, 200, 0 },	   { ERR_INPUT, 400, 2 },
		{ ERR_FORBIDDEN, 403, 3 }, { ERR_NOTFOUND, 404, 4 },
		{ ERR_METHOD, 405, 2 },	   { ERR_HOLES, 406, 6 },
		{ ERR_LIMIT, 413, 2 },	   { ERR_RANGE, 416, 2 },
		{ ERR_UNBUILT, 501, 5 },   { ERR_BUSY, 503, 7 },
		{ ERR_CORRUPT, 500, 1 },   { ERR_MEDIA, 500, 1 },
		{ ERR_IO, 500, 1 },	   { ERR_GONE, 499, 1 },
		{ ERR_HANDED, 0, 0 },	   { ERR_FORMAT, 406, 6 },
	};

	UNUSED(state);
	assert_int_equal(ARRAY_SIZE(rows), ERR_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", err_name(rows[i].err));
		assert_int_equal(status_of(rows[i].err), rows[i].http);
		assert_int_equal(exit_status_of(rows[i].err), rows[i].exit);
	}
}

static void test_reasons(void **state)
{
	/* Those that no error stands for, but an answer may have. */
	static const int others[] = { 204, 206, 304, 412 };

	UNUSED(state);
	for (int err = 0; err < ERR_COUNT; err++) {
		int status = status_of((enum err)err);

		print_message("# %d\n", status);
		if (err != ERR_GONE && err != ERR_HANDED) /* never sent */
			assert_string_not_equal(status_reason(status),
						"Unknown");
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_string_not_equal(status_reason(others[i]), "Unknown");
	assert_string_equal(status_reason(200), "OK");
	assert_string_equal(status_reason(416), "Range Not Satisfiable");
	assert_string_equal(status_reason(0), "Unknown");
	assert_string_equal(status_reason(-1), "Unknown");
	assert_string_equal(status_reason(999), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
