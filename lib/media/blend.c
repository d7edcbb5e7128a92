#include "config.h"

#include "media/blend.h"

#include <inttypes.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "base/compiler.h"
#include "media/avlog.h"
#include "media/ts.h"
#include "media/wipe.h"

/*
 * The pictures of the graph are numbered: pair k has the pts k, in a clock of
 * AV_TIME_BASE.  xfade counts from the first pts and draws at (float)k / n,
 * whatever the rate is, and its limit of 60 s for a transition is far away.
 *
 * Pair 0 never goes there: what is all A needs no drawing, and at a progress of
 * 1 some transitions of FFmpeg draw a column that is not A's (wiperight,
 * rectcrop), or read one behind the end of A's lines (slideleft in 5.1,
 * revealleft in 7).  So pair 1 is the first that xfade sees, and offset=-1us
 * tells it that it is not the first.
 */
#define GRAPH_CLOCK 1000000

/*
 * The libraries are told nothing of ranges and colours: then nothing that a
 * graph puts between its filters can convert them.  For the same reason the
 * "J" formats, which are full range by name, go by their plain twins.
 */
struct format {
	enum AVPixelFormat format;
	enum AVPixelFormat plain;
	enum AVPixelFormat full; /* 4:4:4 as xfade takes it */
};

static const struct format formats[] = {
	{ AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV444P },
	{ AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV444P10 },
	{ AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10 },
	{ AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV444P10 },
};

/* What all pictures of a side have in common. */
struct shape {
	const struct format *format;
	int width;
	int height;
	bool is_full_range;
	enum AVColorSpace matrix;
};

struct blend {
	size_t nr_pairs;
	size_t nr_drawn;
	struct shape a;
	struct shape b;

	struct SwsContext *sws; /* B to the shape of A; NULL: it has it */
	AVFrame *scaled;

	struct wipe *wipe; /* NULL: xfade draws */

	AVFilterGraph *graph;
	AVFilterContext *source[2]; /* of the graph */
	AVFilterContext *sink;	    /* likewise */
	AVFrame *lent;
};

static void close_blend(void *ptr)
{
	struct blend *blend = ptr;

	sws_freeContext(blend->sws);
	av_frame_free(&blend->scaled);
	av_frame_free(&blend->lent);
	avfilter_graph_free(&blend->graph);
}

/* The constant of xfade's option that names a transition; NULL: none. */
static const AVOption *find_xfade(const char *name)
{
	const AVFilter *filter = avfilter_get_by_name("xfade");
	const AVClass *class = filter ? filter->priv_class : NULL;
	const AVOption *o;

	if (!class)
		return NULL;
	o = av_opt_find(&class, name, "transition", 0, AV_OPT_SEARCH_FAKE_OBJ);
	/* "custom", which takes a program, is -1. */
	return o && o->type == AV_OPT_TYPE_CONST && o->default_val.i64 >= 0 ?
		       o :
		       NULL;
}

bool blend_has(const char *name)
{
	return wipe_is(name) || find_xfade(name);
}

/* ---- the shapes of pictures ---- */

static enum err take_shape(const AVFrame *frame, struct shape *shape,
			   struct errmsg *e)
{
	const char *name = av_get_pix_fmt_name(frame->format);
	struct shape s = {
		.width = frame->width,
		.height = frame->height,
		.matrix = frame->colorspace,
	};

	for (size_t i = 0; i < ARRAY_SIZE(formats) && !s.format; i++)
		if (formats[i].format == (enum AVPixelFormat)frame->format)
			s.format = &formats[i];
	if (!s.format)
		return err_set(e, ERR_MEDIA,
			       "pictures of the format '%s' cannot be blended",
			       name ? name : "none");
	s.is_full_range = frame->color_range == AVCOL_RANGE_JPEG ||
			  s.format->format != s.format->plain;
	*shape = s;
	return ERR_OK;
}

static bool has_shape(const AVFrame *frame, const struct shape *shape)
{
	return (enum AVPixelFormat)frame->format == shape->format->format &&
	       frame->width == shape->width && frame->height == shape->height;
}

