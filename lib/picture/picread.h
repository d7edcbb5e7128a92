/*
 * picread.h - a file from outside, PNG or JPEG, to a picture with alpha.
 *
 * The same bytes as Pillow's convert("RGBA") gives, but that
 *   - samples of 16 bits are their high byte in grey too, which Pillow clips;
 *   - a colour that a PNG calls clear is compared as the file has it, also
 *     where it is of fewer or more than 8 bits;
 *   - CMYK may be a level off.
 * What files say of gamma and profiles is not looked at.
 *
 * Files are hostile: sizes are checked before room is made, and no more is
 * decompressed than the picture needs.  A file that is not complete is refused
 * as a whole; what follows its end is not looked at.
 *
 * Errors: ERR_INPUT for all that is not such a file, is broken or too large.
 * Owner:  the picture is in the arena, and has 4 channels.
 */
#ifndef PICTURE_PICREAD_H
#define PICTURE_PICREAD_H

#include <stddef.h>

#include "picture/picture.h"

/* size: at most some ten megabytes, which the caller sees to. */
enum err picread(struct arena *a, const uint8_t *data, size_t size,
		 struct picture *picture_r, struct errmsg *e) MUST_CHECK;

#endif
