#include "config.h"

#include "media/fullcut.h"

#include <string.h>

#include "media/audioenc.h"
#include "media/avlog.h"
#include "media/blendsource.h"
#include "media/cutcheck.h"
#include "media/fullout.h"
#include "media/scaler.h"
#include "media/soundsource.h"
#include "media/videoenc.h"

#define CHUNK_SAMPLES 4096
#define OPUS_RATE     48000
#define MAX_CHANNELS  2 /* of what comes out */

/* A run with its edges, and its sound. */
struct stretch {
	const struct cut_run *run;
	struct cut_edges edges;
	struct arena arena;
	int64_t delta;		   /* from the source's clock to the cut's */
	struct soundsource *sound; /* or NULL */
};

struct full {
	struct arena *arena;
	const struct cutplan *plan;
	const struct fullcut_config *config;
	struct cut_work *work;
	struct cutpieces *pieces;
	struct fullout *out;
	struct videoenc *video; /* NULL before the first picture */
	struct audioenc *audio; /* NULL: no sound */
	struct scaler *scaler;
	struct picture_shape shape; /* of the first picture */
	AVFrame *frame;
	AVFrame *like; /* the first picture, without its planes */
	int64_t clock; /* where the next run begins */
	bool is_begun;
	int64_t nr_samples; /* sent so far */
	uint32_t rate;
	unsigned nr_channels;
	size_t nr_done;
	bool has_range;		     /* there was something of the range */
	struct stretch stretches[2]; /* this one and the one before */
};

static void free_full(void *ptr)
{
	struct full *f = ptr;

	for (size_t i = 0; i < ARRAY_SIZE(f->stretches); i++)
		arena_release(&f->stretches[i].arena);
	av_frame_free(&f->frame);
	av_frame_free(&f->like);
}

/* Sound */

static int64_t samples_at(const struct full *f, int64_t ticks)
{
	return (ticks * f->rate + TS_HZ / 2) / TS_HZ;
}

static enum err take_audio(void *ctx, const AVPacket *packet, struct errmsg *e)
{
	struct full *f = ctx;

	return fullout_audio(f->out, packet, e);
}

/* The share of the new sound in a transition, at a sample of nr. */
static void mix(float *const *a, float *const *b, unsigned nr_channels,
		size_t count, int64_t first, int64_t nr)
{
	for (unsigned c = 0; c < nr_channels; c++)
		for (size_t i = 0; i < count; i++) {
			float share = (float)(first + (int64_t)i) / (float)nr;

			a[c][i] = a[c][i] * (1 - share) + b[c][i] * share;
		}
}

static enum err read_some(struct soundsource *src, float *const *planes,
			  unsigned nr_channels, size_t nr, struct errmsg *e)
{
	int64_t left = src ? soundsource_left(src) : 0;
	size_t have = left < (int64_t)nr ? (size_t)(left > 0 ? left : 0) : nr;

	/* A sample may be missing, because times were rounded. */
	for (unsigned c = 0; c < nr_channels; c++)
		memset(planes[c] + have, 0, (nr - have) * sizeof(float));
	return have ? soundsource_read(src, planes, have, e) : ERR_OK;
}

/*
 * Sends sound up to a time of the cut, of a and, in a transition that lasts
 * from begin to end, mixed with b.
 */
static enum err send_sound(struct full *f, int64_t time, struct soundsource *a,
			   struct soundsource *b, int64_t begin, int64_t end,
			   struct errmsg *e)
{
	float sound_a[MAX_CHANNELS][CHUNK_SAMPLES];
	float sound_b[MAX_CHANNELS][CHUNK_SAMPLES];
	float *planes_a[] = { sound_a[0], sound_a[1] };
	float *planes_b[] = { sound_b[0], sound_b[1] };
	int64_t origin = samples_at(f, begin);
	int64_t until = samples_at(f, time);
	enum err err = ERR_OK;

	while (!err && f->audio && f->nr_samples < until) {
		int64_t left = until - f->nr_samples;
		size_t nr = left < CHUNK_SAMPLES ? (size_t)left : CHUNK_SAMPLES;

		err = read_some(a, planes_a, f->nr_channels, nr, e);
		if (!err && end > begin) {
			err = read_some(b, planes_b, f->nr_channels, nr, e);
			mix(planes_a, planes_b, f->nr_channels, nr,
			    f->nr_samples - origin,
			    samples_at(f, end) - origin);
		}
		if (!err)
			err = audioenc_put(f->audio, planes_a, nr, e);
		f->nr_samples += (int64_t)nr;
	}
	return err;
}

