/*
 * spool.h - bytes that are made before they are sent.
 *
 * Kept in memory, and beyond SPOOL_MEMORY in a file without a name, which is
 * gone with the process.
 *
 * Errors: ERR_LIMIT beyond SPOOL_MAX; ERR_IO.
 * Owner:  freed with the arena.
 */
#ifndef MEDIA_SPOOL_H
#define MEDIA_SPOOL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define SPOOL_MEMORY ((uint64_t)64 * 1024 * 1024)
#define SPOOL_MAX    ((uint64_t)16 * 1024 * 1024 * 1024)

struct spool;

/* dir: where such a file may be; NULL: $TMPDIR or /tmp. */
struct spool *spool_new(struct arena *a, const char *dir);

enum err spool_append(struct spool *spool, const void *data, size_t len,
		      struct errmsg *e) MUST_CHECK;
uint64_t spool_size(const struct spool *spool);

/* Copies bytes from offset, all of which were appended. */
enum err spool_read(const struct spool *spool, uint64_t offset, void *data,
		    size_t len, struct errmsg *e) MUST_CHECK;

#endif
