/*
 * test_metrics.c - numbers of several processes, and their text.
 *
 * Includes the module itself, to leave its table as a process leaves it that
 * dies between two instructions.
 */
#include "config.h"

#include "metrics/metrics.c"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "promtext.h"
#include "unit.h"

/* Renders and reads; free() s->all. */
static void render(const struct metrics *m, struct samples *s)
{
	struct text out;
	struct errmsg e;

	text_init(&out, (size_t)64 << 20);
	metrics_render(m, &out);
	assert_int_equal(text_check(&out, "metrics", &e), ERR_OK);
	read_text(out.data, s);
	text_release(&out);
}

/* Counts anew in a new area; they are not freed, as the program's is not. */
static struct metrics *new_metrics(void)
{
	void *m = mmap(NULL, metrics_size(), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(m != MAP_FAILED);
	return m;
}

/* Of any name, which the program's own functions do not take. */
static void count_in(struct metrics *m, const char *name, const char *labels,
		     uint64_t n)
{
	add_to(series_of(m, FAMILY_LOG_COUNT, name, "", labels, NULL), n);
}

static void time_in(struct metrics *m, const char *name, const char *labels,
		    enum metric_buckets buckets, uint64_t ns)
{
	enum metric_family family = buckets == METRIC_BUCKETS_HTTP ?
					    FAMILY_REQUEST_LATENCY_ALL :
					    FAMILY_CUT_LATENCY;

	observe_in(series_of(m, family, name, "", labels, NULL), ns);
}

static void test_counters(void **state)
{
	static const char *const names[] = {
#define METRIC(id, name, help) name,
#include "metrics/metrics.def"
	};
	struct metrics *m = new_metrics();
	struct samples s;

	UNUSED(state);
	assert_int_equal(ARRAY_SIZE(names), METRIC_COUNT);
	render(m, &s);
	assert_int_equal(s.nr, METRIC_COUNT);
	for (size_t i = 0; i < METRIC_COUNT; i++)
		assert_string_equal(find(&s, names[i], "")->text, "0");
	free(s.all);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		metrics_add(m, (enum metric)i, i);
		metrics_add(m, (enum metric)i, 0);
		metrics_add(m, (enum metric)i, UINT64_C(10000000000000000));
		assert_true(metrics_get(m, (enum metric)i) ==
			    UINT64_C(10000000000000000) + i);
	}
	render(m, &s);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		char text[32];

		print_message("# %s\n", names[i]);
		snprintf(text, sizeof(text), "%llu", 10000000000000000ULL + i);
		assert_string_equal(find(&s, names[i], "")->text, text);
	}
	free(s.all);
}

static void test_exact_text(void **state)
{
	static const char expected[] =
		"# HELP a_latency Time of making and sending a cut.\n"
		"# TYPE a_latency histogram\n"
		"a_latency_bucket{x=\"1\",le=\"1e-09\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"1e-08\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"1e-07\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"1e-06\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"1e-05\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"0.0001\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"0.001\"} 1\n"
		"a_latency_bucket{x=\"1\",le=\"0.01\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"0.1\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"1.0\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"10.0\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"100.0\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"1000.0\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"10000.0\"} 2\n"
		"a_latency_bucket{x=\"1\",le=\"+Inf\"} 3\n"
		"a_latency_count{x=\"1\"} 3\n"
		"a_latency_sum{x=\"1\"} 20000.005000001\n"
		"# HELP log_count_total Lines logged.\n"
		"# TYPE log_count_total counter\n"
		"log_count_total{level=\"WARNING\"} 5\n";
	struct metrics *m = new_metrics();
	struct text out;

	UNUSED(state);
	count_in(m, "log_count_total", "level=\"WARNING\"", 2);
	time_in(m, "a_latency", "x=\"1\"", METRIC_BUCKETS_WORK, 1);
	time_in(m, "a_latency", "x=\"1\"", METRIC_BUCKETS_WORK, 5000000);
	time_in(m, "a_latency", "x=\"1\"", METRIC_BUCKETS_WORK, 20000000000000);
	count_in(m, "log_count_total", "level=\"WARNING\"", 3);
	text_init(&out, 1 << 20);
	metrics_render(m, &out);
	assert_non_null(strstr(out.data, "# HELP a_latency"));
	assert_string_equal(strstr(out.data, "# HELP a_latency"), expected);
	text_release(&out);
}

