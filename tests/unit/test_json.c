/*
 * test_json.c - what we write is JSON, whatever is in the strings.
 */
#include "config.h"

#include "base/json.h"

#include "unit.h"

static const struct {
	const char *text;
	size_t len;
	const char *json;
} strings[] = {
	{ "", 0, "[\"\"]\n" },
	{ "plain", 5, "[\"plain\"]\n" },
	{ "cut here", 3, "[\"cut\"]\n" },
	{ "a/b", 3, "[\"a/b\"]\n" },
	{ "\"\\", 2, "[\"\\\"\\\\\"]\n" },
	{ "\n\t\x01", 3, "[\"\\n\\t\\u0001\"]\n" },
	{ "a\0b", 3, "[\"a\\u0000b\"]\n" },
	{ "\xc3\xa9", 2, "[\"\xc3\xa9\"]\n" },
};

static void test_strings(void **state)
{
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		struct text *t = text_new(&a, 1000);
		struct json_object *array =
			json_hold(&a, json_object_new_array());
		struct json_object *back;

		json_add_string(array, strings[i].text, strings[i].len);
		json_append(t, array);
		print_message("# %s", t->data);
		assert_string_equal(t->data, strings[i].json);
		back = json_hold(&a, json_tokener_parse(t->data));
		assert_non_null(back);
		back = json_object_array_get_idx(back, 0);
		assert_int_equal(json_object_get_string_len(back),
				 strings[i].len);
		assert_memory_equal(json_object_get_string(back),
				    strings[i].text, strings[i].len);
	}
	arena_release(&a);
}

static void test_hold(void **state)
{
	struct json_object *object = json_object_new_object();
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	assert_ptr_equal(json_hold(&a, json_object_get(object)), object);
	json_object_object_add(object, "n", json_object_new_int64(INT64_MAX));
	arena_release(&a);
	/* Our own reference is the last. */
	assert_int_equal(json_object_put(object), 1);
}

static void test_limit(void **state)
{
	struct errmsg e;
	struct arena a;
	struct text *t;

	UNUSED(state);
	arena_init(&a);
	t = text_new(&a, 4);
	json_append(t, json_hold(&a, json_object_new_string("abc")));
	assert_int_equal(text_check(t, "the list", &e), ERR_LIMIT);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
