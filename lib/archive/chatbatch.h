/*
 * chatbatch.h - one file of chat: read, checked, taken apart.
 *
 * A file is a JSON object a line:
 *
 *	{"command":"PRIVMSG", ..., "receivers":{"node1":1794016864.59},
 *	 "time":1794016864.1,"time_range":0.5,"user":"a"}
 *
 * time and time_range say between which two instants it was sent, receivers
 * who received it, and when.  All other fields are what it is: its kind, kept
 * as a text with sorted names.  Absent receivers are none, an absent time_range
 * is 0.
 *
 * A file is whole or nothing: one line that is no such object, and none of it
 * is used, because that is how a file ends that was not written to its end.
 *
 * Units:  seconds since 1970, as doubles: a message is answered with the very
 *         times that it came with.
 * Errors: ERR_CORRUPT, saying which line and why.
 * Owner:  a batch is freed by chatbatch_release(); the texts are not its own.
 * Source: what the writers of such files do; RFC 8259 (jsoncheck.h).
 */
#ifndef ARCHIVE_CHATBATCH_H
#define ARCHIVE_CHATBATCH_H

#include <stddef.h>
#include <stdint.h>

#include "archive/chattexts.h"
#include "base/err.h"

#define CHAT_MAX_LINE	   ((size_t)1024 * 1024)
#define CHAT_MAX_FILE	   ((uint64_t)64 * 1024 * 1024)
#define CHAT_MAX_RECEIVERS 64 /* of one message */

struct chat_reception {
	double time;
	uint32_t receiver; /* number of a text */
	uint32_t id; /* equal for equal ones of one kind; by whoever merges */
};

struct chat_entry {
	double time;
	double range; /* >= 0, and time + range is finite */
	uint32_t kind;
	uint32_t first; /* of the batch's receptions */
	uint32_t nr_receptions;
	uint32_t batch; /* by whoever merges */
};

struct chat_batch {
	struct chat_entry *entries;
	size_t nr;
	struct chat_reception *receptions;
	size_t nr_receptions;
};

/* The tag of a kind is a hash of its tags.id, or 0 if it has none. */
struct chat_names {
	struct chattexts *kinds;
	struct chattexts *receivers;
};

enum err chatbatch_parse(const struct chat_names *names, const char *data,
			 size_t len, struct chat_batch *batch_r,
			 struct errmsg *e) MUST_CHECK;
void chatbatch_release(struct chat_batch *batch);

#endif
