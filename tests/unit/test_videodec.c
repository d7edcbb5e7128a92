/*
 * test_videodec.c - pictures of a window of units, against what the ffmpeg
 * program decodes.
 *
 * The streams are made by that program; without it only hostile input is
 * tested, and the rest is skipped aloud.
 */
#include "config.h"

#include "media/videodec.h"

#include <libavutil/imgutils.h>
#include <libavutil/md5.h>

#include "media/ts.h"

#include "inarena.h"

#define VIDEO "-f lavfi -i testsrc2=s=320x180:r=30:d=4 "
#define X264  "-c:v libx264 -preset veryfast -g 40 -sc_threshold 0 -level 3 "

#define MAX_PICTURES 2000

static const struct {
	const char *what;
	const char *args;
	bool hides_order; /* bitstream_restriction_flag is cleared */
} sources[] = {
	{ "no B-frames", VIDEO X264 "-bf 0", false },
	{ "B-frames", VIDEO X264 "-bf 2", false },
	{ "pyramid", VIDEO X264 "-bf 4 -x264-params b-pyramid=normal", false },
	{ "open GOP", VIDEO X264 "-bf 2 -x264-params open-gop=1", false },
	{ "open GOP, pyramid",
	  VIDEO X264 "-bf 4 -x264-params open-gop=1:b-pyramid=normal", false },
	{ "B-frames, unsaid", VIDEO X264 "-bf 2", true },
	{ "pyramid, unsaid", VIDEO X264 "-bf 4 -x264-params b-pyramid=normal",
	  true },
	{ "interlaced", VIDEO X264 "-bf 2 -flags +ildct+ilme", false },
	{ "slices", VIDEO X264 "-bf 2 -slices 4", false },
	{ "MPEG-2", VIDEO "-c:v mpeg2video -bf 2 -g 12", false },
};

struct picture {
	int64_t pts;
	char md5[33];
};

struct pictures {
	struct picture all[MAX_PICTURES];
	size_t nr;
	size_t max; /* take refuses more */
};

