#include "config.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 256

void text_init(struct text *t, size_t max)
{
	*t = (struct text){ .max = max };
}

void text_release(struct text *t)
{
	free(t->data);
	*t = (struct text){ .max = t->max };
}

static void release_deferred(void *ptr)
{
	text_release(ptr);
}

struct text *text_new(struct arena *a, size_t max)
{
	struct text *t = ARENA_NEW(a, struct text);

	text_init(t, max);
	arena_defer(a, release_deferred, t);
	return t;
}

void text_clear(struct text *t)
{
	t->len = 0;
	t->overflowed = false;
	if (t->data)
		t->data[0] = '\0';
}

char *text_reserve(struct text *t, size_t len)
{
	size_t need;
	size_t capacity;

	if (len > t->max || t->len > t->max - len) {
		t->overflowed = true;
		return NULL;
	}
	need = t->len + len + 1;
	if (need > t->capacity) {
		capacity = t->capacity ? t->capacity : FIRST_CAPACITY;
		while (capacity < need)
			capacity *= 2;
		t->data = mem_resize(t->data, capacity);
		t->capacity = capacity;
	}
	return t->data + t->len;
}

void text_append(struct text *t, const void *data, size_t len)
{
	char *to = text_reserve(t, len);

	if (!to)
		return;
	if (len)
		memcpy(to, data, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_append(t, s, strlen(s));
}

void text_putc(struct text *t, char c)
{
	text_append(t, &c, 1);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	char *to;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	to = n < 0 ? NULL : text_reserve(t, (size_t)n);
	if (to) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

enum err text_check(const struct text *t, const char *what, struct errmsg *e)
{
	if (!t->overflowed)
		return ERR_OK;
	return err_set(e, ERR_LIMIT, "%s is longer than %zu bytes", what,
		       t->max);
}
