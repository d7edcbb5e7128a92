/*
 * tsout.h - the transport stream that a cut is: the one owner of its PIDs, its
 * tables, its continuity counters and its clock.
 *
 * A cut is made of stretches.  Some are made here of access units and frames;
 * others are files rewritten in place (tsraw.h), which take PIDs and tables
 * from here.  The PIDs are the same in every cut, whatever the source has, and
 * PAT and PMT never change within one.
 *
 * Counters: every stretch begins with 0 on each PID, and whoever sends it adds
 * what the stretches before have come to (tsout_counters_apply()).  So a
 * stretch can be made without those before it.
 *
 * Units:  times in 90 kHz ticks of the cut's own clock; bytes are whole
 *         packets.
 * Errors: those of the sink.
 * Owner:  the struct is the caller's, the data of a call is not kept.
 * Source: ISO/IEC 13818-1 2.4.3, 2.7.2 (a PCR every 100 ms); Apple's "Timed
 *         Metadata for HTTP Live Streaming" for the descriptors of ID3.
 */
#ifndef MEDIA_TSOUT_H
#define MEDIA_TSOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sink.h"
#include "media/ts.h"
#include "media/unitsink.h"

enum out_kind {
	OUT_NONE, /* of packets in a source that are not carried */
	OUT_PAT,
	OUT_PMT,
	OUT_VIDEO,
	OUT_AUDIO,
	OUT_ID3,
	OUT_NR
};

extern const uint16_t out_pids[OUT_NR];

/* What streams there are, and the packets of the tables that say so. */
struct tsout_format {
	bool has[OUT_NR];
	uint8_t video_type; /* enum stream_type */
	uint8_t audio_type;
	uint8_t pat[TS_PACKET];
	uint8_t pmt[TS_PACKET];
};

/* A type of 0: no such stream. */
void tsout_format_init(struct tsout_format *f, uint8_t video_type,
		       uint8_t audio_type, bool has_id3);

/* The next counter of each PID. */
struct tsout_counters {
	uint8_t next[OUT_NR];
};

/*
 * Moves the counters of made packets on by those before them, and these by
 * what the packets use.
 */
void tsout_counters_apply(struct tsout_counters *before,
			  struct tsout_counters *within, uint8_t *packets,
			  size_t nr);

#define TSOUT_BUFFER_PACKETS 340

struct tsout {
	struct unitsink units; /* these functions below as a sink */
	const struct tsout_format *format;
	struct sink *to;
	struct tsout_counters counters; /* of this stretch */
	int64_t last_dts;		/* of the video, or TS_NONE */
	int64_t last_pcr;		/* 27 MHz, or TS_NONE */
	bool has_tables;		/* they were sent */
	bool breaks[OUT_NR];		/* a discontinuity is to be told */
	size_t nr;			/* packets in the buffer */
	uint8_t buffer[TSOUT_BUFFER_PACKETS * TS_PACKET];
};

void tsout_init(struct tsout *o, const struct tsout_format *format,
		struct sink *to);

/* Begins the next stretch: what was made before is flushed already. */
void tsout_begin_stretch(struct tsout *o);

/* Packets that are not made here come before the next ones. */
void tsout_pass(struct tsout *o);

/* Every PID says so in its next packet. */
void tsout_break(struct tsout *o);

/* The tables are put in front of every key unit. */
enum err tsout_video(struct tsout *o, const struct out_unit *unit,
		     struct errmsg *e) MUST_CHECK;

/* One frame of sound, or one tag. */
enum err tsout_audio(struct tsout *o, const uint8_t *data, size_t size,
		     int64_t pts, struct errmsg *e) MUST_CHECK;
enum err tsout_id3(struct tsout *o, const uint8_t *data, size_t size,
		   int64_t pts, struct errmsg *e) MUST_CHECK;

enum err tsout_flush(struct tsout *o, struct errmsg *e) MUST_CHECK;

#endif
