/*
 * transition.h - the names of transitions between the ranges of a cut.
 *
 * Source: the names are those of FFmpeg's xfade filter, and four of our own.
 */
#ifndef MEDIA_TRANSITION_H
#define MEDIA_TRANSITION_H

#include <stdbool.h>

#include "base/err.h"
#include "base/utime.h"

#define TRANSITION_MAX_US (60 * USEC_PER_SEC)

struct transition {
	const char *name; /* one of the known names; NULL: a hard cut */
	usec_t length_us;
};

/* Reads "TYPE,SECONDS", or nothing for a hard cut. */
enum err transition_parse(const char *text, struct transition *transition_r,
			  struct errmsg *e) MUST_CHECK;

#endif
