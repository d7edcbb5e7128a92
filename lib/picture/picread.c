#include "config.h"

#include "picture/picread.h"

#include "picture/jpegread.h"
#include "picture/pngread.h"

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
