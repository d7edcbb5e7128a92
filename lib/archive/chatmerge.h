/*
 * chatmerge.h - what several receivers wrote down, as one list of messages.
 *
 * The merge is a function of the set of files: neither their order nor files
 * that are there twice change it, and merging what it made with what it was
 * made of changes nothing either, because other processes merge files while we
 * read them.
 *
 *	1. Messages are of one kind if all is equal but receivers, time and
 *	   time_range.
 *	2. Kinds with a tags.id (a text that is not empty): in order of time,
 *	   messages whose ranges have an instant in common are one.  Of two
 *	   times of one receiver the earlier is kept.
 *	3. Kinds without: entries that share a reception, which is a receiver
 *	   and its time, or without receivers have the same time and range, are
 *	   one if their ranges intersect: the same message, seen in several
 *	   files (chatsame.c says what is done where they contradict each
 *	   other).
 *	4. What is left of these is paired one to one: the message that ends
 *	   earliest takes, of those that contain its end, in order of their
 *	   ends, each that is of another file and of another receiver than all
 *	   it has (chatpair.c).
 *
 * One made of several has the intersection of their ranges and the union of
 * their receivers.  Its time_range is what is left of it as a difference of
 * doubles, which is exact for times of our era.
 *
 * Units:  those of chatbatch.h.
 * Errors: ERR_LIMIT for more receivers than we tell apart, or equal messages
 *         whose receivers and files are such that comparing them has no end.
 * Owner:  messages are in the arena.
 * Source: the merge of the programs that write these files.
 */
#ifndef ARCHIVE_CHATMERGE_H
#define ARCHIVE_CHATMERGE_H

#include <stddef.h>
#include <stdint.h>

#include "archive/chatbatch.h"
#include "base/arena.h"
#include "base/err.h"

/* In all files together. */
#define CHAT_MAX_NAMES 4096

struct chat_message {
	double time;
	double range;
	const struct chat_reception *receptions; /* by name; receiver is rank */
	uint32_t nr_receptions;
	uint32_t kind;
};

struct chat_messages {
	struct chat_message *messages; /* in no order */
	size_t nr;
	size_t nr_read; /* entries of all batches */
	/* Numbers of receivers by rank, which is the order of their names. */
	const uint32_t *receivers;
	uint32_t nr_receivers;
};

/* Of batches only the entries' field of whoever merges is changed. */
enum err chat_merge(const struct chat_names *names, struct chat_batch *batches,
		    size_t nr_batches, struct arena *a,
		    struct chat_messages *messages_r,
		    struct errmsg *e) MUST_CHECK;

#endif
