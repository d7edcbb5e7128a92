/*
 * templatesback.h - what is behind templates.h, for its own files.
 *
 * Both kinds of store answer as templates.h says, but what they found is not
 * checked yet: templates.c does that.
 */
#ifndef STORE_TEMPLATESBACK_H
#define STORE_TEMPLATESBACK_H

#include <stdbool.h>

#include "store/templates.h"

#define BOX_SIDES 4

/* A failure that lasts is told once a minute. */
struct complaint {
	int64_t told_us; /* monotonic; 0: never, or all is well again */
};
bool complaint_is_due(struct complaint *c) MUST_CHECK;

/* Monotonic, never 0. */
int64_t templates_clock_us(void);

/* Whether it can be one. */
bool template_has_name(const char *name) MUST_CHECK;

/* All but the image; ERR_CORRUPT. */
enum err template_check(const struct template *t, struct errmsg *e) MUST_CHECK;

/* ERR_CORRUPT, ERR_LIMIT. */
enum err template_check_image(const struct template *t,
			      struct errmsg *e) MUST_CHECK;

/* A list in the making. */
struct templatelist {
	struct arena *a;
	struct template *rows;
	size_t nr;
	size_t capacity;
	size_t nr_left_out;
	struct errmsg why; /* the first of those */
};

/* Adds a copy of one, if it makes sense.  ERR_LIMIT if there are too many. */
enum err templatelist_add(struct templatelist *list, const struct template *t,
			  struct errmsg *e) MUST_CHECK;

/* Counts one that is no template, for the reason given. */
enum err templatelist_leave_out(struct templatelist *list,
				const struct errmsg *why,
				struct errmsg *e) MUST_CHECK;

/* Four numbers as they were found; the box is checked with the rest. */
struct box templates_box(const int64_t sides[BOX_SIDES]);

/* In a directory. */
enum err templatesdir_get(struct complaint *complaint, const char *dir,
			  struct arena *a, const char *name,
			  struct template *template_r,
			  struct errmsg *e) MUST_CHECK;
enum err templatesdir_list(struct complaint *complaint, const char *dir,
			   struct templatelist *list,
			   struct errmsg *e) MUST_CHECK;

/* In PostgreSQL. */
struct templatespg;
struct templatespg *templatespg_new(const char *conninfo) MUST_CHECK;
void templatespg_free(struct templatespg **pg);
enum err templatespg_get(struct templatespg *pg, struct arena *a,
			 const char *name, struct template *template_r,
			 struct errmsg *e) MUST_CHECK;
enum err templatespg_list(struct templatespg *pg, struct templatelist *list,
			  struct errmsg *e) MUST_CHECK;

#endif
