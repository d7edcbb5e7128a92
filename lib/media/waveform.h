/*
 * waveform.h - the sound of a range of time, in equal columns.
 *
 * The columns are exactly the range: the sound of a segment is where its name
 * and its pictures say, and holes are silent, as is what cannot be decoded.
 * Peaks of segments are kept, so that what was looked at once is not decoded
 * again; only where columns are shorter than some 50 ms does it take samples.
 *
 * Errors: ERR_HOLES if there is no segment in the range; ERR_LIMIT; ERR_GONE
 *         when is_gone() says so; ERR_BUSY when segments vanish meanwhile;
 *         those of bestseg_find() and soundpeaks_decode().
 * Owner:  all is in the reader's arena.
 */
#ifndef MEDIA_WAVEFORM_H
#define MEDIA_WAVEFORM_H

#include <stdbool.h>

#include "archive/bestseg.h"
#include "base/blobstore.h"
#include "media/wavecolumns.h"

struct wave_spec {
	struct time_range range;
	size_t nr_columns; /* up to WAVE_MAX_COLUMNS */
	usec_t now_us;
};

struct wave_segment;

struct waveform {
	const struct quality *quality;
	struct time_range range;
	struct wave_segment *segments;
	size_t nr_segments;
	uint32_t nr_holes;
	usec_t holes_us;
	uint64_t hash[2]; /* of the segments' names and times */
	bool is_settled;  /* full segments without holes, an hour old */
	bool ends_in_hole;
	struct wavecolumns columns;
	uint32_t rate; /* of the sound; 0 if there is none */
};

/* Finds the segments. */
enum err waveform_plan(struct hourreader *reader, const struct wave_spec *spec,
		       struct waveform *wave_r, struct errmsg *e) MUST_CHECK;

struct wave_means {
	const struct blobstore *store; /* of peakpack.h */
	int nr_threads;		       /* up to TEAM_MAX */
	bool (*is_gone)(void *ctx);    /* or NULL; asked now and then */
	void *ctx;
};

/* Fills the columns. */
enum err waveform_fill(struct waveform *wave, const struct wave_means *means,
		       struct errmsg *e) MUST_CHECK;

#endif
