/*
 * box.h - a rectangle in a picture: left, top, right, bottom, in pixels.
 *
 * right and bottom are the first behind it.  A box may reach outside of its
 * picture; what is there is clear.
 *
 * Errors: ERR_INPUT says what is wrong and what is allowed.
 */
#ifndef PICTURE_BOX_H
#define PICTURE_BOX_H

#include "base/err.h"

#define BOX_MAX_AT   16384 /* of a coordinate, either side of 0 */
#define BOX_MAX_SIDE 8192

struct box {
	int left;
	int top;
	int right;
	int bottom;
};

static inline int box_width(const struct box *box)
{
	return box->right - box->left;
}

static inline int box_height(const struct box *box)
{
	return box->bottom - box->top;
}

/* "LEFT,TOP,RIGHT,BOTTOM" to a box that box_check() takes. */
enum err box_parse(const char *text, struct box *box_r,
		   struct errmsg *e) MUST_CHECK;

/* Whether it has an inside, and is within the limits above. */
enum err box_check(const struct box *box, struct errmsg *e) MUST_CHECK;

#endif
