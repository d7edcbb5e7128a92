#include "config.h"

#include "media/cutsound.h"

#include <string.h>

#include "media/soundjoin.h"

#define LEAD	  480  /* ticks that sound may be early at a join */
#define LAG	  1440 /* and late: together a frame of 48 kHz */
#define NR_HELD	  6    /* frames before a join that may be encoded anew */
#define NR_JOINED 6    /* and behind it */
#define NR_RECENT (AAC_PREROLL + NR_HELD)
#define MAX_FRAME 8192 /* 13 bits: ISO/IEC 14496-3 1.A.2 */

/* A frame in its place on the clock of the cut. */
struct placed {
	int64_t pts;
	const uint8_t *data;
	size_t size;
};

/* Where the sound of a run has got to. */
struct cursor {
	size_t piece;
	size_t frame;
	size_t last; /* piece */
};

/* A frame of the source, kept when its piece is gone. */
struct kept {
	int64_t pts; /* where it goes */
	size_t size;
	uint8_t data[MAX_FRAME + TSFILE_PADDING];
};

struct cutsound {
	struct arena *arena;
	struct cutpieces *pieces;
	struct unitsink *out;
	bool exists;
	struct audio_frame silence; /* size 0: none can be made */

	/* the run */
	struct soundrun run;
	struct cursor at;
	uint32_t rate;	 /* of the headers: of the grid */
	bool has_next;	 /* next_q is known */
	int64_t next_q;	 /* where the next frame goes, in ticks times rate: */
	int64_t least_q; /* what rounded times leave open of it */
	int64_t most_q;
	int64_t delta;
	bool is_silent; /* there is no more sound in the run */

	/* frames in their places, to be sent before any of the cursor's */
	struct placed *pending;
	size_t nr_pending;
	size_t next_pending;
	size_t pending_capacity;

	/* the last frames of the source; the last nr_held are not sent yet */
	struct kept *recent[NR_RECENT];
	size_t nr_recent;
	size_t nr_held;

	/* of the run that has ended, for the join */
	struct framelist after; /* those behind its end */
	size_t nr_transition;	/* frames of the grid */
};

/* Lists */

static void add_pending(struct cutsound *s, const struct audio_frame *frame)
{
	s->pending = arena_grow(s->arena, s->pending, s->nr_pending,
				&s->pending_capacity, sizeof(*s->pending));
	s->pending[s->nr_pending++] =
		(struct placed){ frame->pts, frame->data, frame->size };
}

/* Positions */

static int64_t ticks_of_q(const struct cutsound *s, int64_t q)
{
	int64_t half = s->rate / 2;

	return q >= 0 ? (q + half) / s->rate : -((-q + half) / s->rate);
}

static int64_t frame_ticks(const struct cutsound *s)
{
	return AAC_STEP_Q / s->rate;
}

/* A position is within the run while most of its frame is. */
static bool is_before_end(const struct cutsound *s, int64_t pts, int64_t end)
{
	return pts + frame_ticks(s) / 2 < end;
}

static void set_next(struct cutsound *s, int64_t q)
{
	s->next_q = s->least_q = s->most_q = q;
	s->has_next = true;
}

static void set_rate(struct cutsound *s, uint32_t rate)
{
	if (s->has_next && rate != s->rate)
		set_next(s, ticks_of_q(s, s->next_q) * rate);
	s->rate = rate;
}

/* The cursor */

/* The next frame, in the next piece if need be; or NULL. */
static enum err peek(struct cutsound *s, struct cursor *at,
		     const struct audio_frame **frame_r, struct errmsg *e)
{
	*frame_r = NULL;
	while (at->piece <= at->last) {
		const struct tsfile *file;
		enum err err = cutpieces_load(s->pieces, at->piece, &file, e);

		if (err)
			return err;
		if (at->frame < file->nr_frames) {
			*frame_r = &file->frames[at->frame];
			return ERR_OK;
		}
		at->piece++;
		at->frame = 0;
	}
	return ERR_OK;
}

