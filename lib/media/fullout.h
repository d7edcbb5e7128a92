/*
 * fullout.h - where the packets of a full cut go: a transport stream of ours,
 * or WebM by libavformat.
 *
 * Packets of video have their times in 90 kHz ticks, those of sound in samples
 * from the cut's beginning; each in its order.
 *
 * Errors: of the sink; ERR_MEDIA from the muxer.
 * Owner:  closed by the arena.
 */
#ifndef MEDIA_FULLOUT_H
#define MEDIA_FULLOUT_H

#include <libavcodec/avcodec.h>

#include "base/sink.h"
#include "media/fullcut.h"

struct fullout;

struct fullout *fullout_new(struct arena *a, enum fullcut_kind kind,
			    struct sink *sink);

/* What streams there are; audio may be NULL. */
enum err fullout_begin(struct fullout *out, const AVCodecContext *video,
		       const AVCodecContext *audio,
		       struct errmsg *e) MUST_CHECK;

/* Sound that comes before the first picture waits for it. */
enum err fullout_video(struct fullout *out, const AVPacket *packet,
		       struct errmsg *e) MUST_CHECK;
enum err fullout_audio(struct fullout *out, const AVPacket *packet,
		       struct errmsg *e) MUST_CHECK;

enum err fullout_finish(struct fullout *out, struct errmsg *e) MUST_CHECK;

#endif
