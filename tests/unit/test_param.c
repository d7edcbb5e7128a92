/*
 * test_param.c - the arguments of a URL as a typed struct.
 */
#include "config.h"

#include "param.h"

#include "archive/bestseg.h"
#include "fake.h"
#include "picture/box.h"

static const char *const colours[] = { "red", "green", "blue", NULL };

struct spec {
	usec_t when_us;
	bool has_when;
	usec_t must_us;
	bool has_must;
	bool flag;
	int colour;
	const char *name;
	struct box box;
	bool has_box;
	struct time_range *ranges;
	size_t nr_ranges;
};

#define FIELD(name) .offset = offsetof(struct spec, name)
static const struct param params[] = {
	{ .name = "when",
	  .type = PARAM_TIME,
	  FIELD(when_us),
	  .extra = offsetof(struct spec, has_when) },
	{ .name = "flag", .type = PARAM_BOOL, FIELD(flag), .dflt = "false" },
	{ .name = "colour",
	  .type = PARAM_ENUM,
	  FIELD(colour),
	  .choices = colours,
	  .dflt = "green" },
	{ .name = "name", .type = PARAM_TEXT, FIELD(name) },
	{ .name = "box",
	  .type = PARAM_BOX,
	  FIELD(box),
	  .extra = offsetof(struct spec, has_box) },
	{ .name = "range",
	  .type = PARAM_LIST,
	  FIELD(ranges),
	  .extra = offsetof(struct spec, nr_ranges),
	  .parse = param_parse_range,
	  .element_size = sizeof(struct time_range) },
	{ .name = "must",
	  .type = PARAM_TIME,
	  .flags = PARAM_REQUIRED,
	  FIELD(must_us),
	  .extra = offsetof(struct spec, has_must) },
	{ .name = NULL },
};
#undef FIELD

static struct settings settings = { .prefix = "", .max_query_bytes = 8192 };
static struct server server = { .settings = &settings };
static struct fake fake;
static struct request req;

static enum err fill(const char *query, struct spec *spec)
{
	char uri[1024];

	snprintf(uri, sizeof(uri), "/x?%s", query);
	request_end(&req);
	request_begin(&req, &server, &fake.client, METHOD_GET);
	req.now_us = UNIT_HOUR;
	assert_int_equal(request_set_uri(&req, uri), ERR_OK);
	*spec = (struct spec){ 0 };
	return param_fill(&req, params, spec);
}

static int begin(void **state)
{
	UNUSED(state);
	fake_init(&fake);
	return 0;
}

static int end(void **state)
{
	UNUSED(state);
	arena_release(&req.arena);
	fake_release(&fake);
	return 0;
}

static void test_defaults(void **state)
{
	struct spec spec;

	UNUSED(state);
	assert_int_equal(fill("must=@1", &spec), ERR_OK);
	assert_true(spec.has_must);
	assert_int_equal(spec.must_us, USEC_PER_SEC);
	assert_false(spec.has_when);
	assert_false(spec.flag);
	assert_int_equal(spec.colour, 1);
	assert_null(spec.name);
	assert_false(spec.has_box);
	assert_int_equal(spec.nr_ranges, 0);
}

static void test_all(void **state)
{
	struct spec spec;

	UNUSED(state);
	assert_int_equal(fill("range=@1,@2&when=now-1s&flag=TRUE&colour=blue&"
			      "name=a+b&unknown=x&must=2026-11-07T00:00&"
			      "range=now-2s,now&when=garbage&name=&"
			      "box=-1,2,3,4",
			      &spec),
			 ERR_OK);
	assert_true(spec.has_when);
	assert_int_equal(spec.when_us, UNIT_HOUR - USEC_PER_SEC);
	assert_true(spec.flag);
	assert_int_equal(spec.colour, 2);
	assert_string_equal(spec.name, "a b");
	assert_true(spec.has_box);
	assert_int_equal(spec.box.left, -1);
	assert_int_equal(spec.box.bottom, 4);
	assert_int_equal(spec.must_us, UNIT_HOUR);
	assert_int_equal(spec.nr_ranges, 2);
	assert_int_equal(spec.ranges[0].start_us, USEC_PER_SEC);
	assert_int_equal(spec.ranges[0].end_us, 2 * USEC_PER_SEC);
	assert_int_equal(spec.ranges[1].start_us, UNIT_HOUR - 2 * USEC_PER_SEC);
	assert_int_equal(spec.ranges[1].end_us, UNIT_HOUR);
}

