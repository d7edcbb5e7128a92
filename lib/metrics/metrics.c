#include "config.h"

#include "metrics/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/mem.h"

#define NR_BOUNDS 14
#define MAX_TRIES 64 /* slots looked at for one key */

enum metric_buckets {
	METRIC_BUCKETS_HTTP, /* .001 ... 600 s */
	METRIC_BUCKETS_WORK, /* 1e-9 ... 1e4 s, powers of ten */
};

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
};

enum family_kind { KIND_GAUGE, KIND_COUNTER, KIND_HISTOGRAM };

static const char *const kind_names[] = { "gauge", "counter", "histogram" };

struct family {
	enum family_kind kind;
	enum metric_buckets buckets;
	const char *name;
	const char *labels;
	const char *help;
};

#define OF_WORK(name, labels, help)                                            \
	{ KIND_HISTOGRAM, METRIC_BUCKETS_WORK, name, labels, help },

static const struct family families[FAMILY_COUNT] = {
#define GAUGE(id, name, help) { KIND_GAUGE, 0, name, "", help },
#define SUM(id, name, help)   { KIND_COUNTER, 0, name, "", help },
#define COUNTERS(id, name, labels, help)                                       \
	{ KIND_COUNTER, 0, name, labels, help },
#define GAUGES(id, name, labels, help) { KIND_GAUGE, 0, name, labels, help },
#define TIMES(id, name, labels, help)                                          \
	{ KIND_HISTOGRAM, METRIC_BUCKETS_HTTP, name, labels, help },
#define WORK(id, name, labels, what, unit)                                     \
	OF_WORK(name "_latency", labels "error", "Time of " what ".")          \
	OF_WORK(name "_cputime", labels "error,type", "CPU time of " what ".") \
	OF_WORK(name "_latency_normalized", labels "error",                    \
		"Time of " what ", per " unit ".")                             \
	OF_WORK(name "_cputime_normalized", labels "error,type",               \
		"CPU time of " what ", per " unit ".")
#include "metrics/metrics.def"
};

#define NR_SLOTS (METRICS_MAX_SERIES + METRICS_MAX_OTHERS)
#define MAX_FULL (METRICS_MAX_SERIES / METRICS_MAX_PER_FAMILY)

struct series {
	_Atomic uint32_t is_published; /* what follows is complete */
	uint16_t key_len;
	uint16_t family;	   /* enum metric_family */
	char key[METRICS_MAX_KEY]; /* "name{labels" */
	/* not cumulative; the last is what is over every bound */
	_Atomic uint64_t counts[NR_BOUNDS + 1];
	_Atomic uint64_t sum; /* ns; of a counter, its value */
};

struct metrics {
	_Atomic uint64_t counters[METRIC_COUNT];
	/* Hashes of the names of which no more series are made. */
	_Atomic uint64_t full[MAX_FULL];
	_Atomic uint64_t hashes[NR_SLOTS]; /* of keys; 0: free */
	struct series series[NR_SLOTS];
};

/* A part of the table, where keys are looked for from their hash on. */
struct room {
	size_t first;
	size_t nr;
};
static const struct room own_room = { 0, METRICS_MAX_SERIES };
static const struct room kept_room = { METRICS_MAX_SERIES, METRICS_MAX_OTHERS };

struct key {
	enum metric_family family;
	size_t name_len; /* with the brace */
	size_t len;
	char text[METRICS_MAX_KEY];
};

size_t metrics_size(void)
{
	return sizeof(struct metrics);
}

