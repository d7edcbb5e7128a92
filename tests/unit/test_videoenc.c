/*
 * test_videoenc.c - encoded pictures, as the ffmpeg program decodes them.
 *
 * The pictures are made by that program; without it only what is refused is
 * tested, and the rest is skipped aloud.
 */
#include "config.h"

#include "media/videoenc.h"

#include <math.h>

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "media/tsfile.h"

#include "inarena.h"

#ifdef AV_PROFILE_H264_MAIN
#define PROFILE(name) AV_PROFILE_H264_##name
#else
#define PROFILE(name) FF_PROFILE_H264_##name
#endif

#define MAX_PICTURES 100
#define STEP	     1500
#define SPS_ID	     7

struct movie {
	AVFrame *frames[MAX_PICTURES];
	size_t nr;
};

struct packet {
	int64_t pts;
	int64_t dts;
	uint8_t *data; /* the arena's */
	size_t size;
	bool is_key;
};

struct stream {
	struct packet packets[MAX_PICTURES];
	size_t nr;
	size_t max; /* take refuses more */
	size_t bytes;
};

static bool has_ffmpeg(void)
{
	return system("ffmpeg -version >/dev/null 2>&1 && "
		      "ffprobe -version >/dev/null 2>&1") == 0;
}

static void skip_without_ffmpeg(void)
{
	if (has_ffmpeg())
		return;
	print_message("# SKIP: no ffmpeg program\n");
	skip();
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

static void free_movie(struct movie *movie)
{
	for (size_t i = 0; i < movie->nr; i++)
		av_frame_free(&movie->frames[i]);
	movie->nr = 0;
}

/* As many pictures as the file of raw ones has. */
static void load(struct movie *movie, const char *name,
		 enum AVPixelFormat format, int width, int height)
{
	int size = av_image_get_buffer_size(format, width, height, 1);
	size_t len = 0;
	char *data = unit_read(unit_fd, name, &len);

	assert_non_null(data);
	assert_true(size > 0);
	assert_int_equal(len % (size_t)size, 0);
	movie->nr = 0;
	for (size_t at = 0; at < len; at += (size_t)size) {
		AVFrame *frame = new_frame(format, width, height);
		uint8_t *planes[4];
		int strides[4];

		assert_true(movie->nr < MAX_PICTURES);
		av_image_fill_arrays(planes, strides, (uint8_t *)data + at,
				     format, width, height, 1);
		av_image_copy(frame->data, frame->linesize,
			      (const uint8_t **)planes, strides, format, width,
			      height);
		frame->pts = 900000 + (int64_t)movie->nr * STEP;
		movie->frames[movie->nr++] = frame;
	}
	free(data);
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static void make(struct movie *movie, enum AVPixelFormat format, int nr)
{
	char command[1200];

	snprintf(command, sizeof(command),
		 "ffmpeg -v error -nostdin -y -bitexact -f lavfi -i "
		 "testsrc2=s=320x180:r=60 -frames:v %d -pix_fmt %s -f rawvideo "
		 "'%s/in.yuv'",
		 nr, av_get_pix_fmt_name(format), unit_dir);
	run(command);
	load(movie, "in.yuv", format, 320, 180);
	assert_int_equal(movie->nr, nr);
}

/* ---- encoding ---- */

static enum err keep(void *ctx, const AVPacket *packet, struct errmsg *e)
{
	struct stream *out = ctx;
	struct packet *p = &out->packets[out->nr];

	assert_true(out->nr < MAX_PICTURES);
	if (out->nr == out->max)
		return err_set(e, ERR_GONE, "enough");
	p->pts = packet->pts;
	p->dts = packet->dts;
	p->size = (size_t)packet->size;
	p->is_key = packet->flags & AV_PKT_FLAG_KEY;
	p->data = arena_alloc(&arena, p->size);
	memcpy(p->data, packet->data, p->size);
	out->bytes += p->size;
	out->nr++;
	return ERR_OK;
}

static struct videoenc_config config_of(enum video_kind kind,
					struct stream *out)
{
	*out = (struct stream){ .max = SIZE_MAX };
	return (struct videoenc_config){
		.kind = kind,
		.nr_threads = 2,
		.crf = kind == VIDEO_VP9 ? 20 : 17,
		.frame_ticks = STEP,
		.profile = PROFILE(HIGH),
		.level = 42,
		.sps_id = SPS_ID,
		.take = keep,
		.ctx = out,
	};
}

static void encode(const struct videoenc_config *config,
		   const struct movie *movie)
{
	struct videoenc *enc = NULL;
	struct errmsg e = { "" };

	if (videoenc_open(&arena, config, movie->frames[0], &enc, &e))
		fail_msg("%s", e.text);
	for (size_t i = 0; i < movie->nr; i++)
		assert_int_equal(videoenc_put(enc, movie->frames[i], &e),
				 ERR_OK);
	assert_int_equal(videoenc_finish(enc, &e), ERR_OK);
	assert_int_equal(videoenc_context(enc)->width, movie->frames[0]->width);
}

/* The packets as a byte stream, "out.h264". */
static void save(const struct stream *out)
{
	uint8_t *all = arena_alloc(&arena, out->bytes);
	size_t at = 0;

	for (size_t i = 0; i < out->nr; i++) {
		memcpy(all + at, out->packets[i].data, out->packets[i].size);
		at += out->packets[i].size;
	}
	unit_write(unit_fd, "out.h264", all, at);
}

/* As above, in the simplest file that VP9 can be in, "out.ivf". */
static void save_ivf(const struct stream *out)
{
	static const uint8_t head[32] = "DKIF\0\0\40\0VP90\100\1\264\0\74\0\0"
					"\0\1\0\0\0";
	uint8_t *all =
		arena_alloc(&arena, sizeof(head) + out->bytes + 12 * out->nr);
	size_t at = sizeof(head);

	memcpy(all, head, sizeof(head));
	for (size_t i = 0; i < out->nr; i++) {
		const struct packet *p = &out->packets[i];

		for (unsigned k = 0; k < 4; k++)
			all[at + k] = (uint8_t)(p->size >> 8 * k);
		all[at + 4] = (uint8_t)i;
		memcpy(all + at + 12, p->data, p->size);
		at += 12 + p->size;
	}
	unit_write(unit_fd, "out.ivf", all, at);
}

/* ---- what came out ---- */

/* The luma of two pictures, in dB; 99 if they are equal. */
static double psnr(const AVFrame *a, const AVFrame *b)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(a->format);
	bool is_deep = desc->comp[0].depth > 8;
	double peak = (1 << desc->comp[0].depth) - 1;
	double sum = 0;

	for (int y = 0; y < a->height; y++) {
		const uint8_t *p = a->data[0] + y * a->linesize[0];
		const uint8_t *q = b->data[0] + y * b->linesize[0];

		for (int x = 0; x < a->width; x++) {
			int d = is_deep ?
					(p[2 * x] | p[2 * x + 1] << 8) -
						(q[2 * x] | q[2 * x + 1] << 8) :
					p[x] - q[x];

			sum += d * d;
		}
	}
	sum /= (double)a->width * a->height;
	return sum > 0 ? 10 * log10(peak * peak / sum) : 99;
}

/* Decodes a file by the ffmpeg program; every picture is like its source. */
static void compare(const struct movie *movie, const char *name, double least,
		    double mean)
{
	const AVFrame *first = movie->frames[0];
	struct movie decoded;
	char command[1600];
	double sum = 0;
	double min = 99;

	snprintf(command, sizeof(command),
		 "ffmpeg -v error -xerror -nostdin -y -i '%s/%s' "
		 "-fps_mode passthrough -pix_fmt %s -f rawvideo '%s/out.yuv' "
		 "2>'%s/errors'",
		 unit_dir, name, av_get_pix_fmt_name(first->format), unit_dir,
		 unit_dir);
	run(command);
	snprintf(command, sizeof(command), "test ! -s '%s/errors'", unit_dir);
	run(command);
	load(&decoded, "out.yuv", first->format, first->width, first->height);
	assert_int_equal(decoded.nr, movie->nr);
	for (size_t i = 0; i < decoded.nr; i++) {
		double db = psnr(movie->frames[i], decoded.frames[i]);

		sum += db;
		if (db < min)
			min = db;
	}
	sum /= (double)decoded.nr;
	free_movie(&decoded);
	print_message("# %.1f dB, least %.1f\n", sum, min);
	assert_true(min >= least);
	assert_true(sum >= mean);
}

/* What ffprobe says of a file: "name=value" lines of its stream. */
static void probe(const char *name, char text[4000])
{
	char command[1200];
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command),
		 "ffprobe -v error -show_streams '%s/%s'", unit_dir, name);
	f = popen(command, "re");
	assert_non_null(f);
	len = fread(text, 1, 3999, f);
	text[len] = '\0';
	pclose(f);
}

