#include "config.h"

#include "httprange.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits; more than fit saturate. */
static bool take_number(const char **p, uint64_t *value_r)
{
	uint64_t value = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); (*p)++) {
		if (value > (UINT64_MAX - 9) / 10)
			value = UINT64_MAX / 10 - 1;
		value = value * 10 + (uint64_t)(**p - '0');
	}
	*value_r = value;
	return true;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

enum range_verdict httprange_parse(const char *header, uint64_t length,
				   uint64_t *offset_r, uint64_t *count_r)
{
	uint64_t first = 0;
	uint64_t last = UINT64_MAX;
	bool has_first, has_last;
	const char *p;

	if (strncasecmp(header, "bytes=", 6) != 0)
		return RANGE_NONE;
	p = skip_space(header + 6);
	has_first = take_number(&p, &first);
	if (*p != '-')
		return RANGE_NONE;
	p++;
	has_last = take_number(&p, &last);
	p = skip_space(p);
	if (*p || (!has_first && !has_last) ||
	    (has_first && has_last && last < first))
		return RANGE_NONE;
	if (!has_first) { /* the last so many bytes */
		if (!last || !length)
			return RANGE_UNSATISFIABLE;
		first = last < length ? length - last : 0;
		last = length - 1;
	}
	if (first >= length)
		return RANGE_UNSATISFIABLE;
	if (last >= length)
		last = length - 1;
	*offset_r = first;
	*count_r = last - first + 1;
	return RANGE_ONE;
}

bool etag_list_has(const char *list, const char *etag, bool weak)
{
	size_t len = strlen(etag);
	const char *p = skip_space(list);

	if (*p == '*' && !*skip_space(p + 1))
		return true;
	while (*p) {
		bool is_weak = !strncmp(p, "W/", 2);
		size_t n;

		p += is_weak ? 2 : 0;
		if (*p != '"')
			return false;
		n = strcspn(p + 1, "\"");
		if (p[n + 1] != '"')
			return false;
		if (n + 2 == len && !memcmp(p, etag, len) && (weak || !is_weak))
			return true;
		p = skip_space(p + n + 2);
		if (*p == ',')
			p = skip_space(p + 1);
	}
	return false;
}

/* Whether "q=0", "q=0.000" and the like follow a coding. */
static bool is_refused(const char *params, size_t len)
{
	const char *end = params + len;
	const char *q = skip_space(params);

	if (q >= end || *q != ';')
		return false;
	q = skip_space(q + 1);
	if (end - q < 3 || strncasecmp(q, "q=0", 3) != 0)
		return false;
	for (q += 3; q < end; q++)
		if (*q != '.' && *q != '0' && *q != ' ' && *q != '\t')
			return false;
	return true;
}

bool accepts_gzip(const char *accept_encoding)
{
	const char *p = skip_space(accept_encoding);
	bool any = false;

	while (*p) {
		size_t len = strcspn(p, ",");
		size_t name = strcspn(p, ",; \t");
		bool refused = is_refused(p + name, len - name);

		if ((name == 4 && !strncasecmp(p, "gzip", 4)) ||
		    (name == 6 && !strncasecmp(p, "x-gzip", 6)))
			return !refused;
		if (name == 1 && *p == '*')
			any = !refused;
		p = skip_space(p + len + (p[len] == ','));
	}
	return any;
}
