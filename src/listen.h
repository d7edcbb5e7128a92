/*
 * listen.h - the listening socket.
 *
 * Made by us rather than by libfcgi, which unlinks whatever is at the path,
 * sets no mode, and ends the process when it fails.
 */
#ifndef SRC_LISTEN_H
#define SRC_LISTEN_H

#include <sys/types.h>

#include "base/err.h"
#include "settings.h"

struct listener {
	int fd;		  /* non-blocking, listening */
	int lock_fd;	  /* held while a unix path is ours, or -1 */
	const char *path; /* to unlink at the end, or NULL */
};

#define LISTENER_NONE                                                          \
	{                                                                      \
		.fd = -1, .lock_fd = -1, .path = NULL                          \
	}

/*
 * A socket that was passed to us (file descriptor 0, or LISTEN_FDS of systemd)
 * goes before --listen.  A unix path is guarded by a lock beside it, so that a
 * second master cannot take it from the first; what a crash left is replaced.
 */
enum err listener_open(struct listener *l, const struct settings *settings,
		       struct errmsg *e) MUST_CHECK;
void listener_close(struct listener *l);

/*
 * A unix socket alone, in the same way; option is for the message.  Nobody but
 * those that mode lets may connect at any moment.
 */
enum err listener_open_unix(struct listener *l, const char *option,
			    const char *path, mode_t mode,
			    struct errmsg *e) MUST_CHECK;

/* Whether file descriptor 0 is a listening socket. */
bool listener_is_passed(void);

#endif
