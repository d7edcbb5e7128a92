#include "config.h"

#include "media/shotfile.h"

#include <unistd.h>

#include "base/fsutil.h"
#include "media/still.h"

/* What is read first; the key picture of 1080p of 8 Mb/s has 300 kB or so. */
#define FIRST_BYTES ((size_t)512 * 1024)
#define GROWTH	    4

static bool is_h264(const struct tsfile *ts)
{
	return ts->video && ts->video->type == TYPE_H264;
}

/* Of other codecs nothing is known: segments begin with a key frame. */
static bool is_key(const struct shotfile *file, size_t i)
{
	const struct unit *unit = &file->ts->units[i];

	return unit->pts != TS_NONE && !(unit->flags & UNIT_CUT) &&
	       (is_h264(file->ts) ?
			(unit->flags & (UNIT_IDR | UNIT_RECOVERY)) != 0 :
			i == 0);
}

/* Whether pictures that are not there yet are all shown after a time. */
static bool is_past(const struct shotfile *file, int64_t pts)
{
	size_t nr = file->nr_units;

	return file->is_whole || (nr && file->ts->units[nr - 1].dts >= pts);
}

static int64_t ticks_of(const struct shotfile *file, usec_t us)
{
	/* A tick before what is named, since times are rounded to ticks. */
	return file->ts->first_pts + ticks_of_us(us) - 1;
}

size_t shotfile_key(const struct shotfile *file, usec_t from_us, usec_t to_us)
{
	int64_t lo, hi;

	if (!file->nr_units || file->ts->first_pts == TS_NONE)
		return SHOT_NONE;
	lo = ticks_of(file, from_us);
	hi = ticks_of(file, to_us);
	for (size_t i = 0; i < file->nr_units; i++) {
		int64_t pts = file->ts->units[i].pts;

		if (is_key(file, i) && pts >= lo && pts < hi)
			return i;
	}
	return SHOT_NONE;
}

size_t shotfile_picture(const struct shotfile *file, usec_t from_us)
{
	size_t best = SHOT_NONE;
	int64_t lo;

	if (!file->nr_units || file->ts->first_pts == TS_NONE)
		return SHOT_NONE;
	lo = ticks_of(file, from_us);
	for (size_t i = 0; i < file->nr_units; i++) {
		const struct unit *unit = &file->ts->units[i];

		if (unit->pts != TS_NONE && unit->pts >= lo &&
		    unit->pts < lo + ticks_of_us(STILL_FAR_US) &&
		    (best == SHOT_NONE ||
		     unit->pts < file->ts->units[best].pts))
			best = i;
	}
	return best != SHOT_NONE && is_past(file, file->ts->units[best].pts) ?
		       best :
		       SHOT_NONE;
}

size_t shotfile_entry(const struct shotfile *file, size_t unit)
{
	for (size_t i = unit + 1; i-- > 0;)
		if (is_key(file, i) &&
		    file->ts->units[i].pts <= file->ts->units[unit].pts)
			return i;
	return SHOT_NONE;
}

/* The units of what was read that can be relied on. */
static void count_units(struct shotfile *file, const struct rough_piece *piece)
{
	file->nr_units = file->ts->video ? file->ts->nr_units : 0;
	/* The last one of what breaks off is likely to be cut itself. */
	if (file->nr_units &&
	    (!file->is_whole ||
	     rough_piece_entry(piece)->kind == SEGMENT_PARTIAL))
		file->nr_units--;
	/* Of several pictures in one unit it is not known which is when. */
	for (size_t i = 0; i < file->nr_units; i++)
		if (file->ts->units[i].nr_auds > 1)
			file->nr_units = 0;
}

static enum err read_some(struct arena *a, const struct roughcut *cover,
			  const struct rough_piece *piece, size_t max,
			  struct shotfile *file_r, struct errmsg *e)
{
	size_t size = piece->size < max ? (size_t)piece->size : max;
	struct tsfile *ts;
	uint8_t *data;
	enum err err;
	int fd;

	err = roughcut_open(cover, piece, &fd, e);
	if (err)
		return err;
	data = arena_alloc(a, size + 1);
	err = fs_read_all(fd, data, size, 0, "a segment", e);
	close(fd);
	if (!err)
		err = tsfile_parse(a, data, size, TS_NONE, &ts, e);
	if (err)
		return err;
	file_r->ts = ts;
	file_r->is_whole = size == piece->size;
	count_units(file_r, piece);
	return ERR_OK;
}

enum err shotfile_read(struct arena *a, const struct roughcut *cover,
		       const struct rough_piece *piece, struct shotfile *file_r,
		       struct errmsg *e)
{
	return read_some(a, cover, piece, SHOTFILE_MAX_BYTES, file_r, e);
}

enum err shotfile_read_key(struct arena *a, const struct roughcut *cover,
			   const struct rough_piece *piece, usec_t from_us,
			   usec_t to_us, struct shotfile *file_r,
			   size_t *unit_r, struct errmsg *e)
{
	for (size_t max = FIRST_BYTES;; max *= GROWTH) {
		bool is_all = piece->size <= max || max >= SHOTFILE_MAX_BYTES;
		const struct tsfile *ts;
		enum err err;

		arena_reset(a);
		err = read_some(a, cover, piece, max, file_r, e);
		/* The tables may be behind what was read. */
		if (err && (err != ERR_MEDIA || is_all))
			return err;
		if (err)
			continue;
		ts = file_r->ts;
		*unit_r = shotfile_key(file_r, from_us, to_us);
		if (is_all)
			return ERR_OK;
		/* The first picture shown may be none of the first units. */
		if (is_past(file_r, ts->first_pts) &&
		    (*unit_r != SHOT_NONE ||
		     is_past(file_r, ticks_of(file_r, to_us))))
			return ERR_OK;
	}
}