/* Only if both sides say what they are, and say different things. */
static bool other_matrix(const struct shape *a, const struct shape *b)
{
	return a->matrix != b->matrix && a->matrix != AVCOL_SPC_UNSPECIFIED &&
	       b->matrix != AVCOL_SPC_UNSPECIFIED;
}

static bool is_same_shape(const struct shape *a, const struct shape *b)
{
	return a->format->plain == b->format->plain && a->width == b->width &&
	       a->height == b->height && a->is_full_range == b->is_full_range &&
	       !other_matrix(a, b);
}

/* ---- B as A is ---- */

/*
 * The ranges must be known when the scaler is set up: it takes a plain copy for
 * two equal formats otherwise, and stays with it.
 */
static int init_scaler(struct SwsContext *sws, const struct shape *from,
		       const struct shape *to)
{
	const struct {
		const char *name;
		int64_t value;
	} options[] = {
		{ "sws_flags",
		  SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT },
		{ "srcw", from->width },
		{ "srch", from->height },
		{ "src_format", from->format->plain },
		{ "src_range", from->is_full_range },
		{ "dstw", to->width },
		{ "dsth", to->height },
		{ "dst_format", to->format->plain },
		{ "dst_range", to->is_full_range },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		int rc = av_opt_set_int(sws, options[i].name, options[i].value,
					0);
		if (rc < 0)
			return rc;
	}
	return sws_init_context(sws, NULL, NULL);
}

static enum err open_scaler(struct blend *blend, struct errmsg *e)
{
	const struct shape *a = &blend->a;
	const struct shape *b = &blend->b;
	char why[AVLOG_TEXT_SIZE];
	int rc = AVERROR(ENOMEM);

	blend->scaled = av_frame_alloc();
	blend->sws = sws_alloc_context();
	if (blend->scaled && blend->sws)
		rc = init_scaler(blend->sws, b, a);
	if (rc >= 0 && other_matrix(a, b))
		rc = sws_setColorspaceDetails(
			blend->sws, sws_getCoefficients((int)b->matrix),
			b->is_full_range, sws_getCoefficients((int)a->matrix),
			a->is_full_range, 0, 1 << 16, 1 << 16);
	if (rc < 0)
		return err_set(e, ERR_MEDIA, "cannot scale %dx%d to %dx%d: %s",
			       b->width, b->height, a->width, a->height,
			       avlog_text(rc, why));
	return ERR_OK;
}

/* Pictures of the graph still have the last one: each gets its own memory. */
static int make_picture(AVFrame *frame, const struct shape *shape)
{
	av_frame_unref(frame);
	frame->format = shape->format->plain;
	frame->width = shape->width;
	frame->height = shape->height;
	return av_frame_get_buffer(frame, 0);
}

static enum err scale(struct blend *blend, const AVFrame *b, struct errmsg *e)
{
	char why[AVLOG_TEXT_SIZE];
	int rc = make_picture(blend->scaled, &blend->a);

	if (rc >= 0)
		rc = sws_scale(blend->sws, (const uint8_t *const *)b->data,
			       b->linesize, 0, b->height, blend->scaled->data,
			       blend->scaled->linesize);
	if (rc < 0)
		return err_set(e, ERR_MEDIA,
			       "cannot scale for a transition: %s",
			       avlog_text(rc, why));
	return ERR_OK;
}

/* ---- xfade ---- */

/*
 * "neighbor" repeats a sample of chroma on the way to 4:4:4 and takes the same
 * one on the way back, so that what xfade leaves alone comes out unchanged;
 * measured with FFmpeg 5.1: the filters that weigh change a third of them.
 */
static char *describe_source(struct arena *arena, const struct blend *blend,
			     const struct blend_config *config, char side)
{
	const struct format *format = blend->a.format;

	return arena_printf(arena,
			    "buffer@%c=video_size=%dx%d:pix_fmt=%s:"
			    "time_base=1/%d:frame_rate=%d/%" PRId64 ":"
			    "pixel_aspect=1/1,"
			    "scale=flags=neighbor,format=pix_fmts=%s[%c];",
			    side, blend->a.width, blend->a.height,
			    av_get_pix_fmt_name(format->plain), GRAPH_CLOCK,
			    TS_HZ, config->frame_ticks,
			    av_get_pix_fmt_name(format->full), side);
}

