/*
 * templatespg.h - asking PostgreSQL, for the questions of templatessql.c.
 */
#ifndef STORE_TEMPLATESPG_H
#define STORE_TEMPLATESPG_H

#include <libpq-fe.h>

#include "store/templatesback.h"

#define TO_TEXT(x)  TO_TEXT_(x)
#define TO_TEXT_(x) #x

/* Values are text; answers are binary, but those of a script. */
struct question {
	const char *sql;
	int nr;
	const char *values[2];
	bool is_script; /* several statements, without values */
};

/*
 * Asks, if need be again.  ERR_NOTFOUND for text that the database cannot hold,
 * ERR_BUSY.  The result is the caller's, to be cleared.
 */
enum err templatespg_ask(struct templatespg *pg, const struct question *q,
			 PGresult **result_r, struct errmsg *e) MUST_CHECK;

#endif
