/*
 * text.h - a growable buffer of bytes that is told its maximum at birth.
 *
 * Appending never fails loudly: what does not fit under the maximum is not
 * appended, and the buffer is marked; whoever built the text asks
 * text_check() once at the end.  What was appended is followed by a NUL that
 * len does not count; whoever writes into text_reserve() sees to it himself.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"

struct text {
	char *data;
	size_t len;
	size_t capacity;
	size_t max;
	bool overflowed;
};

void text_init(struct text *t, size_t max);
void text_release(struct text *t);

/* A new text that the arena releases. */
struct text *text_new(struct arena *a, size_t max) MUST_CHECK;

void text_clear(struct text *t);
void text_append(struct text *t, const void *data, size_t len);
void text_puts(struct text *t, const char *s);
void text_putc(struct text *t, char c);
void text_printf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Room for at least len more bytes, or NULL (and marked) if the maximum does
 * not allow it.  The caller writes there and adds to t->len what it wrote.
 */
char *text_reserve(struct text *t, size_t len) MUST_CHECK;

/* ERR_LIMIT if anything did not fit; what names the text for the message. */
enum err text_check(const struct text *t, const char *what,
		    struct errmsg *e) MUST_CHECK;

#endif
