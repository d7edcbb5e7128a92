#include "config.h"

#include "media/fullout.h"

#include <string.h>

#include <libavformat/avformat.h>

#include "base/compiler.h"
#include "media/avlog.h"
#include "media/muxio.h"
#include "media/psi.h"
#include "media/tsout.h"

enum { STREAM_OF_VIDEO, STREAM_OF_AUDIO };

struct fullout {
	struct arena *arena;
	enum fullcut_kind kind;
	struct sink *sink;
	bool is_begun;
	uint32_t rate;	       /* of the sound */
	AVPacket *waiting[64]; /* sound before the first picture */
	size_t nr_waiting;

	/* FULL_MPEGTS */
	struct tsout *ts;
	struct tsout_format ts_format;
	uint8_t frame[ADTS_MAX_FRAME]; /* begins with the sound's header */

	/* FULL_WEBM */
	struct muxio *io;
	AVPacket *packet;
};

static void close_out(void *ptr)
{
	struct fullout *out = ptr;

	for (size_t i = 0; i < out->nr_waiting; i++)
		av_packet_free(&out->waiting[i]);
	av_packet_free(&out->packet);
}

/* Transport stream */

static enum err begin_ts(struct fullout *out, const AVCodecContext *audio)
{
	tsout_format_init(&out->ts_format, TYPE_H264, audio ? TYPE_ADTS : 0,
			  false);
	if (audio)
		adts_lc_header((uint32_t)audio->sample_rate,
			       (unsigned)audio->ch_layout.nb_channels,
			       out->frame);
	out->ts = ARENA_NEW(out->arena, struct tsout);
	tsout_init(out->ts, &out->ts_format, out->sink);
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

	if (size > ADTS_MAX_FRAME)
		return err_set(e, ERR_MEDIA, "a frame of sound is too large");
	adts_set_size(out->frame, size);
	memcpy(out->frame + ADTS_HEADER, packet->data, (size_t)packet->size);
	return tsout_audio(out->ts, out->frame, size,
			   av_rescale(packet->pts, TS_HZ, out->rate), e);
}

/* WebM */

static enum err add_stream(struct fullout *out, const AVCodecContext *codec,
			   struct errmsg *e)
{
	AVStream *stream = avformat_new_stream(out->io->muxer, NULL);

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
	enum err err =
		muxio_to_sink(out->arena, "webm", out->sink, &out->io, e);
	int status;

	out->packet = av_packet_alloc();
	if (!err && !out->packet)
		err = err_set(e, ERR_IO, "out of memory");
	if (!err)
		err = add_stream(out, video, e);
	if (!err && audio)
		err = add_stream(out, audio, e);
	if (err)
		return err;
	out->io->muxer->flags |= AVFMT_FLAG_FLUSH_PACKETS;
	/* Nothing is ever gone back to: it is sent as it is made. */
	av_dict_set(&options, "live", "1", 0);
	status = avformat_write_header(out->io->muxer, &options);
	av_dict_free(&options);
	return muxio_result(out->io, status, e);
}

static enum err put_webm(struct fullout *out, const AVPacket *packet,
			 int stream, AVRational time_base, struct errmsg *e)
{
	AVFormatContext *muxer = out->io->muxer;
	int status = av_packet_ref(out->packet, packet);

	if (status < 0)
		return err_set(e, ERR_IO, "out of memory");
	out->packet->stream_index = stream;
	av_packet_rescale_ts(out->packet, time_base,
			     muxer->streams[stream]->time_base);
	status = av_interleaved_write_frame(muxer, out->packet);
	av_packet_unref(out->packet);
	return muxio_result(out->io, status, e);
}

/* Both */

struct fullout *fullout_new(struct arena *a, enum fullcut_kind kind,
			    struct sink *sink)
{
	struct fullout *out = ARENA_NEW(a, struct fullout);

	avlog_begin();
	out->arena = a;
	out->kind = kind;
	out->sink = sink;
	arena_defer(a, close_out, out);
	return out;
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
	if (out->kind == FULL_MPEGTS)
		return put_ts_video(out, packet, e);
	return put_webm(out, packet, STREAM_OF_VIDEO, (AVRational){ 1, TS_HZ },
			e);
}

enum err fullout_audio(struct fullout *out, const AVPacket *packet,
		       struct errmsg *e)
{
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
	enum err err;

	if (out->kind == FULL_MPEGTS)
		return tsout_flush(out->ts, e);
	err = muxio_result(out->io, av_write_trailer(out->io->muxer), e);
	/* What was in the buffer may have failed after that. */
	return err ? err : muxio_result(out->io, 0, e);
}