/* The transition goes in as its number: no text of others is in a graph. */
static char *describe_graph(struct arena *arena, const struct blend *blend,
			    const struct blend_config *config)
{
	const AVOption *transition = find_xfade(config->name);

	return arena_printf(
		arena,
		"%s%s[a][b]xfade=transition=%" PRId64 ":duration=%zuus:"
		"offset=-1us,scale=flags=neighbor,format=pix_fmts=%s,"
		"buffersink@out",
		describe_source(arena, blend, config, 'a'),
		describe_source(arena, blend, config, 'b'),
		transition ? transition->default_val.i64 : 0, config->nr_pairs,
		av_get_pix_fmt_name(blend->a.format->plain));
}

static enum err open_graph(struct arena *arena, struct blend *blend,
			   const struct blend_config *config, struct errmsg *e)
{
	const char *text = describe_graph(arena, blend, config);
	AVFilterInOut *ins = NULL;
	AVFilterInOut *outs = NULL;
	char why[AVLOG_TEXT_SIZE];
	int rc = AVERROR(ENOMEM);

	blend->lent = av_frame_alloc();
	blend->graph = avfilter_graph_alloc();
	if (!blend->lent || !blend->graph)
		goto out;
	blend->graph->nb_threads = config->nr_threads;
	avfilter_graph_set_auto_convert(blend->graph,
					(unsigned)AVFILTER_AUTO_CONVERT_NONE);
	rc = avfilter_graph_parse2(blend->graph, text, &ins, &outs);
	if (rc >= 0)
		rc = avfilter_graph_config(blend->graph, NULL);
	if (rc < 0)
		goto out;
	blend->source[0] = avfilter_graph_get_filter(blend->graph, "buffer@a");
	blend->source[1] = avfilter_graph_get_filter(blend->graph, "buffer@b");
	blend->sink = avfilter_graph_get_filter(blend->graph, "buffersink@out");
	if (!blend->source[0] || !blend->source[1] || !blend->sink)
		rc = AVERROR_BUG;
out:
	avfilter_inout_free(&ins);
	avfilter_inout_free(&outs);
	if (rc < 0)
		return err_set(e, ERR_MEDIA, "cannot set up xfade: %s",
			       avlog_text(rc, why));
	return ERR_OK;
}

/* The samples of a picture, and nothing else that it says of itself. */
static int lend(struct blend *blend, AVFilterContext *source,
		const AVFrame *frame)
{
	AVFrame *lent = blend->lent;

	av_frame_unref(lent);
	lent->format = blend->a.format->plain;
	lent->width = blend->a.width;
	lent->height = blend->a.height;
	lent->pts = (int64_t)blend->nr_drawn;
	for (size_t i = 0; i < AV_NUM_DATA_POINTERS; i++) {
		lent->data[i] = frame->data[i];
		lent->linesize[i] = frame->linesize[i];
		if (!frame->buf[i])
			continue;
		lent->buf[i] = av_buffer_ref(frame->buf[i]);
		if (!lent->buf[i])
			return AVERROR(ENOMEM);
	}
	/* The graph takes the references over. */
	return av_buffersrc_add_frame_flags(source, lent, 0);
}

/*
 * xfade draws as soon as both sides have a picture, and as long as the pts of A
 * is not behind the end, which that of the last pair never is.
 */
static enum err draw_xfade(struct blend *blend, const AVFrame *a,
			   const AVFrame *b, AVFrame *out, struct errmsg *e)
{
	char why[AVLOG_TEXT_SIZE];
	int rc = lend(blend, blend->source[0], a);

	if (rc >= 0)
		rc = lend(blend, blend->source[1], b);
	if (rc >= 0)
		rc = av_buffersink_get_frame(blend->sink, out);
	if (rc < 0)
		return err_set(e, ERR_MEDIA, "xfade gives no picture: %s",
			       avlog_text(rc, why));
	return ERR_OK;
}

/* ---- a wipe ---- */

