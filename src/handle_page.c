/*
 * handle_page.c - / and /www: the web page, from files of ours.
 *
 * They are small and change with the program, so each is read whole, and its
 * ETag is of its bytes: an upgrade is seen at once, and nothing else is sent
 * twice.  The directory is opened anew for each, because it may be replaced.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "base/fsutil.h"
#include "filetype.h"
#include "response.h"
#include "route.h"

#define MAX_FILE_BYTES ((size_t)4 * 1024 * 1024)

static void close_dir(void *ptr)
{
	fs_close(ptr);
}

static enum err open_www(struct request *req, int *fd_r)
{
	const char *path = settings_www_dir(req->server->settings);
	int *fd = ARENA_NEW(&req->arena, int);

	*fd = path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*fd < 0)
		return err_set(&req->error, ERR_UNBUILT,
			       "there is no web page here: restreamer serve "
			       "takes its directory as --www DIR");
	arena_defer(&req->arena, close_dir, fd);
	*fd_r = *fd;
	return ERR_OK;
}

/*
 * The page lives where the archive does, and what it shows (names, chat) was
 * written by strangers.  So nothing runs, loads or is asked but from here, no
 * byte is taken for what its type does not say, nothing of its address leaves
 * it, and pages of others can neither frame nor hold it.
 */
static void add_policy(struct response *r)
{
	response_header(r, "Content-Security-Policy", "%s",
			"default-src 'none'; script-src 'self'; "
			"style-src 'self'; img-src 'self' blob: data:; "
			"media-src 'self' blob:; connect-src 'self'; "
			"worker-src 'self'; manifest-src 'self'; "
			"base-uri 'none'; form-action 'none'; "
			"frame-ancestors 'self'");
	response_header(r, "X-Content-Type-Options", "nosniff");
	response_header(r, "Referrer-Policy", "no-referrer");
	response_header(r, "Cross-Origin-Opener-Policy", "same-origin");
}

static enum err send_file(struct request *req, const char *path)
{
	const struct filetype *filetype;
	struct iovec file;
	struct response r;
	int www_fd = -1;
	enum err err = open_www(req, &www_fd);

	if (!err)
		err = fs_read_file(www_fd, path, MAX_FILE_BYTES, &req->arena,
				   &file, &req->error);
	if (err)
		return err;
	filetype = filetype_of(path);
	response_init(&r, req, filetype->type);
	r.flags = filetype->is_text ? RESPONSE_TEXT | RESPONSE_KEPT : 0;
	add_policy(&r);
	response_set_content(&r, req, file.iov_base, file.iov_len);
	return response_send(req, &r);
}

static enum err handle_index(struct request *req, const void *spec)
{
	UNUSED(spec);
	/* What the page names is relative to a path that ends with a slash. */
	if (req->is_bare)
		return response_send_moved(req);
	return send_file(req, "index.html");
}

static enum err handle_file(struct request *req, const void *spec)
{
	UNUSED(spec);
	return send_file(req, req->rest);
}

const struct route page_routes[] = {
	{ .name = "get_page",
	  .path = "/",
	  .handle = handle_index,
	  .help = "the web page" },
	{ .name = "get_page",
	  .path = "/www/*rest",
	  .handle = handle_file,
	  .help = "what the web page is made of" },
	{ .name = NULL },
};
