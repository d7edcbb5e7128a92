/*
 * handle_coverage.c - /coverage: what the archive holds of a range.
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

/* It may have to look at a hundred thousand files: not what workers do. */
#define LONG_US (48 * USEC_PER_HOUR)

/* All there is may be as long as a range that is given. */
static enum err find_range(struct request *req, const struct range_spec *spec,
			   struct hourreader **reader_r,
			   struct time_range **range_r)
{
	struct range_limits limits = req->server->settings->limits;
	struct quality *quality;
	size_t nr;
	enum err err;

	limits.max_implicit_us = limits.max_explicit_us;
	err = range_spec_check(spec, &limits, 0, &req->error);
	if (!err)
		err = archive_quality(&req->server->archive, &req->arena,
				      req->channel, req->quality, &quality,
				      &req->error);
	if (!err)
		err = range_spec_resolve(spec, &limits, quality, &req->arena,
					 range_r, &nr, &req->error);
	if (!err && (*range_r)->end_us - (*range_r)->start_us > LONG_US)
		err = req->client->go_heavy(req->client, &req->error);
	if (!err)
		*reader_r = hourcache_reader(req->server->cache, quality,
					     &req->arena);
	return err;
}

static enum err handle_json(struct request *req, const void *spec)
{
	const struct coverage_args *args = spec;
	const struct coverage_sum *total;
	struct coverage_json json = { .length = 0 };
	struct hourreader *reader;
	struct time_range *range;
	struct response r;
	struct work work;
	enum err err = find_range(req, &args->range, &reader, &range);

	if (err)
		return err;
	work_begin(&work);
	err = coverage_json(reader, range, args->with_lists, &json,
			    &req->error);
	work_end(&work, req, "get_best_segments", "",
		 (double)json.coverage.nr_segments, err);
	if (err)
		return err;
	total = &json.coverage.total;
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_TEXT;
	r.has_etag = true;
	r.etag[0] = json.hash;
	r.etag[1] = json.length;
	response_holes(&r, req, (uint32_t)total->nr_holes, total->missing_us);
	response_set_iov(&r, req, json.iov, json.nr_iov, json.length);
	return response_send(req, &r);
}

static enum err handle_map(struct request *req, const void *spec)
{
	const struct coverage_args *args = spec;
	struct coveragemap *map = ARENA_NEW(&req->arena, struct coveragemap);
	struct hourreader *reader;
	struct time_range *range;
	struct response r;
	struct work work;
	enum err err = find_range(req, &args->range, &reader, &range);

	if (err)
		return err;
	work_begin(&work);
	err = coveragemap_draw(reader, range, map, &req->error);
	work_end(&work, req, "get_best_segments", "",
		 (double)map->coverage.nr_segments, err);
	if (err)
		return err;
	response_init(&r, req, TYPE_PNG);
	r.has_etag = true;
	r.etag[0] = map->hash;
	r.etag[1] = map->file.iov_len;
	response_holes(&r, req, (uint32_t)map->coverage.total.nr_holes,
		       map->coverage.total.missing_us);
	response_set_iov(&r, req, &map->file, 1, map->file.iov_len);
	return response_send(req, &r);
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
