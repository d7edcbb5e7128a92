#include "config.h"

#include "metrics/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <xxhash.h>

#include "base/mem.h"

#define NR_BOUNDS 14
#define MAX_TRIES 64 /* slots looked at for one key */

struct bound {
	uint64_t ns;
	const char *text;
};

static const struct bound bounds[][NR_BOUNDS] = {
	[METRIC_BUCKETS_HTTP] = {
		{ 1000000, "0.001" }, { 5000000, "0.005" },
		{ 10000000, "0.01" }, { 50000000, "0.05" },
		{ 100000000, "0.1" }, { 500000000, "0.5" },
		{ 1000000000, "1.0" }, { 5000000000, "5.0" },
		{ 10000000000, "10.0" }, { 30000000000, "30.0" },
		{ 60000000000, "60.0" }, { 120000000000, "120.0" },
		{ 300000000000, "300.0" }, { 600000000000, "600.0" },
	},
	[METRIC_BUCKETS_WORK] = {
		{ 1, "1e-09" }, { 10, "1e-08" }, { 100, "1e-07" },
		{ 1000, "1e-06" }, { 10000, "1e-05" }, { 100000, "0.0001" },
		{ 1000000, "0.001" }, { 10000000, "0.01" },
		{ 100000000, "0.1" }, { 1000000000, "1.0" },
		{ 10000000000, "10.0" }, { 100000000000, "100.0" },
		{ 1000000000000, "1000.0" }, { 10000000000000, "10000.0" },
	},
};

static const struct {
	const char *name;
	const char *help;
} counters[METRIC_COUNT] = {
#define METRIC(id, name, help) { name, help },
#include "metrics/metrics.def"
#undef METRIC
};

enum series_kind { SERIES_COUNTER, SERIES_HISTOGRAM };

struct series {
	_Atomic uint64_t hash;	       /* 0: free */
	_Atomic uint32_t is_published; /* what follows is complete */
	uint16_t key_len;
	uint8_t kind;		   /* enum series_kind */
	uint8_t buckets;	   /* enum metric_buckets */
	char key[METRICS_MAX_KEY]; /* "family{labels" */
	/* not cumulative; the last is what is over every bound */
	_Atomic uint64_t counts[NR_BOUNDS + 1];
	_Atomic uint64_t sum; /* ns; of a counter, its value */
};

struct metrics {
	_Atomic uint64_t counters[METRIC_COUNT];
	struct series series[METRICS_MAX_SERIES];
};

struct metrics *metrics_new(void)
{
	void *area = mmap(NULL, sizeof(struct metrics), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED ? NULL : area;
}

void metrics_add(struct metrics *m, enum metric metric, uint64_t n)
{
	if (n)
		atomic_fetch_add_explicit(&m->counters[metric], n,
					  memory_order_relaxed);
}

uint64_t metrics_get(const struct metrics *m, enum metric metric)
{
	return atomic_load_explicit(&m->counters[metric], memory_order_relaxed);
}

static bool is_family(const struct series *s, const char *key, size_t len)
{
	return s->key_len > len && !memcmp(s->key, key, len);
}

/* Whether a family has as many series as one may have; only when one is new. */
static bool family_is_full(const struct metrics *m, const char *key)
{
	size_t len = strcspn(key, "{") + 1;
	size_t nr = 0;

	for (size_t i = 0; i < METRICS_MAX_SERIES; i++)
		nr += atomic_load(&m->series[i].is_published) &&
		      is_family(&m->series[i], key, len);
	return nr >= METRICS_MAX_PER_FAMILY;
}

/* The series of a key, claimed if it is new; NULL if there is no room. */
static struct series *find_series(struct metrics *m, const char *key,
				  size_t len, enum series_kind kind,
				  enum metric_buckets buckets)
{
	uint64_t hash = XXH3_64bits(key, len);

