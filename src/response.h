/*
 * response.h - the answer: headers, then the body, in that order.
 *
 * A handler describes its answer, then calls response_send() once; all that
 * HTTP asks of any answer happens there: validators, byte ranges, HEAD,
 * compression, and the refusal of large bodies when there is no place left for
 * slow clients.
 *
 * Once a body has begun, an error can only break the connection: whoever calls
 * response_send() returns what it returned and does nothing else.
 */
#ifndef SRC_RESPONSE_H
#define SRC_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/gzip.h"
#include "base/sink.h"
#include "base/text.h"
#include "request.h"

#define TYPE_BYTES    "application/octet-stream"
#define TYPE_JSON     "application/json"
#define TYPE_PLAIN    "text/plain; charset=utf-8"
#define TYPE_PLAYLIST "application/vnd.apple.mpegurl"
#define TYPE_MPEGTS   "video/MP2T"
#define TYPE_WEBM     "video/webm"
#define TYPE_PNG      "image/png"
#define TYPE_JPEG     "image/jpeg"
#define TYPE_VTT      "text/vtt; charset=utf-8"
#define TYPE_METRICS  "text/plain; version=0.0.4; charset=utf-8"

/*
 * A front server takes in a body of at most this at once.  One of more is only
 * begun while a process of its own could be had for it.
 */
#define RESPONSE_LIGHT_BYTES ((uint64_t)1024 * 1024)

/* Texts over this many bytes are compressed, up to RESPONSE_MAX_GZIP. */
#define RESPONSE_MIN_GZIP 1024
#define RESPONSE_MAX_GZIP ((uint64_t)256 * 1024 * 1024)

struct body {
	uint64_t length; /* or LENGTH_UNKNOWN */
	/* Sends bytes offset to offset + count - 1; count is length if unknown.
	 */
	enum err (*send)(void *ctx, uint64_t offset, uint64_t count,
			 struct sink *sink, struct errmsg *e);
	void *ctx;
	/* The same as pieces of memory, where it is; else NULL. */
	const struct iovec *iov;
	const struct gzip_block *blocks; /* of the pieces, or NULL */
	int nr_iov;
};

enum response_flags {
	RESPONSE_TEXT = 1 << 0,	     /* may be compressed */
	RESPONSE_FINAL = 1 << 1,     /* will never change: cache for ever */
	RESPONSE_NO_STORE = 1 << 2,  /* is old as soon as it is sent */
	RESPONSE_ELSEWHERE = 1 << 3, /* the front server sends the body */
	RESPONSE_STREAM = 1 << 4,    /* no length, so no ranges */
	RESPONSE_LIGHT = 1 << 5,     /* however large, from this process */
	RESPONSE_KEPT = 1 << 6,	     /* clients keep it: sent once, so small */
};

struct response {
	const char *type;
	enum response_flags flags;
	bool has_etag;
	uint64_t etag[2];
	struct text *headers; /* further ones, or NULL */
	struct body body;
};

void response_init(struct response *r, struct request *req, const char *type);

/* Adds a header; CR, LF and other control bytes in the value become "_". */
void response_header(struct response *r, const char *name, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* X-Holes and X-Holes-Duration, and their count in the metrics. */
void response_holes(struct response *r, struct request *req, uint32_t nr,
		    usec_t length_us);

/* Pieces of memory as the body; they live as long as the request. */
void response_set_iov(struct response *r, struct request *req,
		      const struct iovec *iov, int nr_iov, uint64_t length);

/* The same of one piece. */
void response_set_bytes(struct response *r, struct request *req,
			const void *data, size_t len);

/* The same, with an ETag made of them. */
void response_set_content(struct response *r, struct request *req,
			  const void *data, size_t len);

/* A text as the body, with an ETag made of it. */
void response_set_text(struct response *r, struct request *req,
		       const struct text *text);

/* The same of an object; ERR_LIMIT if it has more than max bytes. */
struct json_object;
enum err response_set_json(struct response *r, struct request *req,
			   struct json_object *object, size_t max) MUST_CHECK;

/*
 * Whether the client says that it has this very answer, by its ETag: then the
 * body may be left out, and response_send() answers 304.
 */
bool response_is_known(const struct request *req, const struct response *r);

enum err response_send(struct request *req, struct response *r) MUST_CHECK;

/* The answer where a slash is missing behind the prefix: to where it is. */
enum err response_send_moved(struct request *req) MUST_CHECK;

/* The answer to OPTIONS. */
enum err response_send_options(struct request *req) MUST_CHECK;

/* The answer for an error, unless an answer has begun. */
enum err response_send_error(struct request *req, enum err err) MUST_CHECK;

#endif
