#include "config.h"

#include "media/muxio.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavutil/mem.h>

#include "media/aac.h"
#include "media/avlog.h"
#include "media/h264.h"
#include "media/ts.h"

#define BUFFER_SIZE (256 * 1024)

/* FFmpeg 7 gives the bytes as what they are. */
#if LIBAVFORMAT_VERSION_MAJOR < 61
typedef uint8_t av_bytes;
#else
typedef const uint8_t av_bytes;
#endif

/* The muxer looks at nothing but whether it failed. */
static int stop(struct muxio *io, enum err err)
{
	io->err = err;
	return AVERROR_EXIT;
}

static int write_sink(void *opaque, av_bytes *data, int size)
{
	struct muxio *io = opaque;
	enum err err;

	if (io->err)
		return AVERROR_EXIT;
	err = sink_write(io->sink, data, (size_t)size, &io->error);
	return err ? stop(io, err) : size;
}

static int write_file(void *opaque, av_bytes *data, int size)
{
	struct muxio *io = opaque;
	const uint8_t *p = data;
	size_t left = (size_t)size;

	if (io->err)
		return AVERROR_EXIT;
	if (io->at + size > io->limit)
		return stop(io, err_set(&io->error, ERR_LIMIT,
					"over %lld GB would have to be made "
					"before it is sent",
					(long long)(io->limit >> 30)));
	while (left) {
		ssize_t n = pwrite(io->fd, p, left, (off_t)io->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stop(io, err_set(&io->error, ERR_IO,
						"cannot write what was made: "
						"%s",
						strerror(errno)));
		p += n;
		left -= (size_t)n;
		io->at += n;
	}
	return size;
}

static int64_t seek_to(int fd, int64_t *at, int64_t offset, int whence)
{
	off_t end = lseek(fd, 0, SEEK_END);

	whence &= ~AVSEEK_FORCE;
	if (end < 0)
		return AVERROR(errno);
	if (whence == AVSEEK_SIZE)
		return end;
	if (whence == SEEK_CUR)
		offset += *at;
	else if (whence == SEEK_END)
		offset += end;
	else if (whence != SEEK_SET)
		return AVERROR(EINVAL);
	if (offset < 0)
		return AVERROR(EINVAL);
	*at = offset;
	return offset;
}

static int64_t seek_file(void *opaque, int64_t offset, int whence)
{
	struct muxio *io = opaque;

	return seek_to(io->fd, &io->at, offset, whence);
}

/* The file again, to be read while it is written: to put the index in front. */
struct reader {
	int fd;
	int64_t at;
};

static int read_file(void *opaque, uint8_t *data, int size)
{
	struct reader *reader = opaque;
	ssize_t n;

	do
		n = pread(reader->fd, data, (size_t)size, (off_t)reader->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? AVERROR(errno) : AVERROR_EOF;
	reader->at += n;
	return (int)n;
}

static int64_t seek_reader(void *opaque, int64_t offset, int whence)
{
	struct reader *reader = opaque;

	return seek_to(reader->fd, &reader->at, offset, whence);
}

/* A muxer may open its own file again, and nothing else. */
static int open_again(AVFormatContext *muxer, AVIOContext **pb_r,
		      const char *url, int flags, AVDictionary **options)
{
	struct muxio *io = muxer->opaque;
	struct reader *reader;
	uint8_t *buffer;

	UNUSED(url);
	UNUSED(options);
	if (io->sink || (flags & AVIO_FLAG_WRITE))
		return AVERROR(EPERM);
	reader = av_mallocz(sizeof(*reader));
	buffer = av_malloc(BUFFER_SIZE);
	*pb_r = reader && buffer ?
			avio_alloc_context(buffer, BUFFER_SIZE, 0, reader,
					   read_file, NULL, seek_reader) :
			NULL;
	if (!*pb_r) {
		av_free(buffer);
		av_free(reader);
		return AVERROR(ENOMEM);
	}
	reader->fd = io->fd; /* the context has the buffer and the reader now */
	return 0;
}

static int close_again(AVFormatContext *muxer, AVIOContext *pb)
{
	UNUSED(muxer);
	av_freep(&pb->opaque);
	av_freep(&pb->buffer);
	avio_context_free(&pb);
	return 0;
}

static void free_muxio(void *ptr)
{
	struct muxio *io = ptr;
	AVIOContext *pb;

	if (!io->muxer)
		return;
	pb = io->muxer->pb;
	/* An unfinished muxer may still write. */
	io->err = io->err ? io->err : ERR_GONE;
	avformat_free_context(io->muxer);
	io->muxer = NULL;
	if (pb)
		av_freep(&pb->buffer);
	avio_context_free(&pb);
}

static enum err open_muxio(struct arena *a, const char *name, struct muxio *io,
			   struct errmsg *e)
{
	uint8_t *buffer;

	avlog_begin();
	arena_defer(a, free_muxio, io);
	if (avformat_alloc_output_context2(&io->muxer, NULL, name, NULL) < 0)
		return err_set(e, ERR_UNBUILT,
			       "the installed FFmpeg cannot write %s", name);
	/* Only named: nothing is opened by it but through open_again(). */
	io->muxer->url = av_strdup("cut");
	io->muxer->opaque = io;
	io->muxer->io_open = open_again;
	io->muxer->io_close2 = close_again;
	io->muxer->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
	buffer = av_malloc(BUFFER_SIZE);
	if (buffer)
		io->muxer->pb =
			avio_alloc_context(buffer, BUFFER_SIZE, 1, io, NULL,
					   io->sink ? write_sink : write_file,
					   io->sink ? NULL : seek_file);
	if (io->muxer->pb)
		return ERR_OK;
	av_free(buffer);
	return err_set(e, ERR_MEDIA, "cannot make a muxer for %s", name);
}

enum err muxio_to_sink(struct arena *a, const char *name, struct sink *sink,
		       struct muxio **io_r, struct errmsg *e)
{
	struct muxio *io = ARENA_NEW(a, struct muxio);

	io->sink = sink;
	io->fd = -1;
	*io_r = io;
	return open_muxio(a, name, io, e);
}

enum err muxio_to_file(struct arena *a, const char *name, int fd,
		       uint64_t limit, struct muxio **io_r, struct errmsg *e)
{
	struct muxio *io = ARENA_NEW(a, struct muxio);

	io->fd = fd;
	io->limit = limit < INT64_MAX ? (int64_t)limit : INT64_MAX;
	*io_r = io;
	return open_muxio(a, name, io, e);
}

enum err muxio_result(const struct muxio *io, int averror, struct errmsg *e)
{
	char text[AVLOG_TEXT_SIZE];

	if (io->err) {
		*e = io->error;
		return io->err;
	}
	return averror >= 0 ? ERR_OK :
			      err_set(e, ERR_MEDIA, "the muxer failed: %s",
				      avlog_text(averror, text));
}

/* Streams */

static AVStream *add_stream(struct muxio *io, enum AVMediaType type,
			    enum AVCodecID codec, const uint8_t *extra,
			    size_t size)
{
	AVStream *stream = avformat_new_stream(io->muxer, NULL);
	AVCodecParameters *par = stream ? stream->codecpar : NULL;

	if (par)
		par->extradata =
			av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
	if (!par || !par->extradata)
		BUG("out of memory");
	par->codec_type = type;
	par->codec_id = codec;
	par->extradata_size = (int)size;
	memcpy(par->extradata, extra, size);
	return stream;
}

AVStream *muxio_add_h264(struct muxio *io, const AVPacket *first,
			 const uint8_t *sets, size_t size)
{
	AVStream *stream = add_stream(io, AVMEDIA_TYPE_VIDEO, AV_CODEC_ID_H264,
				      sets, size);
	AVCodecParameters *par = stream->codecpar;
	struct h264_look look;

	h264_read_look(first->data, (size_t)first->size, &look);
	stream->time_base = (AVRational){ 1, TS_HZ };
	par->width = look.width;
	par->height = look.height;
	par->format = look.format;
	par->profile = look.profile;
	par->level = look.level;
	return stream;
}

AVStream *muxio_add_aac(struct muxio *io, const struct audio_format *format)
{
	/* AudioSpecificConfig: type, rate, channels; frames of 1024. */
	unsigned config = (unsigned)format->object_type << 11 |
			  (unsigned)format->rate_index << 7 |
			  (unsigned)format->channels << 3;
	const uint8_t extra[] = { (uint8_t)(config >> 8), (uint8_t)config };
	AVStream *stream = add_stream(io, AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_AAC,
				      extra, sizeof(extra));
	AVCodecParameters *par = stream->codecpar;

	stream->time_base = (AVRational){ 1, (int)format->rate };
	par->sample_rate = (int)format->rate;
	par->frame_size = AAC_SAMPLES;
	av_channel_layout_default(&par->ch_layout,
				  format->channels == 7 ? 8 : format->channels);
	return stream;
}