/* What is exactly at a bound is in its bucket. */
static void test_bounds(void **state)
{
	static const struct {
		enum metric_buckets buckets;
		const char *le[15];
		uint64_t ns[14];
	} sets[] = {
		{ METRIC_BUCKETS_HTTP,
		  { "0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1.0",
		    "5.0", "10.0", "30.0", "60.0", "120.0", "300.0", "600.0",
		    "+Inf" },
		  { 1000000, 5000000, 10000000, 50000000, 100000000, 500000000,
		    1000000000, 5000000000, 10000000000, 30000000000,
		    60000000000, 120000000000, 300000000000, 600000000000 } },
		{ METRIC_BUCKETS_WORK,
		  { "1e-09", "1e-08", "1e-07", "1e-06", "1e-05", "0.0001",
		    "0.001", "0.01", "0.1", "1.0", "10.0", "100.0", "1000.0",
		    "10000.0", "+Inf" },
		  { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		    100000000, 1000000000, 10000000000, 100000000000,
		    1000000000000, 10000000000000 } },
	};

	UNUSED(state);
	for (size_t k = 0; k < ARRAY_SIZE(sets); k++) {
		struct metrics *m = new_metrics();
		struct samples s;

		/* No labels at all, too. */
		for (size_t i = 0; i < 14; i++) {
			time_in(m, "x_latency", "", sets[k].buckets,
				sets[k].ns[i]);
			time_in(m, "x_latency", "", sets[k].buckets,
				sets[k].ns[i] + 1);
		}
		time_in(m, "x_latency", "", sets[k].buckets, 0);
		render(m, &s);
		for (size_t i = 0; i < 15; i++) {
			char label[32];
			size_t below = 2 + 2 * i;

			print_message("# le %s\n", sets[k].le[i]);
			/* 0, the bounds up to this, what is just over them. */
			if (i == 14)
				below = 29;
			snprintf(label, sizeof(label), "le=\"%s\"",
				 sets[k].le[i]);
			assert_true(value_of(&s, "x_latency_bucket", label) ==
				    (double)below);
			if (i < 14)
				assert_true(strtod(sets[k].le[i], NULL) * 1e9 -
						    (double)sets[k].ns[i] <
					    1e-3);
		}
		assert_true(value_of(&s, "x_latency_count", "") == 29);
		free(s.all);
	}
}

static void test_labels(void **state)
{
	static const struct {
		const char *value;
		const char *written;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a b", "a b" },
		{ "a\"b", "a\\\"b" },
		{ "\"", "\\\"" },
		{ "a\\b", "a\\\\b" },
		{ "\\", "\\\\" },
		{ "\\\"", "\\\\\\\"" },
		{ "a\nb", "a\\nb" },
		{ "\n", "\\n" },
		{ "\\n", "\\\\n" },
		{ "a,b={}", "a,b={}" },
		{ "\xc3\xa9", "\xc3\xa9" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct metrics *m = new_metrics();
		char expected[64];
		struct samples s;
		struct text t;

		print_message("# '%s'\n", rows[i].written);
		text_init(&t, 1000);
		metrics_label(&t, "one", rows[i].value);
		metrics_label(&t, "two", rows[i].value);
		snprintf(expected, sizeof(expected), "one=\"%s\",two=\"%s\"",
			 rows[i].written, rows[i].written);
		assert_string_equal(t.data, expected);
		count_in(m, "x_total", t.data, 7);
		time_in(m, "y", t.data, METRIC_BUCKETS_HTTP, 7);
		render(m, &s);
		assert_true(value_of(&s, "x_total", expected) == 7);
		assert_true(value_of(&s, "y_count", expected) == 1);
		free(s.all);
		text_release(&t);
	}
}

static void test_gauge(void **state)
{
	static const double values[] = { 0, 1, -1.5, 1e9, 1794016804.25, 0.1 };
	struct text out;
	struct samples s;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		print_message("# %g\n", values[i]);
		text_init(&out, 1000);
		metrics_put_number(&out, FAMILY_OPEN_FDS, values[i]);
		read_text(out.data, &s);
		assert_int_equal(s.nr, 1);
		assert_true(value_of(&s, "process_open_fds", "") == values[i]);
		free(s.all);
		text_release(&out);
	}
}

