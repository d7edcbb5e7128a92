#include "config.h"

#include "media/audioenc.h"

#include <string.h>

#include <libavutil/channel_layout.h>

#include "media/avlog.h"

#define AAC_BPS_PER_CHANNEL  128000
#define OPUS_BPS_PER_CHANNEL 80000

struct audioenc {
	AVCodecContext *codec;
	AVPacket *packet;
	AVFrame *frame;
	size_t nr; /* samples in the frame */
	int64_t position;
	packet_fn *take;
	void *ctx;
};

static void close_encoder(void *ptr)
{
	struct audioenc *enc = ptr;

	av_frame_free(&enc->frame);
	av_packet_free(&enc->packet);
	avcodec_free_context(&enc->codec);
}

static void set_up(struct audioenc *enc, enum audio_kind kind, uint32_t rate,
		   unsigned nr_channels)
{
	AVCodecContext *codec = enc->codec;

	codec->sample_rate = (int)rate;
	codec->time_base = (AVRational){ 1, (int)rate };
	codec->bit_rate = (int64_t)nr_channels * (kind == AUDIO_AAC ?
							  AAC_BPS_PER_CHANNEL :
							  OPUS_BPS_PER_CHANNEL);
	/* The interleaved floats of libopus are made when a frame is full. */
	codec->sample_fmt =
		kind == AUDIO_AAC ? AV_SAMPLE_FMT_FLTP : AV_SAMPLE_FMT_FLT;
	codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
	av_channel_layout_default(&codec->ch_layout, (int)nr_channels);
}

static int make_frame(struct audioenc *enc)
{
	AVFrame *frame = enc->frame;

	frame->format = enc->codec->sample_fmt;
	frame->sample_rate = enc->codec->sample_rate;
	frame->nb_samples = enc->codec->frame_size;
	av_channel_layout_copy(&frame->ch_layout, &enc->codec->ch_layout);
	return av_frame_get_buffer(frame, 0);
}

enum err audioenc_open(struct arena *a, enum audio_kind kind, uint32_t rate,
		       unsigned nr_channels, packet_fn *take, void *ctx,
		       struct audioenc **enc_r, struct errmsg *e)
{
	struct audioenc *enc = ARENA_NEW(a, struct audioenc);
	const AVCodec *codec = avcodec_find_encoder_by_name(
		kind == AUDIO_AAC ? "aac" : "libopus");

	avlog_begin();
	arena_defer(a, close_encoder, enc);
	enc->take = take;
	enc->ctx = ctx;
	enc->packet = av_packet_alloc();
	enc->frame = av_frame_alloc();
	enc->codec = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!enc->packet || !enc->frame || !enc->codec)
		return err_set(e, ERR_MEDIA, "there is no encoder for %s",
			       kind == AUDIO_AAC ? "AAC" : "Opus");
	set_up(enc, kind, rate, nr_channels);
	if (avcodec_open2(enc->codec, codec, NULL) < 0 || make_frame(enc) < 0)
		return err_set(e, ERR_MEDIA,
			       "%u channels at %u Hz cannot be encoded",
			       nr_channels, rate);
	*enc_r = enc;
	return ERR_OK;
}

static enum err receive(struct audioenc *enc, struct errmsg *e)
{
	enum err err = ERR_OK;

	while (!err && avcodec_receive_packet(enc->codec, enc->packet) >= 0) {
		if (enc->packet->pts >= 0)
			err = enc->take(enc->ctx, enc->packet, e);
		av_packet_unref(enc->packet);
	}
	return err;
}

static enum err send_frame(struct audioenc *enc, struct errmsg *e)
{
	enc->frame->pts = enc->position;
	enc->position += enc->codec->frame_size;
	enc->nr = 0;
	if (avcodec_send_frame(enc->codec, enc->frame) < 0)
		return err_set(e, ERR_MEDIA, "the sound cannot be encoded");
	/* The encoder may have kept a reference to the samples. */
	if (av_frame_make_writable(enc->frame) < 0)
		return err_set(e, ERR_IO, "out of memory");
	return receive(enc, e);
}

/* Copies samples of each channel into the frame. */
static void copy_samples(struct audioenc *enc, float *const *planes,
			 size_t from, size_t nr)
{
	int channels = enc->codec->ch_layout.nb_channels;

	for (int c = 0; c < channels; c++) {
		float *to;

		if (enc->codec->sample_fmt == AV_SAMPLE_FMT_FLTP) {
			to = (void *)enc->frame->extended_data[c];
			to += enc->nr;
			memcpy(to, planes[c] + from, nr * sizeof(*to));
			continue;
		}
		to = (void *)enc->frame->data[0];
		to += enc->nr * (size_t)channels + (size_t)c;
		for (size_t i = 0; i < nr; i++)
			to[i * (size_t)channels] = planes[c][from + i];
	}
}

enum err audioenc_put(struct audioenc *enc, float *const *planes, size_t nr,
		      struct errmsg *e)
{
	size_t size = (size_t)enc->codec->frame_size;
	enum err err = ERR_OK;

	for (size_t done = 0; !err && done < nr;) {
		size_t part = size - enc->nr;

		part = part < nr - done ? part : nr - done;
		copy_samples(enc, planes, done, part);
		enc->nr += part;
		done += part;
		if (enc->nr == size)
			err = send_frame(enc, e);
	}
	return err;
}

enum err audioenc_finish(struct audioenc *enc, struct errmsg *e)
{
	static float silence[2048];
	float *planes[AV_NUM_DATA_POINTERS];
	size_t size = (size_t)enc->codec->frame_size;
	enum err err = ERR_OK;

	for (size_t c = 0; c < AV_NUM_DATA_POINTERS; c++)
		planes[c] = silence;
	while (!err && enc->nr) {
		size_t left = size - enc->nr;

		left = left < ARRAY_SIZE(silence) ? left : ARRAY_SIZE(silence);
		err = audioenc_put(enc, planes, left, e);
	}
	if (err)
		return err;
	avcodec_send_frame(enc->codec, NULL);
	return receive(enc, e);
}

const AVCodecContext *audioenc_context(const struct audioenc *enc)
{
	return enc->codec;
}
