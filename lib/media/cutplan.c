#include "config.h"

#include "media/cutplan.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <xxhash.h>

#include "base/fsutil.h"
#include "media/aac.h"
#include "media/avlog.h"
#include "media/h264.h"

/* Read of every segment; four times as much as often as need be. */
#define HEAD_BYTES     ((size_t)64 * 1024)
#define MAX_HEAD_BYTES ((size_t)4 * 1024 * 1024)

/* A step of times that differs by more from that of the names is a jump. */
#define MAX_STEP_ERROR (TS_HZ / 2)
/* Likewise the step of the sound from that of the video. */
#define MAX_DRIFT (TS_HZ / 5)

/* More than these are counted as the last of them. */
#define MAX_FORMATS 1024

#define MAX_WARNINGS 4096 /* bytes */

/* What one segment's beginning told; its bytes are in the scratch arena. */
struct head {
	struct tsfile *file;
	bool is_aligned;
};

/* Reading heads */

/* Whether the packets of a file are where those of an intact one are. */
static enum err check_alignment(int fd, uint64_t size, const uint8_t *begin,
				bool *is_aligned_r, struct errmsg *e)
{
	uint64_t nr = size / TS_PACKET;
	uint64_t nr_last = nr < TS_SYNC_RUN ? nr : TS_SYNC_RUN;
	uint8_t last[TS_SYNC_RUN * TS_PACKET];
	enum err err = fs_read_all(fd, last, nr_last * TS_PACKET,
				   (nr - nr_last) * TS_PACKET, "a segment", e);

	*is_aligned_r = nr > 0 && begin[0] == TS_SYNC;
	for (uint64_t i = 0; !err && i < nr_last; i++)
		if (last[i * TS_PACKET] != TS_SYNC)
			*is_aligned_r = false;
	return err;
}

static bool tells_enough(const struct tsfile *file)
{
	/* The first unit is whole where a second has begun. */
	if (file->video && file->nr_units < 2)
		return false;
	return !file->audio || file->nr_frames;
}

static enum err read_head(struct arena *scratch, const struct roughcut *cover,
			  const struct rough_piece *piece, struct head *head_r,
			  struct errmsg *e)
{
	enum err err;
	int fd;

	err = roughcut_open(cover, piece, &fd, e);
	if (err)
		return err;
	for (size_t size = HEAD_BYTES; !err; size *= 4) {
		uint8_t *data = arena_alloc(scratch, size);
		ssize_t got = fs_read_at(fd, data, size, 0);
		bool is_all;

		if (got < 0) {
			err = err_set(e, ERR_IO, "cannot read a segment: %s",
				      strerror(errno));
			break;
		}
		is_all = (uint64_t)got == piece->size || size >= MAX_HEAD_BYTES;
		err = tsfile_parse(scratch, data, (size_t)got, TS_NONE,
				   &head_r->file, e);
		if (err && !is_all)
			err = ERR_OK;
		else if (!err && (is_all || tells_enough(head_r->file))) {
			err = check_alignment(fd, piece->size, data,
					      &head_r->is_aligned, e);
			break;
		}
	}
	close(fd);
	return err;
}

/* Formats */

static void hash_sets(struct arena *scratch, const struct tsfile *file,
		      struct cut_format *format)
{
	for (size_t i = 0; i < file->nr_units; i++) {
		const struct unit *unit = &file->units[i];
		struct h264_sets sets;

		if (!(unit->flags & UNIT_SPS))
			continue;
		h264_read_sets(scratch, unit->data, unit->size, &sets);
		format->sets_hash = XXH3_64bits(sets.data, sets.size);
		return;
	}
}

static const struct unit *unit_with_sets(const struct tsfile *file)
{
	for (size_t i = 0; i < file->nr_units; i++)
		if (file->units[i].flags & UNIT_SPS)
			return &file->units[i];
	return NULL;
}

static bool is_same_audio(const struct audio_format *a,
			  const struct audio_format *b)
{
	return a->object_type == b->object_type &&
	       a->rate_index == b->rate_index && a->channels == b->channels;
}

static void keep_sound(struct cutplan *plan, const struct tsfile *file,
		       struct cut_format *format)
{
	const struct audio_frame *frame = file->frames;
	uint8_t *copy;

	if (!file->nr_frames)
		return;
	copy = arena_alloc(plan->reader->arena, frame->size + TSFILE_PADDING);
	memcpy(copy, frame->data, frame->size);
	format->sound =
		(struct audio_frame){ .data = copy, .size = frame->size };
}

