#include "config.h"

#include "access.h"

#include "base/log.h"
#include "route.h"

/*
 * As they are written; together with the other fields less than a line, so that
 * only these can be cut.
 */
#define MAX_METHOD  32
#define MAX_URI	    3000
#define MAX_ADDRESS 64

static int64_t us_of(const struct timespec *ts)
{
	return ts->tv_sec * INT64_C(1000000) + ts->tv_nsec / 1000;
}

static const char *end_of(enum err sent)
{
	return sent == ERR_OK	? "complete" :
	       sent == ERR_GONE ? "gone" :
				  "broken";
}

static const char *yes_or_no(bool is_so)
{
	return is_so ? "yes" : "no";
}

static void put_request(struct logline *l, const struct request *req,
			const struct fastcgi *f)
{
	logline_string(l, "route", req->route ? req->route->name : "none");
	logline_string_max(l, "method", fastcgi_param(f, "REQUEST_METHOD"),
			   MAX_METHOD);
	logline_string_max(l, "uri", fastcgi_param(f, "REQUEST_URI"), MAX_URI);
	logline_string_max(l, "client", fastcgi_param(f, "REMOTE_ADDR"),
			   MAX_ADDRESS);
}

static void put_times(struct logline *l, const struct request *req,
		      const struct fastcgi *f, const struct timespec *ended)
{
	int64_t began_us = us_of(&req->began);

	if (f->header_us)
		logline_seconds(l, "first", f->header_us - began_us);
	logline_seconds(l, "last", us_of(ended) - began_us);
}

void access_log(const struct request *req, const struct fastcgi *f,
		const struct access *access)
{
	struct logline l;

	if (!req->server->settings->access_log ||
	    !log_begin(&l, LOG_LEVEL_INFO, __FILE__, __func__))
		return;
	put_request(&l, req, f);
	logline_number(&l, "status", (uint64_t)req->status);
	logline_string(&l, "end", end_of(access->sent));
	if (access->why)
		logline_string(&l, "error", err_name(access->why));
	logline_number(&l, "bytes", f->body_bytes);
	put_times(&l, req, f, &access->ended);
	if (req->kind)
		logline_string(&l, "type", req->kind);
	if (req->has_holes)
		logline_number(&l, "holes", req->nr_holes);
	logline_string(&l, "heavy", yes_or_no(access->is_heavy));
	logline_string(&l, "relief", yes_or_no(access->is_relief));
	log_end(&l);
}

void access_log_lost(const struct lost *lost)
{
	const struct route *route = route_at(lost->route);
	struct logline l;
	char own[REQUEST_ID_SIZE];

	/* Whoever notices may be answering another. */
	log_get_request(own, sizeof(own));
	log_set_request(lost->text.id);
	if (log_begin(&l, LOG_LEVEL_INFO, __FILE__, __func__)) {
		logline_string(&l, "route", route ? route->name : "none");
		if (route && lost->method >= 0 && lost->method < METHOD_COUNT)
			logline_string(&l, "method",
				       method_names[lost->method]);
		logline_string(&l, "uri", lost->text.uri);
		logline_string(&l, "client", lost->text.client);
		logline_string(&l, "end", "lost");
		logline_number(&l, "bytes", lost->sent);
		logline_seconds(&l, "last", lost->for_us);
		logline_string(&l, "heavy", yes_or_no(lost->is_heavy));
		logline_number(&l, "process", (uint64_t)lost->pid);
		log_end(&l);
	}
	log_set_request(own);
}
