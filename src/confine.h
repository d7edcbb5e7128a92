/*
 * confine.h - a worker gives up what it does not need.
 *
 * Where the kernel has Landlock, nothing can be opened from then on but what is
 * named here, by whatever bug: the archive for reading (and writing, with
 * --allow-write), the cache for both, the web page, and what the options name.
 * /proc stays readable: the metrics come from there.  Whatever is open stays
 * open.
 *
 * Rules hold for the directories that are there now, not for their paths: a
 * process that finds another directory in one's place has to be replaced.  So
 * it is with the directory in which the log is made again after a rotation.
 *
 * Source: landlock(7).
 */
#ifndef SRC_CONFINE_H
#define SRC_CONFINE_H

#include <stdbool.h>

#include "settings.h"

/*
 * For good, and for all children.  cache_dir: NULL if there is none; spool_dir:
 * NULL if what is spooled goes to $TMPDIR or /tmp.  False if the kernel cannot,
 * or --unconfined is given: then nothing has changed.
 */
bool confine_self(const struct settings *settings, const char *cache_dir,
		  const char *spool_dir);

#endif
