#include "config.h"

#include "media/remux.h"

#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>

#include "media/aac.h"
#include "media/cutedges.h"
#include "media/h264.h"
#include "media/muxio.h"

/* Raised whenever the bytes of the same cut would be others. */
#define REMUX_VERSION UINT64_C(1)

/* What is made before it is sent, and waits on the disk. */
#define MAX_FILE_BYTES ((uint64_t)16 * 1024 * 1024 * 1024)

/* A fragment is in memory until it is whole; GOPs may be long. */
#define MAX_FRAGMENT "8388608"

/* Sound that may come before the first picture: 87 s at 48 kHz. */
#define MAX_EARLY 4096

/*
 * Times in ticks are rounded, so a frame of sound may seem this many samples
 * off the one before.
 */
#define MAX_ROUNDING 2

/* More sound than the frame around the first picture: it counts as its own. */
#define MAX_LEAD (TS_HZ / 20)

/* The last picture's time, where nothing tells it: 30 a second. */
#define USUAL_STEP   3000
#define LONGEST_STEP TS_HZ

struct remux {
	struct unitsink units; /* first: the functions here are its */
	struct arena scratch;  /* a file */
	const struct cutplan *plan;
	const struct smartcut_config *config;
	enum remux_kind kind;
	struct muxio *io;
	AVStream *video; /* or NULL */
	AVStream *audio;
	bool has_video; /* or will have */
	bool is_open;
	int64_t origin;	   /* the pts that becomes 0 */
	int64_t first_dts; /* of the video, before that */
	AVPacket *held;	   /* the last picture, until its length is known */
	bool is_held;
	int64_t last_step;
	struct audio_format sound;
	bool has_sample;
	int64_t next_sample; /* of the sound, if it goes on */
	AVPacket *early[MAX_EARLY];
	size_t nr_early;
};

static struct remux *of_units(struct unitsink *s)
{
	return (struct remux *)s;
}

static void free_remux(void *ptr)
{
	struct remux *r = ptr;

	arena_release(&r->scratch);
	av_packet_free(&r->held);
	for (size_t i = 0; i < r->nr_early; i++)
		av_packet_free(&r->early[i]);
}

/* A packet with a copy of the bytes, and room behind them. */
static AVPacket *new_packet(const uint8_t *data, size_t size)
{
	AVPacket *packet = av_packet_alloc();

	if (!packet || size > INT32_MAX / 2 ||
	    av_new_packet(packet, (int)size) < 0)
		BUG("out of memory");
	memcpy(packet->data, data, size);
	return packet;
}

/* Opening */

static enum err add_video(struct remux *r, const AVPacket *first,
			  struct errmsg *e)
{
	struct h264_sets sets;

	h264_read_sets(&r->scratch, first->data, (size_t)first->size, &sets);
	if (!sets.size)
		return err_set(e, ERR_MEDIA,
			       "the first picture has no parameter sets");
	r->video = muxio_add_h264(r->io, first, sets.data, sets.size);
	return ERR_OK;
}

/* What the cut will be long, nearly, for whoever must be told before. */
static int64_t expected_us(const struct cutplan *plan)
{
	int64_t us = plan->cover.ranges_us - plan->cover.holes_us;

	for (size_t i = 0; i < plan->nr_runs; i++)
		if (plan->runs[i].out)
			us -= plan->runs[i].out->length_us;
	return us;
}

static void set_options(const struct remux *r, AVDictionary **options)
{
	switch (r->kind) {
	case REMUX_MP4:
		/*
		 * The header waits for the first fragment, because only then
		 * it can say where in it the first picture is.
		 */
		av_dict_set(options, "movflags",
			    "frag_keyframe+empty_moov+delay_moov+"
			    "default_base_moof",
			    0);
		av_dict_set(options, "frag_size", MAX_FRAGMENT, 0);
		break;
	case REMUX_MP4_PLAIN:
		av_dict_set(options, "movflags", "faststart", 0);
		break;
	case REMUX_MKV:
		r->io->muxer->duration = r->io->sink ? expected_us(r->plan) : 0;
		return;
	}
	av_dict_set_int(options, "video_track_timescale", TS_HZ, 0);
	av_dict_set_int(options, "movie_timescale", TS_HZ, 0);
}

