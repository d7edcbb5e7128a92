/*
 * consolecmd.c - the commands of the console, and those that are short.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "console.h"
#include "profiler.h"
#include "sampler.h"

#define MAX_ANSWER	    ((size_t)64 * 1024)
#define MAX_PROFILE	    ((size_t)32 * 1024 * 1024)
#define DRAIN_LOOK_NS	    (50 * 1000 * 1000)
#define DEFAULT_HZ	    99
#define MAX_PROFILE_SECONDS 3600

static bool take_number(const char *word, uint32_t max, uint32_t *value_r)
{
	unsigned long value;
	size_t len = strspn(word, "0123456789");

	if (!len || len > 9 || word[len])
		return false;
	value = strtoul(word, NULL, 10);
	if (value < 1 || value > max)
		return false;
	*value_r = (uint32_t)value;
	return true;
}

static enum err cmd_help(struct console_peer *peer)
{
	struct text *out = text_new(&peer->arena, MAX_ANSWER);
	enum err err = console_describe_of(peer->args[0], out, &peer->error);

	return err ? err : console_answer(peer, out);
}

static enum err cmd_log_level(struct console_peer *peer)
{
	struct scoreboard *board = peer->shared->board;
	struct text *out = text_new(&peer->arena, MAX_ANSWER);
	const char *name = peer->args[0];
	int level = 0;

	if (!name) {
		console_put_level(out, board);
		text_putc(out, '\n');
		return console_answer(peer, out);
	}
	while (level < LOG_LEVEL_COUNT && strcmp(log_level_names[level], name))
		level++;
	if (level == LOG_LEVEL_COUNT)
		return err_set(&peer->error, ERR_INPUT,
			       "a level is debug, info, warning or error");
	/* Before or after, so that it is said if either level says it. */
	log_info("the console sets the log level '%s'", name);
	board->log.level = level;
	log_info("the log level is '%s'", name);
	return ERR_OK;
}

/* The slot of a process that the scoreboard knows, and nothing else. */
static struct slot_info *find_process(struct console_peer *peer, pid_t *pid_r)
{
	const char *arg = peer->args[0];
	uint32_t number;
	struct slot_info *slot = NULL;

	if (take_number(arg, 1u << 22, &number)) {
		*pid_r = (pid_t)number;
		slot = scoreboard_find(peer->shared->board, *pid_r);
	}
	if (!slot)
		err_set(&peer->error, ERR_NOTFOUND,
			"'%s' is no process that answers requests",
			err_quote(arg).text);
	return slot;
}

static bool is_worker(const struct scoreboard *board,
		      const struct slot_info *slot)
{
	return slot < &board->slots[board->nr_workers];
}

/*
 * Sends a signal to the process that has a slot.  Held by a descriptor while
 * the slot is looked at again, so that it is that process and no later one of
 * the same number.
 */
static enum err send_signal(struct console_peer *peer, struct slot_info *slot,
			    pid_t pid, int number)
{
	int fd = pidfd_open(pid, 0);
	int rc = -1;

	if (fd >= 0 && owner_pid(slot->owner) == pid)
		rc = pidfd_send_signal(fd, number, NULL, 0);
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return err_set(&peer->error, ERR_NOTFOUND,
			       "process %ld has just ended", (long)pid);
	log_info("the console sent signal %d to process %ld", number,
		 (long)pid);
	return ERR_OK;
}

static enum err recycle_all(struct console_peer *peer)
{
	struct scoreboard *board = peer->shared->board;
	unsigned nr = 0;

	for (uint32_t i = 0; i < board->nr_workers; i++) {
		struct slot_info *slot = scoreboard_worker(board, i);
		pid_t pid = owner_pid(slot->owner);

		/* One that has just ended is replaced anyway. */
		if (pid && send_signal(peer, slot, pid, SIGQUIT) == ERR_OK)
			nr++;
	}
	text_printf(peer->said,
		    "%u workers will be replaced, each after its request", nr);
	return ERR_OK;
}

