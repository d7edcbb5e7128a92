/*
 * test_ts.c - packets, times and tables of a transport stream.  The references
 * are bytes written by hand after ISO/IEC 13818-1, and what the functions
 * write themselves.
 */
#include "config.h"

#include "media/psi.h"
#include "media/ts.h"

#include "unit.h"

static void test_header(void **state)
{
	uint8_t p[TS_PACKET] = { TS_SYNC, 0x41, 0x00, 0x37 };

	UNUSED(state);
	assert_int_equal(ts_pid(p), 0x100);
	assert_true(ts_begins_unit(p));
	assert_true(ts_has_payload(p));
	assert_true(ts_has_adaptation(p));
	assert_int_equal(ts_counter(p), 7);
	assert_false(ts_is_damaged(p));
	ts_set_pid(p, 0x1abc);
	assert_int_equal(ts_pid(p), 0x1abc);
	assert_true(ts_begins_unit(p));
	ts_set_counter(p, 0x1f);
	assert_int_equal(p[3], 0x3f);
	ts_make_null(p);
	assert_int_equal(ts_pid(p), TS_PID_NULL);
	assert_int_equal(ts_payload_at(p), 4);
}

static void test_payload_at(void **state)
{
	static const struct {
		uint8_t control;
		uint8_t length;	/* of the adaptation field */
		size_t at;
	} rows[] = {
		{ 0x10, 200, 4 },	  { 0x30, 0, 5 },
		{ 0x30, 7, 12 },	  { 0x30, 182, 187 },
		{ 0x30, 183, TS_PACKET }, { 0x30, 255, TS_PACKET },
		{ 0x20, 7, TS_PACKET },	  { 0x00, 0, TS_PACKET },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t p[TS_PACKET] = { TS_SYNC, 0, 0, rows[i].control,
					 rows[i].length };

		print_message("# control %#x, length %u\n", rows[i].control,
			      rows[i].length);
		assert_int_equal(ts_payload_at(p), rows[i].at);
	}
}

static void test_pcr(void **state)
{
	static const struct {
		int64_t set;
		int64_t get;
	} rows[] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 299, 299 },
		{ 300, 300 },
		{ 511, 511 },
		{ TS_PCR_WRAP - 1, TS_PCR_WRAP - 1 },
		{ TS_PCR_WRAP, 0 },
		{ TS_PCR_WRAP + 27000000, 27000000 },
		{ -1, TS_PCR_WRAP - 1 },
		{ -3 * TS_PCR_WRAP + 5, 5 },
		{ INT64_C(1234567890123), INT64_C(1234567890123) },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t p[TS_PACKET] = { TS_SYNC, 0, 0, 0x30, 7, 0x10 };

		print_message("# %lld\n", (long long)rows[i].set);
		assert_true(ts_has_pcr(p));
		ts_set_pcr(p, rows[i].set);
		assert_int_equal(ts_pcr(p), rows[i].get);
		assert_int_equal(p[10] & 0x7e, 0x7e);	/* reserved bits */
	}
}

/* Fields too short for what their flags announce have nothing. */
static void test_no_pcr(void **state)
{
	static const uint8_t rows[][6] = {
		{ TS_SYNC, 0, 0, 0x10, 7, 0x10 },
		{ TS_SYNC, 0, 0, 0x30, 0, 0x10 },
		{ TS_SYNC, 0, 0, 0x30, 6, 0x10 },
		{ TS_SYNC, 0, 0, 0x30, 184, 0x10 },
		{ TS_SYNC, 0, 0, 0x30, 7, 0xef },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t p[TS_PACKET] = { 0 };

		memcpy(p, rows[i], sizeof(rows[i]));
		assert_false(ts_has_pcr(p));
	}
}

