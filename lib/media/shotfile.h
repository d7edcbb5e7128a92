/*
 * shotfile.h - as much of a segment as a few of its pictures need.
 *
 * A key picture is usually the first of its segment, so only the beginning is
 * read, and more only while that does not tell.
 *
 * Units:  _us from the start that the segment's name says, which is that of its
 *         first picture; may be negative.
 * Errors: those of roughcut_open() and tsfile_parse().
 * Owner:  all is in the arena given.
 */
#ifndef MEDIA_SHOTFILE_H
#define MEDIA_SHOTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "media/roughcut.h"
#include "media/tsfile.h"

/* Pictures behind that are not found. */
#define SHOTFILE_MAX_BYTES ((size_t)32 * 1024 * 1024)

#define SHOT_NONE SIZE_MAX

struct shotfile {
	const struct tsfile *ts;
	size_t nr_units; /* that are whole, as far as is known */
	bool is_whole;	 /* nothing of it is missing */
};

/* All of it, up to the maximum. */
enum err shotfile_read(struct arena *a, const struct roughcut *cover,
		       const struct rough_piece *piece, struct shotfile *file_r,
		       struct errmsg *e) MUST_CHECK;

/*
 * Enough of it to find a key picture between two times: *unit_r, or SHOT_NONE
 * if there is none.  The arena is reset.
 */
enum err shotfile_read_key(struct arena *a, const struct roughcut *cover,
			   const struct rough_piece *piece, usec_t from_us,
			   usec_t to_us, struct shotfile *file_r,
			   size_t *unit_r, struct errmsg *e) MUST_CHECK;

/* The first key picture with from_us <= time < to_us. */
size_t shotfile_key(const struct shotfile *file, usec_t from_us, usec_t to_us);

/* The first picture at or after a time, which is not long after it. */
size_t shotfile_picture(const struct shotfile *file, usec_t from_us);

/*
 * The key picture that decoding begins with to get a unit's picture, which is
 * the unit itself if it is one.
 */
size_t shotfile_entry(const struct shotfile *file, size_t unit);

#endif
