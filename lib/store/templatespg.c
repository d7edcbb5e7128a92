/*
 * templatespg.c - templates in PostgreSQL.
 *
 * All that waits does so in wait_for(), under the one deadline of a question,
 * connecting included.  Whatever goes wrong ends the connection, so that the
 * next question finds none or one that is idle.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/templatespg.h"

#define PATIENCE_US  ((int64_t)TEMPLATES_PATIENCE_MS * 1000)
#define MIN_PAUSE_US (INT64_C(2) * 1000000)
#define PAUSE_FACTOR 4
#define MAX_TRIES    4 /* of one question */
#define MAX_RESULTS  8 /* of one statement, and no more are read */

#define TIMEOUT TO_TEXT(TEMPLATES_PATIENCE_MS)

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
		       "SET statement_timeout = " TIMEOUT "; "
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
	    PQgetlength(*result_r, 0, 0) != 1 ||
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

enum err templatespg_ask(struct templatespg *pg, const struct question *q,
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
