/*
 * fastcgi.h - a FastCGI request as a client.
 *
 * Requests are accepted and their parameters read by libfcgi; the answer is
 * written by us, in records of up to 64 kB with writev(2) and sendfile(2),
 * because the library's own writer sends 8 kB at a time.
 *
 * A client that takes a body as it comes is served by the process that has it.
 * One that does not, so that after FASTCGI_PATIENCE_MS the next record would
 * have to wait, gets a process of its own from there on: the answer goes on in
 * it, and the writer is told ERR_HANDED.
 *
 * An answer that failed after it began ends by closing the connection without
 * END_REQUEST: anything else would make it look complete to the client.
 *
 * SIGPROF, which samples what answers are made of (profile.h), is kept out of
 * libfcgi: it takes an interrupted call for the end of the connection.
 *
 * Source: the FastCGI 1.0 specification; notes on libfcgi's traps are where
 *         they are avoided.
 */
#ifndef SRC_FASTCGI_H
#define SRC_FASTCGI_H

#include <stdbool.h>
#include <stdint.h>

#include <fcgiapp.h>

#include "client.h"
#include "scoreboard.h"

#define FASTCGI_PATIENCE_MS 200

struct fastcgi {
	struct client client;
	struct sink sink;
	FCGX_Request fcgi;
	int64_t began_ms;    /* monotonic: when the answer began */
	int64_t header_us;   /* monotonic: when the header was out, or 0 */
	bool may_wait;	     /* for the client, as long as it takes */
	bool has_begun;	     /* the header is sent, or part of it */
	uint64_t body_bytes; /* sent */
	uint64_t body_left;  /* of a body whose length is known */
	bool is_near_end;    /* before_last() has been called */
	void (*before_last)(struct client *c);
	uint64_t header_left;	   /* bytes of output that are not body */
	struct progress *progress; /* told of every record; or NULL */
};

/* Once per process. */
enum err fastcgi_init(struct errmsg *e) MUST_CHECK;

/*
 * The functions are the process model's; see client.h.  before_last() is called
 * once, before the piece after which a client may have all of an answer; not at
 * all for one that ends with fastcgi_finish() alone, or does not get so far.
 */
void fastcgi_open(struct fastcgi *f, int listen_fd,
		  enum err (*expect_long)(struct client *c, struct errmsg *e),
		  enum err (*go_heavy)(struct client *c, struct errmsg *e),
		  void (*before_last)(struct client *c));

/*
 * Accepts a request from the non-blocking listening socket.  False if there is
 * none after all: another worker took it, or it was broken.
 */
bool fastcgi_accept(struct fastcgi *f) MUST_CHECK;

/* A parameter, "" if it is absent. */
const char *fastcgi_param(const struct fastcgi *f, const char *name);

/* Reads and forgets the request's body, up to max bytes.  ERR_LIMIT. */
enum err fastcgi_drain(struct fastcgi *f, uint64_t max,
		       struct errmsg *e) MUST_CHECK;

/* Ends the answer properly, or breaks the connection. */
void fastcgi_finish(struct fastcgi *f, bool is_complete);

/* Lets go of the connection, which another process now answers on. */
void fastcgi_detach(struct fastcgi *f);

#endif
