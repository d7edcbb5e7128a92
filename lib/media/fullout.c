#include "config.h"

#include "media/fullout.h"

#include <string.h>

#include <libavformat/avformat.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "media/avlog.h"
#include "media/psi.h"
#include "media/tsout.h"

#define IO_BYTES    65536
#define ADTS_HEADER 7
#define MAX_ADTS    8191

/* libavformat 61 wants what it gives to write to be const. */
#if LIBAVFORMAT_VERSION_MAJOR < 61
typedef uint8_t io_byte;
#else
typedef const uint8_t io_byte;
#endif

enum { STREAM_OF_VIDEO, STREAM_OF_AUDIO };

struct fullout {
	struct arena *arena;
	enum fullcut_kind kind;
	struct sink *sink;
	bool is_begun;
	uint32_t rate;	       /* of the sound */
	struct errmsg *e;      /* of the call */
	enum err err;	       /* of the sink */
	AVPacket *waiting[64]; /* sound before the first picture */
	size_t nr_waiting;

	/* FULL_MPEGTS */
	struct sink ts_sink;
	struct tsout *ts;
	struct tsout_format ts_format;
	struct tsout_counters before;
	struct tsout_counters within;
	uint8_t adts[ADTS_HEADER]; /* but for the length */
	uint8_t frame[MAX_ADTS + 1];
	uint8_t chunk[TSOUT_BUFFER_PACKETS * TS_PACKET];

	/* FULL_WEBM */
	AVFormatContext *format;
	AVIOContext *io;
	AVPacket *packet;
};

static void close_out(void *ptr)
{
	struct fullout *out = ptr;

	for (size_t i = 0; i < out->nr_waiting; i++)
		av_packet_free(&out->waiting[i]);
	av_packet_free(&out->packet);
	avformat_free_context(out->format);
	if (out->io)
		av_freep(&out->io->buffer);
	avio_context_free(&out->io);
}

/* Transport stream */

static enum err send_packets(struct sink *sink, const struct iovec *iov,
			     int nr_iov, struct errmsg *e)
{
	struct fullout *out =
		(void *)((char *)sink - offsetof(struct fullout, ts_sink));
	enum err err = ERR_OK;

	for (int i = 0; !err && i < nr_iov; i++) {
		/* All in one stretch, so these are the counters themselves. */
		memcpy(out->chunk, iov[i].iov_base, iov[i].iov_len);
		tsout_counters_apply(&out->before, &out->within, out->chunk,
				     iov[i].iov_len / TS_PACKET);
		err = sink_write(out->sink, out->chunk, iov[i].iov_len, e);
	}
	return err;
}

/* ISO/IEC 14496-3 1.A.2: AAC LC, no CRC, one block a frame. */
static void make_adts(struct fullout *out, const AVCodecContext *audio)
{
	static const int rates[] = { 96000, 88200, 64000, 48000, 44100,
				     32000, 24000, 22050, 16000, 12000,
				     11025, 8000,  7350 };
	unsigned channels = (unsigned)audio->ch_layout.nb_channels;
	unsigned index = 0;

	while (index < ARRAY_SIZE(rates) - 1 &&
	       rates[index] != audio->sample_rate)
		index++;
	out->adts[0] = 0xff;
	out->adts[1] = 0xf1;
	out->adts[2] = (uint8_t)(1U << 6 | index << 2 | channels >> 2);
	out->adts[3] = (uint8_t)((channels & 3) << 6);
	out->adts[5] = 0x1f;
	out->adts[6] = 0xfc;
}

static enum err begin_ts(struct fullout *out, const AVCodecContext *audio)
{
	tsout_format_init(&out->ts_format, TYPE_H264, audio ? TYPE_ADTS : 0,
			  false);
	if (audio)
		make_adts(out, audio);
	out->ts_sink.write = send_packets;
	out->ts = ARENA_NEW(out->arena, struct tsout);
	tsout_init(out->ts, &out->ts_format, &out->ts_sink);
	return ERR_OK;
}

static enum err put_ts_video(struct fullout *out, const AVPacket *packet,
			     struct errmsg *e)
{
	struct out_unit unit = {
		.data = packet->data,
		.size = (size_t)packet->size,
		.pts = packet->pts,
		.dts = packet->dts < packet->pts ? packet->dts : packet->pts,
		.is_key = packet->flags & AV_PKT_FLAG_KEY,
	};
	enum err err = tsout_video(out->ts, &unit, e);

	return err ? err : tsout_flush(out->ts, e);
}

static enum err put_ts_audio(struct fullout *out, const AVPacket *packet,
			     struct errmsg *e)
{
	size_t size = (size_t)packet->size + ADTS_HEADER;
	uint8_t *frame = out->frame;

	if (size > MAX_ADTS)
		return err_set(e, ERR_MEDIA, "a frame of sound is too large");
	memcpy(frame, out->adts, ADTS_HEADER);
	memcpy(frame + ADTS_HEADER, packet->data, (size_t)packet->size);
	frame[3] = (uint8_t)(frame[3] | size >> 11);
	frame[4] = (uint8_t)(size >> 3);
	frame[5] = (uint8_t)((size & 7) << 5 | 0x1f);
	return tsout_audio(out->ts, frame, size,
			   av_rescale(packet->pts, TS_HZ, out->rate), e);
}

/* WebM */

