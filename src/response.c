#include "config.h"

#include "response.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/json.h"
#include "httprange.h"
#include "route.h"
#include "status.h"
#include "wholebody.h"

#define MAX_HEADERS 4000 /* fronts allow 4 kB in all */
#define ETAG_SIZE   40

static const char cors_headers[] =
	"Access-Control-Allow-Origin: *\r\n"
	"Access-Control-Allow-Methods: GET, POST, HEAD, OPTIONS\r\n"
	"Access-Control-Allow-Headers: *\r\n"
	"Access-Control-Max-Age: 86400\r\n"
	"Access-Control-Expose-Headers: Accept-Ranges, Content-Disposition, "
	"Content-Encoding, Content-Length, Content-Range, ETag, Retry-After, "
	"X-Holes, X-Holes-Duration, X-Request-Id\r\n";

/* What is decided of an answer before it begins. */
struct answer {
	int status;
	uint64_t offset;
	uint64_t count;	      /* bytes of body to send, or LENGTH_UNKNOWN */
	char etag[ETAG_SIZE]; /* "" for none */
	bool gzip;	      /* Content-Encoding */
	bool says_length;     /* even if it is a stream */
};

void response_init(struct response *r, struct request *req, const char *type)
{
	*r = (struct response){
		.type = type,
		.headers = text_new(&req->arena, MAX_HEADERS),
	};
}

