#include "config.h"

#include "param.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "archive/bestseg.h"
#include "base/utime.h"
#include "picture/box.h"

enum err param_parse_time(const struct request *req, const char *text,
			  usec_t *us_r, struct errmsg *e)
{
	return utime_parse(text, req->now_us,
			   req->client->any_offset ? UTIME_ANY_OFFSET :
						     UTIME_UTC_ONLY,
			   us_r, e);
}

enum err param_parse_range(const struct request *req, const char *text,
			   void *element, struct errmsg *e)
{
	struct time_range *range = element;
	const char *comma = strchr(text, ',');
	char start[128];
	enum err err;

	if (!comma || strchr(comma + 1, ',') ||
	    (size_t)(comma - text) >= sizeof(start))
		return err_set(e, ERR_INPUT,
			       "'%s' is not START,END: two times and a comma",
			       err_quote(text).text);
	memcpy(start, text, (size_t)(comma - text));
	start[comma - text] = '\0';
	err = param_parse_time(req, start, &range->start_us, e);
	return err ? err : param_parse_time(req, comma + 1, &range->end_us, e);
}

static enum err fill_enum(const struct param *p, const char *text, int *field,
			  struct errmsg *e)
{
	char allowed[200] = "";
	size_t at = 0;

	for (int i = 0; p->choices[i]; i++) {
		if (!strcmp(p->choices[i], text)) {
			*field = i;
			return ERR_OK;
		}
		if (at < sizeof(allowed))
			at += (size_t)snprintf(allowed + at,
					       sizeof(allowed) - at, "%s%s",
					       i ? ", " : "", p->choices[i]);
	}
	return err_set(e, ERR_INPUT, "'%s' is none of: %s",
		       err_quote(text).text, allowed);
}

static enum err fill_bool(const char *text, bool *field, struct errmsg *e)
{
	bool yes = !strcasecmp(text, "true");

	if (!yes && strcasecmp(text, "false") != 0)
		return err_set(e, ERR_INPUT, "'%s' is neither true nor false",
			       err_quote(text).text);
	*field = yes;
	return ERR_OK;
}

static enum err fill_int(const struct param *p, const char *text, int *field,
			 struct errmsg *e)
{
	size_t nr = strspn(text, "0123456789");
	long value = nr && nr < 10 && !text[nr] ? strtol(text, NULL, 10) : -1;

	if (value < p->min || value > p->max)
		return err_set(e, ERR_INPUT, "'%s' is no number from %d to %d",
			       err_quote(text).text, p->min, p->max);
	*field = (int)value;
	return ERR_OK;
}

static enum err fill_text(const char *text, const char **field,
			  struct errmsg *e)
{
	if (!*text)
		return err_set(e, ERR_INPUT, "is empty");
	*field = text;
	return ERR_OK;
}

/* Parses every value of that name, in order. */
static enum err fill_list(struct request *req, const struct param *p,
			  char *spec, struct errmsg *e)
{
	char *elements;
	size_t nr = 0;

	for (size_t i = 0; i < req->nr_args; i++)
		nr += !strcmp(req->args[i].name, p->name);
	elements = arena_alloc(&req->arena, nr * p->element_size);
	memcpy(spec + p->offset, &elements, sizeof(elements));
	memcpy(spec + p->extra, &nr, sizeof(nr));
	for (size_t i = 0; i < req->nr_args; i++) {
		enum err err;

		if (strcmp(req->args[i].name, p->name) != 0)
			continue;
		err = p->parse(req, req->args[i].value, elements, e);
		if (err)
			return err;
		elements += p->element_size;
	}
	return ERR_OK;
}

static enum err fill_single(struct request *req, const struct param *p,
			    const char *text, char *spec, struct errmsg *e)
{
	void *field = spec + p->offset;
	enum err err;

	switch (p->type) {
	case PARAM_TIME:
		err = param_parse_time(req, text, field, e);
		if (!err)
			*(bool *)(spec + p->extra) = true;
		return err;
	case PARAM_BOOL:
		return fill_bool(text, field, e);
	case PARAM_ENUM:
		return fill_enum(p, text, field, e);
	case PARAM_INT:
		return fill_int(p, text, field, e);
	case PARAM_TEXT:
		return fill_text(text, field, e);
	case PARAM_BOX:
		*(bool *)(spec + p->extra) = true;
		return box_parse(text, field, e);
	case PARAM_END:
	case PARAM_LIST:
		break;
	}
	BUG("argument '%s' has no type", p->name);
}

static enum err fill_one(struct request *req, const struct param *p, char *spec,
			 struct errmsg *e)
{
	const char *text = request_arg(req, p->name);

	if (p->type == PARAM_LIST)
		return fill_list(req, p, spec, e);
	if (!text && (p->flags & PARAM_REQUIRED))
		return err_set(e, ERR_INPUT, "is required");
	text = text ? text : p->dflt;
	return text ? fill_single(req, p, text, spec, e) : ERR_OK;
}

enum err param_fill(struct request *req, const struct param *params, void *spec)
{
	struct errmsg e = { "" };

	for (const struct param *p = params; p && p->name; p++) {
		enum err err = fill_one(req, p, spec, &e);

		if (err)
			return err_set(&req->error, err, "%s: %s", p->name,
				       e.text);
	}
	return ERR_OK;
}
