/*
 * test_soundsource.c - samples in their places: as many as there should be,
 * each what the tone is at its time, and silence where there is none.
 */
#include "config.h"

#include "media/soundsource.h"

#include <math.h>

#include "cutting.h"

#define TONE	440.0
#define SECONDS 8

static struct cutplan *whole; /* of "tone" */
static struct cutplan *holed; /* its segment at 4 s is missing */
static struct cutplan *slow;  /* at 44.1 kHz, two channels */
static int64_t zero;	      /* the time at which the tone began */
static int64_t slow_zero;     /* in the last */

static struct cutplan *plan_of(const char *quality)
{
	static const struct cut_ms ms = { 0, SECONDS * 1000 };
	struct cut_spec spec = cut_spec_of(&ms, 1);

	spec.allow_holes = true;
	return cut_plan_well(quality, &spec);
}

static int begin(void **state)
{
	size_t len = 0;
	char *data;

	if (seq_begin(state))
		return -1;
	if (!cut_has_ffmpeg())
		return 0;
	cut_segments("tone", 0, SECONDS,
		     "-f lavfi -i testsrc2=s=160x90:r=30:d=8 "
		     "-f lavfi -i sine=f=440:r=48000:d=8 " CUT_X264
		     "-bf 0 -c:a aac -b:a 128k");
	cut_segments("slow", 0, SECONDS,
		     "-f lavfi -i testsrc2=s=160x90:r=30:d=8 "
		     "-f lavfi -i sine=f=440:r=44100:d=8 " CUT_X264
		     "-bf 0 -c:a aac -ac 2 -b:a 128k");
	for (int start = 0; start < SECONDS; start += 2) {
		data = unit_read(unit_fd, cut_segment("tone", start), &len);
		assert_non_null(data);
		if (!start)
			zero = cut_parse(data, len)->first_pts;
		if (start != 4)
			unit_write(unit_fd, cut_segment("holed", start), data,
				   len);
		free(data);
	}
	data = unit_read(unit_fd, cut_segment("slow", 0), &len);
	assert_non_null(data);
	slow_zero = cut_parse(data, len)->first_pts;
	free(data);
	whole = plan_of("tone");
	holed = plan_of("holed");
	slow = plan_of("slow");
	return 0;
}

static int need_ffmpeg(void **state)
{
	UNUSED(state);
	if (!cut_has_ffmpeg())
		skip();
	return 0;
}

/* The samples of a stretch, read in pieces of any size. */
struct sound {
	float *planes[SOUND_MAX_CHANNELS];
	int64_t nr;
};

static struct sound read_sound(const struct cutplan *plan, int64_t lo,
			       int64_t hi, uint32_t rate, unsigned channels,
			       uint64_t seed)
{
	const struct framestretch stretch = {
		.cover = &plan->cover,
		.pieces = plan->cover.pieces,
		.nr_pieces = plan->cover.nr,
		.reference = plan->pieces[0].dts,
		.lo = lo,
		.hi = hi,
	};
	struct soundsource *src;
	struct errmsg e = { "" };
	struct sound s;
	int64_t at = 0;

	if (soundsource_open(&seq.arena, &stretch, rate, channels, &src, &e))
		fail_msg("%s", e.text);
	s.nr = soundsource_left(src);
	for (unsigned c = 0; c < channels; c++)
		s.planes[c] = arena_alloc(&seq.arena,
					  ((size_t)s.nr + 1) * sizeof(float));
	while (soundsource_left(src)) {
		int64_t nr = 1 + (int64_t)(unit_random(&seed) % 5000);
		float *to[SOUND_MAX_CHANNELS];

		nr = nr < soundsource_left(src) ? nr : soundsource_left(src);
		for (unsigned c = 0; c < channels; c++)
			to[c] = s.planes[c] + at;
		if (soundsource_read(src, to, (size_t)nr, &e))
			fail_msg("%s", e.text);
		at += nr;
		assert_int_equal(soundsource_left(src), s.nr - at);
	}
	assert_int_equal(at, s.nr);
	return s;
}

/* How much of samples from to end - 1 is the tone at its time: 1 is all. */
static double likeness(const float *samples, int64_t from, int64_t end,
		       int64_t lo, uint32_t rate)
{
	double both = 0, ours = 0, tone = 0;

	for (int64_t i = from; i < end; i++) {
		double t =
			(double)(lo - zero) / TS_HZ + (double)i / (double)rate;
		double x = sin(2 * M_PI * TONE * t);

		both += x * (double)samples[i];
		ours += (double)samples[i] * (double)samples[i];
		tone += x * x;
	}
	return both / sqrt(ours * tone + 1e-9);
}

static double loudness(const float *samples, int64_t from, int64_t end)
{
	double sum = 0;

	for (int64_t i = from; i < end; i++)
		sum += fabs((double)samples[i]);
	return end > from ? sum / (double)(end - from) : 0;
}

