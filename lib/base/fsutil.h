/*
 * fsutil.h - files and directories, with suspicion.
 *
 * Paths from outside are resolved by the kernel beneath a directory
 * descriptor, so no "..", absolute name or symbolic link can lead out of it.
 * Directories are read whole, with the inode numbers that prove two listings
 * equal.  Files are replaced atomically: readers see the old or the new one.
 */
#ifndef BASE_FSUTIL_H
#define BASE_FSUTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/utime.h"

/*
 * Opens rel beneath dir_fd (O_CLOEXEC is added).  Uses openat2(2) with
 * RESOLVE_BENEATH; where the kernel lacks it or forbids it, opens component by
 * component, following no symbolic link.  -1 with errno: EXDEV or ELOOP when
 * the path leads out.
 */
int fs_open_beneath(int dir_fd, const char *rel, int flags);

/*
 * As above, a regular file for reading, and what it is.  -1 with errno: ENOENT
 * also for what is no regular file.
 */
int fs_open_file(int dir_fd, const char *rel, struct stat *st_r);

/* Whether opening failed with that because nothing of ours is there. */
bool fs_is_absent(int error) MUST_CHECK;

/* What errno says of opening it: ERR_NOTFOUND where others may not know. */
enum err fs_open_error(const char *rel, struct errmsg *e) MUST_CHECK;

/* As fs_open_beneath() with the fallback alone, for tests. */
int fs_open_by_component(int dir_fd, const char *rel, int flags);

/*
 * The directory in which open(path, O_CREAT) finds or makes its file, which is
 * not the one of the path where that is a symbolic link, maybe to nothing; as
 * it is spelled there.  NULL with errno; free() it.
 */
char *fs_dir_of(const char *path) MUST_CHECK;

/* Closes *fd if it is open, and sets it to -1. */
void fs_close(int *fd);

/*
 * Writes a file beside name in dir_fd and renames it over name.  The private
 * file is ".NAME.PID-RANDOM.tmp"; what a crash leaves of it is swept by age.
 * ERR_IO with errno left as it was for the caller's own decision.
 */
enum err fs_replace_file(int dir_fd, const char *name, const struct iovec *iov,
			 int nr_iov, struct errmsg *e) MUST_CHECK;

/* mkdir -p beneath dir_fd with mode 0700; ERR_IO, errno as it was. */
enum err fs_make_dirs(int dir_fd, const char *rel, struct errmsg *e) MUST_CHECK;

/*
 * Opens the directory name beneath dir, both made if need be, for files of
 * ours: -1 with errno if that cannot be, 0 if it is not ours or others may
 * write there.
 */
int fs_open_private_dir(const char *dir, const char *name) MUST_CHECK;

/*
 * Reads len bytes from an offset; fewer only where the file ends.  -1 with
 * errno.
 */
ssize_t fs_read_at(int fd, void *data, size_t len, uint64_t offset) MUST_CHECK;

/*
 * Reads all of them.  what is for the message ("a segment"): ERR_IO, and
 * ERR_CORRUPT if the file ends before.
 */
enum err fs_read_all(int fd, void *data, size_t len, uint64_t offset,
		     const char *what, struct errmsg *e) MUST_CHECK;

/*
 * A whole regular file beneath dir_fd, in the arena: ERR_NOTFOUND if there is
 * none that may be read, ERR_LIMIT if it has more than max bytes, ERR_IO,
 * ERR_CORRUPT if it becomes shorter meanwhile.
 */
enum err fs_read_file(int dir_fd, const char *rel, size_t max, struct arena *a,
		      struct iovec *file_r, struct errmsg *e) MUST_CHECK;

/* What a directory looked like: equal before and after means unchanged. */
struct fs_stamp {
	uint64_t dev;
	uint64_t ino;
	int64_t mtime_ns;
	int64_t ctime_ns;
};
bool fs_stamp_at(int dir_fd, const char *rel,
		 struct fs_stamp *stamp_r) MUST_CHECK;
void fs_stamp_of(const struct stat *st, struct fs_stamp *stamp_r);
bool fs_stamp_equal(const struct fs_stamp *a,
		    const struct fs_stamp *b) MUST_CHECK;

/* A directory as the kernel listed it, without "." and "..". */
struct fs_entry {
	uint64_t ino;
	const char *name; /* into the list's own memory */
	uint16_t len;
	uint8_t type; /* DT_REG, DT_DIR, DT_LNK, DT_UNKNOWN ... */
};
struct fs_list {
	struct fs_entry *entries;
	size_t nr;
	uint64_t hash; /* of all (ino, name) in the order read */
	/* private: reused by the next fs_list_read() */
	char *raw;
	size_t raw_size;
	size_t capacity;
};

/*
 * Reads all of an open directory into list, which begins zeroed and may be
 * used again.  ERR_LIMIT beyond FS_LIST_MAX_BYTES of names.
 */
#define FS_LIST_MAX_BYTES ((size_t)256 * 1024 * 1024)
enum err fs_list_read(int fd, struct fs_list *list,
		      struct errmsg *e) MUST_CHECK;
void fs_list_release(struct fs_list *list);

/* By byte value of the name. */
void fs_list_sort(struct fs_list *list);

/* Whether an entry is a regular file, or a link that may lead to one. */
bool fs_may_be_file(const struct fs_entry *entry) MUST_CHECK;

/* Whether an entry is a directory, following symbolic links. */
bool fs_entry_is_dir(int dir_fd, const struct fs_entry *entry) MUST_CHECK;

/*
 * Whether a directory's times tell of every change in it: not so on network
 * and stacked file systems, where they may be cached or belong to another
 * layer.
 */
bool fs_times_are_honest(int fd) MUST_CHECK;

#endif
