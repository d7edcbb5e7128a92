/*
 * chatlist.h - which files hold the chat of a range, at one moment.
 *
 *	BASE/CHANNEL/chat/HOUR/MM:SS-HASH.json
 *
 * HASH is of the alphabet of segments, and not empty.  A file begins at the
 * time of its name and has the messages of a minute, and of a while around it.
 *
 * Other processes merge files, which moves messages from some to others, also
 * to those of the next hour: one pass over the hours could see neither.  So
 * they are listed until two passes agree; what both saw was there between them.
 * A file that is gone when it is opened says that it is not so any more.
 *
 * Names that are no such file are ignored, and counted unless they are those of
 * files that are still written: what ends in .temp or .tmp.
 *
 * Errors: ERR_BUSY if no two passes agree, ERR_LIMIT, ERR_IO.
 * Owner:  a list has an arena of its own; chatlist_release() lets it go.
 */
#ifndef ARCHIVE_CHATLIST_H
#define ARCHIVE_CHATLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/arena.h"
#include "base/err.h"

#define CHATLIST_MAX_FILES 20000
#define CHATLIST_MAX_BYTES (UINT64_C(1) << 30)

/* Ignored names that are remembered; there may be more. */
#define CHATLIST_MAX_IGNORED 64

struct chat_file {
	const char *path; /* "HOUR/NAME" */
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns; /* who may read it can change, too */
};

struct chat_ignored {
	const char *path; /* "HOUR/NAME" */
	uint64_t hash;	  /* of it */
};

struct chatlist {
	struct arena arena;
	struct chat_file *files; /* by path */
	size_t nr;
	size_t capacity;
	uint64_t bytes;
	uint64_t hash[2]; /* equal for equal lists */
	size_t nr_ignored;
	struct chat_ignored ignored[CHATLIST_MAX_IGNORED]; /* the first */
};

/* The time of a name in the hour that begins then; false: it is none. */
bool chatlist_parse_name(usec_t hour_us, const char *name, size_t len,
			 usec_t *time_r) MUST_CHECK;

/*
 * The files whose times are after the one and before the other.  What was in
 * the list is let go.
 */
enum err chatlist_read(const struct quality *chat, usec_t after_us,
		       usec_t before_us, struct chatlist *list,
		       struct errmsg *e) MUST_CHECK;
void chatlist_release(struct chatlist *list);

/* Of one path, whether it is the very same file as it was. */
bool chat_file_equal(const struct chat_file *a, const struct chat_file *b);

/*
 * Opens a file of a list: -1 if there is none of that name any more, or it is
 * another, or with errno if it cannot be opened.
 */
int chatlist_open(const struct quality *chat, const struct chat_file *file,
		  bool *is_gone_r) MUST_CHECK;

#endif
