/*
 * edgestore.h - encoded edges kept on disk: CACHE/edges/KEY.edge, by the rules
 * of blobstore.h.
 *
 * A key is a hash of the segments' names, sizes and times, the stretch, the
 * settings, the versions of the libraries.
 */
#ifndef MEDIA_EDGESTORE_H
#define MEDIA_EDGESTORE_H

#include "base/blobstore.h"

#define EDGESTORE_DIR	 "edges"
#define EDGESTORE_SUFFIX ".edge"

struct edgestore {
	struct blobstore blobs;
};

/* An encoded picture. */
struct edgeunit {
	int64_t pts;
	const uint8_t *data;
	uint32_t size;
	bool is_key;
};

/* cache_dir may be NULL.  What cannot be used is logged. */
void edgestore_open(struct edgestore *store, const char *cache_dir,
		    uint64_t max_bytes);
void edgestore_close(struct edgestore *store);

/* False if there is none that is right. */
bool edgestore_get(const struct edgestore *store, const struct blobkey *key,
		   struct arena *a, struct edgeunit **units_r,
		   size_t *nr_r) MUST_CHECK;

void edgestore_put(const struct edgestore *store, const struct blobkey *key,
		   const struct edgeunit *units, size_t nr);

#endif
