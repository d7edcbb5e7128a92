/*
 * templatespg.c - templates in PostgreSQL.
 *
 * All that waits does so in wait_for(), under the one deadline of a question,
 * connecting included.  Whatever goes wrong ends the connection, so that the
 * next question finds none or one that is idle.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/templatesback.h"

#define PATIENCE_US  ((int64_t)TEMPLATES_PATIENCE_MS * 1000)
#define MIN_PAUSE_US (INT64_C(2) * 1000000)
#define PAUSE_FACTOR 4
#define MAX_TRIES    4 /* of one question */
#define MAX_RESULTS  8 /* of one statement, and no more are read */

#define TO_TEXT(x)  TO_TEXT_(x)
#define TO_TEXT_(x) #x

/* pg_type.dat */
enum { OID_BYTEA = 17, OID_INT4 = 23, OID_TEXT = 25, OID_INT4_ARRAY = 1007 };

struct templatespg {
	char *conninfo;
	PGconn *conn;
	pid_t owner;	     /* of conn: who opened it */
	int64_t deadline_us; /* of the question that is asked */
	int64_t resume_us;   /* nothing is asked before */
	struct complaint complaint;
};

/* What became of a statement. */
enum outcome {
	ANSWERED,
	LOST,	 /* the connection, or what was set up with it */
	AGAIN,	 /* another transaction was in the way */
	UNFIT,	 /* text that the server's encoding does not have */
	MADE,	 /* the table, by another process */
	REFUSED, /* the rest; the server says why */
	LATE,
};

struct question {
	const char *sql;
	int nr;
	const char *values[2];
	bool is_script; /* several statements, without values */
};

/* Connections */

/*
 * PQfinish() tells the server to end the session, and TLS its other side, but
 * in a child the session is the parent's.  So its descriptor here first becomes
 * a socket that leads nowhere.
 */
static void leave(PGconn *conn)
{
	int nowhere = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = PQsocket(conn);

	if (fd < 0 || (nowhere >= 0 && dup3(nowhere, fd, O_CLOEXEC) >= 0))
		PQfinish(conn);
	fs_close(&nowhere);
}

static void drop(struct templatespg *pg)
{
	if (pg->conn && pg->owner != getpid())
		leave(pg->conn);
	else
		PQfinish(pg->conn);
	pg->conn = NULL;
}

static void log_notice(void *ctx, const PGresult *result)
{
	UNUSED(ctx);
	log_debug("the template database: %.200s",
		  PQresultErrorMessage(result));
}

/* Whether something happened before the deadline. */
static bool wait_for(const struct templatespg *pg, short events)
{
	struct pollfd p = { .fd = PQsocket(pg->conn), .events = events };

	for (;;) {
		int64_t left_us = pg->deadline_us - templates_clock_us();
		int n;

		if (left_us <= 0)
			return false;
		n = poll(&p, 1, (int)(left_us / 1000) + 1);
		if (n > 0 || (n < 0 && errno != EINTR))
			return true; /* libpq finds out what */
	}
}

static PGconn *start(const char *conninfo)
{
	/* Those behind the user's own go before them. */
	static const char *const names[] = { "fallback_application_name",
					     "keepalives_idle",
					     "keepalives_interval",
					     "keepalives_count",
					     "dbname",
					     "client_encoding",
					     NULL };
	const char *const values[] = { "restreamer", "60",   "10", "3",
				       conninfo,     "UTF8", NULL };

	return PQconnectStartParams(names, values, 1);
}

static enum outcome finish_connecting(struct templatespg *pg)
{
	/* As PQconnectPoll() asks for: the first time, to write. */
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (PQstatus(pg->conn) != CONNECTION_BAD) {
		if (!wait_for(pg, status == PGRES_POLLING_READING ? POLLIN :
								    POLLOUT))
			return LATE;
		status = PQconnectPoll(pg->conn);
		if (status == PGRES_POLLING_OK)
			return ANSWERED;
		if (status == PGRES_POLLING_FAILED)
			break;
	}
	return REFUSED;
}

