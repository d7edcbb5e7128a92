/*
 * handle_videos.c - /generate_videos: named ranges as files in the archive's
 * directory.
 *
 * All that can be wrong with any of them is found before the first is written.
 * Then each is complete when it gets its name, and a failure leaves those that
 * were finished before it.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/newfile.h"
#include "cutanswer.h"
#include "media/remux.h"
#include "param.h"
#include "route.h"

#define MAX_VIDEOS     100
#define MAX_NAME_BYTES 100
#define MAX_JSON_BYTES 65536
#define MAX_JSON_DEPTH 4
#define MAX_ANSWER     (8 * 1024 * 1024)

struct video {
	const char *name;
	struct time_range range;
	struct cutplan plan;
};

struct videos {
	struct request *req;
	struct video *list;
	size_t nr;
	struct json_object *written; /* names of files */
	struct json_object *kept;    /* that were there already */
};

/* Reading what is asked for */

static enum err check_name(const struct request *req, const char *name,
			   struct errmsg *e)
{
	size_t len = strlen(name);

	if (!len || len > MAX_NAME_BYTES || *name == '.')
		return err_set(e, ERR_INPUT,
			       "a name has 1 to %d bytes and no leading dot",
			       MAX_NAME_BYTES);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '/')
			return err_set(e, ERR_INPUT,
				       "a name has neither slashes nor control "
				       "characters");
	/* With a number of any length. */
	if (len + strlen(req->channel) + strlen(req->quality) + 20 > NAME_MAX)
		return err_set(e, ERR_INPUT, "the name is too long");
	return ERR_OK;
}

static enum err parse_time(const struct request *req,
			   struct json_object *object, usec_t *us_r,
			   struct errmsg *e)
{
	const char *text;

	if (!json_object_is_type(object, json_type_string))
		return err_set(e, ERR_INPUT, "a time is a string");
	text = json_object_get_string(object);
	if (strlen(text) != (size_t)json_object_get_string_len(object))
		return err_set(e, ERR_INPUT, "a time has no NUL in it");
	return param_parse_time(req, text, us_r, e);
}

static enum err parse_video(const struct request *req, const char *name,
			    struct json_object *times, struct video *video,
			    struct errmsg *e)
{
	struct range_spec spec = { .has_start = true, .has_end = true };
	enum err err = check_name(req, name, e);

	if (!err && (!json_object_is_type(times, json_type_array) ||
		     json_object_array_length(times) != 2))
		err = err_set(e, ERR_INPUT, "is not [START, END]");
	if (!err)
		err = parse_time(req, json_object_array_get_idx(times, 0),
				 &spec.start_us, e);
	if (!err)
		err = parse_time(req, json_object_array_get_idx(times, 1),
				 &spec.end_us, e);
	if (!err)
		err = range_spec_check(&spec, &req->server->settings->limits, 0,
				       e);
	video->name = name;
	video->range = (struct time_range){ spec.start_us, spec.end_us };
	return err;
}

/* The same with the name of what is wrong. */
static enum err name_fault(struct request *req, const char *name, enum err err,
			   const struct errmsg *e)
{
	return err_set(&req->error, err, "'%s': %s", err_quote(name).text,
		       e->text);
}

static enum err parse_json(struct request *req, struct json_object **object_r)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_JSON_DEPTH);
	struct json_object *object;
	enum json_tokener_error fault;

	if (!tokener)
		BUG("out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, req->body->data,
				       (int)req->body->len);
	fault = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	json_hold(&req->arena, object);
	*object_r = object;
	if (fault == json_tokener_success &&
	    json_object_is_type(object, json_type_object))
		return ERR_OK;
	return err_set(&req->error, ERR_INPUT,
		       "the body is not JSON of the form {NAME: [START, END], "
		       "...}");
}

static enum err check_body(struct request *req)
{
	if (req->body->len > MAX_JSON_BYTES)
		return err_set(&req->error, ERR_LIMIT,
			       "the body is longer than %d bytes",
			       MAX_JSON_BYTES);
	/* As it is, or as JSON writes it: json-c ends a name there. */
	if (memchr(req->body->data, '\0', req->body->len) ||
	    strstr(req->body->data, "\\u0000"))
		return err_set(&req->error, ERR_INPUT,
			       "the body has a NUL in it");
	return ERR_OK;
}

static enum err parse_body(struct videos *v)
{
	struct request *req = v->req;
	struct json_object *object;
	enum err err = check_body(req);

	if (!err)
		err = parse_json(req, &object);
	if (err)
		return err;
	if (!json_object_object_length(object) ||
	    json_object_object_length(object) > MAX_VIDEOS)
		return err_set(&req->error, ERR_INPUT,
			       "there are none, or more than %d names",
			       MAX_VIDEOS);
	v->list = arena_alloc(&req->arena, MAX_VIDEOS * sizeof(*v->list));
	json_object_object_foreach(object, name, times)
	{
		struct errmsg e;

		err = parse_video(req, name, times, &v->list[v->nr++], &e);
		if (err)
			return name_fault(req, name, err, &e);
	}
	return ERR_OK;
}

