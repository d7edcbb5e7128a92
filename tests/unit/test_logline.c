/*
 * test_logline.c - whatever goes into a line comes out of it again, and
 * nothing else does.
 */
#include "config.h"

#include "base/logline.h"

#include "logfmt.h"

static struct logfmt line;

/* Reads back a line of ours, all of it. */
static void read_back(struct logline *l)
{
	char text[LOGLINE_BYTES + 1];

	logline_end(l);
	assert_in_range(l->len, 1, LOGLINE_BYTES);
	memcpy(text, l->text, l->len);
	text[l->len] = '\0';
	assert_int_equal(strlen(text), l->len);
	assert_ptr_equal(logfmt_read(text, &line), text + l->len);
}

static void test_values(void **state)
{
	static const struct {
		const char *value;
		const char *written;
	} rows[] = {
		{ "plain", "k=plain\n" },
		{ "~!#/?&:;,.'[]{}", "k=~!#/?&:;,.'[]{}\n" },
		{ "", "k=\"\"\n" },
		{ " ", "k=\" \"\n" },
		{ "a b", "k=\"a b\"\n" },
		{ "a=b", "k=\"a=b\"\n" },
		{ "\"", "k=\"\\\"\"\n" },
		{ "\\", "k=\"\\\\\"\n" },
		{ "\\x41", "k=\"\\\\x41\"\n" },
		{ "a\nlevel=error", "k=\"a\\x0alevel=error\"\n" },
		{ "\" level=error", "k=\"\\\" level=error\"\n" },
		{ "\r\t\x1b[0m", "k=\"\\x0d\\x09\\x1b[0m\"\n" },
		{ "\x7f\x80\xff", "k=\"\\x7f\\x80\\xff\"\n" },
		{ "\xc3\xa9", "k=\"\\xc3\\xa9\"\n" },
		{ "\xc2\x9b\x33m", "k=\"\\xc2\\x9b3m\"\n" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct logline l;

		logline_begin(&l);
		logline_string(&l, "k", rows[i].value);
		read_back(&l);
		print_message("# %.*s", (int)l.len, l.text);
		assert_int_equal(l.len, strlen(rows[i].written));
		assert_memory_equal(l.text, rows[i].written, l.len);
		assert_string_equal(logfmt_get(&line, "k"), rows[i].value);
	}
}

static void test_numbers(void **state)
{
	struct logline l;

	UNUSED(state);
	logline_begin(&l);
	logline_number(&l, "none", 0);
	logline_number(&l, "most", UINT64_MAX);
	logline_seconds(&l, "past", -1);
	logline_seconds(&l, "zero", 0);
	logline_seconds(&l, "short", 1);
	logline_seconds(&l, "long", INT64_C(86400000001));
	read_back(&l);
	assert_int_equal(line.nr, 6);
	assert_string_equal(logfmt_get(&line, "none"), "0");
	assert_string_equal(logfmt_get(&line, "most"), "18446744073709551615");
	assert_string_equal(logfmt_get(&line, "past"), "0.000000");
	assert_string_equal(logfmt_get(&line, "zero"), "0.000000");
	assert_string_equal(logfmt_get(&line, "short"), "0.000001");
	assert_string_equal(logfmt_get(&line, "long"), "86400.000001");
}

/* Around the length of a line: never longer, cut only where it must be. */
static void test_length(void **state)
{
	static const char fill[] = { 'x', ' ', '"', '\n' };
	static const unsigned widths[] = { 1, 1, 2, 4 };
	char value[LOGLINE_BYTES + 100];

	UNUSED(state);
	for (size_t kind = 0; kind < ARRAY_SIZE(fill); kind++) {
		size_t around = LOGLINE_BYTES / widths[kind];
		size_t longest = 0;

		for (size_t len = around - 60; len < around + 60; len++) {
			struct logline l;
			size_t got;

			memset(value, fill[kind], len);
			value[len] = '\0';
			logline_begin(&l);
			logline_string(&l, "a", value);
			logline_string(&l, "b", "more");
			read_back(&l);
			got = strlen(logfmt_get(&line, "a"));
			assert_memory_equal(logfmt_get(&line, "a"), value, got);
			if (!logfmt_get(&line, "cut")) {
				assert_int_equal(got, len);
				assert_string_equal(logfmt_get(&line, "b"),
						    "more");
				longest = len;
				continue;
			}
			assert_string_equal(logfmt_get(&line, "cut"), "true");
			assert_string_equal(line.fields[line.nr - 1].key,
					    "cut");
			assert_true(l.len > LOGLINE_BYTES - 30);
		}
		print_message("# '\\x%02x': %zu are not cut\n", fill[kind],
			      longest);
		assert_true(longest * widths[kind] > LOGLINE_BYTES - 40);
	}
}

/* A limit of a value's own leaves room for the fields behind it. */
static void test_limit(void **state)
{
	struct logline l;

	UNUSED(state);
	logline_begin(&l);
	logline_string_max(&l, "a", "1234567890", 10);
	read_back(&l);
	assert_string_equal(logfmt_get(&line, "a"), "1234567890");
	assert_null(logfmt_get(&line, "cut"));

	logline_begin(&l);
	logline_string_max(&l, "a", "12345678901", 10);
	logline_string_max(&l, "b", "12\n\n\n", 7); /* no half escape */
	logline_string(&l, "c", "here");
	read_back(&l);
	assert_string_equal(logfmt_get(&line, "a"), "1234567890");
	assert_string_equal(logfmt_get(&line, "b"), "12\n");
	assert_string_equal(logfmt_get(&line, "c"), "here");
	assert_string_equal(logfmt_get(&line, "cut"), "true");
}

static void make_random(char *to, size_t max, uint64_t *seed)
{
	static const char evil[] = " =\"\\\n\r\t\x1b\x7f\x80\xff"
				   "x0a";
	size_t len = unit_random(seed) % max;

	for (size_t i = 0; i < len; i++)
		to[i] = unit_random(seed) & 1 ?
				evil[unit_random(seed) % (sizeof(evil) - 1)] :
				(char)(1 + unit_random(seed) % 255);
	to[len] = '\0';
}

static void test_random(void **state)
{
	static const char *const keys[] = { "a", "b", "cc", "d" };
	static char values[ARRAY_SIZE(keys)][2000];
	const unsigned nr = unit_rounds(20000);
	uint64_t seed = 1;
	unsigned nr_cut = 0;

	UNUSED(state);
	for (unsigned i = 0; i < nr; i++) {
		size_t max = i % 3 ? 60 : 2000;
		struct logline l;

		logline_begin(&l);
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			make_random(values[k], max, &seed);
			logline_string(&l, keys[k], values[k]);
		}
		read_back(&l);
		if (logfmt_get(&line, "cut")) {
			nr_cut++;
			assert_true(line.nr <= ARRAY_SIZE(keys) + 1);
		} else {
			assert_int_equal(line.nr, ARRAY_SIZE(keys));
		}
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			const char *got = logfmt_get(&line, keys[k]);

			if (!logfmt_get(&line, "cut"))
				assert_string_equal(got, values[k]);
			else if (got)
				assert_memory_equal(got, values[k],
						    strlen(got));
		}
	}
	print_message("# %u were cut\n", nr_cut);
	assert_true(nr_cut > nr / 20 && nr_cut < nr / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_length), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
