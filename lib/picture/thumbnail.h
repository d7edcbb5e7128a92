/*
 * thumbnail.h - a picture under a template.
 *
 * The picture is cropped to a box (what is outside of it is black), resized to
 * the size of another box, put there on a clear canvas of the template's size,
 * and the template is composited over it: to the byte what Pillow's crop(),
 * resize(LANCZOS), paste() and alpha_composite() give of an RGB picture.
 * The picture's box may reach outside of the canvas.
 *
 * Errors: ERR_INPUT for a box that box_check() refuses.
 * Owner:  the result is in the arena.
 * Source: Pillow's AlphaComposite.c; resample.h.
 */
#ifndef PICTURE_THUMBNAIL_H
#define PICTURE_THUMBNAIL_H

#include "picture/box.h"
#include "picture/picture.h"

/* frame has 3 channels, template 4, and so has the result. */
enum err thumbnail_compose(struct arena *a, const struct picture *frame,
			   const struct box *crop, const struct box *location,
			   const struct picture *template,
			   struct picture *result_r,
			   struct errmsg *e) MUST_CHECK;

#endif
