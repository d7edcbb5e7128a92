/*
 * client.h - whoever asked: a FastCGI server, or the command line.
 *
 * The answer is begun once, with the status and the headers, and then its body
 * is written to the sink.  A process of its own can be asked for before that.
 */
#ifndef SRC_CLIENT_H
#define SRC_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sink.h"
#include "base/text.h"

#define LENGTH_UNKNOWN UINT64_MAX

struct response_head {
	int status;
	const struct text *headers; /* lines ended by CR LF */
	uint64_t length;	    /* of the body, or LENGTH_UNKNOWN */
};

struct client {
	struct sink *sink;
	enum err (*begin)(struct client *c, const struct response_head *head,
			  struct errmsg *e);
	/*
	 * Announces a large body, which a slow client may take long to read:
	 * ERR_BUSY if nothing but this process could send it.
	 */
	enum err (*expect_long)(struct client *c, struct errmsg *e);
	/*
	 * Asks for the rest of the request to run in a process of its own:
	 * ERR_OK in the process that goes on (maybe this one), ERR_HANDED in
	 * the one that is done with it, ERR_BUSY.
	 */
	enum err (*go_heavy)(struct client *c, struct errmsg *e);
	/*
	 * Reads the request's body, all of it, up to the text's maximum:
	 * ERR_LIMIT beyond that, ERR_INPUT if it is not as long as was said.
	 * Once, before the answer begins.  NULL: there is never one.
	 */
	enum err (*read_body)(struct client *c, struct text *body,
			      struct errmsg *e);
	/* Whether it has left; asked while nothing is sent.  NULL: never. */
	bool (*is_gone)(struct client *c);
	/* An answer without a length may reach it cut short, and look whole. */
	bool needs_length;
	bool any_offset; /* times may carry offsets other than UTC's */
};

/* Whether it has left, for parts that know of no client. */
static inline bool client_is_gone(void *ctx)
{
	struct client *client = ctx;

	return client->is_gone && client->is_gone(client);
}

#endif