static void test_bool_words(void **state)
{
	static const struct {
		const char *query;
		bool flag;
	} rows[] = {
		{ "must=@1&flag=true", true },	{ "must=@1&flag=True", true },
		{ "must=@1&flag=TRUE", true },	{ "must=@1&flag=false", false },
		{ "must=@1&flag=FALSE", false }, { "must=@1&flag=fAlse", false },
		{ "must=@1&flag=true&flag=false", true },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spec spec;

		print_message("# %s\n", rows[i].query);
		assert_int_equal(fill(rows[i].query, &spec), ERR_OK);
		assert_int_equal(spec.flag, rows[i].flag);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *query;
		const char *culprit;
		const char *says;	/* what is allowed, or is wrong */
	} rows[] = {
		{ "", "must: ", "is required" },
		{ "Must=@1", "must: ", "is required" },
		{ "must=", "must: ", "'' is not a time" },
		{ "must", "must: ", "'' is not a time" },
		{ "must=x", "must: ", "'x' is not a time" },
		{ "must=@", "must: ", "not a time" },
		{ "must=2026-02-30", "must: ", "not a time" },
		{ "must=2026-11-07T00:00%2B02:00", "must: ", "offset" },
		{ "must=x&must=@1", "must: ", "'x' is not a time" },
		{ "must=@1&when=", "when: ", "not a time" },
		{ "must=@1&when=1", "when: ", "not a time" },
		{ "must=@1&flag=", "flag: ", "neither true nor false" },
		{ "must=@1&flag=1", "flag: ", "neither true nor false" },
		{ "must=@1&flag=yes", "flag: ", "neither true nor false" },
		{ "must=@1&flag=true+", "flag: ", "neither true nor false" },
		{ "must=@1&colour=", "colour: ", "red, green, blue" },
		{ "must=@1&colour=Red", "colour: ", "red, green, blue" },
		{ "must=@1&colour=re", "colour: ", "red, green, blue" },
		{ "must=@1&colour=0", "colour: ", "red, green, blue" },
		{ "must=@1&name=", "name: ", "is empty" },
		{ "must=@1&name", "name: ", "is empty" },
		{ "must=@1&box=", "box: ", "LEFT,TOP,RIGHT,BOTTOM" },
		{ "must=@1&box=1,2,3", "box: ", "LEFT,TOP,RIGHT,BOTTOM" },
		{ "must=@1&box=1,2,1,4", "box: ", "no inside" },
		{ "must=@1&range=", "range: ", "START,END" },
		{ "must=@1&range=@1", "range: ", "START,END" },
		{ "must=@1&range=@1,@2,@3", "range: ", "START,END" },
		{ "must=@1&range=,", "range: ", "not a time" },
		{ "must=@1&range=@1,", "range: ", "not a time" },
		{ "must=@1&range=,@1", "range: ", "not a time" },
		{ "must=@1&range=@1,@2&range=x", "range: ", "START,END" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spec spec;

		print_message("# %s\n", rows[i].query);
		assert_int_equal(fill(rows[i].query, &spec), ERR_INPUT);
		print_message("#   %s\n", req.error.text);
		assert_ptr_equal(strstr(req.error.text, rows[i].culprit),
				 req.error.text);
		assert_non_null(strstr(req.error.text, rows[i].says));
	}
}

/* A value as long as a query may be stays a message of one short line. */
static void test_long_values(void **state)
{
	static const char *const names[] = { "when", "flag", "colour", "range" };
	char query[900];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int n = snprintf(query, sizeof(query), "must=@1&%s=", names[i]);
		struct spec spec;

		memset(query + n, 'x', sizeof(query) - (size_t)n - 1);
		query[sizeof(query) - 1] = '\0';
		assert_int_equal(fill(query, &spec), ERR_INPUT);
		print_message("# %s\n", req.error.text);
		assert_true(strlen(req.error.text) < 250);
	}
}

static void test_bad_range_is_long(void **state)
{
	struct time_range range = { UNIT_UNTOUCHED, UNIT_UNTOUCHED };
	struct errmsg e = { "" };
	char text[300];

	UNUSED(state);
	memset(text, '1', sizeof(text));
	strcpy(text + 200, ",@1");
	request_end(&req);
	request_begin(&req, &server, &fake.client, METHOD_GET);
	assert_int_equal(param_parse_range(&req, text, &range, &e), ERR_INPUT);
	assert_int_equal(range.start_us, UNIT_UNTOUCHED);
	assert_int_equal(range.end_us, UNIT_UNTOUCHED);
}

static void test_any_offset(void **state)
{
	struct spec spec;

	UNUSED(state);
	fake.client.any_offset = true;
	assert_int_equal(fill("must=2026-11-07T02:00%2B02:00", &spec), ERR_OK);
	assert_int_equal(spec.must_us, UNIT_HOUR);
	fake.client.any_offset = false;
}

static void test_no_params(void **state)
{
	UNUSED(state);
	request_end(&req);
	request_begin(&req, &server, &fake.client, METHOD_GET);
	assert_int_equal(request_set_uri(&req, "/x?a=b"), ERR_OK);
	assert_int_equal(param_fill(&req, NULL, NULL), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_bool_words),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_bad_range_is_long),
		cmocka_unit_test(test_any_offset),
		cmocka_unit_test(test_no_params),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
