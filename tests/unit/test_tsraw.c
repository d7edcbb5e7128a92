/*
 * test_tsraw.c - packets rewritten in place, against packets whose fields are
 * written here: nothing moves, nothing grows, and what a file does to the
 * counters is what skipping it does.
 */
#include "config.h"

#include "media/tsraw.h"

#include <sys/mman.h>

#include "unit.h"

#define PMT   0x55
#define VIDEO 0x65
#define AUDIO 0x44
#define ID3   0x200
#define OTHER 0x300
#define FRAME 3000 /* ticks */

static struct tsout_format format;
static struct tsraw_map map;

static int begin(void **state)
{
	const struct ts_program program = {
		.pcr_pid = VIDEO,
		.nr_streams = 4,
		.streams = { { OTHER, 0x06, STREAM_OTHER },
			     { AUDIO, TYPE_ADTS, STREAM_AUDIO },
			     { ID3, TYPE_ID3, STREAM_ID3 },
			     { VIDEO, TYPE_H264, STREAM_VIDEO } },
	};

	UNUSED(state);
	tsout_format_init(&format, TYPE_H264, TYPE_ADTS, true);
	tsraw_map_init(&map, &format, &program, PMT);
	return 0;
}

/* A packet, field by field; times of TS_NONE are not there. */
struct made {
	unsigned pid;
	unsigned counter;
	bool begins;
	bool no_payload;
	int64_t pcr;
	int64_t pts;
	int64_t dts;
};

static void put_time(uint8_t *p, unsigned mark, int64_t time)
{
	uint64_t t = (uint64_t)time & 0x1ffffffff;

	p[0] = (uint8_t)(mark << 4 | (t >> 29 & 0x0e) | 1);
	p[1] = (uint8_t)(t >> 22);
	p[2] = (uint8_t)((t >> 14 & 0xfe) | 1);
	p[3] = (uint8_t)(t >> 7);
	p[4] = (uint8_t)(t << 1 | 1);
}

static void put_pcr(uint8_t *p, int64_t pcr)
{
	uint64_t base = (uint64_t)pcr / 300 & 0x1ffffffff;
	unsigned extension = (unsigned)(pcr % 300);

	p[0] = (uint8_t)(base >> 25);
	p[1] = (uint8_t)(base >> 17);
	p[2] = (uint8_t)(base >> 9);
	p[3] = (uint8_t)(base >> 1);
	p[4] = (uint8_t)((base & 1) << 7 | 0x7e | extension >> 8);
	p[5] = (uint8_t)extension;
}

static void make(uint8_t *p, const struct made *m)
{
	size_t at = 4;

	for (size_t i = 0; i < TS_PACKET; i++)
		p[i] = (uint8_t)(i * 7);
	p[0] = 0x47;
	p[1] = (uint8_t)((m->begins ? 0x40 : 0) | m->pid >> 8);
	p[2] = (uint8_t)m->pid;
	p[3] = (uint8_t)((m->no_payload ? 0x20 : 0x10) | (m->counter & 15));
	if (m->no_payload || m->pcr != TS_NONE) {
		p[3] |= 0x20;
		p[4] = m->no_payload ? 183 : 7;
		p[5] = m->pcr != TS_NONE ? 0x10 : 0;
		if (m->pcr != TS_NONE)
			put_pcr(p + 6, m->pcr);
		at = 5U + p[4];
	}
	if (m->begins && m->pts != TS_NONE) {
		const bool two = m->dts != TS_NONE;
		const uint8_t header[] = {
			0,	     0, 1,    m->pid == AUDIO ? 0xc0 : 0xe0,
			0,	     0, 0x84, two ? 0xc0 : 0x80,
			two ? 10 : 5
		};

		memcpy(p + at, header, sizeof(header));
		put_time(p + at + 9, two ? 3 : 2, m->pts);
		if (two)
			put_time(p + at + 14, 1, m->dts);
	}
}

/* One that says nothing but whose it is. */
static void make_plain(uint8_t *p, unsigned pid, unsigned counter)
{
	make(p,
	     &(struct made){ .pid = pid, .counter = counter, .pcr = TS_NONE });
}

