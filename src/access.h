/*
 * access.h - the line in the log that every request has at its end.
 *
 * Written by the process that ends the answer, once, before the front server
 * is told that it has all of it; the README tells what its fields mean.
 */
#ifndef SRC_ACCESS_H
#define SRC_ACCESS_H

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "fastcgi.h"
#include "request.h"

/* What only the process knows of an answer. */
struct access {
	bool is_heavy;	/* it was forked for the request */
	bool is_relief; /* in mid-answer */
	enum err why;	/* what stopped the request, if anything did */
	enum err sent;	/* what stopped the answer, maybe one that tells why */
	struct timespec ended; /* monotonic: when no more of it was sent */
};

void access_log(const struct request *req, const struct fastcgi *f,
		const struct access *access);

#endif
