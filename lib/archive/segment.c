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

/* One more than the value of each character of url-safe base64; else 0. */
static const uint8_t base64_values[256] = {
	['A'] = 1,  ['B'] = 2,	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,
	['G'] = 7,  ['H'] = 8,	['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12,
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
	['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30,
	['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
	['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
	['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60,
	['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

static int base64_value(char c)
{
	return base64_values[(unsigned char)c] - 1;
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
	bool all = true;

	for (size_t i = 0; i < len; i++)
		all &= base64_values[(unsigned char)p[i]] != 0;
	return all && len > 0;
}

bool segment_parse(usec_t hour_us, const char *name, size_t len,
		   struct segment *seg_r)
{
	const char *dash[3];
	const char *end;
	const char *p = name;
	usec_t start, length;
	int kind;

	if (len > UINT8_MAX || !segment_has_suffix(name, len, SEGMENT_SUFFIX))
		return false;
	end = name + len - (sizeof(SEGMENT_SUFFIX) - 1);
	for (int i = 0; i < 3; i++) {
		dash[i] = memchr(p, '-', (size_t)(end - p));
		if (!dash[i])
			return false;
		p = dash[i] + 1;
	}
	if (!take_start(name, (size_t)(dash[0] - name), &start) ||
	    !utime_parse_seconds(dash[0] + 1, (size_t)(dash[1] - dash[0] - 1),
				 SEGMENT_MAX_LENGTH, &length) ||
	    !length)
		return false;
	kind = find_kind(dash[1] + 1, (size_t)(dash[2] - dash[1] - 1));
	if (kind < 0 ||
	    (kind != SEGMENT_TEMP && !is_hash(p, (size_t)(end - p))))
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
