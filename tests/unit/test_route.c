/*
 * test_route.c - every route of the table, asked for well and badly.
 *
 * The tests go through the table, so a route that is added is tested: it is
 * found by its own path, and answers no argument with a fault of ours.
 */
#include "config.h"

#include "route.h"

#include "fake.h"
#include "status.h"

static struct settings settings;
static struct server server;
static struct fake fake;
static struct request req;

static int begin(void **state)
{
	if (unit_begin(state))
		return -1;
	unit_make(unit_fd, "c/q/" UNIT_HOUR_NAME "/00:00-2-full-aa.ts", 100);
	unit_make(unit_fd, "c/q/" UNIT_HOUR_NAME "/00:02-2-full-bb.ts", 100);
	fake_init(&fake);
	if (fake_open_server(&server, &settings))
		return -1;
	server.metrics = NULL;
	return 0;
}

static int end(void **state)
{
	arena_release(&req.arena);
	fake_release(&fake);
	server_close(&server);
	return unit_end(state);
}

static enum err find(const char *uri, enum method method)
{
	enum err err;

	request_end(&req);
	request_begin(&req, &server, &fake.client, method);
	text_clear(&fake.body);
	fake.nr_begun = 0;
	err = request_set_uri(&req, uri);
	return err ? err : route_find(&req);
}

/* A path that a route must match: variables by what the archive has. */
static void sample_path(const struct route *route, char *to, size_t size)
{
	static const struct {
		const char *variable;
		const char *value;
	} samples[] = {
		{ ":channel", "c" },	     { ":quality", "q" },
		{ ":hour", UNIT_HOUR_NAME }, { ":template", "t" },
		{ "*rest", "c/q/x" },
	};
	size_t at = 0;

	for (const char *p = route->path; *p;) {
		size_t i = 0;

		while (i < ARRAY_SIZE(samples) &&
		       strncmp(p, samples[i].variable,
			       strlen(samples[i].variable)) != 0)
			i++;
		if (i == ARRAY_SIZE(samples)) {
			to[at++] = *p++;
		} else {
			at += (size_t)snprintf(to + at, size - at, "%s",
					       samples[i].value);
			p += strlen(samples[i].variable);
		}
		assert_true(at < size);
	}
	to[at] = '\0';
}

struct sibling {
	const struct route *of;
	const struct route *found;
};

static bool is_no_sibling(const struct route *route, void *ctx)
{
	struct sibling *s = ctx;

	if (route == s->of || strcmp(route->path, s->of->path) != 0)
		return true;
	s->found = route;
	return false;
}

/* The route of the same path, of which one takes POST; NULL: there is none. */
static const struct route *sibling_of(const struct route *route)
{
	struct sibling s = { .of = route };

	route_each(is_no_sibling, &s);
	return s.found;
}

static bool finds_itself(const struct route *route, void *ctx)
{
	bool posts = route->flags & ROUTE_POST;
	const struct route *sibling = sibling_of(route);
	const struct route *reads = posts ? sibling : route;
	char uri[256];
	size_t *nr = ctx;

	sample_path(route, uri, sizeof(uri));
	print_message("# %s\n", uri);
	assert_int_equal(find(uri, posts ? METHOD_POST : METHOD_GET), ERR_OK);
	assert_ptr_equal(req.route, route);
	assert_int_equal(find(uri, METHOD_HEAD), reads ? ERR_OK : ERR_METHOD);
	assert_int_equal(find(uri, posts ? METHOD_GET : METHOD_POST),
			 sibling ? ERR_OK : ERR_METHOD);
	assert_ptr_equal(req.route, sibling ? sibling : route);
	assert_int_equal(find(uri, METHOD_OPTIONS), ERR_METHOD);
	assert_int_equal(find(uri, METHOD_OTHER), ERR_METHOD);
	assert_string_equal(req.route->path, route->path); /* for Allow */
	assert_string_equal(route_methods(route),
			    sibling ? "GET, HEAD, POST, OPTIONS" :
			    posts   ? "POST, OPTIONS" :
				      "GET, HEAD, OPTIONS");
	assert_string_equal(req.channel ? req.channel : "c", "c");
	assert_non_null(route->help);
	assert_non_null(route->handle);
	assert_int_equal(route->path[0], '/');
	(*nr)++;
	return true;
}