static bool has_ffmpeg(void)
{
	return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

/* Exp-Golomb: false if it goes beyond nr bits. */
static bool take_ue(const uint8_t *bits, size_t nr, size_t *at, unsigned *value)
{
	unsigned zeros = 0;

	while (*at < nr && !bits[*at]) {
		zeros++;
		(*at)++;
	}
	if (zeros > 16 || *at + zeros >= nr)
		return false;
	for (*value = 0; zeros + 1; zeros--)
		*value = *value << 1 | bits[(*at)++];
	(*value)--;
	return true;
}

/*
 * Ends an SPS of x264's before its bitstream restriction.  Of that it writes
 * the same: the flag, then 1, 0, 0, a length twice, and two small numbers at
 * the very end.
 */
static bool clear_restriction(uint8_t *sps, size_t size)
{
	uint8_t bits[8 * 200];
	size_t nr = size * 8;
	size_t p;

	assert_true(nr <= sizeof(bits));
	for (size_t i = 0; i < nr; i++)
		bits[i] = sps[i / 8] >> (7 - i % 8) & 1;
	for (p = nr - 8; p; p--) {
		unsigned across, down, reorder, buffering;
		size_t at = p + 4;

		if (!(bits[p] && bits[p + 1] && bits[p + 2] && bits[p + 3]) ||
		    !take_ue(bits, nr, &at, &across) ||
		    !take_ue(bits, nr, &at, &down) ||
		    !take_ue(bits, nr, &at, &reorder) ||
		    !take_ue(bits, nr, &at, &buffering) || across != down)
			continue;
		break;
	}
	if (!p)
		return false;
	for (size_t i = p; i < nr; i++)
		sps[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	sps[(p + 1) / 8] |= (uint8_t)(0x80 >> (p + 1) % 8); /* the stop bit */
	return true;
}

static void hide_order(struct tsfile *file)
{
	unsigned nr = 0;

	for (size_t i = 0; i < file->nr_units; i++) {
		/* The bytes are the arena's, and ours to change. */
		uint8_t *d = (uint8_t *)(uintptr_t)file->units[i].data;
		size_t size = file->units[i].size;

		for (size_t k = 0; k + 4 < size; k++) {
			size_t last = k + 3;

			if (d[k] || d[k + 1] || d[k + 2] != 1 ||
			    (d[k + 3] & 0x1f) != 7)
				continue;
			while (last + 4 < size &&
			       (d[last + 1] || d[last + 2] || d[last + 3] > 1))
				last++;
			assert_true(clear_restriction(d + k + 3, last - k - 2));
			nr++;
		}
	}
	assert_true(nr >= 2);
}

static void make(const char *args)
{
	char command[2000];

	snprintf(command, sizeof(command),
		 "ffmpeg -v error -nostdin -y -bitexact %s -f mpegts '%s/x.ts'",
		 args, unit_dir);
	if (system(command) != 0)
		fail_msg("ffmpeg failed: %s", command);
}

static struct tsfile *read_file(void)
{
	struct tsfile *file = NULL;
	struct errmsg e = { "" };
	int fd = openat(unit_fd, "x.ts", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(tsfile_read(&arena, fd, TS_NONE, &file, &e), ERR_OK);
	close(fd);
	assert_non_null(file);
	return file;
}

/* All pictures, as the ffmpeg program decodes them. */
static void read_reference(struct pictures *all)
{
	char command[1200];
	char line[300];
	FILE *f;

	snprintf(command, sizeof(command),
		 "ffmpeg -v error -nostdin -copyts -i '%s/x.ts' -map 0:v "
		 "-fps_mode passthrough -enc_time_base 1:90000 -f framemd5 -",
		 unit_dir);
	f = popen(command, "re");
	assert_non_null(f);
	all->nr = 0;
	while (f && fgets(line, sizeof(line), f)) {
		struct picture *p = &all->all[all->nr];
		long long pts;

		if (line[0] == '#')
			continue;
		assert_true(all->nr < MAX_PICTURES);
		assert_int_equal(
			sscanf(line, "0,%*d,%lld,%*d,%*d,%32s", &pts, p->md5),
			2);
		p->pts = pts;
		all->nr++;
	}
	pclose(f);
	assert_int_equal(all->nr, 120);
}

static void describe(const AVFrame *frame, char text[33])
{
	int size = av_image_get_buffer_size(frame->format, frame->width,
					    frame->height, 1);
	uint8_t sum[16];
	uint8_t *data;

	assert_true(size > 0);
	data = malloc((size_t)size);
	assert_non_null(data);
	av_image_copy_to_buffer(data, size, (const uint8_t *const *)frame->data,
				frame->linesize, frame->format, frame->width,
				frame->height, 1);
	av_md5_sum(sum, data, (size_t)size);
	free(data);
	for (unsigned i = 0; i < sizeof(sum); i++)
		snprintf(text + 2 * (size_t)i, 3, "%02x", sum[i]);
}

static enum err keep(void *ctx, AVFrame *frame, struct errmsg *e)
{
	struct pictures *got = ctx;
	struct picture *p = &got->all[got->nr];

	assert_true(got->nr < MAX_PICTURES);
	assert_true(!got->nr || frame->pts > p[-1].pts);
	if (got->nr == got->max)
		return err_set(e, ERR_GONE, "enough");
	p->pts = frame->pts;
	describe(frame, p->md5);
	got->nr++;
	return ERR_OK;
}

static struct videodec *open_decoder(struct pictures *got, enum AVCodecID codec,
				     int nr_threads)
{
	struct videodec_config config = { .codec = codec,
					  .nr_threads = nr_threads,
					  .take = keep,
					  .ctx = got };
	struct videodec *dec = NULL;
	struct errmsg e = { "" };

	got->nr = 0;
	got->max = SIZE_MAX;
	assert_int_equal(videodec_open(&arena, &config, &dec, &e), ERR_OK);
	assert_non_null(dec);
	return dec;
}

static bool is_in(int64_t pts, int64_t from, int64_t to)
{
	return pts >= from && pts < to;
}

/* From unit first on, the pictures of a window; at its end the decoder is new.
 */
static void decode(struct videodec *dec, const struct tsfile *file,
		   size_t first, int64_t from, int64_t to)
{
	struct errmsg e = { "" };
	size_t last = first;

	for (size_t i = first; i < file->nr_units; i++)
		if (is_in(file->units[i].pts, from, to))
			last = i;
	for (size_t i = first; i <= last; i++)
		assert_int_equal(
			videodec_put(dec, &file->units[i],
				     is_in(file->units[i].pts, from, to), &e),
			ERR_OK);
	assert_int_equal(videodec_flush(dec, &e), ERR_OK);
}

static void compare(const struct pictures *got, const struct pictures *all,
		    int64_t from, int64_t to)
{
	size_t nr = 0;

	for (size_t i = 0; i < all->nr; i++) {
		if (!is_in(all->all[i].pts, from, to))
			continue;
		assert_true(nr < got->nr);
		assert_int_equal(got->all[nr].pts, all->all[i].pts);
		assert_string_equal(got->all[nr].md5, all->all[i].md5);
		nr++;
	}
	assert_int_equal(got->nr, nr);
}

/* Windows that begin and end in each phase of a pattern of B-frames. */
static void check_windows(struct videodec *dec, struct pictures *got,
			  const struct tsfile *file, const struct pictures *all)
{
	for (size_t i = 0; i < all->nr; i += 9) {
		int64_t from = all->all[i].pts;
		size_t end_at = i + 1 + i % 23;
		int64_t to =
			end_at < all->nr ? all->all[end_at].pts : INT64_MAX;
		size_t first = 0;

		/* The last entry from which on all of it can be decoded. */
		for (size_t k = 0; k < file->nr_units; k++)
			if (file->units[k].flags & (UNIT_IDR | UNIT_RECOVERY) &&
			    file->units[k].pts <= from)
				first = k;
		got->nr = 0;
		decode(dec, file, first, from, to);
		compare(got, all, from, to);
	}
}

static void test_windows(void **state)
{
	static struct pictures all, got;

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct videodec *dec;
		struct tsfile *file;
		bool is_mpeg2 = strstr(sources[i].args, "mpeg2video");

		print_message("# %s\n", sources[i].what);
		make(sources[i].args);
		read_reference(&all);
		file = read_file();
		if (sources[i].hides_order)
			hide_order(file);
		dec = open_decoder(&got,
				   is_mpeg2 ? AV_CODEC_ID_MPEG2VIDEO :
					      AV_CODEC_ID_H264,
				   1 + (int)i % 4);
		check_windows(dec, &got, file, &all);
		if (!strstr(sources[i].what, "open"))
			assert_int_equal(videodec_nr_bad(dec), 0);
		if (!is_mpeg2)
			assert_int_equal(videodec_context(dec)->level, 30);
		arena_reset(&arena);
	}
}

/* What take says is the answer, and no picture follows it. */
static void test_take_ends(void **state)
{
	static struct pictures got;
	struct videodec *dec;
	struct tsfile *file;
	struct errmsg e = { "" };
	enum err err = ERR_OK;

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	make(sources[1].args);
	file = read_file();
	dec = open_decoder(&got, AV_CODEC_ID_H264, 2);
	got.max = 5;
	for (size_t i = 0; i < file->nr_units && !err; i++)
		err = videodec_put(dec, &file->units[i], true, &e);
	assert_int_equal(err, ERR_GONE);
	assert_string_equal(e.text, "enough");
	assert_int_equal(got.nr, 5);
	arena_reset(&arena);
}

/*
 * Of pictures that refer to what was before the entry, a caller that wants them
 * gets what there is.
 */
static void test_leading(void **state)
{
	static struct pictures got;
	struct videodec *dec;
	struct tsfile *file;
	size_t i = 1;

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	make(sources[3].args);
	file = read_file();
	while (i + 10 < file->nr_units &&
	       !(file->units[i].flags & UNIT_RECOVERY))
		i++;
	assert_true(file->units[i + 1].pts < file->units[i].pts);
	dec = open_decoder(&got, AV_CODEC_ID_H264, 2);
	decode(dec, file, i, file->units[i + 1].pts,
	       file->units[i].pts + 3 * 3000);
	assert_int_equal(got.nr, 5);
	assert_int_equal(got.all[0].pts, file->units[i + 1].pts);
	assert_int_equal(videodec_nr_bad(dec), 2);
	arena_reset(&arena);
}

/* Noise over a tenth of all units, but the first and its parameter sets. */
static void damage(struct tsfile *file, uint64_t *seed)
{
	for (size_t i = 1; i < file->nr_units; i++) {
		const struct unit *unit = &file->units[i];
		uint8_t *data = (uint8_t *)(uintptr_t)unit->data;

		if (unit_random(seed) % 10)
			continue;
		for (size_t k = 0; k < 1 + unit->size / 50; k++)
			data[unit_random(seed) % unit->size] =
				(uint8_t)unit_random(seed);
	}
}

/* Damage costs pictures, and what it costs is counted. */
static void test_damage(void **state)
{
	static struct pictures got;
	uint64_t seed = 11;

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	make(sources[2].args);
	for (int round = 0; round < 12; round++) {
		struct tsfile *file = read_file();
		struct videodec *dec =
			open_decoder(&got, AV_CODEC_ID_H264, 1 + round % 3);

		damage(file, &seed);
		decode(dec, file, 0, TS_NONE, INT64_MAX);
		assert_true(got.nr > file->nr_units / 2);
		assert_true(videodec_nr_bad(dec) > 0);
		assert_true(got.nr + videodec_nr_bad(dec) >= file->nr_units);
		arena_reset(&arena);
	}
}

/* Units that are cut, empty, without a time or with one that has been. */
static void test_bad_units(void **state)
{
	static const struct {
		const char *what;
		size_t size; /* of a hundred */
		int64_t pts; /* added; TS_NONE: none */
		size_t nr_given;
	} rows[] = {
		{ "whole", 100, 0, 20 },     { "cut", 50, 0, 20 },
		{ "empty", 0, 0, 19 },	     { "no time", 100, TS_NONE, 19 },
		{ "late", 100, -90000, 19 },
	};
	static struct pictures got;

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	make(sources[0].args);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tsfile *file = read_file();
		struct unit *unit = &file->units[10];
		struct videodec *dec = open_decoder(&got, AV_CODEC_ID_H264, 2);
		int64_t to = file->units[20].pts;

		print_message("# %s\n", rows[i].what);
		unit->size = unit->size * rows[i].size / 100;
		unit->pts = rows[i].pts == TS_NONE ? TS_NONE :
						     unit->pts + rows[i].pts;
		decode(dec, file, 0, TS_NONE, to);
		assert_int_equal(got.nr, rows[i].nr_given);
		assert_int_equal(videodec_nr_bad(dec), i > 0);
		arena_reset(&arena);
	}
}

/* Any bytes at all, some that look like NAL units. */
static void test_junk(void **state)
{
	static struct pictures got;
	struct videodec *dec = open_decoder(&got, AV_CODEC_ID_H264, 2);
	uint64_t seed = 12;
	struct errmsg e = { "" };

	UNUSED(state);
	for (int round = 0; round < 2000; round++) {
		size_t size = unit_random(&seed) % 300;
		uint8_t *data = malloc(size + 1);
		struct unit unit = { .pts = round, .data = data, .size = size };

		assert_non_null(data);
		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)unit_random(&seed);
		for (size_t i = 0; i + 4 < size; i += 40) {
			static const uint8_t types[] = { 0x67, 0x68, 0x65,
							 0x41, 0x06, 0x09 };

			memcpy(data + i, "\0\0\1", 3);
			data[i + 3] =
				types[unit_random(&seed) % ARRAY_SIZE(types)];
		}
		unit.flags = UNIT_REF;
		assert_int_equal(videodec_put(dec, &unit, round % 5 > 0, &e),
				 ERR_OK);
		free(data);
	}
	assert_int_equal(videodec_flush(dec, &e), ERR_OK);
	assert_true(videodec_nr_bad(dec) > 0);
	arena_reset(&arena);
}

static void test_no_decoder(void **state)
{
	struct videodec_config config = { .codec = AV_CODEC_ID_NONE };
	struct videodec *dec = NULL;
	struct errmsg e = { "" };

	UNUSED(state);
	assert_int_equal(videodec_open(&arena, &config, &dec, &e), ERR_MEDIA);
	assert_null(dec);
	assert_non_null(strstr(e.text, "no decoder"));
	arena_reset(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_take_ends),
		cmocka_unit_test(test_leading),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_bad_units),
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_no_decoder),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
