#include "config.h"

#include "base/jsoncheck.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/uri.h"

#define SAFE_DIGITS 18 /* any integer of so many fits into 64 bits */
#define MAX_DIGITS  20

/* Of UTF-16 */
#define SURROGATES  0xfc00u
#define FIRST_HALF  0xd800u
#define SECOND_HALF 0xdc00u

struct reader {
	const char *p;
	const char *end;
	const char *fault;
	bool saw_nul; /* written as an escape */
};

static bool fail(struct reader *r, const char *fault)
{
	r->fault = fault;
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' ||
				 *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool take_char(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static size_t take_digits(struct reader *r)
{
	const char *from = r->p;

	while (r->p < r->end && is_digit(*r->p))
		r->p++;
	return (size_t)(r->p - from);
}

static bool fits(const char *from, size_t len)
{
	char digits[MAX_DIGITS + 2];

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, from, len);
	digits[len] = '\0';
	errno = 0;
	if (*digits == '-')
		(void)strtoll(digits, NULL, 10);
	else
		(void)strtoull(digits, NULL, 10);
	return !errno;
}

static bool take_number(struct reader *r)
{
	const char *from = r->p;
	bool is_integer = true;
	const char *first;
	size_t nr;

	take_char(r, '-');
	first = r->p;
	nr = take_digits(r);
	if (!nr || (nr > 1 && *first == '0'))
		return fail(r, "a number that is none");
	if (take_char(r, '.')) {
		is_integer = false;
		if (!take_digits(r))
			return fail(r, "a number that is none");
	}
	if (take_char(r, 'e') || take_char(r, 'E')) {
		is_integer = false;
		if (!take_char(r, '+'))
			take_char(r, '-');
		if (!take_digits(r))
			return fail(r, "a number that is none");
	}
	if (is_integer && nr > SAFE_DIGITS &&
	    !fits(from, (size_t)(r->p - from)))
		return fail(r, "an integer of more than 64 bits");
	return true;
}

static bool take_hex(struct reader *r, unsigned *code_r)
{
	char digits[5] = "";

	for (int i = 0; i < 4; i++, r->p++) {
		if (r->p == r->end ||
		    !memchr("0123456789abcdefABCDEF", *r->p, 22))
			return fail(r, "an escape that is none");
		digits[i] = *r->p;
	}
	*code_r = (unsigned)strtoul(digits, NULL, 16);
	return true;
}

static bool take_escape(struct reader *r)
{
	unsigned code;

	if (r->p == r->end || !memchr("\"\\/bfnrtu", *r->p, 9))
		return fail(r, "an escape that is none");
	if (*r->p++ != 'u')
		return true;
	if (!take_hex(r, &code))
		return false;
	r->saw_nul |= !code;
	if ((code & SURROGATES) != FIRST_HALF)
		return (code & SURROGATES) != SECOND_HALF ||
		       fail(r, "half a character");
	if (!take_char(r, '\\') || !take_char(r, 'u'))
		return fail(r, "half a character");
	if (!take_hex(r, &code))
		return false;
	return (code & SURROGATES) == SECOND_HALF ||
	       fail(r, "half a character");
}

/* Behind the quote it begins with. */
static bool take_string(struct reader *r)
{
	while (r->p < r->end) {
		unsigned char c = (unsigned char)*r->p++;

		if (c == '"')
			return true;
		if (c < 0x20)
			return fail(r, "a control character in a string");
		if (c == '\\' && !take_escape(r))
			return false;
	}
	return fail(r, "a string without an end");
}

static bool take_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return fail(r, "a word that is none");
	r->p += len;
	return true;
}

static bool take_scalar(struct reader *r)
{
	switch (r->p < r->end ? *r->p : '\0') {
	case '"':
		r->p++;
		return take_string(r);
	case 't':
		return take_word(r, "true");
	case 'f':
		return take_word(r, "false");
	case 'n':
		return take_word(r, "null");
	default:
		return take_number(r);
	}
}

/* The name of a member and its colon. */
static bool take_name(struct reader *r)
{
	skip_space(r);
	if (!take_char(r, '"'))
		return fail(r, "a member without a name");
	r->saw_nul = false;
	if (!take_string(r))
		return false;
	if (r->saw_nul)
		return fail(r, "a name with a NUL");
	skip_space(r);
	return take_char(r, ':') || fail(r, "a name without a colon");
}

struct nesting {
	char closing[JSONCHECK_MAX_DEPTH];
	int depth;
};

/* Opens what begins here, down to a value that holds none, or an empty one. */
static bool take_openings(struct reader *r, struct nesting *n)
{
	for (;;) {
		bool is_object;

		skip_space(r);
		is_object = take_char(r, '{');
		if (!is_object && !take_char(r, '['))
			return take_scalar(r);
		if (n->depth == JSONCHECK_MAX_DEPTH)
			return fail(r, "values within values too deep");
		n->closing[n->depth++] = is_object ? '}' : ']';
		skip_space(r);
		if (take_char(r, is_object ? '}' : ']')) {
			n->depth--;
			return true;
		}
		if (is_object && !take_name(r))
			return false;
	}
}

/* Closes what ends here, up to a comma that says there is another value. */
static bool take_closings(struct reader *r, struct nesting *n)
{
	while (n->depth) {
		char closing = n->closing[n->depth - 1];

		skip_space(r);
		if (take_char(r, ','))
			return closing == ']' || take_name(r);
		if (!take_char(r, closing))
			return fail(r, "a value that does not end");
		n->depth--;
	}
	return true;
}

const char *jsoncheck(const char *text, size_t len)
{
	struct reader r = { .p = text, .end = text + len };
	struct nesting nesting = { .depth = 0 };

	do {
		if (!take_openings(&r, &nesting) ||
		    !take_closings(&r, &nesting))
			return r.fault;
	} while (nesting.depth);
	skip_space(&r);
	if (r.p < r.end)
		return "more than one value";
	return uri_is_utf8(text, len) ? NULL : "bytes that are not UTF-8";
}