static struct tsraw new_raw(struct tsout_counters *counters, int64_t video,
			    int64_t audio)
{
	struct tsraw raw = { .format = &format,
			     .map = &map,
			     .video_delta = video,
			     .audio_delta = audio,
			     .frame_ticks = FRAME,
			     .counters = counters };

	tsraw_begin(&raw);
	return raw;
}

static void rewrite_well(struct tsraw *raw, uint8_t *packets, size_t nr)
{
	struct errmsg e = { "" };

	if (tsraw_rewrite(raw, packets, nr, &e))
		fail_msg("%s", e.text);
}

static void assert_null_packet(const uint8_t *p)
{
	assert_int_equal(p[0], TS_SYNC);
	assert_int_equal(ts_pid(p), TS_PID_NULL);
	assert_false(ts_begins_unit(p));
	assert_false(ts_has_adaptation(p));
}

/* Only times, PIDs and counters change; each by what it should. */
static void test_times(void **state)
{
	static const int64_t times[] = { 0,	      1,
					 90000,	      TS_WRAP / 2,
					 TS_WRAP - 1, TS_WRAP - 4000 };
	static const int64_t deltas[] = { 0,	    1,
					  -1,	    123456789,
					  -90000,   TS_WRAP - 1,
					  -TS_WRAP, 4 * TS_WRAP + 5 };
	static const struct {
		unsigned pid;
		unsigned out;
	} pids[] = { { VIDEO, 0x100 }, { AUDIO, 0x101 }, { ID3, 0x102 } };

	UNUSED(state);
	for (size_t t = 0; t < ARRAY_SIZE(times); t++)
		for (size_t d = 0; d < ARRAY_SIZE(deltas); d++)
			for (size_t k = 0; k < ARRAY_SIZE(pids) * 2; k++) {
				struct tsout_counters c = {
					.next = { 0, 1, 2, 3, 4, 5 }
				};
				int64_t other = deltas[d] ^ 0x1234;
				bool is_audio = pids[k / 2].pid == AUDIO;
				struct tsraw raw = new_raw(
					&c, is_audio ? other : deltas[d],
					is_audio ? deltas[d] : other);
				struct made m = { .pid = pids[k / 2].pid,
						  .counter = 9,
						  .begins = true,
						  .pcr = TS_NONE,
						  .pts = times[t],
						  .dts = k % 2 ? times[t] - 77 :
								 TS_NONE };
				uint8_t p[TS_PACKET];
				uint8_t expected[TS_PACKET];

				make(p, &m);
				m.pts += deltas[d];
				m.dts += k % 2 ? deltas[d] : 0;
				m.pid = pids[k / 2].out;
				m.counter = 3 + (unsigned)k / 2;
				make(expected, &m);
				/* The stream's id stays. */
				expected[7] = p[7];
				rewrite_well(&raw, p, 1);
				assert_memory_equal(p, expected, TS_PACKET);
				assert_int_equal(c.next[OUT_VIDEO + k / 2],
						 4 + k / 2);
			}
}

/*
 * A file with a clock that leads by half a second, and one reference between
 * any two pictures.
 */