uint64_t metrics_layout(void)
{
	uint64_t hash = sizeof(struct metrics) + METRICS_MAX_SERIES;

	for (size_t i = 0; i < METRIC_COUNT; i++)
		hash = XXH3_64bits_withSeed(counters[i].name,
					    strlen(counters[i].name), hash);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		hash = XXH3_64bits_withSeed(families[i].name,
					    strlen(families[i].name), hash);
	return hash;
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

static bool put_part(struct key *key, const char *part)
{
	size_t len = strlen(part);

	if (len >= sizeof(key->text) - key->len)
		return false;
	memcpy(key->text + key->len, part, len);
	key->len += len;
	return true;
}

/* False if it is too long. */
static bool make_key(struct key *key, enum metric_family family,
		     const char *name, const char *member, const char *labels)
{
	key->family = family;
	key->len = 0;
	if (!put_part(key, name) || !put_part(key, member) ||
	    !put_part(key, "{"))
		return false;
	key->name_len = key->len;
	return put_part(key, labels);
}

static bool is_named(const struct series *s, const struct key *key)
{
	return s->key_len >= key->name_len &&
	       !memcmp(s->key, key->text, key->name_len);
}

/*
 * Whether a name has as many series as one may have; counted only when a key
 * is new, and not again once it has, as none is ever removed.
 */
static bool name_is_full(struct metrics *m, const struct key *key)
{
	uint64_t hash = XXH3_64bits(key->text, key->name_len);
	size_t nr = 0;

	for (size_t i = 0; i < MAX_FULL; i++)
		if (atomic_load(&m->full[i]) == hash)
			return true;
	for (size_t i = 0; i < METRICS_MAX_SERIES; i++)
		nr += atomic_load(&m->series[i].is_published) &&
		      is_named(&m->series[i], key);
	if (nr < METRICS_MAX_PER_FAMILY)
		return false;
	for (size_t i = 0; i < MAX_FULL; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(&m->full[i], &none, hash))
			break;
	}
	return true;
}

static uint64_t hash_of(const char *key, size_t len)
{
	uint64_t hash = XXH3_64bits(key, len);

	return hash ? hash : 1;
}

/* Of memory that came from a file. */
static bool is_readable(const struct series *s)
{
	return s->family < FAMILY_COUNT && s->key_len <= METRICS_MAX_KEY &&
	       memchr(s->key, '{', s->key_len);
}

bool metrics_are_sound(const struct metrics *m)
{
	for (size_t i = 0; i < NR_SLOTS; i++) {
		const struct series *s = &m->series[i];

		if (atomic_load(&s->is_published) &&
		    (!is_readable(s) ||
		     hash_of(s->key, s->key_len) != atomic_load(&m->hashes[i])))
			return false;
	}
	return true;
}

static struct series *publish(struct series *s, const struct key *key)
{
	memcpy(s->key, key->text, key->len);
	s->key_len = (uint16_t)key->len;
	s->family = (uint16_t)key->family;
	atomic_store(&s->is_published, 1);
	return s;
}

/* The series of a key; if it is new it is claimed, or NULL. */
static struct series *find_series(struct metrics *m, const struct key *key,
				  const struct room *room, bool may_claim)
{
	uint64_t hash = hash_of(key->text, key->len);

	for (size_t i = 0; i < MAX_TRIES; i++) {
		size_t at = room->first + (hash + i) % room->nr;
		struct series *s = &m->series[at];
		uint64_t seen = atomic_load(&m->hashes[at]);

		if (!seen) {
			if (!may_claim ||
			    (room == &own_room && name_is_full(m, key)))
				return NULL;
			if (atomic_compare_exchange_strong(&m->hashes[at],
							   &seen, hash))
				return publish(s, key);
		}
		if (seen == hash && atomic_load(&s->is_published) &&
		    s->key_len == key->len &&
		    !memcmp(s->key, key->text, key->len))
			return s;
	}
	return NULL;
}

/* others: NULL if the labels themselves are few. */
static struct series *series_of(struct metrics *m, enum metric_family family,
				const char *name, const char *member,
				const char *labels, const char *others)
{
	struct series *s = NULL;
	struct key key;

	if (make_key(&key, family, name, member, labels))
		s = find_series(m, &key, &own_room, true);
	if (s)
		return s;
	if (others)
		metrics_add(m, METRIC_SERIES_DROPPED, 1);
	if (make_key(&key, family, name, member, others ? others : labels))
		s = find_series(m, &key, &kept_room, true);
	if (!s && !others)
		metrics_add(m, METRIC_SERIES_DROPPED, 1);
	return s;
}

static void add_to(struct series *s, uint64_t n)
{
	if (s)
		atomic_fetch_add_explicit(&s->sum, n, memory_order_relaxed);
}

