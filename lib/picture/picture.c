#include "config.h"

#include "picture/picture.h"

#include <stdbool.h>
#include <string.h>

#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

/* Libswscale may write so much behind the end of a row. */
#define PADDING 64

/* Where a stream does not say, from so many lines on it is BT.709. */
#define HD_HEIGHT 720

enum err picture_new(struct arena *a, int width, int height, int nr_channels,
		     struct picture *picture_r, struct errmsg *e)
{
	if (width < 1 || height < 1 || width > PICTURE_MAX_SIDE ||
	    height > PICTURE_MAX_SIDE)
		return err_set(e, ERR_LIMIT,
			       "a picture of %dx%d is too small or too large",
			       width, height);
	*picture_r = (struct picture){
		.width = width,
		.height = height,
		.nr_channels = nr_channels,
		.pixels = arena_alloc(a, (size_t)width * (size_t)height *
							 (size_t)nr_channels +
						 PADDING),
	};
	return ERR_OK;
}

static bool is_full_range(const AVFrame *frame)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);

	return frame->color_range == AVCOL_RANGE_JPEG ||
	       (desc && !strncmp(desc->name, "yuvj", 4));
}

static int matrix_of(const AVFrame *frame)
{
	switch (frame->colorspace) {
	case AVCOL_SPC_BT709:
		return SWS_CS_ITU709;
	case AVCOL_SPC_FCC:
		return SWS_CS_FCC;
	case AVCOL_SPC_BT470BG:
	case AVCOL_SPC_SMPTE170M:
		return SWS_CS_ITU601;
	case AVCOL_SPC_SMPTE240M:
		return SWS_CS_SMPTE240M;
	case AVCOL_SPC_BT2020_NCL:
	case AVCOL_SPC_BT2020_CL:
		return SWS_CS_BT2020;
	default:
		return frame->height >= HD_HEIGHT ? SWS_CS_ITU709 :
						    SWS_CS_ITU601;
	}
}

static struct SwsContext *open_sws(const AVFrame *frame,
				   const struct picture *to)
{
	struct SwsContext *sws = sws_getContext(
		frame->width, frame->height, frame->format, to->width,
		to->height, AV_PIX_FMT_RGB24,
		SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, NULL, NULL,
		NULL);

	if (sws)
		sws_setColorspaceDetails(sws,
					 sws_getCoefficients(matrix_of(frame)),
					 is_full_range(frame),
					 sws_getCoefficients(SWS_CS_DEFAULT), 1,
					 0, 1 << 16, 1 << 16);
	return sws;
}

enum err picture_scaled(struct arena *a, const AVFrame *frame, int width,
			int height, struct picture *picture_r, struct errmsg *e)
{
	uint8_t *to[4] = { NULL };
	int stride[4] = { 0 };
	struct SwsContext *sws;
	enum err err = picture_new(a, width, height, 3, picture_r, e);
	int got;

	if (err)
		return err;
	to[0] = picture_r->pixels;
	stride[0] = picture_r->width * 3;
	sws = open_sws(frame, picture_r);
	got = sws ? sws_scale(sws, (const uint8_t *const *)frame->data,
			      frame->linesize, 0, frame->height, to, stride) :
		    -1;
	sws_freeContext(sws);
	return got < 0 ?
		       err_set(e, ERR_MEDIA, "a picture cannot be converted") :
		       ERR_OK;
}

enum err picture_of_frame(struct arena *a, const AVFrame *frame, int height,
			  struct picture *picture_r, struct errmsg *e)
{
	int64_t width = frame->width;

	if (height)
		width = (width * height + frame->height / 2) / frame->height;
	else
		height = frame->height;
	if (width > PICTURE_MAX_SIDE)
		width = PICTURE_MAX_SIDE + 1; /* which is refused */
	return picture_scaled(a, frame, width ? (int)width : 1, height,
			      picture_r, e);
}
