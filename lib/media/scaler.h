/*
 * scaler.h - pictures made as large as others, and of their pixel format.
 *
 * One of another aspect gets black bars, and is not distorted.
 *
 * Errors: ERR_MEDIA for pictures that libswscale does not take.
 * Owner:  the arena it was made with; a picture lasts until the next call.
 */
#ifndef MEDIA_SCALER_H
#define MEDIA_SCALER_H

#include <stdbool.h>

#include <libavutil/frame.h>

#include "base/arena.h"
#include "base/err.h"

struct picture_shape {
	int width; /* 0: none is asked for */
	int height;
	int format; /* enum AVPixelFormat */
};

static inline bool has_shape(const AVFrame *frame,
			     const struct picture_shape *shape)
{
	return frame->width == shape->width && frame->height == shape->height &&
	       frame->format == shape->format;
}

struct scaler;

struct scaler *scaler_new(struct arena *a);

/* All else that is said of the new picture (colours and such) is like's. */
enum err scaler_scale(struct scaler *s, const AVFrame *from,
		      const struct picture_shape *shape, const AVFrame *like,
		      const AVFrame **frame_r, struct errmsg *e) MUST_CHECK;

#endif
