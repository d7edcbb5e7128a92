/*
 * test_bestseg.c - the best sequence of a range, sentence by sentence of its
 * rules; test_bestseg_random.c has more of it.
 */
#include "config.h"

#include "archive/bestseg.h"

#include "sequence.h"

struct row {
	const char *what;
	const char *files;
	const char *start;
	const char *end;
	const char *expected;
};

static void check_rows(const char *name, const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct row *row = &rows[i];
		struct hourreader *reader;
		char quality[64];
		struct sequence s;

		print_message("# %s\n", row->what);
		snprintf(quality, sizeof(quality), "%s%zu", name, i);
		reader = seq_reader(quality);
		seq_make(quality, row->files);
		seq_find(reader, UNIT_HOUR + seq_us(row->start),
			 UNIT_HOUR + seq_us(row->end), &s);
		assert_string_equal(seq_text(&s), row->expected);
	}
}

#define CHECK_ROWS(name, rows) check_rows((name), (rows), ARRAY_SIZE(rows))

static void test_first(void **state)
{
	static const struct row rows[] = {
		{ "one covers it all", "F0+10", "2", "8", "0" },
		{ "the first begins at the start", "F0+2 F2+2", "2", "4",
		  "2" },
		{ "the first covers the start", "F0+2 F2+2", "1.999999", "4",
		  "0 2" },
		{ "one that ends at the start does not cover it",
		  "F0+2 F2+2", "2", "3", "2" },
		{ "of two that cover, the earlier", "F0+5 F1+9", "2", "4",
		  "0" },
		{ "one that covers, though a lost one began later",
		  "F0+9 F1+1 F2+2", "5", "9", "0" },
		{ "a partial covers", "P0+4 F4+2", "1", "6", "0 (0) 4" },
		{ "none covers: a hole, then the first inside", "F3+2", "1",
		  "5", "(2) 3" },
		{ "none covers, none is inside", "F0+1 F9+1", "2", "8",
		  "(6)" },
		{ "nothing at all", "", "2", "8", "(6)" },
		{ "the first begins at the end", "F8+2", "2", "8", "(6)" },
		{ "the first begins just before the end", "F7.999999+2", "2",
		  "8", "(5.999999) 7.999999" },
		{ "a hole of a microsecond at the start", "F2.000001+2", "2",
		  "4", "(0.000001) 2.000001" },
		{ "only what is temp or deleted", "T0+4 F0+4b X0+4b", "0", "4",
		  "(4)" },
		{ "a deleted one leaves its twin", "F0+4b X0+4b F0+3a", "0",
		  "3", "0" },
	};

	UNUSED(state);
	CHECK_ROWS("first", rows);
}

static void test_following(void **state)
{
	static const struct row rows[] = {
		{ "neighbours", "F0+2 F2+2 F4+2", "0", "6", "0 2 4" },
		{ "a gap of 5 ms", "F0+2 F2.005+2", "0", "4", "0 2.005" },
		{ "a gap of 10 ms", "F0+2 F2.01+2", "0", "4", "0 2.01" },
		{ "a gap of 10.001 ms", "F0+2 F2.010001+2", "0", "4",
		  "0 (0.010001) 2.010001" },
		{ "an overlap of 5 ms", "F0+2 F1.995+3", "0", "4", "0 1.995" },
		{ "an overlap of 10 ms", "F0+2 F1.99+3", "0", "4", "0 1.99" },
		{ "an overlap of 10.001 ms", "F0+2 F1.989999+3", "0", "4",
		  "0 (2)" },
		{ "the skipped one's follower follows",
		  "F0+2 F1.5+2 F2.005+2", "0", "4", "0 2.005" },
		{ "the skipped one's follower leaves a hole",
		  "F0+2 F1+2 F3+2", "0", "5", "0 (1) 3" },
		{ "skipped ones do not join", "F0+2 F1+2 F1.5+9 F3+2", "0",
		  "5", "0 (1) 3" },
		{ "after a partial, a hole", "P0+2 F2+2", "0", "4",
		  "0 (0) 2" },
		{ "after a suspect, a hole", "S0+2 F2.005+2", "0", "4",
		  "0 (0.005) 2.005" },
		{ "after an overlapping partial, a hole of no length",
		  "P0+2 F1.995+3", "0", "4", "0 (0) 1.995" },
		{ "after a partial too, an overlap is skipped",
		  "P0+2 F1.5+3 F5+2", "0", "7", "0 (3) 5" },
		{ "a partial between", "F0+2 P2+2 F4+2", "0", "6",
		  "0 2 (0) 4" },
		{ "full before partial of the same start",
		  "P0+9b F0+2 F2+2", "0", "4", "0 2" },
		{ "short ones", "F0+0.001 F0.001+0.001 F0.002+2", "0", "2",
		  "0 0.001 0.002" },
		{ "a short one inside the seam", "F0+2 F1.995+0.001 F2+2",
		  "0", "4", "0 1.995 2" },
		{ "one of a microsecond, and the next begins in it too",
		  "F0+0.000001 F0.000001+2", "0", "2", "0 0.000001" },
		{ "after a short one that went back, the overlap counts anew",
		  "F0+2 F1.992+0.001 F1.984+2 F1.985+2 F1.993+2", "0", "3.99",
		  "0 1.992 1.993" },
	};

	UNUSED(state);
	CHECK_ROWS("following", rows);
}