static void expect(const char *text, const char *name, const char *value)
{
	char line[200];

	snprintf(line, sizeof(line), "\n%s=%s\n", name, value);
	if (!strstr(text, line))
		fail_msg("no %s=%s in: %s", name, value, text);
}

/* All pictures' types in one word. */
static void read_types(char types[MAX_PICTURES + 1])
{
	char command[1200];
	size_t nr = 0;
	FILE *f;
	int c;

	snprintf(command, sizeof(command),
		 "ffprobe -v error -show_entries frame=pict_type -of "
		 "csv=p=0 '%s/out.h264'",
		 unit_dir);
	f = popen(command, "re");
	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		if (c >= 'A' && c <= 'Z' && nr < MAX_PICTURES)
			types[nr++] = (char)c;
	types[nr] = '\0';
	pclose(f);
}

/* The NAL unit of a type in a packet, from its header on; NULL: none. */
static const uint8_t *find_nal(const struct packet *p, unsigned type)
{
	for (size_t i = 0; i + 10 < p->size; i++) {
		const uint8_t *d = p->data + i;

		if (!d[0] && !d[1] && d[2] == 1 && (d[3] & 0x1f) == type)
			return d + 3;
	}
	return NULL;
}

/* The first Exp-Golomb number at data. */
static unsigned read_ue(const uint8_t *data)
{
	uint32_t bits = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 |
			(uint32_t)data[2] << 8 | data[3];
	unsigned zeros = 0;

	while (zeros < 8 && !(bits >> (31 - zeros)))
		zeros++;
	return (bits >> (31 - 2 * zeros)) - 1;
}

