#include "config.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const struct {
	const char *name;
	const char *text;
} errors[] = {
#define ERR_ROW(name, text) { #name, text },
	ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

const char *err_name(enum err err)
{
	return (unsigned)err < ERR_COUNT ? errors[err].name : "?";
}

const char *err_text(enum err err)
{
	return (unsigned)err < ERR_COUNT ? errors[err].text : "?";
}

enum err err_set(struct errmsg *e, enum err err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return err;
}

struct errquote err_quote_len(const char *text, unsigned long len)
{
	struct errquote q;
	size_t at = 0;
	unsigned long i;

	for (i = 0; i < len && at < sizeof(q.text) - 4; i++) {
		unsigned char c = (unsigned char)text[i];

		q.text[at++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	if (i < len)
		at += (size_t)snprintf(q.text + at, 4, "...");
	q.text[at] = '\0';
	return q;
}

struct errquote err_quote(const char *text)
{
	return err_quote_len(text, strlen(text));
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("bug at %s:%d: %s", file, line, text);
	abort();
}
