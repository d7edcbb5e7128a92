/*
 * test_blend.c - transitions, against FFmpeg's and against what they promise.
 */
#include "config.h"

#include "media/blend.h"

#include <time.h>

#include <libavfilter/avfilter.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "media/transition.h"
#include "media/wipe.h"

#include "unit.h"

#define W  96
#define H  64
#define NR 8 /* pairs */

static const char *const wipes[] = { "clockwipe", "starwipe", "batman",
				     "diamondwipe" };

/* The names of this FFmpeg that are ours too, then the wipes. */
static const char *names[100];
static size_t nr_names;
static size_t nr_xfades;

static struct arena arena;

static void find_names(void)
{
	const AVFilter *filter = avfilter_get_by_name("xfade");
	const AVOption *o = NULL;

	assert_non_null(filter);
	while ((o = av_opt_next(&filter->priv_class, o))) {
		struct transition t = { .name = NULL };
		struct errmsg e;
		char text[80];

		snprintf(text, sizeof(text), "%s,1", o->name);
		if (o->type == AV_OPT_TYPE_CONST &&
		    transition_parse(text, &t, &e) == ERR_OK)
			names[nr_names++] = t.name;
	}
	nr_xfades = nr_names;
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++)
		names[nr_names++] = wipes[i];
}

static int begin(void **state)
{
	arena_init(&arena);
	find_names();
	return unit_begin(state);
}

static int end(void **state)
{
	arena_release(&arena);
	return unit_end(state);
}

/* ---- pictures ---- */

static AVFrame *new_frame(enum AVPixelFormat format, int width, int height)
{
	AVFrame *frame = av_frame_alloc();

	assert_non_null(frame);
	frame->format = format;
	frame->width = width;
	frame->height = height;
	assert_true(av_frame_get_buffer(frame, 0) >= 0);
	return frame;
}

static int lines_of(const AVFrame *frame, int plane)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
	int shift = plane ? desc->log2_chroma_h : 0;

	return AV_CEIL_RSHIFT(frame->height, shift);
}

/* The samples of one line, in a buffer of 16 bits each. */
static int read_line(const AVFrame *frame, int plane, int line, uint16_t *out)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
	int shift = plane ? desc->log2_chroma_w : 0;
	int width = AV_CEIL_RSHIFT(frame->width, shift);
	const uint8_t *in = frame->data[plane] + line * frame->linesize[plane];

	if (desc->comp[plane].depth > 8) {
		memcpy(out, in, (size_t)width * 2);
		return width;
	}
	for (int x = 0; x < width; x++)
		out[x] = in[x];
	return width;
}

/* Noise over all values; value >= 0: that one everywhere, chroma in the middle.
 */
static void fill(AVFrame *frame, int value, uint64_t seed)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
	int depth = desc->comp[0].depth;

	for (int p = 0; p < 3; p++) {
		int fixed = p ? 1 << (depth - 1) : value;

		for (int y = 0; y < lines_of(frame, p); y++) {
			uint8_t *to = frame->data[p] + y * frame->linesize[p];
			uint16_t line[2000];
			int width = read_line(frame, p, y, line);

			for (int x = 0; x < width; x++) {
				uint64_t noise = unit_random(&seed);

				line[x] = (uint16_t)(value < 0 ?
							     noise >> (64 -
								       depth) :
							     (uint64_t)fixed);
				if (depth <= 8)
					to[x] = (uint8_t)line[x];
			}
			if (depth > 8)
				memcpy(to, line, (size_t)width * 2);
		}
	}
}

static AVFrame *new_noise(enum AVPixelFormat format, uint64_t seed)
{
	AVFrame *frame = new_frame(format, W, H);

	fill(frame, -1, seed);
	return frame;
}

static AVFrame *new_flat(enum AVPixelFormat format, int width, int height,
			 int value)
{
	AVFrame *frame = new_frame(format, width, height);

	fill(frame, value, 0);
	return frame;
}

/* The largest difference of two pictures of one size and format. */
static int differ(const AVFrame *a, const AVFrame *b)
{
	int most = 0;

	assert_int_equal(a->format, b->format);
	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	for (int p = 0; p < 3; p++)
		for (int y = 0; y < lines_of(a, p); y++) {
			uint16_t la[2000], lb[2000];
			int width = read_line(a, p, y, la);

			read_line(b, p, y, lb);
			for (int x = 0; x < width; x++) {
				int d = abs(la[x] - lb[x]);

				most = d > most ? d : most;
			}
		}
	return most;
}

