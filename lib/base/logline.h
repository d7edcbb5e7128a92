/*
 * logline.h - one line of a log in logfmt: KEY=VALUE ..., divided by spaces.
 *
 * A value is written as it is if it is printable ASCII without a space, an
 * equals sign, a quote or a backslash, and is not empty.  Any other is put in
 * quotes, in which \" and \\ are those two and \xHH is any byte outside
 * printable ASCII; so no value can end its field or its line, or reach a
 * terminal, and what was written can be read back byte for byte.
 *
 * A line has at most LOGLINE_BYTES, its newline included.  What does not fit is
 * left out, values from their end, and the line says so: cut=true is its last
 * field.
 *
 * Source: logfmt as Go's kr/logfmt reads it, but for \xHH.
 */
#ifndef BASE_LOGLINE_H
#define BASE_LOGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGLINE_BYTES 4096

struct logline {
	size_t len;
	bool is_cut;
	char text[LOGLINE_BYTES];
};

/* Keys are ours: of the characters a-z and _. */
void logline_begin(struct logline *l);
void logline_string(struct logline *l, const char *key, const char *value);

/* The same, with at most max bytes for the value as it is written. */
void logline_string_max(struct logline *l, const char *key, const char *value,
			size_t max);
void logline_number(struct logline *l, const char *key, uint64_t value);

/* A length of time, at least 0, in seconds: "0.001234". */
void logline_seconds(struct logline *l, const char *key, int64_t us);

/* Ends the line; text and len are then what is to be written. */
void logline_end(struct logline *l);

#endif