/* Statements */

static bool send_all(const struct templatespg *pg)
{
	int left;

	while ((left = PQflush(pg->conn)) > 0)
		if (!wait_for(pg, POLLOUT) || !PQconsumeInput(pg->conn))
			return false;
	return left == 0;
}

/* The next result, NULL behind the last. */
static enum outcome next_result(struct templatespg *pg, PGresult **result_r)
{
	while (PQisBusy(pg->conn)) {
		if (!wait_for(pg, POLLIN))
			return LATE;
		if (!PQconsumeInput(pg->conn))
			return LOST;
	}
	*result_r = PQgetResult(pg->conn);
	return ANSWERED;
}

/* By the class of the server's error. */
static enum outcome outcome_of(const struct templatespg *pg,
			       const PGresult *result)
{
	static const struct {
		const char *state; /* or how it begins */
		enum outcome outcome;
	} rows[] = {
		{ "40001", AGAIN }, /* serialization_failure */
		{ "40P01", AGAIN }, /* deadlock_detected */
		{ "23505", MADE },  /* unique_violation, in pg_class */
		{ "42P07", MADE },  /* duplicate_table */
		{ "42710", MADE },  /* duplicate_object: its type */
		{ "42P01", LOST },  /* undefined_table: was dropped */
		{ "57P", LOST },    /* the server stops, or starts */
		{ "22", UNFIT },    /* data exceptions */
	};
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (PQresultStatus(result) == PGRES_TUPLES_OK ||
	    PQresultStatus(result) == PGRES_COMMAND_OK)
		return ANSWERED;
	if (PQstatus(pg->conn) == CONNECTION_BAD)
		return LOST;
	for (size_t i = 0; state && i < ARRAY_SIZE(rows); i++)
		if (!strncmp(state, rows[i].state, strlen(rows[i].state)))
			return rows[i].outcome;
	return REFUSED;
}

/* The last result of a statement, or the one that says what was wrong. */
static enum outcome take_results(struct templatespg *pg, PGresult **result_r)
{
	PGresult *last = NULL;

	for (int i = 0; i < MAX_RESULTS; i++) {
		PGresult *next = NULL;
		enum outcome outcome = next_result(pg, &next);

		if (outcome == ANSWERED && next) {
			PQclear(last);
			last = next;
			continue;
		}
		*result_r = last;
		if (outcome == ANSWERED)
			outcome = last ? outcome_of(pg, last) : LOST;
		return outcome;
	}
	*result_r = last;
	return REFUSED; /* a COPY, which never ends */
}

/* *result_r is to be cleared, whatever the outcome. */
static enum outcome run(struct templatespg *pg, const struct question *q,
			PGresult **result_r)
{
	int is_sent = q->is_script ?
			      PQsendQuery(pg->conn, q->sql) :
			      PQsendQueryParams(pg->conn, q->sql, q->nr, NULL,
						q->values, NULL, NULL, 1);

	*result_r = NULL;
	if (!is_sent || !send_all(pg))
		return templates_clock_us() < pg->deadline_us ? LOST : LATE;
	return take_results(pg, result_r);
}

/* A session: serializable, bounded by the server too, with its table. */
static enum outcome set_up(struct templatespg *pg, PGresult **result_r)
{
	static const struct question begin = {
		.sql = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION "
		       "LEVEL SERIALIZABLE; "
		       "SET statement_timeout = " TO_TEXT(
			       TEMPLATES_PATIENCE_MS) ";"
						      "SELECT to_regclass('templates') IS NOT NULL",
		.is_script = true,
	};
	static const struct question create = {
		.sql = "CREATE TABLE IF NOT EXISTS templates ("
		       "name text PRIMARY KEY, "
		       "image bytea NOT NULL, "
		       "description text NOT NULL DEFAULT '', "
		       "attribution text NOT NULL DEFAULT '', "
		       "crop integer[4] NOT NULL, "
		       "location integer[4] NOT NULL)",
	};
	enum outcome outcome = run(pg, &begin, result_r);