static enum err write_audio(struct remux *r, AVPacket *packet,
			    struct errmsg *e) MUST_CHECK;

/* What is shown at 0: the first picture, unless a stretch of sound comes first.
 */
static int64_t first_time(const struct remux *r, const AVPacket *first)
{
	if (!r->nr_early)
		return first->pts;
	if (!first || r->early[0]->pts < first->pts - MAX_LEAD)
		return r->early[0]->pts;
	return first->pts;
}

/* With the first picture, or NULL: there will be none. */
static enum err open_muxer(struct remux *r, const AVPacket *first,
			   struct errmsg *e)
{
	AVDictionary *options = NULL;
	enum err err = first ? add_video(r, first, e) : ERR_OK;

	if (err)
		return err;
	if (r->sound.rate)
		r->audio = muxio_add_aac(r->io, &r->sound);
	set_options(r, &options);
	err = muxio_result(r->io, avformat_write_header(r->io->muxer, &options),
			   e);
	av_dict_free(&options);
	r->is_open = true;
	r->origin = first_time(r, first);
	for (size_t i = 0; i < r->nr_early; i++) {
		AVPacket *packet = r->early[i];

		r->early[i] = NULL;
		if (!err)
			err = write_audio(r, packet, e);
		else
			av_packet_free(&packet);
	}
	r->nr_early = 0;
	return err;
}

/* Writing */

static enum err write_packet(struct remux *r, AVPacket *packet,
			     AVStream *stream, AVRational base,
			     struct errmsg *e)
{
	packet->stream_index = stream->index;
	av_packet_rescale_ts(packet, base, stream->time_base);
	return muxio_result(
		r->io, av_interleaved_write_frame(r->io->muxer, packet), e);
}

/* The picture that is held, which lasts for step. */
static enum err write_held(struct remux *r, int64_t step, struct errmsg *e)
{
	AVPacket *packet = r->held;
	enum err err;

	r->is_held = false;
	r->last_step = step;
	packet->duration = step;
	packet->pts -= r->origin;
	packet->dts -= r->origin;
	err = write_packet(r, packet, r->video, (AVRational){ 1, TS_HZ }, e);
	av_packet_free(&r->held);
	return err;
}

static enum err take_video(struct unitsink *units, const struct out_unit *unit,
			   struct errmsg *e)
{
	struct remux *r = of_units(units);
	AVPacket *packet = new_packet(unit->data, unit->size);
	enum err err = ERR_OK;

	packet->dts = unit->dts;
	if (r->is_held && packet->dts <= r->held->dts)
		packet->dts = r->held->dts + 1;
	packet->pts = unit->pts > packet->dts ? unit->pts : packet->dts;
	packet->flags = unit->is_key ? AV_PKT_FLAG_KEY : 0;
	if (r->is_held) {
		err = write_held(r, packet->dts - r->held->dts, e);
	} else {
		r->first_dts = packet->dts;
		err = open_muxer(r, packet, e);
	}
	r->held = packet;
	r->is_held = true;
	return err;
}

/* Puts a frame where the one before ends, if that is what is meant. */
static enum err write_audio(struct remux *r, AVPacket *packet, struct errmsg *e)
{
	int64_t sample =
		av_rescale(packet->pts - r->origin, r->sound.rate, TS_HZ);
	int64_t off = sample - r->next_sample;
	enum err err;

