/*
 * remux.h - a cut to the frame in another container, without encoding any of
 * it again.
 *
 * Takes the units of a cut (cutrender.h) and, of its whole files, the units in
 * them, and gives them to a muxer of libavformat.  The first picture is shown
 * at 0; sound that begins a little before it is kept, which MP4 hides (an edit
 * list) and Matroska shows, all being that much later there.  Tags of ID3 are
 * left out.  The same cut gives the same bytes.
 *
 * Units:  bytes of the container.
 * Errors: those of cutrender_run() and of the sink; ERR_MEDIA from the muxer,
 *         or if the sound changes its format without the plan having told.
 * Owner:  all work is freed with the arena.
 * Source: ISO/IEC 14496-12, -14 and -15; RFC 9559; ISO/IEC 14496-3 1.6.2.1
 *         (AudioSpecificConfig).
 */
#ifndef MEDIA_REMUX_H
#define MEDIA_REMUX_H

#include "base/sink.h"
#include "media/cutrender.h"
#include "media/smartcut.h"

enum remux_kind {
	REMUX_MP4,	 /* in fragments: can be sent while it is made */
	REMUX_MP4_PLAIN, /* its index in front: only into a file */
	REMUX_MKV,
};

/* Of a plain MP4: all of its index is in memory. */
#define REMUX_MAX_PLAIN_US (12 * USEC_PER_HOUR)

/*
 * Before anything is sent: ERR_FORMAT if a container cannot hold the sound,
 * ERR_LIMIT if a plain MP4 would be too long, ERR_HOLES if there is no picture
 * in the ranges; what else reading the edges may find.
 */
enum err remux_check(const struct cutplan *plan, enum remux_kind kind,
		     struct errmsg *e) MUST_CHECK;

/* Sends it from its beginning; not REMUX_MP4_PLAIN. */
enum err remux_stream(struct arena *a, const struct cutplan *plan,
		      const struct smartcut_config *config,
		      enum remux_kind kind, struct sink *sink,
		      struct cut_work *work_r, struct errmsg *e) MUST_CHECK;

/* Writes it to an empty file that can be read and sought. */
enum err remux_file(struct arena *a, const struct cutplan *plan,
		    const struct smartcut_config *config, enum remux_kind kind,
		    int fd, struct cut_work *work_r,
		    struct errmsg *e) MUST_CHECK;

/* Likewise: whether the sound of a run is of one format. */
enum err remux_check_run(const struct cutplan *plan, const struct cut_run *run,
			 struct errmsg *e) MUST_CHECK;

/*
 * The whole files of a run, however the range cuts them, from the first
 * picture that has its parameter sets on.  Of config only is_gone is used.
 */
enum err remux_run(struct arena *a, const struct cutplan *plan,
		   const struct cut_run *run,
		   const struct smartcut_config *config, enum remux_kind kind,
		   int fd, struct errmsg *e) MUST_CHECK;

/* Makes the hash of a smart cut (smartcut.h) that of its container. */
void remux_hash(enum remux_kind kind, uint64_t hash[2]);

#endif
