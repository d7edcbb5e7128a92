/*
 * test_picread.c - PNG and JPEG from outside: all modes, all that is broken.
 */
#include "config.h"

#include "picture/picread.h"

#include <zlib.h>

#include "base/text.h"
#include "picture/picfile.h"

#include "inarena.h"

#define MAX_FILE ((size_t)64 * 1024 * 1024)

static uint64_t seed = 1;

/* ---- files ---- */

static void put32(struct text *t, uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		text_putc(t, (char)(value >> shift));
}

static void put_chunk(struct text *t, const char *name, const void *data,
		      size_t size)
{
	size_t at = t->len + 4;

	put32(t, (uint32_t)size);
	text_puts(t, name);
	if (size)
		text_append(t, data, size);
	put32(t, (uint32_t)crc32(0, (const Bytef *)t->data + at,
				 (uInt)(size + 4)));
}

static void put_header(struct text *t, uint32_t width, uint32_t height,
		       int depth, int colour, int interlace)
{
	struct text *h = text_new(&arena, 13);

	put32(h, width);
	put32(h, height);
	text_putc(h, (char)depth);
	text_putc(h, (char)colour);
	text_putc(h, 0);
	text_putc(h, 0);
	text_putc(h, (char)interlace);
	text_append(t, "\x89PNG\r\n\x1a\n", 8);
	put_chunk(t, "IHDR", h->data, h->len);
}

/* Rows with their filters in front, in pieces of at most that many bytes. */
static void put_rows(struct text *t, const void *rows, size_t size,
		     size_t piece)
{
	uLongf left = compressBound(size);
	uint8_t *packed = arena_alloc(&arena, left);

	assert_int_equal(compress2(packed, &left, rows, size, 1), Z_OK);
	for (; left; packed += piece, left -= piece) {
		piece = piece < left ? piece : left;
		put_chunk(t, "IDAT", packed, piece);
	}
}

static struct text *new_file(void)
{
	return text_new(&arena, MAX_FILE);
}

static enum err read_file(const void *data, size_t size,
			  struct picture *picture_r, struct errmsg *e)
{
	/* A block of its own: a read past it is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	enum err err;

	assert_non_null(copy);
	memcpy(copy, data, size);
	e->text[0] = '\0';
	err = picread(&arena, copy, size, picture_r, e);
	free(copy);
	if (err) {
		assert_int_equal(err, ERR_INPUT);
		assert_true(e->text[0]);
		assert_null(strchr(e->text, '\n'));
	}
	return err;
}

static struct picture must_read(const struct text *file)
{
	struct picture picture;
	struct errmsg e;

	if (read_file(file->data, file->len, &picture, &e))
		fail_msg("%s", e.text);
	assert_int_equal(picture.nr_channels, 4);
	return picture;
}

static void must_refuse(const struct text *file, const char *words)
{
	struct picture picture;
	struct errmsg e;

	assert_int_equal(read_file(file->data, file->len, &picture, &e),
			 ERR_INPUT);
	print_message("# %s\n", e.text);
	assert_non_null(strstr(e.text, words));
}

/* ---- modes ---- */

/* One row of two pixels. */
static const struct mode {
	int colour;
	int depth;
	size_t size;
	const char *row;
	size_t clear_size;
	const char *clear;
	const char *want;
} modes[] = {
	{ 0, 1, 1, "\x40", 0, "", "\0\0\0\377\377\377\377\377" },
	{ 0, 1, 1, "\x40", 2, "\0\1", "\0\0\0\377\377\377\377\0" },
	{ 0, 2, 1, "\x90", 0, "", "\252\252\252\377\125\125\125\377" },
	{ 0, 2, 1, "\x90", 2, "\0\2", "\252\252\252\0\125\125\125\377" },
	{ 0, 4, 1, "\x1f", 0, "", "\21\21\21\377\377\377\377\377" },
	{ 0, 4, 1, "\x1f", 2, "\0\17", "\21\21\21\377\377\377\377\0" },
	{ 0, 8, 2, "\x07\xf0", 0, "", "\7\7\7\377\360\360\360\377" },
	{ 0, 8, 2, "\x07\xf0", 2, "\0\7", "\7\7\7\0\360\360\360\377" },
	{ 0, 16, 4, "\1\2\1\3", 0, "", "\1\1\1\377\1\1\1\377" },
	{ 0, 16, 4, "\1\2\1\3", 2, "\1\3", "\1\1\1\377\1\1\1\0" },
	{ 2, 8, 6, "\1\2\3\1\2\4", 0, "", "\1\2\3\377\1\2\4\377" },
	{ 2, 8, 6, "\1\2\3\1\2\4", 6, "\0\1\0\2\0\4", "\1\2\3\377\1\2\4\0" },
	{ 2, 16, 12, "\1\0\2\0\3\0\1\0\2\0\3\1", 6, "\1\0\2\0\3\0",
	  "\1\2\3\0\1\2\3\377" },
	{ 3, 1, 1, "\x40", 0, "", "abc\377def\377" },
	{ 3, 2, 1, "\x60", 1, "\5", "def\377ghi\377" },
	{ 3, 4, 1, "\x20", 3, "\0\1\2", "ghi\2abc\0" },
	{ 3, 8, 2, "\0\2", 2, "\1\2", "abc\1ghi\377" },
	{ 4, 8, 4, "\1\2\3\4", 0, "", "\1\1\1\2\3\3\3\4" },
	{ 4, 16, 8, "\1\0\2\0\3\0\4\0", 0, "", "\1\1\1\2\3\3\3\4" },
	{ 6, 8, 8, "\1\2\3\4\5\6\7\0", 0, "", "\1\2\3\4\5\6\7\0" },
	{ 6, 16, 16, "\1\0\2\0\3\0\4\0\5\0\6\0\7\0\0\377", 0, "",
	  "\1\2\3\4\5\6\7\0" },
};

static void test_modes(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct mode *m = &modes[i];
		struct text *file = new_file();
		struct picture picture;
		char row[32] = { 0 };

		print_message("# colour %d, depth %d, %zu clear\n", m->colour,
			      m->depth, m->clear_size);
		memcpy(row + 1, m->row, m->size);
		put_header(file, 2, 1, m->depth, m->colour, 0);
		if (m->colour == 3)
			put_chunk(file, "PLTE", "abcdefghi", 9);
		put_chunk(file, "tEXt", "not looked at", 13);
		if (m->clear_size)
			put_chunk(file, "tRNS", m->clear, m->clear_size);
		put_rows(file, row, m->size + 1, 5);
		put_chunk(file, "IEND", "", 0);
		text_puts(file, "what follows is not looked at");
		picture = must_read(file);
		assert_int_equal(picture.width, 2);
		assert_int_equal(picture.height, 1);
		assert_memory_equal(picture.pixels, m->want, 8);
	}
}

