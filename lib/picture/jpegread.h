/*
 * jpegread.h - JPEG to a picture with alpha, which is opaque; see picread.h.
 *
 * libjpeg makes a picture of almost anything, at any cost; so what a file is
 * made of is walked through before it: it must have a size, an end, and not
 * more scans than encoders make.
 *
 * Source: ITU-T T.81, annex B.
 */
#ifndef PICTURE_JPEGREAD_H
#define PICTURE_JPEGREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "picture/picture.h"

bool jpegread_is(const uint8_t *data, size_t size) MUST_CHECK;

enum err jpegread(struct arena *a, const uint8_t *data, size_t size,
		  struct picture *picture_r, struct errmsg *e) MUST_CHECK;

#endif