static void check_times(const struct movie *movie, const struct stream *out)
{
	assert_int_equal(out->nr, movie->nr);
	for (size_t i = 0; i < out->nr; i++) {
		assert_int_equal(out->packets[i].pts, movie->frames[i]->pts);
		assert_int_equal(out->packets[i].dts, movie->frames[i]->pts);
	}
}

/* ---- edges ---- */

static void assert_same(const struct stream *a, const struct stream *b)
{
	assert_int_equal(a->nr, b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		assert_int_equal(a->packets[i].size, b->packets[i].size);
		assert_memory_equal(a->packets[i].data, b->packets[i].data,
				    a->packets[i].size);
	}
}

static const struct {
	const char *what;
	enum AVPixelFormat format;
	int profile; /* of the source */
	const char *becomes;
	bool is_interlaced;
} formats[] = {
	{ "High", AV_PIX_FMT_YUV420P, PROFILE(HIGH), "High", false },
	{ "Main", AV_PIX_FMT_YUV420P, PROFILE(MAIN), "Main", false },
	{ "Baseline", AV_PIX_FMT_YUV420P, PROFILE(CONSTRAINED_BASELINE),
	  "Constrained Baseline", false },
	{ "Extended", AV_PIX_FMT_YUV420P, PROFILE(EXTENDED), "Main", false },
	{ "no profile", AV_PIX_FMT_YUV420P, -99, "High", false },
	{ "10 bits", AV_PIX_FMT_YUV420P10, PROFILE(HIGH_10), "High 10", false },
	{ "10 bits of High", AV_PIX_FMT_YUV420P10, PROFILE(HIGH), "High 10",
	  false },
	{ "4:2:2", AV_PIX_FMT_YUV422P, PROFILE(HIGH_422), "High 4:2:2", false },
	{ "4:2:2, 10 bits", AV_PIX_FMT_YUV422P10, PROFILE(HIGH_422_INTRA),
	  "High 4:2:2", false },
	{ "4:4:4", AV_PIX_FMT_YUV444P, PROFILE(HIGH_444_PREDICTIVE),
	  "High 4:4:4 Predictive", false },
	{ "interlaced", AV_PIX_FMT_YUV420P, PROFILE(HIGH), "High", true },
	{ "interlaced Main", AV_PIX_FMT_YUV420P, PROFILE(MAIN), "Main", true },
};

