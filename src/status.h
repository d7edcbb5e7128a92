/*
 * status.h - an error as an HTTP status, and a status as words.
 *
 * The one place where an enum err becomes a status.
 */
#ifndef SRC_STATUS_H
#define SRC_STATUS_H

#include "base/err.h"

int status_of(enum err err);
const char *status_reason(int status);

/* The exit status of a command that failed: by kind, see the manual page. */
int exit_status_of(enum err err);

#endif
