/*
 * test_chatbatch.c - files of chat: what is a message, and what spoils a file;
 * names of such files; numbers written back.
 */
#include "config.h"

#include "archive/chatbatch.h"

#include <math.h>

#include "archive/chatlist.h"
#include "archive/chatprint.h"
#include "base/mem.h"
#include "unit.h"

static struct chat_names names;

static int begin(void **state)
{
	UNUSED(state);
	names.kinds = chattexts_new();
	names.receivers = chattexts_new();
	return 0;
}

static int end(void **state)
{
	UNUSED(state);
	chattexts_free(&names.kinds);
	chattexts_free(&names.receivers);
	return 0;
}

static enum err parse(const char *text, size_t len, struct chat_batch *batch,
		      struct errmsg *e)
{
	char *copy = mem_alloc(len);
	enum err err;

	memcpy(copy, text, len);
	e->text[0] = '\0';
	err = chatbatch_parse(&names, copy, len, batch, e);
	free(copy);
	return err;
}

static void test_good(void **state)
{
	static const char file[] =
		"{\"a\":1,\"receivers\":{\"n2\":2.5,\"n1\":-1},\"tags\":{\"id\":"
		"\"x\"},\"time\":1794016864.1492596,\"time_range\":0.25}\n"
		"{\"time_range\":0,\"time\":-0.0,\"receivers\":{},\"a\":1}\r\n"
		" {\"time\":3,\"tags\":{\"id\":\"x\"},\"a\":1} ";
	struct chat_batch b;
	struct errmsg e;

	UNUSED(state);
	assert_int_equal(parse(file, strlen(file), &b, &e), ERR_OK);
	assert_int_equal(b.nr, 3);
	assert_int_equal(b.nr_receptions, 2);
	assert_true(b.entries[0].time == 1794016864.1492596);
	assert_true(b.entries[0].range == 0.25);
	assert_int_equal(b.entries[0].nr_receptions, 2);
	assert_true(b.receptions[b.entries[0].first].time == 2.5);
	assert_true(b.receptions[b.entries[0].first + 1].time == -1);
	assert_int_equal(b.entries[0].kind, b.entries[2].kind);
	assert_true(b.entries[0].kind != b.entries[1].kind);
	assert_false(signbit(b.entries[1].time));
	assert_string_equal(chattexts_get(names.kinds, b.entries[0].kind)->text,
			    "{\"a\":1,\"tags\":{\"id\":\"x\"}}");
	assert_true(chattexts_get(names.kinds, b.entries[0].kind)->tag != 0);
	assert_true(chattexts_get(names.kinds, b.entries[1].kind)->tag == 0);
	chatbatch_release(&b);
	assert_int_equal(parse("", 0, &b, &e), ERR_OK);
	assert_int_equal(b.nr, 0);
	chatbatch_release(&b);
}

/* Each behind a line that is good. */
static const struct {
	const char *line;
	const char *why;
} bad[] = {
	{ "", "number" }, /* an empty line, before another */
	{ "1", "no object" },
	{ "null", "no object" },
	{ "[]", "no object" },
	{ "{}", "no time" },
	{ "{\"time\":null}", "no time" },
	{ "{\"time\":\"1\"}", "no time" },
	{ "{\"time\":true}", "no time" },
	{ "{\"time\":1e999}", "no time" },
	{ "{\"time\":NaN}", "number" },
	{ "{\"time\":1.}", "number" },
	{ "{\"time\":1", "end" },
	{ "{\"time\":1}}", "more than one" },
	{ "{\"time\":1,\"time_range\":-0.1}", "time_range" },
	{ "{\"time\":1,\"time_range\":null}", "time_range" },
	{ "{\"time\":1,\"time_range\":1e400}", "time_range" },
	{ "{\"time\":1e308,\"time_range\":1.7e308}", "time_range" },
	{ "{\"time\":1,\"receivers\":null}", "receivers" },
	{ "{\"time\":1,\"receivers\":[]}", "receivers" },
	{ "{\"time\":1,\"receivers\":{\"a\":\"1\"}}", "receiver" },
	{ "{\"time\":1,\"receivers\":{\"a\":1e999}}", "receiver" },
	{ "{\"time\":1,\"a\":\"\xff\"}", "UTF-8" },
	{ "{\"time\":1,\"a\":\"\xed\xa0\x80\"}", "UTF-8" },
	{ "{\"time\":1,\"a\":18446744073709551616}", "integer" },
	{ "{\"time\":1,\"a\":\"\\ud800\"}", "half a character" },
	{ "{'time':1}", "name" },
};

