/*
 * aide.h - what processes beside the workers have in common: children of the
 * master that answer no requests and run until they are ended.
 */
#ifndef SRC_AIDE_H
#define SRC_AIDE_H

#include "settings.h"

/* TERM ends it, USR1 is noted, all else of ours is ignored. */
void aide_begin(void);

/* Reopens the log if USR1 came; now and then. */
void aide_follow_log(const struct settings *settings);

#endif
