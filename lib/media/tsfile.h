/*
 * tsfile.h - a segment file read whole and taken apart: its tables, the access
 * units of its video, the frames of its audio, its timed metadata.
 *
 * Only the segments at the edges of a cut are read so; all between are
 * rewritten packet by packet (ts.h).
 *
 * Units:  times in 90 kHz ticks, unwrapped against each other (and against the
 *         reference given), so they may pass 2^33 and may be negative.
 * Errors: ERR_MEDIA if there is no programme in it that we can cut; ERR_LIMIT
 *         beyond TSFILE_MAX_BYTES; ERR_IO; ERR_CORRUPT if it became shorter.
 * Owner:  all is in the arena it was read with.  The bytes of a unit are
 *         followed by TSFILE_PADDING zeroed bytes of the buffer they are in.
 * Source: ISO/IEC 13818-1 2.4.3; H.264 7.3.1 and 7.4.1.2 (NAL units, access
 *         units); ISO/IEC 14496-3 1.A.2 (ADTS).
 *
 * The file may be anything: packets out of sync are skipped, damaged and
 * scrambled ones left out, and a unit that is cut by the file's end is kept as
 * far as it goes and marked.
 */
#ifndef MEDIA_TSFILE_H
#define MEDIA_TSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "media/psi.h"

#define TSFILE_MAX_BYTES ((uint64_t)256 * 1024 * 1024)
#define TSFILE_PADDING	 64

enum unit_flags {
	UNIT_IDR = 1 << 0,	/* decoding can begin here, nothing leads it */
	UNIT_RECOVERY = 1 << 1, /* a recovery point: an I picture, no IDR */
	UNIT_SPS = 1 << 2,	/* has a sequence parameter set */
	UNIT_PPS = 1 << 3,
	UNIT_AUD = 1 << 4, /* begins with an access unit delimiter */
	UNIT_REF = 1 << 5, /* another picture refers to it */
	UNIT_CUT = 1 << 6, /* packets of it are missing */
};

/* A PES packet's payload: of video one access unit, of ID3 one tag. */
struct unit {
	int64_t pts;
	int64_t dts;
	const uint8_t *data;
	size_t size;
	uint32_t packet; /* the packet that it begins in */
	uint8_t flags;	 /* enum unit_flags */
	uint8_t nr_auds; /* more than 1: several access units in one PES */
};

/* A frame of AAC, in samples and in ticks times the sampling rate. */
#define AAC_SAMPLES 1024
#define AAC_STEP_Q  ((int64_t)AAC_SAMPLES * TS_HZ)

/* A frame of ADTS, with its header. */
struct audio_frame {
	int64_t pts; /* rounded once, from the PES packet's own */
	const uint8_t *data;
	size_t size;
};

/*
 * The last frames of audio that follow each other without a gap, and what the
 * times of their PES packets leave open of where the first of them is.
 */
struct audio_grid {
	size_t first;
	uint32_t rate; /* 0: there are none */
	int64_t least; /* ticks times rate */
	int64_t most;
};

/* What the first ADTS header says. */
struct audio_format {
	uint8_t object_type; /* of the header: AAC LC is 2 */
	uint8_t rate_index;
	uint8_t channels; /* channel configuration */
	uint32_t rate;	  /* samples a second; 0: no frame was found */
};

struct tsfile {
	const uint8_t *packets; /* the file from its first packet on */
	size_t nr_packets;
	size_t skipped; /* bytes that were in no packet */

	struct ts_program program;
	unsigned pmt_pid;
	struct psi_section pat;
	struct psi_section pmt;
	const struct ts_stream *video; /* or NULL */
	const struct ts_stream *audio;
	const struct ts_stream *id3;

	struct unit *units; /* of the video, in order of decoding */
	size_t nr_units;
	struct audio_frame *frames;
	size_t nr_frames;
	struct audio_format format;
	struct audio_grid grid;
	struct unit *tags; /* of ID3 */
	size_t nr_tags;

	int64_t first_pts; /* least of the video, else of the audio */
	int64_t last_pts;  /* greatest of the same */
	int64_t pcr;	   /* the first of the PCR's PID, or TS_NONE */
};

/* Reads all of fd.  reference is a time near those in it, or TS_NONE. */
enum err tsfile_read(struct arena *a, int fd, int64_t reference,
		     struct tsfile **file_r, struct errmsg *e) MUST_CHECK;

/* As above, of bytes that outlive the arena's use. */
enum err tsfile_parse(struct arena *a, const uint8_t *data, size_t size,
		      int64_t reference, struct tsfile **file_r,
		      struct errmsg *e) MUST_CHECK;

/*
 * As tsfile_read(), of the sound alone: the units of the video have their times
 * and little of their bytes.
 */
enum err tsfile_read_sound(struct arena *a, int fd, struct tsfile **file_r,
			   struct errmsg *e) MUST_CHECK;

/*
 * Tells the time of the frame that follows the last of a file, so that what is
 * made of the one and copied of the other has the same grid.  What does not
 * fit is ignored.
 */
void tsfile_follow_audio(struct tsfile *file, int64_t next_pts);

/*
 * Reads an ADTS header; the size of the whole frame, or 0 if it is none or
 * goes beyond size.
 */
size_t adts_frame(const uint8_t *data, size_t size,
		  struct audio_format *format_r);

/* A header of AAC LC without a CRC; its frames' sizes are to be set. */
#define ADTS_HEADER    7
#define ADTS_MAX_FRAME 8191 /* 13 bits, header and all */
void adts_lc_header(uint32_t rate, unsigned channels,
		    uint8_t header[ADTS_HEADER]);

/* The size of the frame, header and all, which holds one block. */
void adts_set_size(uint8_t header[ADTS_HEADER], size_t size);

#endif
