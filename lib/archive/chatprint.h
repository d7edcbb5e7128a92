/*
 * chatprint.h - messages of chat as JSON, in pieces of memory.
 *
 * The text of a kind is used as it is kept, so that an answer takes little
 * memory beside what was read.  Times are as short as reads back as the same
 * double, and look like one.
 */
#ifndef ARCHIVE_CHATPRINT_H
#define ARCHIVE_CHATPRINT_H

#include <stdint.h>
#include <sys/uio.h>

#include "archive/chatmerge.h"

struct chat_json {
	struct iovec *iov;
	int nr_iov;
	uint64_t length; /* bytes */
};

/* A list of the messages, in the order they have; all is in the arena. */
void chat_print(const struct chat_names *names,
		const struct chat_messages *messages, int nr_threads,
		struct arena *a, struct chat_json *json_r);

/* A double as text; to has room for CHAT_NUMBER_SIZE.  Its length. */
#define CHAT_NUMBER_SIZE 32
size_t chat_print_number(double number, char *to);

#endif
