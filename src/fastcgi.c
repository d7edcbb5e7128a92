#include "config.h"

#include "fastcgi.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "status.h"

#define RECORD_MAX  65528 /* of content; a multiple of 8, so no padding */
#define STALL_MS    60000 /* a client that takes nothing for so long is gone */
#define TYPE_ABORT  2
#define TYPE_STDOUT 6
#define MAX_IOV	    64

/*
 * Around every call into the library.  Not so around waiting: nobody samples
 * who waits.
 */
static void enter_library(sigset_t *before_r)
{
	sigset_t profiling;

	sigemptyset(&profiling);
	sigaddset(&profiling, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &profiling, before_r);
}

static void leave_library(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static int read_some(struct fastcgi *f, char *buffer, int size)
{
	sigset_t before;
	int n;

	enter_library(&before);
	n = FCGX_GetStr(buffer, size, f->fcgi.in);
	leave_library(&before);
	return n;
}

enum err fastcgi_init(struct errmsg *e)
{
	if (FCGX_Init() != 0)
		return err_set(e, ERR_IO, "cannot initialise libfcgi");
	return ERR_OK;
}

static struct fastcgi *of_client(struct client *c)
{
	return (struct fastcgi *)c;
}

static struct fastcgi *of_sink(struct sink *s)
{
	return (void *)((char *)s - offsetof(struct fastcgi, sink));
}

static void put_record_header(const struct fastcgi *f, unsigned char head[8],
			      size_t len)
{
	head[0] = 1; /* FCGI_VERSION_1 */
	head[1] = TYPE_STDOUT;
	head[2] = (unsigned char)(f->fcgi.requestId >> 8);
	head[3] = (unsigned char)f->fcgi.requestId;
	head[4] = (unsigned char)(len >> 8);
	head[5] = (unsigned char)len;
	head[6] = 0;
	head[7] = 0;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
	return now_us() / 1000;
}

/* How long a write may wait before it fails with EAGAIN. */
static void set_patience(const struct fastcgi *f, int64_t ms)
{
	struct timeval patience = { .tv_sec = ms / 1000,
				    .tv_usec = ms % 1000 * 1000 };

	setsockopt(f->fcgi.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
}

/*
 * The client is slow: from here on the answer may take long, so not in a
 * process that others wait for.
 */
static enum err be_patient(struct fastcgi *f, struct errmsg *e)
{
	enum err err;

	f->may_wait = true;
	set_patience(f, STALL_MS);
	err = f->client.go_heavy(&f->client, e);
	/* It is too late for a 503: go on here. */
	return err == ERR_BUSY ? ERR_OK : err;
}

/*
 * Before a record: a client that keeps us going, but slowly, shows in a socket
 * that has not room when its time is over.
 */
static enum err check_pace(struct fastcgi *f, struct errmsg *e)
{
	struct pollfd poll_fd = { .fd = f->fcgi.ipcFd, .events = POLLOUT };

	if (f->may_wait || now_ms() < f->began_ms + FASTCGI_PATIENCE_MS ||
	    poll(&poll_fd, 1, 0) != 0)
		return ERR_OK;
	return be_patient(f, e);
}

/* After a write that sent nothing: ERR_OK to try again. */
static enum err write_failed(struct fastcgi *f, struct errmsg *e)
{
	/* What was interrupted begins to wait anew, so the time is up here. */
	if (errno == EINTR)
		return check_pace(f, e);
	if (errno == EAGAIN && !f->may_wait)
		return be_patient(f, e);
	if (errno == EPIPE || errno == ECONNRESET || errno == EAGAIN)
		return err_set(e, ERR_GONE, "the client left");
	return err_set(e, ERR_IO, "cannot send: %s", strerror(errno));
}

/* Sends a whole vector, which it changes. */
static enum err send_all(struct fastcgi *f, struct iovec *iov, int nr,
			 int flags, struct errmsg *e)
{
	while (nr) {
		struct msghdr msg = { .msg_iov = iov,
				      .msg_iovlen = (size_t)nr };
		ssize_t n = sendmsg(f->fcgi.ipcFd, &msg, flags | MSG_NOSIGNAL);

		if (n < 0) {
			enum err err = write_failed(f, e);

			if (err)
				return err;
			continue;
		}
		while (nr && (size_t)n >= iov->iov_len) {
			n -= (ssize_t)iov->iov_len;
			iov++;
			nr--;
		}
		if (nr) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return ERR_OK;
}

static size_t header_in(const struct fastcgi *f, size_t len)
{
	return len < f->header_left ? len : (size_t)f->header_left;
}

/* len more bytes of the body are about to go out. */
static void announce(struct fastcgi *f, size_t len)
{
	if (f->is_near_end || len < f->body_left)
		return;
	f->is_near_end = true;
	f->before_last(&f->client);
}

static void count_body(struct fastcgi *f, size_t len)
{
	f->body_bytes += len;
	if (f->body_left != LENGTH_UNKNOWN)
		f->body_left -= len < f->body_left ? len : f->body_left;
	if (f->progress)
		atomic_store_explicit(&f->progress->sent, f->body_bytes,
				      memory_order_relaxed);
}

/*
 * Fills batch with one record of what the pieces hold, behind its header, and
 * moves the pieces on.
 */
static int gather_record(const struct iovec **iov, int *nr_iov, size_t *skip,
			 struct iovec *batch, size_t *len_r)
{
	size_t len = 0;
	int nr = 1;

	while (*nr_iov && len < RECORD_MAX && nr < MAX_IOV) {
		size_t part = (*iov)->iov_len - *skip;

		part = part < RECORD_MAX - len ? part : RECORD_MAX - len;
		if (part)
			batch[nr++] = (struct iovec){
				.iov_base = (char *)(*iov)->iov_base + *skip,
				.iov_len = part,
			};
		len += part;
		*skip += part;
		if (*skip == (*iov)->iov_len) {
			(*iov)++;
			(*nr_iov)--;
			*skip = 0;
		}
	}
	*len_r = len;
	return nr;
}

static enum err sink_records(struct sink *s, const struct iovec *iov,
			     int nr_iov, struct errmsg *e)
{
	struct fastcgi *f = of_sink(s);
	size_t skip = 0;

	while (nr_iov) {
		struct iovec batch[MAX_IOV];
		unsigned char head[8];
		size_t len, header;
		int nr = gather_record(&iov, &nr_iov, &skip, batch, &len);
		enum err err;

		if (!len) /* an empty record would end the answer */
			continue;
		put_record_header(f, head, len);
		batch[0] = (struct iovec){ .iov_base = head,
					   .iov_len = sizeof(head) };
		err = check_pace(f, e);
		if (err)
			return err;
		header = header_in(f, len);
		announce(f, len - header);
		err = send_all(f, batch, nr, 0, e);
		if (err)
			return err;
		f->header_left -= header;
		count_body(f, len - header);
	}
	return ERR_OK;
}

static enum err send_file_record(struct fastcgi *f, int fd, off_t *offset,
				 size_t len, struct errmsg *e)
{
	unsigned char head[8];
	struct iovec iov = { .iov_base = head, .iov_len = sizeof(head) };
	enum err err;

	put_record_header(f, head, len);
	err = send_all(f, &iov, 1, MSG_MORE, e);
	while (!err && len) {
		ssize_t n = sendfile(f->fcgi.ipcFd, fd, offset, len);

		if (n < 0) {
			err = write_failed(f, e);
			continue;
		}
		if (n == 0)
			return err_set(e, ERR_CORRUPT,
				       "a file became shorter while it was "
				       "sent");
		len -= (size_t)n;
	}
	return err;
}

static enum err sink_file(struct sink *s, int fd, uint64_t offset,
			  uint64_t count, struct errmsg *e)
{
	struct fastcgi *f = of_sink(s);
	off_t at = (off_t)offset;

	while (count) {
		size_t len = count < RECORD_MAX ? (size_t)count : RECORD_MAX;
		enum err err = check_pace(f, e);

		if (err)
			return err;
		announce(f, len);
		err = send_file_record(f, fd, &at, len, e);
		if (err)
			return err;
		count_body(f, len);
		count -= len;
	}
	return ERR_OK;
}

static enum err begin(struct client *c, const struct response_head *head,
		      struct errmsg *e)
{
	struct fastcgi *f = of_client(c);
	struct text out;
	enum err err;

	text_init(&out, head->headers->len + 256);
	text_printf(&out, "Status: %d %s\r\n", head->status,
		    status_reason(head->status));
	text_append(&out, head->headers->data, head->headers->len);
	text_puts(&out, "\r\n");
	f->has_begun = true;
	f->began_ms = now_ms();
	if (f->progress)
		f->progress->length = head->length;
	f->header_left = out.len;
	f->body_left = head->length;
	/* Then there is only the header. */
	if (!strcmp(fastcgi_param(f, "REQUEST_METHOD"), "HEAD"))
		f->body_left = 0;
	err = sink_write(&f->sink, out.data, out.len, e);
	if (!err)
		f->header_us = now_us();
	text_release(&out);
	return err;
}

/*
 * A front server closes the connection when its own client leaves, or sends
 * ABORT_REQUEST; nothing else comes after the request's body.
 */
static bool is_gone(struct client *c)
{
	const struct fastcgi *f = of_client(c);
	struct pollfd poll_fd = { .fd = f->fcgi.ipcFd, .events = POLLRDHUP };
	unsigned char record[8];

	if (poll(&poll_fd, 1, 0) > 0)
		return true;
	return recv(f->fcgi.ipcFd, record, sizeof(record),
		    MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(record) &&
	       record[1] == TYPE_ABORT;
}

static enum err too_long(uint64_t max, struct errmsg *e)
{
	return err_set(e, ERR_LIMIT, "the body is longer than %llu MB",
		       (unsigned long long)(max >> 20));
}

/* How long the front server said that the body is; false if it did not. */
static bool said_length(const struct fastcgi *f, uint64_t *length_r)
{
	const char *text = fastcgi_param(f, "CONTENT_LENGTH");
	size_t nr_digits = strspn(text, "0123456789");

	*length_r = strtoull(text, NULL, 10);
	return nr_digits && nr_digits <= 18 && !text[nr_digits];
}

static enum err check_length(const struct fastcgi *f, uint64_t length,
			     struct errmsg *e)
{
	uint64_t said;

	if (!*fastcgi_param(f, "CONTENT_LENGTH") ||
	    (said_length(f, &said) && said == length))
		return ERR_OK;
	return err_set(e, ERR_INPUT,
		       "the body is not of the length that was said");
}

static enum err read_body(struct client *c, struct text *body, struct errmsg *e)
{
	struct fastcgi *f = of_client(c);
	char buffer[8192];
	int n;

	while ((n = read_some(f, buffer, sizeof(buffer))) > 0) {
		text_append(body, buffer, (size_t)n);
		if (body->overflowed)
			return too_long(body->max, e);
	}
	return check_length(f, body->len, e);
}

void fastcgi_open(struct fastcgi *f, int listen_fd,
		  enum err (*expect_long)(struct client *c, struct errmsg *e),
		  enum err (*go_heavy)(struct client *c, struct errmsg *e),
		  void (*before_last)(struct client *c))
{
	*f = (struct fastcgi){
		.sink = { .write = sink_records, .copy_file = sink_file },
		.before_last = before_last,
		.client = { .begin = begin,
			    .expect_long = expect_long,
			    .go_heavy = go_heavy,
			    .read_body = read_body,
			    .is_gone = is_gone },
	};
	f->client.sink = &f->sink;
	FCGX_InitRequest(&f->fcgi, listen_fd, 0);
}

/*
 * Where descriptors or memory are lacking the connection stays where it is, and
 * would wake us again at once.
 */
static void wait_if_exhausted(int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS &&
	    error != ENOMEM)
		return;
	log_error("cannot accept a request: %s", strerror(error));
	sleep(1);
}

bool fastcgi_accept(struct fastcgi *f)
{
	sigset_t before;
	int rc;

	f->has_begun = false;
	f->may_wait = false;
	f->body_bytes = 0;
	f->header_us = 0;
	f->header_left = 0;
	f->body_left = LENGTH_UNKNOWN;
	f->is_near_end = false;
	enter_library(&before);
	rc = FCGX_Accept_r(&f->fcgi);
	leave_library(&before);
	if (rc < 0) {
		wait_if_exhausted(-rc);
		return false;
	}
	/*
	 * An idle connection kept open would occupy this process: one process
	 * is one connection in libfcgi.
	 */
	f->fcgi.keepConnection = 0;
	set_patience(f, FASTCGI_PATIENCE_MS);
	return true;
}

const char *fastcgi_param(const struct fastcgi *f, const char *name)
{
	const char *value = FCGX_GetParam(name, f->fcgi.envp);

	return value ? value : "";
}

enum err fastcgi_drain(struct fastcgi *f, uint64_t max, struct errmsg *e)
{
	char buffer[8192];
	uint64_t total = 0;
	uint64_t said;
	int n;

	/* A front with a limit of its own may pass on less than was sent. */
	if (said_length(f, &said) && said > max)
		return too_long(max, e);
	while ((n = read_some(f, buffer, sizeof(buffer))) > 0) {
		total += (uint64_t)n;
		if (total > max)
			return too_long(max, e);
	}
	return ERR_OK;
}

void fastcgi_finish(struct fastcgi *f, bool is_complete)
{
	sigset_t before;

	enter_library(&before);
	if (is_complete) {
		/* The library gives up at the first failed write. */
		set_patience(f, STALL_MS);
		FCGX_Finish_r(&f->fcgi);
	} else {
		FCGX_Free(&f->fcgi, 1);
	}
	leave_library(&before);
}

void fastcgi_detach(struct fastcgi *f)
{
	sigset_t before;

	enter_library(&before);
	/* Closes our copy of the descriptor without shutdown(2). */
	FCGX_Detach(&f->fcgi);
	FCGX_Free(&f->fcgi, 1);
	leave_library(&before);
}
