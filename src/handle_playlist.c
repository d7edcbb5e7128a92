/*
 * handle_playlist.c - /playlist: HLS of any range.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include "archive/playlist.h"
#include "base/fsutil.h"
#include "base/log.h"
#include "base/uri.h"
#include "media/probe.h"
#include "observe.h"
#include "response.h"
#include "route.h"

#define MAX_MASTER_BYTES ((size_t)1024 * 1024)

static const struct param range_params[] = {
	{ .name = "start",
	  .type = PARAM_TIME,
	  .offset = offsetof(struct range_spec, start_us),
	  .extra = offsetof(struct range_spec, has_start),
	  .help = "TIME" },
	{ .name = "end",
	  .type = PARAM_TIME,
	  .offset = offsetof(struct range_spec, end_us),
	  .extra = offsetof(struct range_spec, has_end),
	  .help = "TIME" },
	{ .name = "range",
	  .type = PARAM_LIST,
	  .offset = offsetof(struct range_spec, ranges),
	  .extra = offsetof(struct range_spec, nr_ranges),
	  .parse = param_parse_range,
	  .element_size = sizeof(struct time_range),
	  .help = "START,END (repeated: an edit list)" },
	{ .name = NULL },
};

static void probe(const struct quality *quality, const char *path,
		  struct hour_media *media_r)
{
	struct hour_media media;
	struct errmsg e;
	int fd = quality_open(quality, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return;
	if (probe_segment(fd, &media, &e) == ERR_OK)
		*media_r = media;
	else
		log_debug("cannot probe '%s': %s", path, e.text);
	close(fd);
}

/* The arguments as they came, encoded anew. */
static const char *passed_on(struct request *req)
{
	struct text *out = text_new(&req->arena, MAX_MASTER_BYTES);

	text_puts(out, "");
	for (size_t i = 0; i < req->nr_args; i++)
		text_printf(out, "%s%s=%s", i ? "&" : "",
			    uri_encoded(&req->arena, req->args[i].name),
			    uri_encoded(&req->arena, req->args[i].value));
	return out->data;
}

/* An edit list's variants are those that have data around its ranges. */
static void span_ranges(struct range_spec *range)
{
	for (size_t i = 0; i < range->nr_ranges; i++) {
		const struct time_range *one = &range->ranges[i];

		if (!i || one->start_us < range->start_us)
			range->start_us = one->start_us;
		if (!i || one->end_us > range->end_us)
			range->end_us = one->end_us;
		range->has_start = range->has_end = true;
	}
}

static enum err handle_master(struct request *req, const void *spec)
{
	const struct settings *settings = req->server->settings;
	struct range_spec range = *(const struct range_spec *)spec;
	struct text *out = text_new(&req->arena, MAX_MASTER_BYTES);
	struct master_spec master = {
		.channel = req->channel,
		.range = &range,
		.limits = &settings->limits,
		.prefix = settings->prefix,
		.query = passed_on(req),
		.probe = probe,
	};
	struct response r;
	enum err err;

	err = range_spec_check(&range, &settings->limits, RANGE_MAY_BE_EMPTY,
			       &req->error);
	span_ranges(&range);
	if (!err)
		err = playlist_master(&req->server->archive, req->server->cache,
				      &req->arena, &master, out, &req->error);
	if (err)
		return err;
	response_init(&r, req, TYPE_PLAYLIST);
	r.flags = RESPONSE_TEXT;
	response_set_text(&r, req, out);
	return response_send(req, &r);
}

static enum err plan_media(struct request *req, const struct range_spec *spec,
			   struct media_playlist *list_r)
{
	const struct range_limits *limits = &req->server->settings->limits;
	struct time_range *ranges;
	struct hourreader *reader;
	struct work work;
	size_t nr;
	enum err err;

	err = range_spec_check(spec, limits, RANGE_MAY_BE_EMPTY, &req->error);
	if (!err)
		err = request_reader(req, &reader);
	if (!err)
		err = range_spec_resolve(spec, limits, reader->quality,
					 &req->arena, &ranges, &nr,
					 &req->error);
	if (err)
		return err;
	work_begin(&work);
	err = playlist_media(reader, ranges, nr,
			     !spec->nr_ranges && !spec->has_end, req->now_us,
			     list_r, &req->error);
	work_end(&work, req, WORK_BEST_SEGMENTS, "",
		 (double)list_r->nr_segments, err);
	return err;
}

static enum err handle_media(struct request *req, const void *spec)
{
	struct media_playlist list;
	struct response r;
	enum err err = plan_media(req, spec, &list);

	if (err)
		return err;
	response_init(&r, req, TYPE_PLAYLIST);
	r.flags = RESPONSE_TEXT;
	r.has_etag = true;
	r.etag[0] = list.hash;
	r.etag[1] = list.length;
	response_holes(&r, req, list.nr_holes, list.holes_us);
	response_set_iov(&r, req, list.iov, list.nr_iov, list.length);
	r.body.blocks = list.blocks;
	return response_send(req, &r);
}

const struct route playlist_routes[] = {
	{ .name = "generate_master_playlist",
	  .path = "/playlist/:channel.m3u8",
	  .params = range_params,
	  .spec_size = sizeof(struct range_spec),
	  .handle = handle_master,
	  .help = "HLS master playlist of a channel" },
	{ .name = "generate_media_playlist",
	  .path = "/playlist/:channel/:quality.m3u8",
	  .params = range_params,
	  .spec_size = sizeof(struct range_spec),
	  .handle = handle_media,
	  .help = "HLS media playlist of a quality" },
	{ .name = NULL },
};
