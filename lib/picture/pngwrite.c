#include "config.h"

#include "picture/pngwrite.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "picture/pngread.h"

#define LEVEL	      1
#define FILTER_UP     2
#define STRIP_BYTES   ((size_t)256 * 1024)
#define WINDOW	      ((size_t)32 * 1024)
#define MAX_WBITS_RAW (-15)

#define HEADER	    13
#define CHUNK	    12 /* length, type and CRC */
#define COLOUR_RGB  2
#define COLOUR_RGBA 6

/* Some rows, and what becomes of them. */
struct strip {
	int first;
	int end;
	uint8_t *data; /* from malloc(); NULL: it failed */
	size_t size;
	uLong adler; /* of the filtered rows */
	size_t raw;  /* their bytes */
};

struct writer {
	const struct picture *picture;
	size_t stride; /* of a row in memory */
	int rows_a_strip;
	struct strip *strips;
	size_t nr;
	atomic_size_t next;
};

/* Rows first to end - 1 as they go into the compressor. */
static void filter(const struct writer *w, int first, int end, uint8_t *out)
{
	for (int y = first; y < end; y++) {
		const uint8_t *row = w->picture->pixels + (size_t)y * w->stride;
		const uint8_t *above = row - w->stride;

		*out++ = FILTER_UP;
		if (!y)
			memcpy(out, row, w->stride);
		for (size_t x = 0; y && x < w->stride; x++)
			out[x] = (uint8_t)(row[x] - above[x]);
		out += w->stride;
	}
}

/* size bytes behind the dictionary that is in front of them. */
static bool compress_strip(struct strip *strip, const uint8_t *data,
			   size_t size, size_t dictionary, bool is_last)
{
	z_stream z = { 0 };
	bool is_good;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, MAX_WBITS_RAW, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	if (dictionary)
		deflateSetDictionary(&z, data - dictionary, (uInt)dictionary);
	/* And the empty block at the end of those that go on. */
	strip->size = deflateBound(&z, size) + 16;
	strip->data = mem_alloc(strip->size);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = strip->data;
	z.avail_out = (uInt)strip->size;
	is_good = is_last ? deflate(&z, Z_FINISH) == Z_STREAM_END :
			    deflate(&z, Z_SYNC_FLUSH) == Z_OK;
	is_good &= !z.avail_in;
	strip->size = (size_t)(z.next_out - strip->data);
	deflateEnd(&z);
	return is_good;
}

static void make_strip(const struct writer *w, struct strip *strip)
{
	size_t row = w->stride + 1;
	int rows_before = (int)((WINDOW + row - 1) / row);
	size_t before, dictionary;
	uint8_t *data;

	if (rows_before > strip->first)
		rows_before = strip->first;
	before = (size_t)rows_before * row;
	dictionary = before < WINDOW ? before : WINDOW;
	strip->raw = (size_t)(strip->end - strip->first) * row;
	data = mem_alloc(before + strip->raw);
	filter(w, strip->first - rows_before, strip->end, data);
	strip->adler =
		adler32_z(adler32(0, NULL, 0), data + before, strip->raw);
	if (!compress_strip(strip, data + before, strip->raw, dictionary,
			    strip->end == w->picture->height)) {
		free(strip->data);
		strip->data = NULL;
	}
	free(data);
}

static void run_member(void *ctx, int member)
{
	struct writer *w = ctx;
	size_t i;

	UNUSED(member);
	while ((i = atomic_fetch_add(&w->next, 1)) < w->nr)
		make_strip(w, &w->strips[i]);
}

