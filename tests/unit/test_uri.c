/*
 * test_uri.c - percent-encoding and the UTF-8 under it.
 */
#include "config.h"

#include "base/uri.h"

#include "unit.h"

/* A text with its length, for those that hold NUL. */
#define T(literal) (literal), sizeof(literal) - 1

static void test_decode(void **state)
{
	static const struct {
		const char *from;
		size_t len;
		enum uri_decode_flags flags;
		const char *to;
	} rows[] = {
		{ T(""), URI_COMPONENT, "" },
		{ T("plain"), URI_COMPONENT, "plain" },
		{ T("a%20b"), URI_COMPONENT, "a b" },
		{ T("%41%4a%4A"), URI_COMPONENT, "AJJ" },
		{ T("%2F%2e%2E"), URI_COMPONENT, "/.." },
		{ T("%2541"), URI_COMPONENT, "%41" },	/* once only */
		{ T("a+b"), URI_COMPONENT, "a+b" },
		{ T("a+b%2B"), URI_PLUS_IS_SPACE, "a b+" },
		{ T("%C3%A9"), URI_COMPONENT, "\xc3\xa9" },
		{ T("\xc3%A9"), URI_COMPONENT, "\xc3\xa9" },
		{ T("%F0%9F%98%80"), URI_COMPONENT, "\xf0\x9f\x98\x80" },
		{ T("%C2%80"), URI_COMPONENT, "\xc2\x80" },
		{ T("%7e%20"), URI_COMPONENT, "~ " },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char to[64];
		char same[64];

		print_message("# '%s'\n", rows[i].from);
		assert_int_equal(uri_decode(rows[i].from, rows[i].len,
					    rows[i].flags, to),
				 URI_OK);
		assert_string_equal(to, rows[i].to);
		memcpy(same, rows[i].from, rows[i].len);
		assert_int_equal(uri_decode(same, rows[i].len, rows[i].flags,
					    same),
				 URI_OK);
		assert_string_equal(same, rows[i].to);
	}
}

