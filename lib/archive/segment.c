#include "config.h"

#include "archive/segment.h"

#include <string.h>

const char *const segment_kind_names[SEGMENT_KIND_COUNT + 1] = {
	"full", "suspect", "partial", "temp", NULL,
};

bool segment_has_suffix(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && !memcmp(name + len - n, suffix, n);
}

/* The value of a character of url-safe base64, or -1. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	return -1;
}

/* Reads "MM:SS[.f]" of len bytes, f of at most six digits. */
static bool take_start(const char *p, size_t len, usec_t *us_r)
{
	int64_t minute, second;
	usec_t unit = USEC_PER_SEC / 10;
	usec_t us;

	if (len < 5 || len > 12 || p[2] != ':' || (len > 5 && p[5] != '.'))
		return false;
	minute = utime_take_digits(p, 2);
	second = utime_take_digits(p + 3, 2);
	if (minute < 0 || minute > 59 || second < 0 || second > 59)
		return false;
	us = (minute * 60 + second) * USEC_PER_SEC;
	for (size_t i = 6; i < len; i++, unit /= 10) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		us += (p[i] - '0') * unit;
	}
	*us_r = us;
	return true;
}

static int find_kind(const char *p, size_t len)
{
	for (int kind = 0; kind < SEGMENT_KIND_COUNT; kind++)
		if (strlen(segment_kind_names[kind]) == len &&
		    !memcmp(p, segment_kind_names[kind], len))
			return kind;
	return -1;
}

static bool is_hash(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (base64_value(p[i]) < 0)
			return false;
	return len > 0;
}

bool segment_parse(usec_t hour_us, const char *name, size_t len,
		   struct segment *seg_r)
{
	const char *end = name + len - (sizeof(SEGMENT_SUFFIX) - 1);
	const char *dash[3];
	const char *p = name;
	usec_t start, length;
	int kind;

	if (len > UINT8_MAX || !segment_has_suffix(name, len, SEGMENT_SUFFIX))
		return false;
	for (int i = 0; i < 3; i++) {
		dash[i] = memchr(p, '-', (size_t)(end - p));
		if (!dash[i])
			return false;
		p = dash[i] + 1;
	}
	if (!take_start(name, (size_t)(dash[0] - name), &start) ||
	    !utime_parse_seconds(dash[0] + 1,
				 (size_t)(dash[1] - dash[0] - 1),
				 SEGMENT_MAX_LENGTH, &length) ||
	    !length)
		return false;
	kind = find_kind(dash[1] + 1, (size_t)(dash[2] - dash[1] - 1));
	if (kind < 0 || (kind != SEGMENT_TEMP && !is_hash(p, (size_t)(end - p))))
		return false;
	*seg_r = (struct segment){
		.start_us = hour_us + start,
		.length_us = length,
		.kind = (uint8_t)kind,
		.stem_len = (uint8_t)(end - name),
		.hash_at = (uint8_t)(p - name),
	};
	return true;
}

int segment_compare_hash(const char *name_a, const struct segment *a,
			 const char *name_b, const struct segment *b)
{
	size_t len_a = (size_t)(a->stem_len - a->hash_at);
	size_t len_b = (size_t)(b->stem_len - b->hash_at);
	size_t common = len_a < len_b ? len_a : len_b;

	/* Six bits a character, in order: as good as the decoded bytes. */
	for (size_t i = 0; i < common; i++) {
		int diff = base64_value(name_a[a->hash_at + i]) -
			   base64_value(name_b[b->hash_at + i]);

		if (diff)
			return diff;
	}
	return (len_a > len_b) - (len_a < len_b);
}
