/*
 * handle_frame.c - /frame: the picture of a moment.
 */
#include "config.h"

#include <string.h>

#include "route.h"
#include "stillanswer.h"

#define MAX_HEIGHT 4320

struct frame_args {
	usec_t timestamp_us;
	bool has_timestamp;
	int height; /* 0: its own */
};

static const struct param frame_params[] = {
	{ .name = "timestamp",
	  .type = PARAM_TIME,
	  .flags = PARAM_REQUIRED,
	  .offset = offsetof(struct frame_args, timestamp_us),
	  .extra = offsetof(struct frame_args, has_timestamp),
	  .help = "TIME: the first picture at or after it" },
	{ .name = "height",
	  .type = PARAM_INT,
	  .offset = offsetof(struct frame_args, height),
	  .min = 1,
	  .max = MAX_HEIGHT,
	  .help = "lines to scale it to" },
	{ .name = NULL },
};

/* What the bytes depend on beside the source. */
#define FRAME_VERSION UINT64_C(1)

static enum err draw_frame(struct request *req, const AVFrame *frame,
			   const void *ctx, struct picture *picture_r)
{
	const struct frame_args *args = ctx;

	return picture_of_frame(&req->arena, frame, args->height,
				stillanswer_threads(), picture_r, &req->error);
}

static enum err handle_frame(struct request *req, const void *spec)
{
	const struct frame_args *args = spec;
	bool is_png = !strcmp(strrchr(req->route->path, '.'), ".png");
	struct stillanswer answer = {
		.timestamp_us = args->timestamp_us,
		.kind = is_png ? PICFILE_PNG : PICFILE_JPEG,
		.version = { FRAME_VERSION << 32 ^ (uint64_t)args->height << 1 ^
			     is_png },
		.draw = draw_frame,
		.ctx = args,
	};

	return stillanswer_send(req, &answer);
}

#define FRAME_ROUTE(ending)                                                    \
	{                                                                      \
		.name = "get_frame",                                           \
		.path = "/frame/:channel/:quality." ending,                    \
		.flags = ROUTE_HEAVY, .params = frame_params,                  \
		.spec_size = sizeof(struct frame_args),                        \
		.handle = handle_frame,                                        \
		.help = "the picture of a moment, as ." ending,                \
	}

const struct route frame_routes[] = {
	FRAME_ROUTE("png"),
	FRAME_ROUTE("jpg"),
	{ .name = NULL },
};