static void set_interlaced(struct movie *movie)
{
	for (size_t i = 0; i < movie->nr; i++) {
		AVFrame *frame = movie->frames[i];

#ifdef AV_FRAME_FLAG_INTERLACED
		frame->flags |= AV_FRAME_FLAG_INTERLACED |
				AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
		frame->interlaced_frame = 1;
		frame->top_field_first = 1;
#endif
	}
}

/* Parameter sets: their ids, and that they are those foretold. */
static void check_sets(const struct videoenc_config *config,
		       const struct movie *movie, const struct packet *first)
{
	const uint8_t *sps = find_nal(first, 7);
	const uint8_t *pps = find_nal(first, 8);
	const uint8_t *headers = NULL;
	const uint8_t *aud_end;
	size_t size = 0;
	struct errmsg e = { "" };

	assert_non_null(sps);
	assert_non_null(pps);
	assert_int_equal(read_ue(sps + 4), SPS_ID);
	assert_int_equal(read_ue(pps + 1), SPS_ID);
	if (videoenc_headers(&arena, config, movie->frames[0], &headers, &size,
			     &e))
		fail_msg("%s", e.text);
	assert_true(size > 10);
	/* They stand right behind the delimiter, start codes and all. */
	assert_memory_equal(first->data, "\0\0\0\1\11", 5);
	aud_end = first->data + 6;
	assert_true(6 + size < first->size);
	assert_memory_equal(aud_end, headers, size);
	assert_memory_equal(aud_end + size, "\0\0\1", 3);
}

static void check_edge(const struct videoenc_config *config,
		       const struct movie *movie, const struct stream *out)
{
	char types[MAX_PICTURES + 1];

	check_times(movie, out);
	check_sets(config, movie, &out->packets[0]);
	for (size_t i = 0; i < out->nr; i++) {
		const struct packet *p = &out->packets[i];

		assert_int_equal(p->is_key, i == 0);
		assert_memory_equal(p->data, "\0\0\0\1\11", 5);
		assert_int_equal(find_nal(p, 5) != NULL, i == 0);
		assert_int_equal(find_nal(p, 7) != NULL, i == 0);
		assert_int_equal(find_nal(p, 8) != NULL, i == 0);
	}
	save(out);
	read_types(types);
	assert_int_equal(strlen(types), movie->nr);
	assert_int_equal(types[0], 'I');
	assert_int_equal(strspn(types + 1, "P"), movie->nr - 1);
}

static void test_edges(void **state)
{
	UNUSED(state);
	skip_without_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		static struct stream out, again;
		struct videoenc_config config = config_of(VIDEO_EDGE, &out);
		struct movie movie;
		char text[4000];

		print_message("# %s\n", formats[i].what);
		make(&movie, formats[i].format, 24);
		if (formats[i].is_interlaced)
			set_interlaced(&movie);
		config.profile = formats[i].profile;
		encode(&config, &movie);
		check_edge(&config, &movie, &out);
		compare(&movie, "out.h264", 46, 48);
		probe("out.h264", text);
		expect(text, "profile", formats[i].becomes);
		expect(text, "level", "42");
		expect(text, "pix_fmt", av_get_pix_fmt_name(formats[i].format));
		expect(text, "has_b_frames", "0");
		expect(text, "r_frame_rate", "60/1");
		expect(text, "field_order",
		       formats[i].is_interlaced ? "tt" : "progressive");
		config = config_of(VIDEO_EDGE, &again);
		config.profile = formats[i].profile;
		encode(&config, &movie);
		assert_same(&out, &again);
		free_movie(&movie);
		arena_reset(&arena);
	}
}

/* Colours, aspect and such come through. */
static void test_looks(void **state)
{
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_EDGE, &out);
	struct movie movie;
	AVFrame *like;
	char text[4000];

	UNUSED(state);
	skip_without_ffmpeg();
	make(&movie, AV_PIX_FMT_YUV420P, 3);
	like = movie.frames[0];
	like->sample_aspect_ratio = av_make_q(4, 3);
	like->color_range = AVCOL_RANGE_JPEG;
	like->color_primaries = AVCOL_PRI_SMPTE170M;
	like->color_trc = AVCOL_TRC_BT709;
	like->colorspace = AVCOL_SPC_SMPTE170M;
	like->chroma_location = AVCHROMA_LOC_TOPLEFT;
	config.frame_ticks = 1501;
	encode(&config, &movie);
	save(&out);
	probe("out.h264", text);
	expect(text, "sample_aspect_ratio", "4:3");
	expect(text, "color_range", "pc");
	expect(text, "color_primaries", "smpte170m");
	expect(text, "color_transfer", "bt709");
	expect(text, "color_space", "smpte170m");
	expect(text, "chroma_location", "topleft");
	expect(text, "r_frame_rate", "60000/1001");
	free_movie(&movie);
	arena_reset(&arena);
}

