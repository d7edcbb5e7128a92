/*
 * handle_files.c - /files and /extras: what there is, as JSON lists.
 */
#include "config.h"

#include <string.h>

#include "base/json.h"
#include "response.h"
#include "route.h"

#define MAX_LIST_BYTES ((size_t)64 * 1024 * 1024)

struct files_spec {
	bool tombstones;
};

static const struct param files_params[] = {
	{ .name = "tombstones",
	  .type = PARAM_BOOL,
	  .offset = offsetof(struct files_spec, tombstones),
	  .dflt = "false",
	  .help = "true|false" },
	{ .name = NULL },
};

static enum err send_list(struct request *req, const struct name_list *list)
{
	struct json_object *array = json_hold(
		&req->arena, json_object_new_array_ext((int)list->nr + 1));
	struct response r;
	enum err err;

	for (size_t i = 0; i < list->nr; i++)
		json_add_string(array, list->names[i], strlen(list->names[i]));
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_TEXT;
	err = response_set_json(&r, req, array, MAX_LIST_BYTES);
	return err ? err : response_send(req, &r);
}

static enum err handle_channels(struct request *req, const void *spec)
{
	struct name_list list;
	enum err err = archive_channels(&req->server->archive, &req->arena,
					&list, &req->error);

	UNUSED(spec);
	return err ? err : send_list(req, &list);
}

static enum err handle_qualities(struct request *req, const void *spec)
{
	struct name_list list;
	enum err err = archive_qualities(&req->server->archive, &req->arena,
					 req->channel, &list, &req->error);

	UNUSED(spec);
	return err ? err : send_list(req, &list);
}

static enum err handle_hours(struct request *req, const void *spec)
{
	struct name_list list;
	enum err err =
		archive_hours(&req->server->archive, &req->arena, req->channel,
			      req->quality, &list, &req->error);

	UNUSED(spec);
	return err ? err : send_list(req, &list);
}

static enum err handle_files(struct request *req, const void *spec)
{
	const struct files_spec *want = spec;
	struct name_list list;
	enum err err = archive_files(&req->server->archive, &req->arena,
				     req->channel, req->quality, req->hour,
				     want->tombstones, &list, &req->error);

	return err ? err : send_list(req, &list);
}

static enum err handle_extras(struct request *req, const void *spec)
{
	struct name_list list;
	enum err err = archive_extras(&req->server->archive, &req->arena,
				      req->rest, &list, &req->error);

	UNUSED(spec);
	return err ? err : send_list(req, &list);
}

const struct route file_routes[] = {
	{ .name = "list_channels",
	  .path = "/files",
	  .handle = handle_channels,
	  .help = "channels, as a JSON list" },
	{ .name = "list_qualities",
	  .path = "/files/:channel",
	  .handle = handle_qualities,
	  .help = "qualities of a channel" },
	{ .name = "list_hours",
	  .path = "/files/:channel/:quality",
	  .handle = handle_hours,
	  .help = "hours of a quality" },
	{ .name = "list_segments",
	  .path = "/files/:channel/:quality/:hour",
	  .params = files_params,
	  .spec_size = sizeof(struct files_spec),
	  .handle = handle_files,
	  .help = "files of an hour" },
	{ .name = "list_extras",
	  .path = "/extras/*rest",
	  .handle = handle_extras,
	  .help = "every file below a directory" },
	{ .name = NULL },
};