static void test_pcr(void **state)
{
	static const int64_t starts[] = { 0, 90000, TS_WRAP - 5 * FRAME,
					  TS_WRAP - 45000 - 5 * FRAME };
	static const int64_t deltas[] = { 0, -90000, 5000000, TS_WRAP - 99999 };

	UNUSED(state);
	for (size_t s = 0; s < ARRAY_SIZE(starts); s++) {
		for (size_t d = 0; d < ARRAY_SIZE(deltas); d++) {
			struct tsout_counters c = { { 0 } };
			struct tsraw raw = new_raw(&c, deltas[d], 0);
			uint8_t packets[40 * TS_PACKET];
			int64_t last = TS_NONE;

			for (int i = 0; i < 40; i++) {
				int64_t dts = starts[s] + i / 2 * FRAME;
				int64_t clock =
					(dts - 45000 + (i % 2) * 1000) * 300 +
					17;

				make(packets + i * TS_PACKET,
				     &(struct made){
					     .pid = VIDEO,
					     .counter = (unsigned)i,
					     .begins = i % 2 == 0,
					     .pcr = (clock + TS_PCR_WRAP) %
						    TS_PCR_WRAP,
					     .pts = dts + FRAME,
					     .dts = dts });
			}
			/* In two calls, as a file is. */
			rewrite_well(&raw, packets, 13);
			rewrite_well(&raw, packets + 13 * TS_PACKET, 27);
			for (int i = 0; i < 40; i++) {
				const uint8_t *p = packets + i * TS_PACKET;
				int64_t dts =
					starts[s] + i / 2 * FRAME + deltas[d];
				int64_t pcr = ts_pcr(p);
				int64_t due = ((dts + (i % 2) * 1000) * 300 %
						       TS_PCR_WRAP +
					       TS_PCR_WRAP) %
					      TS_PCR_WRAP;

				assert_true(ts_has_pcr(p));
				assert_int_equal(pcr, due);
				assert_int_equal(ts_counter(p), i & 15);
				assert_true(last == TS_NONE ||
					    (pcr - last + TS_PCR_WRAP) %
							    TS_PCR_WRAP <
						    INT64_C(300) * FRAME);
				last = pcr;
			}
		}
	}
}

/* A source whose clock runs away, stands, or goes back: ours rises. */
static void test_bad_pcr(void **state)
{
	uint64_t seed = 5;

	UNUSED(state);
	for (int round = 0; round < 300; round++) {
		struct tsout_counters c = { { 0 } };
		struct tsraw raw = new_raw(&c, 1000, 0);
		uint8_t packets[60 * TS_PACKET];
		int64_t last = TS_NONE;
		int64_t limit = TS_NONE;

		for (int i = 0; i < 60; i++)
			make(packets + i * TS_PACKET,
			     &(struct made){
				     .pid = VIDEO,
				     .counter = (unsigned)i,
				     .begins = i % 6 == 0,
				     .pcr = (int64_t)(unit_random(&seed) %
						      TS_PCR_WRAP),
				     .pts = 90000 + i / 6 * FRAME,
				     .dts = TS_NONE });
		rewrite_well(&raw, packets, 60);
		for (int i = 0; i < 60; i++) {
			int64_t pcr = ts_pcr(packets + i * TS_PACKET);

			if (i % 6 == 0) {
				int64_t dts = 91000 + i / 6 * FRAME;

				assert_int_equal(pcr, dts * 300);
				limit = (dts + FRAME) * 300;
			}
			assert_true(last == TS_NONE || pcr > last);
			assert_true(pcr < limit);
			last = pcr;
		}
	}
}

static void test_foreign(void **state)
{
	static const unsigned pids[] = { OTHER, 0x11,  0x1ffe, TS_PID_NULL,
					 0x100, 0x101, 0x102,  0x1000 };
	struct tsout_counters c = { { 0 } };
	struct tsraw raw = new_raw(&c, 0, 0);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		uint8_t p[TS_PACKET];

		make(p, &(struct made){ .pid = pids[i],
					.counter = 3,
					.begins = true,
					.pcr = 99999,
					.pts = 5,
					.dts = TS_NONE });
		rewrite_well(&raw, p, 1);
		assert_null_packet(p);
	}
	for (unsigned kind = 0; kind < OUT_NR; kind++)
		assert_int_equal(c.next[kind], 0);
}

/* A packet that is none is a hole of its length, not the end. */
static void test_out_of_sync(void **state)
{
	struct tsout_counters c = { { 0 } };
	struct tsraw raw = new_raw(&c, 0, 0);
	uint8_t packets[3 * TS_PACKET];

	UNUSED(state);
	for (unsigned i = 0; i < 3; i++)
		make_plain(packets + i * TS_PACKET, VIDEO, i);
	packets[TS_PACKET] = 0x46;
	rewrite_well(&raw, packets, 3);
	assert_int_equal(ts_pid(packets), 0x100);
	assert_null_packet(packets + TS_PACKET);
	assert_int_equal(ts_pid(packets + 2 * TS_PACKET), 0x100);
	/* What is missing shows. */
	assert_int_equal(ts_counter(packets), 0);
	assert_int_equal(ts_counter(packets + 2 * TS_PACKET), 2);
	assert_int_equal(c.next[OUT_VIDEO], 3);
}

