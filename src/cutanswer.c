#include "config.h"

#include "cutanswer.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/uri.h"
#include "cutgate.h"
#include "media/cutcheck.h"
#include "media/roughcut.h"
#include "media/smartcut.h"
#include "observe.h"

#define MAX_PLAN_BYTES ((size_t)256 * 1024 * 1024)

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

void cut_headers(const struct cut_job *job, struct response *r,
		 const struct roughcut *cover)
{
	log_debug("the cut has %zu segments of %zu ranges, %u holes", cover->nr,
		  job->nr_ranges, cover->nr_holes);
	response_holes(r, job->req, cover->nr_holes, cover->holes_us);
	if (job->args->download)
		set_download(job->req, r, job->args->download);
}

/* Dry runs */

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

static struct json_object *lines_json(const char *lines)
{
	struct json_object *list = json_object_new_array();

	while (lines && *lines) {
		size_t len = strcspn(lines, "\n");

		json_add_string(list, lines, len);
		lines += len + (lines[len] == '\n');
	}
	return list;
}

enum err cut_send_dry_run(const struct cut_job *job,
			  const struct cut_dry_run *dry)
{
	struct request *req = job->req;
	struct json_object *plan =
		json_hold(&req->arena, json_object_new_object());
	struct response r;
	enum err err;

	json_object_object_add(
		plan, "type",
		json_object_new_string(cut_types[job->args->type]));
	if (dry->bytes != LENGTH_UNKNOWN)
		json_object_object_add(
			plan, "bytes",
			json_object_new_int64((int64_t)dry->bytes));
	json_object_object_add(plan, "holes",
			       json_object_new_int64(dry->cover->nr_holes));
	json_object_object_add(plan, "holes_duration",
			       seconds_json(dry->cover->holes_us));
	if (dry->nr_encoded != CUT_ALL)
		json_object_object_add(
			plan, "frames_to_encode",
			json_object_new_int64((int64_t)dry->nr_encoded));
	json_object_object_add(plan, "segments_untouched",
			       json_object_new_int64((int64_t)dry->nr_raw));
	if (dry->seconds > 0)
		json_object_object_add(
			plan, "duration",
			seconds_json((usec_t)(dry->seconds * 1e6 + .5)));
	json_object_object_add(plan, "warnings", lines_json(dry->warnings));
	json_object_object_add(plan, "segments", segments_json(dry->cover));
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_TEXT;
	response_holes(&r, req, dry->cover->nr_holes, dry->cover->holes_us);
	err = response_set_json(&r, req, plan, MAX_PLAN_BYTES);
	return err ? err : response_send(req, &r);
}

/* Rough cuts */

struct rough_body {
	struct roughcut cut;
	const struct request *req;
};

static enum err send_rough(void *ctx, uint64_t offset, uint64_t count,
			   struct sink *sink, struct errmsg *e)
{
	const struct rough_body *body = ctx;
	struct work work;
	enum err err;

	work_begin(&work);
	err = roughcut_send(&body->cut, offset, count, sink, e);
	work_end(&work, body->req, WORK_CUT, "cut_type=\"rough\"",
		 (double)body->cut.ranges_us / USEC_PER_SEC, err);
	return err;
}

static enum err plan_rough(struct cut_job *job, struct roughcut *cut_r)
{
	struct rough_spec spec = { .ranges = job->ranges,
				   .nr_ranges = job->nr_ranges,
				   .allow_holes = job->args->allow_holes,
				   .now_us = job->req->now_us };
	struct work work;
	enum err err;

	work_begin(&work);
	err = roughcut_plan(job->reader, &spec, cut_r, &job->req->error);
	work_end(&work, job->req, WORK_BEST_SEGMENTS, "",
		 err ? 0 : (double)cut_r->nr, err);
	return err;
}

enum err cut_answer_rough(struct cut_job *job)
{
	struct request *req = job->req;
	struct rough_body *body = ARENA_NEW(&req->arena, struct rough_body);
	struct roughcut *cut = &body->cut;
	struct response r;
	enum err err = plan_rough(job, cut);

	if (err)
		return err;
	if (job->args->dry_run)
		return cut_send_dry_run(
			job, &(struct cut_dry_run){ .cover = cut,
						    .bytes = cut->length,
						    .nr_raw = cut->nr });
	body->req = req;
	response_init(&r, req, TYPE_MPEGTS);
	r.body = (struct body){ .length = cut->length,
				.send = send_rough,
				.ctx = body };
	r.flags = (cut->is_settled ? RESPONSE_FINAL : 0) |
		  (job->args->stream ? RESPONSE_STREAM : 0);
	r.has_etag = !job->args->stream;
	r.etag[0] = cut->hash[0];
	r.etag[1] = cut->hash[1];
	cut_headers(job, &r, cut);
	return response_send(req, &r);
}

/* Smart and fast cuts */

struct smart_body {
	struct cutplan plan;
	struct smartcut cut;
	struct smartcut_config config;
	struct cut_work work;
	const struct cut_job *job;
};

