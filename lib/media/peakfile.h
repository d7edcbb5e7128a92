/*
 * peakfile.h - columns of sound as audiowaveform writes them: of each the least
 * and the greatest sample of all channels mixed, 16 bits.
 *
 * Columns are equal parts of a range of time, so samples_per_pixel is rounded
 * where they are not whole numbers of samples.
 *
 * Source: bbc/audiowaveform, doc/DataFormat.md, version 2.
 */
#ifndef MEDIA_PEAKFILE_H
#define MEDIA_PEAKFILE_H

#include "base/text.h"
#include "media/wavecolumns.h"

/* rate: 0 if there was no sound. */
void peakfile_json(const struct wavecolumns *w, uint32_t rate,
		   struct text *out);
void peakfile_dat(const struct wavecolumns *w, uint32_t rate, struct text *out);

#endif
