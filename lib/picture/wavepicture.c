#include "config.h"

#include "picture/wavepicture.h"

#include <math.h>
#include <string.h>

#include <gd.h>

#define FULL_SCALE 32767.0

/* Of 0 to 9: of such pictures more costs time and saves little. */
#define COMPRESSION 3

/* Lines in a column: those of channels, the longest first. */
static uint32_t find_heights(const struct wavecolumns *w, size_t column,
			     int height, int heights[PEAKS_MAX_CHANNELS])
{
	for (uint32_t c = 0; c < w->nr_channels; c++) {
		int h = (int)(sqrt(wave_column_mean(w, column, c)) * height /
			      sqrt(FULL_SCALE));
		uint32_t at = c;

		for (; at && heights[at - 1] < h; at--)
			heights[at] = heights[at - 1];
		heights[at] = h < height ? h : height;
	}
	return w->nr_channels;
}

static void draw(gdImagePtr im, const struct wavecolumns *w)
{
	uint32_t nr = w->nr_channels ? w->nr_channels : 1;
	int colours[PEAKS_MAX_CHANNELS];
	int height = gdImageSY(im);

	/* The first colour is that of what is not drawn. */
	gdImageColorAllocateAlpha(im, 0, 0, 0, gdAlphaTransparent);
	for (uint32_t c = 0; c < nr; c++)
		colours[c] = gdImageColorAllocateAlpha(
			im, 0, 0, 0,
			gdAlphaTransparent -
				(int)((c + 1) * gdAlphaTransparent / nr));
	for (size_t i = 0; i < w->nr; i++) {
		int heights[PEAKS_MAX_CHANNELS];

		nr = find_heights(w, i, height, heights);
		for (uint32_t c = 0; c < nr && heights[c]; c++) {
			int top = height / 2 - heights[c] / 2;

			gdImageLine(im, (int)i, top, (int)i,
				    top + heights[c] - 1, colours[c]);
		}
	}
}

enum err wavepicture_png(struct arena *a, const struct wavecolumns *w,
			 int height, const uint8_t **data_r, size_t *size_r,
			 struct errmsg *e)
{
	gdImagePtr im = NULL;
	void *png = NULL;
	uint8_t *data;
	int size = 0;

	if (w->nr > WAVEPICTURE_MAX_SIDE || height < 1 ||
	    height > WAVEPICTURE_MAX_SIDE)
		return err_set(e, ERR_LIMIT, "a picture of %zux%d is too large",
			       w->nr, height);
	im = gdImageCreate((int)w->nr, height);
	if (im) {
		draw(im, w);
		png = gdImagePngPtrEx(im, &size, COMPRESSION);
		gdImageDestroy(im);
	}
	if (!png)
		return err_set(e, ERR_MEDIA, "a picture cannot be written");
	*size_r = (size_t)size;
	data = arena_alloc(a, *size_r);
	memcpy(data, png, *size_r);
	*data_r = data;
	gdFree(png);
	return ERR_OK;
}
