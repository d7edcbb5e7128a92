/*
 * gzip.h - texts compressed in memory, partly beforehand.
 *
 * A text that is sent again and again, in many combinations with others, is
 * compressed once as a BLOCK: raw deflate data that ends on a byte, is not
 * final, and refers to nothing before it.  gzip_join() makes a gzip member of
 * any sequence of pieces, compressing only those that have no block; the sum
 * of the whole is combined from the sums of the parts.
 *
 * Source: RFC 1951, RFC 1952; zlib's manual on Z_FULL_FLUSH and
 *         crc32_combine().
 */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/text.h"

/*
 * Playlists are mostly hashes: they shrink to 25 % with the fastest, as blocks
 * do, and at level 6, in half as much time again, to 23 %.  Programs gain more,
 * a sixth of hls.js, in three times the time.
 */
enum gzip_level { GZIP_FAST = 1, GZIP_SMALL = 6 };

struct gzip_block {
	const void *data;
	size_t size;  /* 0: there is none */
	uint32_t crc; /* CRC-32 of the plain text */
};

/*
 * Appends the block of a text to out; false if it does not fit, or zlib has no
 * memory.
 */
bool gzip_make_block(const void *text, size_t len, struct text *out,
		     uint32_t *crc_r) MUST_CHECK;

/* At most what a block of len bytes takes, for the maximum of out. */
size_t gzip_block_bound(size_t len);

struct gzip_member {
	struct iovec *iov; /* in the arena, and the blocks themselves */
	int nr_iov;
	uint64_t length; /* bytes */
};

/*
 * Joins the pieces.  blocks is NULL, or has for each piece its block.  False
 * if the result would not be shorter than the plain text.
 */
bool gzip_join(struct arena *a, const struct iovec *pieces,
	       const struct gzip_block *blocks, int nr, enum gzip_level level,
	       struct gzip_member *member_r) MUST_CHECK;

#endif
