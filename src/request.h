/*
 * request.h - one request, from its URI on.
 *
 * Only the request URI as the client sent it is looked at, because what else
 * front servers pass (SCRIPT_NAME, PATH_INFO) differs between all of them.  It
 * is decoded once, strictly; see uri.h.
 *
 * A request owns an arena; everything of it, the request's strings included,
 * ends with request_end().
 */
#ifndef SRC_REQUEST_H
#define SRC_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utime.h"
#include "client.h"
#include "server.h"

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_OPTIONS,
	METHOD_OTHER,
	METHOD_COUNT
};

extern const char *const method_names[METHOD_COUNT];
enum method method_of(const char *name);

struct query_arg {
	const char *name;
	const char *value;
};

/* Of the characters A-Z a-z 0-9 . _ - and a NUL. */
#define REQUEST_ID_SIZE 41

#define REQUEST_MAX_COMPONENTS 64
#define REQUEST_MAX_ARGS       1000

/* The headers that we look at; "" if absent. */
struct request_headers {
	const char *accept_encoding;
	const char *if_match;
	const char *if_none_match;
	const char *if_range;
	const char *range;
};

struct route;

struct request {
	struct arena arena;
	struct server *server;
	struct client *client;
	enum method method;
	char id[REQUEST_ID_SIZE]; /* in the log and in the answer */
	struct request_headers headers;
	usec_t now_us;	       /* when it arrived; "now" in times */
	struct timespec began; /* monotonic */

	/* decoded, by request_set_uri() or the offline commands */
	const char **components;
	size_t nr_components;
	bool is_bare;	   /* the prefix alone, without a slash behind it */
	const char *query; /* as it was sent; "" for none */
	struct query_arg *args;
	size_t nr_args;

	/* by the router */
	const struct route *route;
	const char *channel; /* from the path; NULL if it has none */
	const char *quality;
	const char *hour;
	const char *template;
	const char *rest; /* what "*rest" matched */

	struct text *body; /* of a route that takes POST; else NULL */

	/* by the response */
	int status;	  /* sent, or 0 */
	const char *kind; /* of a cut: its type; else NULL */
	bool has_holes;	  /* it told of nr_holes */
	uint32_t nr_holes;
	uint64_t whole_length; /* of ERR_RANGE: the bytes there are */
	struct errmsg error;
};

void request_begin(struct request *req, struct server *server,
		   struct client *client, enum method method);
void request_end(struct request *req);

/*
 * The id that whoever passed the request on has given it goes before the random
 * one it has from request_begin(), if it is one: anything else changes nothing.
 */
void request_set_id(struct request *req, const char *id);

/*
 * Splits and decodes the URI.  Of several faults in the path a leading dot is
 * reported first, then an encoded slash, then bad encoding.
 * ERR_FORBIDDEN, ERR_NOTFOUND, ERR_INPUT, ERR_LIMIT.
 */
enum err request_set_uri(struct request *req, const char *uri) MUST_CHECK;

/* A look into the request's quality; ERR_NOTFOUND if there is none. */
enum err request_reader(struct request *req,
			struct hourreader **reader_r) MUST_CHECK;

/* The value of the first argument of that name, or NULL. */
const char *request_arg(const struct request *req, const char *name);

#endif
