/*
 * consolestatus.c - status and requests: what every process is doing.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "client.h"
#include "console.h"
#include "procstat.h"
#include "route.h"
#include "request.h"

#define MAX_ANSWER ((size_t)4 * 1024 * 1024)
#define US_PER_SEC 1e6

static const char *const state_names[] = {
	[SLOT_FREE] = "free",	    [SLOT_IDLE] = "idle",
	[SLOT_READING] = "reading", [SLOT_LIGHT] = "light",
	[SLOT_HEAVY] = "heavy",
};

/* A slot as it was at one moment, more or less; numbers are checked. */
struct row {
	const char *role;
	uint32_t slot;
	pid_t pid;
	enum slot_state state;
	int64_t for_us; /* in that state */
	uint32_t nr_served;
	const char *endpoint; /* or NULL */
	const char *method;   /* or NULL */
	bool is_waiting;
	uint64_t sent;
	uint64_t length;
	struct slot_text text;
	struct procstat stat;
};

/* False if nobody has the slot. */
static bool look_at(struct scoreboard *board, uint32_t i, struct row *row)
{
	struct slot_info *slot = &board->slots[i];
	bool is_worker = i < board->nr_workers;
	const struct route *route;
	int state = slot->state;
	int method = slot->method;

	*row = (struct row){
		.role = is_worker ? "worker" : "heavy",
		.slot = is_worker ? i : i - board->nr_workers,
		.pid = owner_pid(slot->owner),
		.nr_served = slot->nr_served,
		.is_waiting = slot->is_waiting,
		.sent = slot->progress.sent,
		.length = slot->progress.length,
		.for_us = scoreboard_now() - slot->since_us,
	};
	if (!row->pid || state < SLOT_FREE || state > SLOT_HEAVY)
		return false;
	row->state = (enum slot_state)state;
	if (!procstat_of(row->pid, &row->stat))
		row->stat = (struct procstat){ .state = '?' };
	if (state != SLOT_LIGHT && state != SLOT_HEAVY)
		return true;
	route = route_at(slot->route);
	row->endpoint = route ? route->name : NULL;
	if (row->endpoint && method >= 0 && method < METHOD_COUNT)
		row->method = method_names[method];
	if (!slotnote_read(&slot->note, &row->text))
		row->text = (struct slot_text){ .uri = "?" };
	return true;
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static void put_quoted(struct text *out, const char *text)
{
	console_quote(out, or_dash(text));
}

static void put_age(struct text *out, int64_t us)
{
	long long seconds = us / 1000000;

	if (seconds < 60)
		text_printf(out, "%.1f s", (double)us / US_PER_SEC);
	else if (seconds < 3600)
		text_printf(out, "%lld min %02lld s", seconds / 60,
			    seconds % 60);
	else
		text_printf(out, "%lld h %02lld min", seconds / 3600,
			    seconds / 60 % 60);
}

static struct json_object *new_string(const char *text)
{
	struct json_object *object;
	struct text quoted;

	text_init(&quoted, MAX_ANSWER);
	text_puts(&quoted, "");
	console_quote(&quoted, text);
	object = json_object_new_string(quoted.data);
	text_release(&quoted);
	return object;
}

static void add_string(struct json_object *object, const char *name,
		       const char *text)
{
	json_object_object_add(object, name,
			       text && *text ? new_string(text) : NULL);
}

static void add_number(struct json_object *object, const char *name,
		       uint64_t value)
{
	json_object_object_add(object, name, json_object_new_uint64(value));
}

static void add_seconds(struct json_object *object, const char *name,
			int64_t us)
{
	char text[32];

	us = us > 0 ? us : 0;
	snprintf(text, sizeof(text), "%" PRId64 ".%06" PRId64, us / 1000000,
		 us % 1000000);
	json_object_object_add(
		object, name,
		json_object_new_double_s((double)us / US_PER_SEC, text));
}

/* What both commands tell of a process. */
static struct json_object *json_of(const struct row *row)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "pid", (uint64_t)row->pid);
	add_string(object, "role", row->role);
	add_number(object, "slot", row->slot);
	add_string(object, "state", state_names[row->state]);
	add_seconds(object, "seconds", row->for_us);
	add_number(object, "served", row->nr_served);
	add_number(object, "cpu_ms", row->stat.cpu_ms);
	add_number(object, "resident_bytes", row->stat.resident_bytes);
	add_string(object, "id", row->text.id);
	add_string(object, "endpoint", row->endpoint);
	add_string(object, "method", row->method);
	add_string(object, "client", row->text.client);
	add_string(object, "uri", row->text.uri);
	add_number(object, "sent", row->sent);
	json_object_object_add(object, "length",
			       row->length == LENGTH_UNKNOWN ?
				       NULL :
				       json_object_new_uint64(row->length));
	json_object_object_add(object, "waiting",
			       json_object_new_boolean(row->is_waiting));
	return object;
}

