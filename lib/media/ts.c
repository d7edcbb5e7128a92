#include "config.h"

#include "media/ts.h"

#include <string.h>

void ts_make_null(uint8_t *p)
{
	p[0] = TS_SYNC;
	p[1] = TS_PID_NULL >> 8;
	p[2] = TS_PID_NULL & 0xff;
	p[3] = 0x10;
	memset(p + 4, 0xff, TS_PACKET - 4);
}

/* The flags of the adaptation field; 0 if it has none. */
static uint8_t adaptation_flags(const uint8_t *p)
{
	return ts_has_adaptation(p) && p[4] > 0 && p[4] <= TS_PACKET - 5 ?
		       p[5] :
		       0;
}

bool ts_has_pcr(const uint8_t *p)
{
	return (adaptation_flags(p) & 0x10) && p[4] >= 7;
}

bool ts_is_discontinuity(const uint8_t *p)
{
	return adaptation_flags(p) & 0x80;
}

int64_t ts_pcr(const uint8_t *p)
{
	const uint8_t *b = p + 6;
	int64_t base = (int64_t)b[0] << 25 | (int64_t)b[1] << 17 |
		       (int64_t)b[2] << 9 | (int64_t)b[3] << 1 | b[4] >> 7;

	return base * 300 + ((b[4] & 1) << 8 | b[5]);
}

void ts_set_pcr(uint8_t *p, int64_t pcr)
{
	uint8_t *b = p + 6;
	int64_t whole = pcr % TS_PCR_WRAP;
	int64_t base;
	unsigned extension;

	if (whole < 0)
		whole += TS_PCR_WRAP;
	base = whole / 300;
	extension = (unsigned)(whole % 300);
	b[0] = (uint8_t)(base >> 25);
	b[1] = (uint8_t)(base >> 17);
	b[2] = (uint8_t)(base >> 9);
	b[3] = (uint8_t)(base >> 1);
	b[4] = (uint8_t)((base & 1) << 7 | 0x7e | extension >> 8);
	b[5] = (uint8_t)extension;
}

int64_t pes_time(const uint8_t data[5])
{
	return (int64_t)(data[0] >> 1 & 7) << 30 | (int64_t)data[1] << 22 |
	       (int64_t)(data[2] >> 1) << 15 | (int64_t)data[3] << 7 |
	       data[4] >> 1;
}

void pes_set_time(uint8_t data[5], int64_t time)
{
	uint64_t t = (uint64_t)time & (uint64_t)(TS_WRAP - 1);

	data[0] = (uint8_t)((data[0] & 0xf0) | (t >> 30 & 7) << 1 | 1);
	data[1] = (uint8_t)(t >> 22);
	data[2] = (uint8_t)((t >> 15 & 0x7f) << 1 | 1);
	data[3] = (uint8_t)(t >> 7);
	data[4] = (uint8_t)((t & 0x7f) << 1 | 1);
}

/* Streams whose packets have no flags and no times: 2.4.3.7. */
static bool has_plain_header(uint8_t stream_id)
{
	static const uint8_t plain[] = { 0xbc, 0xbe, 0xbf, 0xf0,
					 0xf1, 0xf2, 0xf8, 0xff };

	return memchr(plain, stream_id, sizeof(plain)) != NULL;
}

bool pes_read(const uint8_t *data, size_t len, struct pes_header *pes_r)
{
	struct pes_header pes = { .pts = TS_NONE, .dts = TS_NONE };

	if (len < 9 || data[0] || data[1] || data[2] != 1 || data[3] < 0xbc ||
	    has_plain_header(data[3]) || (data[6] & 0xc0) != 0x80)
		return false;
	pes.stream_id = data[3];
	pes.packet_length = (size_t)data[4] << 8 | data[5];
	pes.payload_at = 9U + data[8];
	if (pes.payload_at > len)
		return false;
	if ((data[7] & 0x80) && data[8] >= 5) {
		pes.pts_at = 9;
		pes.pts = pes.dts = pes_time(data + 9);
	}
	if ((data[7] & 0xc0) == 0xc0 && data[8] >= 10) {
		pes.dts_at = 14;
		pes.dts = pes_time(data + 14);
	}
	*pes_r = pes;
	return true;
}

int64_t ts_unwrap(int64_t ts, int64_t reference)
{
	int64_t ahead = (ts - reference) & (TS_WRAP - 1);

	return reference + (ahead >= TS_WRAP / 2 ? ahead - TS_WRAP : ahead);
}

uint32_t ts_crc(const uint8_t *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= (uint32_t)data[i] << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ (crc >> 31 ? 0x04c11db7U : 0);
	}
	return crc;
}

static bool is_synced(const uint8_t *data, size_t len)
{
	size_t nr = 0;

	for (size_t at = 0; at < len && nr < TS_SYNC_RUN; at += TS_PACKET, nr++)
		if (data[at] != TS_SYNC)
			return false;
	return nr > 0;
}

size_t ts_find_sync(const uint8_t *data, size_t len, size_t from)
{
	while (from < len && !is_synced(data + from, len - from))
		from++;
	return from;
}
