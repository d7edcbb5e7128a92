#include "config.h"

#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
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

enum err outfile_open(struct outfile *out, const char *path, struct errmsg *e)
{
	const char *slash = strrchr(path, '/');
	struct stat st;
	enum err err;

	*out = OUTFILE_NONE;
	out->path = path;
	out->name = slash ? slash + 1 : path;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		out->fd = open(path, O_WRONLY | O_CLOEXEC);
		return out->fd < 0 ? fail(out, e) : ERR_OK;
	}
	out->dir_fd = open_directory(path, out->name);
	if (out->dir_fd < 0)
		return fail(out, e);
	err = newfile_begin(&out->file, out->dir_fd, out->name, e);
	out->fd = out->file.fd;
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
	out->fd = -1;
}