void console_put_level(struct text *out, const struct scoreboard *board)
{
	int level = board->log.level;

	text_puts(out, level >= 0 && level < LOG_LEVEL_COUNT ?
			       log_level_names[level] :
			       "?");
}

static void put_server(struct console_peer *peer, struct text *out)
{
	struct scoreboard *board = peer->shared->board;

	text_printf(out, "%s, up ", PACKAGE_STRING);
	put_age(out, utime_now() - board->started_us);
	text_puts(out, ", serving '");
	console_quote(out, peer->shared->settings->base);
	text_puts(out, "', log level ");
	console_put_level(out, board);
	text_printf(out,
		    "\n%u workers, %u idle; %u of %u heavy slots, %u of %u "
		    "places for edges, %u of %u for whole cuts\n\n",
		    scoreboard_workers(board),
		    scoreboard_count(board, SLOT_IDLE),
		    scoreboard_count(board, SLOT_HEAVY), board->nr_heavy,
		    places_count(&board->edges), board->edges.nr,
		    places_count(&board->full), board->full.nr);
}

static void put_process(struct text *out, const struct row *row)
{
	struct text age;

	text_init(&age, 64);
	put_age(&age, row->for_us);
	text_printf(
		out, "%-7s %4u %7ld %-8s %12s %8u %9.2f %8.1f  %-24s ",
		row->role, row->slot, (long)row->pid, state_names[row->state],
		age.data, row->nr_served, (double)row->stat.cpu_ms / 1000,
		(double)row->stat.resident_bytes / 1e6, or_dash(row->endpoint));
	text_release(&age);
	text_printf(out, "%-4s ", or_dash(row->method));
	put_quoted(out, row->text.id);
	text_putc(out, ' ');
	put_quoted(out, row->text.uri);
	text_putc(out, '\n');
}

static void put_master(struct scoreboard *board, struct text *out)
{
	struct procstat stat = { .state = '?' };

	if (!procstat_of(board->master, &stat))
		stat.cpu_ms = 0;
	text_printf(out, "%-7s %4s %7ld %-8s %12s %8s %9.2f %8.1f\n", "master",
		    "-", (long)board->master, "-", "-", "-",
		    (double)stat.cpu_ms / 1000,
		    (double)stat.resident_bytes / 1e6);
}

static enum err status_json(struct console_peer *peer, struct text *out)
{
	struct scoreboard *board = peer->shared->board;
	struct json_object *all =
		json_hold(&peer->arena, json_object_new_object());
	struct json_object *processes = json_object_new_array();
	struct text *level = text_new(&peer->arena, 16);

	console_put_level(level, board);
	add_string(all, "version", PACKAGE_VERSION);
	add_seconds(all, "uptime", utime_now() - board->started_us);
	add_string(all, "base", peer->shared->settings->base);
	add_string(all, "log_level", level->data);
	add_number(all, "master", (uint64_t)board->master);
	add_number(all, "workers", scoreboard_workers(board));
	add_number(all, "workers_idle", scoreboard_count(board, SLOT_IDLE));
	add_number(all, "heavy", scoreboard_count(board, SLOT_HEAVY));
	add_number(all, "heavy_max", board->nr_heavy);
	add_number(all, "edges", places_count(&board->edges));
	add_number(all, "edges_max", board->edges.nr);
	add_number(all, "full", places_count(&board->full));
	add_number(all, "full_max", board->full.nr);
	json_object_object_add(all, "processes", processes);
	for (uint32_t i = 0; i < board->nr_workers + board->nr_heavy; i++) {
		struct row row;

		if (look_at(board, i, &row))
			json_object_array_add(processes, json_of(&row));
	}
	json_append(out, all);
	return console_answer(peer, out);
}

