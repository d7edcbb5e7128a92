#include "config.h"

#include "media/videoenc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "base/compiler.h"
#include "media/avlog.h"
#include "media/ts.h"

/* Renamed in libavcodec 60.31 (FFmpeg 6.1). */
#ifdef AV_PROFILE_H264_MAIN
#define PROFILE(name) AV_PROFILE_H264_##name
#else
#define PROFILE(name) FF_PROFILE_H264_##name
#endif

/* The rest of a profile are constraints: FF_PROFILE_H264_INTRA and such. */
#define PROFILE_IDC 0xff

#define MAX_SPS_ID 31 /* H.264 7.4.2.1.1 */

#define KEY_SECONDS 2	      /* between two key frames, but at an edge */
#define NO_END	    (1 << 30) /* X264_KEYINT_MAX_INFINITE */

/* How max_bps is kept: see bound_rate(). */
#define FREE_SECONDS   0.5
#define CRF_PER_SECOND 24
#define MAX_CRF	       51

/* Between two pictures, in ticks; a rate outside of these is no rate. */
#define MIN_TICKS 1
#define MAX_TICKS (10 * TS_HZ)

struct videoenc {
	AVCodecContext *codec;
	AVPacket *packet;
	AVFrame *frame; /* a reference to the caller's, with flags of ours */
	packet_fn *take;
	void *ctx;
	enum AVPixelFormat format; /* of the pictures put */
	int64_t last_pts;
	double crf;
	int64_t max_bps; /* 0: no bound */
	int64_t debt;	 /* bits given so far beyond it */
};

struct option {
	const char *name;
	const char *value;
};

/* Accepts one that was only half built, or closed before. */
static void close_encoder(void *ptr)
{
	struct videoenc *enc = ptr;

	av_frame_free(&enc->frame);
	av_packet_free(&enc->packet);
	avcodec_free_context(&enc->codec);
}

/* Pixel formats */

/*
 * What H.264 decoders give and x264 takes; the profile is the least that has
 * the format, where that is more than High.
 */
static const struct {
	enum AVPixelFormat format;
	const char *profile;
} x264_formats[] = {
	{ AV_PIX_FMT_YUV420P, NULL },
	{ AV_PIX_FMT_YUVJ420P, NULL },
	{ AV_PIX_FMT_GRAY8, "high" },
	{ AV_PIX_FMT_YUV420P10, "high10" },
	{ AV_PIX_FMT_GRAY10, "high10" },
	{ AV_PIX_FMT_YUV422P, "high422" },
	{ AV_PIX_FMT_YUVJ422P, "high422" },
	{ AV_PIX_FMT_YUV422P10, "high422" },
	{ AV_PIX_FMT_YUV444P, "high444" },
	{ AV_PIX_FMT_YUVJ444P, "high444" },
	{ AV_PIX_FMT_YUV444P10, "high444" },
};

/* What libvpx takes; it knows full range by the range alone. */
static const struct {
	enum AVPixelFormat format;
	enum AVPixelFormat plain;
} vp9_formats[] = {
	{ AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P },
	{ AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P },
	{ AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV422P },
	{ AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P },
	{ AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV420P10 },
	{ AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV422P10 },
	{ AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV444P10 },
};

static enum err refuse_format(int format, const char *as, struct errmsg *e)
{
	const char *name = av_get_pix_fmt_name(format);

	return err_set(e, ERR_MEDIA, "pictures in '%s' cannot become %s",
		       name ? name : "no format", as);
}

/* What pictures say of themselves */

static bool is_interlaced(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_INTERLACED
	return frame->flags & AV_FRAME_FLAG_INTERLACED;
#else
	return frame->interlaced_frame;
#endif
}

static bool is_top_first(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_TOP_FIELD_FIRST
	return frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
	return frame->top_field_first;
#endif
}

/* Whether a picture is a key frame is the encoder's to say. */
static void forget_type(AVFrame *frame)
{
	frame->pict_type = AV_PICTURE_TYPE_NONE;
#ifdef AV_FRAME_FLAG_KEY
	frame->flags &= ~AV_FRAME_FLAG_KEY;
#else
	frame->key_frame = 0;
#endif
}