const char *cut_type_label(const struct cut_job *job)
{
	return arena_printf(&job->req->arena, "cut_type=\"%s\"",
			    cut_types[job->args->type]);
}

void cut_count_work(const struct cut_job *job, const struct cut_work *work)
{
	struct metrics *metrics = job->req->server->metrics;

	log_debug("%llu pictures encoded, %llu segments copied whole",
		  (unsigned long long)work->nr_encoded,
		  (unsigned long long)work->nr_raw);
	if (metrics)
		metrics_add(metrics, METRIC_FRAMES_ENCODED, work->nr_encoded);
}

static enum err send_smart(void *ctx, uint64_t offset, uint64_t count,
			   struct sink *sink, struct errmsg *e)
{
	struct smart_body *body = ctx;
	const struct cut_job *job = body->job;
	double seconds = (double)body->plan.cover.ranges_us / USEC_PER_SEC;
	struct work work;
	enum err err;

	work_begin(&work);
	if (job->args->stream) {
		err = smartcut_stream(&job->req->arena, &body->plan,
				      &body->config, sink, &body->work, e);
		cut_count_work(job, &body->work);
	} else {
		err = smartcut_send(&body->cut, offset, count, sink, e);
	}
	work_end(&work, job->req, WORK_CUT, cut_type_label(job), seconds, err);
	return err;
}

void cut_plan_spec(const struct cut_job *job, struct cut_spec *spec_r)
{
	*spec_r = (struct cut_spec){
		.ranges = job->ranges,
		.nr_ranges = job->nr_ranges,
		.transitions = job->args->transitions,
		.nr_transitions = job->args->nr_transitions,
		.allow_holes = job->args->allow_holes,
		.keeps_clock = job->args->type == CUT_FAST,
		.mixed = (enum cut_mixed)job->args->mixed,
		.now_us = job->req->now_us,
	};
}

static enum err make_smart(struct cut_job *job, struct smart_body *body)
{
	struct request *req = job->req;
	struct cut_spec spec;
	struct work work;
	enum err err;

	cut_plan_spec(job, &spec);
	body->job = job;
	body->config = (struct smartcut_config){
		.means = { .store = &req->server->edges,
			   .gate = cutgate_edges(req) },
		.spool_dir = req->server->spool_dir,
		.is_gone = client_is_gone,
		.ctx = req->client,
	};
	work_begin(&work);
	err = cutplan_make(job->reader, &spec, &body->plan, &req->error);
	if (!err && job->args->stream && !job->args->dry_run) {
		err = cutcheck_transitions(&body->plan, &req->error);
	} else if (!err) {
		err = smartcut_make(&req->arena, &body->plan, &body->config,
				    &body->cut, &req->error);
		body->work = body->cut.work;
		cut_count_work(job, &body->work);
	}
	work_end(&work, req, WORK_CUT_RANGE, cut_type_label(job),
		 (double)job->nr_ranges, err);
	return err;
}

const char *cut_warnings(const struct cutplan *plan,
			 const struct cut_work *work)
{
	struct text *warnings = plan->warnings;

	if (work->start_moved && !strstr(warnings->data, "start-moved"))
		text_puts(warnings, "start-moved\n");
	return warnings->data;
}

void cut_plan_headers(const struct cut_job *job, struct response *r,
		      const struct cutplan *plan, const struct cut_work *work)
{
	const char *lines = cut_warnings(plan, work);

	cut_headers(job, r, &plan->cover);
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		response_header(r, "X-Cut-Warning", "%.*s", (int)len, lines);
		lines += len + 1;
	}
}

enum err cut_answer_smart(struct cut_job *job)
{
	struct request *req = job->req;
	struct smart_body *body = ARENA_NEW(&req->arena, struct smart_body);
	struct cut_spec spec;
	struct response r;
	enum err err = make_smart(job, body);

	if (err)
		return err;
	if (job->args->dry_run)
		return cut_send_dry_run(
			job,
			&(struct cut_dry_run){
				.cover = &body->plan.cover,
				.bytes = body->cut.length,
				.nr_encoded = body->work.nr_encoded,
				.nr_raw = body->work.nr_raw,
				.seconds = (double)body->work.length / TS_HZ,
				.warnings = cut_warnings(&body->plan,
							 &body->work) });
	cut_plan_spec(job, &spec);
	response_init(&r, req, TYPE_MPEGTS);
	r.body = (struct body){ .length = job->args->stream ? LENGTH_UNKNOWN :
							      body->cut.length,
				.send = send_smart,
				.ctx = body };
	r.flags = (body->plan.cover.is_settled ? RESPONSE_FINAL : 0) |
		  (job->args->stream ? RESPONSE_STREAM : 0);
	r.has_etag = !job->args->stream;
	smartcut_hash(&body->plan, &spec, r.etag);
	cut_plan_headers(job, &r, &body->plan, &body->work);
	return response_send(req, &r);
}