	if (r->has_sample && (off >= -MAX_ROUNDING && off <= MAX_ROUNDING))
		sample = r->next_sample;
	else if (r->has_sample && off < 1 - AAC_SAMPLES)
		sample = r->next_sample - AAC_SAMPLES + 1;
	r->has_sample = true;
	r->next_sample = sample + AAC_SAMPLES;
	packet->pts = packet->dts = sample;
	packet->duration = AAC_SAMPLES;
	packet->flags = AV_PKT_FLAG_KEY;
	err = write_packet(r, packet, r->audio,
			   (AVRational){ 1, (int)r->sound.rate }, e);
	av_packet_free(&packet);
	return err;
}

/* Where the frame itself begins; 0: it is not one we can take. */
static size_t frame_begin(const uint8_t *data, size_t size,
			  struct audio_format *format_r)
{
	size_t header;

	if (adts_frame(data, size, format_r) != size || size < 9)
		return 0;
	header = data[1] & 1 ? 7 : 9;
	/* Several blocks in a frame would have to be taken apart. */
	return size > header && !(data[6] & 3) && format_r->channels ? header :
								       0;
}

static bool is_same_sound(const struct audio_format *a,
			  const struct audio_format *b)
{
	return a->rate == b->rate && a->channels == b->channels &&
	       a->object_type == b->object_type;
}

static enum err take_audio(struct unitsink *units, const uint8_t *data,
			   size_t size, int64_t pts, struct errmsg *e)
{
	struct remux *r = of_units(units);
	struct audio_format format;
	size_t begin = frame_begin(data, size, &format);
	AVPacket *packet;

	if (!begin || !is_same_sound(&format, &r->sound))
		return err_set(e, ERR_MEDIA,
			       "the sound changes its format within the cut");
	packet = new_packet(data + begin, size - begin);
	packet->pts = pts;
	if (r->is_open)
		return write_audio(r, packet, e);
	if (r->nr_early == MAX_EARLY) {
		av_packet_free(&packet);
		return err_set(e, ERR_LIMIT,
			       "there is sound for too long before the first "
			       "picture");
	}
	r->early[r->nr_early++] = packet;
	return r->has_video ? ERR_OK : open_muxer(r, NULL, e);
}

static enum err skip_id3(struct unitsink *units, const uint8_t *data,
			 size_t size, int64_t pts, struct errmsg *e)
{
	UNUSED(units);
	UNUSED(data);
	UNUSED(size);
	UNUSED(pts);
	UNUSED(e);
	return ERR_OK;
}

static void skip_jump(struct unitsink *units)
{
	UNUSED(units);
}

/* The last picture lasts until the cut is over. */
static enum err finish(struct remux *r, int64_t length, struct errmsg *e)
{
	enum err err = ERR_OK;

	if (!r->is_open && r->nr_early)
		err = open_muxer(r, NULL, e);
	if (!err && r->is_held) {
		int64_t step = r->first_dts + length - r->held->dts;

		if (!length || step <= 0 || step > LONGEST_STEP)
			step = r->last_step ? r->last_step : USUAL_STEP;
		err = write_held(r, step, e);
	}
	if (err)
		return err;
	if (!r->is_open)
		return err_set(e, ERR_MEDIA,
			       "there is no picture to begin "
			       "with");
	err = muxio_result(r->io, av_write_trailer(r->io->muxer), e);
	/* What was in the buffer may have failed after that. */
	return err ? err : muxio_result(r->io, 0, e);
}

/* Whole files */

static enum err send_unit(struct remux *r, const struct unit *from,
			  int64_t delta, struct errmsg *e)
{
	struct out_unit unit;

	if (from->pts == TS_NONE || (!r->is_open && !(from->flags & UNIT_SPS)))
		return ERR_OK;
	if (from->nr_auds > 1)
		return err_set(e, ERR_MEDIA,
			       "a PES packet holds several pictures");
	unit = (struct out_unit){
		.data = from->data,
		.size = from->size,
		.pts = from->pts + delta,
		.dts = from->dts + delta,
		.is_key = from->flags & UNIT_IDR,
	};
	return take_video(&r->units, &unit, e);
}

