#include "config.h"

#include "wholebody.h"

#include "base/fsutil.h"
#include "base/newfile.h"

static void close_file(void *ptr)
{
	struct fd_sink *file = ptr;

	fs_close(&file->fd);
}

static enum err send_file(void *ctx, uint64_t offset, uint64_t count,
			  struct sink *sink, struct errmsg *e)
{
	const struct fd_sink *file = ctx;

	return sink->copy_file(sink, file->fd, offset, count, e);
}

enum err wholebody_make(struct request *req, struct body *body)
{
	struct fd_sink *file = ARENA_NEW(&req->arena, struct fd_sink);
	int fd;
	enum err err;

	err = newfile_nameless(req->server->spool_dir, &fd, &req->error);
	if (err)
		return err;
	fd_sink_init(file, fd);
	arena_defer(&req->arena, close_file, file);
	err = body->send(body->ctx, 0, body->length, &file->sink, &req->error);
	if (!err)
		*body = (struct body){
			.length = file->written,
			.send = send_file,
			.ctx = file,
		};
	return err;
}
