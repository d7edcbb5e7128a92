/*
 * cutpieces.h - the segments of a plan, read whole while they are needed.
 *
 * Each is read once and kept in memory of its own until it is let go.  Its
 * times are unwrapped next to those that the plan has of it.
 *
 * Errors: those of roughcut_open() and tsfile_read().
 * Owner:  all is freed with the arena.
 */
#ifndef MEDIA_CUTPIECES_H
#define MEDIA_CUTPIECES_H

#include "media/cutplan.h"

struct cutpieces;

struct cutpieces *cutpieces_new(struct arena *a, const struct cutplan *plan);

enum err cutpieces_load(struct cutpieces *pieces, size_t i,
			const struct tsfile **file_r,
			struct errmsg *e) MUST_CHECK;

/* Lets go of the pieces first to end - 1. */
void cutpieces_drop(struct cutpieces *pieces, size_t first, size_t end);

#endif
