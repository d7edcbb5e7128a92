/*
 * templates.h - the pictures that thumbnails are put under, by name.
 *
 * They are in a table of PostgreSQL, which is made if it is absent, or in a
 * directory, as NAME.png and NAME.json: {"crop": [left, top, right, bottom],
 * "location": [...], "description": "", "attribution": ""}.  One of the two
 * files alone is nothing; symbolic links are followed inside the directory.
 *
 * A database that is slow or gone costs a caller TEMPLATES_PATIENCE_MS at most,
 * and is then not asked for two seconds, or for four times as long as it took:
 * so a process spends at most a fifth of its time on it.  A connection that was
 * lost is made anew for the same question.  The names of hosts are looked up
 * without that limit, as the resolver likes: give addresses, names of
 * /etc/hosts, or sockets.  Of several hosts the first that takes connections
 * must answer.
 *
 * A process that was forked may use and close its parent's store: it leaves
 * the connection to its parent, and opens one of its own if it asks.
 *
 * What is in the store is as hostile as all else from outside: sizes, texts and
 * boxes are checked, the image is bytes.  Texts may have control characters.
 *
 * Errors: ERR_UNBUILT without a store, ERR_NOTFOUND for a name that is not
 *         there (or can be none), ERR_BUSY while the database or the directory
 *         cannot be reached (the log says why, once a minute), ERR_LIMIT for an
 *         image or a list that is too large, ERR_CORRUPT for a template that
 *         makes no sense, ERR_IO for a file that cannot be read.
 * Owner:  templates are in the arena; the store is closed by its opener.
 */
#ifndef STORE_TEMPLATES_H
#define STORE_TEMPLATES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "picture/box.h"

#define TEMPLATE_MAX_BYTES    ((size_t)20 * 1024 * 1024) /* of an image */
#define TEMPLATE_MAX_TEXT     4096 /* bytes of a description, an attribution */
#define TEMPLATE_MAX_NAME     255  /* bytes */
#define TEMPLATES_MAX	      10000
#define TEMPLATES_PATIENCE_MS 3000

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
 * Whether libpq can read it; ERR_INPUT does not repeat it, as it may hold a
 * password.
 */
enum err templates_check_conninfo(const char *conninfo,
				  struct errmsg *e) MUST_CHECK;

/*
 * conninfo goes before dir; with neither (NULL or "") there is no store, and
 * all that is asked is ERR_UNBUILT.  Nothing is opened before it is asked.
 */
struct templates *templates_new(const char *conninfo,
				const char *dir) MUST_CHECK;
void templates_free(struct templates **store);

enum err templates_get(struct templates *store, struct arena *a,
		       const char *name, const struct template **template_r,
		       struct errmsg *e) MUST_CHECK;

/*
 * All of them without their images, by byte value of the name.  Those that
 * templates_get() would call corrupt are left out; the log says so.
 */
enum err templates_list(struct templates *store, struct arena *a,
			const struct template **list_r, size_t *nr_r,
			struct errmsg *e) MUST_CHECK;

#endif
