#include "config.h"

#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "console.h"
#include "status.h"

#define MAX_HELP     ((size_t)16 * 1024)
#define MAX_FAREWELL 4096

/* The path of the socket, and the command as a line. */
struct call {
	const char *path;
	char line[CONSOLE_MAX_LINE];
	size_t len;
};

static enum err add_word(struct call *call, const char *word, struct errmsg *e)
{
	size_t len = strlen(word);

	for (const char *p = word; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return err_set(e, ERR_INPUT,
				       "'%s' is no word of a command",
				       err_quote(word).text);
	if (call->len + len + 2 > sizeof(call->line))
		return err_set(e, ERR_LIMIT, "a command has at most %d bytes",
			       CONSOLE_MAX_LINE - 1);
	if (call->len)
		call->line[call->len++] = ' ';
	memcpy(call->line + call->len, word, len);
	call->len += len;
	return ERR_OK;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] == '-';
}

/* Adds the words that are options, or those that are none. */
static enum err read_words(struct call *call, int argc, char **argv,
			   bool takes_options, struct errmsg *e)
{
	for (int i = 1; i < argc; i++) {
		enum err err = ERR_OK;

		if (!strncmp(argv[i], "--socket=", 9))
			call->path = argv[i] + 9;
		else if (!strcmp(argv[i], "--socket") && i + 1 == argc)
			err = err_set(e, ERR_INPUT,
				      "option '--socket' needs a value");
		else if (!strcmp(argv[i], "--socket"))
			call->path = argv[++i];
		else if (is_option(argv[i]) == takes_options)
			err = add_word(call, argv[i], e);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* The command is to come before its options, wherever they are. */
static enum err read_line(struct call *call, int argc, char **argv,
			  struct errmsg *e)
{
	enum err err;

	call->path = getenv("RESTREAMER_SOCKET");
	err = read_words(call, argc, argv, false, e);
	if (!err && !call->len)
		return err_set(e, ERR_INPUT,
			       "usage: ctl --socket PATH COMMAND [ARG]...; see "
			       "'ctl help'");
	return err ? err : read_words(call, argc, argv, true, e);
}

static enum err call_server(const struct call *call, int *fd_r,
			    struct errmsg *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!call->path || !*call->path)
		return err_set(e, ERR_INPUT,
			       "which server? --socket PATH, or "
			       "RESTREAMER_SOCKET: the --control of 'serve'");
	if (strlen(call->path) >= sizeof(address.sun_path))
		return err_set(e, ERR_INPUT, "--socket: '%s' is too long",
			       err_quote(call->path).text);
	strcpy(address.sun_path, call->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		enum err err = errno == EACCES || errno == EPERM ?
				       ERR_FORBIDDEN :
			       errno == ENOENT ? ERR_NOTFOUND :
						 ERR_IO;

		err_set(e, err, "cannot connect to '%s': %s", call->path,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	*fd_r = fd;
	return ERR_OK;
}

/* Prints what comes before a NUL; what is behind it goes to farewell. */
static bool read_answer(int fd, char farewell[MAX_FAREWELL])
{
	char buffer[65536];
	bool is_over = false;
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		size_t size = (size_t)n;
		size_t at = 0;

		if (!is_over) {
			const char *nul = memchr(buffer, '\0', size);

			at = nul ? (size_t)(nul - buffer) : size;
			fwrite(buffer, 1, at, stdout);
			fflush(stdout);
			is_over = nul != NULL;
			at += is_over;
		}
		size -= at;
		if (size > MAX_FAREWELL - 1 - len)
			size = MAX_FAREWELL - 1 - len;
		memcpy(farewell + len, buffer + at, size);
		len += size;
	}
	farewell[len] = '\0';
	return is_over;
}

/* "STATUS WORDS\n" */
static int take_leave(const char *farewell)
{
	char *words;
	long status = strtol(farewell, &words, 10);
	size_t len;

	if (words == farewell || status < 0 || status > 125)
		status = EXIT_FAILURE;
	words += strspn(words, " ");
	len = strcspn(words, "\n");
	if (len)
		fprintf(stderr, "restreamer: %.*s\n", (int)len, words);
	return (int)status;
}

static int tell(enum err err, const struct errmsg *e)
{
	fprintf(stderr, "restreamer: %s\n", e->text);
	return exit_status_of(err);
}

/* Whether that is all that is wanted, which needs no server. */
static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

/* Of the command of that name, or, if word is NULL, of all. */
static int print_help(const char *word)
{
	struct errmsg e = { "" };
	struct text out;
	enum err err;

	text_init(&out, MAX_HELP);
	err = console_describe_of(word, &out, &e);
	if (!err)
		fputs(out.data, stdout);
	text_release(&out);
	return err ? tell(err, &e) : EXIT_SUCCESS;
}

static int print_usage(void)
{
	puts("restreamer ctl --socket PATH COMMAND [ARG]...\n\n"
	     "(or RESTREAMER_SOCKET for PATH). The commands:\n");
	return print_help(NULL);
}

static int call_and_print(struct call *call)
{
	char farewell[MAX_FAREWELL];
	struct errmsg e = { "" };
	int fd = -1;
	enum err err = call_server(call, &fd, &e);

	if (err)
		return tell(err, &e);
	call->line[call->len++] = '\n';
	/* A console that refuses has answered before it was asked. */
	(void)!send(fd, call->line, call->len, MSG_NOSIGNAL);
	if (!read_answer(fd, farewell)) {
		fputs("restreamer: the console broke off\n", stderr);
		return EXIT_FAILURE;
	}
	close(fd);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("restreamer: cannot write");
		return EXIT_FAILURE;
	}
	return take_leave(farewell);
}

int ctl_run(int argc, char **argv)
{
	struct call call = { .len = 0 };
	struct errmsg e = { "" };
	enum err err;

	if (asks_for_help(argc, argv))
		return print_usage();
	err = read_line(&call, argc, argv, &e);
	if (err)
		return tell(err, &e);
	if (!strcmp(call.line, "help"))
		return print_help(NULL);
	if (!strncmp(call.line, "help ", 5))
		return print_help(call.line + 5);
	return call_and_print(&call);
}

void ctl_describe(struct text *out)
{
	text_puts(out, "\nThe console of a server that has a --control:\n\n"
		       "  restreamer ctl --socket PATH COMMAND [ARG]...\n\n"
		       "(or RESTREAMER_SOCKET for PATH). Its commands:\n");
	console_describe(out);
}

void ctl_describe_man(struct text *out)
{
	console_describe_man(out);
}
