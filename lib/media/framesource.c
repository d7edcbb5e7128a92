#include "config.h"

#include "media/framesource.h"

#include <unistd.h>

#include "media/tsfile.h"
#include "media/videodec.h"

/* More than any decoder holds back at the end of a stream. */
#define MAX_WAITING 64

struct framesource {
	struct framestretch stretch;
	const atomic_bool *cancel;
	struct arena *arena;  /* of all */
	struct arena segment; /* of the piece that is decoded */
	struct videodec *dec;
	int nr_threads;
	uint8_t video_type;
	size_t next_piece;
	struct tsfile *file; /* or NULL */
	size_t next_unit;
	int64_t reference;
	bool is_flushed;
	AVFrame *waiting[MAX_WAITING]; /* a ring */
	size_t first_waiting;
	size_t nr_waiting;
};

static void close_source(void *ptr)
{
	struct framesource *src = ptr;

	for (size_t i = 0; i < MAX_WAITING; i++)
		av_frame_free(&src->waiting[i]);
	arena_release(&src->segment);
}

static enum err take_frame(void *ctx, AVFrame *frame, struct errmsg *e)
{
	struct framesource *src = ctx;
	size_t at = (src->first_waiting + src->nr_waiting) % MAX_WAITING;

	if (src->nr_waiting == MAX_WAITING)
		return err_set(e, ERR_MEDIA,
			       "a decoder gave too many pictures");
	if (!src->waiting[at])
		src->waiting[at] = av_frame_alloc();
	if (!src->waiting[at])
		return err_set(e, ERR_IO, "out of memory");
	av_frame_move_ref(src->waiting[at], frame);
	src->nr_waiting++;
	return ERR_OK;
}

enum err framesource_open(struct arena *a, const struct framestretch *stretch,
			  int nr_threads, const atomic_bool *cancel,
			  struct framesource **src_r, struct errmsg *e)
{
	struct framesource *src = ARENA_NEW(a, struct framesource);

	UNUSED(e);
	src->stretch = *stretch;
	src->cancel = cancel;
	src->arena = a;
	src->nr_threads = nr_threads;
	src->reference = stretch->reference;
	arena_init(&src->segment);
	arena_defer(a, close_source, src);
	*src_r = src;
	return ERR_OK;
}

static enum err open_decoder(struct framesource *src, struct errmsg *e)
{
	struct videodec_config config = {
		.codec = videodec_codec(src->file->video->type),
		.nr_threads = src->nr_threads,
		.take = take_frame,
		.ctx = src,
	};

	src->video_type = src->file->video->type;
	return videodec_open(src->arena, &config, &src->dec, e);
}

/*
 * The last unit that decoding can begin with and that is not after a time;
 * nr_units if there is none.
 */
static size_t find_entry(const struct tsfile *file, int64_t pts, bool has_sets)
{
	size_t entry = file->nr_units;

	for (size_t i = 0; i < file->nr_units; i++) {
		const struct unit *unit = &file->units[i];

		has_sets |= unit->flags & UNIT_SPS;
		if (has_sets && (unit->flags & (UNIT_IDR | UNIT_RECOVERY)) &&
		    unit->pts != TS_NONE && unit->pts <= pts)
			entry = i;
	}
	return entry;
}

/* H.265 7.4.2.2: a leading picture that refers to what was before the key. */
#define HEVC_RASL_N 8
#define HEVC_RASL_R 9
#define HEVC_VCL    32 /* types below are of pictures */

static bool is_hevc_rasl(const struct unit *unit)
{
	size_t at = annexb_next(unit->data, unit->size, 0);

	while (at < unit->size) {
		unsigned type = unit->data[at] >> 1 & 0x3f;

		if (type < HEVC_VCL)
			return type == HEVC_RASL_N || type == HEVC_RASL_R;
		at = annexb_next(unit->data, unit->size, at);
	}
	return false;
}

/* A segment begins with a key picture, which others may lead. */
static bool has_hevc_entry(const struct tsfile *file, int64_t pts)
{
	const struct unit *next = NULL;

	for (size_t i = 0; i < file->nr_units; i++) {
		const struct unit *unit = &file->units[i];

		if (unit->pts != TS_NONE && unit->pts >= pts &&
		    (!next || unit->pts < next->pts))
			next = unit;
	}
	return file->first_pts <= pts && (!next || !is_hevc_rasl(next));
}

