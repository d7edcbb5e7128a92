/*
 * aac.h - frames of AAC LC (ADTS) to samples and back, for the joins of cuts.
 *
 * An AAC frame is only right together with its neighbours (the transform
 * overlaps).  Where two streams are joined, a few frames around the join are
 * therefore decoded with the frames before them, mixed, and encoded anew with
 * some that are thrown away, so that each frame that is kept decodes, beside
 * copied ones, to the samples that were meant.
 *
 * Units:  samples are 32-bit floats, one plane a channel, AAC_SAMPLES a frame.
 *         Sample 0 of frame k of a stream is what its decoder gives for that
 *         frame: the encoder's delay of one frame is hidden here.
 * Errors: ERR_MEDIA if the frames are not AAC LC of one rate and one layout
 *         that its header can say, up to 7.1 (or what else the codec refuses).
 * Owner:  results are in the arena.
 * Source: ISO/IEC 14496-3 4.6.11 (overlap), 1.A.2 (ADTS); FFmpeg's aacenc.c:
 *         its packet i holds frame i - 1.
 */
#ifndef MEDIA_AAC_H
#define MEDIA_AAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "media/tsfile.h"

#define AAC_MAX_CHANNELS 8
#define AAC_PREROLL	 3 /* frames before, for a decoder or encoder to settle */
#define AAC_MAX_FRAMES	 4096 /* decoded at once: 87 s at 48 kHz */

struct pcm {
	float *planes[AAC_MAX_CHANNELS];
	unsigned nr_channels;
	uint32_t rate;
	size_t nr_samples; /* of each plane */
};

/* Silence of the length. */
void pcm_init(struct arena *a, unsigned nr_channels, uint32_t rate,
	      size_t nr_samples, struct pcm *pcm_r);

/*
 * Whether frames of this kind can be decoded and encoded here without being
 * another kind afterwards: AAC LC without SBR or PS, as a decoder sees it.
 */
bool aac_is_plain(const struct audio_frame *frames, size_t nr) MUST_CHECK;

/*
 * Decodes frames first to first + nr - 1 of a stream, having decoded up to
 * AAC_PREROLL before them.  A frame that cannot be decoded is silence.
 * ERR_MEDIA if none of them says what it is, or two differ; ERR_LIMIT beyond
 * AAC_MAX_FRAMES.
 */
enum err aac_decode(struct arena *a, const struct audio_frame *stream,
		    size_t nr_stream, size_t first, size_t nr,
		    struct pcm *pcm_r, struct errmsg *e) MUST_CHECK;

/*
 * Encodes nr frames of samples.  pcm holds AAC_PREROLL frames before them and
 * one after, which are not given back.  The frames have ADTS headers that
 * differ from like's in nothing but the length and the fullness of the buffer,
 * which is not said (and have no CRC); their pts are left 0.  Samples beyond
 * four times full scale, or that are no numbers, are bounded first.
 *
 * Beside copied frames, the first of the nr frames and the one after them are
 * right only if those samples are what the copied stream has there: a fade
 * lies between the two.
 */
enum err aac_encode(struct arena *a, const struct audio_frame *like,
		    const struct pcm *pcm, size_t nr,
		    struct audio_frame **frames_r, struct errmsg *e) MUST_CHECK;

/* From best to worst. */
enum aac_seam {
	AAC_SEAM_GOOD,
	AAC_SEAM_FAIR, /* windows of another shape: noise at -19 dB */
	AAC_SEAM_BAD,  /* of another length, or not known: at -10 dB */
};

/*
 * What becomes of a frame that was made to follow a and follows b, or the
 * other way about; both are of one time.  An encoder shortens its windows
 * where it hears an attack, and two need not agree on where: so encode a few
 * frames more than are needed, and begin and end with those that fit best.
 * Only the first element of a frame is looked at (all of mono and stereo).
 */
enum aac_seam aac_seam(const struct audio_frame *a,
		       const struct audio_frame *b) MUST_CHECK;

/*
 * A frame of silence in the format of another, which may be repeated; also
 * of AAC that is not plain, for which it is LC silence under the same header.
 */
enum err aac_silence(struct arena *a, const struct audio_frame *like,
		     struct audio_frame *frame_r, struct errmsg *e) MUST_CHECK;

#endif
