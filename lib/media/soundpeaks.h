/*
 * soundpeaks.h - how loud the sound of a segment is: of every block of samples
 * the mean of what they are without their sign, for each channel, and the
 * least and the greatest of all channels mixed.
 *
 * Only the packets of the sound are taken from the file, and of the video the
 * times.  A decoder is only right from its second frame on, so the last frames
 * of the segment before go first where the sound goes on.
 *
 * Units:  samples; a mean of 32767 and extremes of -32768 and 32767 are full
 *         scale.  Time 0 is the segment's own: that of its first picture.
 * Errors: ERR_IO, ERR_CORRUPT where the file cannot be read, ERR_MEDIA without
 *         a decoder.  What is no transport stream, has no sound, or sound that
 *         is not AAC, is silent: nr_samples is 0.
 * Owner:  peaks are in the arena they were asked for with.
 */
#ifndef MEDIA_SOUNDPEAKS_H
#define MEDIA_SOUNDPEAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utime.h"

#define PEAKS_MAX_CHANNELS 8
#define PEAKS_MAX_RATE	   192000
#define PEAKS_MAX_SECONDS  4000 /* of sound in a segment; the rest is left */

struct soundpeaks {
	int64_t first; /* sample of the first block, from the segment's time */
	uint32_t rate;
	uint32_t block; /* samples in one */
	uint32_t nr_channels;
	uint32_t nr_samples;	 /* the last block may be shorter */
	const uint16_t *means;	 /* nr_channels times the blocks */
	const int16_t *extremes; /* of each block the least, the greatest */
};

static inline uint32_t soundpeaks_nr_blocks(const struct soundpeaks *peaks)
{
	return (peaks->nr_samples + peaks->block - 1) / peaks->block;
}

/* Whether all that is computed from them stays within its bounds. */
bool soundpeaks_are_sane(const struct soundpeaks *peaks) MUST_CHECK;

/* What a thread decodes with; closed by the arena. */
struct peakdecoder;
enum err peakdecoder_open(struct arena *a, struct peakdecoder **dec_r,
			  struct errmsg *e) MUST_CHECK;

/*
 * A segment, and the one that its sound goes on from: a file, or the one that
 * was decoded last, or none.  Only the sound between two times, counted from
 * the segment's own, is looked at; memory is in proportion to that.
 */
#define PEAKS_GO_ON (-1)
#define PEAKS_BEGIN (-2)
struct peak_source {
	int fd;
	int before;
	usec_t from_us;
	usec_t to_us;
};

/* The same for the same files, whatever was decoded before. */
enum err soundpeaks_decode(struct peakdecoder *dec, struct arena *a,
			   const struct peak_source *source, uint32_t block,
			   struct soundpeaks *peaks_r,
			   struct errmsg *e) MUST_CHECK;

/* The same peaks in blocks that are factor times as long. */
void soundpeaks_fold(struct arena *a, const struct soundpeaks *from,
		     uint32_t factor, struct soundpeaks *peaks_r);

#endif
