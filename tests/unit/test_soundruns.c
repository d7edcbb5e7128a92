/*
 * test_soundruns.c - frames with damaged times are not believed, and cost no
 * others.
 */
#include "config.h"

#include "media/soundruns.h"

#include "inarena.h"

#define RATE 48000
#define STEP (AAC_SAMPLES * TS_HZ / RATE)
#define NR   100

static struct audio_frame frames[2000];
static struct tsfile file;

/* Frames one after the other, from a second on. */
static void make(size_t nr)
{
	file = (struct tsfile){ .frames = frames,
				.nr_frames = nr,
				.format = { .rate = RATE } };
	for (size_t i = 0; i < nr; i++)
		frames[i] = (struct audio_frame){
			.pts = TS_HZ + (int64_t)i * STEP,
		};
}

static void move(size_t first, size_t end, int64_t by)
{
	for (size_t i = first; i < end; i++)
		frames[i].pts += by;
}

/* Believed are all but those from first to end - 1. */
static void check_but(size_t first, size_t end)
{
	const bool *marks = soundruns_find(&arena, &file, 0, 10 * TS_HZ);

	for (size_t i = 0; i < file.nr_frames; i++)
		if (marks[i] != (i < first || i >= end))
			fail_msg("frame %zu is %s", i,
				 marks[i] ? "believed" : "not believed");
}

static void test_one_run(void **state)
{
	UNUSED(state);
	make(0);
	check_but(0, 0);
	make(NR);
	check_but(NR, NR);
	/* Times are rounded, and may be off by a little. */
	move(50, NR, 1500);
	check_but(NR, NR);
	move(70, NR, -1500);
	check_but(NR, NR);
}

static void test_damage(void **state)
{
	static const int64_t by[] = { INT64_C(1) << 28, -(INT64_C(1) << 28),
				      4 * TS_HZ,	-TS_HZ,
				      TS_HZ / 10,	-TS_HZ / 10 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(by); i++) {
		print_message("# by %lld\n", (long long)by[i]);
		make(NR);
		move(30, 34, by[i]);
		check_but(30, 34);
		make(NR);
		move(0, 4, by[i]);
		/* Those in front may be early, and there is a gap then. */
		if (by[i] < 0 && by[i] > -TS_HZ - 1)
			check_but(NR, NR);
		else
			check_but(0, 4);
	}
}

/* A gap is a gap: both sides are where they say. */
static void test_gap(void **state)
{
	UNUSED(state);
	make(NR);
	move(60, NR, 2 * TS_HZ);
	check_but(NR, NR);
	/* Where it goes back the larger part counts. */
	make(NR);
	move(60, NR, -TS_HZ);
	check_but(60, NR);
	make(NR);
	move(30, NR, -TS_HZ / 2);
	check_but(0, 30);
}

static void test_window(void **state)
{
	const bool *marks;

	UNUSED(state);
	make(NR);
	marks = soundruns_find(&arena, &file, frames[10].pts, frames[20].pts);
	for (size_t i = 0; i < NR; i++)
		assert_int_equal(marks[i], i >= 10 && i < 20);
}

/* Times without any order: nothing, and soon. */
static void test_chaos(void **state)
{
	uint64_t seed = 3;
	const bool *marks;

	UNUSED(state);
	make(ARRAY_SIZE(frames));
	for (size_t i = 0; i < file.nr_frames; i++)
		frames[i].pts = (int64_t)(unit_random(&seed) % (9 * TS_HZ));
	marks = soundruns_find(&arena, &file, 0, 10 * TS_HZ);
	for (size_t i = 0; i < file.nr_frames; i++)
		assert_false(marks[i]);
	/* Fewer than too many: some, and those go forward. */
	file.nr_frames = 400;
	marks = soundruns_find(&arena, &file, 0, 10 * TS_HZ);
	for (size_t i = 0, last = SIZE_MAX; i < file.nr_frames; i++) {
		if (marks[i] && last != SIZE_MAX)
			assert_true(frames[i].pts > frames[last].pts);
		last = marks[i] ? i : last;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_run), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_gap),	cmocka_unit_test(test_window),
		cmocka_unit_test(test_chaos),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