/* A level that there is not, and an id at the end of what there is. */
static void test_limits(void **state)
{
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_EDGE, &out);
	struct movie movie;

	UNUSED(state);
	skip_without_ffmpeg();
	make(&movie, AV_PIX_FMT_YUV420P, 3);
	config.level = 99;
	config.sps_id = 31;
	config.frame_ticks = 0;
	encode(&config, &movie);
	check_times(&movie, &out);
	assert_int_equal(read_ue(find_nal(&out.packets[0], 7) + 4), 31);
	assert_int_equal(read_ue(find_nal(&out.packets[0], 8) + 1), 31);
	free_movie(&movie);
	arena_reset(&arena);
}

/* Noise, which takes what it is given. */
static void make_noise(struct movie *movie, size_t nr)
{
	uint64_t seed = 13;

	movie->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		AVFrame *frame = new_frame(AV_PIX_FMT_YUV420P, 320, 180);

		for (int k = 0; k < frame->linesize[0] * 180; k++)
			frame->data[0][k] = (uint8_t)unit_random(&seed);
		memset(frame->data[1], 128, (size_t)frame->linesize[1] * 90);
		memset(frame->data[2], 128, (size_t)frame->linesize[2] * 90);
		frame->pts = (int64_t)i * STEP;
		movie->frames[i] = frame;
	}
}

/* A second of it keeps a bound, and is the same each time. */
static void test_bound(void **state)
{
	static struct stream loose, bounded, again;
	struct videoenc_config config = config_of(VIDEO_EDGE, &loose);
	struct movie movie;

	UNUSED(state);
	make_noise(&movie, 60);
	encode(&config, &movie);
	config = config_of(VIDEO_EDGE, &bounded);
	config.max_bps = 4000000;
	encode(&config, &movie);
	print_message("# %zu bytes, bounded %zu\n", loose.bytes, bounded.bytes);
	/* What may flow off, and what may be late. */
	assert_true(loose.bytes > 5 * 4000000 / 16);
	assert_true(bounded.bytes < 5 * 4000000 / 16);
	assert_int_equal(bounded.packets[0].size, loose.packets[0].size);
	config.ctx = &again;
	again = (struct stream){ .max = SIZE_MAX };
	encode(&config, &movie);
	assert_same(&bounded, &again);
	free_movie(&movie);
	arena_reset(&arena);
}

static void test_captions(void **state)
{
	static const uint8_t captions[] = { 0xfc, 0x94, 0x20, 0xfc, 0x48,
					    0xe9, 0xf9, 0x55, 0x33 };
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_EDGE, &out);
	struct movie movie;

	UNUSED(state);
	skip_without_ffmpeg();
	make(&movie, AV_PIX_FMT_YUV420P, 6);
	for (size_t i = 0; i < movie.nr; i += 2)
		memcpy(av_frame_new_side_data(movie.frames[i],
					      AV_FRAME_DATA_A53_CC,
					      sizeof(captions))
			       ->data,
		       captions, sizeof(captions));
	encode(&config, &movie);
	for (size_t i = 0; i < out.nr; i++) {
		const struct packet *p = &out.packets[i];
		const uint8_t *cc = memmem(p->data, p->size, "GA94\3", 5);

		assert_int_equal(cc != NULL, i % 2 == 0);
		if (cc)
			assert_memory_equal(cc + 7, captions, sizeof(captions));
	}
	free_movie(&movie);
	arena_reset(&arena);
}

/* Any steps at all, and times below 0: they come out as they went in. */
static void test_times(void **state)
{
	static const enum video_kind kinds[] = { VIDEO_EDGE, VIDEO_FULL,
						 VIDEO_VP9 };

	UNUSED(state);
	skip_without_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		static struct stream out;
		struct videoenc_config config = config_of(kinds[i], &out);
		struct movie movie;
		uint64_t seed = 14;
		int64_t pts = -9000;

		make(&movie, AV_PIX_FMT_YUV420P, 25);
		for (size_t k = 0; k < movie.nr; k++) {
			pts += 1 + (int64_t)(unit_random(&seed) % 4000);
			movie.frames[k]->pts = pts;
		}
		encode(&config, &movie);
		check_times(&movie, &out);
		free_movie(&movie);
		arena_reset(&arena);
	}
}

