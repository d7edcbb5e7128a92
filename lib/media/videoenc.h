/*
 * videoenc.h - pictures to access units like those of the source.
 *
 * For the edges of a cut: what comes out can stand beside copied units of the
 * same stream.  Size, pixel format, sample aspect, range, colours, chroma
 * location and interlacing are those of the first picture; profile and level
 * those of the source; parameter sets have an id of their own, so that they
 * never overwrite the source's.  One closed GOP, no B-frames, Annex B, an
 * access unit delimiter first, parameter sets in every key frame; closed
 * captions stay.  The same pictures give the same bytes.
 *
 * For full cuts the same encoder with another preset and quality, or VP9.
 *
 * Units:  times in 90 kHz ticks; dts is given as pts: order them yourself.
 * Errors: ERR_MEDIA, also if the size or format of pictures changes or their
 *         pts does not increase; what take returns ends the call and is
 *         returned.
 * Owner:  closed by the arena; a packet is lent to take.
 * Source: x264's and libvpx's options in libavcodec; the reasons are in
 *         videoenc.c beside each option.
 */
#ifndef MEDIA_VIDEOENC_H
#define MEDIA_VIDEOENC_H

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>

#include "base/arena.h"
#include "base/err.h"

typedef enum err packet_fn(void *ctx, const AVPacket *packet, struct errmsg *e);

enum video_kind {
	VIDEO_EDGE, /* H.264: ultrafast, low latency, one GOP, no B-frames */
	VIDEO_FULL, /* H.264: ultrafast, a key frame every two seconds */
	VIDEO_VP9,  /* realtime, a key frame every two seconds */
};

struct videoenc_config {
	enum video_kind kind;
	int nr_threads;
	double crf;
	int64_t frame_ticks; /* between two pictures, usually */
	int profile;	 /* of the source: FF_PROFILE_*; for VIDEO_EDGE only */
	int level;	 /* of the source, as libavcodec has it; likewise */
	unsigned sps_id; /* for VIDEO_EDGE: one that the source does not use */
	int64_t max_bps; /* for VIDEO_EDGE: kept softly, half a second's worth
			  */
			 /* is free; 0: none */
	packet_fn *take;
	void *ctx;
};

struct videoenc;

/* like: a picture as those that will follow. */
enum err videoenc_open(struct arena *a, const struct videoenc_config *config,
		       const AVFrame *like, struct videoenc **enc_r,
		       struct errmsg *e) MUST_CHECK;

/* Its picture type and key frame flags are ignored; it is not changed. */
enum err videoenc_put(struct videoenc *enc, const AVFrame *frame,
		      struct errmsg *e) MUST_CHECK;

/* Gives what is left; then the encoder is done. */
enum err videoenc_finish(struct videoenc *enc, struct errmsg *e) MUST_CHECK;

const AVCodecContext *videoenc_context(const struct videoenc *enc);

/*
 * The parameter sets (Annex B) that an edge encoder with this configuration
 * will put in front of its first picture, byte for byte, without encoding one.
 */
enum err videoenc_headers(struct arena *a, const struct videoenc_config *config,
			  const AVFrame *like, const uint8_t **data_r,
			  size_t *size_r, struct errmsg *e) MUST_CHECK;

#endif