/* Names that are the beginnings of others stay apart. */
static void test_families(void **state)
{
	static const char *const names[] = { "a",  "a_b", "a_b_c", "aa",
					     "ab", "A",	  "a_" };
	struct metrics *m = new_metrics();
	struct samples s;

	UNUSED(state);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned k = 0; k < 3; k++) {
			char label[16];

			snprintf(label, sizeof(label), "k=\"%u\"", k);
			count_in(m, names[i], label, 10 * i + k + 1);
		}
	render(m, &s);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned k = 0; k < 3; k++) {
			char label[16];

			snprintf(label, sizeof(label), "k=\"%u\"", k);
			assert_true(value_of(&s, names[i], label) ==
				    10 * i + k + 1);
		}
	free(s.all);
}

static void test_too_long_a_key(void **state)
{
	struct metrics *m = new_metrics();
	char labels[METRICS_MAX_KEY + 10];
	struct samples s;

	UNUSED(state);
	/* "x{" and the NUL leave room for three less. */
	for (size_t len = METRICS_MAX_KEY - 5; len < METRICS_MAX_KEY + 5;
	     len++) {
		bool fits = len <= METRICS_MAX_KEY - 3;
		uint64_t dropped = metrics_get(m, METRIC_SERIES_DROPPED);

		memset(labels, 'a', len);
		memcpy(labels, "l=\"", 3);
		labels[len - 1] = '"';
		labels[len] = '\0';
		count_in(m, "x", labels, 1);
		assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED),
				 dropped + !fits);
		render(m, &s);
		assert_int_equal(find(&s, "x", labels) != NULL, fits);
		free(s.all);
	}
}

static void observe_own(struct metrics *m, const char *endpoint, int i)
{
	char label[32];

	snprintf(label, sizeof(label), "i=\"%d\"", i);
	metrics_observe_of(m, FAMILY_REQUEST_LATENCY, endpoint, label,
			   "i=\"other\"", 1000);
}

/* The sum of all samples whose name ends so; how many they are. */
static uint64_t sum_of(const struct samples *s, const char *begin,
		       const char *end, size_t *nr_r)
{
	uint64_t sum = 0;

	*nr_r = 0;
	for (size_t i = 0; i < s->nr; i++) {
		size_t len = strlen(s->all[i].name);

		if (strncmp(s->all[i].name, begin, strlen(begin)) != 0 ||
		    len < strlen(end) ||
		    strcmp(s->all[i].name + len - strlen(end), end) != 0)
			continue;
		sum += (uint64_t)s->all[i].value;
		(*nr_r)++;
	}
	return sum;
}

#define BIG "http_request_latency_big"

/* What finds no room is counted as other, so no sum is wrong. */
static void test_full_family(void **state)
{
	struct metrics *m = new_metrics();
	struct samples s;
	size_t nr;

	UNUSED(state);
	for (int i = 0; i < METRICS_MAX_PER_FAMILY + 100; i++)
		observe_own(m, "big", i);
	assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED), 100);
	/* What has a place keeps it; other families have theirs. */
	observe_own(m, "big", 0);
	observe_own(m, "bi", 0);
	observe_own(m, "bigger", 0);
	assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED), 100);
	observe_own(m, "big", METRICS_MAX_PER_FAMILY);
	assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED), 101);
	render(m, &s);
	assert_int_equal(sum_of(&s, BIG "_", "_count", &nr),
			 METRICS_MAX_PER_FAMILY + 102);
	assert_int_equal(nr, METRICS_MAX_PER_FAMILY + 1);
	assert_true(value_of(&s, BIG "_count", "i=\"0\"") == 2);
	assert_true(value_of(&s, BIG "_count", "i=\"other\"") == 101);
	assert_true(value_of(&s, "http_request_latency_bigger_count",
			     "i=\"0\"") == 1);
	assert_true(value_of(&s, "restreamer_metrics_series_dropped_total",
			     "") == 101);
	free(s.all);
}