/* ---- whole cuts ---- */

static void check_keys(const struct stream *out, size_t every)
{
	for (size_t i = 0; i < out->nr; i++)
		assert_int_equal(out->packets[i].is_key, i % every == 0);
}

static void test_full(void **state)
{
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_FULL, &out);
	struct movie movie;
	char text[4000];

	UNUSED(state);
	skip_without_ffmpeg();
	make(&movie, AV_PIX_FMT_YUV420P, 50);
	config.frame_ticks = 3754;
	encode(&config, &movie);
	check_times(&movie, &out);
	check_keys(&out, 48);
	assert_memory_equal(out.packets[48].data, "\0\0\0\1\11", 5);
	assert_non_null(find_nal(&out.packets[48], 7));
	save(&out);
	compare(&movie, "out.h264", 46, 48);
	probe("out.h264", text);
	expect(text, "r_frame_rate", "24000/1001");
	config = config_of(VIDEO_FULL, &out);
	config.crf = 0;
	encode(&config, &movie);
	save(&out);
	compare(&movie, "out.h264", 99, 99);
	free_movie(&movie);
	arena_reset(&arena);
}

static void test_vp9(void **state)
{
	static const enum AVPixelFormat vp9[] = { AV_PIX_FMT_YUV420P,
						  AV_PIX_FMT_YUVJ420P,
						  AV_PIX_FMT_YUV444P };

	UNUSED(state);
	skip_without_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(vp9); i++) {
		static struct stream out;
		struct videoenc_config config = config_of(VIDEO_VP9, &out);
		struct movie movie;
		char text[4000];

		make(&movie, AV_PIX_FMT_YUV420P, 24);
		if (vp9[i] == AV_PIX_FMT_YUV444P) {
			free_movie(&movie);
			make(&movie, AV_PIX_FMT_YUV444P, 24);
		}
		for (size_t k = 0; k < movie.nr; k++)
			movie.frames[k]->format = vp9[i];
		config.frame_ticks = 9000;
		encode(&config, &movie);
		check_times(&movie, &out);
		check_keys(&out, 20);
		save_ivf(&out);
		probe("out.ivf", text);
		expect(text, "codec_name", "vp9");
		if (vp9[i] == AV_PIX_FMT_YUVJ420P)
			expect(text, "color_range", "pc");
		else
			compare(&movie, "out.ivf", 34, 36);
		free_movie(&movie);
		arena_reset(&arena);
	}
}

/* ---- what is not done ---- */

/* The picture put stays the caller's: nothing in it is changed. */
static void test_lent(void **state)
{
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_EDGE, &out);
	AVFrame *frame = new_frame(AV_PIX_FMT_YUV420P, 64, 64);
	struct movie movie = { .frames = { frame, av_frame_clone(frame) },
			       .nr = 2 };

	UNUSED(state);
	for (int i = 0; i < 3; i++)
		memset(frame->data[i], 100,
		       (size_t)frame->linesize[i] * (i ? 32 : 64));
	movie.frames[1]->pts = 1;
	frame->pts = 0;
	movie.frames[1]->pict_type = AV_PICTURE_TYPE_I;
	encode(&config, &movie);
	assert_int_equal(movie.frames[1]->pict_type, AV_PICTURE_TYPE_I);
	assert_int_equal(out.nr, 2);
	assert_false(out.packets[1].is_key);
	arena_reset(&arena); /* and with it the encoder */
	free_movie(&movie);
}

static void test_take_ends(void **state)
{
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_EDGE, &out);
	AVFrame *frame = new_frame(AV_PIX_FMT_YUV420P, 64, 64);
	struct videoenc *enc = NULL;
	struct errmsg e = { "" };

	UNUSED(state);
	for (int i = 0; i < 3; i++)
		memset(frame->data[i], 100,
		       (size_t)frame->linesize[i] * (i ? 32 : 64));
	frame->pts = 5;
	out.max = 1;
	assert_int_equal(videoenc_open(&arena, &config, frame, &enc, &e),
			 ERR_OK);
	/* As late as there are threads that hold a picture. */
	for (int i = 0; i < 1 + config.nr_threads; i++, frame->pts++) {
		enum err err = videoenc_put(enc, frame, &e);

		assert_int_equal(err,
				 i < config.nr_threads ? ERR_OK : ERR_GONE);
	}
	assert_string_equal(e.text, "enough");
	arena_reset(&arena);
	av_frame_free(&frame);
}

