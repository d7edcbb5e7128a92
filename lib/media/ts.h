/*
 * ts.h - MPEG transport stream packets, and the times in them.
 *
 * A packet is 188 bytes that begin with TS_SYNC.  These functions read and
 * rewrite fields of one packet in place; they hold no state.  Those that take
 * an offset or a length have it from the functions here that checked it.
 *
 * Units:  PTS and DTS in 90 kHz ticks modulo 2^33, PCR in 27 MHz ticks modulo
 *         300 * 2^33; ts_unwrap() makes the first monotone, in int64_t.
 * Errors: none: a packet that does not have what is asked for says so.
 * Source: ISO/IEC 13818-1 2.4.3 (packets, PES), 2.4.4 and annex A (CRC).
 */
#ifndef MEDIA_TS_H
#define MEDIA_TS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define TS_PACKET   188
#define TS_SYNC	    0x47
#define TS_NR_PIDS  8192
#define TS_PID_PAT  0
#define TS_PID_NULL 0x1fff

#define TS_HZ	    90000
#define TS_WRAP	    (INT64_C(1) << 33) /* of PTS and DTS */
#define TS_PCR_HZ   27000000
#define TS_PCR_WRAP (TS_WRAP * 300)

/* No such time: outside of what 33 bits, unwrapped, can reach. */
#define TS_NONE INT64_MIN

static inline unsigned ts_pid(const uint8_t *p)
{
	return (unsigned)(p[1] & 0x1f) << 8 | p[2];
}

static inline void ts_set_pid(uint8_t *p, unsigned pid)
{
	p[1] = (uint8_t)((p[1] & 0xe0) | pid >> 8);
	p[2] = (uint8_t)pid;
}

/* payload_unit_start_indicator: a PES packet or a section begins here. */
static inline bool ts_begins_unit(const uint8_t *p)
{
	return p[1] & 0x40;
}

static inline bool ts_is_damaged(const uint8_t *p)
{
	return p[1] & 0x80;
}

static inline bool ts_is_scrambled(const uint8_t *p)
{
	return p[3] & 0xc0;
}

static inline bool ts_has_payload(const uint8_t *p)
{
	return p[3] & 0x10;
}

static inline bool ts_has_adaptation(const uint8_t *p)
{
	return p[3] & 0x20;
}

static inline unsigned ts_counter(const uint8_t *p)
{
	return p[3] & 0x0f;
}

static inline void ts_set_counter(uint8_t *p, unsigned counter)
{
	p[3] = (uint8_t)((p[3] & 0xf0) | (counter & 0x0f));
}

/* Where the payload begins; TS_PACKET if there is none, or no valid one. */
static inline size_t ts_payload_at(const uint8_t *p)
{
	size_t at = 4;

	if (ts_has_adaptation(p))
		at += 1U + p[4];
	return ts_has_payload(p) && at < TS_PACKET ? at : TS_PACKET;
}

/* A null packet of the length of what it replaces. */
void ts_make_null(uint8_t *p);

/* Whether the adaptation field holds a PCR; discontinuity_indicator likewise.
 */
bool ts_has_pcr(const uint8_t *p);
bool ts_is_discontinuity(const uint8_t *p);

/* The PCR of a packet that has one. */
int64_t ts_pcr(const uint8_t *p);
void ts_set_pcr(uint8_t *p, int64_t pcr);

/*
 * A PES header at the beginning of a payload of len bytes.  What a header may
 * have is not assumed: has_* say what there is.
 */
struct pes_header {
	uint8_t stream_id;
	size_t packet_length; /* as written; 0 is unbounded */
	size_t payload_at;    /* of the elementary stream, from the header */
	size_t pts_at;	      /* where its five bytes are, or 0 */
	size_t dts_at;
	int64_t pts; /* or TS_NONE */
	int64_t dts; /* pts if it has none of its own */
};

/*
 * False if it is no PES header, one of a kind without times (padding, maps),
 * or longer than len.
 */
bool pes_read(const uint8_t *data, size_t len,
	      struct pes_header *pes_r) MUST_CHECK;

/* The five bytes of a PTS or DTS; writing keeps their first four bits. */
int64_t pes_time(const uint8_t data[5]);
void pes_set_time(uint8_t data[5], int64_t time);

/* The time nearest to reference that is ts modulo 2^33. */
int64_t ts_unwrap(int64_t ts, int64_t reference);

/* CRC-32 of sections: 0 over a section with its CRC. */
uint32_t ts_crc(const uint8_t *data, size_t len);

/*
 * Where packets lie in a file: the first offset from which on there is a sync
 * byte every 188 bytes, for as many as TS_SYNC_RUN packets or to the end.  len
 * if there is none.  A file whose packets begin at 0 answers 0.
 */
#define TS_SYNC_RUN 5
size_t ts_find_sync(const uint8_t *data, size_t len, size_t from);

#endif