static void test_bad(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct chat_batch b = { .nr = UNIT_UNTOUCHED };
		struct errmsg e;
		char text[200];
		int len = snprintf(text, sizeof(text), "{\"time\":1}\n%s\n\n",
				   bad[i].line);

		print_message("# '%s'\n", bad[i].line);
		assert_int_equal(parse(text, (size_t)len, &b, &e), ERR_CORRUPT);
		print_message("# %s\n", e.text);
		assert_non_null(strstr(e.text, "line 2: "));
		assert_non_null(strstr(e.text, bad[i].why));
		assert_int_equal(b.nr, UNIT_UNTOUCHED);
	}
}

/* At the limit, and one beyond it. */
static void test_limits(void **state)
{
	struct chat_batch b;
	struct errmsg e;
	char *line = mem_alloc(CHAT_MAX_LINE + 1);

	UNUSED(state);
	memset(line, ' ', CHAT_MAX_LINE + 1);
	memcpy(line, "{\"time\":1}", 10);
	assert_int_equal(parse(line, CHAT_MAX_LINE, &b, &e), ERR_OK);
	chatbatch_release(&b);
	assert_int_equal(parse(line, CHAT_MAX_LINE + 1, &b, &e), ERR_CORRUPT);
	for (int nr = CHAT_MAX_RECEIVERS; nr <= CHAT_MAX_RECEIVERS + 1; nr++) {
		int len = sprintf(line, "{\"time\":1,\"receivers\":{");

		for (int i = 0; i < nr; i++)
			len += sprintf(line + len, "\"n%d\":1%s", i,
				       i + 1 < nr ? "," : "}}");
		assert_int_equal(parse(line, (size_t)len, &b, &e),
				 nr == CHAT_MAX_RECEIVERS ? ERR_OK :
							    ERR_CORRUPT);
		if (nr == CHAT_MAX_RECEIVERS)
			chatbatch_release(&b);
	}
	free(line);
}

static void test_names(void **state)
{
	static const char *const wrong[] = {
		"",
		".json",
		"00:00-.json",
		"00:00.json",
		"0:00-a.json",
		"60:00-a.json",
		"00:60-a.json",
		"00:0a-a.json",
		"-1:00-a.json",
		"00-00-a.json",
		"00:00_a.json",
		"00:00-a.jsonl",
		"00:00-a.JSON",
		"00:00-a",
		"00:00-a=.json",
		"00:00-a.b.json",
		"00:00-\xc3\xa9.json",
		".00:00-a.json",
		"00:00.5-a.json",
	};
	usec_t time_us = UNIT_UNTOUCHED;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		print_message("# '%s'\n", wrong[i]);
		assert_false(chatlist_parse_name(0, wrong[i], strlen(wrong[i]),
						 &time_us));
		assert_int_equal(time_us, UNIT_UNTOUCHED);
	}
	assert_true(chatlist_parse_name(UNIT_HOUR, "59:58-Az09-_.json", 17,
					&time_us));
	assert_int_equal(time_us, UNIT_HOUR + (59 * 60 + 58) * USEC_PER_SEC);
}

static void test_numbers(void **state)
{
	static const struct {
		double number;
		const char *text;
	} rows[] = {
		{ 0, "0.0" },
		{ 1, "1.0" },
		{ 1794016864, "1794016864.0" },
		{ 0.1, "0.1" },
		{ 0.001, "0.001" },
		{ 1794016864.594965, "1794016864.594965" },
		{ 1794016864.1492596, "1794016864.1492596" },
		{ 0.0009999275207519531, "0.0009999275207519531" },
		{ -1.5, "-1.5" },
		{ 1e300, "1e+300" },
		{ 5e-324, "4.94065645841247e-324" },
	};
	uint64_t seed = 7;
	char text[CHAT_NUMBER_SIZE];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(chat_print_number(rows[i].number, text),
				 strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
	for (unsigned i = 0; i < unit_rounds(100000); i++) {
		uint64_t bits = unit_random(&seed);
		double number;

		memcpy(&number, &bits, sizeof(number));
		if (!isfinite(number))
			continue;
		assert_true(chat_print_number(number, text) < sizeof(text));
		assert_true(strtod(text, NULL) == number);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),	cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
