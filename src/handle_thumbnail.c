/*
 * handle_thumbnail.c - /thumbnail: the picture of a moment under a template.
 *
 * The template is one of the store's, or the body of a POST.  Its bytes are
 * read in a process of its own; the store is asked before that, since its
 * connection is this process's.
 */
#include "config.h"

#include <xxhash.h>

#include "picture/picread.h"
#include "picture/thumbnail.h"
#include "route.h"
#include "stillanswer.h"
#include "store/templates.h"

struct thumbnail_args {
	usec_t timestamp_us;
	bool has_timestamp;
	struct box crop;
	bool has_crop;
	struct box location;
	bool has_location;
	const char *template;
};

#define TIMESTAMP                                                              \
	{                                                                      \
		.name = "timestamp", .type = PARAM_TIME,                       \
		.flags = PARAM_REQUIRED,                                       \
		.offset = offsetof(struct thumbnail_args, timestamp_us),       \
		.extra = offsetof(struct thumbnail_args, has_timestamp),       \
		.help = "TIME: the first picture at or after it",              \
	}

#define BOX(field, flag, words)                                                \
	{                                                                      \
		.name = #field, .type = PARAM_BOX, .flags = flag,              \
		.offset = offsetof(struct thumbnail_args, field),              \
		.extra = offsetof(struct thumbnail_args, has_##field),         \
		.help = "LEFT,TOP,RIGHT,BOTTOM: " words,                       \
	}

static const struct param named_params[] = {
	TIMESTAMP,
	BOX(crop, 0, "of the picture, instead of the template's own"),
	BOX(location, 0, "in the template, instead of its own"),
	{ .name = "template",
	  .type = PARAM_TEXT,
	  .flags = PARAM_REQUIRED,
	  .offset = offsetof(struct thumbnail_args, template),
	  .help = "NAME of one of the store" },
	{ .name = NULL },
};

static const struct param uploaded_params[] = {
	TIMESTAMP,
	BOX(crop, PARAM_REQUIRED, "of the picture"),
	BOX(location, PARAM_REQUIRED, "in the template"),
	{ .name = NULL },
};

/* What the bytes depend on beside their sources. */
#define THUMBNAIL_VERSION UINT64_C(1)

/* All that the picture is composed with. */
struct composing {
	struct box crop;
	struct box location;
	struct picture template;
};

static enum err draw_thumbnail(struct request *req, const AVFrame *frame,
			       const void *ctx, struct picture *picture_r)
{
	const struct composing *c = ctx;
	struct picture picture;
	enum err err =
		picture_of_frame(&req->arena, frame, 0, stillanswer_threads(),
				 &picture, &req->error);

	return err ? err :
		     thumbnail_compose(&req->arena, &picture, &c->crop,
				       &c->location, &c->template, picture_r,
				       &req->error);
}

static enum err send_thumbnail(struct request *req, usec_t timestamp_us,
			       const struct composing *c, const void *image,
			       size_t image_size)
{
	const struct box boxes[] = { c->crop, c->location };
	XXH128_hash_t hash = XXH3_128bits(image, image_size);
	struct stillanswer answer = {
		.timestamp_us = timestamp_us,
		.kind = PICFILE_PNG,
		.version = { hash.high64 ^ THUMBNAIL_VERSION << 32,
			     hash.low64 ^ XXH3_64bits(boxes, sizeof(boxes)) },
		.may_change = true,
		.draw = draw_thumbnail,
		.ctx = c,
	};

	return stillanswer_send(req, &answer);
}

static enum err handle_named(struct request *req, const void *spec)
{
	const struct thumbnail_args *args = spec;
	const struct template *t;
	struct composing c;
	struct errmsg e;
	enum err err = templates_get(req->server->templates, &req->arena,
				     args->template, &t, &req->error);

	if (!err)
		err = req->client->go_heavy(req->client, &req->error);
	if (err)
		return err;
	c.crop = args->has_crop ? args->crop : t->crop;
	c.location = args->has_location ? args->location : t->location;
	err = picread(&req->arena, t->image, t->image_size, &c.template, &e);
	if (err)
		return err_set(&req->error, ERR_CORRUPT,
			       "template '%s' is broken: %s",
			       err_quote(args->template).text, e.text);
	return send_thumbnail(req, args->timestamp_us, &c, t->image,
			      t->image_size);
}

static enum err handle_uploaded(struct request *req, const void *spec)
{
	const struct thumbnail_args *args = spec;
	struct composing c = { .crop = args->crop, .location = args->location };
	enum err err;

	if (!req->body->len)
		return err_set(&req->error, ERR_INPUT,
			       "there is no template: send a PNG or a JPEG");
	if (req->body->len > TEMPLATE_MAX_BYTES)
		return err_set(&req->error, ERR_LIMIT,
			       "a template has at most %zu bytes",
			       TEMPLATE_MAX_BYTES);
	err = picread(&req->arena, (const uint8_t *)req->body->data,
		      req->body->len, &c.template, &req->error);
	return err ? err :
		     send_thumbnail(req, args->timestamp_us, &c,
				    req->body->data, req->body->len);
}

#define PATH "/thumbnail/:channel/:quality.png"

const struct route thumbnail_routes[] = {
	{ .name = "get_thumbnail_named_template",
	  .path = PATH,
	  .params = named_params,
	  .spec_size = sizeof(struct thumbnail_args),
	  .handle = handle_named,
	  .help = "the picture of a moment under a template of the store" },
	{ .name = "get_thumbnail_uploaded_template",
	  .path = PATH,
	  .flags = ROUTE_HEAVY | ROUTE_POST,
	  .params = uploaded_params,
	  .spec_size = sizeof(struct thumbnail_args),
	  .handle = handle_uploaded,
	  .help = "the same under the image that is sent" },
	{ .name = NULL },
};