static void test_every_route(void **state)
{
	size_t nr = 0;

	UNUSED(state);
	route_each(finds_itself, &nr);
	assert_true(nr > 5);
}

static void test_variables(void **state)
{
	static const struct {
		const char *uri;
		const char *name;
		const char *channel;
		const char *quality;
		const char *hour;
		const char *rest;
	} rows[] = {
		{ "/files", "list_channels", NULL, NULL, NULL, NULL },
		{ "/files/a", "list_qualities", "a", NULL, NULL, NULL },
		{ "/files/a/b", "list_hours", "a", "b", NULL, NULL },
		{ "/files/a/b/c", "list_segments", "a", "b", "c", NULL },
		{ "/playlist/a.m3u8", "generate_master_playlist", "a", NULL,
		  NULL, NULL },
		{ "/playlist/a.m3u8.m3u8", "generate_master_playlist", "a.m3u8",
		  NULL, NULL, NULL },
		{ "/playlist/a/b.m3u8", "generate_media_playlist", "a", "b",
		  NULL, NULL },
		{ "/playlist/a.m3u8/b.m3u8", "generate_media_playlist",
		  "a.m3u8", "b", NULL, NULL },
		{ "/playlist/a/b.c.m3u8", "generate_media_playlist", "a", "b.c",
		  NULL, NULL },
		{ "/cut/a/b.ts", "cut", "a", "b", NULL, NULL },
		{ "/cut/a/b%20c.ts", "cut", "a", "b c", NULL, NULL },
		{ "/storyboard/a/b.jpg", "get_storyboard", "a", "b", NULL,
		  NULL },
		{ "/storyboard/a/b.c.vtt", "get_storyboard", "a", "b.c", NULL,
		  NULL },
		{ "/segments/a", "get_segment", NULL, NULL, NULL, "a" },
		{ "/segments/a/b/c/d", "get_segment", NULL, NULL, NULL,
		  "a/b/c/d" },
		{ "/extras/a/b", "list_extras", NULL, NULL, NULL, "a/b" },
		{ "/metrics", "metrics", NULL, NULL, NULL, NULL },
		{ "/metrics/x/y", "metrics", NULL, NULL, NULL, "x/y" },
		{ "/thumbnail/a/b.png", "get_thumbnail_named_template", "a",
		  "b", NULL, NULL },
		{ "/healthz", "healthz", NULL, NULL, NULL, NULL },
		{ "/", "get_page", NULL, NULL, NULL, NULL },
		{ "", "get_page", NULL, NULL, NULL, NULL },
		{ "/?x", "get_page", NULL, NULL, NULL, NULL },
		{ "/www/a", "get_page", NULL, NULL, NULL, "a" },
		{ "/www/js/a.js", "get_page", NULL, NULL, NULL, "js/a.js" },
		{ "/www/js/chat.json", "get_page", NULL, NULL, NULL,
		  "js/chat.json" },
		{ "/www/chat.json", "get_chat_messages", "www", NULL, NULL,
		  NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const want[] = { rows[i].channel, rows[i].quality,
					     rows[i].hour, rows[i].rest };

		print_message("# %s\n", rows[i].uri);
		assert_int_equal(find(rows[i].uri, METHOD_GET), ERR_OK);
		assert_string_equal(req.route->name, rows[i].name);
		for (size_t k = 0; k < ARRAY_SIZE(want); k++) {
			const char *const got[] = { req.channel, req.quality,
						    req.hour, req.rest };

			assert_int_equal(got[k] != NULL, want[k] != NULL);
			if (want[k])
				assert_string_equal(got[k], want[k]);
		}
	}
}

static void test_no_route(void **state)
{
	static const char *const uris[] = {
		"/nothing",
		"/file",
		"/filesx",
		"/FILES",
		"/files/a/b/c/d",
		"/playlist",
		"/playlist/a",
		"/playlist/a.m3u",
		"/playlist/a/b",
		"/playlist/a/b.ts",
		"/playlist/a/b.m3u8/c",
		"/playlist/am3u8",
		"/cut",
		"/cut/a",
		"/cut/a.ts",
		"/cut/a/b",
		"/cut/a/ts",
		"/cut/a/b.ts/c",
		"/cut/a/b.TS",
		"/storyboard/a/b.png",
		"/storyboard/a.vtt",
		"/segments",
		"/thumbnail/a/b.jpg",
		"/extras",
		"/healthz/x",
		"/metricsx",
		"/www",
		"/wwwx",
		"/index.html",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		print_message("# %s\n", uris[i]);
		assert_int_equal(find(uris[i], METHOD_GET), ERR_NOTFOUND);
		assert_null(req.route);
		assert_int_equal(find(uris[i], METHOD_POST), ERR_NOTFOUND);
	}
}

/* What no answer may be, whatever was asked. */
static void assert_no_fault(const char *uri, enum err err)
{
	/* The segments here are no video, which only these look at. */
	bool no_video = err == ERR_MEDIA && strncmp(uri, "/cut/", 5) != 0 &&
			strncmp(uri, "/frame/", 7) != 0;
	bool forbidden = err == ERR_FORBIDDEN &&
			 strncmp(uri, "/generate_videos/", 17) != 0;

	if (err == ERR_IO || err == ERR_CORRUPT || no_video ||
	    err == ERR_GONE || err == ERR_HANDED || err == ERR_BUSY ||
	    forbidden)
		fail_msg("%s: %s (%s)", uri, err_name(err), req.error.text);
	if (err && !req.error.text[0])
		fail_msg("%s: %s without words", uri, err_name(err));
	if (err && fake.nr_begun)
		fail_msg("%s: %s after it had begun", uri, err_name(err));
	if (!err && fake.nr_begun != 1)
		fail_msg("%s: begun %u times", uri, fake.nr_begun);
}

static enum err run(const char *uri, enum method method)
{
	enum err err = find(uri, method);

	if (!err)
		err = route_run(&req);
	assert_no_fault(uri, err);
	return err;
}

#define LONG_TEXT                                                              \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *const values[] = {
	"",
	"x",
	"-1",
	"0",
	"1",
	"true",
	"%25",
	"%2F..",
	"@",
	"@1",
	"@-1",
	"@99999999999",
	"@999999999999999999999",
	"now",
	"now-1s",
	"now-999999999d",
	"now-1s,now",
	"0001-01-01",
	"9999-12-31T23:59:59.999999",
	"0001-01-01,9999-12-31",
	"2026-11-07T00:00",
	"2026-11-07T00:00,2026-11-07T00:01",
	"2026-11-07T00:01,2026-11-07T00:00",
	"rough",
	"fade,1",
	"fade,",
	",",
	"fade,99999999999999999999",
	"0,0,10,10",
	"-5,-5,5,5",
	"5,5,-5,-5",
	"%22%5C%C3%A9",
	"smart",
	"webm",
	"40",
	"720",
	"2147483648",
	LONG_TEXT,
	"%F0%9F%98%80",
};