static void test_tables(void **state)
{
	struct tsout_counters c = { .next = { [OUT_PAT] = 14, [OUT_PMT] = 3 } };
	struct tsraw raw = new_raw(&c, 0, 0);
	uint8_t packets[6 * TS_PACKET];

	UNUSED(state);
	for (unsigned i = 0; i < 4; i++)
		make_plain(packets + i * TS_PACKET, i % 2 ? PMT : 0, 7 + i / 2);
	/* One that holds no table cannot become one. */
	make(packets + 4 * TS_PACKET,
	     &(struct made){ .pid = 0, .no_payload = true, .pcr = TS_NONE });
	make_plain(packets + 5 * TS_PACKET, 0, 9);
	rewrite_well(&raw, packets, 6);
	for (unsigned i = 0; i < 6; i++) {
		uint8_t *p = packets + i * TS_PACKET;
		uint8_t expected[TS_PACKET];

		if (i == 4) {
			assert_null_packet(p);
			continue;
		}
		memcpy(expected, i < 4 && i % 2 ? format.pmt : format.pat,
		       TS_PACKET);
		ts_set_counter(expected, i == 5 ? 0 :
					 i % 2	? 3 + i / 2 :
						  14 + i / 2);
		assert_memory_equal(p, expected, TS_PACKET);
	}
	assert_int_equal(c.next[OUT_PAT], 1);
	assert_int_equal(c.next[OUT_PMT], 5);
}

static void test_header_over_two(void **state)
{
	struct tsout_counters c = { { 0 } };
	struct tsraw raw = new_raw(&c, 0, 0);
	struct errmsg e = { "" };
	uint8_t p[TS_PACKET];

	UNUSED(state);
	make(p, &(struct made){ .pid = VIDEO,
				.begins = true,
				.pcr = TS_NONE,
				.pts = 5,
				.dts = TS_NONE });
	/* All but 12 bytes are adaptation. */
	memmove(p + TS_PACKET - 12, p + 4, 12);
	p[3] |= 0x20;
	p[4] = TS_PACKET - 4 - 1 - 12;
	p[5] = 0;
	assert_int_equal(tsraw_rewrite(&raw, p, 1, &e), ERR_MEDIA);
	assert_string_not_equal(e.text, "");
}

/* A file of anything: PIDs of all kinds, losses, packets out of step. */
static size_t make_file(uint8_t *packets, size_t max, uint64_t *seed)
{
	static const unsigned pids[] = { 0,	PMT,  VIDEO,	  VIDEO,
					 VIDEO, ID3,  AUDIO,	  AUDIO,
					 OTHER, 0x11, TS_PID_NULL };
	unsigned counters[ARRAY_SIZE(pids)] = { 0 };
	size_t nr = unit_random(seed) % max;
	size_t kinds = 1 + unit_random(seed) % ARRAY_SIZE(pids);

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		counters[i] = (unsigned)unit_random(seed) & 15;
	for (size_t i = 0; i < nr; i++) {
		uint64_t r = unit_random(seed);
		size_t k = r % kinds;
		struct made m = { .pid = pids[k],
				  .pcr = r >> 8 & 3 ? TS_NONE : 123456,
				  .begins = (r >> 10 & 7) == 0,
				  .no_payload = (r >> 13 & 7) == 0,
				  .pts = (int64_t)(r >> 30),
				  .dts = TS_NONE };

		/* Now and then one is lost, or comes again. */
		if (!m.no_payload)
			counters[k] +=
				(r >> 16 & 31) ? 1U : (unsigned)(r >> 21 & 3);
		m.counter = counters[k];
		m.begins = m.begins && !m.no_payload;
		make(packets + i * TS_PACKET, &m);
		if ((r >> 24 & 63) == 0)
			packets[i * TS_PACKET] ^= 0x40;
		/* A field that is longer than its packet. */
		if ((r >> 24 & 63) == 1 && !m.begins) {
			packets[i * TS_PACKET + 3] |= 0x30;
			packets[i * TS_PACKET + 4] = 200;
		}
	}
	return nr;
}

