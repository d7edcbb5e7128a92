#include "config.h"

#include "base/uri.h"

#include <stdint.h>
#include <string.h>

const char *uri_fault_text(enum uri_fault fault)
{
	switch (fault) {
	case URI_OK:
		return "no fault";
	case URI_BAD_PERCENT:
		return "a percent sign without two hexadecimal digits";
	case URI_CONTROL:
		return "a control character";
	case URI_BAD_UTF8:
		return "bytes that are not UTF-8";
	}
	return "?";
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum uri_fault uri_decode(const char *from, size_t len,
			  enum uri_decode_flags flags, char *to)
{
	enum uri_fault fault = URI_OK;
	size_t out = 0;

	for (size_t i = 0; i < len && !fault; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c == '%') {
			int high = i + 2 < len ? hex_value(from[i + 1]) : -1;
			int low = i + 2 < len ? hex_value(from[i + 2]) : -1;

			if (high < 0 || low < 0) {
				fault = URI_BAD_PERCENT;
				break;
			}
			c = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && (flags & URI_PLUS_IS_SPACE)) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			fault = URI_CONTROL;
		else
			to[out++] = (char)c;
	}
	to[out] = '\0';
	if (!fault && !uri_is_utf8(to, out))
		fault = URI_BAD_UTF8;
	return fault;
}

/* Letters, digits and - . _ ~, a bit each. */
static const uint32_t unreserved[8] = {
	0x00000000,
	0x03ff6000,
	0x87fffffe,
	0x47fffffe,
};

static bool is_unreserved(unsigned char c)
{
	return unreserved[c >> 5] >> (c & 31) & 1;
}

size_t uri_encode(const char *from, size_t len, char *to)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from[i];

		if (is_unreserved(c)) {
			to[out++] = (char)c;
			continue;
		}
		to[out++] = '%';
		to[out++] = hex[c >> 4];
		to[out++] = hex[c & 15];
	}
	return out;
}

const char *uri_encoded(struct arena *a, const char *text)
{
	size_t len = strlen(text);
	char *to = arena_alloc(a, 3 * len + 1);

	uri_encode(text, len, to);
	return to;
}

/* The length of the sequence that begins at p, or 0 if it is not valid. */
static size_t sequence_length(const unsigned char *p, size_t left)
{
	uint32_t code;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (n > left)
		return 0;
	code = p[0] & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && code < 0x800) || (n == 4 && code < 0x10000) ||
	    code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

bool uri_is_utf8(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	while (len) {
		size_t n = sequence_length(p, len);

		if (!n)
			return false;
		p += n;
		len -= n;
	}
	return true;
}
