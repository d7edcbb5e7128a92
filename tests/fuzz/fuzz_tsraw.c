/*
 * fuzz_tsraw.c - any packets rewritten in place: their number stays, each is a
 * packet of a PID that a cut has, and skipping them comes to the same
 * counters.
 *
 * The input: eight bytes of deltas and counters, then packets.  The PIDs of
 * the source are made few by masking, so that there is enough of each.
 */
#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "media/tsraw.h"

#define HEAD 8

static const struct ts_program program = {
	.pcr_pid = 1,
	.nr_streams = 4,
	.streams = { { 1, TYPE_H264, STREAM_VIDEO },
		     { 2, TYPE_ADTS, STREAM_AUDIO },
		     { 3, TYPE_ID3, STREAM_ID3 },
		     { 4, 0x06, STREAM_OTHER } },
};

static bool is_ours(unsigned pid)
{
	for (size_t i = 0; i < OUT_NR; i++)
		if (out_pids[i] == pid)
			return true;
	return pid == TS_PID_NULL;
}

static enum err skip(const struct tsraw_map *map, const uint8_t *packets,
		     size_t nr, struct tsout_counters *counters)
{
	static int fd = -1;
	struct errmsg e;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	MUST(fd >= 0);
	MUST(!ftruncate(fd, 0));
	MUST(pwrite(fd, packets, nr * TS_PACKET, 0) ==
	     (ssize_t)(nr * TS_PACKET));
	return tsraw_skip(map, fd, nr, counters, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tsout_format format;
	static struct tsraw_map map;
	struct tsout_counters sent = { { 0 } };
	struct tsout_counters skipped;
	struct tsraw raw = { .format = &format, .map = &map };
	struct errmsg e;
	uint8_t *packets;
	int64_t last = TS_NONE;
	size_t nr;

	if (size < HEAD + TS_PACKET)
		return 0;
	nr = (size - HEAD) / TS_PACKET;
	packets = fuzz_copy(data + HEAD, nr * TS_PACKET);
	tsout_format_init(&format, data[0] & 1 ? 0 : TYPE_H264,
			  data[0] & 2 ? 0 : TYPE_ADTS, data[0] & 4);
	tsraw_map_init(&map, &format, &program, 5);
	for (size_t i = 0; i < nr; i++) {
		uint8_t *p = packets + i * TS_PACKET;

		ts_set_pid(p, ts_pid(p) & 7);
		if (!(data[0] & 8))
			p[0] = TS_SYNC;
	}
	for (size_t i = 1; i < OUT_NR; i++)
		sent.next[i] = data[i] & 15;
	skipped = sent;
	raw.counters = &sent;
	raw.frame_ticks = 1 + data[6];
	memcpy(&raw.video_delta, data, sizeof(raw.video_delta));
	raw.video_delta %= TS_WRAP * 2;
	raw.audio_delta = raw.video_delta ^ data[7];
	tsraw_begin(&raw);
	MUST(!skip(&map, packets, nr, &skipped));
	if (tsraw_rewrite(&raw, packets, nr, &e) == ERR_OK) {
		for (size_t i = 0; i < nr; i++) {
			const uint8_t *p = packets + i * TS_PACKET;

			MUST(p[0] == TS_SYNC && is_ours(ts_pid(p)));
			if (ts_pid(p) != out_pids[OUT_VIDEO] || !ts_has_pcr(p))
				continue;
			MUST(last == TS_NONE || ts_pcr(p) != last);
			last = ts_pcr(p);
		}
		for (size_t i = 1; i < OUT_NR; i++)
			MUST((sent.next[i] & 15) == (skipped.next[i] & 15));
	}
	free(packets);
	return 0;
}
