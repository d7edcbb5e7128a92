/*
 * tsraw.h - a source's transport packets made part of a cut, in place.
 *
 * Every packet stays where it is and keeps its length: PIDs, counters, PTS,
 * DTS and PCR are rewritten, the tables replaced by those of the cut, and what
 * the cut does not carry becomes null packets.  So the size of a cut is known
 * from the sizes of its files, and nothing is parsed that is only copied.
 *
 * Counters keep the source's steps within a file (a packet that was lost there
 * stays visible) and go on from the stretch before at its first packet: what a
 * file adds to each counter is known from its first and last packet alone,
 * tsraw_skip(), so a cut can be sent from any byte on.
 *
 * The clock: a packet that begins an access unit gets PCR = DTS, as in what is
 * made by tsout.h.  Should it be told elsewhere, too, it goes on as in the
 * source, but not past the next frame.
 *
 * Units:  times in 90 kHz ticks, modulo 2^33 as in the packets.
 * Errors: ERR_MEDIA if a PES header goes over two packets, so that its times
 *         cannot be rewritten; ERR_IO, ERR_CORRUPT of tsraw_skip().
 * Owner:  the structs are the caller's.
 * Source: ISO/IEC 13818-1 2.4.3.
 */
#ifndef MEDIA_TSRAW_H
#define MEDIA_TSRAW_H

#include <stdint.h>

#include "base/err.h"
#include "media/psi.h"
#include "media/tsout.h"

/* What becomes of each PID of a file. */
struct tsraw_map {
	uint8_t kinds[TS_NR_PIDS]; /* enum out_kind */
};
void tsraw_map_init(struct tsraw_map *map, const struct tsout_format *format,
		    const struct ts_program *program, unsigned pmt_pid);

struct tsraw {
	const struct tsout_format *format;
	const struct tsraw_map *map;
	int64_t video_delta; /* of ID3, too */
	int64_t audio_delta;
	int64_t frame_ticks;		 /* least distance of two frames */
	struct tsout_counters *counters; /* of the cut, moved on */
	/* private, per file */
	uint8_t shift[OUT_NR];
	bool is_seen[OUT_NR];
	int64_t pcr_shift; /* 27 MHz, source to cut */
	int64_t pcr_limit; /* 27 MHz, of the cut */
	int64_t last_pcr;
};

/* Before the first packet of each file; the fields above private are set. */
void tsraw_begin(struct tsraw *raw);

enum err tsraw_rewrite(struct tsraw *raw, uint8_t *packets, size_t nr,
		       struct errmsg *e) MUST_CHECK;

/* Moves counters on as rewriting all nr packets of a file would. */
enum err tsraw_skip(const struct tsraw_map *map, int fd, uint64_t nr_packets,
		    struct tsout_counters *counters,
		    struct errmsg *e) MUST_CHECK;

#endif
