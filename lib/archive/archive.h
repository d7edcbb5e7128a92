/*
 * archive.h - the directories of the archive: channels, qualities, hours,
 * files.
 *
 *	BASE/CHANNEL/QUALITY/HOUR/FILE
 *
 * Everything is opened beneath BASE by the kernel's own rules (fsutil.h), and
 * nothing that begins with a dot is ever seen.  Other processes write here
 * while we read: a directory may vanish between two calls, and then it is
 * simply not there.
 *
 * Errors: ERR_NOTFOUND, ERR_FORBIDDEN (a hidden name), ERR_LIMIT (more names
 *         than we list), ERR_IO.
 * Owner:  lists live in the arena they were asked for with.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utime.h"

struct archive {
	int base_fd;
};

enum err archive_open(struct archive *archive, const char *base,
		      struct errmsg *e) MUST_CHECK;
void archive_close(struct archive *archive);

/* Names in order of byte value. */
struct name_list {
	const char **names;
	size_t nr;
};

/* ERR_FORBIDDEN: a leading dot.  ERR_NOTFOUND: an empty name, or a slash. */
enum err archive_check_name(const char *name, struct errmsg *e) MUST_CHECK;

/*
 * Directories without a leading dot.  What does not exist is an empty list:
 * mirrors rely on it.
 */
enum err archive_channels(const struct archive *archive, struct arena *a,
			  struct name_list *list_r,
			  struct errmsg *e) MUST_CHECK;
enum err archive_qualities(const struct archive *archive, struct arena *a,
			   const char *channel, struct name_list *list_r,
			   struct errmsg *e) MUST_CHECK;
enum err archive_hours(const struct archive *archive, struct arena *a,
		       const char *channel, const char *quality,
		       struct name_list *list_r, struct errmsg *e) MUST_CHECK;

/*
 * The files of an hour: ".ts" without a tombstone, chat ".json", and with
 * tombstones also the ".tombstone" names.
 */
enum err archive_files(const struct archive *archive, struct arena *a,
		       const char *channel, const char *quality,
		       const char *hour, bool tombstones,
		       struct name_list *list_r, struct errmsg *e) MUST_CHECK;

/*
 * Every file below dir, a path beneath BASE, as paths relative to it, nothing
 * hidden; at most ARCHIVE_MAX_EXTRAS of them and ARCHIVE_MAX_DEPTH directories
 * deep.
 */
#define ARCHIVE_MAX_EXTRAS 100000
#define ARCHIVE_MAX_DEPTH  16
enum err archive_extras(const struct archive *archive, struct arena *a,
			const char *dir, struct name_list *list_r,
			struct errmsg *e) MUST_CHECK;

bool archive_has_channel(const struct archive *archive,
			 const char *channel) MUST_CHECK;

/*
 * Opens a regular file for reading by its path beneath BASE.  Hidden, temp and
 * tombstoned segments are ERR_NOTFOUND like what is not there.  The caller
 * closes *fd_r.
 */
enum err archive_open_file(const struct archive *archive, const char *path,
			   int *fd_r, struct stat *st_r,
			   struct errmsg *e) MUST_CHECK;

/* A quality, held open: its hours are looked up relative to fd. */
struct quality {
	const struct archive *archive;
	const char *channel;
	const char *name;
	int fd; /* O_PATH; closed by the arena */
};

/* ERR_NOTFOUND if there is no such directory. */
enum err archive_quality(const struct archive *archive, struct arena *a,
			 const char *channel, const char *name,
			 struct quality **quality_r,
			 struct errmsg *e) MUST_CHECK;

/*
 * Opens an hour, or "HOUR/NAME", of a quality.  Symbolic links may lead
 * anywhere beneath BASE.  -1 with errno, as fs_open_beneath().
 */
int quality_open(const struct quality *quality, const char *rel,
		 int flags) MUST_CHECK;

/*
 * The beginning of the first hour and the end of the last.  ERR_NOTFOUND if
 * there is none.
 */
enum err archive_hour_span(const struct quality *quality, usec_t *first_r,
			   usec_t *end_r, struct errmsg *e) MUST_CHECK;

#endif