static enum err cmd_recycle(struct console_peer *peer)
{
	struct slot_info *slot;
	pid_t pid;

	if (!strcmp(peer->args[0], "all"))
		return recycle_all(peer);
	slot = find_process(peer, &pid);
	if (!slot)
		return ERR_NOTFOUND;
	if (!is_worker(peer->shared->board, slot))
		return err_set(&peer->error, ERR_INPUT,
			       "process %ld answers one request and ends; "
			       "'stop' ends it now",
			       (long)pid);
	return send_signal(peer, slot, pid, SIGQUIT);
}

static enum err cmd_stop(struct console_peer *peer)
{
	struct slot_info *slot;
	pid_t pid;
	int state;

	slot = find_process(peer, &pid);
	if (!slot)
		return ERR_NOTFOUND;
	state = slot->state;
	if (state == SLOT_HEAVY)
		return send_signal(peer, slot, pid, SIGTERM);
	if (state == SLOT_LIGHT || state == SLOT_READING)
		return send_signal(peer, slot, pid, SIGKILL);
	return err_set(&peer->error, ERR_INPUT,
		       "process %ld has no request now; 'recycle' replaces it",
		       (long)pid);
}

static uint32_t count_in_flight(struct scoreboard *board)
{
	return scoreboard_count(board, SLOT_READING) +
	       scoreboard_count(board, SLOT_LIGHT) +
	       scoreboard_count(board, SLOT_HEAVY);
}

/* Tells how many are left whenever that changes. */
static enum err follow_drain(struct console_peer *peer)
{
	const struct timespec moment = { .tv_nsec = DRAIN_LOOK_NS };
	struct scoreboard *board = peer->shared->board;
	struct text *out = text_new(&peer->arena, MAX_ANSWER);
	uint32_t told = UINT32_MAX;

	/* The master ends us, after the last of those that are counted. */
	while (kill(board->master, 0) == 0 &&
	       (scoreboard_workers(board) || count_in_flight(board))) {
		uint32_t nr = count_in_flight(board);

		text_clear(out);
		if (nr != told)
			text_printf(out, "%u requests in flight\n", nr);
		told = nr;
		if (!console_send(peer, out))
			return ERR_GONE;
		nanosleep(&moment, NULL);
	}
	text_clear(out);
	text_puts(out, "all requests have been answered\n");
	return console_answer(peer, out);
}

static enum err cmd_drain(struct console_peer *peer)
{
	struct scoreboard *board = peer->shared->board;

	log_info("the console drains the server");
	if (kill(board->master, SIGQUIT) < 0)
		return err_set(&peer->error, ERR_IO, "cannot signal %ld: %s",
			       (long)board->master, strerror(errno));
	if (!peer->must_not_wait)
		return follow_drain(peer);
	text_printf(peer->said, "%u requests in flight",
		    count_in_flight(board));
	return ERR_OK;
}

static enum err cmd_profile(struct console_peer *peer)
{
	struct profiler_session session = { .hz = DEFAULT_HZ,
					    .is_gone = console_is_over,
					    .ctx = peer };
	struct text *out = text_new(&peer->arena, MAX_PROFILE);
	enum err err;

	if (!take_number(peer->args[0], MAX_PROFILE_SECONDS,
			 &session.seconds) ||
	    (peer->args[1] &&
	     !take_number(peer->args[1], SAMPLER_MAX_HZ, &session.hz)))
		return err_set(&peer->error, ERR_INPUT,
			       "1 to %d seconds, 1 to %d Hz",
			       MAX_PROFILE_SECONDS, SAMPLER_MAX_HZ);
	err = profiler_sample(peer->shared, &session, out, &peer->error);
	if (err)
		return err;
	text_printf(peer->said,
		    "%llu samples at %u Hz (%llu signals sent, %llu samples "
		    "without room)",
		    (unsigned long long)session.nr_samples, session.hz,
		    (unsigned long long)session.nr_signals,
		    (unsigned long long)session.nr_lost);
	return console_answer(peer, out);
}

