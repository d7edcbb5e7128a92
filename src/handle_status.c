/*
 * handle_status.c - /metrics and /healthz: how we are.
 */
#include "config.h"

#include <unistd.h>

#include "base/json.h"
#include "observe.h"
#include "response.h"
#include "route.h"

#define MAX_METRICS_BYTES ((size_t)32 * 1024 * 1024)

static enum err handle_metrics(struct request *req, const void *spec)
{
	struct text *out = text_new(&req->arena, MAX_METRICS_BYTES);
	struct response r;
	enum err err;

	UNUSED(spec);
	if (!req->server->metrics)
		return err_set(&req->error, ERR_UNBUILT,
			       "there are metrics only while serving");
	server_count_cache(req->server);
	server_count_lost(req->server);
	metrics_render(req->server->metrics, out);
	observe_gauges(req->server, out);
	if (req->server->profile && req->server->profile->hz)
		flame_put(&req->server->profile->flame,
			  req->server->profile->hz, out);
	err = text_check(out, "the metrics", &req->error);
	if (err)
		return err;
	response_init(&r, req, TYPE_METRICS);
	/* Who watches must be answered most of all when every place is taken.
	 */
	r.flags = RESPONSE_TEXT | RESPONSE_NO_STORE | RESPONSE_LIGHT;
	response_set_text(&r, req, out);
	r.has_etag = false;
	return response_send(req, &r);
}

#define MAX_HEALTH_BYTES 1024

static void add_count(struct json_object *object, const char *name, uint32_t n)
{
	json_object_object_add(object, name, json_object_new_int64(n));
}

static enum err handle_health(struct request *req, const void *spec)
{
	struct scoreboard *board = req->server->board;
	struct json_object *object;
	struct name_list channels;
	struct response r;
	enum err err;

	UNUSED(spec);
	/* What is still open may be gone for whoever looks next. */
	if (access(req->server->settings->base, R_OK | X_OK) < 0 ||
	    archive_channels(&req->server->archive, &req->arena, &channels,
			     &req->error))
		return err_set(&req->error, ERR_BUSY,
			       "the archive cannot be listed");
	if (!board)
		return err_set(&req->error, ERR_UNBUILT,
			       "there is health only while serving");
	/*
	 * That this is answered shows that a worker is free.  How many are idle
	 * at this moment decides nothing: under load often none is.
	 */
	object = json_hold(&req->arena, json_object_new_object());
	json_object_object_add(object, "status", json_object_new_string("ok"));
	add_count(object, "channels", (uint32_t)channels.nr);
	add_count(object, "workers", scoreboard_workers(board));
	add_count(object, "workers_idle", scoreboard_count(board, SLOT_IDLE));
	add_count(object, "heavy", scoreboard_count(board, SLOT_HEAVY));
	add_count(object, "heavy_max", board->nr_heavy);
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_NO_STORE;
	err = response_set_json(&r, req, object, MAX_HEALTH_BYTES);
	r.has_etag = false;
	return err ? err : response_send(req, &r);
}

const struct route status_routes[] = {
	{ .name = "metrics",
	  .path = "/metrics",
	  .handle = handle_metrics,
	  .help = "counters for Prometheus" },
	{ .name = "metrics",
	  .path = "/metrics/*rest",
	  .handle = handle_metrics,
	  .help = "the same" },
	{ .name = "healthz",
	  .path = "/healthz",
	  .handle = handle_health,
	  .help = "whether the archive and a worker are there" },
	{ .name = NULL },
};