/* Every value for every argument, alone and with a range that is good. */
static bool takes_any_value(const struct route *route, void *ctx)
{
	bool posts = route->flags & ROUTE_POST;
	enum method method = posts ? METHOD_POST : METHOD_GET;
	char path[256];
	char uri[1024];

	UNUSED(ctx);
	sample_path(route, path, sizeof(path));
	run(path, method);
	for (const struct param *p = route->params; p && p->name; p++) {
		assert_non_null(p->help);
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			snprintf(uri, sizeof(uri), "%s?%s=%s", path, p->name,
				 values[i]);
			run(uri, method);
			snprintf(uri, sizeof(uri), "%s?%s=%s&%s=x", path,
				 p->name, values[i], p->name);
			run(uri, posts ? METHOD_POST : METHOD_HEAD);
			snprintf(
				uri, sizeof(uri),
				"%s?%s=%s&type=rough&allow_holes=true&"
				"start=2026-11-07T00:00&end=2026-11-07T00:00:04"
				"&timestamp=2026-11-07T00:00&template=x"
				"&crop=0,0,9,9&location=0,0,9,9"
				"&unknown=%s",
				path, p->name, values[i], values[i]);
			run(uri, method);
		}
		print_message("# %s?%s=\n", path, p->name);
	}
	return true;
}

