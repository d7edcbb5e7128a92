#include "config.h"

#include "media/tsraw.h"

#include <string.h>

#include "base/fsutil.h"

#define PCR_PER_TICK (TS_PCR_HZ / TS_HZ)
#define SKIP_PACKETS 256 /* read at once */

void tsraw_map_init(struct tsraw_map *map, const struct tsout_format *format,
		    const struct ts_program *program, unsigned pmt_pid)
{
	static const struct {
		enum stream_kind from;
		enum out_kind to;
	} pairs[] = {
		{ STREAM_VIDEO, OUT_VIDEO },
		{ STREAM_AUDIO, OUT_AUDIO },
		{ STREAM_ID3, OUT_ID3 },
	};

	memset(map->kinds, OUT_NONE, sizeof(map->kinds));
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct ts_stream *stream =
			program_stream(program, pairs[i].from);

		if (stream && format->has[pairs[i].to])
			map->kinds[stream->pid] = (uint8_t)pairs[i].to;
	}
	map->kinds[pmt_pid & (TS_NR_PIDS - 1)] = OUT_PMT;
	map->kinds[TS_PID_PAT] = OUT_PAT;
	map->kinds[TS_PID_NULL] = OUT_NONE;
}

void tsraw_begin(struct tsraw *raw)
{
	memset(raw->is_seen, 0, sizeof(raw->is_seen));
	raw->pcr_shift = raw->video_delta * PCR_PER_TICK;
	raw->pcr_limit = TS_NONE;
	raw->last_pcr = TS_NONE;
}

static void set_counter(struct tsraw *raw, enum out_kind kind, uint8_t *p)
{
	struct tsout_counters *counters = raw->counters;
	unsigned counter = ts_counter(p);

	/* Without payload it repeats the last one's. */
	if (!ts_has_payload(p)) {
		ts_set_counter(p, counters->next[kind] - 1U);
		return;
	}
	if (!raw->is_seen[kind]) {
		raw->is_seen[kind] = true;
		raw->shift[kind] = (uint8_t)(counters->next[kind] - counter);
	}
	counter += raw->shift[kind];
	ts_set_counter(p, counter);
	counters->next[kind] = (counter + 1) & 0x0f;
}

static int64_t modulo(int64_t value, int64_t by)
{
	value %= by;
	return value < 0 ? value + by : value;
}

/* Whether a is after b, for times that wrap. */
static bool is_after(int64_t a, int64_t b)
{
	int64_t distance = modulo(a - b, TS_PCR_WRAP);

	return distance && distance < TS_PCR_WRAP / 2;
}

static void set_pcr(struct tsraw *raw, uint8_t *p, int64_t dts)
{
	int64_t pcr = ts_pcr(p);

	if (dts != TS_NONE) {
		raw->pcr_shift = dts * PCR_PER_TICK - pcr;
		/* Several may come to it, and each is one after the last. */
		raw->pcr_limit = (dts + raw->frame_ticks - 1) * PCR_PER_TICK;
	}
	pcr = modulo(pcr + raw->pcr_shift, TS_PCR_WRAP);
	if (raw->pcr_limit != TS_NONE && is_after(pcr, raw->pcr_limit))
		pcr = modulo(raw->pcr_limit, TS_PCR_WRAP);
	if (raw->last_pcr != TS_NONE && !is_after(pcr, raw->last_pcr))
		pcr = modulo(raw->last_pcr + 1, TS_PCR_WRAP);
	raw->last_pcr = pcr;
	ts_set_pcr(p, pcr);
}

/* Rewrites the times of a PES header; *dts_r is the new DTS, or TS_NONE. */
static enum err move_times(uint8_t *p, int64_t delta, int64_t *dts_r,
			   struct errmsg *e)
{
	size_t at = ts_payload_at(p);
	struct pes_header pes;

	/* What nobody can read has no times, either. */
	if (at == TS_PACKET || ts_is_damaged(p) || ts_is_scrambled(p))
		return ERR_OK;
	if (!pes_read(p + at, TS_PACKET - at, &pes))
		return err_set(e, ERR_MEDIA,
			       "a PES header of a segment is over two packets");
	if (pes.pts_at)
		pes_set_time(p + at + pes.pts_at, pes.pts + delta);
	if (pes.dts_at)
		pes_set_time(p + at + pes.dts_at, pes.dts + delta);
	if (pes.dts != TS_NONE)
		*dts_r = modulo(pes.dts + delta, TS_WRAP);
	return ERR_OK;
}