/* The sound of a run, from where its transition begins to where it ends. */
static enum err open_sound(struct full *f, struct stretch *s, int64_t lead,
			   struct errmsg *e)
{
	struct framestretch sound;
	const struct cut_run *run = s->run;

	s->sound = NULL;
	if (!f->audio || !f->plan->pieces[run->first].has_audio)
		return ERR_OK;
	sound = (struct framestretch){
		.cover = &f->plan->cover,
		.pieces = f->plan->cover.pieces + run->first,
		.nr_pieces = run->last - run->first + 1,
		.reference = f->plan->pieces[run->first].dts,
		.lo = s->edges.start - lead,
		.hi = s->edges.out_stop,
	};
	return soundsource_open(&s->arena, &sound, f->rate, f->nr_channels,
				&s->sound, e);
}

/* Video */

static enum err take_video(void *ctx, const AVPacket *packet, struct errmsg *e)
{
	struct full *f = ctx;

	f->work->nr_encoded++;
	return fullout_video(f->out, packet, e);
}

static enum err open_video(struct full *f, int64_t step, const AVFrame *frame,
			   struct errmsg *e)
{
	bool is_webm = f->config->kind == FULL_WEBM;
	double crf = f->config->crf;
	struct videoenc_config config = {
		.kind = is_webm ? VIDEO_VP9 : VIDEO_FULL,
		.nr_threads = f->config->nr_threads,
		.crf = crf >= 0 ? crf :
		       is_webm	? 31 :
				  0,
		.frame_ticks = step,
		.take = take_video,
		.ctx = f,
	};
	enum err err = videoenc_open(f->arena, &config, frame, &f->video, e);

	if (err)
		return err;
	if (av_frame_copy_props(f->like, frame) < 0)
		return err_set(e, ERR_IO, "out of memory");
	f->shape = (struct picture_shape){ frame->width, frame->height,
					   frame->format };
	return fullout_begin(f->out, videoenc_context(f->video),
			     f->audio ? audioenc_context(f->audio) : NULL, e);
}

static enum err send_frame(struct full *f, AVFrame *frame, int64_t step,
			   struct errmsg *e)
{
	const struct fullcut_config *config = f->config;
	const AVFrame *made = frame;
	enum err err = ERR_OK;

	if (config->is_gone && config->is_gone(config->ctx))
		return err_set(e, ERR_GONE, "the client left");
	if (!f->video)
		err = open_video(f, step, frame, e);
	/* A picture of another size or pixel format is made like the first. */
	if (!err && !has_shape(frame, &f->shape))
		err = scaler_scale(f->scaler, frame, &f->shape, f->like, &made,
				   e);
	return err ? err : videoenc_put(f->video, made, e);
}

/* Runs */

static enum err send_pictures(struct full *f, struct stretch *s,
			      struct errmsg *e)
{
	struct framesource *src;
	bool has = true;
	enum err err = framesource_open(&s->arena, &s->edges.head,
					f->config->nr_threads, NULL, &src, e);

	while (!err) {
		err = framesource_next(src, f->frame, &has, e);
		if (err || !has)
			break;
		f->frame->pts += s->delta;
		err = send_sound(f, f->frame->pts, s->sound, NULL, 0, 0, e);
		if (!err)
			err = send_frame(f, f->frame, s->edges.step, e);
		av_frame_unref(f->frame);
	}
	return err;
}

static enum err send_transition(struct full *f, struct stretch *from,
				struct stretch *to, struct errmsg *e)
{
	const struct blendsource_config config = {
		.transition = from->run->out->name,
		.a = from->edges.lead_out,
		.b = to->edges.lead_in,
		.nr_pairs = from->edges.nr_pairs,
		.frame_ticks = from->edges.step,
		.nr_threads = f->config->nr_threads,
	};
	int64_t begin = from->edges.stop + from->delta;
	int64_t end = from->edges.out_stop + from->delta;
	struct blendsource *src;
	bool has = true;
	enum err err;