static void test_bad_decode(void **state)
{
	static const struct {
		const char *from;
		size_t len;
		enum uri_fault fault;
	} rows[] = {
		{ T("%"), URI_BAD_PERCENT },
		{ T("%4"), URI_BAD_PERCENT },
		{ T("%4g"), URI_BAD_PERCENT },
		{ T("%zz"), URI_BAD_PERCENT },
		{ T("%%41"), URI_BAD_PERCENT },
		{ T("a%"), URI_BAD_PERCENT },
		{ T("a%4"), URI_BAD_PERCENT },
		{ T("%+1"), URI_BAD_PERCENT },
		{ T("%-1"), URI_BAD_PERCENT },
		{ T("% 1"), URI_BAD_PERCENT },
		{ T("%u0041"), URI_BAD_PERCENT },
		{ T("%4\0"), URI_BAD_PERCENT },
		{ T("a\0b"), URI_CONTROL },
		{ T("a%00"), URI_CONTROL },
		{ T("%0a"), URI_CONTROL },
		{ T("%0d%0aX"), URI_CONTROL },
		{ T("a\nb"), URI_CONTROL },
		{ T("\x1f"), URI_CONTROL },
		{ T("%7f"), URI_CONTROL },
		{ T("\x7f"), URI_CONTROL },
		{ T("%80"), URI_BAD_UTF8 },
		{ T("%C3"), URI_BAD_UTF8 },
		{ T("%C3x"), URI_BAD_UTF8 },
		{ T("%C0%AF"), URI_BAD_UTF8 },
		{ T("%C1%BF"), URI_BAD_UTF8 },
		{ T("%E0%80%AF"), URI_BAD_UTF8 },
		{ T("%E0%9F%BF"), URI_BAD_UTF8 },
		{ T("%F0%80%80%AF"), URI_BAD_UTF8 },
		{ T("%F0%8F%BF%BF"), URI_BAD_UTF8 },
		{ T("%ED%A0%80"), URI_BAD_UTF8 },	/* surrogates */
		{ T("%ED%BF%BF"), URI_BAD_UTF8 },
		{ T("%F4%90%80%80"), URI_BAD_UTF8 },	/* past U+10FFFF */
		{ T("%F5%80%80%80"), URI_BAD_UTF8 },
		{ T("%FE"), URI_BAD_UTF8 },
		{ T("%FF"), URI_BAD_UTF8 },
		{ T("%E2%82"), URI_BAD_UTF8 },
		{ T("%F0%9F%98"), URI_BAD_UTF8 },
		{ T("\xe2\x28\xa1"), URI_BAD_UTF8 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char to[64];

		print_message("# %s: %s\n",
			      err_quote_len(rows[i].from, rows[i].len).text,
			      uri_fault_text(rows[i].fault));
		assert_int_equal(uri_decode(rows[i].from, rows[i].len,
					    URI_COMPONENT, to),
				 rows[i].fault);
		assert_int_equal(uri_decode(rows[i].from, rows[i].len,
					    URI_PLUS_IS_SPACE, to),
				 rows[i].fault);
	}
}

static void test_encode(void **state)
{
	static const struct {
		const char *from;
		size_t len;
		const char *to;
	} rows[] = {
		{ T(""), "" },
		{ T("AZaz09-._~"), "AZaz09-._~" },
		{ T("a b"), "a%20b" },
		{ T("00:00.5"), "00%3A00.5" },
		{ T("/%+&?#"), "%2F%25%2B%26%3F%23" },
		{ T("\xc3\xa9\xff"), "%C3%A9%FF" },
		{ T("\0\n\x7f"), "%00%0A%7F" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char to[64];
		size_t len = uri_encode(rows[i].from, rows[i].len, to);

		to[len] = '\0';
		print_message("# %s\n", to);
		assert_string_equal(to, rows[i].to);
	}
}

/* Every Unicode character goes round; all else is refused. */
static void test_every_character(void **state)
{
	UNUSED(state);
	for (uint32_t code = 0x80; code < 0x120000; code++) {
		bool is_good = code < 0x110000 &&
			       (code < 0xd800 || code > 0xdfff);
		unsigned char raw[4];
		char text[16];
		char back[16];
		size_t n;

		if (code < 0x800) {
			n = 2;
			raw[0] = (unsigned char)(0xc0 | code >> 6);
		} else if (code < 0x10000) {
			n = 3;
			raw[0] = (unsigned char)(0xe0 | code >> 12);
			raw[1] = (unsigned char)(0x80 | ((code >> 6) & 0x3f));
		} else {
			n = 4;
			raw[0] = (unsigned char)(0xf0 | code >> 18);
			raw[1] = (unsigned char)(0x80 | ((code >> 12) & 0x3f));
			raw[2] = (unsigned char)(0x80 | ((code >> 6) & 0x3f));
		}
		raw[n - 1] = (unsigned char)(0x80 | (code & 0x3f));
		if (uri_is_utf8((char *)raw, n) != is_good)
			fail_msg("U+%04X", code);
		if (uri_is_utf8((char *)raw, n - 1))
			fail_msg("U+%04X, cut", code);
		if (!is_good)
			continue;
		n = uri_encode((char *)raw, n, text);
		if (uri_decode(text, n, URI_COMPONENT, back) != URI_OK ||
		    memcmp(back, raw, strlen(back)))
			fail_msg("U+%04X does not go round", code);
	}
	assert_true(uri_is_utf8("", 0));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;

		assert_int_equal(uri_is_utf8(&byte, 1), c < 0x80);
	}
}

static void test_fault_texts(void **state)
{
	UNUSED(state);
	for (int fault = URI_OK; fault <= URI_BAD_UTF8; fault++)
		assert_string_not_equal(uri_fault_text((enum uri_fault)fault),
					"?");
	assert_string_equal(uri_fault_text((enum uri_fault)99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_bad_decode),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_fault_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
