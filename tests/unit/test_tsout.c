/*
 * test_tsout.c - what is written as packets reads back the same, by tables and
 * counters and clocks that are taken apart here.
 */
#include "config.h"

#include "media/tsout.h"

#include "base/text.h"
#include "media/tsfile.h"

#include "inarena.h"

#define FRAME 3000

struct memory {
	struct sink sink;
	struct text *out;
};

static enum err take(struct sink *s, const struct iovec *iov, int nr_iov,
		     struct errmsg *e)
{
	UNUSED(e);
	for (int i = 0; i < nr_iov; i++)
		text_append(((struct memory *)s)->out, iov[i].iov_base,
			    iov[i].iov_len);
	return ERR_OK;
}

/* A new stream into memory. */
struct stream {
	struct tsout out;
	struct tsout_format format;
	struct memory to;
	struct errmsg e;
};

static struct stream *new_stream(uint8_t video, uint8_t audio, bool has_id3)
{
	struct stream *s = ARENA_NEW(&arena, struct stream);

	s->to = (struct memory){ { take, sink_copy_by_reading },
				 text_new(&arena, 1 << 26) };
	text_puts(s->to.out, "");
	tsout_format_init(&s->format, video, audio, has_id3);
	tsout_init(&s->out, &s->format, &s->to.sink);
	return s;
}

static void put_video(struct stream *s, const uint8_t *data, size_t size,
		      int64_t pts, int64_t dts, bool is_key)
{
	const struct out_unit unit = { data, size, pts, dts, is_key };

	assert_int_equal(tsout_video(&s->out, &unit, &s->e), ERR_OK);
}

static const uint8_t *flush(struct stream *s, size_t *nr_r)
{
	assert_int_equal(tsout_flush(&s->out, &s->e), ERR_OK);
	assert_int_equal(s->to.out->len % TS_PACKET, 0);
	*nr_r = s->to.out->len / TS_PACKET;
	for (size_t i = 0; i < *nr_r; i++)
		assert_int_equal((uint8_t)s->to.out->data[i * TS_PACKET], 0x47);
	return (const uint8_t *)s->to.out->data;
}

/* Tables */

static void test_tables(void **state)
{
	UNUSED(state);
	for (unsigned i = 1; i < 8; i++) {
		struct tsout_format f;
		struct psi_section section = { .have = 0 };
		struct ts_program program;
		unsigned pid = 0;

		tsout_format_init(&f, i & 1 ? TYPE_H264 : 0,
				  i & 2 ? TYPE_ADTS : 0, i & 4);
		assert_int_equal(f.has[OUT_VIDEO], i & 1);
		assert_int_equal(f.has[OUT_AUDIO], i >> 1 & 1);
		assert_int_equal(f.has[OUT_ID3], i >> 2 & 1);
		assert_true(psi_feed(&section, f.pat));
		assert_true(psi_read_pat(&section, &pid));
		assert_int_equal(pid, 0x1000);
		section = (struct psi_section){ .have = 0 };
		assert_int_equal(ts_pid(f.pmt), pid);
		assert_true(psi_feed(&section, f.pmt));
		assert_true(psi_read_pmt(&section, &program));
		assert_int_equal(program.nr_streams,
				 (i & 1) + (i >> 1 & 1) + (i >> 2 & 1));
		assert_int_equal(program.pcr_pid, i & 1 ? 0x100 : 0x101);
		for (size_t k = 0; k < program.nr_streams; k++) {
			const struct ts_stream *t = &program.streams[k];

			assert_int_equal(t->pid, t->type == TYPE_H264 ? 0x100 :
						 t->type == TYPE_ADTS ? 0x101 :
									0x102);
			assert_true(t->type != TYPE_ID3 || i & 4);
		}
	}
}

