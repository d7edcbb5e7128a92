/*
 * fuzz_chat.c - files of chat: what is taken as JSON is JSON for json-c, too;
 * what is read of several files can be merged, and printed, and is as much in
 * whatever order they come.
 *
 * The input: files, with a NUL between them.
 */
#include "config.h"

#include <json-c/json.h>

#include <math.h>
#include <stdio.h>

#include "archive/chatmerge.h"
#include "archive/chatprint.h"
#include "base/jsoncheck.h"
#include "base/text.h"
#include "fuzz.h"

#define MAX_FILES 8

struct file {
	const char *data;
	size_t len;
};

static void check_line(const char *line, size_t len)
{
	char *copy = fuzz_copy(line, len);
	struct json_tokener *tokener =
		json_tokener_new_ex(JSONCHECK_MAX_DEPTH + 2);

	if (!jsoncheck(copy, len)) {
		char *text = fuzz_text(line, len);

		/* The NUL ends what could go on, such as a number. */
		json_object_put(
			json_tokener_parse_ex(tokener, text, (int)len + 1));
		MUST(json_tokener_get_error(tokener) == json_tokener_success);
		free(text);
	}
	json_tokener_free(tokener);
	free(copy);
}

/* The batches of the files that are whole; how many. */
static size_t parse(const struct chat_names *names, const struct file *files,
		    size_t nr, struct chat_batch *batches)
{
	size_t nr_whole = 0;

	for (size_t i = 0; i < nr; i++) {
		struct errmsg e = { "" };
		char *copy = fuzz_copy(files[i].data, files[i].len);
		enum err err = chatbatch_parse(names, copy, files[i].len,
					       &batches[nr_whole], &e);

		MUST(!err || (err == ERR_CORRUPT && e.text[0]));
		nr_whole += !err;
		free(copy);
	}
	return nr_whole;
}

static double sum(const struct chat_messages *m, size_t *nr_receptions)
{
	double all = 0;

	*nr_receptions = 0;
	for (size_t i = 0; i < m->nr; i++) {
		MUST(m->messages[i].range >= 0);
		MUST(isfinite(m->messages[i].time));
		*nr_receptions += m->messages[i].nr_receptions;
		all += fmod(m->messages[i].time, 1000);
	}
	return all;
}

/* What is printed is JSON; a list is one level deeper than its messages. */
static void check_json(const struct chat_json *json, struct arena *a)
{
	struct json_tokener *tokener =
		json_tokener_new_ex(JSONCHECK_MAX_DEPTH + 3);
	struct text *out = text_new(a, json->length + 1);

	for (int i = 0; i < json->nr_iov; i++)
		text_append(out, json->iov[i].iov_base, json->iov[i].iov_len);
	MUST(out->len == json->length);
	json_object_put(
		json_tokener_parse_ex(tokener, out->data, (int)out->len));
	MUST(json_tokener_get_error(tokener) == json_tokener_success);
	json_tokener_free(tokener);
}

/* The messages of the files, forward or backward; their number. */
static size_t merge(const struct file *files, size_t nr, size_t *receptions_r,
		    double *sum_r)
{
	struct chat_names names = { chattexts_new(), chattexts_new() };
	struct chat_batch batches[MAX_FILES];
	struct chat_messages messages;
	struct chat_json json;
	struct errmsg e = { "" };
	struct arena a;
	size_t nr_whole = parse(&names, files, nr, batches);
	size_t nr_messages;

	arena_init(&a);
	MUST(!chat_merge(&names, batches, nr_whole, &a, &messages, &e));
	*sum_r = sum(&messages, receptions_r);
	nr_messages = messages.nr;
	chat_print(&names, &messages, 1, &a, &json);
	check_json(&json, &a);
	arena_release(&a);
	for (size_t i = 0; i < nr_whole; i++)
		chatbatch_release(&batches[i]);
	chattexts_free(&names.kinds);
	chattexts_free(&names.receivers);
	return nr_messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file files[MAX_FILES], backward[MAX_FILES];
	const char *p = (const char *)data;
	const char *end = p + size;
	size_t nr = 0, receptions, receptions2;
	double sum, sum2;

	while (p < end && nr < MAX_FILES) {
		const char *stop = memchr(p, 0, (size_t)(end - p));

		stop = stop ? stop : end;
		files[nr++] = (struct file){ p, (size_t)(stop - p) };
		check_line(p, (size_t)(stop - p));
		p = stop + 1;
	}
	for (size_t i = 0; i < nr; i++)
		backward[i] = files[nr - 1 - i];
	MUST(merge(files, nr, &receptions, &sum) ==
	     merge(backward, nr, &receptions2, &sum2));
	MUST(receptions == receptions2);
	MUST(fabs(sum - sum2) < 1 + fabs(sum) * 1e-6);
	return 0;
}
