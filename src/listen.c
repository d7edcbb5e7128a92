#include "config.h"

#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fsutil.h"

#define BACKLOG		 1024
#define SYSTEMD_FIRST_FD 3

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 &&
	       yes == 1;
}

bool listener_is_passed(void)
{
	return is_listening(STDIN_FILENO);
}

/* The socket that systemd passed to this very process, or -1. */
static int from_systemd(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *nr = getenv("LISTEN_FDS");

	if (!pid || !nr || atol(pid) != (long)getpid() || atoi(nr) < 1 ||
	    !is_listening(SYSTEMD_FIRST_FD))
		return -1;
	return SYSTEMD_FIRST_FD;
}

static enum err failed(struct listener *l, const char *what,
		       const char *address, struct errmsg *e)
{
	err_set(e, ERR_IO, "cannot %s '%s': %s", what, address,
		strerror(errno));
	listener_close(l);
	return ERR_IO;
}

enum err listener_open_unix(struct listener *l, const char *option,
			    const char *path, mode_t mode, struct errmsg *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char lock[sizeof(address.sun_path) + 8];
	struct stat st;
	mode_t old_mask;
	int rc;

	*l = (struct listener){ .fd = -1, .lock_fd = -1 };
	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return err_set(e, ERR_INPUT,
			       "%s: a path of 1 to %zu characters", option,
			       sizeof(address.sun_path) - 1);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	l->lock_fd =
		open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->lock_fd < 0)
		return failed(l, "open", lock, e);
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return failed(l, "lock (is another one running?)", lock, e);
	strcpy(address.sun_path, path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return failed(l, "make a socket for", path, e);
	/* Only a socket is what a crash left. */
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return failed(l, "make a socket at", path, e);
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return failed(l, "replace", path, e);
	old_mask = umask(0777); /* nobody may connect before chmod */
	rc = bind(l->fd, (struct sockaddr *)&address, sizeof(address));
	umask(old_mask);
	if (rc < 0)
		return failed(l, "bind", path, e);
	l->path = path;
	if (chmod(path, mode) < 0 || listen(l->fd, BACKLOG) < 0)
		return failed(l, "listen on", path, e);
	return ERR_OK;
}

/* getaddrinfo(3) takes 99999 for 34463, and nothing for any. */
static bool is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && len <= 5 && !text[len] && atoi(text) <= 65535;
}

/* Splits "HOST:PORT" or "[V6]:PORT" in place. */
static bool split_address(char *text, char **host_r, char **port_r)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon == text || !is_port(colon + 1))
		return false;
	*colon = '\0';
	*host_r = text;
	*port_r = colon + 1;
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		(*host_r)++;
	}
	return true;
}

static enum err open_tcp(struct listener *l, const char *text, struct errmsg *e)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char copy[256];
	char *host, *port;
	int yes = 1;
	int rc;

	snprintf(copy, sizeof(copy), "%s", text);
	if (!split_address(copy, &host, &port))
		return err_set(e, ERR_INPUT,
			       "--listen: unix:PATH or HOST:PORT");
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc)
		return err_set(e, ERR_INPUT, "--listen: '%s': %s", text,
			       gai_strerror(rc));
	l->fd = socket(found->ai_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	rc = l->fd < 0 ? -1 : bind(l->fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (rc < 0 || listen(l->fd, BACKLOG) < 0)
		return failed(l, "listen on", text, e);
	return ERR_OK;
}

enum err listener_open(struct listener *l, const struct settings *settings,
		       struct errmsg *e)
{
	*l = (struct listener){ .fd = -1, .lock_fd = -1 };
	if (listener_is_passed())
		l->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		l->fd = from_systemd();
	if (l->fd >= 0) {
		fcntl(l->fd, F_SETFD, FD_CLOEXEC);
		fcntl(l->fd, F_SETFL, fcntl(l->fd, F_GETFL) | O_NONBLOCK);
		return ERR_OK;
	}
	if (!strncmp(settings->listen, "unix:", 5))
		return listener_open_unix(l, "--listen", settings->listen + 5,
					  settings->socket_mode, e);
	return open_tcp(l, settings->listen, e);
}

void listener_close(struct listener *l)
{
	if (l->path)
		unlink(l->path);
	l->path = NULL;
	fs_close(&l->fd);
	fs_close(&l->lock_fd);
}