/* Files one after the other: steps are kept in them and go on between. */
static void test_skip(void **state)
{
	static uint8_t packets[700 * TS_PACKET];
	static uint8_t before[sizeof(packets)];
	uint64_t seed = 11;

	UNUSED(state);
	for (int round = 0; round < 60; round++) {
		struct tsout_counters sent, skipped;

		for (size_t k = 0; k < OUT_NR; k++)
			sent.next[k] = unit_random(&seed) & 15;
		sent.next[OUT_NONE] = 0;
		skipped = sent;
		for (int i = 0; i < 4; i++) {
			struct tsout_counters at = sent;
			struct tsraw raw = new_raw(&sent, 5, 6);
			bool is_seen[OUT_NR] = { false };
			int fd = memfd_create("test", MFD_CLOEXEC);
			struct errmsg e = { "" };
			size_t nr = make_file(packets, 700, &seed);

			assert_true(fd >= 0);
			assert_int_equal(write(fd, packets, nr * TS_PACKET),
					 nr * TS_PACKET);
			memcpy(before, packets, nr * TS_PACKET);
			rewrite_well(&raw, packets, nr);
			if (tsraw_skip(&map, fd, nr, &skipped, &e))
				fail_msg("%s", e.text);
			for (size_t k = OUT_PAT; k < OUT_NR; k++)
				assert_int_equal(sent.next[k] & 15,
						 skipped.next[k] & 15);
			/* A file that became shorter is noticed. */
			if (nr > 1)
				assert_int_equal(
					tsraw_skip(&map, fd, nr + 300, &at, &e),
					ERR_CORRUPT);
			close(fd);
			for (size_t n = 0; n < nr; n++) {
				const uint8_t *p = packets + n * TS_PACKET;
				const uint8_t *q = before + n * TS_PACKET;
				enum out_kind kind = map.kinds[ts_pid(q)];

				assert_int_equal(p[0], TS_SYNC);
				if (q[0] != TS_SYNC || kind == OUT_NONE ||
				    (kind <= OUT_PMT && !ts_has_payload(q))) {
					assert_null_packet(p);
					continue;
				}
				assert_int_equal(ts_pid(p), out_pids[kind]);
				if (!ts_has_payload(q))
					continue;
				/* The first goes on; the others keep steps. */
				if (!is_seen[kind])
					assert_int_equal(ts_counter(p),
							 at.next[kind] & 15);
				is_seen[kind] = true;
				at.next[kind] = (uint8_t)(ts_counter(p) + 1);
				if (n + 1 < nr && q[TS_PACKET] == TS_SYNC &&
				    ts_pid(q + TS_PACKET) == ts_pid(q) &&
				    ts_has_payload(q + TS_PACKET))
					assert_int_equal(
						(ts_counter(p + TS_PACKET) -
						 ts_counter(p)) &
							15,
						(ts_counter(q + TS_PACKET) -
						 ts_counter(q)) &
							15);
			}
		}
	}
}

/* However a file is divided into calls. */
static void test_chunks(void **state)
{
	static uint8_t whole[200 * TS_PACKET];
	static uint8_t parts[sizeof(whole)];
	uint64_t seed = 3;

	UNUSED(state);
	for (int round = 0; round < 100; round++) {
		struct tsout_counters a = { { 0 } };
		struct tsout_counters b = { { 0 } };
		struct tsraw raw = new_raw(&a, 77, 99);
		struct tsraw other = new_raw(&b, 77, 99);
		size_t nr = make_file(whole, 200, &seed);

		memcpy(parts, whole, nr * TS_PACKET);
		rewrite_well(&raw, whole, nr);
		for (size_t at = 0; at < nr;) {
			size_t part = 1 + unit_random(&seed) % (nr - at);

			rewrite_well(&other, parts + at * TS_PACKET, part);
			at += part;
		}
		assert_memory_equal(whole, parts, nr * TS_PACKET);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_pcr),
		cmocka_unit_test(test_bad_pcr),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_out_of_sync),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_header_over_two),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