/* The number of a head's format; a new one is added. */
static uint32_t format_of(struct cutplan *plan, struct arena *scratch,
			  const struct head *head)
{
	const struct tsfile *file = head->file;
	const struct unit *unit = unit_with_sets(file);
	struct cut_format f = {
		.video_type = file->video ? file->video->type : 0,
		.audio_type = file->audio ? file->audio->type : 0,
		.audio = file->format,
		.look = { .format = AV_PIX_FMT_NONE },
	};

	if (f.video_type == TYPE_H264)
		hash_sets(scratch, file, &f);
	for (size_t i = 0; i < plan->nr_formats; i++) {
		const struct cut_format *known = &plan->formats[i];

		if (known->video_type == f.video_type &&
		    known->audio_type == f.audio_type &&
		    known->sets_hash == f.sets_hash &&
		    is_same_audio(&known->audio, &f.audio))
			return (uint32_t)i;
	}
	if (plan->nr_formats == MAX_FORMATS)
		return MAX_FORMATS - 1;
	if (f.video_type == TYPE_H264 && unit)
		h264_read_look(unit->data, unit->size, &f.look);
	keep_sound(plan, file, &f);
	plan->formats[plan->nr_formats] = f;
	return (uint32_t)plan->nr_formats++;
}

/* Pieces */

/*
 * Whether the clock is told where pictures begin, and nowhere else.  In a
 * stream of constant rate it is told at even distances, and pictures come long
 * before their time: put in step with their times it would stand still and
 * jump, so such files are not copied as they are.
 */
static bool has_simple_clock(const struct tsfile *file)
{
	for (size_t i = 0; i < file->nr_packets; i++) {
		const uint8_t *packet = file->packets + i * TS_PACKET;

		if (ts_pid(packet) == file->program.pcr_pid &&
		    ts_has_pcr(packet) && !ts_begins_unit(packet))
			return false;
	}
	return true;
}

static void describe(const struct head *head, struct cut_piece *piece)
{
	const struct tsfile *file = head->file;

	piece->program = file->program;
	piece->pmt_pid = (uint16_t)file->pmt_pid;
	piece->has_video = file->video && file->nr_units;
	piece->has_audio = file->audio && file->nr_frames;
	piece->audio_pts = file->nr_frames ? file->frames[0].pts : TS_NONE;
	piece->dts = file->nr_units ? file->units[0].dts : piece->audio_pts;
	piece->is_plain = head->is_aligned && piece->has_video &&
			  file->program.pcr_pid == file->video->pid &&
			  has_simple_clock(file);
}

/* Says which segment it is, since only without it there is a cut. */
static enum err damaged(const struct cutplan *plan, size_t i, struct errmsg *e)
{
	const struct rough_piece *piece = &plan->cover.pieces[i];
	char start[UTIME_ISO_SIZE];

	utime_format(rough_piece_entry(piece)->start_us, start);
	return err_set(
		e, ERR_MEDIA,
		"the segment of %s has neither video nor sound that can "
		"be read: '%s'; try type=rough, or leave it out",
		start,
		err_quote(hourindex_name(piece->index, piece->entry)).text);
}

static enum err look_at_piece(struct cutplan *plan, size_t i,
			      struct arena *scratch, struct errmsg *e)
{
	struct head head = { 0 };
	enum err err;

	err = read_head(scratch, &plan->cover, &plan->cover.pieces[i], &head,
			e);
	if (err == ERR_MEDIA)
		return damaged(plan, i, e);
	if (err)
		return err;
	plan->pieces[i].format = format_of(plan, scratch, &head);
	plan->formats[plan->pieces[i].format].nr_pieces++;
	describe(&head, &plan->pieces[i]);
	if (plan->pieces[i].dts == TS_NONE)
		return damaged(plan, i, e);
	arena_reset(scratch);
	return ERR_OK;
}

/* Brings the times of a piece next to those expected of it. */
static void unwrap_piece(struct cut_piece *piece, int64_t expected)
{
	piece->dts = ts_unwrap(piece->dts, expected);
	if (piece->audio_pts != TS_NONE)
		piece->audio_pts = ts_unwrap(piece->audio_pts, piece->dts);
}

