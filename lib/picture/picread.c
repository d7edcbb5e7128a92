#include "config.h"

#include "picture/picread.h"

#include <string.h>

#include "picture/jpegread.h"
#include "picture/pngread.h"

enum err picread_new(struct arena *a, uint32_t width, uint32_t height,
		     struct picture *picture_r, struct errmsg *e)
{
	if (!width || !height)
		return err_set(e, ERR_INPUT, "the picture has no pixels");
	if (width > PICREAD_MAX_SIDE || height > PICREAD_MAX_SIDE)
		return err_set(e, ERR_INPUT,
			       "the picture has %ux%u pixels; at most %d wide "
			       "and high are taken",
			       width, height, PICREAD_MAX_SIDE);
	return picture_new(a, (int)width, (int)height, 4, picture_r, e);
}

enum err picread(struct arena *a, const uint8_t *data, size_t size,
		 struct picture *picture_r, struct errmsg *e)
{
	if (!size)
		return err_set(e, ERR_INPUT, "the picture is empty");
	if (pngread_is(data, size))
		return pngread(a, data, size, picture_r, e);
	if (jpegread_is(data, size))
		return jpegread(a, data, size, picture_r, e);
	return err_set(e, ERR_INPUT, "the picture is neither PNG nor JPEG");
}