/* Sending */

static enum err send_held(struct cutsound *s, size_t down_to, struct errmsg *e)
{
	enum err err = ERR_OK;

	while (!err && s->nr_held > down_to) {
		const struct kept *k = s->recent[s->nr_recent - s->nr_held];

		err = s->out->audio(s->out, k->data, k->size, k->pts, e);
		s->nr_held--;
	}
	return err;
}

/* Keeps a frame as the last of the source; the oldest goes. */
static void keep(struct cutsound *s, const struct audio_frame *frame,
		 int64_t pts)
{
	struct kept *k;

	if (s->nr_recent == NR_RECENT) {
		k = s->recent[0];
		memmove(s->recent, s->recent + 1,
			(NR_RECENT - 1) * sizeof(*s->recent));
		s->recent[--s->nr_recent] = k;
	}
	k = s->recent[s->nr_recent++];
	k->pts = pts;
	k->size = frame->size < MAX_FRAME ? frame->size : MAX_FRAME;
	memcpy(k->data, frame->data, k->size);
}

static void forget_recent(struct cutsound *s)
{
	s->nr_recent = s->nr_held = 0;
}

/*
 * The times of frames are rounded to ticks.  All that were sent together leave
 * little open of where the grid is, so that a join does not add its own
 * rounding to that of the source.
 */
static void follow_grid(struct cutsound *s, int64_t pts)
{
	int64_t least = pts * s->rate - s->rate / 2;
	int64_t most = pts * s->rate + s->rate / 2;

	if (s->has_next && s->least_q <= most && s->most_q >= least) {
		least = least > s->least_q ? least : s->least_q;
		most = most < s->most_q ? most : s->most_q;
	}
	s->least_q = least + AAC_STEP_Q;
	s->most_q = most + AAC_STEP_Q;
	s->next_q = s->least_q + (s->most_q - s->least_q) / 2;
	s->has_next = true;
}

static enum err push(struct cutsound *s, const struct audio_frame *frame,
		     int64_t pts, struct errmsg *e)
{
	enum err err = send_held(s, NR_HELD - 1, e);

	keep(s, frame, pts);
	s->nr_held++;
	follow_grid(s, pts);
	return err;
}

static enum err send_pending(struct cutsound *s, int64_t time, struct errmsg *e)
{
	enum err err = ERR_OK;

	while (!err && s->next_pending < s->nr_pending &&
	       s->pending[s->next_pending].pts <= time) {
		const struct placed *p = &s->pending[s->next_pending++];

		err = s->out->audio(s->out, p->data, p->size, p->pts, e);
	}
	if (s->next_pending == s->nr_pending)
		s->next_pending = s->nr_pending = 0;
	return err;
}

/* Silent frames until a time; nothing if there are none to be had. */
static enum err fill(struct cutsound *s, int64_t time, int64_t end,
		     struct errmsg *e)
{
	enum err err = ERR_OK;

	if (!s->silence.size || !s->has_next)
		return ERR_OK;
	if (ticks_of_q(s, s->next_q) > time ||
	    !is_before_end(s, ticks_of_q(s, s->next_q), end))
		return ERR_OK;
	err = send_held(s, 0, e);
	forget_recent(s);
	while (!err) {
		int64_t pts = ticks_of_q(s, s->next_q);

		if (pts > time || !is_before_end(s, pts, end))
			break;
		err = s->out->audio(s->out, s->silence.data, s->silence.size,
				    pts, e);
		set_next(s, s->next_q + AAC_STEP_Q);
	}
	return err;
}

/* Sends what begins until a time and lies in pieces up to one. */
static enum err send_until(struct cutsound *s, int64_t time, size_t piece,
			   struct errmsg *e)
{
	enum err err = send_pending(s, time, e);

