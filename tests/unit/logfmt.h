/*
 * logfmt.h - a strict reader of lines of the log, for tests only.
 *
 * Shares nothing with what writes them; anything but KEY=VALUE ... as
 * logline.h describes it fails the test.
 */
#ifndef TESTS_UNIT_LOGFMT_H
#define TESTS_UNIT_LOGFMT_H

#include "unit.h"

#define LOGFMT_MAX_FIELDS 32

struct logfmt {
	size_t nr;
	struct {
		char key[32];
		char value[4096];
	} fields[LOGFMT_MAX_FIELDS];
};

static inline int logfmt_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c) : NULL;

	assert_non_null(p);
	return (int)(p - digits);
}

/* Reads what is between quotes; behind the second one. */
static inline const char *logfmt_quoted(const char *p, char *value)
{
	for (; *p != '"'; p++) {
		assert_in_range(*p, 0x20, 0x7e);
		if (*p != '\\') {
			*value++ = *p;
		} else if (p[1] == '"' || p[1] == '\\') {
			*value++ = *++p;
		} else {
			assert_int_equal(p[1], 'x');
			*value++ = (char)(logfmt_digit(p[2]) << 4 |
					  logfmt_digit(p[3]));
			p += 3;
		}
	}
	*value = '\0';
	return p + 1;
}

static inline const char *logfmt_plain(const char *p, char *value)
{
	assert_true(*p != ' ' && *p != '\n');
	for (; *p != ' ' && *p != '\n'; p++) {
		assert_in_range(*p, 0x21, 0x7e);
		assert_true(*p != '"' && *p != '\\' && *p != '=');
		*value++ = *p;
	}
	*value = '\0';
	return p;
}

/* Reads one line; behind its newline. */
static inline const char *logfmt_read(const char *p, struct logfmt *r)
{
	r->nr = 0;
	do {
		size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz_");

		assert_true(r->nr < LOGFMT_MAX_FIELDS);
		assert_in_range(len, 1, sizeof(r->fields[0].key) - 1);
		assert_int_equal(p[len], '=');
		memcpy(r->fields[r->nr].key, p, len);
		r->fields[r->nr].key[len] = '\0';
		p += len + 1;
		p = *p == '"' ? logfmt_quoted(p + 1, r->fields[r->nr].value) :
				logfmt_plain(p, r->fields[r->nr].value);
		r->nr++;
	} while (*p++ == ' ');
	assert_int_equal(p[-1], '\n');
	return p;
}

/* NULL if there is none of that key; it fails where there are two. */
static inline const char *logfmt_get(const struct logfmt *r, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < r->nr; i++) {
		if (strcmp(r->fields[i].key, key) != 0)
			continue;
		assert_null(value);
		value = r->fields[i].value;
	}
	return value;
}

#endif
