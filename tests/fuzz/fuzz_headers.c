/*
 * fuzz_headers.c - what clients say in headers: ranges, tags, encodings.
 *
 * The first eight bytes of the input are the length of the body, the rest is
 * the header.
 */
#include "config.h"

#include "httprange.h"

#include "fuzz.h"

#define ETAG "\"00000000000000010000000000000002\""

static void check_range(const char *header, uint64_t length)
{
	const uint64_t untouched = UINT64_C(0x5a5a5a5a5a5a5a5a);
	uint64_t offset = untouched;
	uint64_t count = untouched;

	if (httprange_parse(header, length, &offset, &count) == RANGE_ONE) {
		MUST(count > 0);
		MUST(offset < length);
		MUST(count <= length - offset);
	} else {
		MUST(offset == untouched && count == untouched);
	}
}

static void check_tags(const char *header)
{
	/* What is strongly equal is weakly equal. */
	if (etag_list_has(header, ETAG, false))
		MUST(etag_list_has(header, ETAG, true));
	if (etag_list_has(header, ETAG, true))
		MUST(strstr(header, ETAG) || strchr(header, '*'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t length = 0;
	size_t taken = size < sizeof(length) ? size : sizeof(length);
	char *header = fuzz_text(data + taken, size - taken);

	memcpy(&length, data, taken);
	check_range(header, length);
	check_range(header, length % 1000);
	check_range(header, 0);
	check_tags(header);
	/* Nobody is sent gzip who did not name it, or all. */
	if (accepts_gzip(header))
		MUST(strcasestr(header, "gzip") || strchr(header, '*'));
	free(header);
	return 0;
}
