#include "config.h"

#include "store/templatesback.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/uri.h"

#define TELL_EVERY_US (INT64_C(60) * 1000000)

struct templates {
	char *dir;
	struct templatespg *pg;
	struct complaint unreachable; /* the directory */
	struct complaint left_out;
};

struct templates *templates_new(const char *conninfo, const char *dir)
{
	struct templates *store = mem_zero(sizeof(*store));

	if (conninfo && *conninfo)
		store->pg = templatespg_new(conninfo);
	else if (dir && *dir)
		store->dir = mem_strdup(dir);
	return store;
}

void templates_free(struct templates **store)
{
	if (!*store)
		return;
	templatespg_free(&(*store)->pg);
	free((*store)->dir);
	free(*store);
	*store = NULL;
}

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

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= TEMPLATE_MAX_NAME && uri_is_utf8(name, len);
}

static enum err check(const struct template *t, struct errmsg *e)
{
	enum err err = ERR_OK;

	if (!is_name(t->name))
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

static enum err no_store(struct errmsg *e)
{
	return err_set(e, ERR_UNBUILT,
		       "there is no store of templates: see --db and "
		       "--templates");
}

/* One */

static enum err check_image(const struct template *t, struct errmsg *e)
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

enum err templates_get(struct templates *store, struct arena *a,
		       const char *name, const struct template **template_r,
		       struct errmsg *e)
{
	struct template *t = ARENA_NEW(a, struct template);
	enum err err = ERR_NOTFOUND;

	if (!store->pg && !store->dir)
		return no_store(e);
	if (is_name(name) && store->pg)
		err = templatespg_get(store->pg, a, name, t, e);
	else if (is_name(name))
		err = templatesdir_get(&store->unreachable, store->dir, a, name,
				       t, e);
	if (err == ERR_NOTFOUND)
		return err_set(e, err, "there is no template '%s'",
			       err_quote(name).text);
	if (!err)
		err = check(t, e);
	if (!err)
		err = check_image(t, e);
	if (!err)
		*template_r = t;
	return err;
}

/* All */

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

	if (list->nr + list->nr_left_out == TEMPLATES_MAX || check(t, &why))
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

static int by_name(const void *a, const void *b)
{
	const struct template *x = a;
	const struct template *y = b;

	return strcmp(x->name, y->name);
}

enum err templates_list(struct templates *store, struct arena *a,
			const struct template **list_r, size_t *nr_r,
			struct errmsg *e)
{
	struct templatelist list = { .a = a };
	enum err err;

	if (store->pg)
		err = templatespg_list(store->pg, &list, e);
	else if (store->dir)
		err = templatesdir_list(&store->unreachable, store->dir, &list,
					e);
	else
		err = no_store(e);
	if (err)
		return err;
	if (list.nr_left_out && complaint_is_due(&store->left_out))
		log_warning("%zu of %zu templates are left out: %s",
			    list.nr_left_out, list.nr_left_out + list.nr,
			    list.why.text);
	if (list.nr)
		qsort(list.rows, list.nr, sizeof(*list.rows), by_name);
	*list_r = list.rows;
	*nr_r = list.nr;
	return ERR_OK;
}
