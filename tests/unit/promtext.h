/*
 * promtext.h - a strict reader of the Prometheus text format 0.0.4, written
 * from its description; and stricter: every family has its HELP and TYPE in
 * front, every sample is there once, and what a histogram says adds up.
 */
#ifndef TESTS_UNIT_PROMTEXT_H
#define TESTS_UNIT_PROMTEXT_H

#include <ctype.h>

#include "unit.h"

/* One line of a text that is not a comment. */
struct sample {
	char name[128];
	char labels[512];	/* between the braces; "" if there are none */
	char text[64];		/* the value as written */
	double value;
};

struct samples {
	struct sample *all;
	size_t nr;
};

static inline void fail_at(const char *what, const char *at)
{
	fail_msg("%s at '%.80s'", what, at);
}

static inline const char *take_name(const char *p, char *name, size_t size)
{
	size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
			       "UVWXYZ_:0123456789");

	if (!len || len >= size || isdigit((unsigned char)*p))
		fail_at("no name", p);
	memcpy(name, p, len);
	name[len] = '\0';
	return p + len;
}

/* name="value",... up to the brace that ends them. */
static inline const char *skip_labels(const char *p)
{
	char name[64];

	while (*p != '}') {
		p = take_name(p, name, sizeof(name));
		if (strncmp(p, "=\"", 2) != 0)
			fail_at("no value", p);
		for (p += 2; *p != '"'; p++) {
			if (*p == '\\' && !strchr("\\\"n", *++p))
				fail_at("bad escape", p);
			if (!*p || *p == '\n')
				fail_at("no end of a value", p);
		}
		p++;
		if (*p == ',' && p[1] != '}')
			p++;
		else if (*p != '}')
			fail_at("no comma", p);
	}
	return p;
}

static inline const char *take_sample(const char *p, struct sample *s)
{
	const char *labels;
	size_t len;
	char *end;

	p = take_name(p, s->name, sizeof(s->name));
	s->labels[0] = '\0';
	if (*p == '{') {
		labels = p + 1;
		p = skip_labels(labels);
		len = (size_t)(p - labels);
		assert_true(len < sizeof(s->labels));
		memcpy(s->labels, labels, len);
		s->labels[len] = '\0';
		p++;
	}
	if (*p++ != ' ')
		fail_at("no space", p - 1);
	s->value = strtod(p, &end);
	len = (size_t)(end - p);
	if (!len || *end != '\n' || len >= sizeof(s->text))
		fail_at("no number", p);
	memcpy(s->text, p, len);
	s->text[len] = '\0';
	return end + 1;
}

/* The family that a sample is of, given the type of the last one. */
static inline bool belongs(const struct sample *s, const char *family,
		    const char *type)
{
	static const char *const suffixes[] = { "_bucket", "_count", "_sum" };
	size_t len = strlen(family);

	if (strncmp(s->name, family, len) != 0)
		return false;
	if (strcmp(type, "histogram") != 0)
		return !s->name[len];
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (!strcmp(s->name + len, suffixes[i]))
			return true;
	return false;
}

/* HELP and TYPE of one family, which was not there before. */
static inline const char *take_head(const char *p, const char *all, char *family,
			     size_t size, char *type)
{
	static const char *const types[] = { "counter", "histogram",
					     "gauge" };
	const char *begin = p;
	char line[256];
	char name[128];

	if (strncmp(p, "# HELP ", 7) != 0)
		fail_at("no HELP", p);
	p = take_name(p + 7, family, size);
	if (*p != ' ')	/* the help itself may be empty */
		fail_at("no help", p);
	p += strcspn(p, "\n") + 1;
	snprintf(line, sizeof(line), "# HELP %s ", family);
	if (strstr(all, line) != begin)
		fail_at("family again", begin);
	if (strncmp(p, "# TYPE ", 7) != 0)
		fail_at("no TYPE", p);
	p = take_name(p + 7, name, sizeof(name));
	assert_string_equal(name, family);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t len = strlen(types[i]);

		if (*p == ' ' && !strncmp(p + 1, types[i], len) &&
		    p[1 + len] == '\n') {
			strcpy(type, types[i]);
			return p + len + 2;
		}
	}
	fail_at("no type", p);
	return NULL;
}

/* The buckets of each histogram rise, and the last is the count. */
static inline void check_histograms(const struct samples *s)
{
	double last = 0;
	const char *name = "";

	for (size_t i = 0; i < s->nr; i++) {
		const struct sample *one = &s->all[i];
		size_t len = strlen(one->name);

		if (len > 7 && !strcmp(one->name + len - 7, "_bucket")) {
			if (strcmp(name, one->name) != 0)
				last = 0;
			name = one->name;
			assert_true(one->value >= last);
			last = one->value;
			if (strstr(one->labels, "le=\"+Inf\""))
				assert_true(s->all[i + 1].value == last);
			continue;
		}
		if (len > 6 && !strcmp(one->name + len - 6, "_count") &&
		    *name)
			assert_non_null(strstr(s->all[i - 1].labels,
					       "le=\"+Inf\""));
		name = "";
		last = 0;
	}
}

static inline int by_name(const void *a, const void *b)
{
	const struct sample *x = a;
	const struct sample *y = b;
	int diff = strcmp(x->name, y->name);

	return diff ? diff : strcmp(x->labels, y->labels);
}

/* Reads a text; the samples are sorted, each once. */
static inline void read_text(const char *text, struct samples *s)
{
	char family[128] = "";
	char type[16] = "";
	size_t capacity = unit_count(text, "\n");

	s->nr = 0;
	s->all = calloc(capacity + 1, sizeof(*s->all));
	assert_non_null(s->all);
	for (const char *p = text; *p;) {
		struct sample *one = &s->all[s->nr];

		if (*p == '#') {
			p = take_head(p, text, family, sizeof(family), type);
			continue;
		}
		p = take_sample(p, one);
		if (!belongs(one, family, type))
			fail_at("sample of another family", one->name);
		s->nr++;
	}
	check_histograms(s);
	qsort(s->all, s->nr, sizeof(*s->all), by_name);
	for (size_t i = 1; i < s->nr; i++)
		if (!by_name(&s->all[i - 1], &s->all[i]))
			fail_at("sample again", s->all[i].name);
}

static inline const struct sample *find(const struct samples *s, const char *name,
				 const char *labels)
{
	struct sample key;

	snprintf(key.name, sizeof(key.name), "%s", name);
	snprintf(key.labels, sizeof(key.labels), "%s", labels);
	return bsearch(&key, s->all, s->nr, sizeof(key), by_name);
}

/* The value of a sample; the test fails if there is none. */
static inline double value_of(const struct samples *s, const char *name,
		       const char *labels)
{
	const struct sample *one = find(s, name, labels);

	if (!one)
		fail_msg("no %s{%s}", name, labels);
	return one->value;
}

#endif
