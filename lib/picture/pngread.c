#include "config.h"

#include "picture/pngread.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define CHUNK_OVERHEAD 12 /* length, name, checksum */
#define HEADER_SIZE    13
#define MAX_COLOURS    256

#define NAME(a, b, c, d)                                                       \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 |      \
	 (uint32_t)(d))
#define IHDR	     NAME('I', 'H', 'D', 'R')
#define PLTE	     NAME('P', 'L', 'T', 'E')
#define TRNS	     NAME('t', 'R', 'N', 'S')
#define ACTL	     NAME('a', 'c', 'T', 'L')
#define IDAT	     NAME('I', 'D', 'A', 'T')
#define IEND	     NAME('I', 'E', 'N', 'D')
#define IS_ANCILLARY NAME(0x20, 0, 0, 0) /* the bit */

enum colour {
	GREY = 0,
	RGB = 2,
	PALETTE = 3,
	GREY_ALPHA = 4,
	RGB_ALPHA = 6,
};

struct chunk {
	uint32_t name;
	uint32_t size;
	const uint8_t *data;
};

struct png {
	const uint8_t *at; /* the next chunk */
	const uint8_t *end;
	uint32_t width;
	uint32_t height;
	enum colour colour;
	int depth;
	int nr_samples; /* of a pixel */
	bool is_interlaced;
	uint8_t palette[MAX_COLOURS][4];
	uint32_t nr_colours;
	bool has_key;
	uint16_t key[3]; /* the colour that is clear */
	z_stream z;
	bool is_over; /* z came to its end */
};

/* The part of a picture that one pass has. */
struct pass {
	int left, top;
	int step_x, step_y;
};

bool pngread_is(const uint8_t *data, size_t size)
{
	return size >= PNG_SIGNATURE_SIZE &&
	       !memcmp(data, PNG_SIGNATURE, PNG_SIGNATURE_SIZE);
}

static enum err fail(struct errmsg *e, const char *what)
{
	return err_set(e, ERR_INPUT, "the PNG %s", what);
}

/* Chunks */

static uint32_t read32(const uint8_t *p)
{
	return NAME(p[0], p[1], p[2], p[3]);
}

static uint16_t read16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static enum err next_chunk(struct png *png, struct chunk *chunk,
			   struct errmsg *e)
{
	size_t left = (size_t)(png->end - png->at);
	const uint8_t *p = png->at;

	if (left < CHUNK_OVERHEAD)
		return fail(e, "is cut off");
	*chunk = (struct chunk){ read32(p + 4), read32(p), p + 8 };
	if (chunk->size > left - CHUNK_OVERHEAD)
		return fail(e, "is cut off");
	png->at += CHUNK_OVERHEAD + (size_t)chunk->size;
	if ((!(chunk->name & IS_ANCILLARY) || chunk->name == TRNS) &&
	    crc32(0, p + 4, chunk->size + 4) != read32(png->at - 4))
		return fail(e, "has a wrong checksum");
	return ERR_OK;
}

/* Whether there is such a mode; then how many samples a pixel has. */
static bool set_mode(struct png *png, int colour, int depth)
{
	static const struct {
		int nr_samples;
		unsigned depths; /* a bit each */
	} modes[] = {
		[GREY] = { 1, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16 },
		[RGB] = { 3, 1 << 8 | 1 << 16 },
		[PALETTE] = { 1, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 },
		[GREY_ALPHA] = { 2, 1 << 8 | 1 << 16 },
		[RGB_ALPHA] = { 4, 1 << 8 | 1 << 16 },
	};

	if (colour >= (int)ARRAY_SIZE(modes) || depth > 16 ||
	    !(modes[colour].depths >> depth & 1))
		return false;
	png->colour = (enum colour)colour;
	png->depth = depth;
	png->nr_samples = modes[colour].nr_samples;
	return true;
}

static enum err read_header(struct png *png, struct errmsg *e)
{
	struct chunk chunk;
	enum err err = next_chunk(png, &chunk, e);

	if (err)
		return err;
	if (chunk.name != IHDR || chunk.size != HEADER_SIZE)
		return fail(e, "has no header");
	png->width = read32(chunk.data);
	png->height = read32(chunk.data + 4);
	if (!set_mode(png, chunk.data[9], chunk.data[8]) || chunk.data[10] ||
	    chunk.data[11] || chunk.data[12] > 1)
		return fail(e, "is of no known mode");
	png->is_interlaced = chunk.data[12];
	return ERR_OK;
}

static enum err read_palette(struct png *png, const struct chunk *chunk,
			     struct errmsg *e)
{
	const uint8_t *p = chunk->data;

	if (!chunk->size || chunk->size % 3 || chunk->size / 3 > MAX_COLOURS)
		return fail(e, "has a palette that is broken");
	png->nr_colours = chunk->size / 3;
	for (uint32_t i = 0; i < png->nr_colours; i++, p += 3) {
		memcpy(png->palette[i], p, 3);
		png->palette[i][3] = 255;
	}
	return ERR_OK;
}

