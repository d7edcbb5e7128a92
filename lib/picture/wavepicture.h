/*
 * wavepicture.h - sound as a picture: black on clear, a line a column, as long
 * as the square root of its mean, in the middle.
 *
 * Where channels differ, what only some of them reach is paler.
 *
 * Errors: ERR_LIMIT for a picture that is too large, ERR_MEDIA.
 * Owner:  the bytes, a PNG, are in the arena.
 * Source: FFmpeg's showwavespic (average, scale=sqrt), avf_showwaves.c.
 */
#ifndef PICTURE_WAVEPICTURE_H
#define PICTURE_WAVEPICTURE_H

#include "media/wavecolumns.h"

#define WAVEPICTURE_MAX_SIDE 4096

/* As wide as there are columns. */
enum err wavepicture_png(struct arena *a, const struct wavecolumns *w,
			 int height, const uint8_t **data_r, size_t *size_r,
			 struct errmsg *e) MUST_CHECK;

#endif
