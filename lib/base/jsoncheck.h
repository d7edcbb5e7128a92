/*
 * jsoncheck.h - whether a text is JSON, before a lenient parser sees it.
 *
 * json-c 0.16 takes more, even where it is told to be strict: names in single
 * quotes, control characters, NaN, 1. and -01.5, which it writes as they came,
 * integers of any size, of which it makes the nearest it has, and UTF-8 that
 * encodes surrogates; of half a surrogate pair, written as an escape, it makes
 * U+FFFD.  What passes here it reads as it is.
 *
 * Source: RFC 8259.  Nothing is allocated, and nothing recurses.
 */
#ifndef BASE_JSONCHECK_H
#define BASE_JSONCHECK_H

#include <stddef.h>

#include "base/compiler.h"

#define JSONCHECK_MAX_DEPTH 32

/*
 * NULL if the len bytes are one value, with white space around it; else what is
 * wrong with them ("a number that is none").  Wrong, too, are integers beyond
 * 64 bits, names with a NUL, half a surrogate pair, and values deeper than
 * JSONCHECK_MAX_DEPTH.
 */
const char *jsoncheck(const char *text, size_t len) MUST_CHECK;

#endif