static void test_no_modes(void **state)
{
	static const int allowed[7][5] = {
		[0] = { 1, 2, 4, 8, 16 }, [2] = { 8, 16 }, [3] = { 1, 2, 4, 8 },
		[4] = { 8, 16 },	  [6] = { 8, 16 },
	};

	UNUSED(state);
	for (int colour = 0; colour < 256; colour++)
		for (int depth = 0; depth < 256; depth++) {
			struct text *file = new_file();
			struct picture picture;
			struct errmsg e;
			bool is_mode = false;

			for (size_t i = 0; colour < 7 && i < 5; i++)
				is_mode |= depth && allowed[colour][i] == depth;
			put_header(file, 2, 1, depth, colour, 0);
			assert_int_equal(
				read_file(file->data, file->len, &picture, &e),
				ERR_INPUT);
			assert_int_equal(!strstr(e.text, "mode"), is_mode);
		}
}

/* ---- filters and interlacing ---- */

static uint8_t predict(int filter, int left, int above, int corner)
{
	int guess = left + above - corner;
	int by_left = abs(guess - left);
	int by_above = abs(guess - above);
	int by_corner = abs(guess - corner);

	switch (filter) {
	case 1:
		return (uint8_t)left;
	case 2:
		return (uint8_t)above;
	case 3:
		return (uint8_t)((left + above) / 2);
	case 4:
		if (by_left <= by_above && by_left <= by_corner)
			return (uint8_t)left;
		return (uint8_t)(by_above <= by_corner ? above : corner);
	default:
		return 0;
	}
}

/* Each pixel of a step as rows, with a filter of any kind for each. */
static void put_filtered(struct text *rows, const struct picture *p,
			 const int step[4])
{
	for (int y = step[1]; y < p->height; y += step[3]) {
		int filter = (int)(unit_random(&seed) % 5);

		if (step[0] < p->width)
			text_putc(rows, (char)filter);
		for (int x = step[0]; x < p->width; x += step[2])
			for (int i = 0; i < 4; i++) {
				const uint8_t *at =
					p->pixels + (y * p->width + x) * 4 + i;
				ptrdiff_t up =
					(ptrdiff_t)step[3] * p->width * 4;
				bool has_left = x > step[0];
				bool has_above = y > step[1];

				text_putc(
					rows,
					(char)(*at -
					       predict(filter,
						       has_left ? at[-step[2] *
								     4] :
								  0,
						       has_above ? at[-up] : 0,
						       has_left && has_above ?
							       at[-up -
								  step[2] * 4] :
							       0)));
			}
	}
}

