/*
 * hourstore.h - index files below the cache directory.
 *
 *	CACHE/v1/CHANNEL/QUALITY/HOUR.idx
 *
 * Only files of ours are believed: the directory must belong to us and be
 * writable by nobody else, and each file is checked whole (hourindex.h).  What
 * cannot be written is logged, and tried again after a minute; on a read-only
 * file system not again.  Keys are "CHANNEL/QUALITY/HOUR".
 */
#ifndef ARCHIVE_HOURSTORE_H
#define ARCHIVE_HOURSTORE_H

#include <stdbool.h>

#include "archive/hourindex.h"
#include "base/compiler.h"
#include "base/utime.h"

/* The version of the layout below the cache directory. */
#define HOURSTORE_VERSION_DIR "v1"
#define HOURSTORE_SUFFIX      ".idx"

struct hourstore {
	int fd;		 /* CACHE/v1, or -1: nothing is kept */
	usec_t after_us; /* no attempt to write before */
};

/* Makes the directory if need be; logs why it cannot be used. */
void hourstore_open(struct hourstore *store, const char *cache_dir);
void hourstore_close(struct hourstore *store);

/* False, logged, if it could not be written; also while it is not tried. */
bool hourstore_put(struct hourstore *store, const char *key,
		   const struct hourindex *index, bool *failed_r);

/* As hourindex_map(); a corrupt file is logged and removed. */
enum hour_verdict hourstore_map(const struct hourstore *store, const char *key,
				usec_t hour_us, uint64_t url_hash,
				struct hourindex **index_r) MUST_CHECK;

#endif
