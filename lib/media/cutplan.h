/*
 * cutplan.h - what a cut is made of, before any byte of it.
 *
 * The ranges become segments (roughcut.h finds them), and these become RUNS:
 * neighbours whose times go on, so that one offset brings them all onto the
 * clock of the cut.  A run ends at a hole, where the times jump, and where the
 * range ends; between two runs there is a join, and at the end of a range
 * there may be a transition to the next.
 *
 * The beginning of every segment is read, for its tables, its first times and
 * its parameter sets; none is read whole.
 *
 * Units:  times in 90 kHz ticks, unwrapped along each range.
 * Errors: those of roughcut_plan(); ERR_FORMAT if the source cannot be cut to
 *         the frame without being encoded anew, or must not change and does;
 *         ERR_INPUT if a transition does not fit; ERR_MEDIA for bytes that are
 *         no transport stream.
 * Owner:  all is in the reader's arena.
 */
#ifndef MEDIA_CUTPLAN_H
#define MEDIA_CUTPLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/hourcache.h"
#include "media/h264.h"
#include "media/psi.h"
#include "media/roughcut.h"
#include "media/scaler.h"
#include "media/transition.h"
#include "media/tsfile.h"
#include "media/tsout.h"

/* What to do where the source changes its format within the cut. */
enum cut_mixed {
	CUT_MIXED_PASS,	     /* let it, with a warning */
	CUT_MIXED_ERROR,     /* ERR_FORMAT */
	CUT_MIXED_TRANSCODE, /* encode the shorter part like the longer */
};

struct cut_spec {
	const struct time_range *ranges;
	size_t nr_ranges;
	const struct transition *transitions; /* between the first of them */
	size_t nr_transitions;
	bool allow_holes;
	bool keeps_clock; /* of the source, within a range */
	enum cut_mixed mixed;
	bool any_codec; /* nothing is copied, so it need not be H.264 */
	usec_t now_us;
};

/* A format that segments have. */
struct cut_format {
	uint8_t video_type; /* enum stream_type, or 0 */
	uint8_t audio_type;
	struct h264_look look;
	uint64_t sets_hash;
	struct audio_format audio; /* rate 0: no frame was seen */
	struct audio_frame sound;  /* the one that was seen, or size 0 */
	size_t nr_pieces;	   /* that have it */
};

/* What the beginning of a segment tells. */
struct cut_piece {
	struct ts_program program;
	uint16_t pmt_pid;
	bool is_plain;	     /* can be rewritten in place (tsraw.h) */
	bool converts_sound; /* to that of most pieces (soundconv.h) */
	bool scales;	     /* its pictures to the plan's shape */
	bool has_video;
	bool has_audio;
	uint32_t format; /* of the plan's formats */
	int64_t dts;	 /* of its first unit; else of its first frame */
	int64_t audio_pts;
};

struct cut_run {
	size_t first; /* pieces, both included */
	size_t last;
	uint32_t range;
	bool begins_range; /* the range's start may lie inside the first */
	bool ends_range;
	/* To the next run, which begins the next range; NULL: a hard cut. */
	const struct transition *out;
	const struct transition *in; /* from the one before */
};

struct cutplan {
	struct hourreader *reader;
	struct roughcut cover;
	struct cut_piece *pieces; /* as those of the cover */
	struct cut_format *formats;
	size_t nr_formats;
	struct cut_run *runs;
	size_t nr_runs;
	struct tsout_format out;
	struct audio_frame sound; /* a frame of most pieces' kind, or size 0 */
	struct picture_shape shape; /* that others scale to, if any do */
	bool keeps_clock;
	struct text *warnings; /* a line each */
};

enum err cutplan_make(struct hourreader *reader, const struct cut_spec *spec,
		      struct cutplan *plan_r, struct errmsg *e) MUST_CHECK;

static inline int64_t ticks_of_us(usec_t us)
{
	/* 90000 / 1000000, rounded to the nearest. */
	return (us * 9 + (us < 0 ? -50 : 50)) / 100;
}

#endif