/* A packet that the cut carries: of video, sound or ID3. */
static enum err rewrite_stream(struct tsraw *raw, enum out_kind kind,
			       uint8_t *p, struct errmsg *e)
{
	int64_t dts = TS_NONE;
	enum err err = ERR_OK;

	ts_set_pid(p, out_pids[kind]);
	set_counter(raw, kind, p);
	if (ts_begins_unit(p))
		err = move_times(p,
				 kind == OUT_AUDIO ? raw->audio_delta :
						     raw->video_delta,
				 &dts, e);
	if (kind == OUT_VIDEO && ts_has_adaptation(p) && ts_has_pcr(p))
		set_pcr(raw, p, dts);
	return err;
}

static void rewrite_table(struct tsraw *raw, enum out_kind kind, uint8_t *p)
{
	unsigned counter;

	if (!ts_has_payload(p)) {
		ts_make_null(p);
		return;
	}
	set_counter(raw, kind, p);
	counter = ts_counter(p);
	memcpy(p, kind == OUT_PAT ? raw->format->pat : raw->format->pmt,
	       TS_PACKET);
	ts_set_counter(p, counter);
}

enum err tsraw_rewrite(struct tsraw *raw, uint8_t *packets, size_t nr,
		       struct errmsg *e)
{
	const uint8_t *kinds = raw->map->kinds;

	for (uint8_t *p = packets; p < packets + nr * TS_PACKET;
	     p += TS_PACKET) {
		enum out_kind kind = kinds[ts_pid(p)];
		enum err err;

		if (p[0] != TS_SYNC || kind == OUT_NONE) {
			ts_make_null(p);
		} else if (kind <= OUT_PMT) {
			rewrite_table(raw, kind, p);
		} else {
			err = rewrite_stream(raw, kind, p, e);
			if (err)
				return err;
		}
	}
	return ERR_OK;
}

/* Skipping */

/* The first counter of each kind seen in some direction. */
struct sighting {
	uint8_t counter[OUT_NR];
	bool is_seen[OUT_NR];
};

static void look_at(struct sighting *s, const struct tsraw_map *map,
		    const uint8_t *p)
{
	enum out_kind kind = map->kinds[ts_pid(p)];

	if (p[0] != TS_SYNC || kind == OUT_NONE || !ts_has_payload(p) ||
	    s->is_seen[kind])
		return;
	s->is_seen[kind] = true;
	s->counter[kind] = (uint8_t)ts_counter(p);
}

static bool has_all(const struct sighting *s, const bool wanted[OUT_NR])
{
	for (enum out_kind kind = OUT_PAT; kind < OUT_NR; kind++)
		if (wanted[kind] && !s->is_seen[kind])
			return false;
	return true;
}

/* Looks from the beginning on, or from the end back, till all is seen. */
static enum err scan(const struct tsraw_map *map, int fd, uint64_t nr_packets,
		     bool is_backward, const bool wanted[OUT_NR],
		     struct sighting *s, struct errmsg *e)
{
	uint8_t packets[SKIP_PACKETS * TS_PACKET];
	uint64_t done = 0;

	while (done < nr_packets && !has_all(s, wanted)) {
		uint64_t left = nr_packets - done;
		size_t nr = left < SKIP_PACKETS ? (size_t)left : SKIP_PACKETS;
		uint64_t first = is_backward ? left - nr : done;
		enum err err = fs_read_all(fd, packets, nr * TS_PACKET,
					   first * TS_PACKET, "a segment", e);

		if (err)
			return err;
		for (size_t i = 0; i < nr; i++)
			look_at(s, map,
				packets + (is_backward ? nr - 1 - i : i) *
						  TS_PACKET);
		done += nr;
	}
	return ERR_OK;
}

enum err tsraw_skip(const struct tsraw_map *map, int fd, uint64_t nr_packets,
		    struct tsout_counters *counters, struct errmsg *e)
{
	struct sighting first = { 0 };
	struct sighting last = { 0 };
	bool wanted[OUT_NR] = { false };
	enum err err;

	for (size_t pid = 0; pid < TS_NR_PIDS; pid++)
		wanted[map->kinds[pid]] = true;
	wanted[OUT_NONE] = false;
	err = scan(map, fd, nr_packets, false, wanted, &first, e);
	if (!err)
		err = scan(map, fd, nr_packets, true, first.is_seen, &last, e);
	if (err)
		return err;
	for (enum out_kind kind = OUT_PAT; kind < OUT_NR; kind++)
		if (first.is_seen[kind])
			counters->next[kind] =
				(counters->next[kind] + 1U +
				 last.counter[kind] - first.counter[kind]) &
				0x0f;
	return ERR_OK;
}
