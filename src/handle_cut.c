/*
 * handle_cut.c - /cut: the video of given times.
 *
 * Of the types only "rough" is built; the others are refused after all that
 * can be said of their arguments and their range has been said.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "archive/range.h"
#include "base/json.h"
#include "base/uri.h"
#include "media/roughcut.h"
#include "media/transition.h"
#include "observe.h"
#include "response.h"
#include "route.h"

#define MAX_PLAN_BYTES ((size_t)256 * 1024 * 1024)

enum cut_type { CUT_ROUGH, CUT_FAST, CUT_SMART, CUT_MPEGTS, CUT_WEBM };

static const char *const cut_types[] = {
	"rough", "fast", "smart", "mpegts", "webm", NULL,
};

struct cut_spec {
	struct range_spec range;
	struct transition *transitions;
	size_t nr_transitions;
	int type; /* enum cut_type */
	bool allow_holes;
	bool stream;
	bool dry_run;
	const char *download;
};

static enum err parse_transition(const struct request *req, const char *text,
				 void *element, struct errmsg *e)
{
	UNUSED(req);
	return transition_parse(text, element, e);
}

#define FIELD(name) .offset = offsetof(struct cut_spec, name)
static const struct param cut_params[] = {
	{ .name = "start",
	  .type = PARAM_TIME,
	  FIELD(range.start_us),
	  .extra = offsetof(struct cut_spec, range.has_start),
	  .help = "TIME" },
	{ .name = "end",
	  .type = PARAM_TIME,
	  FIELD(range.end_us),
	  .extra = offsetof(struct cut_spec, range.has_end),
	  .help = "TIME" },
	{ .name = "range",
	  .type = PARAM_LIST,
	  FIELD(range.ranges),
	  .extra = offsetof(struct cut_spec, range.nr_ranges),
	  .parse = param_parse_range,
	  .element_size = sizeof(struct time_range),
	  .help = "START,END (repeated, back to back)" },
	{ .name = "transition",
	  .type = PARAM_LIST,
	  FIELD(transitions),
	  .extra = offsetof(struct cut_spec, nr_transitions),
	  .parse = parse_transition,
	  .element_size = sizeof(struct transition),
	  .help = "TYPE,SECONDS (repeated, between ranges)" },
	{ .name = "type",
	  .type = PARAM_ENUM,
	  FIELD(type),
	  .choices = cut_types,
	  .dflt = "fast",
	  .help = "rough" },
	{ .name = "allow_holes",
	  .type = PARAM_BOOL,
	  FIELD(allow_holes),
	  .dflt = "false",
	  .help = "true|false" },
	{ .name = "stream",
	  .type = PARAM_BOOL,
	  FIELD(stream),
	  .dflt = "false",
	  .help = "true|false: begin without a length" },
	{ .name = "dry_run",
	  .type = PARAM_BOOL,
	  FIELD(dry_run),
	  .dflt = "false",
	  .help = "true|false: the plan as JSON, no video" },
	{ .name = "download",
	  .type = PARAM_TEXT,
	  FIELD(download),
	  .help = "NAME of the file for browsers" },
	{ .name = NULL },
};
#undef FIELD

static enum err check_transitions(const struct cut_spec *spec, struct errmsg *e)
{
	const struct range_spec *range = &spec->range;
	size_t nr_joins = range->nr_ranges ? range->nr_ranges - 1 : 0;

	if (spec->nr_transitions > nr_joins)
		return err_set(e, ERR_INPUT,
			       "transition: %zu of them, but only %zu places "
			       "between ranges",
			       spec->nr_transitions, nr_joins);
	for (size_t i = 0; i < spec->nr_transitions; i++) {
		usec_t length_us = spec->transitions[i].length_us;

		for (size_t k = i; k <= i + 1; k++)
			if (length_us >
			    range->ranges[k].end_us - range->ranges[k].start_us)
				return err_set(e, ERR_INPUT,
					       "transition: longer than a "
					       "range beside it");
	}
	return ERR_OK;
}

static enum err plan(struct request *req, const struct cut_spec *spec,
		     struct roughcut *cut_r)
{
	const struct range_limits *limits = &req->server->settings->limits;
	struct rough_spec rough = { .allow_holes = spec->allow_holes,
				    .now_us = req->now_us };
	struct time_range *ranges;
	struct quality *quality;
	struct work work;
	enum err err;