static void test_any_value(void **state)
{
	UNUSED(state);
	route_each(takes_any_value, NULL);
}

/* A time or a word that is garbage is never taken for something else. */
static bool refuses_garbage(const struct route *route, void *ctx)
{
	static const char *const garbage[] = { "", "garbage", "%25", "1e9" };
	bool posts = route->flags & ROUTE_POST;
	char path[256];
	char uri[512];

	UNUSED(ctx);
	sample_path(route, path, sizeof(path));
	for (const struct param *p = route->params; p && p->name; p++)
		for (size_t i = 0; i < ARRAY_SIZE(garbage); i++) {
			if (p->type == PARAM_TEXT && i > 0)
				continue;
			/* An empty transition is a hard cut. */
			if (!strcmp(p->name, "transition") && i == 0)
				continue;
			/* What is required; of what is repeated the first
			 * counts. */
			snprintf(uri, sizeof(uri),
				 "%s?%s=%s&timestamp=@1&start=@1&end=@2"
				 "&crop=0,0,1,1",
				 path, p->name, garbage[i]);
			print_message("# %s\n", uri);
			assert_int_equal(
				run(uri, posts ? METHOD_POST : METHOD_GET),
				ERR_INPUT);
			assert_ptr_equal(strstr(req.error.text, p->name),
					 req.error.text);
		}
	return true;
}

static void test_garbage(void **state)
{
	UNUSED(state);
	route_each(refuses_garbage, NULL);
}

/* Only heavy routes ask for a process of their own before they begin. */
static void test_heavy(void **state)
{
	UNUSED(state);
	fake.nr_heavy = 0;
	assert_int_equal(run("/files", METHOD_GET), ERR_OK);
	assert_int_equal(fake.nr_heavy, 0);
	assert_int_equal(run("/cut/c/q.ts?type=rough", METHOD_GET), ERR_HOLES);
	assert_int_equal(fake.nr_heavy, 1);
	/* arguments first: a bad request takes no place */
	assert_int_equal(run("/cut/c/q.ts?start=x", METHOD_GET), ERR_INPUT);
	assert_int_equal(fake.nr_heavy, 1);
	fake.heavy = ERR_BUSY;
	assert_int_equal(find("/cut/c/q.ts?type=rough", METHOD_GET), ERR_OK);
	assert_int_equal(route_run(&req), ERR_BUSY);
	assert_int_equal(fake.nr_begun, 0);
	fake.heavy = ERR_OK;
}

static bool check_number(const struct route *route, void *ctx)
{
	uint32_t *nr = ctx;

	assert_int_equal(route_number(route), ++*nr);
	assert_ptr_equal(route_at(*nr), route);
	return true;
}

static void test_numbers(void **state)
{
	static const struct route stranger = { .name = "stranger" };
	uint32_t nr = 0;

	UNUSED(state);
	route_each(check_number, &nr);
	assert_true(nr > 10);
	assert_null(route_at(0));
	assert_null(route_at(nr + 1));
	assert_null(route_at(UINT32_MAX));
	assert_int_equal(route_number(NULL), 0);
	assert_int_equal(route_number(&stranger), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_route),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_any_value),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_heavy),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
