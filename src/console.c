/*
 * console.c - who may speak, and for how long; see console.h.
 */
#include "config.h"

#include "console.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aide.h"
#include "base/fsutil.h"
#include "base/log.h"
#include "status.h"

#define WAKE_MS	     1000 /* to reap, and to follow the log */
#define SEND_SECONDS 10	  /* a peer that reads nothing for so long is gone */
#define MAX_SAID     ((size_t)1024)
#define MAX_FAREWELL ((size_t)2048)

bool console_send(struct console_peer *peer, const struct text *text)
{
	size_t at = 0;

	while (at < text->len) {
		ssize_t n = send(peer->fd, text->data + at, text->len - at,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

enum err console_answer(struct console_peer *peer, const struct text *text)
{
	enum err err = text_check(text, "the answer", &peer->error);

	if (err)
		return err;
	return console_send(peer, text) ? ERR_OK : ERR_GONE;
}

bool console_is_over(void *ctx)
{
	struct console_peer *peer = ctx;
	/* Not one that only has no more to say. */
	struct pollfd p = { .fd = peer->fd };

	return getppid() != peer->parent ||
	       (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)));
}

void console_quote(struct text *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\\')
			text_puts(out, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			text_putc(out, (char)c);
		else
			text_printf(out, "\\x%02x", c);
	}
}

static void say_farewell(struct console_peer *peer, enum err err)
{
	struct text *out = text_new(&peer->arena, MAX_FAREWELL);
	const char *why = err ? peer->error.text : peer->said->data;

	if (err && !*why)
		why = err_text(err);
	text_putc(out, '\0');
	text_printf(out, "%d ", exit_status_of(err));
	console_quote(out, why);
	text_putc(out, '\n');
	console_send(peer, out);
}

/* Reads a line into buffer; false if there is none in time. */
static bool read_line(const struct console_peer *peer,
		      char buffer[CONSOLE_MAX_LINE], struct errmsg *e)
{
	int64_t until_us =
		scoreboard_now() + CONSOLE_PATIENCE_MS * INT64_C(1000);
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	size_t len = 0;

	while (len < CONSOLE_MAX_LINE) {
		int64_t left_us = until_us - scoreboard_now();
		char *end;
		ssize_t n;

		if (left_us <= 0 ||
		    poll(&p, 1, (int)(left_us / 1000) + 1) == 0) {
			err_set(e, ERR_INPUT, "no command came in time");
			return false;
		}
		n = recv(peer->fd, buffer + len, CONSOLE_MAX_LINE - len,
			 MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			err_set(e, ERR_GONE, "no whole command came");
			return false;
		}
		end = memchr(buffer + len, '\n', (size_t)n);
		len += (size_t)n;
		if (end) {
			*end = '\0';
			/* A NUL would hide what is behind it. */
			if (strlen(buffer) == (size_t)(end - buffer))
				return true;
			err_set(e, ERR_INPUT, "a command is a line of text");
			return false;
		}
	}
	err_set(e, ERR_LIMIT, "a command has at most %d bytes",
		CONSOLE_MAX_LINE - 1);
	return false;
}

/* The process of one peer. */
static void serve_peer(const struct shared *shared, int fd, pid_t parent)
{
	struct timeval patience = { .tv_sec = SEND_SECONDS };
	struct console_peer peer = { .fd = fd,
				     .shared = shared,
				     .parent = parent };
	char line[CONSOLE_MAX_LINE];
	enum err err = ERR_INPUT;

	prctl(PR_SET_NAME, "restreamer-ctlp");
	arena_init(&peer.arena);
	peer.said = text_new(&peer.arena, MAX_SAID);
	text_puts(peer.said, "");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (read_line(&peer, line, &peer.error))
		err = console_execute(&peer, line);
	if (err != ERR_GONE)
		say_farewell(&peer, err);
	arena_release(&peer.arena);
}

/* In as many bytes as a new socket takes at once. */
static void refuse(int fd, enum err err, const char *why)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "%c%d %s\n", '\0',
			   exit_status_of(err), why);

	(void)!send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool is_friend(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	log_warning("user %ld may not use the console", (long)peer.uid);
	return false;
}

static void accept_peer(const struct shared *shared, unsigned *nr_peers)
{
	int fd = accept4(shared->control->fd, NULL, NULL, SOCK_CLOEXEC);
	pid_t self = getpid();
	pid_t pid;

	if (fd < 0)
		return;
	if (!is_friend(fd)) {
		refuse(fd, ERR_FORBIDDEN, "the console is not for this user");
		close(fd);
		return;
	}
	if (*nr_peers >= CONSOLE_MAX_PEERS) {
		refuse(fd, ERR_BUSY, "the console has too many peers");
		close(fd);
		return;
	}
	pid = fork();
	if (pid == 0) {
		fs_close(&shared->control->fd);
		serve_peer(shared, fd, self);
		exit(EXIT_SUCCESS);
	}
	if (pid < 0)
		refuse(fd, ERR_BUSY, "cannot start a process");
	else
		(*nr_peers)++;
	close(fd);
}

int console_run(const struct shared *shared)
{
	struct pollfd p = { .fd = shared->control->fd, .events = POLLIN };
	unsigned nr_peers = 0;

	aide_begin();
	for (;;) {
		int n = poll(&p, 1, WAKE_MS);

		aide_follow_log(shared->settings);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			nr_peers--;
		if (n > 0)
			accept_peer(shared, &nr_peers);
	}
}