/* Of a palette the alpha of its first colours; else one colour. */
static enum err read_clear(struct png *png, const struct chunk *chunk,
			   struct errmsg *e)
{
	uint32_t nr = (uint32_t)png->nr_samples;

	if (png->colour == PALETTE) {
		for (uint32_t i = 0; i < chunk->size && i < png->nr_colours;
		     i++)
			png->palette[i][3] = chunk->data[i];
		return ERR_OK;
	}
	if (png->colour != GREY && png->colour != RGB)
		return ERR_OK;
	if (chunk->size != nr * 2)
		return fail(e, "has a clear colour that is broken");
	png->has_key = true;
	for (uint32_t i = 0; i < nr; i++)
		png->key[i] = read16(chunk->data + i * 2);
	return ERR_OK;
}

/* All up to the first piece of the picture, which z then has. */
static enum err read_front(struct png *png, struct errmsg *e)
{
	struct chunk chunk;
	enum err err;

	do {
		err = next_chunk(png, &chunk, e);
		if (err)
			return err;
		if (chunk.name == ACTL)
			return fail(e, "is animated; a PNG of one picture or a "
				       "JPEG is taken");
		if (chunk.name == PLTE && png->colour == PALETTE)
			err = read_palette(png, &chunk, e);
		else if (chunk.name == TRNS)
			err = read_clear(png, &chunk, e);
		else if (chunk.name != PLTE && chunk.name != IDAT &&
			 !(chunk.name & IS_ANCILLARY))
			err = fail(e, "has no picture, or a strange part "
				      "before it");
		if (err)
			return err;
	} while (chunk.name != IDAT);
	if (png->colour == PALETTE && !png->nr_colours)
		return fail(e, "has no palette");
	png->z.next_in = (Bytef *)(uintptr_t)chunk.data; /* only read */
	png->z.avail_in = chunk.size;
	return ERR_OK;
}

static enum err read_back(struct png *png, struct errmsg *e)
{
	struct chunk chunk;
	enum err err;

	do
		err = next_chunk(png, &chunk, e);
	while (!err && chunk.name != IEND);
	return err;
}

/* Rows */

static void end_inflate(void *ptr)
{
	struct png *png = ptr;

	inflateEnd(&png->z);
}

/* The next piece of the picture; the pieces follow each other. */
static enum err next_piece(struct png *png, struct errmsg *e)
{
	struct chunk chunk;
	enum err err = next_chunk(png, &chunk, e);

	if (!err && chunk.name != IDAT)
		err = fail(e, "has too little of its picture");
	if (err)
		return err;
	png->z.next_in = (Bytef *)(uintptr_t)chunk.data;
	png->z.avail_in = chunk.size;
	return ERR_OK;
}

/*
 * Inflates size bytes.  is_end: these must be too many, since all were read
 * that should be there.
 */
static enum err inflate_bytes(struct png *png, uint8_t *to, size_t size,
			      bool is_end, struct errmsg *e)
{
	png->z.next_out = to;
	png->z.avail_out = (uInt)size;
	while (png->z.avail_out && !png->is_over) {
		enum err err = png->z.avail_in ? ERR_OK : next_piece(png, e);
		int got;

		if (err)
			return err;
		got = inflate(&png->z, Z_NO_FLUSH);
		if (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR)
			return fail(e, "has a picture that cannot be inflated");
		png->is_over = got == Z_STREAM_END;
	}
	if (is_end != (png->z.avail_out > 0))
		return fail(e, is_end ? "has too much of its picture" :
					"has too little of its picture");
	return ERR_OK;
}

static int paeth(int left, int above, int corner)
{
	int to_left = abs(above - corner);
	int to_above = abs(left - corner);
	int to_corner = abs(left + above - 2 * corner);

	if (to_left <= to_above && to_left <= to_corner)
		return left;
	return to_above <= to_corner ? above : corner;
}

/* step: from a byte to the same one of the pixel before. */
static bool unfilter(int filter, uint8_t *row, const uint8_t *above,
		     size_t size, size_t step)
{
	for (size_t i = 0; i < size; i++) {
		int left = i < step ? 0 : row[i - step];
		int corner = i < step ? 0 : above[i - step];
		int add;

		switch (filter) {
		case 0:
			return true;
		case 1:
			add = left;
			break;
		case 2:
			add = above[i];
			break;
		case 3:
			add = (left + above[i]) / 2;
			break;
		case 4:
			add = paeth(left, above[i], corner);
			break;
		default:
			return false;
		}
		row[i] = (uint8_t)(row[i] + add);
	}
	return true;
}

/* Sample i of a row. */
static unsigned sample(const struct png *png, const uint8_t *row, int i)
{
	int at = i * png->depth;
	unsigned byte = row[at / 8];

	if (png->depth == 16)
		return read16(row + i * 2);
	return byte >> (8 - png->depth - at % 8) & ((1u << png->depth) - 1);
}

static uint8_t to_8_bits(const struct png *png, unsigned value)
{
	if (png->depth == 16)
		return (uint8_t)(value >> 8);
	return (uint8_t)(value * (255 / ((1u << png->depth) - 1)));
}