/* All samples of a picture, without gaps; free() it. */
static uint8_t *pack(const AVFrame *frame, size_t *size_r)
{
	int size = av_image_get_buffer_size(frame->format, frame->width,
					    frame->height, 1);
	uint8_t *data = malloc((size_t)size);

	assert_non_null(data);
	assert_int_equal(
		av_image_copy_to_buffer(data, size,
					(const uint8_t *const *)frame->data,
					frame->linesize, frame->format,
					frame->width, frame->height, 1),
		size);
	*size_r = (size_t)size;
	return data;
}

/* ---- calls ---- */

static struct blend *open_blend(const char *name, size_t nr, const AVFrame *a,
				const AVFrame *b)
{
	const struct blend_config config = {
		.name = name,
		.nr_pairs = nr,
		.frame_ticks = 1500,
		.nr_threads = 2,
	};
	struct blend *blend = NULL;
	struct errmsg e = { "" };

	if (blend_open(&arena, &config, a, b, &blend, &e) != ERR_OK)
		fail_msg("%s: %s", name, e.text);
	assert_non_null(blend);
	return blend;
}

static AVFrame *draw(struct blend *blend, const AVFrame *a, const AVFrame *b)
{
	AVFrame *out = av_frame_alloc();
	struct errmsg e = { "" };

	assert_non_null(out);
	if (blend_draw(blend, a, b, out, &e) != ERR_OK)
		fail_msg("%s", e.text);
	return out;
}

/* ---- names ---- */

