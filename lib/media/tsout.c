#include "config.h"

#include "media/tsout.h"

#include <string.h>

#include "media/psi.h"

#define PROGRAM		1
#define PCR_PER_TICK	(TS_PCR_HZ / TS_HZ)
#define MAX_PCR_GAP	(TS_PCR_HZ / 1000 * 90)
#define PCR_STEP	(TS_PCR_HZ / 1000 * 80)
#define MAX_FILLED_GAP	(TS_PCR_HZ * INT64_C(10)) /* more is a break */
#define STREAM_ID_VIDEO 0xe0
#define STREAM_ID_AUDIO 0xc0
#define STREAM_ID_ID3	0xbd /* private_stream_1 */

const uint16_t out_pids[OUT_NR] = {
	[OUT_NONE] = TS_PID_NULL, [OUT_PAT] = TS_PID_PAT, [OUT_PMT] = 0x1000,
	[OUT_VIDEO] = 0x100,	  [OUT_AUDIO] = 0x101,	  [OUT_ID3] = 0x102,
};

/* Tables */

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Gives a section of len bytes its length and CRC, and makes it a packet. */
static void finish_section(uint8_t *section, size_t len, unsigned pid,
			   uint8_t packet[TS_PACKET])
{
	unsigned counter = 15;
	uint32_t crc;

	put16(section + 1, 0xb000 | (unsigned)(len + 4 - 3));
	crc = ts_crc(section, len);
	put16(section + len, crc >> 16);
	put16(section + len + 2, crc & 0xffff);
	psi_put(section, len + 4, pid, &counter, packet);
}

static void make_pat(struct tsout_format *f)
{
	uint8_t s[64] = { 0x00, 0, 0, 0, 1, 0xc1, 0, 0, 0, PROGRAM };

	put16(s + 10, 0xe000U | out_pids[OUT_PMT]);
	finish_section(s, 12, TS_PID_PAT, f->pat);
}

static size_t put_stream(uint8_t *s, uint8_t type, unsigned pid,
			 const uint8_t *descriptor, size_t len)
{
	s[0] = type;
	put16(s + 1, 0xe000U | pid);
	put16(s + 3, 0xf000U | (unsigned)len);
	if (len)
		memcpy(s + 5, descriptor, len);
	return 5 + len;
}

static void make_pmt(struct tsout_format *f)
{
	/* metadata_pointer_descriptor and metadata_descriptor of ID3. */
	static const uint8_t pointer[] = {
		0x25, 15,  0xff, 0xff, 'I',  'D',  '3',	 ' ',	  0xff,
		'I',  'D', '3',	 ' ',  0x00, 0x1f, 0x00, PROGRAM,
	};
	static const uint8_t metadata[] = {
		0x26, 13,  0xff, 0xff, 'I', 'D', '3',  ' ',
		0xff, 'I', 'D',	 '3',  ' ', 0,	 0x0f,
	};
	uint8_t s[128] = { 0x02, 0, 0, 0, PROGRAM, 0xc1, 0, 0 };
	enum out_kind pcr = f->has[OUT_VIDEO] ? OUT_VIDEO : OUT_AUDIO;
	size_t len = 12;

	put16(s + 8, 0xe000U | out_pids[pcr]);
	put16(s + 10, 0xf000);
	if (f->has[OUT_ID3]) {
		put16(s + 10, 0xf000 | sizeof(pointer));
		memcpy(s + len, pointer, sizeof(pointer));
		len += sizeof(pointer);
	}
	if (f->has[OUT_VIDEO])
		len += put_stream(s + len, f->video_type, out_pids[OUT_VIDEO],
				  NULL, 0);
	if (f->has[OUT_AUDIO])
		len += put_stream(s + len, f->audio_type, out_pids[OUT_AUDIO],
				  NULL, 0);
	if (f->has[OUT_ID3])
		len += put_stream(s + len, TYPE_ID3, out_pids[OUT_ID3],
				  metadata, sizeof(metadata));
	finish_section(s, len, out_pids[OUT_PMT], f->pmt);
}

