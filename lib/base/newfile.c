#include "config.h"

#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/utime.h"

#define OPEN_FLAGS (O_RDWR | O_CLOEXEC)

static void make_hidden(const char *name, char hidden[NAME_MAX + 1])
{
	uint64_t salt = 0;

	/* The number alone is not ours: another container may have it too. */
	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt = (uint64_t)utime_now();
	snprintf(hidden, NAME_MAX + 1, ".%.200s.%ld-%016" PRIx64 ".tmp", name,
		 (long)getpid(), salt);
}

enum err newfile_begin(struct newfile *f, int dir_fd, const char *name,
		       struct errmsg *e)
{
	*f = NEWFILE_NONE;
	f->dir_fd = dir_fd;
	/* It gets its name through /proc, which may not be there. */
	if (access("/proc/self/fd", X_OK) == 0)
		f->fd = openat(dir_fd, ".", O_TMPFILE | OPEN_FLAGS, 0666);
	if (f->fd >= 0)
		return ERR_OK;
	make_hidden(name, f->hidden);
	f->fd = openat(dir_fd, f->hidden,
		       O_CREAT | O_EXCL | O_NOFOLLOW | OPEN_FLAGS, 0666);
	if (f->fd >= 0)
		return ERR_OK;
	f->hidden[0] = '\0';
	return err_set(e, ERR_IO, "cannot create '%s': %s", name,
		       strerror(errno));
}

/* 0, or -1 with EEXIST. */
static int give_name(struct newfile *f, const char *name)
{
	char path[64];

	if (!*f->hidden) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
		return linkat(AT_FDCWD, path, f->dir_fd, name,
			      AT_SYMLINK_FOLLOW);
	}
	if (renameat2(f->dir_fd, f->hidden, f->dir_fd, name,
		      RENAME_NOREPLACE) == 0) {
		f->hidden[0] = '\0';
		return 0;
	}
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that cannot; the hidden name goes with the rest. */
	return linkat(f->dir_fd, f->hidden, f->dir_fd, name, 0);
}

/* The name, too, where that can be done; a file without it is no lie. */
static void sync_directory(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
	fs_close(&fd);
}

/*
 * A file without a name cannot take another's place at once: it has a hidden
 * one for a moment.
 */
static int take_name(struct newfile *f, const char *name)
{
	if (!*f->hidden) {
		char hidden[sizeof(f->hidden)];

		make_hidden(name, hidden);
		if (give_name(f, hidden) < 0)
			return -1;
		memcpy(f->hidden, hidden, sizeof(hidden));
	}
	if (renameat(f->dir_fd, f->hidden, f->dir_fd, name) < 0)
		return -1;
	f->hidden[0] = '\0';
	return 0;
}

/* On the disk first, then under its name. */
static enum err finish(struct newfile *f, const char *name,
		       int (*put)(struct newfile *f, const char *name),
		       bool *existed_r, struct errmsg *e)
{
	enum err err = ERR_OK;

	*existed_r = false;
	if (fsync(f->fd) < 0)
		err = err_set(e, ERR_IO, "cannot write '%s': %s", name,
			      strerror(errno));
	else if (put(f, name) == 0)
		sync_directory(f->dir_fd);
	else if (errno == EEXIST)
		*existed_r = true;
	else
		err = err_set(e, ERR_IO, "cannot name '%s': %s", name,
			      strerror(errno));
	newfile_abandon(f);
	return err;
}

enum err newfile_finish(struct newfile *f, const char *name, bool *existed_r,
			struct errmsg *e)
{
	return finish(f, name, give_name, existed_r, e);
}

enum err newfile_replace(struct newfile *f, const char *name, struct errmsg *e)
{
	bool existed; /* only the hidden name, which is random */
	enum err err = finish(f, name, take_name, &existed, e);

	if (!err && existed)
		err = err_set(e, ERR_IO, "cannot name '%s': %s", name,
			      strerror(EEXIST));
	return err;
}

void newfile_abandon(struct newfile *f)
{
	if (*f->hidden)
		unlinkat(f->dir_fd, f->hidden, 0);
	f->hidden[0] = '\0';
	fs_close(&f->fd);
}

enum err newfile_nameless(const char *dir, int *fd_r, struct errmsg *e)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd;

	dir = dir ? dir : tmp && *tmp ? tmp : "/tmp";
	fd = open(dir, O_TMPFILE | OPEN_FLAGS, 0600);
	if (fd < 0 && snprintf(path, sizeof(path), "%s/.restreamer.XXXXXX",
			       dir) < (int)sizeof(path)) {
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	*fd_r = fd;
	return fd >= 0 ? ERR_OK :
			 err_set(e, ERR_IO, "cannot make a temporary file: %s",
				 strerror(errno));
}
