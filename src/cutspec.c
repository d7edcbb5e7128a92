#include "config.h"

#include "cutspec.h"

#include <stdlib.h>
#include <string.h>

#include "media/blend.h"

#define MAX_CRF 63 /* of VP9; of H.264 it is 51 */

const char *const cut_types[] = {
	"rough", "fast", "smart", "mpegts", "webm", "mp4", "mkv", NULL,
};

static const char *const mixed_names[] = { "pass", "error", "transcode", NULL };

static enum err parse_transition(const struct request *req, const char *text,
				 void *element, struct errmsg *e)
{
	UNUSED(req);
	return transition_parse(text, element, e);
}

#define FIELD(name) .offset = offsetof(struct cut_args, name)
const struct param cut_params[] = {
	PARAM_START_END(struct cut_args, range, 0),
	{ .name = "range",
	  .type = PARAM_LIST,
	  FIELD(range.ranges),
	  .extra = offsetof(struct cut_args, range.nr_ranges),
	  .parse = param_parse_range,
	  .element_size = sizeof(struct time_range),
	  .help = "START,END (repeated, back to back)" },
	{ .name = "transition",
	  .type = PARAM_LIST,
	  FIELD(transitions),
	  .extra = offsetof(struct cut_args, nr_transitions),
	  .parse = parse_transition,
	  .element_size = sizeof(struct transition),
	  .help = "TYPE,SECONDS (repeated, between ranges)" },
	{ .name = "type",
	  .type = PARAM_ENUM,
	  FIELD(type),
	  .choices = cut_types,
	  .dflt = "fast",
	  .help = "rough|fast|smart|mpegts|webm|mp4|mkv" },
	{ .name = "allow_holes",
	  .type = PARAM_BOOL,
	  FIELD(allow_holes),
	  .dflt = "false",
	  .help = "true|false" },
	{ .name = "stream",
	  .type = PARAM_BOOL,
	  FIELD(stream),
	  .dflt = "false",
	  .help = "true|false: begin without a length" },
	{ .name = "mixed",
	  .type = PARAM_ENUM,
	  FIELD(mixed),
	  .choices = mixed_names,
	  .dflt = "pass",
	  .help = "pass|error|transcode: where the source changes its size" },
	{ .name = "crf",
	  .type = PARAM_TEXT,
	  FIELD(crf_text),
	  .help = "quality of mpegts (0 to 51) and webm (0 to 63)" },
	{ .name = "faststart",
	  .type = PARAM_BOOL,
	  FIELD(faststart),
	  .dflt = "false",
	  .help = "true|false: mp4 as a plain file, not in fragments" },
	{ .name = "dry_run",
	  .type = PARAM_BOOL,
	  FIELD(dry_run),
	  .dflt = "false",
	  .help = "true|false: the plan as JSON, no video" },
	{ .name = "download",
	  .type = PARAM_TEXT,
	  FIELD(download),
	  .help = "NAME of the file for browsers" },
	{ .name = NULL },
};
#undef FIELD

static enum err check_transitions(const struct cut_args *args, struct errmsg *e)
{
	const struct range_spec *range = &args->range;
	size_t nr_joins = range->nr_ranges ? range->nr_ranges - 1 : 0;

	if (args->nr_transitions > nr_joins)
		return err_set(e, ERR_INPUT,
			       "transition: %zu of them, but only %zu places "
			       "between ranges",
			       args->nr_transitions, nr_joins);
	for (size_t i = 0; i < args->nr_transitions; i++) {
		usec_t length_us = args->transitions[i].length_us;
		const char *name = args->transitions[i].name;

		if (name && args->type != CUT_ROUGH && !blend_has(name))
			return err_set(e, ERR_INPUT,
				       "transition: the FFmpeg that is "
				       "installed has no '%s'",
				       name);
		for (size_t k = i; k <= i + 1; k++)
			if (length_us >
			    range->ranges[k].end_us - range->ranges[k].start_us)
				return err_set(e, ERR_INPUT,
					       "transition: longer than a "
					       "range beside it");
	}
	return ERR_OK;
}

/* Two transitions of one range must not need the same pictures. */
static enum err check_overlaps(const struct cut_args *args, struct errmsg *e)
{
	for (size_t i = 1; i < args->nr_transitions; i++) {
		const struct time_range *range = &args->range.ranges[i];

		if (args->transitions[i - 1].length_us +
			    args->transitions[i].length_us >
		    range->end_us - range->start_us)
			return err_set(e, ERR_INPUT,
				       "transition: the two of range %zu are "
				       "together longer than it",
				       i + 1);
	}
	return ERR_OK;
}

static enum err check_crf(struct cut_args *args, struct errmsg *e)
{
	const char *text = args->crf_text;
	double value = 0;
	double unit = 1;
	size_t i = 0;

	args->crf = -1;
	if (!text)
		return ERR_OK;
	for (; text[i] >= '0' && text[i] <= '9' && i < 3; i++)
		value = value * 10 + (text[i] - '0');
	if (i && text[i] == '.' && text[i + 1])
		for (i++; text[i] >= '0' && text[i] <= '9'; i++)
			value += (text[i] - '0') * (unit /= 10);
	if (!i || text[i] || i > 6 || value > MAX_CRF ||
	    (value > 51 && args->type != CUT_WEBM))
		return err_set(e, ERR_INPUT,
			       "crf: '%s' is no number from 0 to 51 (of webm, "
			       "63)",
			       err_quote(text).text);
	args->crf = value;
	return ERR_OK;
}

static enum err check_ending(struct request *req, struct cut_args *args,
			     const char *ending)
{
	static const struct {
		const char *ending;
		enum cut_type type;
	} chosen[] = {
		{ "mp4", CUT_MP4 },
		{ "mkv", CUT_MKV },
		{ "webm", CUT_WEBM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
		if (strcmp(ending, chosen[i].ending) != 0)
			continue;
		if (request_arg(req, "type") &&
		    args->type != (int)chosen[i].type)
			return err_set(&req->error, ERR_INPUT,
				       "type: '%s' is not what .%s asks for",
				       cut_types[args->type], ending);
		args->type = chosen[i].type;
	}
	return ERR_OK;
}

enum err cut_args_check(struct request *req, struct cut_args *args,
			const char *ending)
{
	enum err err = range_spec_check(
		&args->range, &req->server->settings->limits, 0, &req->error);

	if (!err)
		err = check_transitions(args, &req->error);
	if (!err)
		err = check_overlaps(args, &req->error);
	if (!err)
		err = check_ending(req, args, ending);
	return err ? err : check_crf(args, &req->error);
}
