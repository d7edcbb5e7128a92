/*
 * edgestore.h - encoded edges kept on disk.
 *
 *	CACHE/edges/KEY.edge
 *
 * A key is a hash of all that the bytes depend on: the segments' names, sizes
 * and times, the stretch, the settings, the versions of the libraries.  So an
 * entry is never out of date; putting one removes those least recently used
 * beyond max_bytes.  A file is checked whole before it is believed, and one
 *that is bad is removed.
 *
 * Errors: none.  What cannot be stored is made again.
 * Owner:  what is read is in the arena.
 */
#ifndef MEDIA_EDGESTORE_H
#define MEDIA_EDGESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"

#define EDGESTORE_DIR	    "edges"
#define EDGESTORE_SUFFIX    ".edge"
#define EDGESTORE_MAX_BYTES ((uint64_t)64 * 1024 * 1024) /* of one entry */

struct edgestore {
	int fd; /* CACHE/edges, or -1: nothing is kept */
	uint64_t max_bytes;
};

/* An encoded picture. */
struct edgeunit {
	int64_t pts;
	const uint8_t *data;
	uint32_t size;
	bool is_key;
};

struct edgekey {
	uint64_t hash[2];
};

/* cache_dir may be NULL.  What cannot be used is logged. */
void edgestore_open(struct edgestore *store, const char *cache_dir,
		    uint64_t max_bytes);
void edgestore_close(struct edgestore *store);

/* False if there is none that is right. */
bool edgestore_get(const struct edgestore *store, const struct edgekey *key,
		   struct arena *a, struct edgeunit **units_r,
		   size_t *nr_r) MUST_CHECK;

void edgestore_put(const struct edgestore *store, const struct edgekey *key,
		   const struct edgeunit *units, size_t nr);

#endif
