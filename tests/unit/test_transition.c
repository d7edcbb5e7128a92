/*
 * test_transition.c - every name of a transition, and what is none.
 */
#include "config.h"

#include "media/transition.h"

#include "unit.h"

/* As the protocol lists them. */
static const char *const names[] = {
	"fade", "fadeblack", "fadewhite", "fadegrays", "wipeleft", "wiperight",
	"wipeup", "wipedown", "slideleft", "slideright", "slideup",
	"slidedown", "circlecrop", "rectcrop", "distance", "radial",
	"smoothleft", "smoothright", "smoothup", "smoothdown", "circleopen",
	"circleclose", "vertopen", "vertclose", "horzopen", "horzclose",
	"dissolve", "pixelize", "diagtl", "diagtr", "diagbl", "diagbr",
	"hlslice", "hrslice", "vuslice", "vdslice", "hblur", "wipetl",
	"wipetr", "wipebl", "wipebr", "squeezeh", "squeezev", "zoomin",
	"hlwind", "hrwind", "vuwind", "vdwind", "coverleft", "coverright",
	"coverup", "coverdown", "revealleft", "revealright", "revealup",
	"revealdown", "clockwipe", "starwipe", "batman", "diamondwipe",
};

static void test_names(void **state)
{
	UNUSED(state);
	assert_int_equal(ARRAY_SIZE(names), 60);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct transition t = { .name = NULL };
		struct errmsg e = { "" };
		char text[64];

		print_message("# %s\n", names[i]);
		snprintf(text, sizeof(text), "%s,%zu.25", names[i], i % 60);
		assert_int_equal(transition_parse(text, &t, &e), ERR_OK);
		assert_string_equal(t.name, names[i]);
		assert_int_equal(t.length_us,
				 (usec_t)(i % 60) * USEC_PER_SEC + 250000);
	}
}

static void test_lengths(void **state)
{
	static const struct {
		const char *text;
		usec_t length_us;
	} rows[] = {
		{ "fade,1", 1000000 },
		{ "fade,0.000001", 1 },
		{ "fade,0.0000005", 1 },
		{ "fade,60", 60000000 },
		{ "fade,60.000000", 60000000 },
		{ "fade,01.5", 1500000 },
		{ "", 0 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct transition t = { "x", -1 };
		struct errmsg e = { "" };

		print_message("# '%s'\n", rows[i].text);
		assert_int_equal(transition_parse(rows[i].text, &t, &e),
				 ERR_OK);
		assert_int_equal(t.length_us, rows[i].length_us);
		if (*rows[i].text)
			assert_string_equal(t.name, "fade");
		else
			assert_null(t.name);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *text;
		const char *quoted;	/* what the message names */
	} rows[] = {
		{ ",", "''" },
		{ ",1", "''" },
		{ " ", "' '" },
		{ "1", "'1'" },
		{ "none,1", "'none'" },
		{ "fad,1", "'fad'" },
		{ "fades,1", "'fades'" },
		{ "Fade,1", "'Fade'" },
		{ "FADE,1", "'FADE'" },
		{ " fade,1", "' fade'" },
		{ "fade ,1", "'fade '" },
		{ "custom,1", "'custom'" },
		{ "fade;1", "'fade;1'" },
		{ "fade\n,1", "fade" },
		{ "fade", "'fade'" },
		{ "fade,", "'fade,'" },
		{ "fade,0", "'fade,0'" },
		{ "fade,0.0000004", "'fade,0.0000004'" },
		{ "fade,-1", "'fade,-1'" },
		{ "fade,+1", "'fade,+1'" },
		{ "fade, 1", "'fade, 1'" },
		{ "fade,1 ", "'fade,1 '" },
		{ "fade,1s", "'fade,1s'" },
		{ "fade,1e1", "'fade,1e1'" },
		{ "fade,0x1", "'fade,0x1'" },
		{ "fade,.5", "'fade,.5'" },
		{ "fade,1.", "'fade,1.'" },
		{ "fade,1,5", "'fade,1,5'" },
		{ "fade,1,", "'fade,1,'" },
		{ "fade,nan", "'fade,nan'" },
		{ "fade,inf", "'fade,inf'" },
		{ "fade,60.000001", "'fade,60.000001'" },
		{ "fade,61", "'fade,61'" },
		{ "fade,99999999999999999999", "'fade,9999" },
		{ "batman,0", "'batman,0'" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct transition t = { "untouched", UNIT_UNTOUCHED };
		struct errmsg e = { "" };

		print_message("# '%s'\n", err_quote(rows[i].text).text);
		assert_int_equal(transition_parse(rows[i].text, &t, &e),
				 ERR_INPUT);
		assert_string_equal(t.name, "untouched");
		assert_int_equal(t.length_us, UNIT_UNTOUCHED);
		if (!strstr(e.text, rows[i].quoted))
			fail_msg("\"%s\" does not say \"%s\"", e.text,
				 rows[i].quoted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
