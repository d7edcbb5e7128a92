/*
 * fuzz_template.c - any bytes as a picture, and a frame under it.
 *
 * In front are two boxes, eight numbers of 16 bits.  The picture is read as it
 * is, and again with the checksums that PNG's chunks should have.
 */
#include "config.h"

#include <stdbool.h>

#include <zlib.h>

#include "picture/picread.h"
#include "picture/thumbnail.h"

#include "fuzz.h"

#define FRAME_WIDTH  37
#define FRAME_HEIGHT 23

/* What takes long finds no more than what does not. */
#define MAX_PIXELS (512 * 512)

#define FRONT (8 * sizeof(int16_t))

static struct picture make_frame(struct arena *a)
{
	struct picture frame;
	struct errmsg e;

	MUST(!picture_new(a, FRAME_WIDTH, FRAME_HEIGHT, 3, &frame, &e));
	for (int i = 0; i < FRAME_WIDTH * FRAME_HEIGHT * 3; i++)
		frame.pixels[i] = (uint8_t)(i % 3 ? 255 * (i % 2) : i);
	return frame;
}

static void compose(struct arena *a, const int16_t sides[8],
		    const struct picture *template)
{
	struct box crop = { sides[0], sides[1], sides[2], sides[3] };
	struct box location = { sides[4], sides[5], sides[6], sides[7] };
	struct picture frame = make_frame(a);
	struct picture result;
	struct errmsg e = { "" };
	bool is_box = !box_check(&crop, &e) && !box_check(&location, &e);
	enum err err = thumbnail_compose(a, &frame, &crop, &location, template,
					 &result, &e);

	MUST(is_box == !err);
	MUST(!err || e.text[0]);
	MUST(err ||
	     (result.width == template->width &&
	      result.height == template->height && result.nr_channels == 4));
}

static void read_template(const int16_t sides[8], const uint8_t *data,
			  size_t size)
{
	struct arena a;
	struct picture template;
	struct errmsg e = { "" };

	arena_init(&a);
	if (picread(&a, data, size, &template, &e)) {
		MUST(e.text[0]);
	} else {
		MUST(template.nr_channels == 4);
		MUST(template.width <= PICTURE_MAX_READ);
		MUST(template.height <= PICTURE_MAX_READ);
		if (template.width * template.height <= MAX_PIXELS)
			compose(&a, sides, &template);
	}
	arena_release(&a);
}

static void mend_checksums(uint8_t *data, size_t size)
{
	for (size_t at = 8; size - at >= 12;) {
		size_t len = (size_t)data[at] << 24 |
			     (size_t)data[at + 1] << 16 |
			     (size_t)data[at + 2] << 8 | data[at + 3];
		uint32_t sum;

		if (len > size - at - 12)
			break;
		sum = (uint32_t)crc32(0, data + at + 4, (uInt)len + 4);
		at += len + 8;
		for (int shift = 24; shift >= 0; shift -= 8)
			data[at++] = (uint8_t)(sum >> shift);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int16_t sides[8];
	uint8_t *copy;

	if (size < FRONT)
		return 0;
	memcpy(sides, data, FRONT);
	copy = fuzz_copy(data + FRONT, size - FRONT);
	read_template(sides, copy, size - FRONT);
	if (size - FRONT > 8) {
		mend_checksums(copy, size - FRONT);
		read_template(sides, copy, size - FRONT);
	}
	free(copy);
	return 0;
}