void response_header(struct response *r, const char *name, const char *fmt, ...)
{
	char value[MAX_HEADERS];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	/* Half a path is another path: all of it, or no answer. */
	if (n < 0 || (size_t)n >= sizeof(value)) {
		r->headers->overflowed = true;
		return;
	}
	for (char *p = value; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '_';
	text_printf(r->headers, "%s: %s\r\n", name, value);
}

void response_holes(struct response *r, struct request *req, uint32_t nr,
		    usec_t length_us)
{
	response_header(r, "X-Holes", "%u", nr);
	response_header(r, "X-Holes-Duration", "%lld.%06lld",
			(long long)(length_us / USEC_PER_SEC),
			(long long)(length_us % USEC_PER_SEC));
	req->has_holes = true;
	req->nr_holes = nr;
	if (req->server->metrics)
		metrics_add(req->server->metrics, METRIC_HOLES_SERVED, nr);
}

/* Bodies in memory */

struct memory_body {
	const struct iovec *iov;
	int nr_iov;
};

/* Sends the part of the pieces that the range covers. */
static enum err send_memory(void *ctx, uint64_t offset, uint64_t count,
			    struct sink *sink, struct errmsg *e)
{
	const struct memory_body *body = ctx;
	struct iovec batch[256];
	int nr = 0;

	for (int i = 0; i < body->nr_iov && count; i++) {
		size_t len = body->iov[i].iov_len;
		size_t part;

		if (offset >= len) {
			offset -= len;
			continue;
		}
		part = len - (size_t)offset;
		part = part < count ? part : (size_t)count;
		batch[nr++] = (struct iovec){
			.iov_base = (char *)body->iov[i].iov_base + offset,
			.iov_len = part,
		};
		offset = 0;
		count -= part;
		if (nr == (int)ARRAY_SIZE(batch)) {
			enum err err = sink->write(sink, batch, nr, e);

			if (err)
				return err;
			nr = 0;
		}
	}
	return nr ? sink->write(sink, batch, nr, e) : ERR_OK;
}

void response_set_iov(struct response *r, struct request *req,
		      const struct iovec *iov, int nr_iov, uint64_t length)
{
	struct memory_body *body = ARENA_NEW(&req->arena, struct memory_body);

	*body = (struct memory_body){ iov, nr_iov };
	r->body = (struct body){
		.length = length,
		.send = send_memory,
		.ctx = body,
		.iov = iov,
		.nr_iov = nr_iov,
	};
}

void response_set_bytes(struct response *r, struct request *req,
			const void *data, size_t len)
{
	struct iovec *iov = ARENA_NEW(&req->arena, struct iovec);

	iov->iov_base = (void *)(uintptr_t)data; /* only read */
	iov->iov_len = len;
	response_set_iov(r, req, iov, 1, len);
}

void response_set_content(struct response *r, struct request *req,
			  const void *data, size_t len)
{
	XXH128_hash_t hash = XXH3_128bits(data, len);

	response_set_bytes(r, req, data, len);
	r->has_etag = true;
	r->etag[0] = hash.high64;
	r->etag[1] = hash.low64;
}

void response_set_text(struct response *r, struct request *req,
		       const struct text *text)
{
	response_set_content(r, req, text->data, text->len);
}

/* Deciding */

static bool wants_gzip(const struct request *req, const struct response *r)
{
	return (r->flags & RESPONSE_TEXT) && r->body.iov &&
	       r->body.length > RESPONSE_MIN_GZIP &&
	       r->body.length <= RESPONSE_MAX_GZIP && !*req->headers.range &&
	       accepts_gzip(req->headers.accept_encoding);
}

static void make_etag(const struct response *r, bool gzip, char etag[ETAG_SIZE])
{
	etag[0] = '\0';
	if (r->has_etag)
		snprintf(etag, ETAG_SIZE, "\"%016" PRIx64 "%016" PRIx64 "%s\"",
			 r->etag[0], r->etag[1], gzip ? "-gz" : "");
}

/*
 * Whether If-None-Match has the answer in the one form or the other, as both
 * are of the same files (but a part can only be of one); then etag is that
 * one's.
 */
static bool is_had(const struct request *req, const struct response *r,
		   bool *gzip, char etag[ETAG_SIZE])
{
	const char *list = req->headers.if_none_match;
	char other[ETAG_SIZE];

	make_etag(r, *gzip, etag);
	if (!*list || !*etag)
		return false;
	if (etag_list_has(list, etag, true))
		return true;
	make_etag(r, !*gzip, other);
	if (!(r->flags & RESPONSE_TEXT) || !etag_list_has(list, other, true))
		return false;
	*gzip = !*gzip;
	memcpy(etag, other, ETAG_SIZE);
	return true;
}

/* If-Match and If-None-Match: true if they decide the answer. */
static bool is_conditional(const struct request *req, const struct response *r,
			   struct answer *a)
{
	const struct request_headers *h = &req->headers;

	if (*h->if_match && *a->etag &&
	    !etag_list_has(h->if_match, a->etag, false))
		a->status = 412;
	else if (is_had(req, r, &a->gzip, a->etag))
		a->status = 304;
	else
		return false;
	a->count = 0;
	return true;
}

enum err response_set_json(struct response *r, struct request *req,
			   struct json_object *object, size_t max)
{
	struct text *text = text_new(&req->arena, max);
	enum err err;

	json_append(text, object);
	err = text_check(text, "the answer", &req->error);
	if (!err)
		response_set_text(r, req, text);
	return err;
}

bool response_is_known(const struct request *req, const struct response *r)
{
	char etag[ETAG_SIZE];
	bool gzip = false;

	return !*req->headers.if_match && is_had(req, r, &gzip, etag);
}

/* A length that is that of the same bytes each time. */
static bool has_length(const struct response *r)
{
	return !(r->flags & (RESPONSE_ELSEWHERE | RESPONSE_STREAM)) &&
	       r->body.length != LENGTH_UNKNOWN;
}

static bool range_applies(const struct request *req, const struct response *r,
			  const struct answer *a)
{
	const struct request_headers *h = &req->headers;

	/* One tag, which must be equal byte for byte; a date never is. */
	return *h->range && has_length(r) &&
	       (!*h->if_range || (*a->etag && !strcmp(h->if_range, a->etag)));
}

static enum err decide(struct request *req, const struct response *r,
		       struct answer *a)
{
	*a = (struct answer){ .status = 200, .count = r->body.length };
	if (r->flags & RESPONSE_ELSEWHERE) {
		a->count = 0;
		return ERR_OK;
	}
	a->gzip = wants_gzip(req, r);
	make_etag(r, a->gzip, a->etag);
	if (is_conditional(req, r, a))
		return ERR_OK;
	if (!range_applies(req, r, a))
		return ERR_OK;
	switch (httprange_parse(req->headers.range, r->body.length, &a->offset,
				&a->count)) {
	case RANGE_NONE:
		break;
	case RANGE_ONE:
		a->status = 206;
		break;
	case RANGE_UNSATISFIABLE:
		req->whole_length = r->body.length;
		return err_set(
			&req->error, ERR_RANGE,
			"range '%s' is outside the %" PRIu64 " bytes there are",
			err_quote(req->headers.range).text, r->body.length);
	}
	return ERR_OK;
}

/* Replaces the body by its compressed form; keeps it if that is no gain. */
static void compress_body(struct request *req, struct response *r,
			  struct answer *a)
{
	struct gzip_member member;

	if (gzip_join(&req->arena, r->body.iov, r->body.blocks, r->body.nr_iov,
		      r->flags & RESPONSE_KEPT ? GZIP_SMALL : GZIP_FAST,
		      &member)) {
		response_set_iov(r, req, member.iov, member.nr_iov,
				 member.length);
		a->count = member.length;
	} else {
		a->gzip = false;
		make_etag(r, false, a->etag);
	}
}

/* Sending */

/* What every answer has. */
static void put_common(const struct request *req, struct text *out)
{
	text_append(out, cors_headers, sizeof(cors_headers) - 1);
	text_printf(out, "X-Request-Id: %s\r\n", req->id);
}

static void put_head(const struct request *req, const struct response *r,
		     const struct answer *a, struct text *out)
{
	bool has_body = a->status == 200 || a->status == 206;

	put_common(req, out);
	if (*a->etag)
		text_printf(out, "ETag: %s%s\r\n", a->gzip ? "W/" : "",
			    a->etag);
	if (r->flags & RESPONSE_TEXT)
		text_puts(out, "Vary: Accept-Encoding\r\n");
	text_printf(out, "Cache-Control: %s\r\n",
		    r->flags & RESPONSE_FINAL ?
			    "public, max-age=31536000, immutable" :
		    r->flags & RESPONSE_NO_STORE ? "no-store" :
						   "no-cache");
	if (has_body)
		text_printf(out, "Content-Type: %s\r\n", r->type);
	if (has_body && a->gzip)
		text_puts(out, "Content-Encoding: gzip\r\n");
	if (has_body && has_length(r) && !a->gzip)
		text_puts(out, "Accept-Ranges: bytes\r\n");
	if (has_body && (has_length(r) || a->says_length))
		text_printf(out, "Content-Length: %" PRIu64 "\r\n", a->count);
	if (a->status == 206)
		text_printf(out,
			    "Content-Range: bytes %" PRIu64 "-%" PRIu64
			    "/%" PRIu64 "\r\n",
			    a->offset, a->offset + a->count - 1,
			    r->body.length);
	text_append(out, r->headers->data, r->headers->len);
}

static enum err begin(struct request *req, const struct text *headers,
		      int status, uint64_t length)
{
	struct response_head head = { status, headers, length };
	enum err err;

	err = text_check(headers, "the header block", &req->error);
	if (err)
		return err;
	req->status = status;
	return req->client->begin(req->client, &head, &req->error);
}

/* For a client that must be told how long every body is. */
static enum err give_length(struct request *req, struct response *r,
			    struct answer *a)
{
	enum err err = ERR_OK;

	if (!req->client->needs_length || req->method == METHOD_HEAD ||
	    r->flags & RESPONSE_ELSEWHERE)
		return ERR_OK;
	if (a->count == LENGTH_UNKNOWN) {
		err = wholebody_make(req, &r->body);
		a->count = r->body.length;
	}
	a->says_length = true;
	return err;
}

enum err response_send(struct request *req, struct response *r)
{
	struct text *head = text_new(&req->arena, 2 * MAX_HEADERS);
	struct answer a;
	enum err err = text_check(r->headers, "the header block", &req->error);

	if (!err)
		err = decide(req, r, &a);
	if (!err)
		err = give_length(req, r, &a);
	if (err)
		return err;
	if (a.gzip && a.status == 200)
		compress_body(req, r, &a);
	if (req->method != METHOD_HEAD && a.count > RESPONSE_LIGHT_BYTES &&
	    !(r->flags & RESPONSE_LIGHT)) {
		err = req->client->expect_long(req->client, &req->error);
		if (err)
			return err;
	}
	put_head(req, r, &a, head);
	err = begin(req, head, a.status, a.count);
	if (err || req->method == METHOD_HEAD || !a.count)
		return err;
	return r->body.send(r->body.ctx, a.offset, a.count, req->client->sink,
			    &req->error);
}

enum err response_send_options(struct request *req)
{
	struct text *head = text_new(&req->arena, MAX_HEADERS);

	put_common(req, head);
	text_printf(head, "Allow: %s\r\n", route_methods(req->route));
	return begin(req, head, 204, 0);
}

enum err response_send_moved(struct request *req)
{
	const char *prefix = req->server->settings->prefix;
	struct text *head = text_new(&req->arena, 2 * MAX_HEADERS);
	struct response to;
	enum err err;

	response_init(&to, req, TYPE_PLAIN);
	response_header(&to, "Location", "%s/%s%s", prefix,
			*req->query ? "?" : "", req->query);
	err = text_check(to.headers, "the header block", &req->error);
	if (err)
		return err;
	put_common(req, head);
	text_append(head, to.headers->data, to.headers->len);
	text_puts(head, "Cache-Control: no-cache\r\nContent-Length: 0\r\n");
	return begin(req, head, 308, 0);
}

static void put_error_headers(const struct request *req, enum err err,
			      struct text *out)
{
	if (err == ERR_METHOD)
		text_printf(out, "Allow: %s\r\n", route_methods(req->route));
	if (err == ERR_RANGE)
		text_printf(out, "Content-Range: bytes */%" PRIu64 "\r\n",
			    req->whole_length);
	if (err == ERR_BUSY)
		text_puts(out, "Retry-After: 5\r\n");
}

enum err response_send_error(struct request *req, enum err err)
{
	struct text *head = text_new(&req->arena, MAX_HEADERS);
	struct text *body = text_new(&req->arena, sizeof(req->error.text) +
							  REQUEST_ID_SIZE + 64);
	int status = status_of(err);
	enum err failed;

	text_puts(body, req->error.text[0] ? req->error.text : err_text(err));
	/* Of our doing: who reports it has the name of its lines in the log. */
	if (status >= 500)
		text_printf(body, " (request %s)", req->id);
	text_putc(body, '\n');
	put_common(req, head);
	text_printf(head,
		    "Cache-Control: no-store\r\n"
		    "Content-Type: " TYPE_PLAIN "\r\n"
		    "Content-Length: %zu\r\n",
		    body->len);
	put_error_headers(req, err, head);
	failed = begin(req, head, status, body->len);
	if (failed || req->method == METHOD_HEAD)
		return failed;
	return sink_write(req->client->sink, body->data, body->len,
			  &req->error);
}
