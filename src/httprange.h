/*
 * httprange.h - byte ranges and validators, as text.
 *
 * Source: RFC 9110 8.8.3 (ETag), 13 (conditions), 14 (ranges).
 */
#ifndef SRC_HTTPRANGE_H
#define SRC_HTTPRANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum range_verdict {
	RANGE_NONE, /* send the whole: none, or one we ignore */
	RANGE_ONE,
	RANGE_UNSATISFIABLE,
};

/*
 * Reads a Range header against a body of length bytes.  Several ranges, other
 * units and malformed ones are ignored, as the source allows and demands.
 */
enum range_verdict httprange_parse(const char *header, uint64_t length,
				   uint64_t *offset_r,
				   uint64_t *count_r) MUST_CHECK;

/*
 * Whether a list of entity tags ("*" too) has this one, which is quoted.  Weak
 * comparison ignores "W/".
 */
bool etag_list_has(const char *list, const char *etag, bool weak) MUST_CHECK;

/* Whether an Accept-Encoding accepts gzip. */
bool accepts_gzip(const char *accept_encoding) MUST_CHECK;

#endif
