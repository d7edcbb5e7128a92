/*
 * blobstore.h - what was expensive to make, kept on disk.
 *
 *	CACHE/DIR/KEY.SUFFIX
 *
 * A key is a hash of all that the bytes depend on, so an entry is never out of
 * date.  Putting them removes now and then those least recently used beyond
 * max_bytes.  A file is checked whole before it is believed, and a bad one is
 * removed.  Files are replaced, never changed.
 *
 * Errors: none.  What cannot be kept is made again.
 * Owner:  what is read is in the arena.
 */
#ifndef BASE_BLOBSTORE_H
#define BASE_BLOBSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/compiler.h"

#define BLOBSTORE_MAX_BYTES ((uint64_t)64 * 1024 * 1024) /* of one entry */
#define BLOBSTORE_MAX_IOV   16

/* What a store is of; constant, and outlives it. */
struct blobkind {
	const char *dir;    /* below the cache directory */
	const char *suffix; /* of the files */
	const char *what;   /* for the log: "edge" */
	uint64_t magic;	    /* the first bytes of a file */
};

struct blobstore {
	const struct blobkind *kind;
	int fd; /* CACHE/DIR, or -1: nothing is kept */
	uint64_t max_bytes;
};

struct blobkey {
	uint64_t hash[2];
};

/* cache_dir may be NULL.  What cannot be used is logged. */
void blobstore_open(struct blobstore *store, const struct blobkind *kind,
		    const char *cache_dir, uint64_t max_bytes);
void blobstore_close(struct blobstore *store);

/* Opens it again if its directory was removed. */
void blobstore_follow(struct blobstore *store, const char *cache_dir);

/* False if there is none that is right.  The bytes are aligned to 8. */
bool blobstore_get(const struct blobstore *store, const struct blobkey *key,
		   struct arena *a, const void **data_r,
		   size_t *size_r) MUST_CHECK;

/* Removes one whose bytes make no sense. */
void blobstore_discard(const struct blobstore *store,
		       const struct blobkey *key);

/* At most BLOBSTORE_MAX_IOV pieces. */
void blobstore_put(const struct blobstore *store, const struct blobkey *key,
		   const struct iovec *iov, int nr_iov);

#endif
