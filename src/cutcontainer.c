/*
 * cutcontainer.c - type=mp4 and mkv: the smart cut in another container.
 *
 * In fragments, and as Matroska, it is made while it is sent, so it has no
 * length.  A plain MP4 begins with what is only known at its end, so it is
 * made in a file without a name first, and is then a file like any other.
 */
#include "config.h"

#include <sys/stat.h>

#include "base/fsutil.h"
#include "base/newfile.h"
#include "cutanswer.h"
#include "cutgate.h"
#include "media/cutcheck.h"
#include "media/remux.h"
#include "observe.h"

#define TYPE_MP4 "video/mp4"
#define TYPE_MKV "video/x-matroska"

struct container {
	const struct cut_job *job;
	struct cutplan plan;
	struct smartcut_config config;
	enum remux_kind kind;
	struct cut_work work;
	int fd; /* of a plain file, or -1 */
	uint64_t size;
};

static void close_file(void *ptr)
{
	struct container *c = ptr;

	fs_close(&c->fd);
}

static enum remux_kind kind_of(const struct cut_args *args)
{
	if (args->type == CUT_MKV)
		return REMUX_MKV;
	return args->faststart ? REMUX_MP4_PLAIN : REMUX_MP4;
}

/* Without a name: nothing is left of it, whatever happens. */
static enum err make_file(struct container *c)
{
	struct request *req = c->job->req;
	struct stat st;
	enum err err =
		newfile_nameless(req->server->spool_dir, &c->fd, &req->error);

	if (err)
		return err;
	err = remux_file(&req->arena, &c->plan, &c->config, c->kind, c->fd,
			 &c->work, &req->error);
	cut_count_work(c->job, &c->work);
	if (!err && fstat(c->fd, &st) < 0)
		err = err_set(&req->error, ERR_IO, "cannot see what was made");
	c->size = err ? 0 : (uint64_t)st.st_size;
	return err;
}

static enum err plan(struct cut_job *job, struct container *c)
{
	struct request *req = job->req;
	struct cut_spec spec;
	struct work work;
	enum err err;

	cut_plan_spec(job, &spec);
	*c = (struct container){
		.job = job,
		.config = { .means = { .store = &req->server->edges,
				       .gate = cutgate_edges(req) },
			    .spool_dir = req->server->spool_dir,
			    .is_gone = client_is_gone,
			    .ctx = req->client },
		.kind = kind_of(job->args),
		.fd = -1,
	};
	arena_defer(&req->arena, close_file, c);
	work_begin(&work);
	err = cutplan_make(job->reader, &spec, &c->plan, &req->error);
	if (!err)
		err = remux_check(&c->plan, c->kind, &req->error);
	if (!err && c->kind != REMUX_MP4_PLAIN)
		err = cutcheck_transitions(&c->plan, &req->error);
	if (!err && c->kind == REMUX_MP4_PLAIN && !job->args->dry_run)
		err = make_file(c);
	work_end(&work, req, WORK_CUT_RANGE, cut_type_label(job),
		 (double)job->nr_ranges, err);
	return err;
}

static enum err send_container(void *ctx, uint64_t offset, uint64_t count,
			       struct sink *sink, struct errmsg *e)
{
	struct container *c = ctx;
	const struct cut_job *job = c->job;
	struct work work;
	enum err err;

	work_begin(&work);
	if (c->kind == REMUX_MP4_PLAIN) {
		err = sink->copy_file(sink, c->fd, offset, count, e);
	} else {
		err = remux_stream(&job->req->arena, &c->plan, &c->config,
				   c->kind, sink, &c->work, e);
		cut_count_work(job, &c->work);
	}
	work_end(&work, job->req, WORK_CUT, cut_type_label(job),
		 (double)c->plan.cover.ranges_us / USEC_PER_SEC, err);
	return err;
}

/* What of the cut is as in a smart one, by making that. */
static enum err send_plan(const struct cut_job *job, struct container *c)
{
	struct request *req = job->req;
	struct smartcut cut;
	enum err err = smartcut_make(&req->arena, &c->plan, &c->config, &cut,
				     &req->error);

	if (err)
		return err;
	cut_count_work(job, &cut.work);
	return cut_send_dry_run(
		job, &(struct cut_dry_run){
			     .cover = &c->plan.cover,
			     .bytes = LENGTH_UNKNOWN,
			     .nr_encoded = cut.work.nr_encoded,
			     .nr_raw = cut.work.nr_raw,
			     .seconds = (double)cut.work.length / TS_HZ,
			     .warnings = cut_warnings(&c->plan, &cut.work) });
}

enum err cut_answer_container(struct cut_job *job)
{
	struct request *req = job->req;
	struct container *c = ARENA_NEW(&req->arena, struct container);
	struct cut_spec spec;
	struct response r;
	enum err err = plan(job, c);

	if (err)
		return err;
	if (job->args->dry_run)
		return send_plan(job, c);
	response_init(&r, req, c->kind == REMUX_MKV ? TYPE_MKV : TYPE_MP4);
	r.body = (struct body){ .length = LENGTH_UNKNOWN,
				.send = send_container,
				.ctx = c };
	r.flags = c->plan.cover.is_settled ? RESPONSE_FINAL : 0;
	if (c->kind == REMUX_MP4_PLAIN) {
		r.body.length = c->size;
		r.has_etag = true;
		cut_plan_spec(job, &spec);
		smartcut_hash(&c->plan, &spec, r.etag);
		remux_hash(c->kind, r.etag);
	} else {
		r.flags |= RESPONSE_STREAM;
	}
	cut_plan_headers(job, &r, &c->plan, &c->work);
	return response_send(req, &r);
}
