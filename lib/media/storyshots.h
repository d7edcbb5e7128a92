/*
 * storyshots.h - the pictures of a storyboard, decoded by several threads.
 *
 * Of a tile that has a key picture only that is decoded, if its segment has
 * all that it needs.  Another shows the first picture at or after its start, as
 * still.h finds it; those of one segment are decoded together.  Where there is
 * none, or it cannot be decoded, the tile shows nothing.
 *
 * Errors: ERR_GONE once is_gone says so.  If no tile has a picture: ERR_HOLES,
 *         or why the first of them has none.
 * Owner:  all is in the arena given; a picture is lent to take.
 *
 * Which pictures there are does not depend on how many threads there are.
 */
#ifndef MEDIA_STORYSHOTS_H
#define MEDIA_STORYSHOTS_H

#include <libavutil/frame.h>

#include "base/arena.h"
#include "media/storyplan.h"

struct storyshots_config {
	int nr_threads;
	/* Called by any of the threads, at most once for each tile. */
	enum err (*take)(void *ctx, size_t tile, const AVFrame *frame,
			 struct errmsg *e);
	void *ctx;
	bool (*is_gone)(void *client);
	void *client;
};

/* *nr_failed_r: the tiles that show nothing, but are in no hole. */
enum err storyshots_take(struct arena *a, const struct storyplan *plan,
			 const struct storyshots_config *config,
			 size_t *nr_failed_r, struct errmsg *e) MUST_CHECK;

#endif
