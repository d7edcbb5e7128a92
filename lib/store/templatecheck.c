/*
 * templatecheck.c - what both kinds of store share: templates that make sense,
 * lists of those, and complaints that are not repeated.
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include "base/uri.h"
#include "store/templatesback.h"

#define TELL_EVERY_US (INT64_C(60) * 1000000)

int64_t templates_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + 1;
}

bool complaint_is_due(struct complaint *c)
{
	int64_t now_us = templates_clock_us();

	if (c->told_us && now_us < c->told_us + TELL_EVERY_US)
		return false;
	c->told_us = now_us;
	return true;
}

/* Checking */

static enum err check_text(const struct template *t, const char *text,
			   const char *what, struct errmsg *e)
{
	size_t len = strlen(text);

	if (len > TEMPLATE_MAX_TEXT)
		return err_set(e, ERR_CORRUPT,
			       "the template '%s': its %s is longer than %d "
			       "bytes",
			       err_quote(t->name).text, what,
			       TEMPLATE_MAX_TEXT);
	if (!uri_is_utf8(text, len))
		return err_set(e, ERR_CORRUPT,
			       "the template '%s': its %s is not UTF-8",
			       err_quote(t->name).text, what);
	return ERR_OK;
}

static enum err check_box(const struct template *t, const struct box *box,
			  const char *what, struct errmsg *e)
{
	struct errmsg why;

	if (!box_check(box, &why))
		return ERR_OK;
	return err_set(e, ERR_CORRUPT, "the template '%s': its %s: %s",
		       err_quote(t->name).text, what, why.text);
}

bool template_has_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= TEMPLATE_MAX_NAME && uri_is_utf8(name, len);
}

enum err template_check(const struct template *t, struct errmsg *e)
{
	enum err err = ERR_OK;

	if (!template_has_name(t->name))
		err = err_set(e, ERR_CORRUPT,
			      "'%s' is no name: 1 to %d bytes of UTF-8",
			      err_quote(t->name).text, TEMPLATE_MAX_NAME);
	if (!err)
		err = check_text(t, t->description, "description", e);
	if (!err)
		err = check_text(t, t->attribution, "attribution", e);
	if (!err)
		err = check_box(t, &t->crop, "crop", e);
	if (!err)
		err = check_box(t, &t->location, "location", e);
	return err;
}

struct box templates_box(const int64_t sides[BOX_SIDES])
{
	int at[BOX_SIDES];

	/* What no box may have stays what no box may have. */
	for (int i = 0; i < BOX_SIDES; i++)
		at[i] = sides[i] < -BOX_MAX_AT ? -BOX_MAX_AT - 1 :
			sides[i] > BOX_MAX_AT  ? BOX_MAX_AT + 1 :
						 (int)sides[i];
	return (struct box){ at[0], at[1], at[2], at[3] };
}

enum err template_check_image(const struct template *t, struct errmsg *e)
{
	if (!t->image_size)
		return err_set(e, ERR_CORRUPT,
			       "the template '%s': its image is empty",
			       err_quote(t->name).text);
	if (t->image_size > TEMPLATE_MAX_BYTES)
		return err_set(e, ERR_LIMIT,
			       "the template '%s': its image is larger than "
			       "%zu MB",
			       err_quote(t->name).text,
			       TEMPLATE_MAX_BYTES >> 20);
	return ERR_OK;
}

/* Lists */

enum err templatelist_leave_out(struct templatelist *list,
				const struct errmsg *why, struct errmsg *e)
{
	if (list->nr + list->nr_left_out == TEMPLATES_MAX)
		return err_set(e, ERR_LIMIT, "there are more than %d templates",
			       TEMPLATES_MAX);
	if (!list->nr_left_out++)
		list->why = *why;
	return ERR_OK;
}

static const char *copy(const struct templatelist *list, const char *text)
{
	return arena_strndup(list->a, text, strlen(text));
}

enum err templatelist_add(struct templatelist *list, const struct template *t,
			  struct errmsg *e)
{
	struct errmsg why;

	if (list->nr + list->nr_left_out == TEMPLATES_MAX ||
	    template_check(t, &why))
		return templatelist_leave_out(list, &why, e);
	list->rows = arena_grow(list->a, list->rows, list->nr, &list->capacity,
				sizeof(*t));
	list->rows[list->nr++] = (struct template){
		.name = copy(list, t->name),
		.description = copy(list, t->description),
		.attribution = copy(list, t->attribution),
		.crop = t->crop,
		.location = t->location,
	};
	return ERR_OK;
}
