/*
 * uri.h - percent-encoding (RFC 3986) and the UTF-8 under it.
 *
 * Source: RFC 3986 2.1-2.3 and RFC 3629.  Strict: what a sender had to encode
 * wrongly on purpose is not repaired.
 */
#ifndef BASE_URI_H
#define BASE_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"

enum uri_fault {
	URI_OK,
	URI_BAD_PERCENT, /* % not followed by two hexadecimal digits */
	URI_CONTROL,	 /* NUL, a control byte or DEL, decoded or not */
	URI_BAD_UTF8,	 /* overlong, surrogate, beyond U+10FFFF, cut */
};

enum uri_decode_flags {
	URI_COMPONENT = 0,
	URI_PLUS_IS_SPACE = 1 << 0, /* as in a query string */
};

/* What a fault is, for messages: "a percent sign without two digits". */
const char *uri_fault_text(enum uri_fault fault);

/*
 * Decodes len bytes into to, which has room for len + 1, and ends it with NUL.
 * Decoding never makes text longer, so to may be the source itself.  At a fault
 * to holds what came before it.
 */
enum uri_fault uri_decode(const char *from, size_t len,
			  enum uri_decode_flags flags, char *to) MUST_CHECK;

/*
 * Encodes all but the unreserved characters (letters, digits, - . _ ~) of len
 * bytes.  to has room for 3 * len; the answer is how many bytes were written.
 */
size_t uri_encode(const char *from, size_t len, char *to);

/* A text, encoded, in an arena. */
const char *uri_encoded(struct arena *a, const char *text) MUST_CHECK;

bool uri_is_utf8(const char *text, size_t len) MUST_CHECK;

#endif