static void test_full_table(void **state)
{
	struct metrics *m = new_metrics();
	size_t nr, nr_total = 6 * METRICS_MAX_PER_FAMILY;
	struct samples s;

	UNUSED(state);
	for (int f = 0; f < 6; f++)
		for (int i = 0; i < METRICS_MAX_PER_FAMILY; i++) {
			char name[32];

			snprintf(name, sizeof(name), "family%d", f);
			observe_own(m, name, i);
		}
	render(m, &s);
	assert_int_equal(
		sum_of(&s, "http_request_latency_family", "_count", &nr),
		nr_total);
	print_message("# %zu of %zu kept in a table for %d\n", nr, nr_total,
		      METRICS_MAX_SERIES);
	assert_true(nr > METRICS_MAX_SERIES * 9 / 10 &&
		    nr <= METRICS_MAX_SERIES + 6);
	assert_true(metrics_get(m, METRIC_SERIES_DROPPED) >= nr_total - nr);
	free(s.all);
	/* Series that are few have room still, all that may be. */
	nr = metrics_get(m, METRIC_SERIES_DROPPED);
	for (int i = 0; i < METRICS_MAX_OTHERS / 2; i++) {
		char label[32];

		snprintf(label, sizeof(label), "i=\"%d\"", i);
		metrics_count(m, FAMILY_LOG_COUNT, label, 1);
		metrics_count(m, FAMILY_LOG_COUNT, label, 1);
	}
	assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED), nr);
	render(m, &s);
	assert_int_equal(sum_of(&s, "log_count_total", "", &nr),
			 METRICS_MAX_OTHERS);
	assert_int_equal(nr, METRICS_MAX_OTHERS / 2);
	free(s.all);
}

/* Names that do not exist leave nothing, and the table does not grow. */
static void test_nothing_from_the_same(void **state)
{
	struct metrics *m = new_metrics();
	char *before;

	UNUSED(state);
	observe_own(m, "x", 1);
	before = malloc(sizeof(m->hashes));
	assert_non_null(before);
	memcpy(before, (void *)m->hashes, sizeof(m->hashes));
	for (int i = 0; i < 100000; i++) {
		char label[32];

		snprintf(label, sizeof(label), "i=\"%d\"", i + 2);
		assert_false(metrics_observe_again(m, FAMILY_REQUEST_LATENCY,
						   "x", label, 1));
		observe_own(m, "x", 1);
	}
	assert_true(metrics_observe_again(m, FAMILY_REQUEST_LATENCY, "x",
					  "i=\"1\"", 1));
	assert_memory_equal(before, (void *)m->hashes, sizeof(m->hashes));
	free(before);
}

/* What the manual page shows is what there is. */
static void count_about(const struct metric_about *about, void *ctx)
{
	size_t *nr = ctx;

	assert_true(strlen(about->name) > 3);
	assert_true(strlen(about->help) > 5 &&
		    about->help[strlen(about->help) - 1] == '.');
	assert_true(!strcmp(about->type, "gauge") ||
		    !strcmp(about->type, "counter") ||
		    !strcmp(about->type, "histogram"));
	(*nr)++;
}

static void test_declarations(void **state)
{
	size_t nr = 0;

	UNUSED(state);
	metrics_each(count_about, &nr);
	assert_int_equal(nr, METRIC_COUNT + FAMILY_COUNT);
	assert_string_equal(
		families[(int)WORK_CUT + OF_CPUTIME_NORMALIZED].name,
		"cut_cputime_normalized");
	assert_true(metrics_layout() == metrics_layout());
}

#define NR_ADDS 20000

/* Adds to what all add to, and to series that come up at the same time. */
static void add_much(struct metrics *m, int who)
{
	char label[32];

	for (int i = 0; i < NR_ADDS; i++) {
		metrics_add(m, METRIC_BYTES_SENT, 3);
		snprintf(label, sizeof(label), "i=\"%d\"", i % 500);
		count_in(m, "shared_total", label, 2);
		time_in(m, "shared_latency", label, METRIC_BUCKETS_HTTP,
			1000000);
		snprintf(label, sizeof(label), "who=\"%d\"", who);
		count_in(m, "own_total", label, 1);
	}
}

