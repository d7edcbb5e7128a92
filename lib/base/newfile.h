/*
 * newfile.h - files that nobody sees before they are complete.
 *
 * A new file is written without a name where the file system can do that, so
 * that nothing is left of it whatever ends the process; elsewhere under a
 * hidden name ".NAME.PID-RANDOM.tmp", which only a killed process leaves.
 *
 *	newfile_begin()		register newfile_abandon() before
 *	write to f->fd, in any order
 *	newfile_finish()	on the disk first, then under its name
 *	newfile_abandon()	always; does nothing to a finished one
 *
 * Errors: ERR_IO.
 */
#ifndef BASE_NEWFILE_H
#define BASE_NEWFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

struct newfile {
	int fd; /* or -1; for reading and writing */
	/* private */
	int dir_fd;
	char hidden[NAME_MAX + 1]; /* "": it has no name */
};
#define NEWFILE_NONE ((struct newfile){ .fd = -1, .dir_fd = -1 })

/* Like name, in a directory that stays open. */
enum err newfile_begin(struct newfile *f, int dir_fd, const char *name,
		       struct errmsg *e) MUST_CHECK;

/*
 * Gives it its name.  What has that name already stays as it is: then existed
 * is set, and the new file is gone.
 */
enum err newfile_finish(struct newfile *f, const char *name, bool *existed_r,
			struct errmsg *e) MUST_CHECK;

/* The same in the place of what has that name. */
enum err newfile_replace(struct newfile *f, const char *name,
			 struct errmsg *e) MUST_CHECK;

void newfile_abandon(struct newfile *f);

/* A file that never gets a name.  dir: NULL for $TMPDIR or /tmp. */
enum err newfile_nameless(const char *dir, int *fd_r,
			  struct errmsg *e) MUST_CHECK;

#endif