	hash = hash ? hash : 1;
	for (size_t i = 0; i < MAX_TRIES; i++) {
		struct series *s = &m->series[(hash + i) % METRICS_MAX_SERIES];
		uint64_t seen = atomic_load(&s->hash);

		if (!seen) {
			if (family_is_full(m, key))
				return NULL;
			if (atomic_compare_exchange_strong(&s->hash, &seen,
							   hash)) {
				memcpy(s->key, key, len);
				s->key_len = (uint16_t)len;
				s->kind = (uint8_t)kind;
				s->buckets = (uint8_t)buckets;
				atomic_store(&s->is_published, 1);
				return s;
			}
		}
		if (seen == hash && atomic_load(&s->is_published) &&
		    s->key_len == len && !memcmp(s->key, key, len))
			return s;
	}
	return NULL;
}

static struct series *series_of(struct metrics *m, const char *family,
				const char *labels, enum series_kind kind,
				enum metric_buckets buckets)
{
	char key[METRICS_MAX_KEY];
	int len = snprintf(key, sizeof(key), "%s{%s", family, labels);
	struct series *s = NULL;

	if (len > 0 && (size_t)len < sizeof(key))
		s = find_series(m, key, (size_t)len, kind, buckets);
	if (!s)
		metrics_add(m, METRIC_SERIES_DROPPED, 1);
	return s;
}

void metrics_count(struct metrics *m, const char *family, const char *labels,
		   uint64_t n)
{
	struct series *s = series_of(m, family, labels, SERIES_COUNTER,
				     METRIC_BUCKETS_HTTP);

	if (s)
		atomic_fetch_add_explicit(&s->sum, n, memory_order_relaxed);
}

void metrics_observe(struct metrics *m, const char *family, const char *labels,
		     enum metric_buckets buckets, uint64_t ns)
{
	struct series *s =
		series_of(m, family, labels, SERIES_HISTOGRAM, buckets);
	size_t i = 0;

	if (!s)
		return;
	while (i < NR_BOUNDS && ns > bounds[buckets][i].ns)
		i++;
	atomic_fetch_add_explicit(&s->sum, ns, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->counts[i], 1, memory_order_relaxed);
}

void metrics_label(struct text *labels, const char *name, const char *value)
{
	text_printf(labels, "%s%s=\"", labels->len ? "," : "", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			text_putc(labels, '\\');
		if (*value == '\n')
			text_puts(labels, "\\n");
		else
			text_putc(labels, *value);
	}
	text_putc(labels, '"');
}

/* Rendering */

static void put_head(struct text *out, const char *name, size_t len,
		     const char *type, const char *help)
{
	text_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name,
		    help, (int)len, name, type);
}

void metrics_put_gauge(struct text *out, const char *name, const char *help,
		       double value)
{
	put_head(out, name, strlen(name), "gauge", help);
	text_printf(out, "%s %.17g\n", name, value);
}

/* What the families of labelled series are, by the end of their name. */
static const char *family_help(const char *key, size_t len)
{
	static const struct {
		const char *suffix;
		const char *help;
	} known[] = {
		{ "log_count_total", "Lines logged." },
		{ "_latency_normalized", "Wall time per unit of work." },
		{ "_cputime_normalized", "CPU time per unit of work." },
		{ "_cputime", "CPU time of the work." },
		{ "_latency", "Wall time of the work." },
		{ "", "" },
	};

	if (!strncmp(key, "http_request_", 13))
		return "Time from the request to the last byte of the answer.";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i].suffix);

		if (len >= n && !memcmp(key + len - n, known[i].suffix, n))
			return known[i].help;
	}
	return "";
}

/* A series at one moment, summed over its slots. */
struct snapshot {
	const struct series *series;
	uint64_t counts[NR_BOUNDS + 1];
	uint64_t sum;
};