static void test_pes(void **state)
{
	uint8_t data[19] = { 0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10, 0x30 };
	struct pes_header pes;

	UNUSED(state);
	data[14] = 0x10;
	pes_set_time(data + 9, TS_WRAP - 1);
	pes_set_time(data + 14, INT64_C(0x123456789));
	assert_int_equal(data[9] >> 4, 3);
	assert_int_equal(data[9] & 1, 1);
	assert_true(pes_read(data, sizeof(data), &pes));
	assert_int_equal(pes.stream_id, 0xe0);
	assert_int_equal(pes.pts, TS_WRAP - 1);
	assert_int_equal(pes.dts, INT64_C(0x123456789));
	assert_int_equal(pes.payload_at, 19);
	data[7] = 0x80;
	data[8] = 5;
	assert_true(pes_read(data, sizeof(data), &pes));
	assert_int_equal(pes.dts, TS_WRAP - 1);
	assert_int_equal(pes.dts_at, 0);
	data[7] = 0;
	data[8] = 0;
	assert_true(pes_read(data, sizeof(data), &pes));
	assert_int_equal(pes.pts, TS_NONE);
	assert_int_equal(pes.payload_at, 9);
}

static void test_bad_pes(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		size_t at;	/* which byte is wrong */
		uint8_t value;
	} rows[] = {
		{ "empty", 0, 0, 0 },
		{ "cut", 8, 0, 0 },
		{ "no start code", 19, 2, 2 },
		{ "not zero", 19, 0, 1 },
		{ "no such stream", 19, 3, 0xb9 },
		{ "padding", 19, 3, 0xbe },
		{ "a map", 19, 3, 0xbc },
		{ "MPEG-1", 19, 6, 0x40 },
		{ "header past the end", 19, 8, 11 },
		{ "header far past the end", 19, 8, 255 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t data[19] = { 0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10 };
		struct pes_header pes = { .payload_at = 42 };

		print_message("# %s\n", rows[i].what);
		if (rows[i].at || rows[i].value)
			data[rows[i].at] = rows[i].value;
		assert_false(pes_read(data, rows[i].len, &pes));
		assert_int_equal(pes.payload_at, 42);
	}
}

