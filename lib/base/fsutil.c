#include "config.h"

#include "base/fsutil.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/mem.h"

#define MAX_LINKS 40 /* as the kernel's */

#define FIRST_RAW_SIZE ((size_t)256 * 1024)

/* The kernel gives up on ".." in a link while others rename; then again. */
#define OPENAT2_ATTEMPTS 1000

/* Puts the target of a link in its place: 1; 0 if it is none, -1 with errno. */
static int follow_link(char path[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	char *slash = strrchr(path, '/');
	size_t dir_len;

	if (n <= 0)
		return 0;
	target[n] = '\0';
	dir_len = *target == '/' || !slash ? 0 : (size_t)(slash + 1 - path);
	if (dir_len + (size_t)n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path + dir_len, target, (size_t)n + 1);
	return 1;
}

char *fs_dir_of(const char *path)
{
	char name[PATH_MAX];
	unsigned nr_links = 0;
	int followed;

	if (strlen(path) >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	strcpy(name, path);
	while ((followed = follow_link(name)) > 0)
		if (++nr_links > MAX_LINKS) {
			errno = ELOOP;
			return NULL;
		}
	return followed < 0 ? NULL : mem_strdup(dirname(name));
}

void fs_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Copies the next component of *rel to part; false at the end. */
static bool next_component(const char **rel, char part[NAME_MAX + 1])
{
	size_t len;

	while (**rel == '/')
		(*rel)++;
	len = strcspn(*rel, "/");
	if (!len || len > NAME_MAX)
		return false;
	memcpy(part, *rel, len);
	part[len] = '\0';
	*rel += len;
	return true;
}

int fs_open_by_component(int dir_fd, const char *rel, int flags)
{
	char part[NAME_MAX + 1];
	int at = dir_fd;
	int fd = -1;

	if (*rel == '/') {
		errno = EXDEV;
		return -1;
	}
	while (next_component(&rel, part)) {
		int open_flags = rel[strspn(rel, "/")] ? O_PATH | O_DIRECTORY :
				 *rel		       ? flags | O_DIRECTORY :
							 flags;

		if (!strcmp(part, "..")) {
			errno = EXDEV;
			fd = -1;
		} else {
			fd = openat(at, part,
				    open_flags | O_NOFOLLOW | O_CLOEXEC);
		}
		if (at != dir_fd) {
			int saved = errno;

			close(at);
			errno = saved;
		}
		if (fd < 0)
			return -1;
		at = fd;
	}
	if (fd < 0 || rel[strspn(rel, "/")]) {
		fs_close(&fd);
		errno = ENAMETOOLONG;
	}
	return fd;
}

int fs_open_beneath(int dir_fd, const char *rel, int flags)
{
	static bool no_openat2;
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (!no_openat2) {
		for (int i = 0; i < OPENAT2_ATTEMPTS; i++) {
			fd = (int)syscall(SYS_openat2, dir_fd, rel, &how,
					  sizeof(how));
			if (fd >= 0 || errno != EAGAIN)
				break;
		}
		/*
		 * EPERM: an older container's seccomp filter refuses calls that
		 * it does not know.
		 */
		if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
			return fd;
		no_openat2 = errno == ENOSYS;
	}
	return fs_open_by_component(dir_fd, rel, flags);
}

int fs_open_file(int dir_fd, const char *rel, struct stat *st_r)
{
	/* O_NONBLOCK: a FIFO must not hold us up. */
	int fd = fs_open_beneath(dir_fd, rel, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		if (errno == ENXIO)
			errno = ENOENT;
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		fs_close(&fd);
		errno = ENOENT;
		return -1;
	}
	*st_r = st;
	return fd;
}

bool fs_is_absent(int error)
{
	/* EXDEV: a link that leads out is nothing to us. */
	return error == ENOENT || error == ENOTDIR || error == EXDEV ||
	       error == ELOOP || error == ENAMETOOLONG;
}

enum err fs_open_error(const char *rel, struct errmsg *e)
{
	if (fs_is_absent(errno) || errno == EACCES)
		return err_set(e, ERR_NOTFOUND, "no file '%s'",
			       err_quote(rel).text);
	return err_set(e, ERR_IO, "cannot open a file: %s", strerror(errno));
}

static bool write_all(int fd, const struct iovec *iov, int nr_iov)
{
	for (int i = 0; i < nr_iov; i++) {
		const char *p = iov[i].iov_base;
		size_t left = iov[i].iov_len;

		while (left) {
			ssize_t n = write(fd, p, left);

			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return false;
			p += n;
			left -= (size_t)n;
		}
	}
	return true;
}

enum err fs_replace_file(int dir_fd, const char *name, const struct iovec *iov,
			 int nr_iov, struct errmsg *e)
{
	char private_name[NAME_MAX + 1];
	const char *what = "create";
	uint64_t salt = 0;
	int saved;
	int fd;

	/* The number alone is not ours: another container may have it too. */
	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt = (uint64_t)utime_now();
	snprintf(private_name, sizeof(private_name),
		 ".%.200s.%ld-%016" PRIx64 ".tmp", name, (long)getpid(), salt);
	fd = openat(dir_fd, private_name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		goto fail;
	what = "write";
	if (!write_all(fd, iov, nr_iov))
		goto fail_unlink;
	what = "close";
	if (close(fd) < 0) {
		fd = -1;
		goto fail_unlink;
	}
	fd = -1;
	what = "rename";
	if (renameat(dir_fd, private_name, dir_fd, name) < 0)
		goto fail_unlink;
	return ERR_OK;

fail_unlink:
	saved = errno;
	fs_close(&fd);
	unlinkat(dir_fd, private_name, 0);
	errno = saved;
fail:
	saved = errno;
	err_set(e, ERR_IO, "cannot %s '%s': %s", what, name, strerror(saved));
	errno = saved;
	return ERR_IO;
}

enum err fs_make_dirs(int dir_fd, const char *rel, struct errmsg *e)
{
	char path[PATH_MAX];
	size_t len = strlen(rel);
	int saved;

	if (len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	memcpy(path, rel, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdirat(dir_fd, path, 0700) < 0 && errno != EEXIST)
			goto fail;
		if (i < len)
			path[i] = '/';
	}
	return ERR_OK;
fail:
	saved = errno;
	err_set(e, ERR_IO, "cannot create directory '%s': %s", rel,
		strerror(saved));
	errno = saved;
	return ERR_IO;
}

void fs_stamp_of(const struct stat *st, struct fs_stamp *stamp_r)
{
	*stamp_r = (struct fs_stamp){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.mtime_ns = st->st_mtim.tv_sec * INT64_C(1000000000) +
			    st->st_mtim.tv_nsec,
		.ctime_ns = st->st_ctim.tv_sec * INT64_C(1000000000) +
			    st->st_ctim.tv_nsec,
	};
}

int fs_open_private_dir(const char *dir, const char *name)
{
	struct errmsg e;
	struct stat st;
	int dir_fd = -1;
	int fd = -1;

	if (fs_make_dirs(AT_FDCWD, dir, &e) == ERR_OK)
		dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0 && fs_make_dirs(dir_fd, name, &e) == ERR_OK)
		fd = openat(dir_fd, name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	fs_close(&dir_fd);
	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
			(st.st_mode & 022))) {
		fs_close(&fd);
		errno = 0;
	}
	return fd;
}

ssize_t fs_read_at(int fd, void *data, size_t len, uint64_t offset)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(fd, (char *)data + have, len - have,
				  (off_t)(offset + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

enum err fs_read_all(int fd, void *data, size_t len, uint64_t offset,
		     const char *what, struct errmsg *e)
{
	ssize_t n = fs_read_at(fd, data, len, offset);

	if (n < 0)
		return err_set(e, ERR_IO, "cannot read %s: %s", what,
			       strerror(errno));
	return (size_t)n == len ?
		       ERR_OK :
		       err_set(e, ERR_CORRUPT, "%s became shorter", what);
}

enum err fs_read_file(int dir_fd, const char *rel, size_t max, struct arena *a,
		      struct iovec *file_r, struct errmsg *e)
{
	struct stat st;
	void *data;
	enum err err;
	int fd = fs_open_file(dir_fd, rel, &st);

	if (fd < 0)
		return fs_open_error(rel, e);
	if ((uint64_t)st.st_size > max) {
		err = err_set(e, ERR_LIMIT, "'%s' is larger than %zu kB",
			      err_quote(rel).text, max / 1024);
	} else {
		data = arena_alloc(a, (size_t)st.st_size + 1);
		err = fs_read_all(fd, data, (size_t)st.st_size, 0, "a file", e);
		*file_r = (struct iovec){ data, (size_t)st.st_size };
	}
	fs_close(&fd);
	return err;
}

bool fs_stamp_at(int dir_fd, const char *rel, struct fs_stamp *stamp_r)
{
	struct stat st;

	if (fstatat(dir_fd, rel, &st, *rel ? 0 : AT_EMPTY_PATH) < 0)
		return false;
	fs_stamp_of(&st, stamp_r);
	return true;
}

bool fs_stamp_equal(const struct fs_stamp *a, const struct fs_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* As the kernel writes them: getdents(2). */
struct raw_entry {
	uint64_t ino;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static enum err read_raw(int fd, struct fs_list *list, size_t *len_r,
			 struct errmsg *e)
{
	size_t len = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, ERR_IO, "cannot list a directory: %s",
			       strerror(errno));
	for (;;) {
		long n;

		if (list->raw_size - len < FIRST_RAW_SIZE / 2) {
			if (list->raw_size >= FS_LIST_MAX_BYTES)
				return err_set(
					e, ERR_LIMIT,
					"a directory has too many names");
			list->raw_size = list->raw_size ? list->raw_size * 2 :
							  FIRST_RAW_SIZE;
			list->raw = mem_resize(list->raw, list->raw_size);
		}
		n = syscall(SYS_getdents64, fd, list->raw + len,
			    list->raw_size - len);
		/* ENOENT: it was deleted while we held it, so it is empty. */
		if (n == 0 || (n < 0 && errno == ENOENT))
			break;
		if (n < 0)
			return err_set(e, ERR_IO, "cannot list a directory: %s",
				       strerror(errno));
		len += (size_t)n;
	}
	*len_r = len;
	return ERR_OK;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static void add_entry(struct fs_list *list, const struct raw_entry *raw)
{
	struct fs_entry *entry;

	if (list->nr == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 1024;
		list->entries = mem_resize(
			list->entries, list->capacity * sizeof(*list->entries));
	}
	entry = &list->entries[list->nr++];
	entry->ino = raw->ino;
	entry->name = raw->name;
	entry->len = (uint16_t)strlen(raw->name);
	entry->type = raw->type;
}

enum err fs_list_read(int fd, struct fs_list *list, struct errmsg *e)
{
	size_t len = 0;
	enum err err;

	list->nr = 0;
	list->hash = 0;
	err = read_raw(fd, list, &len, e);
	if (err)
		return err;
	for (size_t at = 0; at < len;) {
		struct raw_entry *raw = (void *)(list->raw + at);

		at += raw->size;
		/* Where the directory ends in this file system's order is not
		 * part of what it holds. */
		raw->offset = 0;
		if (is_dots(raw->name))
			continue;
		add_entry(list, raw);
		list->hash = XXH3_64bits_withSeed(
			raw,
			offsetof(struct raw_entry, name) +
				list->entries[list->nr - 1].len + 1U,
			list->hash);
	}
	return ERR_OK;
}

void fs_list_release(struct fs_list *list)
{
	free(list->raw);
	free(list->entries);
	*list = (struct fs_list){ 0 };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fs_entry *)a)->name,
		      ((const struct fs_entry *)b)->name);
}

void fs_list_sort(struct fs_list *list)
{
	if (list->nr)
		qsort(list->entries, list->nr, sizeof(*list->entries), by_name);
}

bool fs_may_be_file(const struct fs_entry *entry)
{
	return entry->type == DT_REG || entry->type == DT_LNK ||
	       entry->type == DT_UNKNOWN;
}

bool fs_entry_is_dir(int dir_fd, const struct fs_entry *entry)
{
	struct stat st;

	if (entry->type != DT_LNK && entry->type != DT_UNKNOWN)
		return entry->type == DT_DIR;
	return fstatat(dir_fd, entry->name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

bool fs_times_are_honest(int fd)
{
	/* Local file systems that update a directory's times on any change. */
	static const unsigned long honest[] = {
		EXT4_SUPER_MAGIC,     XFS_SUPER_MAGIC,
		BTRFS_SUPER_MAGIC,    F2FS_SUPER_MAGIC,
		TMPFS_MAGIC,	      REISERFS_SUPER_MAGIC,
		0x2fc12fc1 /* ZFS */, 0xca451a4e /* bcachefs */,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(honest); i++)
		if ((unsigned long)fs.f_type == honest[i])
			return true;
	return false;
}
