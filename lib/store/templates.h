/*
 * templates.h - the pictures that thumbnails are put under, by name.
 *
 * They are in a table of PostgreSQL, which is made if it is absent, or in a
 * directory, as NAME.png and NAME.json: {"crop": [left, top, right, bottom],
 * "location": [...], "description": "", "attribution": ""}.
 *
 * A database that is slow or gone costs a caller seconds at most, and then for
 * a moment nothing: it is asked again only after that.  A connection that was
 * lost is made anew.  A process that was forked must not use its parent's
 * store, nor close it.
 *
 * What is in the store is as hostile as all else from outside: the boxes given
 * are checked, the image is bytes.
 *
 * Errors: ERR_UNBUILT without a store, ERR_NOTFOUND for a name that is not
 *         there (or can be none), ERR_BUSY while the database cannot be
 *         reached, ERR_LIMIT for an image that is too large, ERR_CORRUPT for a
 *         template that makes no sense, ERR_IO.
 * Owner:  templates are in the arena; the store is closed by its opener.
 */
#ifndef STORE_TEMPLATES_H
#define STORE_TEMPLATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "picture/box.h"

#define TEMPLATE_MAX_BYTES ((size_t)20 * 1024 * 1024) /* of an image */
#define TEMPLATES_MAX	   10000

struct template
{
	const char *name;
	const uint8_t *image; /* a file; NULL in a list */
	size_t image_size;
	const char *description; /* UTF-8, maybe "" */
	const char *attribution;
	struct box crop;     /* of the picture */
	struct box location; /* in the template */
};

struct templates;

/*
 * conninfo goes before dir; with neither there is no store, and all that is
 * asked is ERR_UNBUILT.  Nothing is opened before it is asked.
 */
struct templates *templates_new(const char *conninfo,
				const char *dir) MUST_CHECK;
void templates_free(struct templates **store);

enum err templates_get(struct templates *store, struct arena *a,
		       const char *name, const struct template **template_r,
		       struct errmsg *e) MUST_CHECK;

/* All of them without their images, by byte value of the name. */
enum err templates_list(struct templates *store, struct arena *a,
			const struct template **list_r, size_t *nr_r,
			struct errmsg *e) MUST_CHECK;

#endif
