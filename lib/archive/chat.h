/*
 * chat.h - the chat of a range of time: its messages, merged over all who
 * received them.
 *
 * A message is answered if its [time, time + time_range] touches [start, end).
 * The order is by time, then time_range, then by content: it depends on nothing
 * but the files.
 *
 *	chat_open()	lists the files; what is answered can be told apart by
 *			a hash before anything is read
 *	chat_read()	reads them, merges, and writes the answer: a JSON list.
 *			What is gone meanwhile is looked for anew, and then the
 *			hash is that of what was read
 *
 * A file that is not whole is left out, counted, and logged once.
 *
 * Units:  instants are usec_t here, and seconds as doubles in files.
 * Errors: ERR_BUSY while files come and go faster than they are read,
 *         ERR_LIMIT, ERR_IO.
 * Owner:  all is in the arena of chat_open().
 */
#ifndef ARCHIVE_CHAT_H
#define ARCHIVE_CHAT_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/uio.h>

#include "archive/archive.h"
#include "base/arena.h"
#include "base/err.h"

/*
 * What was complained of, so that it is not with every request: hashes, in
 * memory that processes may share.  What another hash takes the place of may be
 * said again.
 */
struct chat_said {
	_Atomic uint64_t hashes[1024];
};

struct chat_source {
	const struct quality *quality;
	usec_t start_us;
	usec_t end_us;		/* after start */
	struct chat_said *said; /* or NULL: say all */
};

struct chat_stats {
	size_t nr_messages;  /* read, of all files */
	size_t nr_conflicts; /* answered with an id that another has */
	size_t nr_retries;
	size_t nr_files_ignored;
	size_t nr_names_ignored; /* not complained of before */
};

struct chat {
	uint64_t bytes;	  /* of the files */
	uint64_t hash[2]; /* equal for equal answers */
	struct chat_stats stats;
	/* by chat_read(), the answer: */
	struct iovec *iov;
	int nr_iov;
	uint64_t length; /* bytes */
};

enum err chat_open(const struct chat_source *source, struct arena *a,
		   struct chat **chat_r, struct errmsg *e) MUST_CHECK;

enum err chat_read(struct chat *chat, int nr_threads,
		   struct errmsg *e) MUST_CHECK;

#endif
