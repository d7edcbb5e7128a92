/*
 * console.h - the operator's console: a unix socket that takes commands.
 *
 * A process of its own, child of the master, accepts; a child of it answers
 * each connection, at most CONSOLE_MAX_PEERS at once.  Only our own user and
 * root are answered.  A peer sends one line, COMMAND [ARG]..., of at most
 * CONSOLE_MAX_LINE bytes, within CONSOLE_PATIENCE_MS.  What comes back is text,
 * then a NUL, the exit status that the client is to have, a space, and a line
 * for its standard error, which may be empty.  Nothing else has a NUL, or any
 * byte that a terminal takes for more than a character.
 *
 * Without a master there is no console; what it does is done over the
 * scoreboard alone, but for drain.
 *
 * Errors: told to the peer, by kind as offline commands tell them (status.h).
 */
#ifndef SRC_CONSOLE_H
#define SRC_CONSOLE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "process.h"

#define CONSOLE_MAX_PEERS   8
#define CONSOLE_MAX_LINE    1024
#define CONSOLE_MAX_WORDS   4
#define CONSOLE_PATIENCE_MS 5000

/* The process; does not return. */
int console_run(const struct shared *shared) MUST_CHECK;

/* Whoever is answered, in a process of his own. */
struct console_peer {
	int fd;
	const struct shared *shared;
	pid_t parent;
	const char *args[CONSOLE_MAX_WORDS]; /* of the command; else NULL */
	bool wants_json;		     /* --json */
	bool must_not_wait;		     /* --now */
	struct text *said;		     /* for standard error at the end */
	struct errmsg error;
	struct arena arena;
};

/* Splits and checks a line, and runs its command. */
enum err console_execute(struct console_peer *peer, char *line) MUST_CHECK;

/* Sends what there is, at once; false if the peer is gone. */
bool console_send(struct console_peer *peer, const struct text *text);

/* The same as the end of a command. */
enum err console_answer(struct console_peer *peer,
			const struct text *text) MUST_CHECK;

/* Whether to stop: the peer has left, or the server is over. */
bool console_is_over(void *peer);

/* Appends what came from outside, bytes that are not printable as \xHH. */
void console_quote(struct text *out, const char *text);

/* Appends the log level of all processes. */
void console_put_level(struct text *out, const struct scoreboard *board);

/* A few lines a command. */
void console_describe(struct text *out);

/* The same of one command, ERR_INPUT if there is none of that name; or NULL. */
enum err console_describe_of(const char *name, struct text *out,
			     struct errmsg *e) MUST_CHECK;
void console_describe_man(struct text *out);

/* The longer commands; see console_describe(). */
enum err console_status(struct console_peer *peer);
enum err console_requests(struct console_peer *peer);
enum err console_index(struct console_peer *peer);

#endif