static bool is_clear(const struct png *png, const unsigned *values)
{
	unsigned mask = (1u << png->depth) - 1;

	if (!png->has_key)
		return false;
	for (int i = 0; i < png->nr_samples; i++)
		if (values[i] != (png->key[i] & mask))
			return false;
	return true;
}

/* Pixel x of a row. */
static enum err read_pixel(const struct png *png, const uint8_t *row, int x,
			   uint8_t to[4], struct errmsg *e)
{
	bool is_grey = png->colour == GREY || png->colour == GREY_ALPHA;
	bool has_alpha = png->nr_samples % 2 == 0;
	unsigned values[4];

	for (int i = 0; i < png->nr_samples; i++)
		values[i] = sample(png, row, x * png->nr_samples + i);
	if (png->colour == PALETTE) {
		if (values[0] >= png->nr_colours)
			return fail(e, "has colours that its palette lacks");
		memcpy(to, png->palette[values[0]], 4);
		return ERR_OK;
	}
	for (int i = 0; i < 3; i++)
		to[i] = to_8_bits(png, values[is_grey ? 0 : i]);
	if (has_alpha)
		to[3] = to_8_bits(png, values[png->nr_samples - 1]);
	else
		to[3] = is_clear(png, values) ? 0 : 255;
	return ERR_OK;
}

static enum err read_pixels(const struct png *png, const uint8_t *row, int nr,
			    uint8_t *to, int step, struct errmsg *e)
{
	enum err err = ERR_OK;

	if (png->colour == RGB_ALPHA && png->depth == 8 && step == 1) {
		memcpy(to, row, (size_t)nr * 4);
		return ERR_OK;
	}
	for (int x = 0; !err && x < nr; x++, to += (ptrdiff_t)step * 4)
		err = read_pixel(png, row, x, to, e);
	return err;
}

/* How many of size places every step-th from first on has. */
static int count(int size, int first, int step)
{
	return size <= first ? 0 : (size - first + step - 1) / step;
}

/* rows: room for two, each with its filter in front. */
static enum err read_pass(struct png *png, const struct pass *pass,
			  struct picture *to, uint8_t *rows[2],
			  struct errmsg *e)
{
	int width = count(to->width, pass->left, pass->step_x);
	int height = count(to->height, pass->top, pass->step_y);
	size_t bits = (size_t)png->nr_samples * (size_t)png->depth;
	size_t size = ((size_t)width * bits + 7) / 8;
	enum err err = ERR_OK;

	if (!width)
		return ERR_OK;
	memset(rows[1], 0, size + 1);
	for (int y = 0; !err && y < height; y++) {
		uint8_t *row = rows[y % 2];
		size_t at = (size_t)(pass->top + y * pass->step_y) *
				    (size_t)to->width +
			    (size_t)pass->left;

		err = inflate_bytes(png, row, size + 1, false, e);
		if (!err && !unfilter(row[0], row + 1, rows[(y + 1) % 2] + 1,
				      size, bits < 8 ? 1 : bits / 8))
			err = fail(e, "has a row of no known filter");
		if (!err)
			err = read_pixels(png, row + 1, width,
					  to->pixels + at * 4, pass->step_x, e);
	}
	return err;
}

static enum err read_picture(struct png *png, struct arena *a,
			     struct picture *to, struct errmsg *e)
{
	static const struct pass whole = { 0, 0, 1, 1 };
	static const struct pass passes[] = {
		{ 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 }, { 2, 0, 4, 4 },
		{ 0, 2, 2, 4 }, { 1, 0, 2, 2 }, { 0, 1, 1, 2 },
	};
	size_t most = (size_t)to->width * 8 + 1;
	uint8_t *rows[2] = { arena_alloc(a, most), arena_alloc(a, most) };
	uint8_t behind;
	enum err err = ERR_OK;

	if (!png->is_interlaced)
		err = read_pass(png, &whole, to, rows, e);
	for (size_t i = 0; png->is_interlaced && !err && i < ARRAY_SIZE(passes);
	     i++)
		err = read_pass(png, &passes[i], to, rows, e);
	return err ? err : inflate_bytes(png, &behind, 1, true, e);
}

enum err pngread(struct arena *a, const uint8_t *data, size_t size,
		 struct picture *picture_r, struct errmsg *e)
{
	struct png *png = ARENA_NEW(a, struct png);
	enum err err;

	png->at = data + PNG_SIGNATURE_SIZE;
	png->end = data + size;
	err = read_header(png, e);
	if (!err)
		err = picture_new_read(a, png->width, png->height, picture_r,
				       e);
	if (!err)
		err = read_front(png, e);
	if (err)
		return err;
	arena_defer(a, end_inflate, png);
	if (inflateInit(&png->z) != Z_OK)
		return err_set(e, ERR_MEDIA, "nothing can be inflated");
	err = read_picture(png, a, picture_r, e);
	return err ? err : read_back(png, e);
}