static void test_names(void **state)
{
	static const char *const bad[] = { "",		 "custom",   "none",
					   "transition", "duration", "fade,1",
					   "Fade" };

	UNUSED(state);
	print_message("# %zu of xfade\n", nr_xfades);
	assert_true(nr_xfades >= 42);
	for (size_t i = 0; i < nr_names; i++)
		assert_true(blend_has(names[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(blend_has(bad[i]));
}

/* ---- each transition over each format ---- */

static const enum AVPixelFormat formats[] = {
	AV_PIX_FMT_YUV420P,   AV_PIX_FMT_YUVJ420P,  AV_PIX_FMT_YUV422P,
	AV_PIX_FMT_YUVJ422P,  AV_PIX_FMT_YUV444P,   AV_PIX_FMT_YUVJ444P,
	AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10,
};

static const uint8_t captions[] = { 3, 1, 4, 1, 5 };

/* What a picture says of itself; no two of these are of one system. */
static void describe(AVFrame *frame, int64_t pts)
{
	AVFrameSideData *side = av_frame_new_side_data(
		frame, AV_FRAME_DATA_A53_CC, sizeof(captions));

	assert_non_null(side);
	memcpy(side->data, captions, sizeof(captions));
	frame->pts = pts;
	frame->pict_type = AV_PICTURE_TYPE_I;
	frame->sample_aspect_ratio = (AVRational){ 4, 3 };
	frame->color_range = AVCOL_RANGE_JPEG;
	frame->colorspace = AVCOL_SPC_BT709;
	frame->color_primaries = AVCOL_PRI_SMPTE170M;
	frame->color_trc = AVCOL_TRC_BT2020_10;
	frame->chroma_location = AVCHROMA_LOC_TOPLEFT;
}

static void check_described(const AVFrame *frame, int64_t pts)
{
	AVFrameSideData *side =
		av_frame_get_side_data(frame, AV_FRAME_DATA_A53_CC);

	assert_int_equal(frame->nb_side_data, 1);
	assert_non_null(side);
	assert_int_equal(side->size, sizeof(captions));
	assert_memory_equal(side->data, captions, sizeof(captions));
	assert_int_equal(frame->pts, pts);
	assert_int_equal(frame->pict_type, AV_PICTURE_TYPE_NONE);
	assert_int_equal(frame->sample_aspect_ratio.num, 4);
	assert_int_equal(frame->sample_aspect_ratio.den, 3);
	assert_int_equal(frame->color_range, AVCOL_RANGE_JPEG);
	assert_int_equal(frame->colorspace, AVCOL_SPC_BT709);
	assert_int_equal(frame->color_primaries, AVCOL_PRI_SMPTE170M);
	assert_int_equal(frame->color_trc, AVCOL_TRC_BT2020_10);
	assert_int_equal(frame->chroma_location, AVCHROMA_LOC_TOPLEFT);
}

/* The first picture is A, and the last is no longer. */
static void run_pairs(const char *name, enum AVPixelFormat format, size_t nr)
{
	struct blend *blend = NULL;

	for (size_t k = 0; k < nr; k++) {
		AVFrame *a = new_noise(format, k);
		AVFrame *b = new_noise(format, k + 100);
		AVFrame *out;

		describe(a, (int64_t)k * 1501 + 77);
		b->color_range = AVCOL_RANGE_JPEG;
		b->pts = -5;
		if (!blend)
			blend = open_blend(name, nr, a, b);
		out = draw(blend, a, b);
		check_described(out, (int64_t)k * 1501 + 77);
		if (!k)
			assert_int_equal(differ(out, a), 0);
		else if (k == nr - 1)
			assert_true(differ(out, a) > 0);
		av_frame_free(&a);
		av_frame_free(&b);
		av_frame_free(&out);
	}
	arena_reset(&arena);
}

static void test_formats(void **state)
{

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		print_message("# %s\n", av_get_pix_fmt_name(formats[i]));
		for (size_t k = 0; k < nr_names; k++)
			run_pairs(names[k], formats[i], NR);
	}
}

static void test_one_pair(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < nr_names; i++)
		run_pairs(names[i], AV_PIX_FMT_YUV420P, 1);
}

/*
 * On the way to 4:4:4 and back nothing changes: a picture of which xfade only
 * chooses samples has those of A and B, exactly; of full range too.
 */
static void check_chosen(const AVFrame *out, const AVFrame *a, const AVFrame *b)
{
	size_t nr_new = 0;
	size_t nr = 0;

	for (int p = 0; p < 3; p++)
		for (int y = 0; y < lines_of(out, p); y++) {
			uint16_t is[2000], la[2000], lb[2000];
			int width = read_line(out, p, y, is);

			read_line(a, p, y, la);
			read_line(b, p, y, lb);
			for (int x = 0; x < width; x++, nr++) {
				assert_true(is[x] == la[x] || is[x] == lb[x]);
				nr_new += is[x] == lb[x];
			}
		}
	assert_true(nr_new > 0 && nr_new < nr * 4 / 5);
}

static void test_lossless(void **state)
{
	static const char *const kinds[] = { "wipeleft", "wiperight", "wipeup",
					     "wipedown", "batman" };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			AVFrame *a = new_frame(formats[i], W - 1, H - 1);
			AVFrame *b = new_frame(formats[i], W - 1, H - 1);
			struct blend *blend;
			AVFrame *out = NULL;

			fill(a, -1, 8);
			fill(b, -1, 9);
			blend = open_blend(kinds[k], 4, a, b);
			for (int n = 0; n < 3; n++) {
				av_frame_free(&out);
				out = draw(blend, a, b);
			}
			check_chosen(out, a, b);
			av_frame_free(&a);
			av_frame_free(&b);
			av_frame_free(&out);
			arena_reset(&arena);
		}
}

/* ---- progress ---- */

/* Each of n pictures is one more n-th of the way, and so is the last. */
static void test_progress(void **state)
{
	static const size_t rows[] = { 1, 2, 3, 7, 60, 3597 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AVFrame *a = new_flat(AV_PIX_FMT_YUV420P, 16, 16, 10);
		AVFrame *b = new_flat(AV_PIX_FMT_YUV420P, 16, 16, 210);
		size_t nr = rows[i];
		struct blend *blend = open_blend("fade", nr, a, b);

		print_message("# of %zu\n", nr);
		for (size_t k = 0; k < nr; k++) {
			AVFrame *out = draw(blend, a, b);
			double expected = 10 + 200 * (double)k / (double)nr;
			double is = out->data[0][5 * out->linesize[0] + 5];

			assert_true(is > expected - 1.01);
			assert_true(is < expected + 0.01);
			av_frame_free(&out);
		}
		av_frame_free(&a);
		av_frame_free(&b);
		arena_reset(&arena);
	}
}

/* ---- the wipes, as wipe.h draws them ---- */

static void draw_planes(const char *name, double progress, const AVFrame *a,
			const AVFrame *b, AVFrame *out)
{
	struct wipe *wipe =
		wipe_new(&arena, name, (unsigned)a->width, (unsigned)a->height);

	for (int p = 0; p < 3; p++) {
		const struct wipe_plane plane = {
			.a = a->data[p],
			.b = b->data[p],
			.out = out->data[p],
			.stride_a = a->linesize[p],
			.stride_b = b->linesize[p],
			.stride_out = out->linesize[p],
			.bytes_per_sample = 1,
			.shift_x = p > 0,
			.shift_y = p > 0,
		};

		wipe_draw(wipe, progress, &plane, 0, (unsigned)lines_of(a, p));
	}
}

