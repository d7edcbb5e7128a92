#include "config.h"

#include "picture/picfile.h"

#include <stdbool.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>

#include "media/avlog.h"
#include "picture/pngwrite.h"

/* Of 1 (best) to 31. */
#define JPEG_QUALITY 3

struct encoding {
	AVCodecContext *codec;
	AVFrame *frame;
	AVPacket *packet;
};

static void close_encoding(struct encoding *s)
{
	av_packet_free(&s->packet);
	av_frame_free(&s->frame);
	avcodec_free_context(&s->codec);
}

static void set_up(AVCodecContext *codec, const struct picture *picture)
{
	codec->width = picture->width;
	codec->height = picture->height;
	codec->time_base = av_make_q(1, 1);
	codec->thread_count = 1;
	codec->pix_fmt = AV_PIX_FMT_YUVJ420P;
	codec->color_range = AVCOL_RANGE_JPEG;
	codec->flags |= AV_CODEC_FLAG_QSCALE;
	codec->global_quality = FF_QP2LAMBDA * JPEG_QUALITY;
}

/* The picture as the codec takes it: JFIF's colours are BT.601, full range. */
static bool fill_frame(AVFrame *frame, const AVCodecContext *codec,
		       const struct picture *picture)
{
	const uint8_t *from[4] = { picture->pixels };
	int stride[4] = { picture->width * picture->nr_channels };
	struct SwsContext *sws;
	int got;

	frame->format = codec->pix_fmt;
	frame->width = picture->width;
	frame->height = picture->height;
	frame->color_range = codec->color_range;
	frame->quality = codec->global_quality;
	if (av_frame_get_buffer(frame, 0) < 0)
		return false;
	sws = sws_getContext(picture->width, picture->height,
			     picture->nr_channels == 4 ? AV_PIX_FMT_RGBA :
							 AV_PIX_FMT_RGB24,
			     picture->width, picture->height, codec->pix_fmt,
			     SWS_BICUBIC | SWS_ACCURATE_RND, NULL, NULL, NULL);
	if (!sws)
		return false;
	sws_setColorspaceDetails(sws, sws_getCoefficients(SWS_CS_DEFAULT), 1,
				 sws_getCoefficients(SWS_CS_ITU601), 1, 0,
				 1 << 16, 1 << 16);
	got = sws_scale(sws, from, stride, 0, picture->height, frame->data,
			frame->linesize);
	sws_freeContext(sws);
	return got >= 0;
}

static bool encode(struct encoding *s, const AVCodec *codec,
		   const struct picture *picture)
{
	s->codec = codec ? avcodec_alloc_context3(codec) : NULL;
	s->frame = av_frame_alloc();
	s->packet = av_packet_alloc();
	if (!s->codec || !s->frame || !s->packet)
		return false;
	set_up(s->codec, picture);
	return avcodec_open2(s->codec, codec, NULL) >= 0 &&
	       fill_frame(s->frame, s->codec, picture) &&
	       avcodec_send_frame(s->codec, s->frame) >= 0 &&
	       avcodec_send_frame(s->codec, NULL) >= 0 &&
	       avcodec_receive_packet(s->codec, s->packet) >= 0;
}

static enum err write_jpeg(struct arena *a, const struct picture *picture,
			   const uint8_t **data_r, size_t *size_r,
			   struct errmsg *e)
{
	struct encoding s = { 0 };
	uint8_t *data;

	avlog_begin();
	if (!encode(&s, avcodec_find_encoder(AV_CODEC_ID_MJPEG), picture)) {
		close_encoding(&s);
		return err_set(e, ERR_MEDIA, "a picture cannot be encoded");
	}
	*size_r = (size_t)s.packet->size;
	data = arena_alloc(a, *size_r);
	memcpy(data, s.packet->data, *size_r);
	*data_r = data;
	close_encoding(&s);
	return ERR_OK;
}

enum err picfile_encode(struct arena *a, const struct picture *picture,
			enum picfile_kind kind, int nr_threads,
			const uint8_t **data_r, size_t *size_r,
			struct errmsg *e)
{
	return kind == PICFILE_JPEG ?
		       write_jpeg(a, picture, data_r, size_r, e) :
		       pngwrite(a, picture, nr_threads, data_r, size_r, e);
}
