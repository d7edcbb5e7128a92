/*
 * test_observe.c - requests in the metrics: what becomes a label, what never
 * does, and what it costs.
 */
#include "config.h"

#include "observe.h"

#include <limits.h>
#include <sys/mman.h>

#include "fake.h"
#include "promtext.h"
#include "route.h"

#define NR_STRANGERS 100000
#ifdef __SANITIZE_ADDRESS__
#define MAX_GROWTH LONG_MAX
#else
#define MAX_GROWTH 64 /* pages */
#endif

static struct settings settings;
static struct server server;
static struct fake fake;
static struct request req;

static int begin(void **state)
{
	if (unit_begin(state))
		return -1;
	unit_mkdir(unit_fd, "c/q/" UNIT_HOUR_NAME);
	fake_init(&fake);
	return fake_open_server(&server, &settings);
}

static int end(void **state)
{
	arena_release(&req.arena);
	fake_release(&fake);
	server_close(&server);
	return unit_end(state);
}

static int new_metrics(void **state)
{
	UNUSED(state);
	server.metrics = mmap(NULL, metrics_size(), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return server.metrics == MAP_FAILED ? -1 : 0;
}

/* As a request for that would be, when it is answered. */
static void observe(const char *uri, enum method method, int status)
{
	request_end(&req);
	request_begin(&req, &server, &fake.client, method);
	if (request_set_uri(&req, uri) == ERR_OK && route_find(&req) == ERR_OK)
		assert_non_null(req.route);
	req.status = status;
	observe_request(&req, req.status);
}

static void render(struct samples *s)
{
	struct text out;

	text_init(&out, (size_t)64 << 20);
	metrics_render(server.metrics, &out);
	read_text(out.data, s);
	text_release(&out);
}

static void test_labels(void **state)
{
	static const struct {
		const char *uri;
		enum method method;
		int status;
		const char *name;
		const char *labels;
	} rows[] = {
		{ "/files", METHOD_GET, 200, "list_channels",
		  "endpoint=\"list_channels\",method=\"GET\",status=\"200\"" },
		{ "/files/c", METHOD_HEAD, 304, "list_qualities",
		  "channel=\"c\",endpoint=\"list_qualities\",method=\"HEAD\","
		  "status=\"304\"" },
		{ "/files/none", METHOD_GET, 404, "list_qualities",
		  "channel=\"\",endpoint=\"list_qualities\",method=\"GET\","
		  "status=\"404\"" },
		{ "/files/c/q", METHOD_GET, 200, "list_hours",
		  "channel=\"c\",quality=\"q\",endpoint=\"list_hours\","
		  "method=\"GET\",status=\"200\"" },
		{ "/files/c/none", METHOD_GET, 200, "list_hours",
		  "channel=\"\",quality=\"\",endpoint=\"list_hours\","
		  "method=\"GET\",status=\"200\"" },
		{ "/files/c/q/" UNIT_HOUR_NAME, METHOD_GET, 200,
		  "list_segments",
		  "channel=\"c\",quality=\"q\",hour=\"" UNIT_HOUR_NAME
		  "\",endpoint=\"list_segments\",method=\"GET\","
		  "status=\"200\"" },
		{ "/files/c/q/2030-01-01T00", METHOD_GET, 200, "list_segments",
		  "channel=\"\",quality=\"\",hour=\"\",endpoint="
		  "\"list_segments\",method=\"GET\",status=\"200\"" },
	};
	struct samples s;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char family[100];

		print_message("# %s\n", rows[i].uri);
		observe(rows[i].uri, rows[i].method, rows[i].status);
		observe(rows[i].uri, rows[i].method, rows[i].status);
		snprintf(family, sizeof(family),
			 "http_request_latency_%s_count", rows[i].name);
		render(&s);
		assert_true(value_of(&s, family, rows[i].labels) == 2);
		free(s.all);
	}
	observe("/no/such/thing", METHOD_OTHER, 404);
	render(&s);
	assert_true(value_of(&s, "http_request_latency_all_count",
			     "endpoint=\"none\",method=\"OTHER\","
			     "status=\"404\"") == 1);
	free(s.all);
}