static void test_two_processes(void **state)
{
	struct metrics *m = new_metrics();
	double shared = 0, observed = 0, seconds = 0;
	struct samples s;
	pid_t children[2];

	UNUSED(state);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (!children[i]) {
			add_much(m, i);
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(metrics_get(m, METRIC_BYTES_SENT), 2 * 3 * NR_ADDS);
	render(m, &s);
	for (size_t i = 0; i < s.nr; i++) {
		if (!strcmp(s.all[i].name, "shared_total"))
			shared += s.all[i].value;
		if (!strcmp(s.all[i].name, "shared_latency_count"))
			observed += s.all[i].value;
		if (!strcmp(s.all[i].name, "shared_latency_sum"))
			seconds += s.all[i].value;
	}
	assert_true(shared == 2 * 2 * NR_ADDS);
	assert_true(observed == 2 * NR_ADDS);
	assert_true(seconds > 0.00199999 * NR_ADDS &&
		    seconds < 0.00200001 * NR_ADDS);
	assert_true(value_of(&s, "own_total", "who=\"0\"") == NR_ADDS);
	assert_true(value_of(&s, "own_total", "who=\"1\"") == NR_ADDS);
	assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED), 0);
	free(s.all);
}

/* The slot that a key is looked for first, claimed and left there. */
static struct series *claim(struct metrics *m, const char *key)
{
	uint64_t hash = XXH3_64bits(key, strlen(key));
	struct series *s = &m->series[hash % METRICS_MAX_SERIES];

	assert_true(m->hashes[hash % METRICS_MAX_SERIES] == 0);
	m->hashes[hash % METRICS_MAX_SERIES] = hash;
	return s;
}

/* A process that died between claiming a series and publishing it. */
static void test_torn_claim(void **state)
{
	struct metrics *m = new_metrics();
	struct samples s;

	UNUSED(state);
	claim(m, "x{i=\"1\"");
	for (unsigned i = 0; i < 3; i++) {
		count_in(m, "x", "i=\"1\"", 2);
		render(m, &s);
		assert_int_equal(s.nr, METRIC_COUNT + 1);
		assert_true(value_of(&s, "x", "i=\"1\"") == 2 * (i + 1));
		free(s.all);
	}
	assert_int_equal(metrics_get(m, METRIC_SERIES_DROPPED), 0);
}

/* Two that claimed one series at the same time: nobody sees that. */
static void test_twin_claims(void **state)
{
	static const char *const keys[] = { "x{i=\"1\"", "y{i=\"1\"" };
	struct metrics *m = new_metrics();
	struct series *slow[2];
	struct samples s;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		slow[i] = claim(m, keys[i]);
	count_in(m, "x", "i=\"1\"", 7);
	count_in(m, "x", "i=\"11\"", 90);
	time_in(m, "y", "i=\"1\"", METRIC_BUCKETS_HTTP, 1500000000);
	/* The slow one goes on where it was, with its own. */
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		strcpy(slow[i]->key, keys[i]);
		slow[i]->key_len = (uint16_t)strlen(keys[i]);
		slow[i]->family = i ? FAMILY_REQUEST_LATENCY : FAMILY_LOG_COUNT;
		slow[i]->is_published = 1;
	}
	count_in(m, "x", "i=\"1\"", 100);
	time_in(m, "y", "i=\"1\"", METRIC_BUCKETS_HTTP, 1);
	time_in(m, "y", "i=\"1\"", METRIC_BUCKETS_HTTP, 1000000000);
	render(m, &s);
	assert_int_equal(s.nr, METRIC_COUNT + 2 + 17);
	assert_true(value_of(&s, "x", "i=\"1\"") == 107);
	assert_true(value_of(&s, "x", "i=\"11\"") == 90);
	assert_true(value_of(&s, "y_bucket", "i=\"1\",le=\"0.5\"") == 1);
	assert_true(value_of(&s, "y_bucket", "i=\"1\",le=\"1.0\"") == 2);
	assert_true(value_of(&s, "y_count", "i=\"1\"") == 3);
	assert_string_equal(find(&s, "y_sum", "i=\"1\"")->text, "2.500000001");
	free(s.all);
}

