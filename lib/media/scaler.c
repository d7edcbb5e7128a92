#include "config.h"

#include "media/scaler.h"

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
	s->sws = sws_getCachedContext(
		s->sws, from->width, from->height, from->format, to->width,
		to->height, to->format, SWS_BICUBIC, NULL, NULL, NULL);
	if (!s->sws || av_frame_get_buffer(to, 0) < 0 ||
	    av_frame_copy_props(to, like) < 0 ||
	    sws_scale(s->sws, (const uint8_t *const *)from->data,
		      from->linesize, 0, from->height, to->data,
		      to->linesize) < 0)
		return err_set(e, ERR_MEDIA, "a picture cannot be scaled");
	to->pts = from->pts;
	*frame_r = to;
	return ERR_OK;
}