/* Both streams of a file, by time. */
static enum err send_file(struct remux *r, const struct tsfile *file,
			  int64_t video_delta, int64_t audio_delta,
			  struct errmsg *e)
{
	size_t u = 0;
	size_t f = r->sound.rate ? 0 : file->nr_frames;
	enum err err = ERR_OK;

	while (!err && (u < file->nr_units || f < file->nr_frames)) {
		const struct audio_frame *frame = &file->frames[f];
		const struct unit *unit = &file->units[u];

		/* One without a time is passed over there. */
		if (u < file->nr_units &&
		    (f == file->nr_frames || unit->dts == TS_NONE ||
		     unit->dts + video_delta <= frame->pts + audio_delta)) {
			err = send_unit(r, unit, video_delta, e);
			u++;
		} else {
			err = take_audio(&r->units, frame->data, frame->size,
					 frame->pts + audio_delta, e);
			f++;
		}
	}
	return err;
}

static enum err take_file(void *ctx, const struct cut_raw *raw,
			  struct errmsg *e)
{
	struct remux *r = ctx;
	const struct roughcut *cover = &r->plan->cover;
	struct tsfile *file;
	enum err err;
	int fd;

	if (r->config->is_gone && r->config->is_gone(r->config->ctx))
		return err_set(e, ERR_GONE, "the client left");
	err = roughcut_open(cover, &cover->pieces[raw->piece], &fd, e);
	if (err)
		return err;
	err = tsfile_read(&r->scratch, fd, r->plan->pieces[raw->piece].dts,
			  &file, e);
	close(fd);
	if (!err)
		err = send_file(r, file, raw->video_delta, raw->audio_delta, e);
	arena_reset(&r->scratch);
	return err;
}

/*
 * The sound, all of one format; rate 0: none.  Of a run it is as it is in the
 * segments; of the whole (run is NULL) some is converted.
 */
static enum err find_sound(const struct cutplan *plan,
			   const struct cut_run *run,
			   struct audio_format *sound_r, struct errmsg *e)
{
	size_t first = run ? run->first : 0;
	size_t last = run ? run->last : plan->cover.nr - 1;

	*sound_r = (struct audio_format){ 0 };
	for (size_t i = first; i <= last; i++) {
		const struct audio_format *f =
			&plan->formats[plan->pieces[i].format].audio;

		if (!f->rate || (!run && plan->pieces[i].converts_sound))
			continue;
		if (!f->channels)
			return err_set(e, ERR_FORMAT,
				       "the sound does not say how many "
				       "channels it has: try type=smart");
		if (sound_r->rate && !is_same_sound(f, sound_r))
			return err_set(e, ERR_FORMAT,
				       "the sound changes its format within "
				       "the cut: try type=smart");
		*sound_r = *f;
	}
	return ERR_OK;
}

/* All together */

/* For a run or, without one, for all; its output is for the caller to open. */
static enum err new_remux(struct arena *a, const struct cutplan *plan,
			  const struct smartcut_config *config,
			  enum remux_kind kind, const struct cut_run *run,
			  struct remux **r_r, struct errmsg *e)
{
	struct remux *r = ARENA_NEW(a, struct remux);

	r->units = (struct unitsink){ take_video, take_audio, skip_id3,
				      skip_jump };
	r->plan = plan;
	r->config = config;
	r->kind = kind;
	for (size_t i = 0; i < plan->cover.nr; i++)
		if (!run || (i >= run->first && i <= run->last))
			r->has_video |= plan->pieces[i].has_video;
	arena_init(&r->scratch);
	arena_defer(a, free_remux, r);
	*r_r = r;
	return find_sound(plan, run, &r->sound, e);
}

static const char *format_name(enum remux_kind kind)
{
	return kind == REMUX_MKV ? "matroska" : "mp4";
}

static bool is_gone(void *ctx)
{
	const struct remux *r = ctx;

	return r->config->is_gone && r->config->is_gone(r->config->ctx);
}