static void test_end(void **state)
{
	static const struct row rows[] = {
		{ "reached exactly", "F0+2 F2+2", "0", "4", "0 2" },
		{ "nothing from the end on", "F0+2 F2+2 F4+2", "0", "4",
		  "0 2" },
		{ "nothing at the end, though the last overlaps it",
		  "F0+2 F2+2.005 F4+2", "0", "4", "0 2" },
		{ "a microsecond short", "F0+1.999999", "0", "2",
		  "0 (0.000001)" },
		{ "reached, but by a partial", "F0+2 P2+2", "0", "4",
		  "0 2 (0)" },
		{ "reached, but by a suspect", "S0+5", "0", "4", "0 (0)" },
		{ "a partial, continued", "P0+2 F2+2", "0", "2", "0 (0)" },
		{ "a partial, 5 ms short and continued", "P0+1.995 F2+2", "0",
		  "2", "0 (0.005)" },
		{ "5 ms short, continued at the end", "F0+1.995 F2+2", "0",
		  "2", "0" },
		{ "5 ms short, continued after it", "F0+1.995 F2.003+2", "0",
		  "2", "0" },
		{ "continued 10 ms after", "F0+1.995 F2.005+2", "0", "2",
		  "0" },
		{ "continued 10.001 ms after", "F0+1.995 F2.005001+2", "0",
		  "2", "0 (0.005)" },
		{ "10 ms short, continued at the end", "F0+1.99 F2+2", "0",
		  "2", "0" },
		{ "10.001 ms short, continued too late", "F0+1.989999 F2+2",
		  "0", "2", "0 (0.010001)" },
		{ "continued by a partial", "F0+1.995 P2+2", "0", "2", "0" },
		{ "continued by temp: not", "F0+1.995 T2+2", "0", "2",
		  "0 (0.005)" },
		{ "continued by a deleted one: not", "F0+1.995 F2+2 X2+2", "0",
		  "2", "0 (0.005)" },
		{ "a skipped one reaches it: no matter", "F0+2 F1+2 F9+1",
		  "0", "3", "0 (1)" },
		{ "a skipped one continues: no matter", "F0+1.995 F1+1", "0",
		  "2", "0 (0.005)" },
		{ "nothing follows one that reaches the end",
		  "F0+2 F1.995+2", "0", "2", "0" },
		{ "one that begins just before the end", "F0+2 F2+2", "0",
		  "2.000001", "0 2" },
		{ "what is missing at both ends", "F3+2", "1", "8",
		  "(2) 3 (3)" },
		{ "the end is before the start", "F0+10", "4", "2", "(0)" },
		{ "the end is the start", "F0+10", "4", "4", "(0)" },
		{ "the end is the start of a segment", "F4+2", "4", "4",
		  "(0)" },
		{ "a range of a microsecond", "F0+10", "4", "4.000001", "0" },
		{ "and one in a hole", "F0+2", "4", "4.000001", "(0.000001)" },
	};

	UNUSED(state);
	CHECK_ROWS("end", rows);
}

