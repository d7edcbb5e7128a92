/*
 * test_peakpack.c - peaks that are kept come back as they were or not at all.
 */
#include "config.h"

#include "media/peakpack.h"

#include "inarena.h"

#define BLOCK 128

static char *cache;
static struct blobstore store;

static int begin(void **state)
{
	if (begin_arena(state))
		return -1;
	cache = arena_printf(&arena, "%s/cache", unit_dir);
	return 0;
}

static int set_up(void **state)
{
	UNUSED(state);
	unit_remove(cache);
	blobstore_open(&store, &peak_kind, cache, 1 << 26);
	return store.fd >= 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	UNUSED(state);
	blobstore_close(&store);
	unit_logged("");
	return 0;
}

static struct blobkey key_of(uint64_t n)
{
	return (struct blobkey){ { n * UINT64_C(0x9e3779b97f4a7c15), n } };
}

/* Peaks that n alone decides; some are silent. */
static struct soundpeaks make(uint64_t n, uint32_t nr_samples)
{
	uint64_t seed = n;
	struct soundpeaks peaks = { .first = (int64_t)(n % 1000) - 500,
				    .rate = n % 5 ? 48000 : 44100,
				    .block = BLOCK,
				    .nr_channels = (uint32_t)(1 + n % 8),
				    .nr_samples = nr_samples };
	uint32_t nr = soundpeaks_nr_blocks(&peaks);
	uint16_t *means = arena_alloc(&arena, 2 * (size_t)nr * 8 + 1);
	int16_t *extremes = arena_alloc(&arena, 4 * (size_t)nr + 1);

	if (!nr_samples)
		peaks = (struct soundpeaks){ .block = BLOCK };
	for (uint32_t i = 0; i < nr * peaks.nr_channels; i++)
		means[i] = (uint16_t)(unit_random(&seed) % 32768);
	for (uint32_t i = 0; i < nr * 2; i++)
		extremes[i] = (int16_t)unit_random(&seed);
	peaks.means = means;
	peaks.extremes = extremes;
	return peaks;
}

static uint32_t length_of(uint64_t n)
{
	return n % 7 ? (uint32_t)(n * 3313 % 100000) : 0;
}

static struct peakpack *load(uint32_t block)
{
	return peakpack_load(&arena, &store, "channel", "quality",
			     600 * USEC_PER_SEC, block);
}

static bool has(const struct peakpack *pack, uint64_t n)
{
	struct blobkey key = key_of(n);
	const struct soundpeaks *got = peakpack_find(pack, &key);
	struct soundpeaks want = make(n, length_of(n));
	size_t nr = soundpeaks_nr_blocks(&want);

	if (!got)
		return false;
	assert_int_equal(got->first, want.first);
	assert_int_equal(got->rate, want.rate);
	assert_int_equal(got->block, want.block);
	assert_int_equal(got->nr_channels, want.nr_channels);
	assert_int_equal(got->nr_samples, want.nr_samples);
	assert_memory_equal(got->means, want.means, nr * want.nr_channels * 2);
	assert_memory_equal(got->extremes, want.extremes, nr * 4);
	return true;
}

static void add(struct peakpack *pack, uint64_t n)
{
	struct blobkey key = key_of(n);
	struct soundpeaks *peaks = ARENA_NEW(&arena, struct soundpeaks);

	*peaks = make(n, length_of(n));
	peakpack_add(pack, &key, peaks);
}

static void test_put_get(void **state)
{
	struct peakpack *pack = load(BLOCK);

	UNUSED(state);
	for (uint64_t n = 1; n < 60; n += 2)
		add(pack, n);
	peakpack_put(pack);
	pack = load(BLOCK);
	for (uint64_t n = 1; n < 60; n++)
		assert_int_equal(has(pack, n), n % 2);
	/* More, and some again. */
	for (uint64_t n = 0; n < 60; n += 3)
		add(pack, n);
	peakpack_put(pack);
	pack = load(BLOCK);
	for (uint64_t n = 0; n < 60; n++)
		assert_int_equal(has(pack, n), n % 2 || n % 3 == 0);
	/* Of other blocks, times and names nothing is known. */
	assert_false(has(load(BLOCK * 32), 1));
	assert_false(has(
		peakpack_load(&arena, &store, "channel", "quality", 0, BLOCK),
		1));
	assert_false(has(peakpack_load(&arena, &store, "channel", "other",
				       600 * USEC_PER_SEC, BLOCK),
			 1));
}

/* Nothing is written where nothing was added, or nothing can be kept. */
static void test_unwritten(void **state)
{
	struct blobstore none = { .kind = &peak_kind, .fd = -1 };
	struct peakpack *pack = load(BLOCK);

	UNUSED(state);
	peakpack_put(pack);
	assert_false(has(load(BLOCK), 1));
	pack = peakpack_load(&arena, &none, "a", "b", 0, BLOCK);
	add(pack, 1);
	peakpack_put(pack);
}

/* Too many: those that were just added are kept. */
static void test_too_many(void **state)
{
	struct peakpack *pack = load(BLOCK);

	UNUSED(state);
	for (uint64_t n = 0; n < 4096; n++) {
		struct blobkey key = key_of(n + 1000000);
		struct soundpeaks *silence =
			ARENA_NEW(&arena, struct soundpeaks);

		silence->block = BLOCK;
		peakpack_add(pack, &key, silence);
	}
	peakpack_put(pack);
	pack = load(BLOCK);
	add(pack, 5);
	peakpack_put(pack);
	assert_true(has(load(BLOCK), 5));
	assert_null(peakpack_find(load(BLOCK), &(struct blobkey){ { 1, 1 } }));
}

/* Bytes with a right checksum that make no sense: every field is looked at. */
static void test_check(void **state)
{
	struct {
		uint32_t nr, block;
		struct blobkey key;
		int64_t first;
		uint32_t rate, nr_channels, nr_samples, zero;
		uint16_t data[12];
	} good = { 1, BLOCK, { { 1, 2 } }, -3, 48000, 2, 2 * BLOCK + 1, 0, { 0 } },
	  bad;
	const size_t size = sizeof(good);

	UNUSED(state);
	assert_int_equal(size, 72);
	assert_true(peakpack_check(&good, size, BLOCK));
	assert_false(peakpack_check(&good, size, BLOCK + 1));
	for (size_t len = 0; len < size; len++)
		assert_false(peakpack_check(&good, len, BLOCK));
#define REFUSED(change)                                                        \
	do {                                                                   \
		bad = good;                                                    \
		change;                                                        \
		assert_false(peakpack_check(&bad, size, BLOCK));               \
	} while (0)
	REFUSED(bad.nr = 2);
	REFUSED(bad.nr = 0);
	REFUSED(bad.nr = UINT32_MAX);
	REFUSED(bad.first = INT64_MAX);
	REFUSED(bad.first = INT64_MIN);
	REFUSED(bad.rate = 0);
	REFUSED(bad.rate = 192001);
	REFUSED(bad.nr_channels = 0);
	REFUSED(bad.nr_channels = 9);
	REFUSED(bad.nr_channels = 4);
	REFUSED(bad.nr_samples = UINT32_MAX);
	REFUSED(bad.nr_samples = BLOCK);
	REFUSED(bad.zero = 1);
#undef REFUSED
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_put_get),
		TEST(test_unwritten),
		TEST(test_too_many),
		TEST(test_check),
	};

	return cmocka_run_group_tests(tests, begin, end_arena);
}
