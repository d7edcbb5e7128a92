/*
 * test_text.c - text that grows up to its maximum and not past it.
 */
#include "config.h"

#include "base/text.h"

#include "unit.h"

static void test_grow(void **state)
{
	struct errmsg e = { "" };
	struct text t;

	UNUSED(state);
	text_init(&t, 100000);
	for (int i = 0; i < 1000; i++) {
		text_puts(&t, "ab");
		text_putc(&t, 'c');
		text_printf(&t, "%03d", i);
		text_append(&t, "\0!", 2);
		assert_int_equal(t.len, (i + 1) * 8);
		assert_int_equal(t.data[t.len], '\0');
	}
	assert_memory_equal(t.data + 8 * 123, "abc123\0!", 8);
	assert_int_equal(text_check(&t, "it", &e), ERR_OK);
	assert_string_equal(e.text, "");
	text_clear(&t);
	assert_int_equal(t.len, 0);
	assert_string_equal(t.data, "");
	text_release(&t);
	text_release(&t);
	assert_int_equal(t.max, 100000);
}

/* At the maximum all is well; one byte more is not appended, and marked. */
static void test_limit(void **state)
{
	static const size_t maxima[] = { 0, 1, 255, 256, 257, 5000 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(maxima); i++) {
		struct errmsg e = { "" };
		struct text t;

		print_message("# a maximum of %zu\n", maxima[i]);
		text_init(&t, maxima[i]);
		for (size_t k = 0; k < maxima[i]; k++)
			text_putc(&t, 'x');
		text_puts(&t, "");
		assert_int_equal(text_check(&t, "it", &e), ERR_OK);
		assert_int_equal(t.len, maxima[i]);
		text_putc(&t, 'y');
		assert_int_equal(t.len, maxima[i]);
		if (maxima[i])
			assert_int_equal(t.data[t.len - 1], 'x');
		assert_int_equal(text_check(&t, "the list", &e), ERR_LIMIT);
		assert_non_null(strstr(e.text, "the list"));
		text_clear(&t);
		assert_int_equal(text_check(&t, "it", &e), ERR_OK);
		text_release(&t);
	}
}

/* What does not fit whole is not appended in part. */
static void test_whole_or_nothing(void **state)
{
	struct errmsg e;
	struct text t;

	UNUSED(state);
	text_init(&t, 10);
	text_puts(&t, "12345678");
	text_printf(&t, "%d", 123);
	assert_int_equal(t.len, 8);
	text_puts(&t, "abc");
	assert_int_equal(t.len, 8);
	text_append(&t, "abc", SIZE_MAX);
	assert_int_equal(t.len, 8);
	assert_string_equal(t.data, "12345678");
	assert_null(text_reserve(&t, 3));
	assert_null(text_reserve(&t, SIZE_MAX));
	assert_int_equal(text_check(&t, "it", &e), ERR_LIMIT);
	text_release(&t);
}

static void test_reserve(void **state)
{
	struct text t;
	char *to;

	UNUSED(state);
	text_init(&t, 1000);
	to = text_reserve(&t, 1000);
	assert_non_null(to);
	memset(to, 'r', 1000);
	t.len += 1000;
	text_puts(&t, "");
	assert_int_equal(t.data[1000], '\0');
	assert_false(t.overflowed);
	text_release(&t);
}

static void test_new(void **state)
{
	struct arena a;
	struct text *t;

	UNUSED(state);
	arena_init(&a);
	t = text_new(&a, 100);
	text_puts(t, "held by the arena");
	assert_int_equal(t->len, 17);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_whole_or_nothing),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
