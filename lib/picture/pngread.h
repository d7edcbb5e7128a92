/*
 * pngread.h - PNG of any mode to a picture with alpha; see picread.h.
 *
 * Ours, because libgd and FFmpeg do not give all of it (alpha of 8 bits, clear
 * colours in few bits), and because no library could be kept from inflating
 * what follows the last row, which may be gigabytes.
 *
 * Checksums are those of all chunks that matter.  Animations are refused.
 *
 * Source: W3C's Portable Network Graphics (PNG) Specification, second edition.
 */
#ifndef PICTURE_PNGREAD_H
#define PICTURE_PNGREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "picture/picture.h"

/* The first bytes of a file. */
#define PNG_SIGNATURE	   "\x89PNG\r\n\x1a\n"
#define PNG_SIGNATURE_SIZE 8

bool pngread_is(const uint8_t *data, size_t size) MUST_CHECK;

enum err pngread(struct arena *a, const uint8_t *data, size_t size,
		 struct picture *picture_r, struct errmsg *e) MUST_CHECK;

#endif
