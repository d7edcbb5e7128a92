#include "config.h"

#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsutil.h"

static enum err fail(const struct outfile *out, struct errmsg *e)
{
	return err_set(e, ERR_IO, "cannot write '%s': %s", out->path,
		       strerror(errno));
}

static int open_directory(const char *path, const char *name)
{
	char dir[PATH_MAX];
	int len = (int)(name - path);

	if (snprintf(dir, sizeof(dir), "%.*s", len, path) >= (int)sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(len ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What is there already, a file behind a link too, gives name and mode. */
static enum err look_at_old(struct outfile *out, mode_t *mode_r,
			    struct errmsg *e)
{
	struct stat st;

	*mode_r = 0;
	if (stat(out->path, &st) < 0)
		return errno == ENOENT ? ERR_OK : fail(out, e);
	if (access(out->path, W_OK) < 0)
		return fail(out, e);
	if (!S_ISREG(st.st_mode)) {
		out->fd = open(out->path, O_WRONLY | O_CLOEXEC);
		return out->fd < 0 ? fail(out, e) : ERR_OK;
	}
	*mode_r = st.st_mode & 07777;
	out->real = realpath(out->path, NULL);
	return out->real ? ERR_OK : fail(out, e);
}

enum err outfile_open(struct outfile *out, const char *path, struct errmsg *e)
{
	const char *slash;
	mode_t mode;
	enum err err;

	*out = OUTFILE_NONE;
	out->path = path;
	if (!strcmp(path, "-")) {
		out->fd = dup(STDOUT_FILENO);
		return out->fd < 0 ? fail(out, e) : ERR_OK;
	}
	err = look_at_old(out, &mode, e);
	if (err || out->fd >= 0)
		return err;
	path = out->real ? out->real : path;
	slash = strrchr(path, '/');
	out->name = slash ? slash + 1 : path;
	out->dir_fd = open_directory(path, out->name);
	if (out->dir_fd < 0)
		return fail(out, e);
	err = newfile_begin(&out->file, out->dir_fd, out->name, e);
	out->fd = out->file.fd;
	if (!err && mode && fchmod(out->fd, mode) < 0)
		err = fail(out, e);
	return err;
}

enum err outfile_finish(struct outfile *out, struct errmsg *e)
{
	if (out->dir_fd >= 0) {
		out->fd = -1;
		return newfile_replace(&out->file, out->name, e);
	}
	if (close(out->fd) < 0)
		return fail(out, e);
	out->fd = -1;
	return ERR_OK;
}

void outfile_close(struct outfile *out)
{
	if (out->dir_fd < 0)
		fs_close(&out->fd);
	newfile_abandon(&out->file);
	fs_close(&out->dir_fd);
	free(out->real);
	out->real = NULL;
	out->fd = -1;
}
