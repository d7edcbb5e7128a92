#include "config.h"

#include "base/logline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char cut_mark[] = " cut=true\n";

/* Always free until the line ends. */
#define ROOM (LOGLINE_BYTES - (sizeof(cut_mark) - 1))

void logline_begin(struct logline *l)
{
	l->len = 0;
	l->is_cut = false;
}

static bool is_printable(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

static bool needs_quotes(const char *value)
{
	for (const char *p = value; *p; p++)
		if (!is_printable((unsigned char)*p) || strchr(" =\"\\", *p))
			return true;
	return !*value;
}

static void put(struct logline *l, const char *text, size_t len)
{
	memcpy(l->text + l->len, text, len);
	l->len += len;
}

/* Begins a field if value_len more bytes have room behind the key. */
static bool put_key(struct logline *l, const char *key, size_t value_len)
{
	size_t key_len = strlen(key);

	if (l->len + 1 + key_len + 1 + value_len > ROOM) {
		l->is_cut = true;
		return false;
	}
	if (l->len)
		put(l, " ", 1);
	put(l, key, key_len);
	put(l, "=", 1);
	return true;
}

/* A byte as it stands between quotes; its length. */
static size_t escape(unsigned char c, char to[5])
{
	if (!is_printable(c))
		return (size_t)snprintf(to, 5, "\\x%02x", c);
	if (c == '"' || c == '\\') {
		to[0] = '\\';
		to[1] = (char)c;
		return 2;
	}
	to[0] = (char)c;
	return 1;
}

void logline_string_max(struct logline *l, const char *key, const char *value,
			size_t max)
{
	bool quoted = needs_quotes(value);
	size_t end;

	if (!put_key(l, key, 2))
		return;
	if (quoted)
		put(l, "\"", 1);
	/* A byte of room stays for the other quote. */
	end = max < ROOM - 1 - l->len ? l->len + max : ROOM - 1;
	for (; *value; value++) {
		char escaped[5];
		size_t len = escape((unsigned char)*value, escaped);

		if (l->len + len > end)
			break;
		put(l, escaped, len);
	}
	if (*value)
		l->is_cut = true;
	if (quoted)
		put(l, "\"", 1);
}

void logline_string(struct logline *l, const char *key, const char *value)
{
	logline_string_max(l, key, value, LOGLINE_BYTES);
}

static void put_plain(struct logline *l, const char *key, const char *value)
{
	size_t len = strlen(value);

	if (put_key(l, key, len))
		put(l, value, len);
}

void logline_number(struct logline *l, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_plain(l, key, text);
}

void logline_seconds(struct logline *l, const char *key, int64_t us)
{
	char text[32];

	us = us > 0 ? us : 0;
	snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64, us / 1000000,
		 us % 1000000);
	put_plain(l, key, text);
}

void logline_end(struct logline *l)
{
	if (l->is_cut && l->len)
		put(l, cut_mark, sizeof(cut_mark) - 1);
	else
		put(l, "\n", 1);
}
