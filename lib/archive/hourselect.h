/*
 * hourselect.h - the best segment of every start time of one hour.
 *
 * Of a listing: temp and tombstoned segments are dropped.  Among full ones of
 * one start the longest wins, then the largest file, then the highest hash as
 * decoded bytes.  With no full one, suspect goes before partial, then the
 * largest file wins, then the first by name.  Files are looked at only where
 * that decides.  What is not chosen is remembered with the reason.
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

/* Why a segment is not the best of its start.  The order is that of the rules,
 * and on disk. */
enum hour_why {
	WHY_NOT_FULL,	 /* the best is full */
	WHY_NOT_SUSPECT, /* the best is suspect, this one partial */
	WHY_SHORTER,	 /* than the best; both are full */
	WHY_SMALLER,	 /* file than the best's */
	WHY_LOWER_HASH,	 /* than the best's; both are full */
	WHY_LATER_NAME,	 /* than the best's */
	WHY_DELETED,	 /* there is a tombstone; it was no candidate */
	WHY_TEMP,	 /* it was no candidate either */
	HOUR_WHY_COUNT
};

struct reject {
	struct candidate c;
	enum hour_why why;
};

struct hour_selection {
	struct candidate *best; /* by start, unique */
	size_t nr;
	struct reject *rejects; /* by start, what was a candidate first */
	size_t nr_rejects;
	uint32_t nr_ignored; /* names that are nothing we know */
	const char *ignored; /* one of them, or NULL */
};

/*
 * fd is the directory.  ERR_LIMIT beyond max segments; of temp ones, which may
 * be any number, only so many are remembered.
 */
enum err hour_select(usec_t hour_us, int fd, const struct fs_list *list,
		     size_t max, struct hour_selection *selection_r,
		     struct errmsg *e) MUST_CHECK;
void hour_selection_release(struct hour_selection *selection);

/* The size of a file of the directory; 0 if it is not there any more. */
int64_t hour_file_size(int fd, const char *name);

#endif
