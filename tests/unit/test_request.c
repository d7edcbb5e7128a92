/*
 * test_request.c - a URI, taken apart once and strictly.
 */
#include "config.h"

#include "request.h"

#include "fake.h"

#define MAX_BYTES 8192

static struct settings settings = { .prefix = "",
				    .max_query_bytes = MAX_BYTES };
static struct server server = { .settings = &settings };
static struct request req;

static enum err set_uri(const char *uri)
{
	request_end(&req);
	request_begin(&req, &server, NULL, METHOD_GET);
	return request_set_uri(&req, uri);
}

static int end(void **state)
{
	UNUSED(state);
	arena_release(&req.arena);
	return 0;
}

/* "a|b" of the components, or "name=value|..." of the arguments. */
static const char *joined_path(char *to, size_t size)
{
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < req.nr_components; i++)
		at += (size_t)snprintf(to + at, size - at, "%s%s", i ? "|" : "",
				       req.components[i]);
	return to;
}

static const char *joined_args(char *to, size_t size)
{
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i < req.nr_args; i++)
		at += (size_t)snprintf(to + at, size - at, "%s%s=%s",
				       i ? "|" : "", req.args[i].name,
				       req.args[i].value);
	return to;
}

static void test_good(void **state)
{
	static const struct {
		const char *uri;
		const char *path;
		const char *args;
	} rows[] = {
		{ "/", "", "" },
		{ "/files", "files", "" },
		{ "/files/a/b", "files|a|b", "" },
		{ "/a%20b/c", "a b|c", "" },
		{ "/a%2520b", "a%20b", "" }, /* once */
		{ "/a%252Fb", "a%2Fb", "" },
		{ "/a+b", "a+b", "" },
		{ "/a:b;c=d,e@f!", "a:b;c=d,e@f!", "" },
		{ "/%C3%A9/\xc3\xa9", "\xc3\xa9|\xc3\xa9", "" },
		{ "/a.b/c..", "a.b|c..", "" },
		{ "/a?", "a", "" },
		{ "/a?b", "a", "b=" },
		{ "/a?b=", "a", "b=" },
		{ "/a?b=c", "a", "b=c" },
		{ "/a?b=c=d", "a", "b=c=d" },
		{ "/a?=c", "a", "=c" },
		{ "/a?b=c&d=e", "a", "b=c|d=e" },
		{ "/a?&&b=c&&", "a", "b=c" },
		{ "/a?b=1&b=2", "a", "b=1|b=2" },
		{ "/a?b=c+d", "a", "b=c d" },
		{ "/a?b+c=%2B", "a", "b c=+" },
		{ "/a?b=%26%3D", "a", "b=&=" },
		{ "/a?b=%2526", "a", "b=%26" },
		{ "/a?b=../../.x/%2F", "a", "b=../../.x//" },
		{ "/a?b=%C3%A9", "a", "b=\xc3\xa9" },
		{ "/a?b?c", "a", "b?c=" },
		{ "/a#b", "a", "" },
		/* as a proxy asks */
		{ "http://example.org/a/b", "a|b", "" },
		{ "https://example.org:8080/a?b=c", "a", "b=c" },
		{ "http://example.org", "", "" },
		{ "http://example.org?b=c", "", "b=c" },
		{ "/a?b=http://c/d", "a", "b=http://c/d" },
		{ "/http:", "http:", "" },
	};
	char text[512];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# '%s'\n", rows[i].uri);
		assert_int_equal(set_uri(rows[i].uri), ERR_OK);
		assert_string_equal(joined_path(text, sizeof(text)),
				    rows[i].path);
		assert_string_equal(joined_args(text, sizeof(text)),
				    rows[i].args);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *uri;
		enum err err;
	} rows[] = {
		{ "/.", ERR_FORBIDDEN },
		{ "/..", ERR_FORBIDDEN },
		{ "/.x", ERR_FORBIDDEN },
		{ "/a/.x", ERR_FORBIDDEN },
		{ "/a/../b", ERR_FORBIDDEN },
		{ "/%2e%2e/a", ERR_FORBIDDEN },
		{ "/a/%2Ex", ERR_FORBIDDEN },
		{ "http://example.org/.x", ERR_FORBIDDEN },
		{ "/a%2Fb", ERR_NOTFOUND },
		{ "/a%2fb", ERR_NOTFOUND },
		{ "/%2F", ERR_NOTFOUND },
		{ "/%2F..", ERR_NOTFOUND },
		{ "//", ERR_NOTFOUND },
		{ "/a//b", ERR_NOTFOUND },
		{ "/a/", ERR_NOTFOUND },
		{ "//a", ERR_NOTFOUND },
		{ "/a%00", ERR_INPUT },
		{ "/a%0a", ERR_INPUT },
		{ "/a%0d%0aX-Injected:%201", ERR_INPUT },
		{ "/a\x01", ERR_INPUT },
		{ "/a\x7f", ERR_INPUT },
		{ "/a%7f", ERR_INPUT },
		{ "/%", ERR_INPUT },
		{ "/%4", ERR_INPUT },
		{ "/%zz", ERR_INPUT },
		{ "/%C3", ERR_INPUT },
		{ "/%C0%AE", ERR_INPUT },    /* an overlong dot */
		{ "/%E0%80%AF", ERR_INPUT }, /* an overlong slash */
		{ "/%ED%A0%80", ERR_INPUT },
		{ "/\xff", ERR_INPUT },
		{ "/a?b=%", ERR_INPUT },
		{ "/a?%zz", ERR_INPUT },
		{ "/a?b=%00", ERR_INPUT },
		{ "/a?b=%0d%0a", ERR_INPUT },
		{ "/a?b=%FF", ERR_INPUT },
		{ "/a?b=\xff", ERR_INPUT },
		{ "/a?b=c&d=%C3%28", ERR_INPUT },
		/* of several: the dot, then the slash, then the encoding */
		{ "/%2F/.x", ERR_FORBIDDEN },
		{ "/%zz/.x", ERR_FORBIDDEN },
		{ "//.x", ERR_FORBIDDEN },
		{ "/.x%zz", ERR_FORBIDDEN },
		{ "/.x%2F", ERR_FORBIDDEN },
		{ "/%zz/a%2Fb", ERR_NOTFOUND },
		{ "/a%2Fb/%00", ERR_NOTFOUND },
		{ "/a%2Fb%zz", ERR_NOTFOUND },
		{ "/%zza%2Fb", ERR_NOTFOUND },
		{ "/a%00%2F", ERR_NOTFOUND },
		{ "/%zz//a", ERR_INPUT },
		{ "/a//%00", ERR_INPUT },
		{ "/.x?b=%zz", ERR_FORBIDDEN },
		{ "/a%2Fb?b=%zz", ERR_NOTFOUND },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# '%s'\n", err_quote(rows[i].uri).text);
		assert_int_equal(set_uri(rows[i].uri), rows[i].err);
		assert_true(req.error.text[0]);
	}
}