static void test_seam_at_start(void **state)
{
	static const struct row rows[] = {
		{ "in a seam of 5 ms", "F0+2 F2.005+2", "2.002", "4",
		  "2.005" },
		{ "at its beginning", "F0+2 F2.005+2", "2", "4", "2.005" },
		{ "in a seam of 10 ms, at its last microsecond",
		  "F0+2 F2.01+2", "2.009999", "4", "2.01" },
		{ "in a seam of 10 ms, at its beginning", "F0+2 F2.01+2",
		  "2", "4", "2.01" },
		{ "10.001 ms are no seam", "F0+2 F2.010001+2", "2.005", "4",
		  "(0.005001) 2.010001" },
		{ "after a partial there is no seam", "P0+2 F2.005+2", "2.002",
		  "4", "(0.003) 2.005" },
		{ "after a suspect neither", "S0+2 F2.005+2", "2.002", "4",
		  "(0.003) 2.005" },
		{ "before a partial there is", "F0+2 P2.005+2", "2.002",
		  "4.005", "2.005 (0)" },
		{ "after a deleted one there is not", "F0+2 X0+2 F2.005+2",
		  "2.002", "4", "(0.003) 2.005" },
		{ "nothing before it", "F2.005+2", "2.002", "4",
		  "(0.003) 2.005" },
		{ "what comes later is no seam either", "F2.005+2 F2.006+2",
		  "2.002", "4", "(0.003) 2.005" },
		{ "both ends of the range in one seam", "F0+2 F2.008+2",
		  "2.002", "2.005", "(0.003)" },
		{ "at both ends seams", "F0+2 F2.005+1.99 F4+2", "2.003",
		  "3.998", "2.005" },
	};

	UNUSED(state);
	CHECK_ROWS("seam", rows);
}

static void test_hours(void **state)
{
	static const struct row rows[] = {
		{ "one from the hour before covers the start", "F-1+3 F2+2",
		  "0", "4", "-1 2" },
		{ "one from the hour before, an hour long",
		  "F-0.000001+3600", "3599", "3599.999999", "-0.000001" },
		{ "one from two hours before cannot",
		  "F-3600.000001+3600 F-0.0005+2", "0", "1", "-0.0005" },
		{ "neighbours across the hour", "F-2+2 F0+2", "-2", "2",
		  "-2 0" },
		{ "a seam across the hour", "F-2+1.995 F0.003+2", "-2", "2",
		  "-2 0.003" },
		{ "the range begins in it, before the hour",
		  "F-2+1.995 F0.003+2", "-0.002", "2", "0.003" },
		{ "the range begins in it, at the hour", "F-2+1.995 F0.003+2",
		  "0", "2", "0.003" },
		{ "the range begins in it, after the hour",
		  "F-2+1.995 F0.003+2", "0.002", "2", "0.003" },
		{ "the range ends in it, before the hour",
		  "F-2+1.995 F0.003+2", "-2", "-0.002", "-2" },
		{ "the range ends in it, at the hour", "F-2+1.995 F0.003+2",
		  "-2", "0", "-2" },
		{ "the range ends in it, after the hour",
		  "F-2+1.995 F0.003+2", "-2", "0.002", "-2" },
		{ "continued 10 ms after, at the hour", "F-2+1.99 F0+2", "-2",
		  "-0.005", "-2" },
		{ "10 ms across the hour", "F-2+1.995 F0.005+2", "-2", "2",
		  "-2 0.005" },
		{ "10.001 ms across the hour", "F-2+1.995 F0.005001+2", "-2",
		  "2", "-2 (0.010001) 0.005001" },
		{ "an overlap of 10 ms across the hour", "F-2+2.01 F0+2",
		  "-2", "2", "-2 0" },
		{ "an overlap of 10.001 ms across the hour",
		  "F-2+2.010001 F0+2", "-2", "2", "-2 (1.989999)" },
		{ "a suspect across the hour", "S-2+2.005 F0+2", "-2", "2",
		  "-2 (0) 0" },
		{ "a hole across the hour", "F-2+1 F1+2", "-2", "3",
		  "-2 (2) 1" },
		{ "an overlap across the hour is skipped", "F-2+4 F0+3 F2+2",
		  "-2", "4", "-2 2" },
		{ "the first of an hour is skipped, its chain with it",
		  "F-2+2.5 F0+2 F2+2 F0.5+2 F2.5+2", "-2", "4",
		  "-2 0.5 2.5" },
		{ "the chain is reached again", "F-2+2.5 F0+2 F0.5+1.5 F2+2",
		  "-2", "4", "-2 0.5 2" },
		{ "a partial across the hour", "P-2+2 F0+2", "-2", "2",
		  "-2 (0) 0" },
		{ "whole hours missing", "F-2+2 F7200+2", "-2", "7202",
		  "-2 (7200) 7200" },
		{ "the range is one of the missing hours", "F-2+2 F7200+2",
		  "0", "3600", "(3600)" },
		{ "a long one over a whole hour's end",
		  "F-1800+3600 F0+10 F1795+2 F1800+2", "-1800", "1802",
		  "-1800 1800" },
		{ "end at the hour", "F3598+2 F3600+2", "3598", "3600",
		  "3598" },
		{ "start at the hour", "F3598+2 F3600+2", "3600", "3602",
		  "3600" },
		{ "skipped in the next hour too",
		  "F3599+4 F3600+2 F3602+0.5 F3603+1", "3599", "3604",
		  "3599 3603" },
	};

	UNUSED(state);
	CHECK_ROWS("hours", rows);
}