/*
 * The rate whose pictures are so far apart; those of NTSC lie between two
 * ticks.  It stands in the SPS, where it should be the source's.
 */
static AVRational rate_of(int64_t ticks)
{
	static const struct {
		int64_t ticks; /* or one more */
		AVRational rate;
	} between[] = {
		{ 750, { 120000, 1001 } },
		{ 1501, { 60000, 1001 } },
		{ 3753, { 24000, 1001 } },
	};

	if (ticks < MIN_TICKS)
		ticks = MIN_TICKS;
	if (ticks > MAX_TICKS)
		ticks = MAX_TICKS;
	for (size_t i = 0; i < ARRAY_SIZE(between); i++)
		if (ticks == between[i].ticks || ticks == between[i].ticks + 1)
			return between[i].rate;
	return av_make_q(TS_HZ, (int)ticks);
}

static void copy_looks(AVCodecContext *codec, const AVFrame *like)
{
	codec->width = like->width;
	codec->height = like->height;
	codec->pix_fmt = like->format;
	codec->sample_aspect_ratio = like->sample_aspect_ratio;
	codec->color_range = like->color_range;
	codec->color_primaries = like->color_primaries;
	codec->color_trc = like->color_trc;
	codec->colorspace = like->colorspace;
	codec->chroma_sample_location = like->chroma_location;
}

/* Options of the encoders */

static enum err set_option(AVCodecContext *codec, const char *name,
			   const char *value, struct errmsg *e)
{
	if (av_opt_set(codec->priv_data, name, value, 0) < 0)
		return err_set(e, ERR_MEDIA, "encoder '%s' has no '%s=%s'",
			       codec->codec->name, name, value);
	return ERR_OK;
}

static enum err set_options(AVCodecContext *codec, const struct option *options,
			    size_t nr, struct errmsg *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < nr && !err; i++)
		err = set_option(codec, options[i].name, options[i].value, e);
	return err;
}

static enum err set_crf(AVCodecContext *codec, double crf, struct errmsg *e)
{
	char text[32];

	snprintf(text, sizeof(text), "%.2f", crf);
	return set_option(codec, "crf", text, e);
}

/* Profile */

/* The source's, if its format and fields do not ask for more. */
static const char *profile_of(const struct videoenc_config *config,
			      const AVFrame *like, const char *least)
{
	int idc = config->profile & PROFILE_IDC;

	if (least)
		return least;
	if (config->profile < 0)
		return "high";
	if (idc == PROFILE(BASELINE) && !is_interlaced(like))
		return "baseline";
	if (idc == PROFILE(BASELINE) || idc == PROFILE(MAIN) ||
	    idc == PROFILE(EXTENDED))
		return "main";
	return "high";
}

/* What a stream must use, or x264 gives it a lower profile. */
static const char *tool_of(const char *profile)
{
	if (!strcmp(profile, "baseline"))
		return "";
	return strcmp(profile, "main") ? "8x8dct=1:" : "cabac=1:";
}

/* x264 refuses levels that it does not know; then it finds its own. */
static bool is_level(int level)
{
	static const uint8_t levels[] = { 9,  10, 11, 12, 13, 20, 21,
					  22, 30, 31, 32, 40, 41, 42,
					  50, 51, 52, 60, 61, 62 };

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (level == levels[i])
			return true;
	return false;
}

/*
 * ultrafast	Of 1080p60 (x264 164) with crf 20 the edges of a cut take a
 *		third less of a processor than with superfast and crf 17, are
 *		a dB better (54.1 in the mean, 52.2 at least) for half as many
 *		bytes again; of 360p both are as good, and as large.
 * deblock	which ultrafast leaves out: at no cost to be seen a little
 *		better, and much where max_bps makes the crf high.
 * 8x8dct, cabac  which make it High, or Main, as the source is.
 * zerolatency	no lookahead.  (It also makes the rate a constant one in the
 *		SPS; the times of the pictures stay as they are.)  But whole
 *		pictures for threads, not slices: so they work while the caller
 *		decodes the next, a fifth less time for an edge.
 * scenecut=0	one IDR picture, the first.
 * stitchable	nothing in the parameter sets depends on the pictures.
 * sps-id	of SPS and PPS: source and edge never overwrite each other's.
 *
 * Interlaced pictures differ from run to run with more than one thread (seen
 * with slices and x264 164).
 */