static void test_prefix(void **state)
{
	static const struct {
		const char *uri;
		enum err err;
		const char *path;
	} rows[] = {
		{ "/a/b/files", ERR_OK, "files" },
		{ "/a/b/files/x?start=1", ERR_OK, "files|x" },
		{ "/a/b", ERR_OK, "" },
		{ "/a/b/", ERR_OK, "" },
		{ "/a/b?c", ERR_OK, "" },
		{ "http://example.org/a/b/files", ERR_OK, "files" },
		{ "/a/b/a/b", ERR_OK, "a|b" },
		{ "/files", ERR_NOTFOUND, "" },
		{ "/", ERR_NOTFOUND, "" },
		{ "", ERR_NOTFOUND, "" },
		{ "/a", ERR_NOTFOUND, "" },
		{ "/a/bc", ERR_NOTFOUND, "" },
		{ "/a/b.x", ERR_NOTFOUND, "" },
		{ "/A/B/files", ERR_NOTFOUND, "" },
		{ "/x/a/b/files", ERR_NOTFOUND, "" },
		{ "/a/b/.x", ERR_FORBIDDEN, "" },
		{ "/a/b//", ERR_NOTFOUND, "" },
	};
	char text[512];

	UNUSED(state);
	settings.prefix = "/a/b";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# '%s'\n", rows[i].uri);
		assert_int_equal(set_uri(rows[i].uri), rows[i].err);
		if (!rows[i].err)
			assert_string_equal(joined_path(text, sizeof(text)),
					    rows[i].path);
	}
	settings.prefix = "";
}

