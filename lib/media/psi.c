#include "config.h"

#include "media/psi.h"

#include <string.h>

#define TABLE_PAT 0
#define TABLE_PMT 2
#define CRC_BYTES 4

static bool is_complete(const struct psi_section *s)
{
	return s->need && s->have >= s->need;
}

/* Appends len bytes; what is beyond the section is stuffing. */
static void append(struct psi_section *s, const uint8_t *data, size_t len)
{
	size_t room = sizeof(s->data) - s->have;

	len = len < room ? len : room;
	memcpy(s->data + s->have, data, len);
	s->have += len;
	if (!s->need && s->have >= 3) {
		s->need = 3 + ((size_t)(s->data[1] & 0x0f) << 8 | s->data[2]);
		/* Too long, or too short for a header and a CRC. */
		if (s->need > sizeof(s->data) || s->need < 8 + CRC_BYTES)
			*s = (struct psi_section){ 0 };
	}
}

bool psi_feed(struct psi_section *s, const uint8_t *packet)
{
	size_t at = ts_payload_at(packet);
	unsigned counter = ts_counter(packet);

	if (at == TS_PACKET || ts_is_damaged(packet))
		return false;
	if (ts_begins_unit(packet)) {
		/* The pointer field: a section that began before ends first. */
		at += 1U + packet[at];
		if (at >= TS_PACKET)
			return false;
		s->have = s->need = 0;
	} else if (!s->have || is_complete(s) ||
		   counter != ((s->counter + 1) & 0x0f)) {
		s->have = s->need = 0;
		return false;
	}
	s->counter = counter;
	append(s, packet + at, TS_PACKET - at);
	return is_complete(s) && ts_crc(s->data, s->need) == 0;
}

/* A whole section of that table which applies now. */
static bool is_table(const struct psi_section *s, uint8_t id)
{
	return is_complete(s) && s->data[0] == id && (s->data[1] & 0x80) &&
	       (s->data[5] & 1);
}

static unsigned take_pid(const uint8_t *b)
{
	return (unsigned)(b[0] & 0x1f) << 8 | b[1];
}

bool psi_read_pat(const struct psi_section *s, unsigned *pmt_pid_r)
{
	if (!is_table(s, TABLE_PAT))
		return false;
	for (size_t at = 8; at + 4 <= s->need - CRC_BYTES; at += 4) {
		const uint8_t *b = s->data + at;

		if (!(b[0] | b[1])) /* the network's PID */
			continue;
		*pmt_pid_r = take_pid(b + 2);
		return true;
	}
	return false;
}

static enum stream_kind kind_of(uint8_t type)
{
	switch (type) {
	case 0x01: /* MPEG-1 */
	case 0x02: /* MPEG-2 */
	case 0x10: /* MPEG-4 part 2 */
	case TYPE_H264:
	case TYPE_HEVC:
		return STREAM_VIDEO;
	case TYPE_MPEG1_AUDIO:
	case TYPE_MPEG2_AUDIO:
	case TYPE_ADTS:
	case 0x11: /* AAC in LATM */
	case 0x81: /* AC-3 */
	case 0x87: /* E-AC-3 */
		return STREAM_AUDIO;
	case TYPE_ID3:
		return STREAM_ID3;
	default:
		return STREAM_OTHER;
	}
}

bool psi_read_pmt(const struct psi_section *s, struct ts_program *program_r)
{
	struct ts_program program = { 0 };
	size_t end, at;

	if (!is_table(s, TABLE_PMT) || s->need < 12 + CRC_BYTES)
		return false;
	end = s->need - CRC_BYTES;
	program.version = s->data[5] >> 1 & 0x1f;
	program.pcr_pid = (uint16_t)take_pid(s->data + 8);
	at = 12 + ((size_t)(s->data[10] & 0x0f) << 8 | s->data[11]);
	while (at + 5 <= end && program.nr_streams < PSI_MAX_STREAMS) {
		const uint8_t *b = s->data + at;

		at += 5 + ((size_t)(b[3] & 0x0f) << 8 | b[4]);
		if (at > end)
			return false;
		program.streams[program.nr_streams++] = (struct ts_stream){
			.pid = (uint16_t)take_pid(b + 1),
			.type = b[0],
			.kind = (uint8_t)kind_of(b[0]),
		};
	}
	if (at > end)
		return false;
	*program_r = program;
	return true;
}

const struct ts_stream *program_stream(const struct ts_program *program,
				       enum stream_kind kind)
{
	for (size_t i = 0; i < program->nr_streams; i++)
		if (program->streams[i].kind == kind)
			return &program->streams[i];
	return NULL;
}

size_t psi_nr_packets(size_t section_len)
{
	/* The first has a pointer field. */
	return (section_len + 1 + TS_PACKET - 4 - 1) / (TS_PACKET - 4);
}

void psi_put(const uint8_t *section, size_t len, unsigned pid,
	     unsigned *counter, uint8_t *packets)
{
	bool is_first = true;

	while (len) {
		size_t at = is_first ? 5 : 4;
		size_t part = TS_PACKET - at < len ? TS_PACKET - at : len;
		uint8_t *p = packets;

		*counter = (*counter + 1) & 0x0f;
		p[0] = TS_SYNC;
		p[1] = is_first ? 0x40 : 0;
		ts_set_pid(p, pid);
		p[3] = (uint8_t)(0x10 | *counter);
		p[4] = 0; /* pointer field; else overwritten */
		memcpy(p + at, section, part);
		memset(p + at + part, 0xff, TS_PACKET - at - part);
		section += part;
		len -= part;
		packets += TS_PACKET;
		is_first = false;
	}
}