static struct picture noise(int width, int height, int nr_channels)
{
	struct picture picture;
	struct errmsg e;

	assert_int_equal(
		picture_new(&arena, width, height, nr_channels, &picture, &e),
		ERR_OK);
	for (int i = 0; i < width * height * nr_channels; i++)
		picture.pixels[i] = (uint8_t)unit_random(&seed);
	return picture;
}

static void assert_same(const struct picture *got, const struct picture *want)
{
	assert_int_equal(got->width, want->width);
	assert_int_equal(got->height, want->height);
	assert_memory_equal(got->pixels, want->pixels,
			    (size_t)got->width * (size_t)got->height * 4);
}

static void put_picture(struct text *file, const struct picture *p,
			bool is_interlaced)
{
	static const int passes[8][4] = {
		{ 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 }, { 2, 0, 4, 4 },
		{ 0, 2, 2, 4 }, { 1, 0, 2, 2 }, { 0, 1, 1, 2 }, { 0, 0, 1, 1 },
	};
	struct text *rows = text_new(&arena, MAX_FILE);

	for (size_t i = is_interlaced ? 0 : 7; i < (is_interlaced ? 7 : 8); i++)
		put_filtered(rows, p, passes[i]);
	put_header(file, (uint32_t)p->width, (uint32_t)p->height, 8, 6,
		   is_interlaced);
	put_rows(file, rows->data, rows->len, 100);
	put_chunk(file, "IEND", "", 0);
}

static void test_filters(void **state)
{
	UNUSED(state);
	for (int nr = 0; nr < 400; nr++) {
		struct picture want = noise(1 + nr % 17, 1 + nr % 19, 4);
		struct text *file = new_file();
		struct picture got;

		put_picture(file, &want, nr % 3 == 0);
		got = must_read(file);
		assert_same(&got, &want);
	}
}

/* ---- what is broken ---- */

static void test_broken(void **state)
{
	struct picture want = noise(9, 7, 4);
	struct text *file = new_file();
	struct picture got;
	struct errmsg e;

	UNUSED(state);
	put_picture(file, &want, true);
	for (size_t size = 0; size < file->len; size++)
		assert_int_equal(read_file(file->data, size, &got, &e),
				 ERR_INPUT);
	for (size_t i = 0; i < file->len; i++)
		for (int bit = 0; bit < 8; bit++) {
			file->data[i] ^= (char)(1 << bit);
			assert_int_equal(
				read_file(file->data, file->len, &got, &e),
				ERR_INPUT);
			file->data[i] ^= (char)(1 << bit);
		}
	must_read(file);
}

static void test_sizes(void **state)
{
	static const uint32_t bad[][2] = {
		{ 0, 1 },    { 1, 0 },	       { 4097, 1 },
		{ 1, 4097 }, { 30000, 30000 }, { 0x80000000, 1 },
		{ 1, -1u },  { 65536, 65536 },
	};
	static const char row[5] = { 0 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct text *file = new_file();

		put_header(file, bad[i][0], bad[i][1], 8, 6, 0);
		put_rows(file, row, sizeof(row), 100);
		put_chunk(file, "IEND", "", 0);
		must_refuse(file, "pixels");
	}
}

/* More and less than there should be; a lot more takes no longer. */
static void test_lengths(void **state)
{
	static const size_t sizes[] = { 1, 45, 49, 51, 54, MAX_FILE };
	char *rows = arena_alloc(&arena, MAX_FILE);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct text *file = new_file();

		put_header(file, 4, 2, 16, 2, 0); /* 2 * 25 bytes */
		put_rows(file, rows, sizes[i], 10000);
		put_chunk(file, "IEND", "", 0);
		must_refuse(file, sizes[i] < 50 ? "too little" : "too much");
	}
}

static void put_end(struct text *file, const char *row, size_t size)
{
	put_rows(file, row, size, 100);
	put_chunk(file, "IEND", "", 0);
}