static int64_t name_step(const struct roughcut *cover, size_t i)
{
	return ticks_of_us(rough_piece_entry(&cover->pieces[i])->start_us -
			   rough_piece_entry(&cover->pieces[i - 1])->start_us);
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* Whether the times of piece i go on where those before it end. */
static bool is_continuous(const struct cutplan *plan, size_t i)
{
	const struct cut_piece *piece = &plan->pieces[i];
	const struct cut_piece *before = &plan->pieces[i - 1];
	int64_t step = piece->dts - before->dts;

	if (distance(step, name_step(&plan->cover, i)) > MAX_STEP_ERROR)
		return false;
	if (piece->has_video != before->has_video ||
	    piece->has_audio != before->has_audio ||
	    piece->converts_sound != before->converts_sound ||
	    piece->scales != before->scales)
		return false;
	return !piece->has_audio || !piece->has_video ||
	       distance(piece->audio_pts - before->audio_pts, step) <=
		       MAX_DRIFT;
}

static enum err look_at_pieces(struct cutplan *plan, struct errmsg *e)
{
	struct arena scratch;
	enum err err = ERR_OK;

	arena_init(&scratch);
	for (size_t i = 0; !err && i < plan->cover.nr; i++) {
		struct cut_piece *piece = &plan->pieces[i];

		err = look_at_piece(plan, i, &scratch, e);
		if (err)
			break;
		if (i && plan->cover.pieces[i].range ==
				 plan->cover.pieces[i - 1].range)
			unwrap_piece(piece, plan->pieces[i - 1].dts +
						    name_step(&plan->cover, i));
	}
	arena_release(&scratch);
	return err;
}

/* Runs */

static void find_runs(struct cutplan *plan)
{
	const struct rough_piece *pieces = plan->cover.pieces;
	size_t nr = plan->cover.nr;

	plan->runs = arena_alloc(plan->reader->arena, nr * sizeof(*plan->runs));
	for (size_t i = 0; i < nr; i++) {
		bool begins_range =
			!i || pieces[i].range != pieces[i - 1].range;

		if (begins_range || pieces[i].after_hole ||
		    !is_continuous(plan, i))
			plan->runs[plan->nr_runs++] = (struct cut_run){
				.first = i,
				.range = pieces[i].range,
				.begins_range = begins_range,
			};
		plan->runs[plan->nr_runs - 1].last = i;
		plan->runs[plan->nr_runs - 1].ends_range =
			i + 1 == nr || pieces[i + 1].range != pieces[i].range;
	}
}

static enum err place_transitions(struct cutplan *plan,
				  const struct cut_spec *spec, struct errmsg *e)
{
	for (size_t i = 0; i + 1 < plan->nr_runs; i++) {
		struct cut_run *run = &plan->runs[i];
		const struct transition *t;

		if (!run->ends_range || run->range >= spec->nr_transitions)
			continue;
		t = &spec->transitions[run->range];
		if (!t->name)
			continue;
		if (!plan->pieces[run->last].has_video ||
		    !plan->pieces[run[1].first].has_video)
			return err_set(e, ERR_FORMAT,
				       "a transition needs video on both "
				       "sides");
		run->out = t;
		run[1].in = t;
	}
	return ERR_OK;
}

/* Formats of the whole */

static void warn_once(struct cutplan *plan, const char *line)
{
	if (!strstr(plan->warnings->data, line))
		text_printf(plan->warnings, "%s\n", line);
}

/* Segments that begin within a GOP do not say what they have: the same. */
static bool has_other_pictures(const struct cut_format *f,
			       const struct picture_shape *shape)
{
	return f->look.width && shape->width &&
	       (f->look.width != shape->width ||
		f->look.height != shape->height ||
		f->look.format != shape->format);
}

static bool has_other_sound(const struct cut_format *f,
			    const struct audio_format *sound)
{
	return f->audio.rate && sound->rate && !is_same_audio(&f->audio, sound);
}

static enum err refuse_change(const struct cut_format *a,
			      const struct cut_format *b, struct errmsg *e)
{
	return err_set(e, ERR_FORMAT,
		       "the source changes its format within the cut: "
		       "%dx%d, %u Hz to %dx%d, %u Hz",
		       a->look.width, a->look.height, a->audio.rate,
		       b->look.width, b->look.height, b->audio.rate);
}

/* The pieces whose pictures are the same, or whose sound. */
static size_t nr_alike(const struct cutplan *plan, const struct cut_format *f,
		       bool is_sound)
{
	struct picture_shape shape = { f->look.width, f->look.height,
				       f->look.format };
	size_t nr = 0;

	for (size_t i = 0; i < plan->nr_formats; i++) {
		const struct cut_format *other = &plan->formats[i];

		if (is_sound ? other->audio.rate &&
				       !has_other_sound(other, &f->audio) :
			       other->video_type &&
				       !has_other_pictures(other, &shape))
			nr += other->nr_pieces;
	}
	return nr;
}

/* What most pieces have, the earlier of two. */
static const struct cut_format *most_common(const struct cutplan *plan,
					    bool is_sound)
{
	const struct cut_format *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < plan->nr_formats; i++) {
		const struct cut_format *f = &plan->formats[i];
		size_t nr = nr_alike(plan, f, is_sound);

		if ((is_sound ? f->audio.rate != 0 : f->look.width != 0) &&
		    nr > most) {
			most = nr;
			best = f;
		}
	}
	return best;
}