/* All of them together are one request. */
static enum err check_ranges(const struct videos *v)
{
	const struct request *req = v->req;
	struct time_range ranges[MAX_VIDEOS];
	struct range_spec spec = { .ranges = ranges, .nr_ranges = v->nr };
	struct range_limits limits = req->server->settings->limits;

	limits.max_ranges = MAX_VIDEOS;
	for (size_t i = 0; i < v->nr; i++)
		ranges[i] = v->list[i].range;
	return range_spec_check(&spec, &limits, 0, &v->req->error);
}

/* Planning */

static enum err plan_all(struct videos *v)
{
	struct request *req = v->req;
	struct hourreader *reader;
	enum err err = request_reader(req, &reader);

	if (err)
		return err;
	for (size_t i = 0; i < v->nr; i++) {
		struct video *video = &v->list[i];
		struct errmsg e;

		err = cutplan_make(reader,
				   &(struct cut_spec){ .ranges = &video->range,
						       .nr_ranges = 1,
						       .allow_holes = true,
						       .now_us = req->now_us },
				   &video->plan, &e);
		for (size_t k = 0; !err && k < video->plan.nr_runs; k++)
			err = remux_check_run(&video->plan,
					      &video->plan.runs[k], &e);
		if (err)
			return name_fault(req, video->name, err, &e);
	}
	return ERR_OK;
}

/* Writing */

static void abandon(void *ptr)
{
	newfile_abandon(ptr);
}

/* Makes one file; *existed_r: something has its name already. */
static enum err write_run(const struct videos *v, const struct cutplan *plan,
			  const struct cut_run *run, const char *name,
			  bool *existed_r)
{
	struct request *req = v->req;
	struct smartcut_config config = { .is_gone = client_is_gone,
					  .ctx = req->client };
	int dir_fd = req->server->archive.base_fd;
	struct newfile *file;
	struct arena work;
	enum err err;

	*existed_r = faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (*existed_r)
		return ERR_OK;
	arena_init(&work);
	file = ARENA_NEW(&work, struct newfile);
	*file = NEWFILE_NONE;
	arena_defer(&work, abandon, file);
	err = newfile_begin(file, dir_fd, name, &req->error);
	if (!err)
		err = remux_run(&work, plan, run, &config, REMUX_MKV, file->fd,
				&req->error);
	if (!err)
		err = newfile_finish(file, name, existed_r, &req->error);
	arena_release(&work);
	return err;
}

static enum err write_video(struct videos *v, const struct video *video)
{
	const struct request *req = v->req;
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < video->plan.nr_runs; i++) {
		const char *name = arena_printf(
			&v->req->arena, "%s_%s_%s_%zu.mkv", req->channel,
			req->quality, video->name, i);
		bool existed;

		err = write_run(v, &video->plan, &video->plan.runs[i], name,
				&existed);
		if (!err)
			json_add_string(existed ? v->kept : v->written, name,
					strlen(name));
	}
	return err;
}

static enum err send_lists(struct videos *v)
{
	struct request *req = v->req;
	struct json_object *answer =
		json_hold(&req->arena, json_object_new_object());
	struct response r;
	enum err err;

	json_object_object_add(answer, "written", json_object_get(v->written));
	json_object_object_add(answer, "kept", json_object_get(v->kept));
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_NO_STORE;
	err = response_set_json(&r, req, answer, MAX_ANSWER);
	r.has_etag = false;
	return err ? err : response_send(req, &r);
}

static enum err handle_videos(struct request *req, const void *spec)
{
	struct videos v = { .req = req };
	enum err err;

	UNUSED(spec);
	if (!req->server->settings->allow_write)
		return err_set(&req->error, ERR_FORBIDDEN,
			       "writing is turned off: start the server with "
			       "--allow-write");
	err = parse_body(&v);
	if (!err)
		err = check_ranges(&v);
	if (!err)
		err = plan_all(&v);
	v.written = json_hold(&req->arena, json_object_new_array());
	v.kept = json_hold(&req->arena, json_object_new_array());
	for (size_t i = 0; !err && i < v.nr; i++)
		err = write_video(&v, &v.list[i]);
	return err ? err : send_lists(&v);
}

const struct route video_routes[] = {
	{ .name = "generate_videos",
	  .path = "/generate_videos/:channel/:quality",
	  .flags = ROUTE_HEAVY | ROUTE_POST,
	  .handle = handle_videos,
	  .help = "write named ranges as files, given as JSON: "
		  "{NAME: [START, END]} (--allow-write)" },
	{ .name = NULL },
};