	err = range_spec_check(&spec->range, limits, 0, &req->error);
	if (!err)
		err = check_transitions(spec, &req->error);
	if (!err)
		err = archive_quality(&req->server->archive, &req->arena,
				      req->channel, req->quality, &quality,
				      &req->error);
	if (!err)
		err = range_spec_resolve(&spec->range, limits, quality,
					 &req->arena, &ranges, &rough.nr_ranges,
					 &req->error);
	if (err)
		return err;
	rough.ranges = ranges;
	work_begin(&work);
	err = roughcut_plan(
		hourcache_reader(req->server->cache, quality, &req->arena),
		&rough, cut_r, &req->error);
	work_end(&work, req, "get_best_segments", "",
		 err ? 0 : (double)cut_r->nr, err);
	if (!err && spec->type != CUT_ROUGH)
		err = err_set(
			&req->error, ERR_UNBUILT,
			"type: '%s' is not in this version; type=rough is",
			cut_types[spec->type]);
	return err;
}

struct cut_body {
	struct roughcut cut;
	const struct request *req;
};

static enum err send_cut(void *ctx, uint64_t offset, uint64_t count,
			 struct sink *sink, struct errmsg *e)
{
	const struct cut_body *body = ctx;
	struct work work;
	enum err err;

	work_begin(&work);
	err = roughcut_send(&body->cut, offset, count, sink, e);
	work_end(&work, body->req, "cut", "cut_type=\"rough\"",
		 (double)body->cut.ranges_us / USEC_PER_SEC, err);
	return err;
}

/* RFC 6266: a name in ASCII for old clients, and the name itself. */
static void set_download(struct request *req, struct response *r,
			 const char *name)
{
	char *plain = arena_strndup(&req->arena, name, strlen(name));

	for (char *p = plain; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f ||
		    strchr("\"\\/%", *p))
			*p = '_';
	response_header(r, "Content-Disposition",
			"attachment; filename=\"%s\"; filename*=UTF-8''%s",
			plain, uri_encoded(&req->arena, name));
}

static struct json_object *seconds_json(usec_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld.%06lld",
		 (long long)(us / USEC_PER_SEC),
		 (long long)(us % USEC_PER_SEC));
	return json_object_new_double_s((double)us / USEC_PER_SEC, text);
}

static struct json_object *segments_json(const struct roughcut *cut)
{
	struct json_object *segments = json_object_new_array();

	for (size_t i = 0; i < cut->nr; i++) {
		const struct rough_piece *piece = &cut->pieces[i];

		json_add_string(segments,
				hourindex_name(piece->index, piece->entry),
				piece->index->entries[piece->entry].name_len);
	}
	return segments;
}

/* The plan instead of the video: dry_run=true. */
static enum err send_plan(struct request *req, const struct roughcut *cut)
{
	struct json_object *plan_json =
		json_hold(&req->arena, json_object_new_object());
	struct text *text = text_new(&req->arena, MAX_PLAN_BYTES);
	struct response r;
	enum err err;

	json_object_object_add(plan_json, "type",
			       json_object_new_string("rough"));
	json_object_object_add(plan_json, "bytes",
			       json_object_new_int64((int64_t)cut->length));
	json_object_object_add(plan_json, "holes",
			       json_object_new_int64(cut->nr_holes));
	json_object_object_add(plan_json, "holes_duration",
			       seconds_json(cut->holes_us));
	json_object_object_add(plan_json, "frames_to_encode",
			       json_object_new_int(0));
	json_object_object_add(plan_json, "segments", segments_json(cut));
	json_append(text, plan_json);
	err = text_check(text, "the plan", &req->error);
	if (err)
		return err;
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_TEXT;
	response_holes(&r, req, cut->nr_holes, cut->holes_us);
	response_set_text(&r, req, text);
	return response_send(req, &r);
}

static enum err handle_cut(struct request *req, const void *spec)
{
	const struct cut_spec *want = spec;
	struct cut_body *body = ARENA_NEW(&req->arena, struct cut_body);
	struct roughcut *cut = &body->cut;
	struct response r;
	enum err err = plan(req, want, cut);

	if (err)
		return err;
	if (want->dry_run)
		return send_plan(req, cut);
	response_init(&r, req, TYPE_MPEGTS);
	r.body = (struct body){ .length = cut->length,
				.send = send_cut,
				.ctx = body };
	body->req = req;
	r.flags = (cut->is_settled ? RESPONSE_FINAL : 0) |
		  (want->stream ? RESPONSE_STREAM : 0);
	r.has_etag = !want->stream;
	r.etag[0] = cut->hash[0];
	r.etag[1] = cut->hash[1];
	response_holes(&r, req, cut->nr_holes, cut->holes_us);
	if (want->download)
		set_download(req, &r, want->download);
	return response_send(req, &r);
}

const struct route cut_routes[] = {
	{ .name = "cut",
	  .path = "/cut/:channel/:quality.ts",
	  .flags = ROUTE_HEAVY,
	  .params = cut_params,
	  .spec_size = sizeof(struct cut_spec),
	  .handle = handle_cut,
	  .help = "the video of given times" },
	{ .name = NULL },
};
