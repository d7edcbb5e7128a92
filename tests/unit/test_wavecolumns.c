/*
 * test_wavecolumns.c - columns against adding up sample by sample.
 */
#include "config.h"

#include "media/wavecolumns.h"

#include <math.h>

#include "inarena.h"

#define NS_PER_SEC INT64_C(1000000000)
#define MAX_BLOCKS 400

static struct wavecolumns w;

/* Peaks whose means are their numbers; each block is a second long. */
static struct soundpeaks count(uint32_t nr, uint32_t nr_channels)
{
	static uint16_t means[8 * MAX_BLOCKS];
	static int16_t extremes[2 * MAX_BLOCKS];

	for (uint32_t i = 0; i < nr; i++) {
		for (uint32_t c = 0; c < nr_channels; c++)
			means[c * nr + i] = (uint16_t)(100 * (c + 1) + i);
		extremes[2 * i] = (int16_t)-i;
		extremes[2 * i + 1] = (int16_t)(2 * i);
	}
	return (struct soundpeaks){ .rate = 10,
				    .block = 10,
				    .nr_channels = nr_channels,
				    .nr_samples = 10 * nr,
				    .means = means,
				    .extremes = extremes };
}

static void add(const struct soundpeaks *peaks, int64_t start_s)
{
	wavecolumns_add(&w, peaks, start_s * NS_PER_SEC, INT64_MIN, INT64_MAX);
}

#define assert_mean(column, channel, mean)                                     \
	assert_true(fabs(wave_column_mean(&w, column, channel) - (mean)) < 1e-6)

static void test_aligned(void **state)
{
	struct soundpeaks peaks = count(4, 2);

	UNUSED(state);
	wavecolumns_init(&arena, 4, 8 * NS_PER_SEC, &w);
	wavecolumns_silence(&w, 2 * NS_PER_SEC);
	add(&peaks, 2);
	wavecolumns_silence(&w, 8 * NS_PER_SEC);
	assert_int_equal(w.nr_channels, 2);
	assert_mean(0, 0, 0);
	assert_mean(1, 0, 100.5);
	assert_mean(2, 0, 102.5);
	assert_mean(1, 1, 200.5);
	assert_mean(3, 1, 0);
	assert_int_equal(w.columns[1].least, -1);
	assert_int_equal(w.columns[2].greatest, 6);
	assert_int_equal(w.columns[3].greatest, 0);
}

/* What is mono is heard on both sides of a source that is stereo elsewhere. */
static void test_channels(void **state)
{
	struct soundpeaks peaks;

	UNUSED(state);
	wavecolumns_init(&arena, 2, 4 * NS_PER_SEC, &w);
	peaks = count(2, 1);
	add(&peaks, 0);
	peaks = count(2, 2);
	add(&peaks, 2);
	assert_int_equal(w.nr_channels, 2);
	assert_mean(0, 0, 100.5);
	assert_mean(0, 1, 100.5);
	assert_mean(1, 1, 200.5);
}

/* Half of a column is not counted, not silent. */
static void test_skip(void **state)
{
	struct soundpeaks peaks = count(1, 1);

	UNUSED(state);
	wavecolumns_init(&arena, 2, 4 * NS_PER_SEC, &w);
	add(&peaks, 0);
	wavecolumns_skip(&w, 2 * NS_PER_SEC);
	add(&peaks, 2);
	wavecolumns_silence(&w, 4 * NS_PER_SEC);
	assert_mean(0, 0, 100);
	assert_mean(1, 0, 50);
}

/* What is outside, between, or there already, changes nothing. */
static void test_bounds(void **state)
{
	struct soundpeaks peaks = count(10, 1);

	UNUSED(state);
	wavecolumns_init(&arena, 4, 4 * NS_PER_SEC, &w);
	add(&peaks, -20);
	assert_int_equal(w.at, 0);
	wavecolumns_add(&w, &peaks, -2 * NS_PER_SEC, 0, 2 * NS_PER_SEC);
	assert_int_equal(w.at, 2 * NS_PER_SEC);
	wavecolumns_silence(&w, NS_PER_SEC);
	add(&peaks, -5);
	add(&peaks, 100);
	for (size_t i = 0; i < 2; i++)
		assert_mean(i, 0, 100. + (double)i + 2);
	for (size_t i = 2; i < 4; i++)
		assert_mean(i, 0, 100. + (double)i + 5);
}

/* Any blocks, columns and gaps, against a sum of a thousand parts of each. */
static void test_random(void **state)
{
	uint64_t seed = 1;

	UNUSED(state);
	for (int round = 0; round < 300; round++) {
		uint32_t nr = (uint32_t)(1 + unit_random(&seed) % 50);
		struct soundpeaks peaks = count(nr, 1);
		size_t nr_columns = 1 + unit_random(&seed) % 40;
		int64_t length = (int64_t)(1 + unit_random(&seed) % 60000);
		int64_t start = (int64_t)(unit_random(&seed) % 20000) - 10000;
		double sums[40] = { 0 };

		peaks.block = (uint32_t)(1 + unit_random(&seed) % 30);
		peaks.nr_samples = peaks.block * nr -
				   (uint32_t)(unit_random(&seed) % peaks.block);
		peaks.first = (int64_t)(unit_random(&seed) % 40) - 20;
		wavecolumns_init(&arena, nr_columns, length * 1000000, &w);
		wavecolumns_silence(&w,
				    wavecolumns_begin(&peaks, start * 1000000));
		wavecolumns_add(&w, &peaks, start * 1000000, INT64_MIN,
				INT64_MAX);
		wavecolumns_silence(&w, length * 1000000);
		for (int64_t ms = 0; ms < length; ms++) {
			int64_t sample = ms - start - peaks.first * 100;

			if (sample < 0 || sample / 100 >= peaks.nr_samples)
				continue;
			sums[ms * (int64_t)nr_columns / length] +=
				peaks.means[sample / 100 / peaks.block];
		}
		for (size_t i = 0; i < nr_columns; i++) {
			double width = (double)length / (double)nr_columns;
			double off =
				wave_column_mean(&w, i, 0) * width - sums[i];

			/* A millisecond is in one column or in two. */
			assert_true(fabs(off) <= 2 * 200);
			assert_true(w.columns[i].time > 0);
		}
		arena_reset(&arena);
	}
}

/* More columns than nanoseconds: all are passed, none is left behind. */
static void test_tiny(void **state)
{
	UNUSED(state);
	wavecolumns_init(&arena, WAVE_MAX_COLUMNS, 7, &w);
	wavecolumns_silence(&w, 7);
	assert_int_equal(w.at, 7);
	wavecolumns_init(&arena, WAVE_MAX_COLUMNS, WAVE_MAX_NS, &w);
	wavecolumns_silence(&w, INT64_MAX);
	assert_int_equal(w.at, WAVE_MAX_NS);
	assert_int_equal(w.columns[WAVE_MAX_COLUMNS - 1].time,
			 w.columns[0].time);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aligned), cmocka_unit_test(test_channels),
		cmocka_unit_test(test_skip),	cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_random),	cmocka_unit_test(test_tiny),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