	err = cutcheck_blend(from->run->out, &from->edges, &to->edges, e);
	if (!err)
		err = blendsource_open(&to->arena, &config, &src, e);
	while (!err) {
		err = blendsource_next(src, f->frame, &has, e);
		if (err || !has)
			break;
		f->frame->pts += from->delta;
		err = send_sound(f, f->frame->pts, from->sound, to->sound,
				 begin, end, e);
		if (!err)
			err = send_frame(f, f->frame, from->edges.step, e);
		av_frame_unref(f->frame);
	}
	return err ? err :
		     send_sound(f, end, from->sound, to->sound, begin, end, e);
}

static void let_go(struct full *f, struct stretch *s)
{
	arena_release(&s->arena);
	if (s->run)
		cutpieces_drop(f->pieces, s->run->first, s->run->last + 1);
	s->run = NULL;
}

static enum err do_run(struct full *f, const struct cut_run *run,
		       struct errmsg *e)
{
	struct stretch *s = &f->stretches[f->nr_done % 2];
	struct stretch *before = &f->stretches[(f->nr_done + 1) % 2];
	int64_t lead = 0;
	enum err err;

	s->run = run;
	err = cutedges_find(&s->arena, f->plan, f->pieces, run, CUT_WHOLE,
			    &s->edges, e);
	if (err)
		return err;
	err = cutcheck_count(f->plan, run, s->edges.is_empty, &f->has_range, e);
	if (err || s->edges.is_empty) {
		let_go(f, s);
		return err;
	}
	f->work->start_moved |= s->edges.start_moved;
	s->delta = f->clock - s->edges.start;
	cutpieces_drop(f->pieces, run->first, run->last + 1);
	if (run->in)
		lead = before->edges.out_stop - before->edges.stop;
	err = open_sound(f, s, lead, e);
	if (!err && run->in)
		err = send_transition(f, before, s, e);
	let_go(f, before);
	f->nr_done++;
	f->is_begun = true;
	if (!err && s->edges.has_head)
		err = send_pictures(f, s, e);
	if (!err)
		err = send_sound(f, s->edges.stop + s->delta, s->sound, NULL, 0,
				 0, e);
	f->clock = s->edges.out_stop + s->delta;
	f->work->length += s->edges.out_stop - s->edges.start;
	return err;
}

static enum err open_audio(struct full *f, struct errmsg *e)
{
	struct audio_format format;

	if (!f->plan->out.has[OUT_AUDIO] ||
	    !adts_frame(f->plan->sound.data, f->plan->sound.size, &format))
		return ERR_OK;
	/* Of AAC with SBR the header has half the rate. */
	f->rate = format.rate <= 24000 ? format.rate * 2 : format.rate;
	if (f->config->kind == FULL_WEBM)
		f->rate = OPUS_RATE;
	f->nr_channels = format.channels == 1 ? 1 : MAX_CHANNELS;
	return audioenc_open(
		f->arena, f->config->kind == FULL_WEBM ? AUDIO_OPUS : AUDIO_AAC,
		f->rate, f->nr_channels, take_audio, f, &f->audio, e);
}

static enum err finish(struct full *f, struct errmsg *e)
{
	enum err err;

	if (!f->video)
		return err_set(e, ERR_HOLES,
			       "contains holes: there is no picture in the "
			       "range");
	err = videoenc_finish(f->video, e);
	if (!err && f->audio)
		err = audioenc_finish(f->audio, e);
	return err ? err : fullout_finish(f->out, e);
}

enum err fullcut_stream(struct arena *a, const struct cutplan *plan,
			const struct fullcut_config *config, struct sink *sink,
			struct cut_work *work_r, struct errmsg *e)
{
	struct full *f = ARENA_NEW(a, struct full);
	enum err err;

	avlog_begin();
	*work_r = (struct cut_work){ 0 };
	f->arena = a;
	f->plan = plan;
	f->config = config;
	f->work = work_r;
	for (size_t i = 0; i < ARRAY_SIZE(f->stretches); i++)
		arena_init(&f->stretches[i].arena);
	f->pieces = cutpieces_new(a, plan);
	arena_defer(a, free_full, f);
	f->frame = av_frame_alloc();
	f->like = av_frame_alloc();
	f->scaler = scaler_new(a);
	if (!f->frame || !f->like)
		return err_set(e, ERR_IO, "out of memory");
	f->out = fullout_new(a, config->kind, sink);
	err = open_audio(f, e);
	for (size_t i = 0; !err && i < plan->nr_runs; i++)
		err = do_run(f, &plan->runs[i], e);
	return err ? err : finish(f, e);
}
