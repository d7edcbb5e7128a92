/*
 * fuzz_segment.c - any bytes as the names of two files, one a line.
 */
#include "config.h"

#include <stdio.h>

#include "archive/segment.h"

#include "fuzz.h"

static bool parse(const char *name, size_t len, struct segment *seg)
{
	struct segment untouched;

	memset(&untouched, 0x5a, sizeof(untouched));
	*seg = untouched;
	if (segment_parse(FUZZ_HOUR, name, len, seg))
		return true;
	MUST(!memcmp(seg, &untouched, sizeof(untouched)));
	return false;
}

/* What was read is within bounds, and reads the same when written anew. */
static void check(const char *name, size_t len, const struct segment *seg)
{
	usec_t in_hour = seg->start_us - FUZZ_HOUR;
	struct segment again;
	char text[512];
	int n;

	MUST(in_hour >= 0 && in_hour < USEC_PER_HOUR);
	MUST(seg->length_us > 0 && seg->length_us <= SEGMENT_MAX_LENGTH);
	MUST(seg->kind < SEGMENT_KIND_COUNT);
	MUST(seg->stem_len + strlen(SEGMENT_SUFFIX) == len);
	MUST(seg->hash_at <= seg->stem_len);
	MUST(seg->kind == SEGMENT_TEMP || seg->hash_at < seg->stem_len);
	MUST(segment_has_suffix(name, len, SEGMENT_SUFFIX));
	if (memchr(name, '\0', len))
		return;		/* only of a temp name, and never of a file */
	n = snprintf(text, sizeof(text), "%02d:%02d.%06d-%d.%06d-%s-%.*s.ts",
		     (int)(in_hour / USEC_PER_SEC / 60),
		     (int)(in_hour / USEC_PER_SEC % 60),
		     (int)(in_hour % USEC_PER_SEC),
		     (int)(seg->length_us / USEC_PER_SEC),
		     (int)(seg->length_us % USEC_PER_SEC),
		     segment_kind_names[seg->kind],
		     seg->stem_len - seg->hash_at, name + seg->hash_at);
	if (n > UINT8_MAX)
		return;
	MUST(parse(text, (size_t)n, &again));
	MUST(again.start_us == seg->start_us);
	MUST(again.length_us == seg->length_us);
	MUST(again.kind == seg->kind);
	if (seg->kind != SEGMENT_TEMP)
		MUST(!segment_compare_hash(name, seg, text, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	size_t len_a = line ? (size_t)(line - data) : size;
	size_t len_b = line ? size - len_a - 1 : 0;
	char *a = fuzz_copy(data, len_a);
	char *b = fuzz_copy(line ? line + 1 : data, len_b);
	struct segment seg_a, seg_b;
	bool is_a = parse(a, len_a, &seg_a);
	bool is_b = parse(b, len_b, &seg_b);

	if (is_a)
		check(a, len_a, &seg_a);
	if (is_b)
		check(b, len_b, &seg_b);
	if (is_a && is_b) {
		int forth = segment_compare_hash(a, &seg_a, b, &seg_b);
		int back = segment_compare_hash(b, &seg_b, a, &seg_a);

		MUST((forth > 0) - (forth < 0) == (back < 0) - (back > 0));
	}
	free(a);
	free(b);
	return 0;
}
