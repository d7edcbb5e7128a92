#include "config.h"

#include "media/still.h"

/* How far behind the time its picture usually is, at most. */
#define NEAR_US (USEC_PER_SEC / 10)

static enum err refuse_hole(usec_t time_us, struct errmsg *e)
{
	char time[UTIME_ISO_SIZE];

	utime_format(time_us, time);
	return err_set(e, ERR_HOLES,
		       "contains holes: there is no picture at %s", time);
}

/* Whether the first run begins at the time, or goes over it. */
static bool covers(const struct cutplan *plan, usec_t time_us)
{
	return rough_piece_entry(&plan->cover.pieces[0])->start_us <=
	       time_us + SEAM_US;
}

/* The first run that has a picture; a hole before it is one at the time. */
static enum err find_run(struct arena *a, struct cutpieces *pieces,
			 struct still *still, usec_t time_us, struct errmsg *e)
{
	const struct cutplan *plan = &still->plan;

	for (size_t i = 0; i < plan->nr_runs; i++) {
		const struct cut_run *run = &plan->runs[i];
		enum err err;

		if (i ? plan->cover.pieces[run->first].after_hole :
			!covers(plan, time_us))
			break;
		if (!plan->pieces[run->first].has_video)
			return err_set(e, ERR_FORMAT, "there is only sound");
		err = cutedges_find(a, plan, pieces, run, CUT_WHOLE,
				    &still->edges, e);
		if (err || !still->edges.is_empty)
			return err;
	}
	return refuse_hole(time_us, e);
}

static enum err find_within(struct arena *a, struct hourreader *reader,
			    usec_t time_us, usec_t length_us, usec_t now_us,
			    struct still *still, struct errmsg *e)
{
	struct time_range *range = ARENA_NEW(a, struct time_range);
	struct cut_spec spec = { .ranges = range,
				 .nr_ranges = 1,
				 .allow_holes = true,
				 .any_codec = true,
				 .now_us = now_us };
	struct arena segments; /* while they are needed */
	enum err err;

	*range = (struct time_range){ time_us, time_us + length_us };
	err = cutplan_make(reader, &spec, &still->plan, e);
	if (err)
		return err;
	arena_init(&segments);
	err = find_run(a, cutpieces_new(&segments, &still->plan), still,
		       time_us, e);
	arena_release(&segments);
	return err;
}

enum err still_find(struct arena *a, struct hourreader *reader, usec_t time_us,
		    usec_t now_us, struct still *still_r, struct errmsg *e)
{
	enum err err =
		find_within(a, reader, time_us, NEAR_US, now_us, still_r, e);

	if (err == ERR_HOLES)
		err = find_within(a, reader, time_us, STILL_FAR_US, now_us,
				  still_r, e);
	if (err)
		return err;
	still_r->cancel = NULL;
	still_r->hash[0] = still_r->plan.cover.hash[0];
	still_r->hash[1] =
		still_r->plan.cover.hash[1] ^ (uint64_t)still_r->edges.start;
	return ERR_OK;
}

enum err still_decode(struct arena *a, const struct still *still,
		      int nr_threads, const AVFrame **frame_r, struct errmsg *e)
{
	struct framestretch stretch = still->edges.head;
	AVFrame *frame = framesource_frame(a);
	struct framesource *src;
	bool has = false;
	enum err err;

	if (!frame)
		return err_set(e, ERR_IO, "out of memory");
	stretch.hi = stretch.lo + 1;
	err = framesource_open(a, &stretch, nr_threads, still->cancel, &src, e);
	if (!err)
		err = framesource_next(src, frame, &has, e);
	if (!err && !has)
		err = err_set(e, ERR_MEDIA, "the picture cannot be decoded");
	*frame_r = frame;
	return err;
}