static int by_key(const void *a, const void *b)
{
	const struct series *x = ((const struct snapshot *)a)->series;
	const struct series *y = ((const struct snapshot *)b)->series;
	size_t common = x->key_len < y->key_len ? x->key_len : y->key_len;
	int diff = memcmp(x->key, y->key, common);

	return diff ? diff : (int)x->key_len - (int)y->key_len;
}

static size_t take_snapshots(const struct metrics *m, struct snapshot *shots)
{
	size_t nr = 0;

	for (size_t i = 0; i < METRICS_MAX_SERIES; i++) {
		const struct series *s = &m->series[i];

		if (!atomic_load(&s->is_published))
			continue;
		shots[nr].series = s;
		for (size_t k = 0; k <= NR_BOUNDS; k++)
			shots[nr].counts[k] = atomic_load_explicit(
				&s->counts[k], memory_order_relaxed);
		shots[nr].sum =
			atomic_load_explicit(&s->sum, memory_order_relaxed);
		nr++;
	}
	if (nr)
		qsort(shots, nr, sizeof(*shots), by_key);
	return nr;
}

static size_t merge_equal(struct snapshot *shots, size_t nr)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!kept || by_key(&shots[kept - 1], &shots[i])) {
			shots[kept++] = shots[i];
			continue;
		}
		for (size_t k = 0; k <= NR_BOUNDS; k++)
			shots[kept - 1].counts[k] += shots[i].counts[k];
		shots[kept - 1].sum += shots[i].sum;
	}
	return kept;
}

static void put_histogram(struct text *out, const struct snapshot *shot,
			  size_t family_len)
{
	const struct series *s = shot->series;
	const char *labels = s->key + family_len + 1;
	int nr_labels = (int)(s->key_len - family_len - 1);
	const char *comma = nr_labels ? "," : "";
	uint64_t total = 0;

	for (size_t i = 0; i <= NR_BOUNDS; i++) {
		total += shot->counts[i];
		text_printf(out, "%.*s_bucket{%.*s%sle=\"%s\"} %llu\n",
			    (int)family_len, s->key, nr_labels, labels, comma,
			    i < NR_BOUNDS ? bounds[s->buckets][i].text : "+Inf",
			    (unsigned long long)total);
	}
	text_printf(out, "%.*s_count{%.*s} %llu\n", (int)family_len, s->key,
		    nr_labels, labels, (unsigned long long)total);
	text_printf(out, "%.*s_sum{%.*s} %llu.%09llu\n", (int)family_len,
		    s->key, nr_labels, labels,
		    (unsigned long long)(shot->sum / 1000000000),
		    (unsigned long long)(shot->sum % 1000000000));
}

static void put_series(struct text *out, const struct snapshot *shots,
		       size_t nr)
{
	const char *family = "";
	size_t family_len = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct series *s = shots[i].series;
		size_t len = 0;

		while (len < s->key_len && s->key[len] != '{')
			len++;
		if (len != family_len || memcmp(family, s->key, len) != 0) {
			family = s->key;
			family_len = len;
			put_head(out, family, len,
				 s->kind == SERIES_COUNTER ? "counter" :
							     "histogram",
				 family_help(family, len));
		}
		if (s->kind == SERIES_COUNTER)
			text_printf(out, "%.*s} %llu\n", (int)s->key_len,
				    s->key, (unsigned long long)shots[i].sum);
		else
			put_histogram(out, &shots[i], family_len);
	}
}

void metrics_render(const struct metrics *m, struct text *out)
{
	struct snapshot *shots = mem_alloc(METRICS_MAX_SERIES * sizeof(*shots));
	size_t nr = merge_equal(shots, take_snapshots(m, shots));

	for (size_t i = 0; i < METRIC_COUNT; i++) {
		put_head(out, counters[i].name, strlen(counters[i].name),
			 "counter", counters[i].help);
		text_printf(out, "%s %llu\n", counters[i].name,
			    (unsigned long long)metrics_get(m, (enum metric)i));
	}
	put_series(out, shots, nr);
	free(shots);
}
