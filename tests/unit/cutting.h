/*
 * cutting.h - archives of real segments, made by the ffmpeg program, and
 * transport streams looked at packet by packet, for the tests of cuts.
 *
 * Segments of two seconds, small pictures at 30 a second, a key frame every
 * second.  Nothing here uses what makes cuts but tsfile.h and ts.h, which have
 * tests against ffprobe of their own.
 */
#ifndef TESTS_UNIT_CUTTING_H
#define TESTS_UNIT_CUTTING_H

#include <inttypes.h>

#include "base/sink.h"
#include "media/cutplan.h"
#include "media/tsfile.h"
#include "media/tsout.h"

#include "sequence.h"

#define SEC	 USEC_PER_SEC
#define CUT_FPS	 30
#define CUT_STEP (TS_HZ / CUT_FPS)

#define CUT_VIDEO "-f lavfi -i testsrc2=s=160x90:r=30:d=%d "
#define CUT_SOUND "-f lavfi -i sine=r=48000:d=%d "
#define CUT_X264                                                               \
	"-c:v libx264 -preset veryfast -threads 1 -g 30 -sc_threshold 0 "
#define CUT_AAC "-c:a aac -b:a 64k "

static inline bool cut_has_ffmpeg(void)
{
	static int status = -1;

	if (status < 0)
		status = system("ffmpeg -version >/dev/null 2>&1");
	if (status)
		print_message("# SKIP: no ffmpeg program\n");
	return status == 0;
}

static inline void cut_run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static inline const char *cut_segment(const char *quality, int start)
{
	char path[256];

	seq_path(path, UNIT_HOUR + start * SEC, 2 * SEC, "full", "a");
	return arena_printf(&seq.arena, SEQ_BASE "%s/%s.ts", quality, path);
}

/*
 * Segments of a quality from a second of the hour on, of so many seconds;
 * those that are empty at the end are left out.
 */
static inline void cut_segments(const char *quality, int start, int seconds,
				const char *args)
{
	const char *segment = cut_segment(quality, start);
	char *dir = arena_printf(&seq.arena, "%s/new", unit_dir);

	unit_mkdir(unit_fd, "new");
	cut_run(arena_printf(&seq.arena,
			     "ffmpeg -v error -nostdin -y -bitexact %s "
			     "-f hls -hls_time 2 -hls_list_size 0 "
			     "-hls_segment_filename '%s/%%d.ts' '%s/x.m3u8'",
			     args, dir, dir));
	for (int i = 0; i < seconds / 2; i++) {
		size_t len = 0;
		char *from = arena_printf(&seq.arena, "new/%d.ts", i);
		char *data = unit_read(unit_fd, from, &len);

		assert_non_null(data);
		segment = cut_segment(quality, start + 2 * i);
		unit_write(unit_fd, segment, data, len);
		free(data);
	}
	unit_remove(dir);
}

static inline struct tsfile *cut_parse(const void *data, size_t len)
{
	struct tsfile *file = NULL;
	struct errmsg e = { "" };

	if (tsfile_parse(&seq.arena, data, len, TS_NONE, &file, &e))
		fail_msg("%s", e.text);
	return file;
}

/* A sink into memory. */
struct cut_sink {
	struct sink sink;
	struct text *out;
	uint64_t room;
};

static inline enum err cut_take(struct sink *s, const struct iovec *iov,
				int nr_iov, struct errmsg *e)
{
	struct cut_sink *t = (struct cut_sink *)s;

	for (int i = 0; i < nr_iov; i++) {
		if (iov[i].iov_len > t->room)
			return err_set(e, ERR_GONE, "no room");
		t->room -= iov[i].iov_len;
		text_append(t->out, iov[i].iov_base, iov[i].iov_len);
	}
	return ERR_OK;
}

static inline void cut_sink_init(struct cut_sink *t, uint64_t room)
{
	*t = (struct cut_sink){ .sink = { cut_take, sink_copy_by_reading },
				.out = text_new(&seq.arena, 1 << 26),
				.room = room };
	text_puts(t->out, "");
}

/* Every segment of a quality gets a tag of ID3 each half second. */
static inline void cut_add_id3(const char *quality, int start, int seconds)
{
	for (int i = 0; i < seconds / 2; i++) {
		const char *path = cut_segment(quality, start + 2 * i);
		struct tsout *out = ARENA_NEW(&seq.arena, struct tsout);
		struct tsout_format format;
		struct cut_sink sink;
		struct tsfile *file;
		struct errmsg e;
		size_t len = 0;
		size_t frame = 0;
		char *data = unit_read(unit_fd, path, &len);

		assert_non_null(data);
		file = cut_parse(data, len);
		cut_sink_init(&sink, UINT64_MAX);
		tsout_format_init(&format, TYPE_H264, TYPE_ADTS, true);
		tsout_init(out, &format, &sink.sink);
		for (size_t u = 0; u < file->nr_units; u++) {
			const struct unit *unit = &file->units[u];
			struct out_unit to = { unit->data, unit->size,
					       unit->pts, unit->dts,
					       unit->flags & UNIT_IDR };

			assert_int_equal(tsout_video(out, &to, &e), ERR_OK);
			if (u % 15 == 0)
				assert_int_equal(
					tsout_id3(out, (const uint8_t *)"ID3x",
						  4, unit->pts, &e),
					ERR_OK);
			for (; frame < file->nr_frames &&
			       (u + 1 == file->nr_units ||
				file->frames[frame].pts < unit->pts);
			     frame++)
				assert_int_equal(
					tsout_audio(
						out, file->frames[frame].data,
						file->frames[frame].size,
						file->frames[frame].pts, &e),
					ERR_OK);
		}
		assert_int_equal(tsout_flush(out, &e), ERR_OK);
		unit_write(unit_fd, path, sink.out->data, sink.out->len);
		text_release(sink.out);
		free(data);
	}
}