/* Units of every length about those that fill packets exactly. */
static void test_round_trip(void **state)
{
	static uint8_t data[70000];
	static const size_t big[] = { 1000,  32767, 65507, 65520, 65521,
				      65527, 65535, 65536, 69999 };
	struct stream *s = new_stream(TYPE_H264, TYPE_ADTS, true);
	struct tsfile *file;
	struct errmsg e;
	const uint8_t *packets;
	size_t sizes[900];
	size_t nr_sizes = 0;
	size_t nr;

	UNUSED(state);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 + i / 251);
	data[0] = data[1] = data[2] = 0;
	data[3] = 1;
	data[4] = 9;
	for (size_t size = 10; size < 400; size++)
		sizes[nr_sizes++] = size;
	for (size_t i = 0; i < ARRAY_SIZE(big); i++)
		sizes[nr_sizes++] = big[i];
	for (size_t i = 0; i < nr_sizes; i++) {
		int64_t dts = 90000 + (int64_t)i * FRAME;
		size_t size = sizes[i] < 8000 ? sizes[i] : 8000;
		uint8_t frame[8191];

		put_video(s, data, sizes[i], dts + (int64_t)(i % 3) * FRAME,
			  dts, i % 50 == 0);
		/* AAC LC, 48 kHz, two channels. */
		memset(frame, 0x55, sizeof(frame));
		frame[0] = 0xff;
		frame[1] = 0xf1;
		frame[2] = 0x4c;
		frame[3] = (uint8_t)(0x80 | size >> 11);
		frame[4] = (uint8_t)(size >> 3);
		frame[5] = (uint8_t)((size & 7) << 5 | 0x1f);
		frame[6] = 0xfc;
		assert_int_equal(tsout_audio(&s->out, frame, size, dts, &s->e),
				 ERR_OK);
		assert_int_equal(
			tsout_id3(&s->out, data, sizes[i], dts + 7, &s->e),
			ERR_OK);
	}
	packets = flush(s, &nr);
	assert_int_equal(tsfile_parse(&arena, packets, nr * TS_PACKET, TS_NONE,
				      &file, &e),
			 ERR_OK);
	assert_int_equal(file->skipped, 0);
	assert_int_equal(file->nr_units, nr_sizes);
	assert_int_equal(file->nr_frames, nr_sizes);
	assert_int_equal(file->nr_tags, nr_sizes);
	for (size_t i = 0; i < nr_sizes; i++) {
		int64_t dts = 90000 + (int64_t)i * FRAME;

		assert_int_equal(file->units[i].size, sizes[i]);
		assert_memory_equal(file->units[i].data, data, sizes[i]);
		assert_int_equal(file->units[i].dts, dts);
		assert_int_equal(file->units[i].pts,
				 dts + (int64_t)(i % 3) * FRAME);
		assert_int_equal(file->frames[i].pts, dts);
		assert_int_equal(file->frames[i].size,
				 sizes[i] < 8000 ? sizes[i] : 8000);
		assert_int_equal(file->tags[i].pts, dts + 7);
		assert_int_equal(file->tags[i].size, sizes[i]);
		assert_memory_equal(file->tags[i].data, data, sizes[i]);
	}
}

/* Counters of stretches, moved on by those before them, are one sequence. */
static void test_stretches(void **state)
{
	static uint8_t data[5000];
	struct stream *s = new_stream(TYPE_H264, TYPE_ADTS, true);
	struct tsout_counters before = { { 0, 5, 15, 9, 0, 1 } };
	unsigned last[0x2000];
	uint64_t seed = 4;
	size_t done = 0;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(last); i++)
		last[i] = 99;
	for (int stretch = 0; stretch < 30; stretch++) {
		struct tsout_counters within = { { 0 } };
		size_t nr;
		uint8_t *packets;
		uint64_t nr_units = unit_random(&seed) % 5;

		tsout_begin_stretch(&s->out);
		for (uint64_t i = 0; i < nr_units; i++) {
			/* Far enough apart for clocks without payload. */
			int64_t dts = stretch * 90000 + (int64_t)i * 20000;

			put_video(s, data, unit_random(&seed) % sizeof(data),
				  dts, dts, i % 2 == 0);
			if (i % 2)
				assert_int_equal(tsout_id3(&s->out, data, 300,
							   dts, &s->e),
						 ERR_OK);
		}
		flush(s, &nr);
		packets = (uint8_t *)s->to.out->data + done * TS_PACKET;
		nr -= done;
		/* Applied in two parts: the same. */
		tsout_counters_apply(&before, &within, packets, nr / 3);
		tsout_counters_apply(&before, &within,
				     packets + nr / 3 * TS_PACKET, nr - nr / 3);
		for (size_t k = 0; k < OUT_NR; k++) {
			assert_int_equal(within.next[k],
					 s->out.counters.next[k]);
			before.next[k] =
				(uint8_t)(before.next[k] + within.next[k]);
		}
		done += nr;
	}
	for (size_t i = 0; i < done; i++) {
		const uint8_t *p = (uint8_t *)s->to.out->data + i * TS_PACKET;
		unsigned *l = &last[ts_pid(p)];

		if (*l == 99)
			assert_int_equal(ts_counter(p), ts_pid(p) == 0 ? 5 :
							ts_pid(p) == 0x1000 ?
									 15 :
							ts_pid(p) == 0x100 ? 9 :
									     1);
		else
			assert_int_equal(ts_counter(p),
					 (*l + !!ts_has_payload(p)) & 15);
		*l = ts_counter(p);
	}
	assert_int_not_equal(last[0x100], 99);
	assert_int_not_equal(last[0x102], 99);
}

