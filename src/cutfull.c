/*
 * cutfull.c - cuts that are encoded whole: type=mpegts and webm.
 *
 * They are made while they are sent.  What can fail is found first, but for
 * reading and decoding the pictures themselves.
 */
#include "config.h"

#include <sys/resource.h>

#include "base/threads.h"
#include "cutanswer.h"
#include "cutgate.h"
#include "media/cutcheck.h"
#include "media/fullcut.h"
#include "observe.h"

#define FULL_NICE     10 /* edges and playlists go first */
#define MAX_THREADS   8
#define SPARE_THREADS 2

struct full_body {
	struct cutplan plan;
	struct fullcut_config config;
	struct cut_work done;
	const struct cut_job *job;
};

/*
 * Some wait for others, and while this process encodes sound none is given
 * work: on 2 cores 4 keep 1.89 of them busy, 2 keep 1.79.
 */
static int nr_threads(void)
{
	return cores_at_most(MAX_THREADS - SPARE_THREADS) + SPARE_THREADS;
}

static enum err send_full(void *ctx, uint64_t offset, uint64_t count,
			  struct sink *sink, struct errmsg *e)
{
	struct full_body *body = ctx;
	const struct cut_job *job = body->job;
	struct work work;
	enum err err;

	UNUSED(offset);
	UNUSED(count);
	work_begin(&work);
	err = fullcut_stream(&job->req->arena, &body->plan, &body->config, sink,
			     &body->done, e);
	cut_count_work(job, &body->done);
	work_end(&work, job->req, WORK_CUT, cut_type_label(job),
		 (double)body->plan.cover.ranges_us / USEC_PER_SEC, err);
	return err;
}

static enum err plan_full(struct cut_job *job, struct full_body *body)
{
	struct cut_spec spec;
	struct work work;
	enum err err;

	cut_plan_spec(job, &spec);
	spec.any_codec = true;
	body->job = job;
	body->config = (struct fullcut_config){
		.kind = job->args->type == CUT_WEBM ? FULL_WEBM : FULL_MPEGTS,
		.crf = job->args->crf,
		.nr_threads = nr_threads(),
		.is_gone = client_is_gone,
		.ctx = job->req->client,
	};
	work_begin(&work);
	err = cutplan_make(job->reader, &spec, &body->plan, &job->req->error);
	if (!err)
		err = cutcheck_transitions(&body->plan, &job->req->error);
	work_end(&work, job->req, WORK_CUT_RANGE, cut_type_label(job),
		 (double)job->nr_ranges, err);
	return err;
}

enum err cut_answer_full(struct cut_job *job)
{
	struct request *req = job->req;
	struct full_body *body = ARENA_NEW(&req->arena, struct full_body);
	struct response r;
	enum err err = plan_full(job, body);

	if (err)
		return err;
	if (job->args->dry_run)
		return cut_send_dry_run(
			job, &(struct cut_dry_run){
				     .cover = &body->plan.cover,
				     .bytes = LENGTH_UNKNOWN,
				     .nr_encoded = CUT_ALL,
				     .warnings = body->plan.warnings->data });
	err = cutgate_full(req);
	if (err)
		return err;
	/* Of this process alone, which ends with the request. */
	if (req->server->board)
		setpriority(PRIO_PROCESS, 0, FULL_NICE);
	response_init(&r, req,
		      job->args->type == CUT_WEBM ? TYPE_WEBM : TYPE_MPEGTS);
	r.flags = RESPONSE_STREAM;
	r.body = (struct body){ .length = LENGTH_UNKNOWN,
				.send = send_full,
				.ctx = body };
	cut_plan_headers(job, &r, &body->plan, &body->done);
	return response_send(req, &r);
}
