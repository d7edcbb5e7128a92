/*
 * gzip.h - a body compressed in memory, so that its length is known before
 * its first byte.
 */
#ifndef SRC_GZIP_H
#define SRC_GZIP_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/text.h"

/* Room that out must have beyond the longest result that is wanted. */
#define GZIP_SLACK ((size_t)64 * 1024)

/* False if it does not fit into out. */
bool gzip_pieces(const struct iovec *iov, int nr_iov, struct text *out)
	MUST_CHECK;

#endif