/* A range in milliseconds of the hour. */
struct cut_ms {
	int start;
	int end;
};

static inline struct cut_spec cut_spec_of(const struct cut_ms *ms, size_t nr)
{
	struct time_range *ranges =
		arena_alloc(&seq.arena, nr * sizeof(*ranges));

	for (size_t i = 0; i < nr; i++) {
		ranges[i].start_us = UNIT_HOUR + (int64_t)ms[i].start * 1000;
		ranges[i].end_us = UNIT_HOUR + (int64_t)ms[i].end * 1000;
	}
	return (struct cut_spec){ .ranges = ranges,
				  .nr_ranges = nr,
				  .now_us = UNIT_HOUR + 3 * USEC_PER_HOUR };
}

static inline struct cutplan *cut_plan_well(const char *quality,
					    const struct cut_spec *spec)
{
	struct cutplan *plan = ARENA_NEW(&seq.arena, struct cutplan);
	struct errmsg e = { "" };
	enum err err = cutplan_make(seq_reader(quality), spec, plan, &e);

	if (err)
		fail_msg("%s: %s", err_name(err), e.text);
	return plan;
}

/* What the packets of a stream said. */
struct cut_seen {
	unsigned nr_pcr;
	unsigned nr_breaks;
	unsigned nr_null;
};

/*
 * The rules that any cut keeps: packets in step, only our PIDs, every counter
 * one on from the last, the same tables throughout, a PCR that rises, is at
 * most 100 ms from the last and not behind the DTS it comes with.
 */
static inline void cut_check_packets(const char *data, size_t len,
				     struct cut_seen *seen)
{
	static const unsigned pids[] = { 0, 0x1000, 0x100, 0x101, 0x102 };
	const uint8_t *tables[2] = { NULL, NULL };
	int counters[ARRAY_SIZE(pids)] = { -1, -1, -1, -1, -1 };
	int64_t last_pcr = TS_NONE;

	*seen = (struct cut_seen){ 0 };
	assert_int_equal(len % TS_PACKET, 0);
	for (size_t at = 0; at < len; at += TS_PACKET) {
		const uint8_t *p = (const uint8_t *)data + at;
		size_t which = 0;
		bool breaks = ts_is_discontinuity(p);
		int64_t pcr;

		assert_int_equal(p[0], TS_SYNC);
		while (which < ARRAY_SIZE(pids) && pids[which] != ts_pid(p))
			which++;
		if (which == ARRAY_SIZE(pids)) {
			assert_int_equal(ts_pid(p), TS_PID_NULL);
			seen->nr_null++;
			continue;
		}
		seen->nr_breaks += breaks;
		if (counters[which] >= 0 &&
		    (int)ts_counter(p) !=
			    ((counters[which] + !!ts_has_payload(p)) & 15))
			fail_msg("packet %zu, PID %u: counter %u after %d",
				 at / TS_PACKET, pids[which], ts_counter(p),
				 counters[which]);
		counters[which] = (int)ts_counter(p);
		if (which < 2) {
			if (tables[which])
				assert_memory_equal(tables[which] + 4, p + 4,
						    TS_PACKET - 4);
			tables[which] = p;
		}
		if (!ts_has_pcr(p))
			continue;
		pcr = ts_pcr(p);
		seen->nr_pcr++;
		if (last_pcr != TS_NONE && !breaks) {
			int64_t step =
				(pcr - last_pcr + TS_PCR_WRAP) % TS_PCR_WRAP;

			if (step <= 0 || step > TS_PCR_HZ / 10)
				fail_msg("packet %zu: PCR %" PRId64
					 " after %" PRId64,
					 at / TS_PACKET, pcr, last_pcr);
		}
		last_pcr = pcr;
		if (ts_begins_unit(p)) {
			size_t pay = ts_payload_at(p);
			struct pes_header pes;
			int64_t lead;

			assert_true(pes_read(p + pay, TS_PACKET - pay, &pes));
			lead = (pes.dts * 300 - pcr + TS_PCR_WRAP) %
			       TS_PCR_WRAP;
			assert_true(lead < TS_PCR_HZ * INT64_C(2));
		}
	}
	assert_non_null(tables[0]);
	assert_non_null(tables[1]);
}

#endif