	if (err || s->nr_pending)
		return err;
	while (!err && !s->is_silent) {
		const struct audio_frame *frame;
		int64_t pts;

		if (s->at.piece > piece)
			return ERR_OK;
		err = peek(s, &s->at, &frame, e);
		if (err)
			break;
		if (!frame) {
			s->is_silent = true;
			break;
		}
		pts = frame->pts + s->delta;
		if (s->at.piece > piece || pts > time ||
		    !is_before_end(s, pts, s->run.end))
			return ERR_OK;
		/* Where times go back there is sound already. */
		if (s->has_next &&
		    pts + frame_ticks(s) <= ticks_of_q(s, s->next_q)) {
			s->at.frame++;
			continue;
		}
		err = push(s, frame, pts, e);
		s->at.frame++;
	}
	return err ? err : fill(s, time, s->run.end, e);
}

enum err cutsound_upto(struct cutsound *s, int64_t time, struct errmsg *e)
{
	return s->exists ? send_until(s, time, SIZE_MAX, e) : ERR_OK;
}

enum err cutsound_finish_piece(struct cutsound *s, size_t piece,
			       struct errmsg *e)
{
	enum err err;

	if (!s->exists)
		return ERR_OK;
	err = send_until(s, INT64_MAX, piece, e);
	return err ? err : send_held(s, 0, e);
}

void cutsound_skip_piece(struct cutsound *s, size_t piece)
{
	if (!s->exists)
		return;
	s->at.piece = piece + 1;
	s->at.frame = 0;
	forget_recent(s);
	s->has_next = false;
}

int64_t cutsound_delta(const struct cutsound *s)
{
	return s->delta;
}

/* Joins */

/* Puts the frames of a join in their places. */
static void place_join(struct cutsound *s, const struct soundjoin *j,
		       struct audio_frame *frames)
{
	size_t nr = soundjoin_nr(j);
	int64_t q = s->next_q - (int64_t)j->nr_before * AAC_STEP_Q;

	for (size_t i = 0; i < nr; i++) {
		frames[i].pts = ticks_of_q(s, q + (int64_t)i * AAC_STEP_Q);
		add_pending(s, &frames[i]);
	}
	set_next(s, s->next_q + (int64_t)(nr - j->nr_before) * AAC_STEP_Q);
}

/* Without mixing: what is held, the old sound or silence, then the new. */
static enum err join_plainly(struct cutsound *s, size_t nr_silent,
			     struct errmsg *e)
{
	enum err err = send_held(s, 0, e);

	for (size_t i = 0; i < s->nr_transition + nr_silent; i++) {
		struct audio_frame frame = s->silence;

		if (i < s->nr_transition && i < s->after.nr)
			frame = s->after.frames[i];
		frame.pts = ticks_of_q(s, s->next_q);
		if (frame.size)
			add_pending(s, &frame);
		set_next(s, s->next_q + AAC_STEP_Q);
	}
	return err;
}

/* All that is known of the old run's end, as one list. */
static void gather_old(struct cutsound *s, struct soundjoin *j)
{
	for (size_t i = 0; i < s->nr_recent; i++) {
		struct audio_frame frame = { .data = s->recent[i]->data,
					     .size = s->recent[i]->size };

		framelist_append_copy(s->arena, &j->a, &frame);
	}
	j->a_end = j->a.nr;
	for (size_t i = 0; i < s->after.nr; i++)
		framelist_append(s->arena, &j->a, &s->after.frames[i]);
}

/* The first frames of the new run behind those before its start. */
static enum err gather_new(struct cutsound *s, struct soundjoin *j,
			   struct errmsg *e)
{
	struct cursor at = s->at;
	size_t nr_made = 0; /* that are not in a file sent as it is */

