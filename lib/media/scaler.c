#include "config.h"

#include "media/scaler.h"

#include <string.h>

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

struct scaler {
	struct SwsContext *sws;
	AVFrame *frame;
};

static void free_scaler(void *ptr)
{
	struct scaler *s = ptr;

	sws_freeContext(s->sws);
	av_frame_free(&s->frame);
}

struct scaler *scaler_new(struct arena *a)
{
	struct scaler *s = ARENA_NEW(a, struct scaler);

	arena_defer(a, free_scaler, s);
	return s;
}

/* Where in a larger picture another lies. */
struct box {
	int x;
	int y;
	int width;
	int height;
};

static double pixel_aspect(AVRational sar)
{
	return sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1;
}

/* One side of the box: even, and all of it where only rounding is missing. */
static int side(double length, int all)
{
	int even = (int)(length / 2 + 0.5) * 2;

	if (even + 2 >= all)
		return all;
	return even < 2 ? 2 : even;
}

/* The largest box in which a picture is not distorted, in the middle. */
static struct box fit(const AVFrame *from, const AVFrame *to)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(to->format);
	double aspect = (double)from->width / from->height *
			pixel_aspect(from->sample_aspect_ratio) /
			pixel_aspect(to->sample_aspect_ratio);
	struct box box = { 0, 0, to->width, to->height };

	/* Of others it is not known here where a pixel lies. */
	if (!desc || av_pix_fmt_count_planes(to->format) != desc->nb_components)
		return box;
	box.width = side(to->height * aspect, to->width);
	if (to->height * aspect > to->width)
		box.width = to->width;
	box.height = side(to->width / aspect, to->height);
	if (to->width / aspect > to->height)
		box.height = to->height;
	/* Chroma lies on every second pixel. */
	box.x = (to->width - box.width) / 4 * 2;
	box.y = (to->height - box.height) / 4 * 2;
	return box;
}

/* The planes from the corner of a box on. */
static void planes_of(const AVFrame *frame, const struct box *box,
		      uint8_t *planes[4])
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);

	memcpy(planes, frame->data, 4 * sizeof(*planes));
	if (!box->x && !box->y)
		return;
	for (int p = 0; p < desc->nb_components && p < 4; p++) {
		bool is_chroma = p == 1 || p == 2;
		int x = box->x >> (is_chroma ? desc->log2_chroma_w : 0);
		int y = box->y >> (is_chroma ? desc->log2_chroma_h : 0);

		planes[p] += (ptrdiff_t)y * frame->linesize[p] +
			     (ptrdiff_t)x * desc->comp[p].step;
	}
}

static bool draw(struct scaler *s, const AVFrame *from, AVFrame *to)
{
	struct box box = fit(from, to);
	ptrdiff_t strides[4];
	uint8_t *planes[4];

	s->sws = sws_getCachedContext(
		s->sws, from->width, from->height, from->format, box.width,
		box.height, to->format, SWS_BICUBIC, NULL, NULL, NULL);
	for (int p = 0; p < 4; p++)
		strides[p] = to->linesize[p];
	if (!s->sws ||
	    ((box.width < to->width || box.height < to->height) &&
	     av_image_fill_black(to->data, strides, to->format, to->color_range,
				 to->width, to->height) < 0))
		return false;
	planes_of(to, &box, planes);
	return sws_scale(s->sws, (const uint8_t *const *)from->data,
			 from->linesize, 0, from->height, planes,
			 to->linesize) >= 0;
}

enum err scaler_scale(struct scaler *s, const AVFrame *from,
		      const struct picture_shape *shape, const AVFrame *like,
		      const AVFrame **frame_r, struct errmsg *e)
{
	AVFrame *to;

	if (!s->frame)
		s->frame = av_frame_alloc();
	if (!s->frame)
		return err_set(e, ERR_IO, "out of memory");
	to = s->frame;
	av_frame_unref(to);
	to->width = shape->width;
	to->height = shape->height;
	to->format = shape->format;
	if (av_frame_get_buffer(to, 0) < 0 ||
	    av_frame_copy_props(to, like) < 0 || !draw(s, from, to))
		return err_set(e, ERR_MEDIA, "a picture cannot be scaled");
	to->pts = from->pts;
	*frame_r = to;
	return ERR_OK;
}
