/*
 * sink.h - where bytes go.
 *
 * Whoever makes bytes writes them to a sink and cannot know who listens: a
 * FastCGI client, a file, a test.  A sink blocks until it has taken
 * everything.
 *
 * Errors: ERR_GONE when the receiver has left, ERR_IO when it failed
 * otherwise.  After any error nothing more may be written.
 */
#ifndef BASE_SINK_H
#define BASE_SINK_H

#include <stdint.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "base/err.h"

struct sink {
	/* Takes all bytes of the vector. */
	enum err (*write)(struct sink *s, const struct iovec *iov, int nr_iov,
			  struct errmsg *e);
	/*
	 * Takes count bytes of fd from offset.  ERR_CORRUPT if the file ends
	 * before that.
	 */
	enum err (*copy_file)(struct sink *s, int fd, uint64_t offset,
			      uint64_t count, struct errmsg *e);
};

/* One piece of memory. */
enum err sink_write(struct sink *s, const void *data, size_t len,
		    struct errmsg *e) MUST_CHECK;

/* A copy_file for sinks that have no better way: reads and writes. */
enum err sink_copy_by_reading(struct sink *s, int fd, uint64_t offset,
			      uint64_t count, struct errmsg *e) MUST_CHECK;

/* A sink that writes to a descriptor (a file, a pipe, standard output). */
struct fd_sink {
	struct sink sink;
	int fd;
	uint64_t written;
};
void fd_sink_init(struct fd_sink *s, int fd);

#endif