enum err console_status(struct console_peer *peer)
{
	struct scoreboard *board = peer->shared->board;
	struct text *out = text_new(&peer->arena, MAX_ANSWER);

	scoreboard_sweep_heavy(board);
	if (peer->wants_json)
		return status_json(peer, out);
	put_server(peer, out);
	text_printf(out, "%-7s %4s %7s %-8s %12s %8s %9s %8s  %-24s %s\n",
		    "role", "slot", "pid", "state", "for", "served", "cpu s",
		    "MB", "endpoint", "request");
	put_master(board, out);
	for (uint32_t i = 0; i < board->nr_workers + board->nr_heavy; i++) {
		struct row row;

		if (look_at(board, i, &row))
			put_process(out, &row);
	}
	return console_answer(peer, out);
}

static int by_age(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;

	return (x->for_us < y->for_us) - (x->for_us > y->for_us);
}

static void put_request_heading(struct text *out)
{
	text_printf(out,
		    "%-16s %7s %-8s %12s %-24s %-7s %-15s %12s %12s %10s  %s\n",
		    "id", "pid", "state", "for", "endpoint", "method", "client",
		    "sent", "of", "kB/s", "request");
}

/* What came from outside, and a space behind the width of its column. */
static void put_cell(struct text *out, const char *text, size_t width)
{
	size_t from = out->len;
	size_t len;

	put_quoted(out, text);
	len = out->len - from;
	text_printf(out, "%*s", (int)(len < width ? width + 1 - len : 1), "");
}

static void put_request(struct text *out, const struct row *row)
{
	double seconds = (double)row->for_us / US_PER_SEC;
	char length[24] = "?";
	struct text age;

	text_init(&age, 64);
	put_age(&age, row->for_us);
	if (row->length != LENGTH_UNKNOWN)
		snprintf(length, sizeof(length), "%" PRIu64, row->length);
	put_cell(out, row->text.id, 16);
	text_printf(out, "%7ld %-8s %12s %-24s %-7s ", (long)row->pid,
		    state_names[row->state], age.data, or_dash(row->endpoint),
		    or_dash(row->method));
	text_release(&age);
	put_cell(out, row->text.client, 15);
	text_printf(out, "%12" PRIu64 " %12s %10.1f  ", row->sent, length,
		    seconds > 0 ? (double)row->sent / 1e3 / seconds : 0);
	put_quoted(out, row->text.uri);
	text_printf(out, "%s\n", row->is_waiting ? " (waits for a place)" : "");
}

enum err console_requests(struct console_peer *peer)
{
	struct scoreboard *board = peer->shared->board;
	struct text *out = text_new(&peer->arena, MAX_ANSWER);
	struct json_object *all =
		json_hold(&peer->arena, json_object_new_array());
	uint32_t nr_slots = board->nr_workers + board->nr_heavy;
	struct row *rows =
		arena_alloc(&peer->arena, (nr_slots + 1) * sizeof(*rows));
	size_t nr = 0;

	scoreboard_sweep_heavy(board);
	for (uint32_t i = 0; i < nr_slots; i++)
		if (look_at(board, i, &rows[nr]) &&
		    rows[nr].state >= SLOT_READING)
			nr++;
	qsort(rows, nr, sizeof(*rows), by_age);
	if (!peer->wants_json && nr)
		put_request_heading(out);
	else if (!peer->wants_json)
		text_puts(out, "no requests\n");
	for (size_t i = 0; i < nr; i++) {
		if (peer->wants_json)
			json_object_array_add(all, json_of(&rows[i]));
		else
			put_request(out, &rows[i]);
	}
	if (peer->wants_json)
		json_append(out, all);
	return console_answer(peer, out);
}
