#include "config.h"

#include "picture/picture.h"

#include <stdbool.h>
#include <string.h>

#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "media/avlog.h"

/* Libswscale may write so much behind the end of a row. */
#define PADDING 64

/* Pixels; where rows are a multiple of it, it does not. */
#define VECTOR 32

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

enum err picture_new_read(struct arena *a, uint32_t width, uint32_t height,
			  struct picture *picture_r, struct errmsg *e)
{
	if (!width || !height)
		return err_set(e, ERR_INPUT, "the picture has no pixels");
	if (width > PICTURE_MAX_READ || height > PICTURE_MAX_READ)
		return err_set(e, ERR_INPUT,
			       "the picture has %ux%u pixels; at most %d wide "
			       "and high are taken",
			       width, height, PICTURE_MAX_READ);
	return picture_new(a, (int)width, (int)height, 4, picture_r, e);
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

static void set_option(struct SwsContext *sws, const char *name, int value)
{
	if (av_opt_set_int(sws, name, value, 0) < 0)
		BUG("libswscale has no '%s'", name);
}

static struct SwsContext *open_sws(const AVFrame *frame,
				   const struct picture *to, int nr_threads)
{
	struct SwsContext *sws = sws_alloc_context();

	if (!sws)
		return NULL;
	set_option(sws, "srcw", frame->width);
	set_option(sws, "srch", frame->height);
	set_option(sws, "src_format", frame->format);
	set_option(sws, "dstw", to->width);
	set_option(sws, "dsth", to->height);
	set_option(sws, "dst_format", AV_PIX_FMT_RGB24);
	set_option(sws, "sws_flags",
		   SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT);
	/* Else a thread might write over the first pixels of another. */
	set_option(sws, "threads", to->width % VECTOR ? 1 : nr_threads);
	if (sws_init_context(sws, NULL, NULL) < 0) {
		sws_freeContext(sws);
		return NULL;
	}
	sws_setColorspaceDetails(sws, sws_getCoefficients(matrix_of(frame)),
				 is_full_range(frame),
				 sws_getCoefficients(SWS_CS_DEFAULT), 1, 0,
				 1 << 16, 1 << 16);
	return sws;
}

/* A picture as libswscale writes to it with threads: counted. */
static AVFrame *as_frame(const struct picture *picture)
{
	AVFrame *frame = av_frame_alloc();

	if (!frame)
		return NULL;
	frame->format = AV_PIX_FMT_RGB24;
	frame->width = picture->width;
	frame->height = picture->height;
	frame->data[0] = picture->pixels;
	frame->linesize[0] = picture->width * picture->nr_channels;
	frame->buf[0] = av_buffer_create(picture->pixels,
					 (size_t)picture->height *
						 (size_t)frame->linesize[0],
					 av_free_nothing, NULL, 0);
	if (!frame->buf[0])
		av_frame_free(&frame);
	return frame;
}

enum err picture_scaled(struct arena *a, const AVFrame *frame, int width,
			int height, int nr_threads, struct picture *picture_r,
			struct errmsg *e)
{
	struct SwsContext *sws;
	AVFrame *to;
	enum err err = picture_new(a, width, height, 3, picture_r, e);
	int got = -1;

	if (err)
		return err;
	sws = open_sws(frame, picture_r, nr_threads);
	to = as_frame(picture_r);
	if (sws && to)
		got = sws_scale_frame(sws, to, frame);
	av_frame_free(&to);
	sws_freeContext(sws);
	return got < 0 ?
		       err_set(e, ERR_MEDIA, "a picture cannot be converted") :
		       ERR_OK;
}

enum err picture_of_frame(struct arena *a, const AVFrame *frame, int height,
			  int nr_threads, struct picture *picture_r,
			  struct errmsg *e)
{
	int64_t width = frame->width;

	if (height)
		width = (width * height + frame->height / 2) / frame->height;
	else
		height = frame->height;
	if (width > PICTURE_MAX_SIDE)
		width = PICTURE_MAX_SIDE + 1; /* which is refused */
	return picture_scaled(a, frame, width ? (int)width : 1, height,
			      nr_threads, picture_r, e);
}