/* Two keys of one hash, which nobody can make but by hand. */
static void test_equal_hashes(void **state)
{
	struct metrics *m = new_metrics();
	struct series *other = claim(m, "x{i=\"1\"");
	struct samples s;

	UNUSED(state);
	strcpy(other->key, "x{i=\"2\"");
	other->key_len = (uint16_t)strlen(other->key);
	other->family = FAMILY_LOG_COUNT;
	other->sum = 50;
	other->is_published = 1;
	count_in(m, "x", "i=\"1\"", 1);
	count_in(m, "x", "i=\"1\"", 1);
	render(m, &s);
	assert_true(value_of(&s, "x", "i=\"1\"") == 2);
	assert_true(value_of(&s, "x", "i=\"2\"") == 50);
	free(s.all);
}

#define NR_LABELS 50

static void add_for_ever(struct metrics *m, uint64_t seed)
{
	char label[32];

	for (;;) {
		snprintf(label, sizeof(label), "i=\"%u\"",
			 (unsigned)(unit_random(&seed) % NR_LABELS));
		metrics_add(m, METRIC_BYTES_SENT, 1);
		count_in(m, "killed_total", label, 1);
		time_in(m, "killed_latency", label, METRIC_BUCKETS_WORK,
			unit_random(&seed) % 1000000);
	}
}

/* Nothing there was has gone, nothing has become less. */
static void check_monotone(const struct samples *before,
			   const struct samples *after)
{
	for (size_t i = 0; i < before->nr; i++) {
		const struct sample *old = &before->all[i];
		const struct sample *now = find(after, old->name, old->labels);

		if (!now || now->value < old->value)
			fail_msg("%s{%s} was %s and is %s", old->name,
				 old->labels, old->text,
				 now ? now->text : "gone");
	}
}

static void test_killed_in_the_middle(void **state)
{
	struct metrics *m = new_metrics();
	struct samples before, after;
	double total = 0;
	uint64_t seed = 3;

	UNUSED(state);
	render(m, &before);
	for (int round = 0; round < 30; round++) {
		pid_t children[3];

		for (int i = 0; i < 3; i++) {
			children[i] = fork();
			assert_true(children[i] >= 0);
			if (!children[i])
				add_for_ever(m,
					     unit_random(&seed) + (uint64_t)i);
		}
		usleep((useconds_t)(unit_random(&seed) % 5000));
		for (int i = 0; i < 3; i++) {
			/* Read while they write, too. */
			render(m, &after);
			check_monotone(&before, &after);
			free(before.all);
			before = after;
			assert_int_equal(kill(children[i], SIGKILL), 0);
			assert_int_equal(waitpid(children[i], NULL, 0),
					 children[i]);
		}
	}
	render(m, &after);
	check_monotone(&before, &after);
	free(before.all);
	/* Who lives on finds all in order. */
	before = after;
	for (int i = 0; i < NR_LABELS; i++) {
		char label[32];

		snprintf(label, sizeof(label), "i=\"%d\"", i);
		count_in(m, "killed_total", label, 1);
	}
	render(m, &after);
	for (size_t i = 0; i < before.nr; i++)
		if (!strcmp(before.all[i].name, "killed_total"))
			total -= before.all[i].value;
	for (size_t i = 0; i < after.nr; i++)
		if (!strcmp(after.all[i].name, "killed_total"))
			total += after.all[i].value;
	assert_true(total == NR_LABELS);
	assert_true(metrics_get(m, METRIC_BYTES_SENT) > 0);
	free(before.all);
	free(after.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_exact_text),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_gauge),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_too_long_a_key),
		cmocka_unit_test(test_full_family),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_nothing_from_the_same),
		cmocka_unit_test(test_declarations),
		cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_torn_claim),
		cmocka_unit_test(test_twin_claims),
		cmocka_unit_test(test_equal_hashes),
		cmocka_unit_test(test_killed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
