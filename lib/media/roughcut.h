/*
 * roughcut.h - whole segments, byte for byte, that cover the given ranges.
 *
 * A rough cut is a virtual file: roughcut_plan() finds all that can fail, and
 * with it the exact length and a validator; roughcut_send() then sends any
 * part of it, the same bytes every time.
 *
 * Errors of the plan: ERR_HOLES when a range has holes that are not allowed,
 *         or nothing at all; ERR_BUSY when segments vanish faster than they
 *         can be looked at; ERR_LIMIT; ERR_IO.
 * Errors of sending: ERR_CORRUPT when a segment vanished or changed since the
 *         plan, ERR_GONE, ERR_IO.  The receiver must then see a break.
 * Owner:  the plan is in the reader's arena.
 */
#ifndef MEDIA_ROUGHCUT_H
#define MEDIA_ROUGHCUT_H

#include <stdbool.h>
#include <stdint.h>

#include <xxhash.h>

#include "archive/bestseg.h"
#include "base/err.h"
#include "base/sink.h"

struct rough_piece {
	const struct hourindex *index;
	uint32_t entry;
	uint32_t range;	 /* the range it belongs to, by number */
	bool after_hole; /* a hole between the one before and this, in a range
			  */
	uint64_t offset; /* of its first byte in the cut */
	uint64_t size;
	int64_t mtime_ns;
};

struct roughcut {
	const struct quality *quality;
	const struct time_range *ranges;
	size_t nr_ranges;
	struct rough_piece *pieces;
	size_t nr;
	uint64_t length;  /* bytes */
	usec_t ranges_us; /* the ranges together */
	uint64_t hash[2]; /* of names, sizes and times of the files */
	bool is_settled;  /* full segments without holes, an hour old */
	uint32_t nr_holes;
	usec_t holes_us;
};

struct rough_spec {
	const struct time_range *ranges;
	size_t nr_ranges;
	bool allow_holes;
	usec_t now_us;
};

enum err roughcut_plan(struct hourreader *reader, const struct rough_spec *spec,
		       struct roughcut *cut_r, struct errmsg *e) MUST_CHECK;

/*
 * Looks at the file of a piece, whose index and entry are given, and adds it to
 * the length and to a hash of what is in the cut.  ERR_BUSY if it vanished.
 */
enum err roughcut_look_at(struct roughcut *cut, struct rough_piece *piece,
			  XXH3_state_t *hash, struct errmsg *e) MUST_CHECK;

/*
 * Opens the file of a piece, which must be what the plan saw; close it.
 * ERR_CORRUPT if it vanished or changed.
 */
enum err roughcut_open(const struct roughcut *cut,
		       const struct rough_piece *piece, int *fd_r,
		       struct errmsg *e) MUST_CHECK;

static inline const struct hour_entry *rough_piece_entry(
	const struct rough_piece *piece)
{
	return &piece->index->entries[piece->entry];
}

/* Bytes offset to offset + count - 1 of the cut. */
enum err roughcut_send(const struct roughcut *cut, uint64_t offset,
		       uint64_t count, struct sink *sink,
		       struct errmsg *e) MUST_CHECK;

#endif