static void test_unwrap(void **state)
{
	static const struct {
		int64_t ts;
		int64_t reference;
		int64_t time;
	} rows[] = {
		{ 5, 0, 5 },
		{ TS_WRAP - 1, 0, -1 },
		{ 0, TS_WRAP - 1, TS_WRAP },
		{ 10, 3 * TS_WRAP - 10, 3 * TS_WRAP + 10 },
		{ TS_WRAP - 10, 3 * TS_WRAP + 10, 3 * TS_WRAP - 10 },
		{ TS_WRAP / 2 - 1, 0, TS_WRAP / 2 - 1 },
		{ TS_WRAP / 2, 0, -TS_WRAP / 2 },
		{ 7, -TS_WRAP, 7 - TS_WRAP },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(ts_unwrap(rows[i].ts, rows[i].reference),
				 rows[i].time);
}

static void test_sync(void **state)
{
	uint8_t data[8 * TS_PACKET] = { 0 };

	UNUSED(state);
	assert_int_equal(ts_find_sync(data, sizeof(data), 0), sizeof(data));
	for (size_t at = 7; at < sizeof(data); at += TS_PACKET)
		data[at] = TS_SYNC;
	assert_int_equal(ts_find_sync(data, sizeof(data), 0), 7);
	data[3] = TS_SYNC;	/* a stray one */
	assert_int_equal(ts_find_sync(data, sizeof(data), 0), 7);
	assert_int_equal(ts_find_sync(data, sizeof(data), 8), 7 + TS_PACKET);
	assert_int_equal(ts_find_sync(data, 0, 0), 0);
}

/* Tables */

static size_t seal(uint8_t *section, size_t len)
{
	uint32_t crc;

	section[1] = (uint8_t)(0xb0 | (len + 4 - 3) >> 8);
	section[2] = (uint8_t)(len + 4 - 3);
	crc = ts_crc(section, len);
	for (int i = 0; i < 4; i++)
		section[len + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
	return len + 4;
}

static size_t make_pmt(uint8_t *section, size_t nr_streams, uint8_t info)
{
	uint8_t head[12] = { 2, 0, 0, 0, 1, 0xc1, 0, 0, 0xe1, 0x00, 0xf0, 3 };
	size_t at = 15;

	memcpy(section, head, sizeof(head));
	memset(section + 12, 0x05, 3);	/* programme descriptors */
	for (size_t i = 0; i < nr_streams; i++) {
		static const uint8_t types[] = { 0x1b, 0x0f, 0x15, 0x06 };

		section[at] = types[i % 4];
		section[at + 1] = 0xe1;
		section[at + 2] = (uint8_t)i;
		section[at + 3] = 0xf0;
		section[at + 4] = info;
		memset(section + at + 5, 0xaa, info);
		at += 5U + info;
	}
	return seal(section, at);
}

/* Sections of all lengths come back from their packets. */
static void test_sections(void **state)
{
	UNUSED(state);
	for (size_t nr = 1; nr <= PSI_MAX_STREAMS; nr++) {
		uint8_t section[PSI_MAX_SECTION];
		uint8_t packets[8 * TS_PACKET];
		struct psi_section s = { 0 };
		struct ts_program program;
		unsigned counter = 14;
		size_t len = make_pmt(section, nr, 20);
		size_t nr_packets = psi_nr_packets(len);

		psi_put(section, len, 0x1000, &counter, packets);
		for (size_t i = 0; i < nr_packets; i++) {
			const uint8_t *p = packets + i * TS_PACKET;

			assert_int_equal(ts_pid(p), 0x1000);
			assert_int_equal(psi_feed(&s, p), i == nr_packets - 1);
		}
		assert_int_equal(counter, (14 + nr_packets) & 0x0f);
		assert_int_equal(s.need, len);
		assert_memory_equal(s.data, section, len);
		assert_true(psi_read_pmt(&s, &program));
		assert_int_equal(program.nr_streams, nr);
		assert_int_equal(program.pcr_pid, 0x100);
		assert_int_equal(program.streams[nr - 1].pid, 0x100 + nr - 1);
		assert_int_equal(program_stream(&program, STREAM_VIDEO)->pid,
				 0x100);
		assert_true(!program_stream(&program, STREAM_AUDIO) ==
			    (nr < 2));
	}
}

/* A lost packet, a wrong byte or a wrong table: no table. */
static void test_bad_sections(void **state)
{
	uint8_t section[PSI_MAX_SECTION];
	uint8_t packets[8 * TS_PACKET];
	struct psi_section s = { 0 };
	struct ts_program program = { .nr_streams = 42 };
	unsigned counter = 0;
	unsigned pmt_pid = 42;
	size_t len = make_pmt(section, 20, 20);

	UNUSED(state);
	psi_put(section, len, 0x1000, &counter, packets);
	assert_true(psi_nr_packets(len) > 2);
	assert_false(psi_feed(&s, packets + TS_PACKET));
	assert_false(psi_feed(&s, packets));
	assert_false(psi_feed(&s, packets + 2 * TS_PACKET));
	assert_false(psi_feed(&s, packets + TS_PACKET));
	len = make_pmt(section, 1, 0);
	psi_put(section, len, 0x1000, &counter, packets);
	for (size_t at = 5; at < 5 + len; at++) {
		uint8_t bad[TS_PACKET];

		memcpy(bad, packets, sizeof(bad));
		bad[at] ^= 0x40;
		assert_false(psi_feed(&s, bad));
	}
	assert_true(psi_feed(&s, packets));
	assert_false(psi_read_pat(&s, &pmt_pid));
	assert_int_equal(pmt_pid, 42);
	s.data[5] = 0xc0;	/* of the future */
	assert_false(psi_read_pmt(&s, &program));
	assert_int_equal(program.nr_streams, 42);
}

static void test_pat(void **state)
{
	/* The network's PID first, then two programmes. */
	uint8_t section[32] = { 0,    0, 0, 0, 1, 0xc1, 0, 0,	 0, 0, 0xe0,
				0x10, 0, 7, 0xf0, 0x12, 0, 8, 0xf0, 0x13 };
	uint8_t packet[TS_PACKET];
	struct psi_section s = { 0 };
	unsigned counter = 0;
	unsigned pid = 0;

	UNUSED(state);
	psi_put(section, seal(section, 20), 0, &counter, packet);
	assert_true(psi_feed(&s, packet));
	assert_true(psi_read_pat(&s, &pid));
	assert_int_equal(pid, 0x1012);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_payload_at),
		cmocka_unit_test(test_pcr),
		cmocka_unit_test(test_no_pcr),
		cmocka_unit_test(test_pes),
		cmocka_unit_test(test_bad_pes),
		cmocka_unit_test(test_unwrap),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_bad_sections),
		cmocka_unit_test(test_pat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
