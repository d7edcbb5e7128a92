/*
 * outfile.h - the file that -o names.
 *
 * Nobody sees it before it is complete, and then it takes the place of what had
 * its name; whatever ends the process, nothing is left of an unfinished one
 * where the file system can do that (newfile.h).  A link is followed, and the
 * mode stays.  What is there already and is no plain file (/dev/null, a pipe)
 * is written to as it is, and "-" is standard output.
 *
 * Errors: ERR_IO.
 * Owner:  outfile_close(), always.
 */
#ifndef OUTFILE_H
#define OUTFILE_H

#include "base/err.h"
#include "base/newfile.h"

struct outfile {
	int fd; /* to write to; or -1 */
	/* private */
	struct newfile file;
	int dir_fd;
	const char *path;
	char *real;	  /* the file that path leads to, if there is one */
	const char *name; /* in the directory */
};
#define OUTFILE_NONE                                                           \
	((struct outfile){ .fd = -1, .file = NEWFILE_NONE, .dir_fd = -1 })

/* path stays the caller's. */
enum err outfile_open(struct outfile *out, const char *path,
		      struct errmsg *e) MUST_CHECK;

/* All is written: it gets its name. */
enum err outfile_finish(struct outfile *out, struct errmsg *e) MUST_CHECK;

void outfile_close(struct outfile *out);

#endif