	j->b_start = j->b.nr;
	for (size_t i = 0; i < NR_JOINED + 1; i++) {
		const struct audio_frame *frame;
		enum err err = peek(s, &at, &frame, e);

		if (err)
			return err;
		if (!frame || at.piece >= s->run.first_raw ||
		    !is_before_end(s, frame->pts + s->delta, s->run.end))
			break;
		framelist_append(s->arena, &j->b, frame);
		nr_made++;
		at.frame++;
	}
	/* The last one is only needed behind those that are encoded. */
	j->nr_behind = nr_made > NR_JOINED ? NR_JOINED :
		       nr_made		   ? nr_made - 1 :
					     0;
	return ERR_OK;
}

/* The frames of the new run that are encoded anew are passed by. */
static enum err pass_joined(struct cutsound *s, const struct soundjoin *j,
			    struct errmsg *e)
{
	forget_recent(s);
	for (size_t i = 0; i < j->nr_behind; i++) {
		const struct audio_frame *frame;
		enum err err = peek(s, &s->at, &frame, e);

		if (err || !frame)
			return err;
		keep(s, frame, frame->pts + s->delta);
		s->at.frame++;
	}
	return ERR_OK;
}

static enum err join_mixed(struct cutsound *s, struct soundjoin *j,
			   bool *done_r, struct errmsg *e)
{
	struct audio_frame *frames;
	enum err err;

	*done_r = false;
	gather_old(s, j);
	j->nr_before = s->nr_held;
	j->nr_middle = s->nr_transition;
	err = gather_new(s, j, e);
	if (err)
		return err;
	if (s->run.breaks)
		j->nr_behind = 0;
	if (!soundjoin_can(j))
		return ERR_OK;
	err = soundjoin_encode(s->arena, j, &frames, e);
	if (err)
		return err;
	place_join(s, j, frames);
	*done_r = true;
	return pass_joined(s, j, e);
}

/* Beginning a run */

/* Whether a frame that would go to pts is the first of the run. */
static bool is_first(const struct cutsound *s, bool is_free, int64_t target,
		     int64_t pts)
{
	if (!is_free)
		return pts >= target - LAG;
	return pts >= 0 && pts + frame_ticks(s) / 2 >= s->run.start;
}

/*
 * Finds the first frame of the run; those before it go to the list.  false:
 * there is none.
 */
static enum err find_first(struct cutsound *s, bool is_free, int64_t target,
			   struct framelist *before,
			   const struct audio_frame **first_r, struct errmsg *e)
{
	for (;;) {
		enum err err = peek(s, &s->at, first_r, e);
		int64_t pts;

		if (err || !*first_r)
			return err;
		pts = (*first_r)->pts + s->run.delta;
		if (!is_before_end(s, pts, s->run.end))
			*first_r = NULL;
		if (!*first_r || is_first(s, is_free, target, pts))
			return ERR_OK;
		framelist_append(s->arena, before, *first_r);
		s->at.frame++;
	}
}

static enum err find_rate(struct cutsound *s, struct errmsg *e)
{
	const struct tsfile *file;
	enum err err = cutpieces_load(s->pieces, s->run.run->first, &file, e);

	if (!err && file->format.rate)
		set_rate(s, file->format.rate);
	return err;
}

/* Joins the first frame of the run to what was before. */
static enum err join(struct cutsound *s, struct soundjoin *j,
		     const struct audio_frame *first, int64_t target,
		     struct errmsg *e)
{
	int64_t at = first ? first->pts + s->run.delta : target;
	int64_t late = at - LEAD - target;
	size_t nr_silent = 0;
	bool done = false;
	enum err err = ERR_OK;

	if (late > 0)
		nr_silent =
			(size_t)((late + frame_ticks(s) - 1) / frame_ticks(s));
	if (first)
		s->delta =
			ticks_of_q(s, s->next_q + (int64_t)(s->nr_transition +
							    nr_silent) *
							  AAC_STEP_Q) -
			first->pts;
	if (first && !nr_silent)
		err = join_mixed(s, j, &done, e);
	return err || done ? err : join_plainly(s, nr_silent, e);
}

