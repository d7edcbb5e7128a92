/*
 * fuzz_uri.c - any bytes as percent-encoded text, and as text to encode.
 */
#include "config.h"

#include <stdbool.h>

#include "base/uri.h"

#include "fuzz.h"

static void check_decode(const uint8_t *data, size_t size,
			 enum uri_decode_flags flags)
{
	char *from = fuzz_copy(data, size);
	char *to = malloc(size + 1);
	char *in_place = fuzz_text(data, size);
	enum uri_fault fault;

	if (!to)
		abort();
	fault = uri_decode(from, size, flags, to);
	MUST(uri_decode(in_place, size, flags, in_place) == fault);
	MUST(*uri_fault_text(fault) != '?');
	if (fault == URI_OK) {
		size_t len = strlen(to);
		char *text = malloc(3 * len + 1);
		char *again = malloc(3 * len + 1);
		size_t n;

		if (!text || !again)
			abort();
		MUST(len <= size);
		MUST(!strcmp(to, in_place));
		MUST(uri_is_utf8(to, len));
		for (size_t i = 0; i < len; i++)
			MUST((unsigned char)to[i] >= 0x20 && to[i] != 0x7f);
		n = uri_encode(to, len, text);
		MUST(n <= 3 * len);
		MUST(uri_decode(text, n, flags, again) == URI_OK);
		MUST(!strcmp(again, to));
		free(text);
		free(again);
	}
	free(from);
	free(to);
	free(in_place);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-._~%", c));
}

static void check_encode(const uint8_t *data, size_t size)
{
	char *from = fuzz_copy(data, size);
	char *to = malloc(3 * size + 1);
	size_t n;

	if (!to)
		abort();
	n = uri_encode(from, size, to);
	MUST(n >= size && n <= 3 * size);
	for (size_t i = 0; i < n; i++)
		MUST(is_plain(to[i]));
	free(from);
	free(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_decode(data, size, URI_COMPONENT);
	check_decode(data, size, URI_PLUS_IS_SPACE);
	check_encode(data, size);
	return 0;
}