/* So many times "/a", or so many arguments. */
static char *repeated(const char *first, const char *part, size_t nr)
{
	size_t len = strlen(part);
	size_t at = strlen(first);
	char *text = malloc(at + nr * len + 1);

	assert_non_null(text);
	memcpy(text, first, at);
	for (size_t i = 0; i < nr; i++, at += len)
		memcpy(text + at, part, len);
	text[at] = '\0';
	return text;
}

static void test_limits(void **state)
{
	static const struct {
		const char *first;
		const char *part;
		size_t nr;
		enum err err;
	} rows[] = {
		{ "", "/a", REQUEST_MAX_COMPONENTS, ERR_OK },
		{ "", "/a", REQUEST_MAX_COMPONENTS + 1, ERR_NOTFOUND },
		{ "/.x", "/a", REQUEST_MAX_COMPONENTS, ERR_FORBIDDEN },
		{ "", "/", MAX_BYTES, ERR_NOTFOUND },
		{ "/a?b", "&b", REQUEST_MAX_ARGS - 1, ERR_OK },
		{ "/a?b", "&b", REQUEST_MAX_ARGS, ERR_INPUT },
		{ "/a?", "&", REQUEST_MAX_ARGS, ERR_INPUT },
		{ "/a?b", "&", MAX_BYTES - 4, ERR_INPUT },
		{ "/", "a", MAX_BYTES - 1, ERR_OK },
		{ "/", "a", MAX_BYTES, ERR_LIMIT },
		{ "/a?", "b", MAX_BYTES - 3, ERR_OK },
		{ "/a?", "b", MAX_BYTES - 2, ERR_LIMIT },
		{ "/", "a", 10 * MAX_BYTES, ERR_LIMIT },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *uri = repeated(rows[i].first, rows[i].part, rows[i].nr);

		print_message("# '%s', then %zu times '%s'\n", rows[i].first,
			      rows[i].nr, rows[i].part);
		assert_int_equal(set_uri(uri), rows[i].err);
		assert_true(req.nr_components <= REQUEST_MAX_COMPONENTS);
		assert_true(req.nr_args <= REQUEST_MAX_ARGS);
		free(uri);
	}
}

static void test_args(void **state)
{
	UNUSED(state);
	assert_int_equal(set_uri("/a?b=1&c=2&b=3&d"), ERR_OK);
	assert_string_equal(request_arg(&req, "b"), "1"); /* the first */
	assert_string_equal(request_arg(&req, "c"), "2");
	assert_string_equal(request_arg(&req, "d"), "");
	assert_null(request_arg(&req, "B"));
	assert_null(request_arg(&req, ""));
	assert_null(request_arg(&req, "a"));
}

static void test_methods(void **state)
{
	static const struct {
		const char *name;
		enum method method;
	} rows[] = {
		{ "GET", METHOD_GET },	    { "HEAD", METHOD_HEAD },
		{ "POST", METHOD_POST },    { "OPTIONS", METHOD_OPTIONS },
		{ "PUT", METHOD_OTHER },    { "DELETE", METHOD_OTHER },
		{ "get", METHOD_OTHER },    { "", METHOD_OTHER },
		{ "GET ", METHOD_OTHER },   { "OTHER", METHOD_OTHER },
		{ "\xff\n", METHOD_OTHER },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# '%s'\n", err_quote(rows[i].name).text);
		assert_int_equal(method_of(rows[i].name), rows[i].method);
	}
}

static void test_id(void **state)
{
	static const char *const bad[] = {
		"",
		"a b",
		"a\nb",
		"\"",
		"caf\xc3\xa9",
		"01234567890123456789012345678901234567890",
	};
	char first[REQUEST_ID_SIZE];

	UNUSED(state);
	request_begin(&req, NULL, NULL, METHOD_GET);
	assert_int_equal(strlen(req.id), 16);
	memcpy(first, req.id, sizeof(first));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		request_set_id(&req, bad[i]);
	assert_string_equal(req.id, first);
	request_set_id(&req, "Front-7._x");
	assert_string_equal(req.id, "Front-7._x");
	request_begin(&req, NULL, NULL, METHOD_GET);
	assert_string_not_equal(req.id, first);
	request_end(&req);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_args),   cmocka_unit_test(test_methods),
		cmocka_unit_test(test_id),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
