/*
 * handle_cut.c - /cut: the video of given times.
 */
#include "config.h"

#include <string.h>

#include "cutanswer.h"
#include "route.h"

/* Finds the quality and the ranges. */
static enum err begin_job(struct request *req, const struct cut_args *args,
			  struct cut_job *job)
{
	const struct range_limits *limits = &req->server->settings->limits;
	enum err err;

	*job = (struct cut_job){ .req = req, .args = args };
	err = request_reader(req, &job->reader);
	if (!err)
		err = range_spec_resolve(
			&args->range, limits, job->reader->quality, &req->arena,
			&job->ranges, &job->nr_ranges, &req->error);
	return err;
}

static enum err handle_cut(struct request *req, const void *spec)
{
	struct cut_args *args = ARENA_NEW(&req->arena, struct cut_args);
	struct cut_job *job = ARENA_NEW(&req->arena, struct cut_job);
	enum err err;

	*args = *(const struct cut_args *)spec;
	err = cut_args_check(req, args, strrchr(req->route->path, '.') + 1);
	if (!err)
		err = begin_job(req, args, job);
	if (err)
		return err;
	req->kind = cut_types[args->type];
	switch ((enum cut_type)args->type) {
	case CUT_ROUGH:
		return cut_answer_rough(job);
	case CUT_FAST:
	case CUT_SMART:
		return cut_answer_smart(job);
	case CUT_MPEGTS:
	case CUT_WEBM:
		return cut_answer_full(job);
	case CUT_MP4:
	case CUT_MKV:
		return cut_answer_container(job);
	}
	BUG("a cut of no type");
}

#define CUT_ROUTE(ending)                                                      \
	{                                                                      \
		.name = "cut", .path = "/cut/:channel/:quality." ending,       \
		.flags = ROUTE_HEAVY, .params = cut_params,                    \
		.spec_size = sizeof(struct cut_args), .handle = handle_cut,    \
		.help = "the video of given times, as ." ending,               \
	}

const struct route cut_routes[] = {
	CUT_ROUTE("ts"),   CUT_ROUTE("mp4"), CUT_ROUTE("mkv"),
	CUT_ROUTE("webm"), { .name = NULL },
};
