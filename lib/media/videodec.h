/*
 * videodec.h - the pictures in access units.
 *
 * Units go in in order of decoding, pictures come out in order of
 * presentation, each with the pts of its unit, strictly increasing; one that
 * comes too late for that is dropped and counted, a damaged one is given and
 * counted.  A unit must not hold several pictures.
 *
 * Units:  times in 90 kHz ticks.
 * Errors: ERR_MEDIA if there is no such decoder or it gives up; a unit that it
 *         cannot make sense of costs that picture, and is counted.  What take
 *         returns ends the call, and is returned.
 * Owner:  the decoder is closed by the arena; a frame is lent to take, which
 *         keeps it by av_frame_ref() or av_frame_move_ref().
 * Source: libavcodec's send/receive interface.
 *
 * One thread may use a decoder at a time; it has nr_threads of its own.
 */
#ifndef MEDIA_VIDEODEC_H
#define MEDIA_VIDEODEC_H

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>

#include "base/arena.h"
#include "base/err.h"
#include "media/tsfile.h"

typedef enum err frame_fn(void *ctx, AVFrame *frame, struct errmsg *e);

struct videodec_config {
	enum AVCodecID codec;
	int nr_threads;
	frame_fn *take;
	void *ctx;
};

struct videodec;

/* The codec of a stream by its type in the tables; H.264 unless it is HEVC. */
static inline enum AVCodecID videodec_codec(uint8_t type)
{
	return type == TYPE_HEVC ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264;
}

enum err videodec_open(struct arena *a, const struct videodec_config *config,
		       struct videodec **dec_r, struct errmsg *e) MUST_CHECK;

/*
 * Takes one unit.  Of units that nobody wants to see, those that no other
 * refers to are skipped (by their flags), and no pictures are given.
 */
enum err videodec_put(struct videodec *dec, const struct unit *unit,
		      bool is_wanted, struct errmsg *e) MUST_CHECK;

/* Gives what is left; after it a unit that can be begun with may follow. */
enum err videodec_flush(struct videodec *dec, struct errmsg *e) MUST_CHECK;

/* What the stream says of itself (profile, level), once a picture is there. */
const AVCodecContext *videodec_context(const struct videodec *dec);

/* Units that could not be decoded, or not whole; complete after a flush. */
uint64_t videodec_nr_bad(const struct videodec *dec);

#endif
