/*
 * tryopen.c - what can be opened from inside a worker.
 *
 * Preloaded into the server.  Before the first request each worker tries the
 * paths in TRY_OPEN, one a line, for reading, for writing and for making
 * a file in them, and says on standard error what it could:
 *	tryopen: PATH rwc
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct FCGX_Request;

static int works(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void try_one(const char *path)
{
	char inside[4096];
	char found[4] = "---";

	if (works(path, O_RDONLY))
		found[0] = 'r';
	if (works(path, O_WRONLY))
		found[1] = 'w';
	snprintf(inside, sizeof(inside), "%s/made-by-tryopen", path);
	if (works(inside, O_WRONLY | O_CREAT))
		found[2] = 'c';
	dprintf(STDERR_FILENO, "tryopen: %s %s\n", path, found);
}

int FCGX_Accept_r(struct FCGX_Request *request)
{
	static int is_done;
	int (*next)(struct FCGX_Request *) =
		(int (*)(struct FCGX_Request *))dlsym(RTLD_NEXT,
						      "FCGX_Accept_r");
	char *paths = strdup(getenv("TRY_OPEN") ? getenv("TRY_OPEN") : "");
	char *rest = paths;
	char *path;

	while (!is_done && (path = strsep(&rest, "\n")))
		try_one(path);
	is_done = 1;
	free(paths);
	return next(request);
}
