/*
 * handle_waveform.c - /waveform and /peaks: the sound of a range.
 */
#include "config.h"

#include <string.h>

#include "base/threads.h"
#include "media/peakfile.h"
#include "media/waveform.h"
#include "observe.h"
#include "picture/wavepicture.h"
#include "response.h"
#include "route.h"

#define MAX_THREADS    4
#define MAX_PEAKS_TEXT ((size_t)1024 * 1024)

/* What the bytes depend on beside the source. */
#define WAVEFORM_VERSION UINT64_C(1)

struct wave_args {
	struct range_spec range;
	const char *size;
	int points;
	int width; /* made of the above */
	int height;
};

#define FIELD(name) .offset = offsetof(struct wave_args, name)
static const struct param waveform_params[] = {
	PARAM_START_END(struct wave_args, range, PARAM_REQUIRED),
	{ .name = "size",
	  .type = PARAM_TEXT,
	  FIELD(size),
	  .help = "WIDTHxHEIGHT, each from 1 to 4096 (default: 1024x64)" },
	{ .name = NULL },
};

static const struct param peaks_params[] = {
	PARAM_START_END(struct wave_args, range, PARAM_REQUIRED),
	{ .name = "points",
	  .type = PARAM_INT,
	  FIELD(points),
	  .dflt = "1024",
	  .min = 1,
	  .max = WAVE_MAX_COLUMNS,
	  .help = "pairs of least and greatest samples" },
	{ .name = NULL },
};

/* A side of a picture; 0 if it is none. */
static int take_side(const char **text)
{
	int side = 0;

	for (; **text >= '0' && **text <= '9' && side <= WAVEPICTURE_MAX_SIDE;
	     ++*text)
		side = side * 10 + (**text - '0');
	return side <= WAVEPICTURE_MAX_SIDE ? side : 0;
}

static enum err parse_size(struct request *req, struct wave_args *args)
{
	const char *text = args->size ? args->size : "1024x64";

	args->width = take_side(&text);
	if (*text++ == 'x' && args->width) {
		args->height = take_side(&text);
		if (args->height && !*text)
			return ERR_OK;
	}
	return err_set(&req->error, ERR_INPUT,
		       "size: WIDTHxHEIGHT, each from 1 to %d, not '%s'",
		       WAVEPICTURE_MAX_SIDE, err_quote(args->size).text);
}

static enum err plan(struct request *req, const struct wave_args *args,
		     struct waveform *wave)
{
	struct range_limits limits = req->server->settings->limits;
	struct wave_spec spec = {
		.range = { args->range.start_us, args->range.end_us },
		.nr_columns = (size_t)args->width,
		.now_us = req->now_us,
	};
	struct hourreader *reader;
	enum err err;

	limits.max_explicit_us =
		req->server->settings->max_waveform_hours * USEC_PER_HOUR;
	err = range_spec_check(&args->range, &limits, 0, &req->error);
	if (!err)
		err = request_reader(req, &reader);
	return err ? err : waveform_plan(reader, &spec, wave, &req->error);
}

static enum err fill(struct request *req, struct waveform *wave)
{
	const struct wave_means means = {
		.store = &req->server->peaks,
		.nr_threads = cores_at_most(MAX_THREADS),
		.is_gone = client_is_gone,
		.ctx = req->client,
	};
	struct work work;
	enum err err;

	work_begin(&work);
	err = waveform_fill(wave, &means, &req->error);
	work_end(&work, req, WORK_WAVEFORM, "",
		 (double)wave->columns.length / 1e9, err);
	return err;
}

/* All but the body: kind tells answers of the same range apart. */
static void begin_response(struct request *req, const struct waveform *wave,
			   const char *type, uint64_t kind, struct response *r)
{
	response_init(r, req, type);
	r->has_etag = true;
	r->etag[0] = wave->hash[0] ^ WAVEFORM_VERSION << 56 ^ kind;
	r->etag[1] = wave->hash[1] ^ wave->columns.nr;
	if (wave->is_settled)
		r->flags = RESPONSE_FINAL;
	response_holes(r, req, wave->nr_holes, wave->holes_us);
}

static enum err handle_waveform(struct request *req, const void *spec)
{
	struct wave_args args = *(const struct wave_args *)spec;
	const uint8_t *data = NULL;
	size_t size = 0;
	struct waveform wave;
	struct response r;
	enum err err = parse_size(req, &args);

	if (!err)
		err = plan(req, &args, &wave);
	if (err)
		return err;
	begin_response(req, &wave, TYPE_PNG, (uint64_t)args.height << 2, &r);
	if (!response_is_known(req, &r)) {
		err = fill(req, &wave);
		if (!err)
			err = wavepicture_png(&req->arena, &wave.columns,
					      args.height, &data, &size,
					      &req->error);
		if (err)
			return err;
	}
	response_set_bytes(&r, req, data, size);
	return response_send(req, &r);
}

static enum err handle_peaks(struct request *req, const void *spec)
{
	struct wave_args args = *(const struct wave_args *)spec;
	bool is_json = !strcmp(strrchr(req->route->path, '.'), ".json");
	struct text *out = text_new(&req->arena, MAX_PEAKS_TEXT);
	struct waveform wave;
	struct response r;
	enum err err;

	args.width = args.points;
	err = plan(req, &args, &wave);
	if (err)
		return err;
	begin_response(req, &wave, is_json ? TYPE_JSON : TYPE_BYTES,
		       is_json ? 1 : 2, &r);
	if (is_json)
		r.flags |= RESPONSE_TEXT;
	if (!response_is_known(req, &r)) {
		err = fill(req, &wave);
		if (err)
			return err;
		(is_json ? peakfile_json : peakfile_dat)(&wave.columns,
							 wave.rate, out);
		err = text_check(out, "the peaks", &req->error);
		if (err)
			return err;
	}
	response_set_bytes(&r, req, out->data, out->len);
	return response_send(req, &r);
}

#define PEAKS_ROUTE(ending)                                                    \
	{                                                                      \
		.name = "get_peaks",                                           \
		.path = "/peaks/:channel/:quality." ending,                    \
		.flags = ROUTE_HEAVY, .params = peaks_params,                  \
		.spec_size = sizeof(struct wave_args), .handle = handle_peaks, \
		.help = "the sound of a range in numbers, as ." ending,        \
	}

const struct route waveform_routes[] = {
	{ .name = "generate_waveform",
	  .path = "/waveform/:channel/:quality.png",
	  .flags = ROUTE_HEAVY,
	  .params = waveform_params,
	  .spec_size = sizeof(struct wave_args),
	  .handle = handle_waveform,
	  .help = "the sound of a range as a picture" },
	PEAKS_ROUTE("json"),
	PEAKS_ROUTE("dat"),
	{ .name = NULL },
};