/*
 * Sound is cheap to convert and players stumble over its changes, so it always
 * is, where it can be; pictures only if that is asked for.
 */
static enum err settle_changes(struct cutplan *plan,
			       const struct cut_spec *spec, struct errmsg *e)
{
	const struct cut_format *pictures = most_common(plan, false);
	const struct cut_format *sound = most_common(plan, true);
	bool can_convert = sound && aac_is_plain(&sound->sound, 1);

	if (sound)
		plan->sound = sound->sound;
	if (pictures)
		plan->shape = (struct picture_shape){ pictures->look.width,
						      pictures->look.height,
						      pictures->look.format };
	for (size_t i = 0; i < plan->cover.nr; i++) {
		struct cut_piece *piece = &plan->pieces[i];
		const struct cut_format *f = &plan->formats[piece->format];
		bool other = has_other_pictures(f, &plan->shape);
		bool other_sound = sound && has_other_sound(f, &sound->audio);

		if ((other || other_sound) && spec->mixed == CUT_MIXED_ERROR)
			return refuse_change(other ? pictures : sound, f, e);
		piece->scales = other && spec->mixed == CUT_MIXED_TRANSCODE;
		piece->converts_sound = other_sound && can_convert;
		if (piece->converts_sound)
			piece->is_plain = false;
		if ((other && !piece->scales) || (other_sound && !can_convert))
			warn_once(plan, "format-change");
		if (piece->converts_sound)
			warn_once(plan, "sound-converted");
	}
	return ERR_OK;
}

static enum err check_formats(struct cutplan *plan, const struct cut_spec *spec,
			      struct errmsg *e)
{
	uint8_t video = 0;
	uint8_t audio = 0;
	bool has_id3 = false;

	for (size_t i = 0; i < plan->nr_formats; i++) {
		const struct cut_format *f = &plan->formats[i];

		if (f->video_type && f->video_type != TYPE_H264 &&
		    !(spec->any_codec && f->video_type == TYPE_HEVC))
			return err_set(e, ERR_FORMAT,
				       "the video is %s: only H.264 can be cut "
				       "without encoding all of it; try "
				       "type=mpegts or type=rough",
				       f->video_type == TYPE_HEVC ?
					       "HEVC" :
					       "of an unknown codec");
		if (f->audio_type && f->audio_type != TYPE_ADTS)
			return err_set(e, ERR_FORMAT,
				       "the sound is not AAC: try type=rough");
		video = f->video_type ? f->video_type : video;
		audio = f->audio_type ? f->audio_type : audio;
	}
	for (size_t i = 0; i < plan->cover.nr && !has_id3; i++)
		has_id3 = program_stream(&plan->pieces[i].program, STREAM_ID3);
	if (!plan->sound.size)
		audio = 0;
	tsout_format_init(&plan->out, video, audio, has_id3);
	return ERR_OK;
}

enum err cutplan_make(struct hourreader *reader, const struct cut_spec *spec,
		      struct cutplan *plan_r, struct errmsg *e)
{
	struct rough_spec rough = { .ranges = spec->ranges,
				    .nr_ranges = spec->nr_ranges,
				    .allow_holes = spec->allow_holes,
				    .now_us = spec->now_us };
	struct cutplan *plan = plan_r;
	struct arena *a = reader->arena;
	enum err err;

	avlog_begin();
	*plan = (struct cutplan){ .reader = reader,
				  .keeps_clock = spec->keeps_clock,
				  .warnings = text_new(a, MAX_WARNINGS) };
	text_puts(plan->warnings, "");
	err = roughcut_plan(reader, &rough, &plan->cover, e);
	if (err)
		return err;
	plan->pieces = arena_alloc(a, plan->cover.nr * sizeof(*plan->pieces));
	plan->formats = arena_alloc(a, MAX_FORMATS * sizeof(*plan->formats));
	err = look_at_pieces(plan, e);
	if (err)
		return err;
	err = settle_changes(plan, spec, e);
	if (err)
		return err;
	find_runs(plan);
	err = check_formats(plan, spec, e);
	return err ? err : place_transitions(plan, spec, e);
}
