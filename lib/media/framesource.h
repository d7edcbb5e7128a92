/*
 * framesource.h - the pictures of a stretch of segments, one after the other.
 *
 * Reads one segment at a time, begins to decode at the last key frame of the
 * first that is not after lo, and gives the pictures with lo <= pts < hi in
 * order of presentation.
 *
 * Units:  times in 90 kHz ticks, unwrapped against reference.
 * Errors: those of reading and decoding; ERR_GONE once *cancel is set.
 * Owner:  closed by the arena; a picture is the caller's.
 */
#ifndef MEDIA_FRAMESOURCE_H
#define MEDIA_FRAMESOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>

#include "base/arena.h"
#include "base/err.h"
#include "media/h264.h"
#include "media/roughcut.h"

struct framestretch {
	const struct roughcut *cover; /* whose pieces these are */
	const struct rough_piece *pieces;
	size_t nr_pieces;
	int64_t reference;     /* a time near those of the first piece */
	struct h264_sets sets; /* for a first piece that has none, or empty */
	bool drops_last; /* the last unit of the last piece is cut itself */
	int64_t lo;
	int64_t hi;
};

struct framesource;

enum err framesource_open(struct arena *a, const struct framestretch *stretch,
			  int nr_threads, const atomic_bool *cancel,
			  struct framesource **src_r,
			  struct errmsg *e) MUST_CHECK;

/*
 * Whether decoding can begin in a file to get the picture of a time: at a key
 * frame that is not after it, and has or follows parameter sets.
 */
struct tsfile;
bool framesource_has_entry(const struct tsfile *file, int64_t pts) MUST_CHECK;

/* An empty picture, which the arena frees; NULL without memory. */
AVFrame *framesource_frame(struct arena *a);

/* The next picture into frame, which is empty; *has_r false at the end. */
enum err framesource_next(struct framesource *src, AVFrame *frame, bool *has_r,
			  struct errmsg *e) MUST_CHECK;

/* Of the decoder, once there was a picture. */
const AVCodecContext *framesource_context(const struct framesource *src);

#endif
