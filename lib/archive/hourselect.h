/*
 * hourselect.h - the best segment of every start time of one hour.
 *
 * Of a listing: temp and tombstoned segments are dropped.  Among full ones of
 * one start the longest wins, then the largest file, then the highest hash as
 * decoded bytes.  With no full one, suspect goes before partial, then the
 * largest file wins, then the first by name.  Files are looked at only where
 * that decides.
 */
#ifndef ARCHIVE_HOURSELECT_H
#define ARCHIVE_HOURSELECT_H

#include "archive/segment.h"
#include "base/err.h"
#include "base/fsutil.h"

struct candidate {
	struct segment seg;
	const struct fs_entry *file;
	int64_t size; /* bytes, or -1 if nobody has looked */
};

struct hour_selection {
	struct candidate *best; /* by start, unique; free() it */
	size_t nr;
	uint32_t nr_ignored; /* names that are nothing we know */
	const char *ignored; /* one of them, or NULL */
};

/* fd is the directory.  ERR_LIMIT beyond max segments. */
enum err hour_select(usec_t hour_us, int fd, const struct fs_list *list,
		     size_t max, struct hour_selection *selection_r,
		     struct errmsg *e) MUST_CHECK;

/* The size of a file of the directory; 0 if it is not there any more. */
int64_t hour_file_size(int fd, const char *name);

#endif