static enum err set_edge(AVCodecContext *codec,
			 const struct videoenc_config *config,
			 const AVFrame *like, const char *least,
			 struct errmsg *e)
{
	const char *profile = profile_of(config, like, least);
	const struct option options[] = {
		{ "preset", "ultrafast" },
		{ "tune", "zerolatency" },
		{ "profile", profile },
		{ "a53cc", "1" },
	};
	char params[150];
	enum err err;

	if (config->sps_id > MAX_SPS_ID)
		BUG("no SPS can have the id %u", config->sps_id);
	snprintf(params, sizeof(params),
		 "scenecut=0:aud=1:repeat-headers=1:stitchable=1:deblock=0,0:"
		 "sliced-threads=0:%ssps-id=%u",
		 tool_of(profile), config->sps_id);
	codec->gop_size = NO_END;
	if (is_interlaced(like))
		codec->thread_count = 1;
	if (is_level(config->level))
		codec->level = config->level;
	err = set_options(codec, options, ARRAY_SIZE(options), e);
	return err ? err : set_option(codec, "x264-params", params, e);
}

/* force-cfr: a rate in the SPS, as above. */
static enum err set_full(AVCodecContext *codec, struct errmsg *e)
{
	static const struct option options[] = {
		{ "preset", "ultrafast" },
		{ "a53cc", "1" },
		{ "x264-params", "aud=1:repeat-headers=1:force-cfr=1" },
	};

	return set_options(codec, options, ARRAY_SIZE(options), e);
}

/* x264 refuses the same, but leaks when it does (164). */
static enum err check_size(const AVFrame *like, struct errmsg *e)
{
	const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(like->format);
	int across = 1 << desc->log2_chroma_w;
	int down = 1 << (desc->log2_chroma_h + is_interlaced(like));

	if (like->width % across || like->height % down)
		return err_set(e, ERR_MEDIA,
			       "pictures of %dx%d in '%s' cannot become H.264",
			       like->width, like->height, desc->name);
	return ERR_OK;
}

static enum err set_x264(AVCodecContext *codec,
			 const struct videoenc_config *config,
			 const AVFrame *like, struct errmsg *e)
{
	size_t i = 0;
	enum err err;

	while (i < ARRAY_SIZE(x264_formats) &&
	       (int)x264_formats[i].format != like->format)
		i++;
	if (i == ARRAY_SIZE(x264_formats))
		return refuse_format(like->format, "H.264", e);
	err = check_size(like, e);
	if (err)
		return err;
	codec->max_b_frames = 0;
	if (is_interlaced(like)) {
		codec->flags |= AV_CODEC_FLAG_INTERLACED_DCT;
		codec->field_order =
			is_top_first(like) ? AV_FIELD_TT : AV_FIELD_BB;
	}
	if (config->kind == VIDEO_EDGE)
		err = set_edge(codec, config, like, x264_formats[i].profile, e);
	else
		err = set_full(codec, e);
	return err ? err : set_crf(codec, config->crf, e);
}

/* Of VP9, which has its pictures in columns of 256 pixels at least. */
static int log2_columns(int width)
{
	int n = 0;

	while (n < 6 && width >> (n + 1) >= 256)
		n++;
	return n;
}

/*
 * cpu-used: of 1080p60 with crf 30 (libvpx 1.12) a picture takes 46 ms of a
 * processor with 5, 31 with 6 and 7, 21 with 8, which has 0.2 dB less and 3 %
 * more bytes.
 */
