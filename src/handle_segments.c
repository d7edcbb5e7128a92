/*
 * handle_segments.c - /segments: one file, best sent by the front server.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "archive/segment.h"
#include "base/fsutil.h"
#include "base/uri.h"
#include "filetype.h"
#include "response.h"
#include "route.h"

struct file_body {
	int fd;
};

static void close_file(void *ptr)
{
	fs_close(&((struct file_body *)ptr)->fd);
}

static enum err send_file(void *ctx, uint64_t offset, uint64_t count,
			  struct sink *sink, struct errmsg *e)
{
	const struct file_body *file = ctx;

	return sink->copy_file(sink, file->fd, offset, count, e);
}

/*
 * Nothing that a mirror brought into the archive is to run: our page is where
 * it is served.
 */
static const char *type_of(const char *path)
{
	const struct filetype *filetype = filetype_of(path);

	return filetype->runs ? TYPE_BYTES : filetype->type;
}

/*
 * Whether a path names bytes that never change: a segment that is full, whose
 * name holds the hash of its content.
 */
static bool is_final_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct segment seg;

	return segment_parse(0, name, strlen(name), &seg) &&
	       seg.kind == SEGMENT_FULL;
}

/* A path, each component encoded: the front server decodes it once. */
static const char *encoded_path(struct arena *a, const char *from)
{
	char *to = arena_alloc(a, 3 * strlen(from) + 1);
	char *at = to;

	while (*from) {
		size_t part = strcspn(from, "/");

		at += uri_encode(from, part, at);
		from += part;
		if (*from == '/')
			*at++ = *from++;
	}
	return to;
}

/* Leaves the body to the front server, which also does ranges. */
static void hand_to_front(struct request *req, struct response *r)
{
	const struct settings *s = req->server->settings;
	bool is_accel = s->sendfile_mode == SENDFILE_ACCEL;
	const char *root =
		is_accel ? s->accel_prefix :
			   encoded_path(&req->arena, req->server->base_path);

	response_header(r, is_accel ? "X-Accel-Redirect" : "X-Sendfile",
			"%s/%s", root, encoded_path(&req->arena, req->rest));
	r->flags |= RESPONSE_ELSEWHERE;
}

static enum err handle_segment(struct request *req, const void *spec)
{
	struct file_body *file = ARENA_NEW(&req->arena, struct file_body);
	struct fs_stamp stamp;
	struct response r;
	struct stat st;
	enum err err;

	UNUSED(spec);
	file->fd = -1;
	arena_defer(&req->arena, close_file, file);
	err = archive_open_file(&req->server->archive, req->rest, &file->fd,
				&st, &req->error);
	if (err)
		return err;
	fs_stamp_of(&st, &stamp);
	response_init(&r, req, type_of(req->rest));
	r.flags = is_final_name(req->rest) ? RESPONSE_FINAL : 0;
	r.has_etag = true;
	r.etag[0] = (uint64_t)st.st_size;
	/* Nodes that mirror each other agree on what a name says of its bytes.
	 */
	r.etag[1] = r.flags & RESPONSE_FINAL ?
			    XXH3_64bits(req->rest, strlen(req->rest)) :
			    XXH3_64bits(&stamp, sizeof(stamp));
	r.body = (struct body){ .length = (uint64_t)st.st_size,
				.send = send_file,
				.ctx = file };
	if (req->server->settings->sendfile_mode != SENDFILE_OFF)
		hand_to_front(req, &r);
	return response_send(req, &r);
}

const struct route segment_routes[] = {
	{ .name = "get_segment",
	  .path = "/segments/*rest",
	  .handle = handle_segment,
	  .help = "one file of the archive" },
	{ .name = NULL },
};