static void test_cut_and_forget(void **state)
{
	static const struct {
		const char *what;
		size_t span;
		uint32_t entry;
		const char *expected;
	} rows[] = {
		/* The last hole is not counted, so it is none of the text. */
		{ "in the second hour", 1, 1, "(1) 3595 3597 (1) 3600" },
		{ "before the second hour", 1, 0, "(1) 3595 3597" },
		{ "before a hole inside", 1, 2, "(1) 3595 3597 (1) 3600 3602" },
		{ "the second of all", 0, 1, "(1) 3595" },
		{ "the first of all", 0, 0, "" },
	};
	struct hourreader *reader = seq_reader("cut");
	struct sequence s;

	UNUSED(state);
	seq_make("cut", "F3595+2 F3597+2 F3600+2 F3602+2 P3605+2 F3607+2");
	seq_find(reader, UNIT_HOUR + 3594 * USEC_PER_SEC,
		 UNIT_HOUR + 3610 * USEC_PER_SEC, &s);
	assert_string_equal(
		seq_text(&s),
		"(1) 3595 3597 (1) 3600 3602 (1) 3605 (0) 3607 (1)");
	sequence_forget_end(&s);
	assert_int_equal(s.nr_holes, 4);
	assert_int_equal(s.holes_us, 3 * USEC_PER_SEC);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].what);
		seq_find(reader, UNIT_HOUR + 3594 * USEC_PER_SEC,
			 UNIT_HOUR + 3610 * USEC_PER_SEC, &s);
		sequence_cut_before(&s, rows[i].span, rows[i].entry);
		assert_true(s.hole_at_end);
		s.hole_at_end = false;
		if (*rows[i].expected)
			assert_string_equal(seq_text(&s), rows[i].expected);
		else
			assert_int_equal(s.nr + s.nr_holes +
						 (size_t)s.holes_us,
					 0);
	}
}

static void test_error(void **state)
{
	struct hourreader *reader = seq_reader("broken");
	struct time_range range = { UNIT_HOUR, UNIT_HOUR + USEC_PER_SEC };
	struct quality gone = *reader->quality;
	struct hourreader lost = *reader;
	struct errmsg e = { "" };
	struct sequence s = { .nr = UNIT_UNTOUCHED };

	UNUSED(state);
	gone.fd = -1;	/* a disk that does not answer */
	lost.quality = &gone;
	assert_int_equal(bestseg_find(&lost, &range, &s, &e), ERR_IO);
	assert_int_equal(s.nr, UNIT_UNTOUCHED);
	assert_true(e.text[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_following),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_seam_at_start),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_cut_and_forget),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
