/*
 * test_err.c - error names and messages, what is quoted, and BUG().
 */
#include "config.h"

#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

static void test_names(void **state)
{
	UNUSED(state);
	for (int i = 0; i < ERR_COUNT; i++) {
		print_message("# %s: %s\n", err_name((enum err)i),
			      err_text((enum err)i));
		assert_string_not_equal(err_name((enum err)i), "?");
		assert_true(strlen(err_text((enum err)i)) > 5);
	}
	assert_string_equal(err_name(ERR_OK), "OK");
	assert_string_equal(err_name(ERR_HANDED), "HANDED");
	assert_string_equal(err_name(ERR_COUNT), "?");
	assert_string_equal(err_text((enum err)-1), "?");
}

static void test_set(void **state)
{
	struct errmsg e;
	char longer[sizeof(e.text) * 2];

	UNUSED(state);
	assert_int_equal(err_set(&e, ERR_LIMIT, "%d of '%s'", 3, "x"),
			 ERR_LIMIT);
	assert_string_equal(e.text, "3 of 'x'");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(err_set(&e, ERR_IO, "%s", longer), ERR_IO);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void test_quote(void **state)
{
	static const struct {
		const char *text;
		const char *quoted;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a'b\"c%s", "a'b\"c%s" },
		{ "line\nforged\r", "line?forged?" },
		{ "\x1b[31m\x7f\t", "?[31m??" },
		{ "\xc3\xa9\xff", "???" },
		/* 68 bytes are shown whole, a 69th is not. */
		{ "12345678901234567890123456789012345678901234567890"
		  "123456789012345678",
		  "12345678901234567890123456789012345678901234567890"
		  "123456789012345678" },
		{ "12345678901234567890123456789012345678901234567890"
		  "1234567890123456789",
		  "12345678901234567890123456789012345678901234567890"
		  "123456789012345678..." },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errquote q = err_quote(rows[i].text);

		print_message("# '%s'\n", q.text);
		assert_string_equal(q.text, rows[i].quoted);
	}
	assert_string_equal(err_quote_len("a\0b", 3).text, "a?b");
	assert_string_equal(err_quote_len("abc", 2).text, "ab");
}

static void test_bug(void **state)
{
	int status;
	pid_t pid;

	UNUSED(state);
	unit_logged("");
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		BUG("no %s left", "tape");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_int_equal(unit_logged("no tape left\"\n"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_bug),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