static void test_numbers(void **state)
{
	static const struct {
		int64_t from;
		int64_t length;
		uint32_t rate;
		int64_t nr;
	} rows[] = {
		{ 90000, 90000, 48000, 48000 },
		{ 90000, 90000, 44100, 44100 },
		{ 12345, 3003, 48000, 1602 },
		{ 12345, 1, 48000, 1 },
		{ 12345, 1, 44100, 0 },
		{ 12345, 0, 48000, 0 },
		{ 0, 8 * 90000, 48000, 384000 },
		{ 400000, 6 * 90000, 8000, 48000 }, /* past the end */
		{ -90000, 2 * 90000, 48000, 96000 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t lo = zero + rows[i].from;
		struct sound s = read_sound(whole, lo, lo + rows[i].length,
					    rows[i].rate, 1, i);

		assert_int_equal(s.nr, rows[i].nr);
	}
}

/* Wherever it begins, each sample is that of its time. */
static void test_places(void **state)
{
	uint64_t seed = 6;

	UNUSED(state);
	for (int i = 0; i < 12; i++) {
		int64_t lo =
			zero + 10000 + (int64_t)(unit_random(&seed) % 450000);
		int64_t hi = lo + 20000 + (int64_t)(unit_random(&seed) % 99999);
		struct sound s = read_sound(whole, lo, hi, 48000, 1, seed);
		double like = likeness(s.planes[0], 0, s.nr, lo, 48000);

		/* A sample beside its place is 0.9983. */
		if (like < 0.9995)
			fail_msg("from %lld: %f", (long long)(lo - zero), like);
		assert_in_range((int)(loudness(s.planes[0], 0, s.nr) * 1000),
				60, 100);
		/* From its first samples on. */
		assert_true(likeness(s.planes[0], 0, 200, lo, 48000) > 0.99);
	}
}

static void test_resampled(void **state)
{
	static const struct {
		uint32_t rate;
		unsigned channels;
	} rows[] = { { 48000, 2 },
		     { 44100, 1 },
		     { 44100, 2 },
		     { 24000, 1 },
		     { 96000, 6 } };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		const struct cutplan *plan = i % 2 ? slow : whole;
		uint32_t rate = rows[i / 2].rate;
		unsigned channels = rows[i / 2].channels;
		/* Half a sample, where that is not a time of the source. */
		double least = cos(2 * M_PI * TONE * 0.55 / rate) - 0.0003;
		int64_t from = i % 2 ? slow_zero : zero;
		int64_t lo = from + 123456;
		struct sound s =
			read_sound(plan, lo, lo + 3 * TS_HZ, rate, channels, i);

		assert_int_equal(s.nr, 3 * rate);
		for (unsigned c = 0; c < channels && c < 2; c++) {
			double like = likeness(s.planes[c], 1000, s.nr,
					       lo - from + zero, rate);

			if (channels <= 2 && like < least)
				fail_msg("%zu, %u Hz: %f", i, rate, like);
			assert_true(channels > 2 ||
				    loudness(s.planes[c], 0, s.nr) > 0.03);
		}
	}
}

/* Nothing is moved by a hole, and it is silent. */
static void test_hole(void **state)
{
	int64_t lo = zero + 3 * TS_HZ;
	struct sound s = read_sound(holed, lo, lo + 4 * TS_HZ, 48000, 1, 9);
	/* Sound lies up to 0.1 s beside the pictures it comes with. */
	int64_t edge = 6000;

	UNUSED(state);
	assert_int_equal(s.nr, 4 * 48000);
	assert_true(likeness(s.planes[0], 0, 48000 - edge, lo, 48000) > 0.999);
	assert_true(loudness(s.planes[0], 48000 + edge, 3 * 48000 - edge) == 0);
	assert_true(likeness(s.planes[0], 3 * 48000 + edge, s.nr, lo, 48000) >
		    0.999);
}

static void test_edges(void **state)
{
	int64_t lo = zero - TS_HZ;
	struct sound s = read_sound(whole, lo, lo + 2 * TS_HZ, 48000, 1, 9);

	UNUSED(state);
	assert_true(loudness(s.planes[0], 0, 46000) == 0);
	assert_true(likeness(s.planes[0], 50000, s.nr, lo, 48000) > 0.999);
	lo = zero + 7 * TS_HZ;
	s = read_sound(whole, lo, lo + 3 * TS_HZ, 48000, 1, 9);
	assert_true(likeness(s.planes[0], 0, 46000, lo, 48000) > 0.999);
	assert_true(loudness(s.planes[0], 54000, s.nr) == 0);
}

/* A segment that vanished is an error, not silence. */
static void test_vanished(void **state)
{
	const struct framestretch stretch = {
		.cover = &slow->cover,
		.pieces = slow->cover.pieces,
		.nr_pieces = slow->cover.nr,
		.reference = slow->pieces[0].dts,
		.lo = zero,
		.hi = zero + 8 * TS_HZ,
	};
	const char *path = cut_segment("slow", 4);
	float *samples = arena_alloc(&seq.arena, 8 * 48000 * sizeof(float));
	struct soundsource *src;
	struct errmsg e = { "" };

	UNUSED(state);
	assert_int_equal(unlinkat(unit_fd, path, 0), 0);
	assert_int_equal(
		soundsource_open(&seq.arena, &stretch, 48000, 1, &src, &e),
		ERR_OK);
	assert_int_equal(soundsource_read(src, &samples, 48000, &e), ERR_OK);
	assert_int_equal(soundsource_read(src, &samples, 5 * 48000, &e),
			 ERR_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup(name, need_ffmpeg)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_numbers), TEST(test_places), TEST(test_resampled),
		TEST(test_hole),    TEST(test_edges),  TEST(test_vanished),
	};

	return cmocka_run_group_tests(tests, begin, seq_end);
}