void tsout_format_init(struct tsout_format *f, uint8_t video_type,
		       uint8_t audio_type, bool has_id3)
{
	*f = (struct tsout_format){
		.has = { [OUT_PAT] = true,
			 [OUT_PMT] = true,
			 [OUT_VIDEO] = video_type != 0,
			 [OUT_AUDIO] = audio_type != 0,
			 [OUT_ID3] = has_id3 },
		.video_type = video_type,
		.audio_type = audio_type,
	};
	make_pat(f);
	make_pmt(f);
}

/* Counters */

static enum out_kind kind_of(unsigned pid)
{
	for (enum out_kind kind = OUT_PAT; kind < OUT_NR; kind++)
		if (out_pids[kind] == pid)
			return kind;
	return OUT_NONE;
}

void tsout_counters_apply(struct tsout_counters *before,
			  struct tsout_counters *within, uint8_t *packets,
			  size_t nr)
{
	for (uint8_t *p = packets; p < packets + nr * TS_PACKET;
	     p += TS_PACKET) {
		enum out_kind kind = kind_of(ts_pid(p));

		if (kind == OUT_NONE)
			continue;
		/* A packet without payload repeats the last one's. */
		if (ts_has_payload(p))
			within->next[kind]++;
		ts_set_counter(p, before->next[kind] + within->next[kind] - 1U);
	}
}

/* Packets */

static struct tsout *of_units(struct unitsink *s)
{
	return (struct tsout *)s;
}

static enum err take_video(struct unitsink *s, const struct out_unit *unit,
			   struct errmsg *e)
{
	return tsout_video(of_units(s), unit, e);
}

static enum err take_audio(struct unitsink *s, const uint8_t *data, size_t size,
			   int64_t pts, struct errmsg *e)
{
	return tsout_audio(of_units(s), data, size, pts, e);
}

static enum err take_id3(struct unitsink *s, const uint8_t *data, size_t size,
			 int64_t pts, struct errmsg *e)
{
	return tsout_id3(of_units(s), data, size, pts, e);
}

static void take_jump(struct unitsink *s)
{
	tsout_break(of_units(s));
}

void tsout_init(struct tsout *o, const struct tsout_format *format,
		struct sink *to)
{
	o->units = (struct unitsink){ take_video, take_audio, take_id3,
				      take_jump };
	o->format = format;
	o->to = to;
	o->last_dts = o->last_pcr = TS_NONE;
	o->has_tables = false;
	memset(o->breaks, 0, sizeof(o->breaks));
	tsout_begin_stretch(o);
}

void tsout_begin_stretch(struct tsout *o)
{
	memset(&o->counters, 0, sizeof(o->counters));
	o->nr = 0;
}

void tsout_pass(struct tsout *o)
{
	o->last_dts = o->last_pcr = TS_NONE;
}

void tsout_break(struct tsout *o)
{
	for (enum out_kind kind = OUT_VIDEO; kind < OUT_NR; kind++)
		o->breaks[kind] = true;
	tsout_pass(o);
}

enum err tsout_flush(struct tsout *o, struct errmsg *e)
{
	size_t len = o->nr * TS_PACKET;

	o->nr = 0;
	return len ? sink_write(o->to, o->buffer, len, e) : ERR_OK;
}

/* A new packet in the buffer, without its payload. */
static enum err new_packet(struct tsout *o, enum out_kind kind,
			   bool has_payload, uint8_t **packet_r,
			   struct errmsg *e)
{
	enum err err =
		o->nr == TSOUT_BUFFER_PACKETS ? tsout_flush(o, e) : ERR_OK;
	uint8_t *p = o->buffer + o->nr * TS_PACKET;

	if (err)
		return err;
	o->nr++;
	p[0] = TS_SYNC;
	p[1] = p[3] = 0;
	ts_set_pid(p, out_pids[kind]);
	if (has_payload) {
		p[3] = 0x10;
		ts_set_counter(p, o->counters.next[kind]++);
	} else {
		ts_set_counter(p, o->counters.next[kind] - 1U);
	}
	*packet_r = p;
	return ERR_OK;
}