/* However far apart pictures are, there is a clock every 100 ms. */
static void test_clock(void **state)
{
	static const int64_t steps[] = { 1,    1500,  3000,  8999,  9000,
					 9001, 15000, 45000, 90000, 450000 };
	static uint8_t data[3000];

	UNUSED(state);
	for (size_t k = 0; k < ARRAY_SIZE(steps) * 2; k++) {
		bool is_sound = k % 2;
		struct stream *s =
			new_stream(is_sound ? 0 : TYPE_H264, TYPE_ADTS, false);
		int64_t last = TS_NONE;
		const uint8_t *packets;
		unsigned nr_keys = 0;
		size_t nr;

		for (int i = 0; i < 40; i++) {
			int64_t dts = i * steps[k / 2];

			if (is_sound)
				assert_int_equal(tsout_audio(&s->out, data, 200,
							     dts, &s->e),
						 ERR_OK);
			else
				put_video(s, data, sizeof(data), dts + 5, dts,
					  i % 10 == 0);
		}
		packets = flush(s, &nr);
		for (size_t i = 0; i < nr; i++) {
			const uint8_t *p = packets + i * TS_PACKET;
			size_t at = ts_payload_at(p);
			struct pes_header pes;

			nr_keys += ts_pid(p) == 0;
			if (!ts_has_pcr(p)) {
				assert_true(ts_has_payload(p));
				continue;
			}
			assert_int_equal(ts_pid(p), is_sound ? 0x101 : 0x100);
			if (last != TS_NONE) {
				assert_true(ts_pcr(p) > last);
				assert_true(ts_pcr(p) - last <= 2700000);
			}
			last = ts_pcr(p);
			if (!ts_begins_unit(p))
				continue;
			assert_true(pes_read(p + at, TS_PACKET - at, &pes));
			assert_int_equal(pes.dts * 300, last);
		}
		assert_int_equal(last, 39 * steps[k / 2] * 300);
		assert_int_equal(nr_keys, is_sound ? 1 : 4);
	}
}

/* Decoding times that do not rise are moved; the pictures stay in place. */
static void test_dts(void **state)
{
	static const int64_t dts[] = { 100, 100, 50, 103, 102, 5000, 4999 };
	static const int64_t out[] = { 100, 101, 102, 103, 104, 5000, 5001 };
	struct stream *s = new_stream(TYPE_H264, 0, false);
	uint8_t data[10] = { 0, 0, 0, 1, 9 };
	const uint8_t *packets;
	size_t nr, found = 0;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(dts); i++)
		put_video(s, data, sizeof(data), 9000, dts[i], false);
	packets = flush(s, &nr);
	for (size_t i = 0; i < nr; i++) {
		const uint8_t *p = packets + i * TS_PACKET;
		size_t at = ts_payload_at(p);
		struct pes_header pes;

		if (ts_pid(p) != 0x100 || !ts_begins_unit(p))
			continue;
		assert_true(pes_read(p + at, TS_PACKET - at, &pes));
		assert_int_equal(pes.pts, 9000);
		assert_int_equal(pes.dts, out[found++]);
	}
	assert_int_equal(found, ARRAY_SIZE(dts));
}

/* A break is told once on each PID, on its next packet; clocks go back. */
static void test_break(void **state)
{
	static uint8_t data[1000];
	struct stream *s = new_stream(TYPE_H264, TYPE_ADTS, true);
	unsigned nr_breaks[3] = { 0 };
	unsigned nr_units[3] = { 0 };
	const uint8_t *packets;
	int64_t last = TS_NONE;
	size_t nr;

	UNUSED(state);
	for (int i = 0; i < 10; i++) {
		/* The second half is earlier by much. */
		int64_t dts = i < 5 ? 900000 + i * FRAME : i * FRAME;

		if (i == 5)
			s->out.units.jump(&s->out.units);
		put_video(s, data, sizeof(data), dts, dts, i % 5 == 0);
		assert_int_equal(tsout_audio(&s->out, data, 500, dts, &s->e),
				 ERR_OK);
		assert_int_equal(tsout_id3(&s->out, data, 20, dts, &s->e),
				 ERR_OK);
	}
	packets = flush(s, &nr);
	for (size_t i = 0; i < nr; i++) {
		const uint8_t *p = packets + i * TS_PACKET;
		unsigned k = ts_pid(p) - 0x100;

		if (k > 2)
			continue;
		nr_units[k] += ts_begins_unit(p);
		if (ts_is_discontinuity(p)) {
			assert_true(ts_begins_unit(p));
			assert_int_equal(nr_units[k], 6);
			nr_breaks[k]++;
		}
		if (ts_has_pcr(p)) {
			assert_true(last == TS_NONE || ts_pcr(p) > last ||
				    ts_is_discontinuity(p));
			last = ts_pcr(p);
		}
	}
	for (size_t k = 0; k < 3; k++) {
		assert_int_equal(nr_units[k], 10);
		assert_int_equal(nr_breaks[k], 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_stretches),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_dts),
		cmocka_unit_test(test_break),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