static void test_wipes(void **state)
{
	AVFrame *a = new_frame(AV_PIX_FMT_YUV420P, W + 1, H + 1);
	AVFrame *b = new_frame(AV_PIX_FMT_YUV420P, W + 1, H + 1);
	AVFrame *expected = new_frame(AV_PIX_FMT_YUV420P, W + 1, H + 1);

	UNUSED(state);
	fill(a, -1, 1);
	fill(b, -1, 2);
	for (size_t i = 0; i < ARRAY_SIZE(wipes); i++) {
		struct blend *blend = open_blend(wipes[i], NR, a, b);

		for (unsigned k = 0; k < NR; k++) {
			AVFrame *out = draw(blend, a, b);

			draw_planes(wipes[i], 1 - (double)k / NR, a, b,
				    expected);
			assert_int_equal(differ(out, expected), 0);
			av_frame_free(&out);
		}
		arena_reset(&arena);
	}
	av_frame_free(&a);
	av_frame_free(&b);
	av_frame_free(&expected);
}

/* ---- pictures that are not alike ---- */

/* B is of one value, which A's shape gives another number. */
static const struct conversion {
	const char *what;
	enum AVPixelFormat format_a;
	enum AVPixelFormat format_b;
	enum AVColorRange range_a;
	enum AVColorRange range_b;
	int width_b;
	int height_b;
	int value; /* of the luma of B */
	int expected;
} conversions[] = {
	{ "alike", AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG,
	  AVCOL_RANGE_MPEG, W, H, 200, 200 },
	{ "smaller", AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P, AVCOL_RANGE_MPEG,
	  AVCOL_RANGE_MPEG, W / 2, H / 2, 200, 200 },
	{ "larger and odd", AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P,
	  AVCOL_RANGE_JPEG, AVCOL_RANGE_JPEG, 2 * W + 1, H + 5, 255, 255 },
	{ "full to limited", AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P,
	  AVCOL_RANGE_MPEG, AVCOL_RANGE_JPEG, W, H, 255, 235 },
	{ "full by name to nothing said", AV_PIX_FMT_YUV420P,
	  AV_PIX_FMT_YUVJ420P, AVCOL_RANGE_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED,
	  W, H, 0, 16 },
	{ "limited to full", AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P,
	  AVCOL_RANGE_JPEG, AVCOL_RANGE_MPEG, W, H, 235, 255 },
	{ "full by name to full", AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P,
	  AVCOL_RANGE_JPEG, AVCOL_RANGE_UNSPECIFIED, W, H, 250, 250 },
	{ "10 bits to 8", AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P10,
	  AVCOL_RANGE_MPEG, AVCOL_RANGE_MPEG, W, H, 800, 200 },
	{ "8 bits to 10", AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV420P,
	  AVCOL_RANGE_MPEG, AVCOL_RANGE_MPEG, W, H, 200, 800 },
};

/* The last picture of some, whose middle is all B. */
static void convert(const struct conversion *c, const char *name)
{
	AVFrame *a = new_flat(c->format_a, W, H, 77);
	AVFrame *b = new_flat(c->format_b, c->width_b, c->height_b, c->value);
	int middle = c->expected > 255 ? 512 : 128;
	AVFrame *out = NULL;
	struct blend *blend;
	uint16_t line[W];

	a->color_range = c->range_a;
	b->color_range = c->range_b;
	blend = open_blend(name, NR, a, b);
	for (int k = 0; k < NR; k++) {
		av_frame_free(&out);
		out = draw(blend, a, b);
		if (!k)
			assert_int_equal(differ(out, a), 0);
	}
	assert_int_equal(out->color_range, c->range_a);
	assert_int_equal(out->format, c->format_a);
	read_line(out, 0, H / 2, line);
	assert_in_range(line[W / 2] + 1, c->expected, c->expected + 2);
	read_line(out, 1, H / 4, line);
	assert_in_range(line[W / 4] + 1, middle, middle + 2);
	av_frame_free(&a);
	av_frame_free(&b);
	av_frame_free(&out);
	arena_reset(&arena);
}