static void ask_stranger(unsigned i)
{
	static const struct {
		const char *before;
		const char *after;
	} forms[] = {
		{ "/files/", "" },
		{ "/files/", "/source" },
		{ "/files/c/q/", "" },
		{ "/playlist/", ".m3u8" },
		{ "/playlist/c/", ".m3u8" },
		{ "/cut/", "/q.ts?type=rough" },
		{ "/", "" },
		{ "/extras/", "" },
		{ "/files/c/", "" },
		{ "/files/", "/q/h/n" },
	};
	size_t form = i % ARRAY_SIZE(forms);
	char uri[500];

	/* Some that are longer than a key, too. */
	snprintf(uri, sizeof(uri), "%sstranger-%u%0*u%s", forms[form].before, i,
		 i % 7 == 3 ? 250 : 1, i, forms[form].after);
	observe(uri, METHOD_GET, i & 1 ? 200 : 404);
}

/* Pages of this process that are in memory, shared ones included. */
static long resident_pages(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident;
}

/* However many names are made up, there are as many series as before. */
static void test_strangers(void **state)
{
	struct samples s;
	long before;
	size_t nr;

	UNUSED(state);
	for (unsigned i = 0; i < 1000; i++)
		ask_stranger(i);
	render(&s);
	nr = s.nr;
	free(s.all);
	before = resident_pages();
	for (unsigned i = 1000; i < NR_STRANGERS; i++)
		ask_stranger(i);
	/* AddressSanitizer keeps what was freed for a while. */
	assert_true(resident_pages() - before < MAX_GROWTH);
	render(&s);
	assert_int_equal(s.nr, nr);
	assert_int_equal(metrics_get(server.metrics, METRIC_SERIES_DROPPED), 0);
	for (size_t i = 0; i < s.nr; i++)
		assert_null(strstr(s.all[i].labels, "stranger"));
	free(s.all);
}

/* More channels than a family holds: the sum is right, and the rest is other.
 */
static void test_many_channels(void **state)
{
	const int nr = METRICS_MAX_PER_FAMILY + 50;
	double sum = 0;
	struct samples s;
	char path[64];

	UNUSED(state);
	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "many-%d", i);
		unit_mkdir(unit_fd, path);
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < nr; i++) {
			snprintf(path, sizeof(path), "/files/many-%d", i);
			observe(path, METHOD_GET, 200);
		}
	render(&s);
	for (size_t i = 0; i < s.nr; i++)
		if (!strcmp(s.all[i].name,
			    "http_request_latency_list_qualities_count"))
			sum += s.all[i].value;
	assert_true(sum == 2 * nr);
	assert_true(value_of(&s, "http_request_latency_list_qualities_count",
			     "channel=\"other\",endpoint=\"list_qualities\","
			     "method=\"GET\",status=\"200\"") == 2 * 50);
	assert_int_equal(metrics_get(server.metrics, METRIC_SERIES_DROPPED),
			 2 * 50);
	free(s.all);
}

/* Printed, not judged: a machine may be busy. */
static void test_cost(void **state)
{
	static const char *const uris[] = { "/files", "/files/c/q",
					    "/files/none/q" };
	const int nr = 200000;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		struct timespec from, to;

		observe(uris[i], METHOD_GET, 200);
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int k = 0; k < nr; k++)
			observe_request(&req, req.status);
		clock_gettime(CLOCK_MONOTONIC, &to);
		print_message("# %s: %.0f ns to observe\n", uris[i],
			      ((double)(to.tv_sec - from.tv_sec) * 1e9 +
			       (double)(to.tv_nsec - from.tv_nsec)) /
				      nr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_labels, new_metrics),
		cmocka_unit_test_setup(test_strangers, new_metrics),
		cmocka_unit_test_setup(test_many_channels, new_metrics),
		cmocka_unit_test_setup(test_cost, new_metrics),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