static void set_up(struct arena *a, struct writer *w)
{
	const struct picture *picture = w->picture;
	size_t rows;

	w->stride = (size_t)picture->width * (size_t)picture->nr_channels;
	rows = STRIP_BYTES / (w->stride + 1);
	w->rows_a_strip = rows ? (int)rows : 1;
	w->nr = (size_t)((picture->height - 1) / w->rows_a_strip + 1);
	w->strips = arena_alloc(a, w->nr * sizeof(*w->strips));
	for (size_t i = 0; i < w->nr; i++) {
		struct strip *strip = &w->strips[i];

		strip->first = (int)i * w->rows_a_strip;
		strip->end = i + 1 < w->nr ? strip->first + w->rows_a_strip :
					     picture->height;
	}
}

/* The file */

static uint8_t *put_be32(uint8_t *at, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(value >> shift);
	return at;
}

static uint8_t *begin_chunk(uint8_t *at, size_t size, const char *type)
{
	at = put_be32(at, (uint32_t)size);
	memcpy(at, type, 4);
	return at + 4;
}

/* from: where the chunk's type is. */
static uint8_t *end_chunk(uint8_t *at, const uint8_t *from)
{
	return put_be32(at, (uint32_t)crc32_z(crc32(0, NULL, 0), from,
					      (size_t)(at - from)));
}

static uint8_t *put_header(uint8_t *at, const struct picture *picture)
{
	uint8_t *from;

	memcpy(at, PNG_SIGNATURE, PNG_SIGNATURE_SIZE);
	at = begin_chunk(at + PNG_SIGNATURE_SIZE, HEADER, "IHDR");
	from = at - 4;
	at = put_be32(at, (uint32_t)picture->width);
	at = put_be32(at, (uint32_t)picture->height);
	*at++ = 8; /* bits of a sample */
	*at++ = picture->nr_channels == 4 ? COLOUR_RGBA : COLOUR_RGB;
	*at++ = 0; /* deflate */
	*at++ = 0; /* the five filters */
	*at++ = 0; /* not interlaced */
	return end_chunk(at, from);
}

/* The strips as one zlib stream: its header, the blocks, the checksum. */
static uint8_t *put_data(uint8_t *at, const struct writer *w, size_t size)
{
	uLong adler = adler32(0, NULL, 0);
	uint8_t *from;

	at = begin_chunk(at, size, "IDAT");
	from = at - 4;
	*at++ = 0x78; /* deflate, a window of 32 kB */
	*at++ = 0x01; /* fastest; makes the two a multiple of 31 */
	for (size_t i = 0; i < w->nr; i++) {
		const struct strip *strip = &w->strips[i];

		memcpy(at, strip->data, strip->size);
		at += strip->size;
		adler = adler32_combine(adler, strip->adler,
					(z_off_t)strip->raw);
	}
	return end_chunk(put_be32(at, (uint32_t)adler), from);
}

static bool assemble(struct arena *a, const struct writer *w,
		     const uint8_t **data_r, size_t *size_r)
{
	size_t size = 2 + 4; /* of a zlib stream's header and checksum */
	uint8_t *data, *at;

	for (size_t i = 0; i < w->nr; i++) {
		if (!w->strips[i].data)
			return false;
		size += w->strips[i].size;
	}
	data = arena_alloc(a, PNG_SIGNATURE_SIZE + 3 * CHUNK + HEADER + size);
	at = put_data(put_header(data, w->picture), w, size);
	at = begin_chunk(at, 0, "IEND");
	at = end_chunk(at, at - 4);
	*data_r = data;
	*size_r = (size_t)(at - data);
	return true;
}

enum err pngwrite(struct arena *a, const struct picture *picture,
		  int nr_threads, const uint8_t **data_r, size_t *size_r,
		  struct errmsg *e)
{
	struct writer w = { .picture = picture };
	bool is_whole;

	set_up(a, &w);
	team_run((size_t)nr_threads < w.nr ? nr_threads : (int)w.nr, run_member,
		 &w);
	is_whole = assemble(a, &w, data_r, size_r);
	for (size_t i = 0; i < w.nr; i++)
		free(w.strips[i].data);
	return is_whole ? ERR_OK :
			  err_set(e, ERR_IO, "a picture cannot be compressed");
}