static enum err render(struct arena *a, struct remux *r,
		       struct cut_work *work_r, struct errmsg *e)
{
	const struct cut_taker taker = { .units = &r->units,
					 .raw = take_file,
					 .is_gone = is_gone,
					 .ctx = r };
	enum err err =
		cutrender_run(a, r->plan, &r->config->means, &taker, work_r, e);

	return err ? err : finish(r, work_r->length, e);
}

enum err remux_stream(struct arena *a, const struct cutplan *plan,
		      const struct smartcut_config *config,
		      enum remux_kind kind, struct sink *sink,
		      struct cut_work *work_r, struct errmsg *e)
{
	struct remux *r;
	enum err err = new_remux(a, plan, config, kind, NULL, &r, e);

	if (!err)
		err = muxio_to_sink(a, format_name(kind), sink, &r->io, e);
	return err ? err : render(a, r, work_r, e);
}

enum err remux_file(struct arena *a, const struct cutplan *plan,
		    const struct smartcut_config *config, enum remux_kind kind,
		    int fd, struct cut_work *work_r, struct errmsg *e)
{
	struct remux *r;
	enum err err = new_remux(a, plan, config, kind, NULL, &r, e);

	if (!err)
		err = muxio_to_file(a, format_name(kind), fd, MAX_FILE_BYTES,
				    &r->io, e);
	return err ? err : render(a, r, work_r, e);
}

enum err remux_run(struct arena *a, const struct cutplan *plan,
		   const struct cut_run *run,
		   const struct smartcut_config *config, enum remux_kind kind,
		   int fd, struct errmsg *e)
{
	struct remux *r;
	enum err err = new_remux(a, plan, config, kind, run, &r, e);

	if (!err)
		err = muxio_to_file(a, format_name(kind), fd, UINT64_MAX,
				    &r->io, e);
	for (size_t i = run->first; !err && i <= run->last; i++)
		err = take_file(r, &(struct cut_raw){ .piece = i }, e);
	return err ? err : finish(r, 0, e);
}

/* Checking */

enum err remux_check_run(const struct cutplan *plan, const struct cut_run *run,
			 struct errmsg *e)
{
	struct audio_format sound;

	return find_sound(plan, run, &sound, e);
}

/* Whether there is a picture to be shown; the first run nearly always has. */
static enum err check_pictures(struct arena *a, const struct cutplan *plan,
			       struct errmsg *e)
{
	struct cutpieces *pieces = cutpieces_new(a, plan);

	for (size_t i = 0; i < plan->nr_runs; i++) {
		const struct cut_run *run = &plan->runs[i];
		struct cut_edges edges;
		enum err err = cutedges_find(a, plan, pieces, run, CUT_COPIES,
					     &edges, e);

		if (err || !edges.is_empty)
			return err;
		cutpieces_drop(pieces, run->first, run->last + 1);
	}
	return err_set(e, ERR_HOLES,
		       "contains holes: there is no picture in the range");
}

enum err remux_check(const struct cutplan *plan, enum remux_kind kind,
		     struct errmsg *e)
{
	struct arena scratch;
	struct audio_format sound;
	enum err err = find_sound(plan, NULL, &sound, e);

	if (!err && kind == REMUX_MP4_PLAIN &&
	    plan->cover.ranges_us > REMUX_MAX_PLAIN_US)
		err = err_set(e, ERR_LIMIT,
			      "longer than %d hours: leave out faststart",
			      (int)(REMUX_MAX_PLAIN_US / USEC_PER_HOUR));
	if (err)
		return err;
	arena_init(&scratch);
	err = check_pictures(&scratch, plan, e);
	arena_release(&scratch);
	return err;
}

void remux_hash(enum remux_kind kind, uint64_t hash[2])
{
	/* Any mixing will do: what must differ is never the only difference. */
	hash[0] ^= (REMUX_VERSION << 8 | (uint64_t)(kind + 1)) *
		   UINT64_C(0x9e3779b97f4a7c15);
	hash[1] ^= avformat_version();
}