static void test_chunks(void **state)
{
	struct text *file = new_file();

	UNUSED(state);
	put_header(file, 1, 1, 8, 3, 0);
	put_end(file, "\0\0", 2);
	must_refuse(file, "no palette");
	text_clear(file);
	put_header(file, 1, 1, 8, 3, 0);
	put_chunk(file, "PLTE", "abcdef", 6);
	put_end(file, "\0\2", 2);
	must_refuse(file, "palette lacks");
	text_clear(file);
	put_header(file, 1, 1, 8, 3, 0);
	put_chunk(file, "PLTE", "abcde", 5);
	must_refuse(file, "palette that is broken");
	text_clear(file);
	put_header(file, 1, 1, 8, 0, 0);
	put_chunk(file, "tRNS", "a", 1);
	must_refuse(file, "clear colour");
	text_clear(file);
	put_header(file, 1, 1, 8, 0, 0);
	put_chunk(file, "acTL", "\0\0\0\2\0\0\0\0", 8);
	put_end(file, "\0\0", 2);
	must_refuse(file, "animated");
	text_clear(file);
	put_header(file, 1, 1, 8, 0, 0);
	put_chunk(file, "ABCD", "", 0);
	must_refuse(file, "strange part");
	text_clear(file);
	put_header(file, 1, 1, 8, 0, 0);
	put_chunk(file, "IEND", "", 0);
	must_refuse(file, "no picture");
	text_clear(file);
	put_header(file, 1, 1, 8, 0, 0);
	put_end(file, "\5\0", 2);
	must_refuse(file, "filter");
	text_clear(file);
	text_puts(file, "GIF89a");
	must_refuse(file, "neither PNG nor JPEG");
	text_clear(file);
	must_refuse(file, "empty");
}

/* ---- JPEG, and what we write ourselves ---- */

static struct text *encode(const struct picture *p, enum picfile_kind kind)
{
	struct text *file = new_file();
	const uint8_t *data;
	size_t size;
	struct errmsg e;

	assert_int_equal(picfile_encode(&arena, p, kind, 2, &data, &size, &e),
			 ERR_OK);
	text_append(file, data, size);
	return file;
}

static void test_ours(void **state)
{
	struct picture want = noise(40, 30, 4);
	struct picture got;

	UNUSED(state);
	got = must_read(encode(&want, PICFILE_PNG));
	assert_same(&got, &want);
	want = noise(16, 16, 3);
	for (int i = 0; i < 16 * 16; i++)
		memcpy(want.pixels + i * 3, "\x20\x90\xf0", 3);
	got = must_read(encode(&want, PICFILE_JPEG));
	for (int i = 0; i < 16 * 16; i++) {
		const uint8_t *p = got.pixels + i * 4;

		assert_in_range(p[0], 0x20 - 4, 0x20 + 4);
		assert_in_range(p[1], 0x90 - 4, 0x90 + 4);
		assert_in_range(p[2], 0xf0 - 4, 0xf0 + 4);
		assert_int_equal(p[3], 255);
	}
}

/* Where two bytes are in a file. */
static size_t find(const struct text *file, const char two[2])
{
	const char *p = memmem(file->data, file->len, two, 2);

	assert_non_null(p);
	return (size_t)(p - file->data);
}

static void test_jpeg_broken(void **state)
{
	struct picture from = noise(24, 16, 3);
	struct text *file = encode(&from, PICFILE_JPEG);
	struct picture got;
	struct errmsg e;
	size_t nr = 0;

	UNUSED(state);
	must_read(file);
	for (size_t size = 0; size < file->len; size++)
		assert_int_equal(read_file(file->data, size, &got, &e),
				 ERR_INPUT);
	for (int k = 0; k < 20000; k++) {
		size_t at = unit_random(&seed) % file->len;
		char was = file->data[at];

		file->data[at] = (char)unit_random(&seed);
		nr += read_file(file->data, file->len, &got, &e) == ERR_OK;
		file->data[at] = was;
	}
	print_message("# of 20000 changes %zu are a picture\n", nr);
	text_append(file, "\xff\xd8 behind", 9);
	must_read(file);
}

static void test_jpeg_parts(void **state)
{
	struct picture from = noise(24, 16, 3);
	struct text *file = encode(&from, PICFILE_JPEG);
	size_t frame = find(file, "\xff\xc0");
	struct text *many = new_file();

	UNUSED(state);
	memcpy(file->data + frame + 5, "\xff\xff\x00\x10", 4);
	must_refuse(file, "16x65535 pixels");
	memcpy(file->data + frame + 5, "\x00\x00\x00\x10", 4);
	must_refuse(file, "does not say its size");
	memcpy(file->data + frame, "\xff\xe0", 2);
	must_refuse(file, "no picture");
	text_append(many, "\xff\xd8\xff\xc0\0\10\10\0\1\0\1\1", 12);
	for (int i = 0; i < 65; i++)
		text_append(many, "\xff\xda\0\2", 4);
	text_append(many, "\xff\xd9", 2);
	must_refuse(many, "too many scans");
	text_clear(many);
	text_append(many, "\xff\xd8\xff\xd9", 4);
	must_refuse(many, "no picture");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_no_modes),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_jpeg_broken),
		cmocka_unit_test(test_jpeg_parts),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
