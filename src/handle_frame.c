/*
 * handle_frame.c - /frame: the picture of a moment.
 */
#include "config.h"

#include <string.h>

#include "archive/archive.h"
#include "base/cores.h"
#include "media/still.h"
#include "observe.h"
#include "picture/picfile.h"
#include "response.h"
#include "route.h"

#define MAX_HEIGHT  4320
#define MAX_THREADS 4

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

static enum err find_still(struct request *req, const struct frame_args *args,
			   struct still *still)
{
	struct quality *quality;
	enum err err = archive_quality(&req->server->archive, &req->arena,
				       req->channel, req->quality, &quality,
				       &req->error);

	return err ? err :
		     still_find(&req->arena,
				hourcache_reader(req->server->cache, quality,
						 &req->arena),
				args->timestamp_us, req->now_us, still,
				&req->error);
}

static enum err extract(struct request *req, const struct frame_args *args,
			const struct still *still, enum picfile_kind kind,
			struct iovec *file)
{
	const uint8_t *data;
	const AVFrame *frame;
	struct picture picture;
	struct work work;
	enum err err;

	work_begin(&work);
	err = still_decode(&req->arena, still, cores_at_most(MAX_THREADS),
			   &frame, &req->error);
	if (!err)
		err = picture_of_frame(&req->arena, frame, args->height,
				       &picture, &req->error);
	if (!err)
		err = picfile_encode(&req->arena, &picture, kind, &data,
				     &file->iov_len, &req->error);
	if (!err)
		file->iov_base = (void *)(uintptr_t)data; /* only read */
	work_end(&work, req, "extract_frame", "", 1, err);
	return err;
}

static enum err handle_frame(struct request *req, const void *spec)
{
	const struct frame_args *args = spec;
	bool is_png = !strcmp(strrchr(req->route->path, '.'), ".png");
	struct iovec *file = ARENA_NEW(&req->arena, struct iovec);
	struct still still;
	struct response r;
	enum err err = find_still(req, args, &still);

	if (!err)
		err = extract(req, args, &still,
			      is_png ? PICFILE_PNG : PICFILE_JPEG, file);
	if (err)
		return err;
	response_init(&r, req, is_png ? TYPE_PNG : TYPE_JPEG);
	r.has_etag = true;
	r.etag[0] = still.hash[0] ^ FRAME_VERSION << 32 ^
		    (uint64_t)args->height << 1 ^ is_png;
	r.etag[1] = still.hash[1];
	if (still.plan.cover.is_settled)
		r.flags = RESPONSE_FINAL;
	response_set_iov(&r, req, file, 1, file->iov_len);
	return response_send(req, &r);
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
