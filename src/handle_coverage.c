/*
 * handle_coverage.c - /coverage: what the archive holds of a range.
 *
 * Answered by the worker itself, as playlists are: a process of its own would
 * find nothing in memory, and leave nothing there.  A week is 9 ms from memory
 * and 176 ms in a process of its own.
 */
#include "config.h"

#include "archive/coverage.h"
#include "archive/range.h"
#include "observe.h"
#include "picture/coveragemap.h"
#include "response.h"
#include "route.h"

struct coverage_args {
	struct range_spec range;
	bool with_lists;
};

static const struct param coverage_params[] = {
	PARAM_START_END(struct coverage_args, range, 0),
	{ .name = "lists",
	  .type = PARAM_BOOL,
	  .offset = offsetof(struct coverage_args, with_lists),
	  .dflt = "true",
	  .help = "BOOL: false for totals and hours alone (JSON)" },
	{ .name = NULL },
};

/* All there is may be as long as a range that is given. */
static enum err find_range(struct request *req, const struct range_spec *spec,
			   struct hourreader **reader_r,
			   struct time_range **range_r)
{
	struct range_limits limits = req->server->settings->limits;
	size_t nr;
	enum err err;

	limits.max_implicit_us = limits.max_explicit_us;
	err = range_spec_check(spec, &limits, 0, &req->error);
	if (!err)
		err = request_reader(req, reader_r);
	if (!err)
		err = range_spec_resolve(spec, &limits, (*reader_r)->quality,
					 &req->arena, range_r, &nr,
					 &req->error);
	return err;
}

/* What was found, and the answer to it. */
struct coverage_answer {
	const char *type;
	enum response_flags flags;
	const struct coverage *coverage;
	const struct iovec *iov;
	int nr_iov;
	uint64_t length;
	uint64_t hash;
};

static enum err send(struct request *req, const struct coverage_answer *answer)
{
	const struct coverage_sum *total = &answer->coverage->total;
	struct response r;

	response_init(&r, req, answer->type);
	r.flags = answer->flags;
	r.has_etag = true;
	r.etag[0] = answer->hash;
	r.etag[1] = answer->length;
	response_holes(&r, req, (uint32_t)total->nr_holes, total->missing_us);
	response_set_iov(&r, req, answer->iov, answer->nr_iov, answer->length);
	return response_send(req, &r);
}

static enum err handle_json(struct request *req, const void *spec)
{
	const struct coverage_args *args = spec;
	struct coverage_json json = { .length = 0 };
	struct hourreader *reader;
	struct time_range *range;
	struct work work;
	enum err err = find_range(req, &args->range, &reader, &range);

	if (err)
		return err;
	work_begin(&work);
	err = coverage_json(reader, range, args->with_lists, &json,
			    &req->error);
	work_end(&work, req, WORK_BEST_SEGMENTS, "",
		 (double)json.coverage.nr_segments, err);
	return err ? err :
		     send(req,
			  &(struct coverage_answer){ .type = TYPE_JSON,
						     .flags = RESPONSE_TEXT,
						     .coverage = &json.coverage,
						     .iov = json.iov,
						     .nr_iov = json.nr_iov,
						     .length = json.length,
						     .hash = json.hash });
}

static enum err handle_map(struct request *req, const void *spec)
{
	const struct coverage_args *args = spec;
	struct coveragemap *map = ARENA_NEW(&req->arena, struct coveragemap);
	struct hourreader *reader;
	struct time_range *range;
	struct work work;
	enum err err = find_range(req, &args->range, &reader, &range);

	if (err)
		return err;
	work_begin(&work);
	err = coveragemap_draw(reader, range, map, &req->error);
	work_end(&work, req, WORK_BEST_SEGMENTS, "",
		 (double)map->coverage.nr_segments, err);
	return err ? err :
		     send(req, &(struct coverage_answer){
				       .type = TYPE_PNG,
				       .coverage = &map->coverage,
				       .iov = &map->file,
				       .nr_iov = 1,
				       .length = map->file.iov_len,
				       .hash = map->hash });
}

const struct route coverage_routes[] = {
	{ .name = "get_coverage",
	  .path = "/coverage/:channel/:quality.json",
	  .params = coverage_params,
	  .spec_size = sizeof(struct coverage_args),
	  .handle = handle_json,
	  .help = "what the archive holds of a range, as JSON" },
	{ .name = "get_coverage",
	  .path = "/coverage/:channel/:quality.png",
	  .params = coverage_params,
	  .spec_size = sizeof(struct coverage_args),
	  .handle = handle_map,
	  .help = "what the archive holds of a range, as a picture" },
	{ .name = NULL },
};
