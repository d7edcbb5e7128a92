#include "config.h"

#include "picture/jpegread.h"

#include <string.h>

#include <gd.h>

/* A progressive picture has some ten; each may cost as much as a picture. */
#define MAX_SCANS 64

enum marker {
	SOF0 = 0xc0,
	DHT = 0xc4,
	JPG = 0xc8,
	DAC = 0xcc,
	SOF15 = 0xcf,
	RST0 = 0xd0,
	RST7 = 0xd7,
	SOI = 0xd8,
	EOI = 0xd9,
	SOS = 0xda,
	TEM = 0x01,
};

struct jpeg {
	const uint8_t *at;
	const uint8_t *end;
	uint32_t width;
	uint32_t height;
	unsigned nr_scans;
};

bool jpegread_is(const uint8_t *data, size_t size)
{
	return size >= 3 && data[0] == 0xff && data[1] == SOI &&
	       data[2] == 0xff;
}

static enum err fail(struct errmsg *e, const char *what)
{
	return err_set(e, ERR_INPUT, "the JPEG %s", what);
}

/* Past the next marker; what is before it is no part of anything, or a scan. */
static bool next_marker(struct jpeg *jpeg, int *marker_r)
{
	while (jpeg->end - jpeg->at >= 2) {
		const uint8_t *p = memchr(jpeg->at, 0xff,
					  (size_t)(jpeg->end - jpeg->at - 1));

		if (!p)
			return false;
		jpeg->at = p + 1;
		/* 0: a byte of a scan, 0xff: a filling one */
		if (p[1] == 0 || p[1] == 0xff)
			continue;
		jpeg->at = p + 2;
		*marker_r = p[1];
		return true;
	}
	return false;
}

static bool is_alone(int marker)
{
	return (marker >= RST0 && marker <= SOI) || marker == TEM;
}

static bool is_frame(int marker)
{
	return marker >= SOF0 && marker <= SOF15 && marker != DHT &&
	       marker != JPG && marker != DAC;
}

static enum err read_size(struct jpeg *jpeg, size_t size, struct errmsg *e)
{
	const uint8_t *p = jpeg->at;

	if (size < 8 || jpeg->width)
		return fail(e, "has no size, or two");
	jpeg->height = (uint32_t)p[3] << 8 | p[4];
	jpeg->width = (uint32_t)p[5] << 8 | p[6];
	if (!jpeg->width || !jpeg->height)
		return fail(e, "does not say its size");
	return ERR_OK;
}

/* To the end of the picture. */
static enum err walk(struct jpeg *jpeg, struct errmsg *e)
{
	enum err err = ERR_OK;
	int marker;

	while (!err) {
		size_t size;

		if (!next_marker(jpeg, &marker))
			return fail(e, "is cut off");
		if (marker == EOI)
			break;
		if (is_alone(marker))
			continue;
		if (jpeg->end - jpeg->at < 2)
			return fail(e, "is cut off");
		size = (size_t)jpeg->at[0] << 8 | jpeg->at[1];
		if (size < 2 || size > (size_t)(jpeg->end - jpeg->at))
			return fail(e, "is cut off");
		if (is_frame(marker))
			err = read_size(jpeg, size, e);
		if (marker == SOS && ++jpeg->nr_scans > MAX_SCANS)
			err = fail(e, "has too many scans");
		jpeg->at += size;
	}
	if (!err && (!jpeg->width || !jpeg->nr_scans))
		err = fail(e, "has no picture");
	return err;
}

/* What libgd has to say would go to standard error. */
static void be_silent(int priority, const char *format, va_list args)
{
	UNUSED(priority);
	UNUSED(format);
	UNUSED(args);
}

static void copy_pixels(gdImagePtr image, struct picture *to)
{
	uint8_t *p = to->pixels;

	for (int y = 0; y < to->height; y++)
		for (int x = 0; x < to->width; x++, p += 4) {
			int colour = gdImageTrueColorPixel(image, x, y);

			p[0] = (uint8_t)gdTrueColorGetRed(colour);
			p[1] = (uint8_t)gdTrueColorGetGreen(colour);
			p[2] = (uint8_t)gdTrueColorGetBlue(colour);
			p[3] = 255;
		}
}

/* image: NULL if there is none. */
static bool is_of_size(gdImagePtr image, const struct picture *picture)
{
	return image && gdImageSX(image) == picture->width &&
	       gdImageSY(image) == picture->height;
}

enum err jpegread(struct arena *a, const uint8_t *data, size_t size,
		  struct picture *picture_r, struct errmsg *e)
{
	struct jpeg jpeg = { .at = data + 2, .end = data + size };
	enum err err = walk(&jpeg, e);
	gdImagePtr image;

	if (!err)
		err = picture_new_read(a, jpeg.width, jpeg.height, picture_r,
				       e);
	if (err)
		return err;
	gdSetErrorMethod(be_silent);
	image = gdImageCreateFromJpegPtr((int)(jpeg.at - data),
					 (void *)(uintptr_t)data);
	if (is_of_size(image, picture_r))
		copy_pixels(image, picture_r);
	else
		err = fail(e, "cannot be decoded");
	if (image)
		gdImageDestroy(image);
	return err;
}
