/*
 * test_h264.c - access units by their headers: of every kind, cut short at
 * every byte, and parameter sets as ffmpeg's bitstreams have them.
 */
#include "config.h"

#include "media/h264.h"

#include "media/tsfile.h"

#include "inarena.h"

#define S3 0, 0, 1
#define S4 0, 0, 0, 1

static void test_next(void **state)
{
	static const struct {
		uint8_t data[12];
		size_t size;
		size_t at;
		size_t next;
	} rows[] = {
		{ { S3, 0x65, 1 }, 5, 0, 3 },
		{ { S4, 0x65, 1 }, 6, 0, 4 },
		{ { 0, S4, 0x65 }, 6, 0, 5 },
		{ { S3, 0x65, 1 }, 5, 1, 5 },
		{ { S3, 0x65, S3, 0x41 }, 8, 3, 7 },
		{ { S3, S3, 0x41 }, 7, 0, 3 },
		/* A start code without a header is none. */
		{ { S3 }, 3, 0, 3 },
		{ { 2, 0, 0 }, 3, 0, 3 },
		{ { 0, 1, 0, 0, 2, 0, 0, 3, 1 }, 9, 0, 9 },
		{ { 1, 0, S3, 9 }, 6, 0, 5 },
		{ { 0 }, 0, 0, 0 },
		{ { 0 }, 1, 0, 1 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(
			annexb_next(rows[i].data, rows[i].size, rows[i].at),
			rows[i].next);
}

/* Against the plainest search there is. */
static void test_next_random(void **state)
{
	uint64_t seed = 2;

	UNUSED(state);
	for (int round = 0; round < 20000; round++) {
		uint8_t data[24];
		size_t size = unit_random(&seed) % sizeof(data);
		size_t at = size ? unit_random(&seed) % size : 0;
		size_t plain = at;

		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)(unit_random(&seed) % 3);
		while (plain + 3 < size &&
		       (data[plain] || data[plain + 1] || data[plain + 2] != 1))
			plain++;
		assert_int_equal(annexb_next(data, size, at),
				 plain + 3 < size ? plain + 3 : size);
	}
}

static void test_flags(void **state)
{
	static const struct {
		const char *what;
		uint8_t data[32];
		size_t size;
		uint8_t flags;
		uint8_t nr_auds;
	} rows[] = {
		{ "nothing", { 0 }, 0, 0, 0 },
		{ "an IDR picture",
		  { S3, 0x65, 0x88 },
		  5,
		  UNIT_IDR | UNIT_REF,
		  0 },
		{ "one that is referred to",
		  { S3, 0x41, 0x9a },
		  5,
		  UNIT_REF,
		  0 },
		{ "one that is not", { S3, 0x01, 0x9a }, 5, 0, 0 },
		{ "a delimiter",
		  { S4, 9, 0xf0, S3, 0x01, 1 },
		  11,
		  UNIT_AUD,
		  1 },
		{ "two", { S4, 9, 0xf0, S3, 9, 0xf0 }, 11, UNIT_AUD, 2 },
		{ "sets",
		  { S4, 0x67, 1, 2, 3, 0x80, S3, 0x68, 0x80 },
		  14,
		  UNIT_SPS | UNIT_PPS,
		  0 },
		{ "a recovery point",
		  { S3, 6, 6, 1, 0xc4, 0x80 },
		  8,
		  UNIT_RECOVERY,
		  0 },
		{ "one behind another message",
		  { S3, 6, 5, 2, 7, 7, 6, 1, 0xc4, 0x80 },
		  13,
		  UNIT_RECOVERY,
		  0 },
		{ "a message that holds a six",
		  { S3, 6, 5, 2, 6, 1, 0x80 },
		  9,
		  0,
		  0 },
		{ "a message longer than its unit",
		  { S3, 6, 5, 200, 6, 1, 0x80 },
		  9,
		  0,
		  0 },
		{ "a long type", { S3, 6, 0xff, 6, 1, 0, 0x80 }, 9, 0, 0 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t nr_auds = 99;

		print_message("# %s\n", rows[i].what);
		assert_int_equal(
			h264_unit_flags(rows[i].data, rows[i].size, &nr_auds),
			rows[i].flags);
		assert_int_equal(nr_auds, rows[i].nr_auds);
		/* Cut short it never has more. */
		for (size_t size = 0; size < rows[i].size; size++)
			assert_int_equal(
				h264_unit_flags(rows[i].data, size, &nr_auds) &
					~rows[i].flags,
				0);
	}
}

/* More delimiters than a byte counts. */
static void test_many(void **state)
{
	uint8_t data[300 * 5];
	uint8_t nr_auds;

	UNUSED(state);
	for (size_t i = 0; i < 300; i++)
		memcpy(data + i * 5, (uint8_t[]){ S3, 9, 0xf0 }, 5);
	assert_int_equal(h264_unit_flags(data, sizeof(data), &nr_auds),
			 UNIT_AUD);
	assert_int_equal(nr_auds, 255);
}

/* Bits of an Exp-Golomb code behind a header. */
static size_t put_set(uint8_t *to, unsigned type, unsigned id)
{
	size_t at = 0;
	unsigned bits = 0;
	uint32_t code = id + 1;

	memcpy(to, (uint8_t[]){ S4, (uint8_t)(0x60 | type) }, 5);
	at = 5;
	if (type == H264_NAL_SPS) {
		memcpy(to + at, (uint8_t[]){ 100, 0, 40 }, 3);
		at += 3;
	}
	while (code >> (bits + 1))
		bits++;
	/* At most 16 bits, then ones. */
	code = code << (16 - (2 * bits + 1)) | (1U << (15 - 2 * bits)) >> 1;
	to[at++] = (uint8_t)(code >> 8);
	to[at++] = (uint8_t)(code | 1);
	to[at++] = 0xaa;
	return at;
}

static void test_sets(void **state)
{
	UNUSED(state);
	for (unsigned sps = 0; sps < 32; sps++) {
		uint8_t unit[200] = { S4, 9, 0xf0 };
		struct h264_sets sets;
		unsigned pps = (sps * 7 + 3) % 64;
		uint32_t ids = 1U << sps;
		size_t at = 6;
		size_t size, picture;

		at += put_set(unit + at, H264_NAL_SPS, sps);
		/* Zeros at the end of one are not of it. */
		at += sps % 3;
		at += put_set(unit + at, H264_NAL_PPS, pps);
		size = at - 6 - sps % 3;
		picture = at;
		memcpy(unit + at, (uint8_t[]){ S4, 0x65, 0x88, 0x84 }, 7);
		at += 7;
		/* Behind a picture nothing counts. */
		at += put_set(unit + at, H264_NAL_SPS, 29);
		h264_read_sets(&arena, unit, at, &sets);
		assert_int_equal(sets.size, size);
		ids |= pps < 32 ? 1U << pps : 0;
		assert_int_equal(sets.ids, ids);
		assert_int_equal(h264_after_sets(unit, at), picture);
		assert_memory_equal(sets.data + sets.size - 8,
				    unit + picture - 8, 8);
	}
}

static void test_no_sets(void **state)
{
	static const uint8_t picture[] = { S3, 0x41, 0x9a, 0x22 };
	struct h264_sets sets;

	UNUSED(state);
	h264_read_sets(&arena, picture, sizeof(picture), &sets);
	assert_int_equal(sets.size, 0);
	assert_int_equal(sets.ids, 0);
	assert_int_equal(h264_after_sets(picture, sizeof(picture)), 0);
	h264_read_sets(&arena, picture, 0, &sets);
	assert_int_equal(sets.size, 0);
	assert_int_equal(h264_after_sets(picture, 0), 0);
	/* Without any header there is no place. */
	assert_int_equal(h264_after_sets(picture, 3), 3);
}

/* More than is kept: what is kept is whole. */
static void test_too_many_sets(void **state)
{
	size_t size = 0;
	uint8_t *data = malloc(200000);
	struct h264_sets sets, again;

	UNUSED(state);
	assert_non_null(data);
	for (unsigned i = 0; size < 199000; i++) {
		size += put_set(data + size, H264_NAL_PPS, i % 40);
		memset(data + size, 0x33, 500);
		size += 500;
	}
	h264_read_sets(&arena, data, size, &sets);
	assert_in_range(sets.size, 60000, 65536);
	assert_memory_equal(sets.data, data, sets.size);
	h264_read_sets(&arena, sets.data, sets.size, &again);
	assert_int_equal(again.size, sets.size);
	free(data);
}

static void test_free_id(void **state)
{
	UNUSED(state);
	assert_int_equal(h264_free_id(0), 7);
	assert_int_equal(h264_free_id(1), 7);
	assert_int_equal(h264_free_id(1U << 7), 8);
	assert_int_equal(h264_free_id(0x7fffffff & ~(1U << 30)), 30);
	/* None that should be used: any, but a valid one. */
	assert_in_range(h264_free_id(0xffffffff), 0, 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_next_random),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_no_sets),
		cmocka_unit_test(test_too_many_sets),
		cmocka_unit_test(test_free_id),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