bool framesource_has_entry(const struct tsfile *file, int64_t pts)
{
	if (file->video && file->video->type == TYPE_HEVC)
		return file->nr_units && has_hevc_entry(file, pts);
	/* Of other codecs nothing is known: segments begin with a key frame. */
	if (file->video && file->video->type != TYPE_H264)
		return file->nr_units && file->first_pts <= pts;
	return find_entry(file, pts, false) < file->nr_units;
}

static enum err put_sets(struct framesource *src, struct errmsg *e)
{
	const struct h264_sets *sets = &src->stretch.sets;
	const struct unit unit = { .pts = TS_NONE,
				   .dts = TS_NONE,
				   .data = sets->data,
				   .size = sets->size,
				   .flags = UNIT_SPS | UNIT_PPS };

	return sets->size ? videodec_put(src->dec, &unit, false, e) : ERR_OK;
}

static size_t first_unit(const struct framesource *src)
{
	size_t entry = find_entry(src->file, src->stretch.lo,
				  src->stretch.sets.size > 0);

	return entry < src->file->nr_units ? entry : 0;
}

static enum err load_piece(struct framesource *src, struct errmsg *e)
{
	const struct rough_piece *piece =
		&src->stretch.pieces[src->next_piece++];
	bool is_first = !src->dec;
	enum err err;
	int fd;

	src->file = NULL;
	arena_reset(&src->segment);
	err = roughcut_open(src->stretch.cover, piece, &fd, e);
	if (err)
		return err;
	err = tsfile_read(&src->segment, fd, src->reference, &src->file, e);
	close(fd);
	if (err)
		return err;
	if (src->file->last_pts != TS_NONE)
		src->reference = src->file->last_pts;
	if (!src->file->video)
		return ERR_OK;
	if (is_first) {
		err = open_decoder(src, e);
		if (!err)
			err = put_sets(src, e);
	} else if (src->file->video->type != src->video_type) {
		err = err_set(e, ERR_MEDIA, "the video changes its codec");
	}
	src->next_unit = is_first ? first_unit(src) : 0;
	return err;
}

static enum err flush(struct framesource *src, struct errmsg *e)
{
	src->is_flushed = true;
	return src->dec ? videodec_flush(src->dec, e) : ERR_OK;
}

/* The units of the piece that are to be decoded. */
static size_t end_of_piece(const struct framesource *src)
{
	size_t nr = src->file->nr_units;

	return nr - (nr && src->stretch.drops_last &&
		     src->next_piece == src->stretch.nr_pieces);
}

/* Decodes one unit, or does what comes instead of it. */
static enum err advance(struct framesource *src, struct errmsg *e)
{
	const struct framestretch *stretch = &src->stretch;
	const struct unit *unit;

	if (src->cancel && atomic_load(src->cancel))
		return err_set(e, ERR_GONE, "nobody waits for it any more");
	if (!src->file || src->next_unit >= end_of_piece(src))
		return src->next_piece < stretch->nr_pieces ?
			       load_piece(src, e) :
			       flush(src, e);
	unit = &src->file->units[src->next_unit++];
	if (unit->dts != TS_NONE && unit->dts >= stretch->hi)
		return flush(src, e); /* and so are all after it */
	if (unit->pts == TS_NONE)
		return ERR_OK;
	return videodec_put(src->dec, unit,
			    unit->pts >= stretch->lo && unit->pts < stretch->hi,
			    e);
}

static void free_frame(void *ptr)
{
	AVFrame *frame = ptr;

	av_frame_free(&frame);
}

AVFrame *framesource_frame(struct arena *a)
{
	AVFrame *frame = av_frame_alloc();

	if (frame)
		arena_defer(a, free_frame, frame);
	return frame;
}

enum err framesource_next(struct framesource *src, AVFrame *frame, bool *has_r,
			  struct errmsg *e)
{
	while (!src->nr_waiting && !src->is_flushed) {
		enum err err = advance(src, e);

		if (err)
			return err;
	}
	*has_r = src->nr_waiting > 0;
	if (*has_r) {
		av_frame_move_ref(frame, src->waiting[src->first_waiting]);
		src->first_waiting = (src->first_waiting + 1) % MAX_WAITING;
		src->nr_waiting--;
	}
	return ERR_OK;
}

const AVCodecContext *framesource_context(const struct framesource *src)
{
	return src->dec ? videodec_context(src->dec) : NULL;
}
