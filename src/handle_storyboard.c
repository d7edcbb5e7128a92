/*
 * handle_storyboard.c - /storyboard: tiles of pictures at regular times.
 */
#include "config.h"

#include "archive/archive.h"
#include "archive/range.h"
#include "base/threads.h"
#include "base/uri.h"
#include "media/storyshots.h"
#include "observe.h"
#include "picture/picfile.h"
#include "picture/storyboard.h"
#include "response.h"
#include "route.h"

#define MAX_THREADS 8

/* What the bytes depend on beside the source. */
#define STORYBOARD_VERSION UINT64_C(1)

/* A cue has two times, the sheet's URL and a box. */
#define MAX_VTT_BYTES ((size_t)STORYBOARD_MAX_TILES * 8192)

struct storyboard_args {
	struct range_spec range;
	int columns;
	int rows;
	int height;
};

static const struct param storyboard_params[] = {
	PARAM_START_END(struct storyboard_args, range, PARAM_REQUIRED),
	{ .name = "columns",
	  .type = PARAM_INT,
	  .offset = offsetof(struct storyboard_args, columns),
	  .dflt = "10",
	  .min = 1,
	  .max = STORYBOARD_MAX_SIDE,
	  .help = "tiles in a row" },
	{ .name = "rows",
	  .type = PARAM_INT,
	  .offset = offsetof(struct storyboard_args, rows),
	  .dflt = "10",
	  .min = 1,
	  .max = STORYBOARD_MAX_SIDE,
	  .help = "rows of tiles" },
	{ .name = "height",
	  .type = PARAM_INT,
	  .offset = offsetof(struct storyboard_args, height),
	  .dflt = "90",
	  .min = STORYBOARD_MIN_HEIGHT,
	  .max = STORYBOARD_MAX_HEIGHT,
	  .help = "lines of a tile" },
	{ .name = NULL },
};

/* A storyboard, and what it is made of. */
struct work_on_board {
	struct storyplan plan;
	struct storyboard board;
	struct picture sheet;
};

/* All that the sheet and its WebVTT have in common. */
static enum err plan_board(struct request *req,
			   const struct storyboard_args *args,
			   struct work_on_board *w)
{
	const struct time_range range = { args->range.start_us,
					  args->range.end_us };
	struct hourreader *reader;
	enum err err;

	err = range_spec_check(&args->range, &req->server->settings->limits, 0,
			       &req->error);
	if (!err)
		err = storyboard_check(args->columns, args->rows, args->height,
				       &range, &req->error);
	if (!err)
		err = request_reader(req, &reader);
	if (!err)
		err = storyplan_make(reader, &range,
				     (size_t)args->columns * (size_t)args->rows,
				     req->now_us, &w->plan, &req->error);
	return err ? err :
		     storyboard_size(args->columns, args->rows, args->height,
				     w->plan.width, w->plan.height, &w->board,
				     &req->error);
}

static enum err draw_tile(void *ctx, size_t tile, const AVFrame *frame,
			  struct errmsg *e)
{
	struct work_on_board *w = ctx;

	return storyboard_draw(&w->board, &w->sheet, tile, frame, e);
}

static enum err draw_board(struct request *req, struct work_on_board *w,
			   const uint8_t **data_r, size_t *size_r,
			   size_t *nr_failed)
{
	const struct storyshots_config config = {
		.nr_threads = cores_at_most(MAX_THREADS),
		.take = draw_tile,
		.ctx = w,
		.is_gone = client_is_gone,
		.client = req->client,
	};
	struct work work;
	enum err err;

	work_begin(&work);
	err = storyboard_sheet(&req->arena, &w->board, &w->sheet, &req->error);
	if (!err)
		err = storyshots_take(&req->arena, &w->plan, &config, nr_failed,
				      &req->error);
	if (!err)
		err = picfile_encode(&req->arena, &w->sheet, PICFILE_JPEG, 1,
				     data_r, size_r, &req->error);
	work_end(&work, req, WORK_EXTRACT_FRAME, "", (double)w->plan.nr_tiles,
		 err);
	return err;
}

/* Of a sheet whose tiles are all as they should be. */
static void set_etag(struct response *r, const struct work_on_board *w)
{
	const struct storyboard *board = &w->board;

	r->has_etag = true;
	r->etag[0] = w->plan.cover.hash[0] ^ STORYBOARD_VERSION << 32 ^
		     (uint64_t)board->columns;
	r->etag[1] = w->plan.cover.hash[1] ^ (uint64_t)board->width << 32 ^
		     (uint64_t)board->height;
}

static enum err handle_sheet(struct request *req, const void *spec)
{
	struct work_on_board *w = ARENA_NEW(&req->arena, struct work_on_board);
	const uint8_t *data = NULL;
	size_t size = 0;
	size_t nr_failed = 0;
	struct response r;
	enum err err = plan_board(req, spec, w);

	if (err)
		return err;
	response_init(&r, req, TYPE_JPEG);
	set_etag(&r, w);
	if (!response_is_known(req, &r))
		err = draw_board(req, w, &data, &size, &nr_failed);
	if (err)
		return err;
	/* What failed may be there the next time. */
	r.etag[1] ^= (uint64_t)nr_failed << 48;
	if (w->plan.cover.is_settled && !nr_failed)
		r.flags = RESPONSE_FINAL;
	response_holes(&r, req, w->plan.cover.nr_holes, w->plan.cover.holes_us);
	response_set_bytes(&r, req, data, size);
	return response_send(req, &r);
}

/*
 * The sheet that is beside the WebVTT, so no prefix matters; with all that it
 * depends on, so that both are of the same times.
 */
static const char *sheet_url(struct request *req, const struct work_on_board *w)
{
	char start[UTIME_ISO_SIZE], end[UTIME_ISO_SIZE];

	return arena_printf(
		&req->arena,
		"%s.jpg?start=%s&end=%s&columns=%d&rows=%d&height=%d",
		uri_encoded(&req->arena, req->quality),
		utime_format(w->plan.range.start_us, start),
		utime_format(w->plan.range.end_us, end), w->board.columns,
		w->board.rows, w->board.height);
}

static enum err handle_vtt(struct request *req, const void *spec)
{
	struct work_on_board *w = ARENA_NEW(&req->arena, struct work_on_board);
	struct text *out = text_new(&req->arena, MAX_VTT_BYTES);
	struct response r;
	enum err err = plan_board(req, spec, w);

	if (err)
		return err;
	storyboard_vtt(&w->board, &w->plan.range, sheet_url(req, w), out);
	err = text_check(out, "the WebVTT", &req->error);
	if (err)
		return err;
	response_init(&r, req, TYPE_VTT);
	r.flags = RESPONSE_TEXT;
	if (w->plan.cover.is_settled)
		r.flags |= RESPONSE_FINAL;
	response_holes(&r, req, w->plan.cover.nr_holes, w->plan.cover.holes_us);
	response_set_text(&r, req, out);
	return response_send(req, &r);
}

const struct route storyboard_routes[] = {
	{ .name = "get_storyboard",
	  .path = "/storyboard/:channel/:quality.jpg",
	  .flags = ROUTE_HEAVY,
	  .params = storyboard_params,
	  .spec_size = sizeof(struct storyboard_args),
	  .handle = handle_sheet,
	  .help = "pictures at regular times, as tiles of one" },
	{ .name = "get_storyboard",
	  .path = "/storyboard/:channel/:quality.vtt",
	  .params = storyboard_params,
	  .spec_size = sizeof(struct storyboard_args),
	  .handle = handle_vtt,
	  .help = "WebVTT: which tile is of which time" },
	{ .name = NULL },
};