enum command_options { TAKES_JSON = 1 << 0, TAKES_NOW = 1 << 1 };

static const struct command {
	const char *name;
	const char *words;
	unsigned min_args;
	unsigned max_args;
	unsigned options;
	enum err (*run)(struct console_peer *peer);
	const char *help;
} commands[] = {
	{ "status", "[--json]", 0, 0, TAKES_JSON, console_status,
	  "the server and its processes: what each does, since when, and what "
	  "it takes" },
	{ "requests", "[--json]", 0, 0, TAKES_JSON, console_requests,
	  "the requests in flight, the oldest first, and how far each is" },
	{ "log-level", "[LEVEL]", 0, 1, 0, cmd_log_level,
	  "tells the log level, or sets it for all processes at once" },
	{ "recycle", "PID|all", 1, 1, 0, cmd_recycle,
	  "replaces a worker, or all, after the request that it answers" },
	{ "stop", "PID", 1, 1, 0, cmd_stop,
	  "ends a process in the middle of its request; the client sees a "
	  "broken answer" },
	{ "index", "", 0, 0, 0, console_index,
	  "what the cache directory holds, and how often it was of use" },
	{ "drain", "[--now]", 0, 0, TAKES_NOW, cmd_drain,
	  "stops when every request has been answered, and tells how many are "
	  "left until then; --now does not wait for that" },
	{ "profile", "SECONDS [HZ]", 1, 2, 0, cmd_profile,
	  "samples what runs, 99 times a second if nothing else is said, and "
	  "prints stacks as flame graph tools read them" },
	{ "help", "[COMMAND]", 0, 1, 0, cmd_help,
	  "this list, or of it what one command is" },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static enum err no_command(const char *name, struct errmsg *e)
{
	return err_set(e, ERR_INPUT, "no command '%s'; see 'help'",
		       err_quote(name).text);
}

/* Takes an option of a command; false if it has none of that name. */
static bool take_option(struct console_peer *peer,
			const struct command *command, const char *word)
{
	if (!strcmp(word, "--json") && (command->options & TAKES_JSON))
		peer->wants_json = true;
	else if (!strcmp(word, "--now") && (command->options & TAKES_NOW))
		peer->must_not_wait = true;
	else
		return false;
	return true;
}

enum err console_execute(struct console_peer *peer, char *line)
{
	char *rest = line;
	char *name = strsep(&rest, " ");
	const struct command *command = find_command(name);
	unsigned nr = 0;

	if (!command)
		return no_command(name, &peer->error);
	while (rest && nr <= command->max_args) {
		const char *word = strsep(&rest, " ");

		if (!*word ||
		    (word[0] == '-' && take_option(peer, command, word)))
			continue;
		if (nr < CONSOLE_MAX_WORDS)
			peer->args[nr] = word;
		nr++;
	}
	if (nr < command->min_args || nr > command->max_args)
		return err_set(&peer->error, ERR_INPUT, "usage: %s %s",
			       command->name, command->words);
	return command->run(peer);
}

static void describe(const struct command *command, struct text *out)
{
	text_printf(out, "  %s %s\n", command->name, command->words);
	settings_wrap(out, command->help, 6);
}

void console_describe(struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		describe(&commands[i], out);
}

enum err console_describe_of(const char *name, struct text *out,
			     struct errmsg *e)
{
	const struct command *command = name ? find_command(name) : NULL;

	if (name && !command)
		return no_command(name, e);
	if (command)
		describe(command, out);
	else
		console_describe(out);
	return ERR_OK;
}

void console_describe_man(struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		text_printf(out, ".TP\n.B %s %s\n%s.\n", commands[i].name,
			    commands[i].words, commands[i].help);
}
