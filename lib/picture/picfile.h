/*
 * picfile.h - pictures as files.
 *
 * Errors: ERR_MEDIA if the codec is missing or fails; those of pngwrite().
 * Owner:  the bytes are in the arena.
 */
#ifndef PICTURE_PICFILE_H
#define PICTURE_PICFILE_H

#include <stddef.h>

#include "picture/picture.h"

enum picfile_kind { PICFILE_PNG, PICFILE_JPEG };

/* JPEG forgets alpha, and is made by one thread. */
enum err picfile_encode(struct arena *a, const struct picture *picture,
			enum picfile_kind kind, int nr_threads,
			const uint8_t **data_r, size_t *size_r,
			struct errmsg *e) MUST_CHECK;

#endif