static void observe_in(struct series *s, uint64_t ns)
{
	const struct bound *row;
	size_t i = 0;

	if (!s)
		return;
	row = bounds[families[s->family].buckets];
	while (i < NR_BOUNDS && ns > row[i].ns)
		i++;
	atomic_fetch_add_explicit(&s->sum, ns, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->counts[i], 1, memory_order_relaxed);
}

void metrics_count(struct metrics *m, enum metric_family family,
		   const char *labels, uint64_t n)
{
	add_to(series_of(m, family, families[family].name, "", labels, NULL),
	       n);
}

void metrics_observe(struct metrics *m, enum metric_family family,
		     const char *labels, uint64_t ns)
{
	observe_in(
		series_of(m, family, families[family].name, "", labels, NULL),
		ns);
}

void metrics_observe_of(struct metrics *m, enum metric_family family,
			const char *endpoint, const char *labels,
			const char *others, uint64_t ns)
{
	observe_in(series_of(m, family, families[family].name, endpoint, labels,
			     others),
		   ns);
}

bool metrics_observe_again(struct metrics *m, enum metric_family family,
			   const char *endpoint, const char *labels,
			   uint64_t ns)
{
	struct series *s = NULL;
	struct key key;

	if (make_key(&key, family, families[family].name, endpoint, labels))
		s = find_series(m, &key, &own_room, false);
	observe_in(s, ns);
	return s != NULL;
}

void metrics_label(struct text *labels, const char *name, const char *value)
{
	if (labels->len)
		text_putc(labels, ',');
	text_puts(labels, name);
	text_puts(labels, "=\"");
	while (*value) {
		size_t plain = strcspn(value, "\\\"\n");

		text_append(labels, value, plain);
		value += plain;
		if (!*value)
			break;
		text_putc(labels, '\\');
		text_putc(labels, *value == '\n' ? 'n' : *value);
		value++;
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

void metrics_put_head(struct text *out, enum metric_family family,
		      const char *endpoint)
{
	const struct family *f = &families[family];

	text_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name, endpoint,
		    f->help, f->name, endpoint, kind_names[f->kind]);
}

void metrics_put_number(struct text *out, enum metric_family family,
			double value)
{
	metrics_put_head(out, family, "");
	text_printf(out, "%s %.17g\n", families[family].name, value);
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

	for (size_t i = 0; i < NR_SLOTS; i++) {
		const struct series *s = &m->series[i];

		/* Hashes lie side by side, so what is free costs little. */
		if (!atomic_load(&m->hashes[i]) ||
		    !atomic_load(&s->is_published) || !is_readable(s))
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
	const struct bound *row = bounds[families[s->family].buckets];
	const char *labels = s->key + family_len + 1;
	int nr_labels = (int)(s->key_len - family_len - 1);
	const char *comma = nr_labels ? "," : "";
	uint64_t total = 0;

	for (size_t i = 0; i <= NR_BOUNDS; i++) {
		total += shot->counts[i];
		text_printf(out, "%.*s_bucket{%.*s%sle=\"%s\"} %llu\n",
			    (int)family_len, s->key, nr_labels, labels, comma,
			    i < NR_BOUNDS ? row[i].text : "+Inf",
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
		const struct family *f = &families[s->family];
		size_t len = 0;

		while (len < s->key_len && s->key[len] != '{')
			len++;
		if (len != family_len || memcmp(family, s->key, len) != 0) {
			family = s->key;
			family_len = len;
			put_head(out, family, len, kind_names[f->kind],
				 f->help);
		}
		if (f->kind == KIND_COUNTER)
			text_printf(out, "%.*s} %llu\n", (int)s->key_len,
				    s->key, (unsigned long long)shots[i].sum);
		else
			put_histogram(out, &shots[i], family_len);
	}
}

void metrics_render(const struct metrics *m, struct text *out)
{
	struct snapshot *shots = mem_alloc(NR_SLOTS * sizeof(*shots));
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

void metrics_each(void (*fn)(const struct metric_about *about, void *ctx),
		  void *ctx)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
		fn(&(struct metric_about){ counters[i].name, "counter", "",
					   counters[i].help },
		   ctx);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		fn(&(struct metric_about){ families[i].name,
					   kind_names[families[i].kind],
					   families[i].labels,
					   families[i].help },
		   ctx);
}
