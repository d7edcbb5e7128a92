#include "config.h"

#include "base/sink.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define COPY_BUFFER ((size_t)256 * 1024)

enum err sink_write(struct sink *s, const void *data, size_t len,
		    struct errmsg *e)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };

	return s->write(s, &iov, 1, e);
}

enum err sink_copy_by_reading(struct sink *s, int fd, uint64_t offset,
			      uint64_t count, struct errmsg *e)
{
	static char buffer[COPY_BUFFER];

	while (count) {
		size_t want = count < COPY_BUFFER ? (size_t)count : COPY_BUFFER;
		ssize_t n = pread(fd, buffer, want, (off_t)offset);
		enum err err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_IO, "cannot read a file: %s",
				       strerror(errno));
		if (n == 0)
			return err_set(
				e, ERR_CORRUPT,
				"a file became shorter while it was sent");
		err = sink_write(s, buffer, (size_t)n, e);
		if (err)
			return err;
		offset += (uint64_t)n;
		count -= (uint64_t)n;
	}
	return ERR_OK;
}

/* Drops what was written from the front of the vector. */
static void advance(struct iovec **iov, int *nr_iov, size_t n)
{
	while (*nr_iov && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		(*nr_iov)--;
	}
	if (n) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

static enum err write_batch(struct fd_sink *s, struct iovec *iov, int nr_iov,
			    struct errmsg *e)
{
	advance(&iov, &nr_iov, 0);
	while (nr_iov) {
		ssize_t n = writev(s->fd, iov, nr_iov);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return err_set(e, ERR_GONE, "the reader has left");
		if (n < 0)
			return err_set(e, ERR_IO, "cannot write: %s",
				       strerror(errno));
		s->written += (uint64_t)n;
		advance(&iov, &nr_iov, (size_t)n);
	}
	return ERR_OK;
}

static enum err fd_write(struct sink *sink, const struct iovec *iov, int nr_iov,
			 struct errmsg *e)
{
	struct fd_sink *s = (struct fd_sink *)sink;
	struct iovec batch[64];

	while (nr_iov) {
		int n = nr_iov < (int)ARRAY_SIZE(batch) ?
				nr_iov :
				(int)ARRAY_SIZE(batch);
		enum err err;

		memcpy(batch, iov, (size_t)n * sizeof(*iov));
		err = write_batch(s, batch, n, e);
		if (err)
			return err;
		iov += n;
		nr_iov -= n;
	}
	return ERR_OK;
}

void fd_sink_init(struct fd_sink *s, int fd)
{
	*s = (struct fd_sink){
		.sink = { .write = fd_write,
			  .copy_file = sink_copy_by_reading },
		.fd = fd,
	};
}