static enum err set_vp9(AVCodecContext *codec,
			const struct videoenc_config *config,
			const AVFrame *like, struct errmsg *e)
{
	char columns[8];
	const struct option options[] = {
		{ "deadline", "realtime" },  { "cpu-used", "8" },
		{ "row-mt", "1" },	     { "lag-in-frames", "0" },
		{ "tile-columns", columns },
	};
	size_t i = 0;
	enum err err;

	while (i < ARRAY_SIZE(vp9_formats) &&
	       (int)vp9_formats[i].format != like->format)
		i++;
	if (i == ARRAY_SIZE(vp9_formats))
		return refuse_format(like->format, "VP9", e);
	if (codec->pix_fmt != vp9_formats[i].plain)
		codec->color_range = AVCOL_RANGE_JPEG;
	codec->pix_fmt = vp9_formats[i].plain;
	codec->bit_rate = 0; /* the crf alone counts */
	snprintf(columns, sizeof(columns), "%d", log2_columns(like->width));
	err = set_options(codec, options, ARRAY_SIZE(options), e);
	return err ? err : set_crf(codec, config->crf, e);
}

/* Opening */

static enum err set_up(AVCodecContext *codec,
		       const struct videoenc_config *config,
		       const AVFrame *like, struct errmsg *e)
{
	AVRational rate = rate_of(config->frame_ticks);

	copy_looks(codec, like);
	codec->time_base = av_make_q(1, TS_HZ);
	codec->framerate = rate;
	codec->gop_size = (KEY_SECONDS * rate.num - 1) / rate.den + 1;
	codec->thread_count = config->nr_threads;
	switch (config->kind) {
	case VIDEO_EDGE:
	case VIDEO_FULL:
		return set_x264(codec, config, like, e);
	case VIDEO_VP9:
		return set_vp9(codec, config, like, e);
	}
	BUG("no kind of video has the number %d", (int)config->kind);
}

static enum err open_codec(struct videoenc *enc,
			   const struct videoenc_config *config,
			   const AVFrame *like, int flags, struct errmsg *e)
{
	const char *name = config->kind == VIDEO_VP9 ? "libvpx-vp9" : "libx264";
	const AVCodec *codec = avcodec_find_encoder_by_name(name);
	char text[AVLOG_TEXT_SIZE];
	enum err err;
	int got;

	if (!codec)
		return err_set(e, ERR_MEDIA, "no encoder '%s'", name);
	enc->codec = avcodec_alloc_context3(codec);
	enc->packet = av_packet_alloc();
	enc->frame = av_frame_alloc();
	if (!enc->codec || !enc->packet || !enc->frame)
		return err_set(e, ERR_MEDIA, "no memory to encode video");
	err = set_up(enc->codec, config, like, e);
	if (err)
		return err;
	enc->codec->flags |= flags;
	got = avcodec_open2(enc->codec, codec, NULL);
	if (got < 0)
		return err_set(e, ERR_MEDIA,
			       "cannot encode pictures of %dx%d with '%s': %s",
			       like->width, like->height, name,
			       avlog_text(got, text));
	return ERR_OK;
}

static struct videoenc *new_encoder(struct arena *a,
				    const struct videoenc_config *config,
				    const AVFrame *like)
{
	struct videoenc *enc = ARENA_NEW(a, struct videoenc);

	avlog_begin();
	enc->take = config->take;
	enc->ctx = config->ctx;
	enc->format = like->format;
	enc->last_pts = TS_NONE;
	enc->crf = config->crf;
	if (config->kind == VIDEO_EDGE && config->max_bps > 0)
		enc->max_bps = config->max_bps;
	arena_defer(a, close_encoder, enc);
	return enc;
}

enum err videoenc_open(struct arena *a, const struct videoenc_config *config,
		       const AVFrame *like, struct videoenc **enc_r,
		       struct errmsg *e)
{
	struct videoenc *enc = new_encoder(a, config, like);
	enum err err = open_codec(enc, config, like, 0, e);

	if (!err)
		*enc_r = enc;
	return err;
}

/*
 * Asked for headers of its own, x264 writes them at once, and
 * repeat-headers=1 has it write the same into its packets.
 */