	/* Who may not create tables must not try to where there is one. */
	if (outcome != ANSWERED || PQntuples(*result_r) != 1 ||
	    *PQgetvalue(*result_r, 0, 0) == 't')
		return outcome;
	PQclear(*result_r);
	outcome = run(pg, &create, result_r);
	return outcome == MADE ? ANSWERED : outcome;
}

static enum outcome open_session(struct templatespg *pg, PGresult **result_r)
{
	enum outcome outcome;

	pg->owner = getpid();
	pg->conn = start(pg->conninfo);
	PQsetNoticeReceiver(pg->conn, log_notice, NULL);
	outcome = finish_connecting(pg);
	if (outcome != ANSWERED)
		return outcome;
	/* A full socket must not stop us either. */
	if (PQsetnonblocking(pg->conn, 1) < 0)
		return LOST;
	return set_up(pg, result_r);
}

/* Questions */

static bool is_open(const struct templatespg *pg)
{
	return pg->conn && pg->owner == getpid();
}

static enum outcome attempt(struct templatespg *pg, const struct question *q,
			    PGresult **result_r)
{
	enum outcome outcome = ANSWERED;

	*result_r = NULL;
	if (!is_open(pg)) {
		drop(pg);
		outcome = open_session(pg, result_r);
	}
	if (outcome == ANSWERED) {
		PQclear(*result_r);
		outcome = run(pg, q, result_r);
	}
	return outcome;
}

/* Whether another attempt may end better. */
static bool is_worth_it(enum outcome outcome, bool was_open)
{
	return outcome == AGAIN || (outcome == LOST && was_open);
}