static enum err put_tables(struct tsout *o, struct errmsg *e)
{
	const uint8_t *tables[] = { o->format->pat, o->format->pmt };
	const enum out_kind kinds[] = { OUT_PAT, OUT_PMT };

	o->has_tables = true;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		uint8_t *p;
		enum err err = new_packet(o, kinds[i], true, &p, e);
		unsigned counter;

		if (err)
			return err;
		counter = ts_counter(p);
		memcpy(p, tables[i], TS_PACKET);
		ts_set_counter(p, counter);
	}
	return ERR_OK;
}

/* Before anything else come the tables. */
static enum err begin(struct tsout *o, struct errmsg *e)
{
	return o->has_tables ? ERR_OK : put_tables(o, e);
}

/* What the adaptation field of a packet says. */
struct adaptation {
	bool breaks;
	bool is_random_access;
	int64_t pcr; /* or TS_NONE */
};

/*
 * Writes an adaptation field of size bytes, its length byte included; 0 is
 * none.  What it says has room in it.
 */
static void put_adaptation(uint8_t *p, const struct adaptation *a, size_t size)
{
	size_t at = 6;

	if (!size)
		return;
	p[3] |= 0x20;
	p[4] = (uint8_t)(size - 1);
	if (size == 1)
		return;
	memset(p + 5, 0xff, size - 1);
	p[5] = (uint8_t)((a->breaks ? 0x80 : 0) |
			 (a->is_random_access ? 0x40 : 0) |
			 (a->pcr != TS_NONE ? 0x10 : 0));
	if (a->pcr != TS_NONE) {
		memset(p + at, 0, 6);
		ts_set_pcr(p, a->pcr);
	}
}

static size_t adaptation_size(const struct adaptation *a)
{
	if (a->pcr != TS_NONE)
		return 8;
	return a->breaks || a->is_random_access ? 2 : 0;
}

/* A PES packet: its header, and the payload behind it. */
struct pes {
	enum out_kind kind;
	uint8_t header[32];
	size_t header_size;
	const uint8_t *data;
	size_t size;
};

static void make_header(struct pes *pes, uint8_t stream_id, int64_t pts,
			int64_t dts)
{
	bool two = dts != pts;
	size_t optional = two ? 10 : 5;
	size_t length = 3 + optional + pes->size;
	uint8_t *h = pes->header;

	h[2] = 1;
	h[3] = stream_id;
	/* Of video it may be unknown, and would not fit. */
	if (pes->kind != OUT_VIDEO && length <= 0xffff)
		put16(h + 4, (unsigned)length);
	h[6] = pes->kind == OUT_ID3 ? 0x84 : 0x80;
	h[7] = two ? 0xc0 : 0x80;
	h[8] = (uint8_t)optional;
	h[9] = two ? 0x30 : 0x20;
	pes_set_time(h + 9, pts);
	if (two) {
		h[14] = 0x10;
		pes_set_time(h + 14, dts);
	}
	pes->header_size = 9 + optional;
}

/* Copies bytes at to at + len - 1 of header and payload together. */
static void copy_part(const struct pes *pes, size_t at, uint8_t *to, size_t len)
{
	if (at < pes->header_size) {
		size_t part = pes->header_size - at;

		part = part < len ? part : len;
		memcpy(to, pes->header + at, part);
		at += part;
		to += part;
		len -= part;
	}
	if (len)
		memcpy(to, pes->data + (at - pes->header_size), len);
}