enum err videoenc_headers(struct arena *a, const struct videoenc_config *config,
			  const AVFrame *like, const uint8_t **data_r,
			  size_t *size_r, struct errmsg *e)
{
	struct videoenc *enc = new_encoder(a, config, like);
	enum err err =
		open_codec(enc, config, like, AV_CODEC_FLAG_GLOBAL_HEADER, e);

	if (!err && enc->codec->extradata_size <= 0)
		err = err_set(e, ERR_MEDIA, "encoder '%s' gave no headers",
			      enc->codec->codec->name);
	if (!err) {
		size_t size = (size_t)enc->codec->extradata_size;
		uint8_t *data = arena_alloc(a, size);

		memcpy(data, enc->codec->extradata, size);
		*data_r = data;
		*size_r = size;
	}
	close_encoder(enc); /* it is large, and the arena may live long */
	return err;
}

/* Encoding */

/*
 * A bound to the rate, in place of x264's own (VBV): that one looks how far the
 * other threads have come, so that the same pictures give other bytes (seen
 * with x264 164).  Here what was given counts, less what may flow off
 * meanwhile.  Half a second's worth is free; from there on the crf rises by 24
 * for a second's worth, which divides the bits by 16.  With 1080p60 that
 * wants four times as much, bytes and quality are as with VBV.
 */
static enum err bound_rate(struct videoenc *enc, int64_t step, struct errmsg *e)
{
	double late; /* seconds to send what is too much */

	if (!enc->max_bps)
		return ERR_OK;
	enc->debt -= av_rescale(enc->max_bps, step, TS_HZ);
	if (enc->debt < 0)
		enc->debt = 0;
	late = (double)enc->debt / (double)enc->max_bps - FREE_SECONDS;
	if (late < 0)
		late = 0;
	return set_crf(enc->codec,
		       fmin(enc->crf + late * CRF_PER_SECOND, MAX_CRF), e);
}

static enum err fail(int got, struct errmsg *e)
{
	char text[AVLOG_TEXT_SIZE];

	return err_set(e, ERR_MEDIA, "cannot encode a picture: %s",
		       avlog_text(got, text));
}

/* All packets that there are now. */
static enum err receive(struct videoenc *enc, struct errmsg *e)
{
	for (;;) {
		int got = avcodec_receive_packet(enc->codec, enc->packet);
		enum err err;

		if (got == AVERROR(EAGAIN) || got == AVERROR_EOF)
			return ERR_OK;
		if (got < 0)
			return fail(got, e);
		enc->packet->dts = enc->packet->pts;
		enc->debt += (int64_t)enc->packet->size * 8;
		err = enc->take(enc->ctx, enc->packet, e);
		av_packet_unref(enc->packet);
		if (err)
			return err;
	}
}

static enum err check(const struct videoenc *enc, const AVFrame *frame,
		      struct errmsg *e)
{
	if (frame->width != enc->codec->width ||
	    frame->height != enc->codec->height)
		return err_set(e, ERR_MEDIA,
			       "pictures change from %dx%d to %dx%d",
			       enc->codec->width, enc->codec->height,
			       frame->width, frame->height);
	if (frame->format != (int)enc->format)
		return err_set(e, ERR_MEDIA, "pictures change their format");
	if (frame->pts <= enc->last_pts)
		return err_set(e, ERR_MEDIA, "pictures are out of order");
	return ERR_OK;
}

enum err videoenc_put(struct videoenc *enc, const AVFrame *frame,
		      struct errmsg *e)
{
	enum err err = check(enc, frame, e);
	int got;

	if (!err && enc->last_pts != TS_NONE)
		err = bound_rate(enc, frame->pts - enc->last_pts, e);
	if (err)
		return err;
	enc->last_pts = frame->pts;
	got = av_frame_ref(enc->frame, frame);
	if (got >= 0) {
		enc->frame->format = enc->codec->pix_fmt;
		forget_type(enc->frame);
		got = avcodec_send_frame(enc->codec, enc->frame);
	}
	av_frame_unref(enc->frame);
	return got < 0 ? fail(got, e) : receive(enc, e);
}

enum err videoenc_finish(struct videoenc *enc, struct errmsg *e)
{
	int got = avcodec_send_frame(enc->codec, NULL);

	return got < 0 ? fail(got, e) : receive(enc, e);
}

const AVCodecContext *videoenc_context(const struct videoenc *enc)
{
	return enc->codec;
}