static void test_conversions(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(conversions); i++) {
		print_message("# %s\n", conversions[i].what);
		convert(&conversions[i], "wiperight");
		convert(&conversions[i], "diamondwipe");
	}
}

/* Another matrix: grey stays grey, a colour does not stay as it is. */
static void test_matrix(void **state)
{
	AVFrame *a = new_flat(AV_PIX_FMT_YUV420P, W, H, 50);
	AVFrame *b = new_flat(AV_PIX_FMT_YUV420P, W, H, 150);

	UNUSED(state);
	a->colorspace = AVCOL_SPC_BT709;
	for (int i = 0; i < 3; i++) {
		struct blend *blend;
		AVFrame *out;
		int luma;

		b->colorspace =
			i == 2 ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_UNSPECIFIED;
		for (int y = 0; i && y < H / 2; y++)
			memset(b->data[2] + y * b->linesize[2], 170, W / 2);
		blend = open_blend("clockwipe", 2, a, b);
		out = draw(blend, a, b);
		av_frame_free(&out);
		out = draw(blend, a, b);
		luma = out->data[0][H / 2 * out->linesize[0] + W - 2];
		print_message("# luma %d\n", luma);
		if (i < 2)
			assert_int_equal(luma, 150);
		else
			assert_in_range(luma, 139, 143);
		av_frame_free(&out);
		arena_reset(&arena);
	}
	av_frame_free(&a);
	av_frame_free(&b);
}

/* ---- what is refused ---- */

static void check_refused(const char *name, const AVFrame *a, const AVFrame *b,
			  enum err expected, const char *says)
{
	const struct blend_config config = {
		.name = name,
		.nr_pairs = NR,
		.frame_ticks = 1500,
		.nr_threads = 1,
	};
	struct blend *blend = NULL;
	struct errmsg e = { "" };

	assert_int_equal(blend_open(&arena, &config, a, b, &blend, &e),
			 expected);
	print_message("# %s\n", e.text);
	assert_null(blend);
	assert_non_null(strstr(e.text, says));
	arena_reset(&arena);
}

static void test_refused(void **state)
{
	AVFrame *good = new_noise(AV_PIX_FMT_YUV420P, 1);
	AVFrame *nv12 = new_frame(AV_PIX_FMT_NV12, W, H);
	AVFrame *rgb = new_frame(AV_PIX_FMT_RGB24, W, H);

	UNUSED(state);
	check_refused("fade", nv12, good, ERR_MEDIA, "'nv12'");
	check_refused("batman", good, rgb, ERR_MEDIA, "'rgb24'");
	check_refused("custom", good, good, ERR_UNBUILT, "'custom'");
	if (!blend_has("coverleft"))
		check_refused("coverleft", good, good, ERR_UNBUILT,
			      "'coverleft'");
	av_frame_free(&good);
	av_frame_free(&nv12);
	av_frame_free(&rgb);
}

/* A picture that is not like the others is refused; the next is drawn. */
static void test_changes(void **state)
{
	AVFrame *good = new_noise(AV_PIX_FMT_YUV420P, 1);
	AVFrame *small = new_flat(AV_PIX_FMT_YUV420P, W, H - 2, 1);
	AVFrame *deep = new_flat(AV_PIX_FMT_YUV420P10, W, H, 1);
	AVFrame *empty = av_frame_alloc();
	struct blend *blend = open_blend("fade", 2, good, good);
	struct errmsg e = { "" };
	AVFrame *out;

	UNUSED(state);
	assert_non_null(empty);
	assert_int_equal(blend_draw(blend, small, good, empty, &e), ERR_MEDIA);
	assert_int_equal(blend_draw(blend, good, small, empty, &e), ERR_MEDIA);
	assert_int_equal(blend_draw(blend, good, deep, empty, &e), ERR_MEDIA);
	assert_null(empty->buf[0]);
	out = draw(blend, good, good);
	assert_true(differ(out, good) <= 1);
	av_frame_free(&out);
	av_frame_free(&good);
	av_frame_free(&small);
	av_frame_free(&deep);
	av_frame_free(&empty);
	arena_reset(&arena);
}

/* ---- against the program ---- */

