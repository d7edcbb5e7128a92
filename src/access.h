/*
 * access.h - the line in the log that every request has at its end.
 *
 * Written by the process that ends the answer, once, before the front server
 * is told that it has all of it; the README tells what its fields mean.
 */
#ifndef SRC_ACCESS_H
#define SRC_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "fastcgi.h"
#include "request.h"
#include "slotnote.h"

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

/* A request whose process died, as its slot in the scoreboard had it. */
struct lost {
	pid_t pid;
	uint32_t route; /* its number */
	int method;
	bool is_heavy;
	uint64_t sent;	/* bytes of the body */
	int64_t for_us; /* so long was it under way, or its process was */
	struct slot_text text;
};
void access_log_lost(const struct lost *lost);

#endif