/* What was wrong, in a line for the log. */
static void explain(const struct templatespg *pg, enum outcome outcome,
		    const PGresult *result, struct errmsg *why)
{
	const char *text = outcome == LATE ? "no answer in time" :
			   result	   ? PQresultErrorMessage(result) :
					     PQerrorMessage(pg->conn);

	err_set(why, ERR_BUSY, "%s", *text ? text : "the connection was lost");
	for (char *p = why->text; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = p[1] ? ' ' : '\0';
}

static enum err refuse(struct errmsg *e)
{
	return err_set(e, ERR_BUSY,
		       "the template database cannot be reached; try again "
		       "later");
}

static enum err fail(struct templatespg *pg, int64_t begun_us,
		     const struct errmsg *why, struct errmsg *e)
{
	int64_t now_us = templates_clock_us();
	int64_t pause_us = PAUSE_FACTOR * (now_us - begun_us);

	pg->resume_us =
		now_us + (pause_us > MIN_PAUSE_US ? pause_us : MIN_PAUSE_US);
	if (complaint_is_due(&pg->complaint))
		log_warning("the template database fails: %s", why->text);
	return refuse(e);
}

static enum err succeed(struct templatespg *pg)
{
	if (pg->complaint.told_us)
		log_info("the template database answers again");
	pg->complaint.told_us = 0;
	return ERR_OK;
}

/*
 * Asks, if need be again.  ERR_NOTFOUND for text that the database cannot hold,
 * ERR_BUSY.  The result is the caller's, to be cleared.
 */
static enum err ask(struct templatespg *pg, const struct question *q,
		    PGresult **result_r, struct errmsg *e)
{
	int64_t begun_us = templates_clock_us();
	struct errmsg why;

	if (begun_us < pg->resume_us)
		return refuse(e);
	pg->deadline_us = begun_us + PATIENCE_US;
	for (int i = 0; i < MAX_TRIES; i++) {
		bool was_open = is_open(pg);
		PGresult *result;
		enum outcome outcome = attempt(pg, q, &result);

		if (outcome == ANSWERED) {
			*result_r = result;
			return succeed(pg);
		}
		explain(pg, outcome, result, &why);
		PQclear(result);
		if (outcome == UNFIT)
			return ERR_NOTFOUND;
		if (outcome != AGAIN)
			drop(pg);
		if (!is_worth_it(outcome, was_open))
			break;
	}
	return fail(pg, begun_us, &why, e);
}

/* Rows */

enum column {
	COLUMN_NAME,
	COLUMN_DESCRIPTION,
	COLUMN_ATTRIBUTION,
	COLUMN_CROP,
	COLUMN_LOCATION,
	COLUMN_IMAGE_SIZE, /* these two of one template only */
	COLUMN_IMAGE,
	COLUMN_COUNT
};

/* What is too large, or no box at all, comes as NULL. */
#define BOUNDED(column)                                                        \
	"CASE WHEN octet_length(" column                                       \
	"::text) <= " TO_TEXT(TEMPLATE_MAX_TEXT) " THEN " column "::text END"
#define BOX(column) "CASE WHEN cardinality(" column ") = 4 THEN " column " END"
#define SELECT_COLUMNS                                                                                               \
	"SELECT CASE WHEN octet_length(name::text) <= " TO_TEXT(TEMPLATE_MAX_NAME) " THEN name::text END, " BOUNDED( \
		"coalesce(description, '')") ", " BOUNDED("coalesce(attribution, '')") ", " BOX("crop") ", " BOX("location")

static enum err check_columns(const PGresult *result, int nr, struct errmsg *e)
{
	static const Oid types[COLUMN_COUNT] = {
		[COLUMN_NAME] = OID_TEXT,
		[COLUMN_DESCRIPTION] = OID_TEXT,
		[COLUMN_ATTRIBUTION] = OID_TEXT,
		[COLUMN_CROP] = OID_INT4_ARRAY,
		[COLUMN_LOCATION] = OID_INT4_ARRAY,
		[COLUMN_IMAGE_SIZE] = OID_INT4,
		[COLUMN_IMAGE] = OID_BYTEA,
	};

	if (PQnfields(result) != nr)
		BUG("a question with other columns than %d", nr);
	for (int i = 0; i < nr; i++)
		if (PQftype(result, i) != types[i] || PQfformat(result, i) != 1)
			return err_set(e, ERR_CORRUPT,
				       "the table of templates has a column of "
				       "another type than it should (the %dth)",
				       i + 1);
	return ERR_OK;
}

static int32_t read_int(const char *data)
{
	uint32_t value;

	memcpy(&value, data, sizeof(value));
	return (int32_t)ntohl(value);
}

/* An array as array_send() writes it: of one dimension, without NULLs. */
static bool take_box(const PGresult *result, int row, int column,
		     struct box *box_r)
{
	enum { NR_DIMS, HAS_NULLS, TYPE, LENGTH, LOWER_BOUND, NR_FIRST };
	const char *data = PQgetvalue(result, row, column);
	int32_t first[NR_FIRST];
	int64_t sides[BOX_SIDES];

	if (PQgetlength(result, row, column) != NR_FIRST * 4 + BOX_SIDES * 8)
		return false;
	for (int i = 0; i < NR_FIRST; i++, data += 4)
		first[i] = read_int(data);
	if (first[NR_DIMS] != 1 || first[TYPE] != OID_INT4 ||
	    first[LENGTH] != BOX_SIDES)
		return false;
	for (int i = 0; i < BOX_SIDES; i++, data += 8) {
		if (read_int(data) != 4)
			return false;
		sides[i] = read_int(data + 4);
	}
	*box_r = templates_box(sides);
	return true;
}

/* What it points to is the result's. */
static enum err read_row(const PGresult *result, int row, struct template *t,
			 struct errmsg *e)
{
	const char *wrong = NULL;

	if (PQgetisnull(result, row, COLUMN_NAME))
		return err_set(e, ERR_CORRUPT,
			       "the name of a template is longer than %d bytes",
			       TEMPLATE_MAX_NAME);
	t->name = PQgetvalue(result, row, COLUMN_NAME);
	t->description = PQgetvalue(result, row, COLUMN_DESCRIPTION);
	t->attribution = PQgetvalue(result, row, COLUMN_ATTRIBUTION);
	if (PQgetisnull(result, row, COLUMN_DESCRIPTION))
		wrong = "description is longer than " TO_TEXT(
			TEMPLATE_MAX_TEXT) " bytes";
	else if (PQgetisnull(result, row, COLUMN_ATTRIBUTION))
		wrong = "attribution is longer than " TO_TEXT(
			TEMPLATE_MAX_TEXT) " bytes";
	else if (!take_box(result, row, COLUMN_CROP, &t->crop))
		wrong = "crop is not four numbers";
	else if (!take_box(result, row, COLUMN_LOCATION, &t->location))
		wrong = "location is not four numbers";
	if (wrong)
		return err_set(e, ERR_CORRUPT, "the template '%s': its %s",
			       err_quote(t->name).text, wrong);
	return ERR_OK;
}

/* What templates.c asks */

static void clear_result(void *ptr)
{
	PQclear(ptr);
}

enum err templatespg_get(struct templatespg *pg, struct arena *a,
			 const char *name, struct template *t, struct errmsg *e)
{
	const struct question q = {
		.sql = SELECT_COLUMNS
		", octet_length(image), "
		"CASE WHEN octet_length(image) <= $2::int4 THEN image END "
		"FROM templates WHERE name = $1",
		.nr = 2,
		.values = { name, arena_printf(a, "%zu", TEMPLATE_MAX_BYTES) },
	};
	PGresult *result;
	enum err err = ask(pg, &q, &result, e);

	if (err)
		return err;
	arena_defer(a, clear_result, result);
	err = check_columns(result, COLUMN_COUNT, e);
	if (err)
		return err;
	if (!PQntuples(result))
		return ERR_NOTFOUND;
	if (!PQgetisnull(result, 0, COLUMN_IMAGE_SIZE))
		t->image_size = (size_t)read_int(
			PQgetvalue(result, 0, COLUMN_IMAGE_SIZE));
	if (!PQgetisnull(result, 0, COLUMN_IMAGE))
		t->image = (const uint8_t *)PQgetvalue(result, 0, COLUMN_IMAGE);
	return read_row(result, 0, t, e);
}

enum err templatespg_list(struct templatespg *pg, struct templatelist *list,
			  struct errmsg *e)
{
	static const struct question q = {
		/* One more says that there are too many. */
		.sql = SELECT_COLUMNS " FROM templates "
				      "LIMIT 1 + " TO_TEXT(TEMPLATES_MAX),
	};
	PGresult *result;
	enum err err = ask(pg, &q, &result, e);

	if (err == ERR_NOTFOUND)
		return err_set(e, ERR_CORRUPT,
			       "a template has text that is no Unicode");
	if (err)
		return err;
	err = check_columns(result, COLUMN_IMAGE_SIZE, e);
	for (int i = 0; !err && i < PQntuples(result); i++) {
		struct template t = { 0 };
		struct errmsg why;

		err = read_row(result, i, &t, &why) ?
			      templatelist_leave_out(list, &why, e) :
			      templatelist_add(list, &t, e);
	}
	PQclear(result);
	return err;
}

struct templatespg *templatespg_new(const char *conninfo)
{
	struct templatespg *pg = mem_zero(sizeof(*pg));

	pg->conninfo = mem_strdup(conninfo);
	return pg;
}

void templatespg_free(struct templatespg **pg)
{
	if (!*pg)
		return;
	drop(*pg);
	free((*pg)->conninfo);
	free(*pg);
	*pg = NULL;
}

enum err templates_check_conninfo(const char *conninfo, struct errmsg *e)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);

	if (!options)
		return err_set(e, ERR_INPUT,
			       "--db: postgresql://USER@HOST/DATABASE, or "
			       "key=value pairs as libpq takes them");
	PQconninfoFree(options);
	return ERR_OK;
}