static bool has_ffmpeg(void)
{
	return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

static void append(char *text, size_t size, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

static void append(char *text, size_t size, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 && (size_t)n < size - len);
}

/* All of xfade over the same two streams, each to a file of its name. */
static void run_xfades(const char *format)
{
	static char line[40000];
	const char *in = "-f rawvideo -r 25 -s 96x64 -pix_fmt";

	line[0] = '\0';
	append(line, sizeof(line),
	       "cd '%s' && ffmpeg -v error -nostdin -y %s %s -i a %s %s -i b "
	       "-filter_complex '",
	       unit_dir, in, format, in, format);
	for (int side = 0; side < 2; side++) {
		append(line, sizeof(line), "[%d]split=%zu", side, nr_xfades);
		for (size_t i = 0; i < nr_xfades; i++)
			append(line, sizeof(line), "[%c%zu]", "ab"[side], i);
		append(line, sizeof(line), ";");
	}
	for (size_t i = 0; i < nr_xfades; i++)
		append(line, sizeof(line),
		       "%s[a%zu][b%zu]xfade=transition=%s:duration=0.32:"
		       "offset=0[o%zu]",
		       i ? ";" : "", i, i, names[i], i);
	append(line, sizeof(line), "'");
	for (size_t i = 0; i < nr_xfades; i++)
		append(line, sizeof(line), " -map '[o%zu]' -f rawvideo %s", i,
		       names[i]);
	if (system(line) != 0)
		fail_msg("ffmpeg failed: %s", line);
}

static void write_frames(const char *name, AVFrame *const frames[NR])
{
	size_t size;
	uint8_t *all = NULL;

	for (size_t k = 0; k < NR; k++) {
		uint8_t *data = pack(frames[k], &size);

		all = realloc(all, size * NR);
		assert_non_null(all);
		memcpy(all + k * size, data, size);
		free(data);
	}
	unit_write(unit_fd, name, all, size * NR);
	free(all);
}

static void compare_xfade(const char *name, AVFrame *const a[NR],
			  AVFrame *const b[NR])
{
	size_t len = 0;
	char *theirs = unit_read(unit_fd, name, &len);
	struct blend *blend = open_blend(name, NR, a[0], b[0]);

	assert_non_null(theirs);
	for (size_t k = 0; k < NR; k++) {
		AVFrame *out = draw(blend, a[k], b[k]);
		size_t size;
		uint8_t *ours = pack(out, &size);

		assert_int_equal(len, size * NR);
		/* Theirs of pair 0 is not always A. */
		if (!k)
			assert_int_equal(differ(out, a[k]), 0);
		else if (memcmp(ours, theirs + k * size, size) != 0)
			fail_msg("%s: picture %zu differs", name, k);
		free(ours);
		av_frame_free(&out);
	}
	free(theirs);
	arena_reset(&arena);
}

static void test_xfade(void **state)
{
	static const enum AVPixelFormat full[] = { AV_PIX_FMT_YUV444P,
						   AV_PIX_FMT_YUV444P10 };

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(full); i++) {
		AVFrame *a[NR], *b[NR];

		for (size_t k = 0; k < NR; k++) {
			a[k] = new_noise(full[i], k);
			b[k] = new_noise(full[i], k + 100);
		}
		write_frames("a", a);
		write_frames("b", b);
		run_xfades(av_get_pix_fmt_name(full[i]));
		for (size_t k = 0; k < nr_xfades; k++)
			compare_xfade(names[k], a, b);
		print_message("# %s: %zu transitions, no byte differs\n",
			      av_get_pix_fmt_name(full[i]), nr_xfades);
		for (size_t k = 0; k < NR; k++) {
			av_frame_free(&a[k]);
			av_frame_free(&b[k]);
		}
	}
}

/* ---- how long it takes; nothing depends on it ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void test_speed(void **state)
{
	static const char *const some[] = { "clockwipe", "starwipe",
					    "batman",	 "diamondwipe",
					    "fade",	 "wipeleft" };
	AVFrame *a = new_flat(AV_PIX_FMT_YUV420P, 1920, 1080, 50);
	AVFrame *b = new_flat(AV_PIX_FMT_YUV420P, 1920, 1080, 150);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		double start = now_ms();
		struct blend *blend = open_blend(some[i], 20, a, b);
		double opened = now_ms();

		for (int k = 0; k < 20; k++) {
			AVFrame *out = draw(blend, a, b);

			av_frame_free(&out);
		}
		print_message("# %s: opened in %.1f ms, 1080p in %.2f ms\n",
			      some[i], opened - start,
			      (now_ms() - opened) / 20);
		arena_reset(&arena);
	}
	av_frame_free(&a);
	av_frame_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_one_pair),
		cmocka_unit_test(test_lossless),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_wipes),
		cmocka_unit_test(test_conversions),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_xfade),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
