#include "config.h"

#include "store/templatesback.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

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

static enum err no_store(struct errmsg *e)
{
	return err_set(e, ERR_UNBUILT,
		       "there is no store of templates: see --db and "
		       "--templates");
}

/* One */

enum err templates_get(struct templates *store, struct arena *a,
		       const char *name, const struct template **template_r,
		       struct errmsg *e)
{
	struct template *t = ARENA_NEW(a, struct template);
	enum err err = ERR_NOTFOUND;

	if (!store->pg && !store->dir)
		return no_store(e);
	if (template_has_name(name) && store->pg)
		err = templatespg_get(store->pg, a, name, t, e);
	else if (template_has_name(name))
		err = templatesdir_get(&store->unreachable, store->dir, a, name,
				       t, e);
	if (err == ERR_NOTFOUND)
		return err_set(e, err, "there is no template '%s'",
			       err_quote(name).text);
	if (!err)
		err = template_check(t, e);
	if (!err)
		err = template_check_image(t, e);
	if (!err)
		*template_r = t;
	return err;
}

/* All */

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