static int write_io(void *opaque, io_byte *data, int size)
{
	struct fullout *out = opaque;

	if (!out->err)
		out->err = sink_write(out->sink, data, (size_t)size, out->e);
	return out->err ? AVERROR_EXIT : size;
}

static enum err add_stream(struct fullout *out, const AVCodecContext *codec,
			   struct errmsg *e)
{
	AVStream *stream = avformat_new_stream(out->format, NULL);

	if (!stream ||
	    avcodec_parameters_from_context(stream->codecpar, codec) < 0)
		return err_set(e, ERR_IO, "out of memory");
	stream->time_base = codec->time_base;
	stream->avg_frame_rate = codec->framerate;
	return ERR_OK;
}

static enum err begin_webm(struct fullout *out, const AVCodecContext *video,
			   const AVCodecContext *audio, struct errmsg *e)
{
	AVDictionary *options = NULL;
	uint8_t *buffer = av_malloc(IO_BYTES);
	enum err err;
	int status;

	out->packet = av_packet_alloc();
	out->io = buffer ? avio_alloc_context(buffer, IO_BYTES, 1, out, NULL,
					      write_io, NULL) :
			   NULL;
	if (!out->packet || !out->io ||
	    avformat_alloc_output_context2(&out->format, NULL, "webm", NULL) <
		    0)
		return err_set(e, ERR_MEDIA, "there is no muxer for WebM");
	out->format->pb = out->io;
	out->format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT |
			      AVFMT_FLAG_FLUSH_PACKETS;
	err = add_stream(out, video, e);
	if (!err && audio)
		err = add_stream(out, audio, e);
	if (err)
		return err;
	/* Nothing is ever gone back to: it is sent as it is made. */
	av_dict_set(&options, "live", "1", 0);
	status = avformat_write_header(out->format, &options);
	av_dict_free(&options);
	if (out->err)
		return out->err;
	return status < 0 ? err_set(e, ERR_MEDIA, "WebM cannot be written") :
			    ERR_OK;
}

static enum err put_webm(struct fullout *out, const AVPacket *packet,
			 int stream, AVRational time_base, struct errmsg *e)
{
	int status = av_packet_ref(out->packet, packet);

	if (status < 0)
		return err_set(e, ERR_IO, "out of memory");
	out->packet->stream_index = stream;
	av_packet_rescale_ts(out->packet, time_base,
			     out->format->streams[stream]->time_base);
	status = av_interleaved_write_frame(out->format, out->packet);
	av_packet_unref(out->packet);
	if (out->err)
		return out->err;
	return status < 0 ? err_set(e, ERR_MEDIA, "WebM cannot be written") :
			    ERR_OK;
}

/* Both */

enum err fullout_new(struct arena *a, enum fullcut_kind kind, struct sink *sink,
		     struct fullout **out_r, struct errmsg *e)
{
	struct fullout *out = ARENA_NEW(a, struct fullout);

	avlog_begin();
	out->arena = a;
	out->kind = kind;
	out->sink = sink;
	out->e = e;
	arena_defer(a, close_out, out);
	*out_r = out;
	return ERR_OK;
}

static enum err put_audio(struct fullout *out, const AVPacket *packet,
			  struct errmsg *e)
{
	if (out->kind == FULL_MPEGTS)
		return put_ts_audio(out, packet, e);
	return put_webm(out, packet, STREAM_OF_AUDIO,
			(AVRational){ 1, (int)out->rate }, e);
}

enum err fullout_begin(struct fullout *out, const AVCodecContext *video,
		       const AVCodecContext *audio, struct errmsg *e)
{
	enum err err;

	out->e = e;
	out->rate = audio ? (uint32_t)audio->sample_rate : 0;
	err = out->kind == FULL_MPEGTS ? begin_ts(out, audio) :
					 begin_webm(out, video, audio, e);
	out->is_begun = true;
	for (size_t i = 0; !err && i < out->nr_waiting; i++)
		err = put_audio(out, out->waiting[i], e);
	return err;
}

enum err fullout_video(struct fullout *out, const AVPacket *packet,
		       struct errmsg *e)
{
	out->e = e;
	if (out->kind == FULL_MPEGTS)
		return put_ts_video(out, packet, e);
	return put_webm(out, packet, STREAM_OF_VIDEO, (AVRational){ 1, TS_HZ },
			e);
}

enum err fullout_audio(struct fullout *out, const AVPacket *packet,
		       struct errmsg *e)
{
	out->e = e;
	if (out->is_begun)
		return put_audio(out, packet, e);
	if (out->nr_waiting == ARRAY_SIZE(out->waiting))
		return ERR_OK; /* more than a second without any picture */
	out->waiting[out->nr_waiting] = av_packet_clone(packet);
	if (!out->waiting[out->nr_waiting])
		return err_set(e, ERR_IO, "out of memory");
	out->nr_waiting++;
	return ERR_OK;
}

enum err fullout_finish(struct fullout *out, struct errmsg *e)
{
	int status;

	out->e = e;
	if (out->kind == FULL_MPEGTS)
		return tsout_flush(out->ts, e);
	status = av_write_trailer(out->format);
	avio_flush(out->io);
	if (out->err)
		return out->err;
	return status < 0 ? err_set(e, ERR_MEDIA, "WebM cannot be written") :
			    ERR_OK;
}
