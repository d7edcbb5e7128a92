#include "config.h"

#include "picture/box.h"

#include <stdbool.h>

#define NR_SIDES 4

/* A whole number with maybe a minus; *text is then behind it. */
static bool take_number(const char **text, int *value_r)
{
	const char *p = *text;
	bool is_negative = *p == '-';
	int value = 0;

	p += is_negative;
	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (*p - '0');
		if (value > BOX_MAX_AT)
			return false;
	}
	*value_r = is_negative ? -value : value;
	*text = p;
	return true;
}

enum err box_parse(const char *text, struct box *box_r, struct errmsg *e)
{
	const char *p = text;
	int sides[NR_SIDES];
	int nr = 0;

	while (nr < NR_SIDES && take_number(&p, &sides[nr]) &&
	       *p == (nr < NR_SIDES - 1 ? ',' : '\0')) {
		nr++;
		p++;
	}
	if (nr < NR_SIDES)
		return err_set(e, ERR_INPUT,
			       "'%s' is no box: LEFT,TOP,RIGHT,BOTTOM, each "
			       "from -%d to %d",
			       err_quote(text).text, BOX_MAX_AT, BOX_MAX_AT);
	*box_r = (struct box){ sides[0], sides[1], sides[2], sides[3] };
	return box_check(box_r, e);
}

static bool is_place(int at)
{
	return at >= -BOX_MAX_AT && at <= BOX_MAX_AT;
}

enum err box_check(const struct box *box, struct errmsg *e)
{
	if (!is_place(box->left) || !is_place(box->top) ||
	    !is_place(box->right) || !is_place(box->bottom))
		return err_set(e, ERR_INPUT,
			       "the sides of a box are from -%d to %d",
			       BOX_MAX_AT, BOX_MAX_AT);
	if (box_width(box) < 1 || box_height(box) < 1)
		return err_set(
			e, ERR_INPUT,
			"the box %d,%d,%d,%d has no inside: right must be "
			"over left, bottom over top",
			box->left, box->top, box->right, box->bottom);
	if (box_width(box) > BOX_MAX_SIDE || box_height(box) > BOX_MAX_SIDE)
		return err_set(e, ERR_INPUT,
			       "a box is at most %d pixels wide and high",
			       BOX_MAX_SIDE);
	return ERR_OK;
}
