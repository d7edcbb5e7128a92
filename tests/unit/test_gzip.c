/*
 * test_gzip.c - joined pieces, compressed before or now, come back as they
 * were.  The reference is zlib's own reader of gzip files.
 */
#include "config.h"

#include "base/gzip.h"

#include <zlib.h>

#include "unit.h"

#define MAX_PIECES 300

/* Expands a whole gzip file; returns its length. */
static size_t gunzip(const struct gzip_member *member, char *to, size_t size)
{
	z_stream z = { .next_out = (Bytef *)to, .avail_out = (uInt)size };
	uint64_t length = 0;
	int rc = Z_OK;

	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	for (int i = 0; i < member->nr_iov; i++) {
		assert_int_equal(rc, Z_OK);
		z.next_in = member->iov[i].iov_base;
		z.avail_in = (uInt)member->iov[i].iov_len;
		length += member->iov[i].iov_len;
		rc = inflate(&z, Z_NO_FLUSH);
		assert_int_equal(z.avail_in, 0);
	}
	/* It also checks the sum and the length at the end. */
	assert_int_equal(rc, Z_STREAM_END);
	assert_int_equal(inflateEnd(&z), Z_OK);
	assert_int_equal(length, member->length);
	return z.total_out;
}

/* As text that shrinks, or as noise that does not. */
static void fill(char *data, size_t len, bool is_noise, uint64_t *seed)
{
	for (size_t i = 0; i < len; i++)
		data[i] =
			is_noise ? (char)unit_random(seed) : "segment "[i % 8];
}

static void make_block(struct arena *a, const struct iovec *piece,
		       struct gzip_block *block)
{
	struct text *out = text_new(a, gzip_block_bound(piece->iov_len));

	assert_true(gzip_make_block(piece->iov_base, piece->iov_len, out,
				    &block->crc));
	block->data = out->data;
	block->size = out->len;
}

/* Splits data at random; every nr_blocks-th piece gets a block. */
static void split(struct arena *a, char *data, size_t len, int nr,
		  int nr_blocks, struct iovec *iov, struct gzip_block *blocks,
		  uint64_t *seed)
{
	size_t at = 0;

	for (int k = 0; k < nr; k++) {
		size_t left = len - at;
		size_t n = k == nr - 1 || !left ? left :
						  unit_random(seed) % left / 8;

		iov[k] = (struct iovec){ data + at, n };
		blocks[k] = (struct gzip_block){ 0 };
		if (nr_blocks && k % nr_blocks == 0)
			make_block(a, &iov[k], &blocks[k]);
		at += n;
	}
}

static void test_round_trip(void **state)
{
	static const struct {
		size_t len;
		int nr_pieces;
		int nr_blocks; /* every so many pieces have one; 0: none */
	} rows[] = {
		{ 1025, 1, 0 },	     { 1025, 1, 1 },	 { 5000, 17, 0 },
		{ 5000, 17, 1 },     { 5000, 17, 2 },	 { 100000, 300, 0 },
		{ 100000, 300, 1 },  { 100000, 300, 3 }, { 65536, 2, 0 },
		{ 65536, 2, 2 },     { 9000000, 3, 0 },	 { 9000000, 3, 1 },
		{ 9000000, 200, 7 },
	};
	uint64_t seed = 7;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gzip_block blocks[MAX_PIECES];
		struct iovec iov[MAX_PIECES];
		struct gzip_member member, fast;
		char *data = malloc(rows[i].len);
		char *back = malloc(rows[i].len + 1);
		struct arena a;

		print_message("# %zu bytes in %d pieces, blocks every %d\n",
			      rows[i].len, rows[i].nr_pieces,
			      rows[i].nr_blocks);
		assert_non_null(data);
		assert_non_null(back);
		arena_init(&a);
		fill(data, rows[i].len, false, &seed);
		split(&a, data, rows[i].len, rows[i].nr_pieces,
		      rows[i].nr_blocks, iov, blocks, &seed);
		assert_true(gzip_join(&a, iov,
				      rows[i].nr_blocks ? blocks : NULL,
				      rows[i].nr_pieces, GZIP_FAST, &fast));
		assert_true(gzip_join(&a, iov,
				      rows[i].nr_blocks ? blocks : NULL,
				      rows[i].nr_pieces, GZIP_SMALL, &member));
		assert_true(fast.length < rows[i].len);
		assert_true(member.length <= fast.length);
		if (!rows[i].nr_blocks && rows[i].len > 5000)
			assert_true(member.length < fast.length);
		assert_int_equal(gunzip(&member, back, rows[i].len + 1),
				 rows[i].len);
		assert_memory_equal(back, data, rows[i].len);
		arena_release(&a);
		free(data);
		free(back);
	}
}

/* What does not shrink is refused, and the member is not touched. */
static void test_no_gain(void **state)
{
	static const struct {
		size_t len;
		bool is_noise;
	} rows[] = {
		{ 0, false },	{ 1, false },	  { 20, false },
		{ 1000, true }, { 200000, true }, { 1000000, true },
	};
	uint64_t seed = 9;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gzip_member member = { .length = 42 };
		char *data = malloc(rows[i].len + 1);
		struct iovec iov = { data, rows[i].len };
		struct arena a;

		print_message("# %zu bytes of %s\n", rows[i].len,
			      rows[i].is_noise ? "noise" : "text");
		assert_non_null(data);
		arena_init(&a);
		fill(data, rows[i].len, rows[i].is_noise, &seed);
		assert_false(gzip_join(&a, &iov, NULL, 1, GZIP_SMALL, &member));
		assert_int_equal(member.length, 42);
		arena_release(&a);
		free(data);
	}
}

/* A block that does not fit is refused; the bound is one that is kept. */
static void test_block_bound(void **state)
{
	static const size_t lens[] = { 0, 1, 1000, 65535, 65536, 3000000 };
	uint64_t seed = 3;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		char *data = malloc(lens[i] + 1);
		uint32_t crc = 42;
		struct text out;

		print_message("# %zu bytes of noise\n", lens[i]);
		assert_non_null(data);
		fill(data, lens[i], true, &seed);
		text_init(&out, gzip_block_bound(lens[i]));
		assert_true(gzip_make_block(data, lens[i], &out, &crc));
		assert_int_equal(crc, crc32_z(0, (Bytef *)data, lens[i]));
		text_release(&out);
		text_init(&out, 10);
		crc = 42;
		assert_false(gzip_make_block(data, lens[i], &out, &crc));
		assert_int_equal(crc, 42);
		text_release(&out);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_gain),
		cmocka_unit_test(test_block_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
