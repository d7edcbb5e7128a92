/*
 * muxio.h - where a muxer of libavformat writes: a sink, or a file.
 *
 * The muxer stops at the first byte that cannot be written, and what stopped
 * it is kept: muxio_result() tells it in place of the muxer's own words.
 *
 * Errors: of the sink; ERR_LIMIT beyond a file's limit; ERR_IO; ERR_MEDIA for
 *         all that the muxer itself refuses.
 * Owner:  muxer and I/O are closed by the arena; the sink and the descriptor
 *         are the caller's.
 */
#ifndef MEDIA_MUXIO_H
#define MEDIA_MUXIO_H

#include <libavformat/avformat.h>

#include "base/arena.h"
#include "base/sink.h"
#include "media/tsfile.h"

struct muxio {
	AVFormatContext *muxer; /* bitexact: the same bytes for the same */
	/* private */
	struct sink *sink; /* or NULL: the file */
	int fd;
	int64_t limit; /* bytes of the file */
	int64_t at;    /* where the file is written next */
	enum err err;  /* what stopped it */
	struct errmsg error;
};

/* name: of the format, as libavformat calls it. */
enum err muxio_to_sink(struct arena *a, const char *name, struct sink *sink,
		       struct muxio **io_r, struct errmsg *e) MUST_CHECK;

/* An empty file, open for reading and writing. */
enum err muxio_to_file(struct arena *a, const char *name, int fd,
		       uint64_t limit, struct muxio **io_r,
		       struct errmsg *e) MUST_CHECK;

/* ERR_OK unless a call of libavformat failed, or writing did. */
enum err muxio_result(const struct muxio *io, int averror,
		      struct errmsg *e) MUST_CHECK;

/* A stream of H.264 as in Annex B: its first packet, and its sets. */
AVStream *muxio_add_h264(struct muxio *io, const AVPacket *first,
			 const uint8_t *sets, size_t size);

/* One of AAC without ADTS headers; this is what they said. */
AVStream *muxio_add_aac(struct muxio *io, const struct audio_format *format);

#endif
