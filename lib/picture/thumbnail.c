#include "config.h"

#include "picture/thumbnail.h"

#include <string.h>

#include "picture/resample.h"

/* Pillow counts in this much of a level, then divides by 255 by shifts. */
#define BITS 7

static uint8_t blend(unsigned over, unsigned under, unsigned alpha)
{
	uint32_t sum = (over * alpha + under * (255 - alpha)) << BITS;

	sum += 0x80 << BITS;
	return (uint8_t)(((sum >> 8) + sum) >> 8 >> BITS);
}

/* nr pixels of the template over as many opaque ones. */
static void compose_row(const uint8_t *over, const uint8_t *under, int nr,
			uint8_t *to)
{
	for (; nr; nr--, over += 4, under += 3, to += 4) {
		to[0] = blend(over[0], under[0], over[3]);
		to[1] = blend(over[1], under[1], over[3]);
		to[2] = blend(over[2], under[2], over[3]);
		to[3] = 255;
	}
}

/* Over nothing what is clear loses its colour. */
static void copy_visible(const struct picture *template, uint8_t *to)
{
	size_t nr = (size_t) template->width * (size_t) template->height;
	const uint8_t *from = template->pixels;

	for (; nr; nr--, from += 4, to += 4)
		if (from[3])
			memcpy(to, from, 4);
}

static int at_least(int value, int least)
{
	return value < least ? least : value;
}

static int at_most(int value, int most)
{
	return value > most ? most : value;
}

/* What of the location is in the template, from the location's corner. */
static struct box find_seen(const struct box *location,
			    const struct picture *template)
{
	return (struct box){
		.left = at_least(-location->left, 0),
		.top = at_least(-location->top, 0),
		.right = at_most(location->right, template->width) -
			 location->left,
		.bottom = at_most(location->bottom, template->height) -
			  location->top,
	};
}

enum err thumbnail_compose(struct arena *a, const struct picture *frame,
			   const struct box *crop, const struct box *location,
			   const struct picture *template,
			   struct picture *result_r, struct errmsg *e)
{
	struct picture placed;
	struct box seen;
	enum err err = box_check(crop, e);

	if (!err)
		err = box_check(location, e);
	if (!err)
		err = picture_new(a, template->width, template->height, 4,
				  result_r, e);
	if (err)
		return err;
	copy_visible(template, result_r->pixels);
	seen = find_seen(location, template);
	if (box_width(&seen) < 1 || box_height(&seen) < 1)
		return ERR_OK;
	err = resample(a, frame, crop, box_width(location),
		       box_height(location), &seen, &placed, e);
	if (err)
		return err;
	for (int y = 0; y < placed.height; y++) {
		size_t at = (size_t)(location->top + seen.top + y) *
				    (size_t) template->width +
			    (size_t)(location->left + seen.left);

		compose_row(template->pixels + at * 4,
			    placed.pixels +
				    (size_t)y * (size_t)placed.width * 3,
			    placed.width, result_r->pixels + at * 4);
	}
	return ERR_OK;
}
