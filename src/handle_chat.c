/*
 * handle_chat.c - /CHANNEL/chat.json: the messages of a range.
 *
 * A little chat is answered by the worker itself; a busy hour takes seconds,
 * and goes to a process of its own.
 */
#include "config.h"

#include "archive/chat.h"
#include "base/threads.h"
#include "observe.h"
#include "response.h"
#include "route.h"

#define MAX_THREADS 8

/* Some 10 ms of one processor, and some 50 where they were made for that. */
#define LIGHT_BYTES   ((uint64_t)256 * 1024)
#define THREADS_BYTES ((uint64_t)1024 * 1024)

struct chat_args {
	struct range_spec range;
};

static const struct param chat_params[] = {
	PARAM_START_END(struct chat_args, range, PARAM_REQUIRED),
	{ .name = NULL },
};

static enum err open_chat(struct request *req, const struct range_spec *range,
			  struct chat **chat_r)
{
	struct range_limits limits = req->server->settings->limits;
	struct chat_source source = { .start_us = range->start_us,
				      .end_us = range->end_us };
	struct quality *quality;
	enum err err;

	limits.max_explicit_us =
		req->server->settings->max_chat_hours * USEC_PER_HOUR;
	err = range_spec_check(range, &limits, 0, &req->error);
	if (!err)
		err = archive_quality(&req->server->archive, &req->arena,
				      req->channel, "chat", &quality,
				      &req->error);
	if (err)
		return err;
	source.quality = quality;
	if (req->server->board)
		source.said = &req->server->board->chat_said;
	return chat_open(&source, &req->arena, chat_r, &req->error);
}

static void count(struct request *req, const struct chat_stats *stats)
{
	struct metrics *m = req->server->metrics;

	if (!m)
		return;
	metrics_add(m, METRIC_CHAT_CONFLICTS, stats->nr_conflicts);
	metrics_add(m, METRIC_CHAT_FILES_IGNORED, stats->nr_files_ignored);
	metrics_add(m, METRIC_CHAT_RETRIES, stats->nr_retries);
	metrics_add(m, METRIC_INDEX_NAMES_IGNORED, stats->nr_names_ignored);
}

static enum err read_chat(struct request *req, struct chat *chat)
{
	int nr_threads =
		chat->bytes < THREADS_BYTES ? 1 : cores_at_most(MAX_THREADS);
	struct work work;
	enum err err = ERR_OK;

	if (chat->bytes > LIGHT_BYTES)
		err = req->client->go_heavy(req->client, &req->error);
	if (err)
		return err;
	work_begin(&work);
	err = chat_read(chat, nr_threads, &req->error);
	work_end(&work, req, WORK_MERGE_MESSAGES, "",
		 (double)chat->stats.nr_messages, err);
	return err;
}

static void set_etag(struct response *r, const struct chat *chat)
{
	r->has_etag = true;
	r->etag[0] = chat->hash[0];
	r->etag[1] = chat->hash[1];
}

static enum err handle_chat(struct request *req, const void *spec)
{
	const struct chat_args *args = spec;
	struct chat *chat;
	struct response r;
	enum err err = open_chat(req, &args->range, &chat);

	if (err)
		return err;
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_TEXT;
	set_etag(&r, chat);
	if (!response_is_known(req, &r))
		err = read_chat(req, chat);
	if (err != ERR_HANDED)
		count(req, &chat->stats);
	if (err)
		return err;
	set_etag(&r, chat); /* of what was read */
	response_set_iov(&r, req, chat->iov, chat->nr_iov, chat->length);
	return response_send(req, &r);
}

const struct route chat_routes[] = {
	{ .name = "get_chat_messages",
	  .path = "/:channel/chat.json",
	  .params = chat_params,
	  .spec_size = sizeof(struct chat_args),
	  .handle = handle_chat,
	  .help = "the chat of a range, as JSON" },
	{ .name = NULL },
};
