/*
 * peakpack.h - the peaks of many segments, kept together:
 * CACHE/peaks/KEY.peaks, by the rules of blobstore.h.
 *
 * A pack has what is known of ten minutes of a quality in blocks of one size,
 * so that an hour is six files.  It is read, added to, and put again as a
 * whole; of two who do so at once one only decodes again.
 *
 * Owner:  a pack is in its arena, with all the peaks in it.
 */
#ifndef MEDIA_PEAKPACK_H
#define MEDIA_PEAKPACK_H

#include "base/blobstore.h"
#include "base/utime.h"
#include "media/soundpeaks.h"

#define PEAKPACK_US	(600 * USEC_PER_SEC)
#define PEAKPACK_DIR	"peaks"
#define PEAKPACK_SUFFIX ".peaks"

extern const struct blobkind peak_kind;

struct peakpack;

/* slot_us: where the ten minutes begin.  What is kept of them, or nothing. */
struct peakpack *peakpack_load(struct arena *a, const struct blobstore *store,
			       const char *channel, const char *quality,
			       usec_t slot_us, uint32_t block) MUST_CHECK;

/* NULL if it is not there. */
const struct soundpeaks *peakpack_find(const struct peakpack *pack,
				       const struct blobkey *key);

/* Peaks in blocks of its size, which live as long. */
void peakpack_add(struct peakpack *pack, const struct blobkey *key,
		  const struct soundpeaks *peaks);

/* Keeps it, if anything was added. */
void peakpack_put(struct peakpack *pack);

/* Checks the bytes of a pack, for tests and fuzzing. */
bool peakpack_check(const void *data, size_t size, uint32_t block) MUST_CHECK;

#endif