static enum err break_off(struct cutsound *s, struct soundjoin *j,
			  const struct audio_frame *first, struct errmsg *e)
{
	bool done = false;
	enum err err = ERR_OK;

	if (first && s->nr_transition)
		err = join_mixed(s, j, &done, e);
	if (!err && !done)
		err = join_plainly(s, 0, e);
	forget_recent(s);
	s->has_next = false;
	s->delta = s->run.delta;
	return err;
}

enum err cutsound_begin_run(struct cutsound *s, const struct soundrun *run,
			    struct errmsg *e)
{
	bool is_free = !s->has_next || run->breaks;
	const struct audio_frame *first;
	struct soundjoin j = { .nr_before = 0 };
	int64_t target = 0;
	enum err err;

	if (!s->exists)
		return ERR_OK;
	s->run = *run;
	s->at = (struct cursor){ .piece = run->run->first,
				 .last = run->run->last };
	s->delta = run->delta;
	err = find_rate(s, e);
	if (err)
		return err;
	if (s->has_next)
		target = ticks_of_q(s, s->next_q + (int64_t)s->nr_transition *
							   AAC_STEP_Q);
	err = find_first(s, is_free, target, &j.b, &first, e);
	if (err)
		return err;
	s->is_silent = !first;
	if (!s->has_next && !first)
		set_next(s, run->start * s->rate);
	else if (s->has_next) {
		err = run->breaks ? break_off(s, &j, first, e) :
				    join(s, &j, first, target, e);
	}
	s->after.nr = 0;
	s->nr_transition = 0;
	return err;
}

/* Ending a run */

/* The frames that go on behind the run's end. */
static enum err gather_after(struct cutsound *s, struct errmsg *e)
{
	s->after = (struct framelist){ 0 };
	if (s->is_silent || !s->nr_recent)
		return ERR_OK;
	for (size_t i = 0; i < s->nr_transition + 1; i++) {
		const struct audio_frame *frame;
		enum err err = peek(s, &s->at, &frame, e);

		if (err || !frame)
			return err;
		framelist_append_copy(s->arena, &s->after, frame);
		s->at.frame++;
	}
	return ERR_OK;
}

enum err cutsound_end_run(struct cutsound *s, int64_t transition_end,
			  struct errmsg *e)
{
	enum err err;

	if (!s->exists)
		return ERR_OK;
	err = send_until(s, INT64_MAX, SIZE_MAX, e);
	if (err)
		return err;
	if (!s->has_next)
		set_next(s, s->run.end * s->rate);
	err = fill(s, INT64_MAX, s->run.end, e);
	while (is_before_end(
		s,
		ticks_of_q(s,
			   s->next_q + (int64_t)s->nr_transition * AAC_STEP_Q),
		transition_end))
		s->nr_transition++;
	return err ? err : gather_after(s, e);
}

enum err cutsound_flush(struct cutsound *s, struct errmsg *e)
{
	enum err err = ERR_OK;

	if (s->exists)
		err = send_pending(s, INT64_MAX, e);
	return err ? err : send_held(s, 0, e);
}

struct cutsound *cutsound_new(struct arena *a, const struct cutplan *plan,
			      struct cutpieces *pieces, struct unitsink *out)
{
	struct cutsound *s = ARENA_NEW(a, struct cutsound);
	struct audio_format format;
	struct errmsg ignored;

	s->arena = a;
	s->pieces = pieces;
	s->out = out;
	s->exists = plan->out.has[OUT_AUDIO] &&
		    adts_frame(plan->sound.data, plan->sound.size, &format);
	if (!s->exists)
		return s;
	s->rate = format.rate;
	for (size_t i = 0; i < NR_RECENT; i++)
		s->recent[i] = ARENA_NEW(a, struct kept);
	/* Without it what is missing stays missing. */
	if (aac_silence(a, &plan->sound, &s->silence, &ignored))
		s->silence.size = 0;
	return s;
}
