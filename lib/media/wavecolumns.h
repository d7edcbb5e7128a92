/*
 * wavecolumns.h - loudness over time in equal columns.
 *
 * What is heard is put in from the front to the back; of what overlaps the
 * first counts.  A column's mean is that of all its time, in which what was put
 * in as silence is 0.  Time that nothing was put in for is not counted.
 *
 * Units: nanoseconds from the beginning of the first column.
 */
#ifndef MEDIA_WAVECOLUMNS_H
#define MEDIA_WAVECOLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "media/soundpeaks.h"

#define WAVE_MAX_COLUMNS 32768
#define WAVE_MAX_NS	 (INT64_C(48) * 3600 * 1000000000)

struct wave_column {
	double sums[PEAKS_MAX_CHANNELS]; /* means times their time */
	int64_t time;
	int16_t least; /* of all channels mixed */
	int16_t greatest;
};

struct wavecolumns {
	struct wave_column *columns; /* in the arena */
	size_t nr;
	int64_t length;
	uint32_t nr_channels; /* the most of anything put in; 0: only silence */
	/* private */
	int64_t at; /* all before has been put in */
	size_t column;
};

/* Up to WAVE_MAX_COLUMNS, and WAVE_MAX_NS. */
void wavecolumns_init(struct arena *a, size_t nr, int64_t length,
		      struct wavecolumns *w);

/* Silence, from where all has been put in. */
void wavecolumns_silence(struct wavecolumns *w, int64_t until);

/* Time that does not count. */
void wavecolumns_skip(struct wavecolumns *w, int64_t until);

/*
 * The peaks of a segment whose time 0 is start, as far as they are from least
 * to most.
 */
void wavecolumns_add(struct wavecolumns *w, const struct soundpeaks *peaks,
		     int64_t start, int64_t least, int64_t most);

/* When the sound begins that wavecolumns_add() would put in. */
int64_t wavecolumns_begin(const struct soundpeaks *peaks, int64_t start);

/* The mean of a channel in a column. */
double wave_column_mean(const struct wavecolumns *w, size_t column,
			uint32_t channel);

#endif
