#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

const char *const log_level_names[LOG_LEVEL_COUNT + 1] = {
	"debug", "info", "warning", "error", NULL,
};

static int log_fd = STDERR_FILENO;
static struct log_shared log_own = { .level = LOG_LEVEL_INFO };
static struct log_shared *log_shared = &log_own;
static void (*log_observer)(enum log_level, const char *, const char *);

bool log_open(const char *path)
{
	int fd = STDERR_FILENO;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			  0640);
		if (fd < 0)
			return false;
	}
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = fd;
	return true;
}

void log_set_level(enum log_level level)
{
	log_shared->level = (int)level;
}

void log_share(struct log_shared *shared)
{
	shared->level = log_shared->level;
	log_shared = shared;
}

void log_set_observer(void (*fn)(enum log_level, const char *, const char *))
{
	log_observer = fn;
}

/* The name between the last slash and the dot: "hourindex". */
static const char *module_of(const char *file, char *buf, size_t size)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	size_t len = strcspn(base, ".");

	if (len >= size)
		len = size - 1;
	memcpy(buf, base, len);
	buf[len] = '\0';
	return buf;
}

/* Appends text to line, escaped; the last two bytes stay free. */
static size_t append_escaped(char *line, size_t at, const char *text)
{
	for (; *text && at + 6 < LINE_MAX_BYTES; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c < 0x7f)
			line[at++] = (char)c;
		else
			at += (size_t)snprintf(line + at, 5, "\\x%02x", c);
	}
	return at;
}

void log_at(enum log_level level, const char *file, const char *function,
	    const char *fmt, ...)
{
	char module[32];
	char line[LINE_MAX_BYTES];
	char message[LINE_MAX_BYTES];
	int saved_errno = errno;
	struct timespec now;
	struct tm tm;
	size_t at;
	va_list ap;

	module_of(file, module, sizeof(module));
	if (log_observer)
		log_observer(level, module, function);
	if ((int)level < log_shared->level)
		return;
	va_start(ap, fmt);
	errno = saved_errno;
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	at = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	at += (size_t)snprintf(line + at, sizeof(line) - at,
			       ".%03ldZ %ld %s %s: ", now.tv_nsec / 1000000,
			       (long)getpid(), log_level_names[level], module);
	at = append_escaped(line, at, message);
	line[at++] = '\n';
	/* Nowhere is left to report a log that cannot be written. */
	if (write(log_fd, line, at) < 0)
		errno = saved_errno;
	errno = saved_errno;
}
