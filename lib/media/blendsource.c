#include "config.h"

#include "media/blendsource.h"

#include "media/blend.h"

struct blendsource {
	struct blendsource_config config;
	struct arena *arena;
	struct framesource *a;
	struct framesource *b;
	struct blend *blend; /* NULL before the first pair */
	AVFrame *frame_a;
	AVFrame *frame_b; /* that is shown now; empty before the first */
	AVFrame *next_b;
	bool has_next_b;
};

static void free_frames(void *ptr)
{
	struct blendsource *src = ptr;

	av_frame_free(&src->frame_a);
	av_frame_free(&src->frame_b);
	av_frame_free(&src->next_b);
}

enum err blendsource_open(struct arena *a,
			  const struct blendsource_config *config,
			  struct blendsource **src_r, struct errmsg *e)
{
	struct blendsource *src = ARENA_NEW(a, struct blendsource);
	enum err err;

	src->config = *config;
	src->arena = a;
	arena_defer(a, free_frames, src);
	src->frame_a = av_frame_alloc();
	src->frame_b = av_frame_alloc();
	src->next_b = av_frame_alloc();
	*src_r = src;
	if (!src->frame_a || !src->frame_b || !src->next_b)
		return err_set(e, ERR_IO, "out of memory");
	err = framesource_open(a, &config->a, config->nr_threads,
			       config->cancel, &src->a, e);
	if (!err)
		err = framesource_open(a, &config->b, config->nr_threads,
				       config->cancel, &src->b, e);
	if (!err)
		err = framesource_next(src->b, src->next_b, &src->has_next_b,
				       e);
	return err;
}

/* Moves B on to the picture that is shown at a time of its own. */
static enum err follow(struct blendsource *src, int64_t time, struct errmsg *e)
{
	int64_t slack = src->config.frame_ticks / 2;

	while (src->has_next_b &&
	       (!src->frame_b->buf[0] || src->next_b->pts <= time + slack)) {
		enum err err;

		av_frame_unref(src->frame_b);
		av_frame_move_ref(src->frame_b, src->next_b);
		err = framesource_next(src->b, src->next_b, &src->has_next_b,
				       e);
		if (err)
			return err;
	}
	if (!src->frame_b->buf[0])
		return err_set(e, ERR_MEDIA,
			       "there is no picture to blend with");
	return ERR_OK;
}

static enum err draw(struct blendsource *src, AVFrame *out, struct errmsg *e)
{
	const struct blendsource_config *config = &src->config;
	struct blend_config wanted = {
		.name = config->transition,
		.nr_pairs = config->nr_pairs,
		.frame_ticks = config->frame_ticks,
		.nr_threads = config->nr_threads,
	};
	enum err err = ERR_OK;

	if (!src->blend)
		err = blend_open(src->arena, &wanted, src->frame_a,
				 src->frame_b, &src->blend, e);
	return err ? err :
		     blend_draw(src->blend, src->frame_a, src->frame_b, out, e);
}

enum err blendsource_next(struct blendsource *src, AVFrame *frame, bool *has_r,
			  struct errmsg *e)
{
	const struct blendsource_config *config = &src->config;
	enum err err = framesource_next(src->a, src->frame_a, has_r, e);

	if (err || !*has_r)
		return err;
	err = follow(src, config->b.lo + (src->frame_a->pts - config->a.lo), e);
	if (!err)
		err = draw(src, frame, e);
	av_frame_unref(src->frame_a);
	return err;
}

const AVCodecContext *blendsource_context(const struct blendsource *src)
{
	return framesource_context(src->a);
}