static enum err put_pes(struct tsout *o, const struct pes *pes,
			const struct adaptation *first, struct errmsg *e)
{
	static const struct adaptation nothing = { .pcr = TS_NONE };
	size_t total = pes->header_size + pes->size;
	const struct adaptation *a = first;

	for (size_t at = 0; at < total;) {
		size_t left = total - at;
		size_t af = adaptation_size(a);
		size_t room = TS_PACKET - 4 - af;
		uint8_t *p;
		enum err err = new_packet(o, pes->kind, true, &p, e);

		if (err)
			return err;
		if (left < room) {
			af += room - left; /* stuffing */
			room = left;
		}
		if (at == 0)
			p[1] |= 0x40;
		put_adaptation(p, a, af);
		copy_part(pes, at, p + TS_PACKET - room, room);
		at += room;
		a = &nothing;
	}
	return ERR_OK;
}

static bool take_break(struct tsout *o, enum out_kind kind)
{
	bool breaks = o->breaks[kind];

	o->breaks[kind] = false;
	return breaks;
}

/* A clock reference with nothing else, where frames are far apart. */
static enum err fill_gap(struct tsout *o, enum out_kind kind, int64_t pcr,
			 struct errmsg *e)
{
	if (o->last_pcr == TS_NONE || pcr - o->last_pcr > MAX_FILLED_GAP)
		return ERR_OK;
	while (pcr - o->last_pcr > MAX_PCR_GAP) {
		struct adaptation a = { .pcr = o->last_pcr + PCR_STEP };
		uint8_t *p;
		enum err err = new_packet(o, kind, false, &p, e);

		if (err)
			return err;
		put_adaptation(p, &a, TS_PACKET - 4);
		o->last_pcr = a.pcr;
	}
	return ERR_OK;
}

/* The clock at a packet of the stream that carries it. */
static enum err next_pcr(struct tsout *o, enum out_kind kind, int64_t time,
			 int64_t *pcr_r, struct errmsg *e)
{
	int64_t pcr = time * PCR_PER_TICK;
	enum err err = fill_gap(o, kind, pcr, e);

	*pcr_r = TS_NONE;
	if (o->last_pcr == TS_NONE || pcr > o->last_pcr)
		*pcr_r = o->last_pcr = pcr;
	return err;
}

enum err tsout_video(struct tsout *o, const struct out_unit *unit,
		     struct errmsg *e)
{
	struct pes pes = { .kind = OUT_VIDEO,
			   .data = unit->data,
			   .size = unit->size };
	struct adaptation a = { .is_random_access = unit->is_key };
	int64_t dts = unit->dts;
	enum err err = unit->is_key ? put_tables(o, e) : begin(o, e);

	if (o->last_dts != TS_NONE && dts <= o->last_dts)
		dts = o->last_dts + 1;
	o->last_dts = dts;
	if (!err)
		err = next_pcr(o, OUT_VIDEO, dts, &a.pcr, e);
	if (err)
		return err;
	a.breaks = take_break(o, OUT_VIDEO);
	make_header(&pes, STREAM_ID_VIDEO, unit->pts, dts);
	return put_pes(o, &pes, &a, e);
}

enum err tsout_audio(struct tsout *o, const uint8_t *data, size_t size,
		     int64_t pts, struct errmsg *e)
{
	struct pes pes = { .kind = OUT_AUDIO, .data = data, .size = size };
	struct adaptation a = { .is_random_access = true, .pcr = TS_NONE };
	enum err err = begin(o, e);

	if (!err && !o->format->has[OUT_VIDEO])
		err = next_pcr(o, OUT_AUDIO, pts, &a.pcr, e);
	if (err)
		return err;
	a.breaks = take_break(o, OUT_AUDIO);
	make_header(&pes, STREAM_ID_AUDIO, pts, pts);
	return put_pes(o, &pes, &a, e);
}

enum err tsout_id3(struct tsout *o, const uint8_t *data, size_t size,
		   int64_t pts, struct errmsg *e)
{
	struct pes pes = { .kind = OUT_ID3, .data = data, .size = size };
	struct adaptation a = { .breaks = take_break(o, OUT_ID3),
				.pcr = TS_NONE };
	enum err err = begin(o, e);

	make_header(&pes, STREAM_ID_ID3, pts, pts);
	return err ? err : put_pes(o, &pes, &a, e);
}
