/*
 * audioenc.h - samples to frames of AAC or Opus, for full cuts.
 *
 * Units:  samples are 32-bit floats, one plane a channel; the pts of a frame
 *         is in samples, 0 being the first that was put in.  What comes before
 *         it, an encoder's own lead, is not given.
 * Errors: ERR_MEDIA; what take returns ends the call and is returned.
 * Owner:  closed by the arena; a packet is lent to take.
 */
#ifndef MEDIA_AUDIOENC_H
#define MEDIA_AUDIOENC_H

#include <stdint.h>

#include <libavcodec/avcodec.h>

#include "base/arena.h"
#include "base/err.h"
#include "media/videoenc.h"

enum audio_kind {
	AUDIO_AAC,  /* LC, 256 kb/s for two channels */
	AUDIO_OPUS, /* 160 kb/s; only at 48 kHz */
};

struct audioenc;

enum err audioenc_open(struct arena *a, enum audio_kind kind, uint32_t rate,
		       unsigned nr_channels, packet_fn *take, void *ctx,
		       struct audioenc **enc_r, struct errmsg *e) MUST_CHECK;

enum err audioenc_put(struct audioenc *enc, float *const *planes, size_t nr,
		      struct errmsg *e) MUST_CHECK;

/* Gives what is left, the last frame filled with silence. */
enum err audioenc_finish(struct audioenc *enc, struct errmsg *e) MUST_CHECK;

const AVCodecContext *audioenc_context(const struct audioenc *enc);

#endif