static enum err draw_wipe(struct blend *blend, const AVFrame *a,
			  const AVFrame *b, AVFrame *out, struct errmsg *e)
{
	const AVPixFmtDescriptor *desc =
		av_pix_fmt_desc_get(blend->a.format->plain);
	/* In the steps of vf_xfade.c, in floats. */
	float done = (float)blend->nr_drawn / (float)blend->nr_pairs;
	float progress = 1.F - done;
	char why[AVLOG_TEXT_SIZE];
	int rc = make_picture(out, &blend->a);

	if (rc < 0)
		return err_set(e, ERR_MEDIA, "no picture for a wipe: %s",
			       avlog_text(rc, why));
	for (int i = 0; i < desc->nb_components; i++) {
		struct wipe_plane plane = {
			.a = a->data[i],
			.b = b->data[i],
			.out = out->data[i],
			.stride_a = a->linesize[i],
			.stride_b = b->linesize[i],
			.stride_out = out->linesize[i],
			.bytes_per_sample = desc->comp[i].depth > 8 ? 2 : 1,
			.shift_x = i ? desc->log2_chroma_w : 0,
			.shift_y = i ? desc->log2_chroma_h : 0,
		};
		int lines = AV_CEIL_RSHIFT(blend->a.height, (int)plane.shift_y);

		wipe_draw(blend->wipe, (double)progress, &plane, 0,
			  (unsigned)lines);
	}
	return ERR_OK;
}

/* ---- the interface ---- */

enum err blend_open(struct arena *arena, const struct blend_config *config,
		    const AVFrame *a, const AVFrame *b, struct blend **blend_r,
		    struct errmsg *e)
{
	struct blend *blend = ARENA_NEW(arena, struct blend);
	enum err err;

	avlog_begin();
	arena_defer(arena, close_blend, blend);
	blend->nr_pairs = config->nr_pairs;
	if (!blend_has(config->name))
		return err_set(e, ERR_UNBUILT,
			       "the FFmpeg here has no transition '%s'",
			       err_quote(config->name).text);
	err = take_shape(a, &blend->a, e);
	if (!err)
		err = take_shape(b, &blend->b, e);
	if (!err && !is_same_shape(&blend->a, &blend->b))
		err = open_scaler(blend, e);
	if (!err && wipe_is(config->name))
		blend->wipe = wipe_new(arena, config->name, (unsigned)a->width,
				       (unsigned)a->height);
	else if (!err)
		err = open_graph(arena, blend, config, e);
	if (!err)
		*blend_r = blend;
	return err;
}

/* All but the samples is A's, as it is in a reference to A. */
static int describe_picture(const AVFrame *a, AVFrame *out)
{
	out->format = a->format;
	return av_frame_copy_props(out, a);
}

static enum err draw_pair(struct blend *blend, const AVFrame *a,
			  const AVFrame *b, AVFrame *out, struct errmsg *e)
{
	char why[AVLOG_TEXT_SIZE];
	enum err err = ERR_OK;
	int rc;

	if (blend->nr_drawn && blend->sws) {
		err = scale(blend, b, e);
		b = blend->scaled;
	}
	if (!err && blend->nr_drawn)
		err = blend->wipe ? draw_wipe(blend, a, b, out, e) :
				    draw_xfade(blend, a, b, out, e);
	if (err)
		return err;
	rc = blend->nr_drawn ? describe_picture(a, out) : av_frame_ref(out, a);
	if (rc < 0)
		return err_set(e, ERR_MEDIA, "cannot copy a picture: %s",
			       avlog_text(rc, why));
	out->pict_type = AV_PICTURE_TYPE_NONE;
	return ERR_OK;
}

enum err blend_draw(struct blend *blend, const AVFrame *a, const AVFrame *b,
		    AVFrame *out, struct errmsg *e)
{
	enum err err;

	if (blend->nr_drawn >= blend->nr_pairs)
		BUG("a transition of %zu pictures has one more",
		    blend->nr_pairs);
	if (!has_shape(a, &blend->a) || !has_shape(b, &blend->b))
		return err_set(e, ERR_MEDIA,
			       "the pictures change within a transition");
	err = draw_pair(blend, a, b, out, e);
	if (err)
		av_frame_unref(out);
	else
		blend->nr_drawn++;
	return err;
}