static void test_refused(void **state)
{
	static const struct {
		const char *what;
		enum video_kind kind;
		enum AVPixelFormat format;
		int width;
		int height;
		const char *says;
	} rows[] = {
		{ "RGB", VIDEO_EDGE, AV_PIX_FMT_GBRP, 64, 64, "'gbrp'" },
		{ "RGB", VIDEO_FULL, AV_PIX_FMT_GBRP, 64, 64, "'gbrp'" },
		{ "9 bits", VIDEO_EDGE, AV_PIX_FMT_YUV420P9, 64, 64, "H.264" },
		{ "grey VP9", VIDEO_VP9, AV_PIX_FMT_GRAY8, 64, 64, "VP9" },
		{ "no format", VIDEO_VP9, AV_PIX_FMT_NONE, 64, 64, "VP9" },
		{ "odd", VIDEO_EDGE, AV_PIX_FMT_YUV420P, 63, 64, "63x64" },
		{ "odd", VIDEO_FULL, AV_PIX_FMT_YUV420P, 64, 63, "64x63" },
		{ "empty", VIDEO_EDGE, AV_PIX_FMT_YUV420P, 0, 0, "0x0" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct stream out;
		struct videoenc_config config = config_of(rows[i].kind, &out);
		AVFrame *frame = av_frame_alloc();
		struct videoenc *enc = NULL;
		struct errmsg e = { "" };
		const uint8_t *data = NULL;
		size_t size = UNIT_UNTOUCHED;

		print_message("# %s\n", rows[i].what);
		assert_non_null(frame);
		frame->format = rows[i].format;
		frame->width = rows[i].width;
		frame->height = rows[i].height;
		assert_int_equal(
			videoenc_open(&arena, &config, frame, &enc, &e),
			ERR_MEDIA);
		assert_null(enc);
		if (!strstr(e.text, rows[i].says))
			fail_msg("%s", e.text);
		assert_int_equal(videoenc_headers(&arena, &config, frame, &data,
						  &size, &e),
				 ERR_MEDIA);
		assert_null(data);
		assert_int_equal(size, UNIT_UNTOUCHED);
		av_frame_free(&frame);
		arena_reset(&arena);
	}
}

/* Pictures that are not like the first, or not after the last. */
static void test_changes(void **state)
{
	static struct stream out;
	struct videoenc_config config = config_of(VIDEO_EDGE, &out);
	AVFrame *frame = new_frame(AV_PIX_FMT_YUV420P, 64, 64);
	AVFrame *large = new_frame(AV_PIX_FMT_YUV420P, 128, 64);
	AVFrame *deep = new_frame(AV_PIX_FMT_YUV420P10, 64, 64);
	struct videoenc *enc = NULL;
	struct errmsg e = { "" };

	UNUSED(state);
	for (int i = 0; i < 3; i++)
		memset(frame->data[i], 100,
		       (size_t)frame->linesize[i] * (i ? 32 : 64));
	frame->pts = 5;
	large->pts = deep->pts = 6;
	assert_int_equal(videoenc_open(&arena, &config, frame, &enc, &e),
			 ERR_OK);
	assert_int_equal(videoenc_put(enc, frame, &e), ERR_OK);
	assert_int_equal(videoenc_put(enc, frame, &e), ERR_MEDIA);
	assert_non_null(strstr(e.text, "order"));
	assert_int_equal(videoenc_put(enc, large, &e), ERR_MEDIA);
	assert_non_null(strstr(e.text, "64x64 to 128x64"));
	assert_int_equal(videoenc_put(enc, deep, &e), ERR_MEDIA);
	assert_non_null(strstr(e.text, "format"));
	assert_int_equal(videoenc_finish(enc, &e), ERR_OK);
	assert_int_equal(out.nr, 1);
	arena_reset(&arena);
	av_frame_free(&frame);
	av_frame_free(&large);
	av_frame_free(&deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_captions),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_vp9),
		cmocka_unit_test(test_lent),
		cmocka_unit_test(test_take_ends),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_changes),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
