#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/lograte.h"

#define MAX_PATH_BYTES	 4096
#define MAX_ID_BYTES	 64
#define MAX_MODULE_BYTES 32

const char *const log_level_names[LOG_LEVEL_COUNT + 1] = {
	"debug", "info", "warning", "error", NULL,
};

static int log_fd = STDERR_FILENO;
static char log_path[MAX_PATH_BYTES];	/* "": standard error */
static _Atomic uint32_t log_generation; /* of the file that is open */
static char log_request[MAX_ID_BYTES];
static struct log_shared log_own = { .level = LOG_LEVEL_INFO };
static struct log_shared *log_shared = &log_own;
static void (*log_observer)(enum log_level, const char *, const char *);

/* What is held back, and by which process: a child begins anew. */
static bool log_holds;
static struct lograte log_rate;
static pid_t log_rate_pid;
static atomic_flag log_rate_busy = ATOMIC_FLAG_INIT;

static int open_file(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

bool log_open(const char *path)
{
	int fd = STDERR_FILENO;

	if (path && strlen(path) >= MAX_PATH_BYTES) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (path) {
		fd = open_file(path);
		if (fd < 0)
			return false;
	}
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = fd;
	snprintf(log_path, sizeof(log_path), "%s", path ? path : "");
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

void log_set_request(const char *id)
{
	snprintf(log_request, sizeof(log_request), "%s", id ? id : "");
}

void log_get_request(char *id, size_t size)
{
	snprintf(id, size, "%s", log_request);
}

void log_set_observer(void (*fn)(enum log_level, const char *, const char *))
{
	log_observer = fn;
}

/* The name between the last slash and the dot: "hourindex". */
static const char *module_of(const char *file, char buf[MAX_MODULE_BYTES])
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	size_t len = strcspn(base, ".");

	if (len >= MAX_MODULE_BYTES)
		len = MAX_MODULE_BYTES - 1;
	memcpy(buf, base, len);
	buf[len] = '\0';
	return buf;
}

static void put_time(struct logline *l)
{
	char date[32], text[64];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03ldZ", date, now.tv_nsec / 1000000);
	logline_string(l, "time", text);
}

static void begin(struct logline *l, int level, const char *module)
{
	logline_begin(l);
	put_time(l);
	logline_string(l, "level", log_level_names[level]);
	logline_number(l, "pid", (uint64_t)getpid());
	logline_string(l, "module", module);
}

static void put_request(struct logline *l)
{
	if (*log_request)
		logline_string(l, "req", log_request);
}

/*
 * Writes a line that has ended.  Where only a part of one is written, which is
 * when the disk is full, the next begins on a line of its own; lines that
 * others write between the two go on in the middle of that part.
 */
static void put_line(struct logline *l)
{
	static char newline[] = "\n";
	size_t nr_before = atomic_exchange(&log_shared->is_torn, false);
	const struct iovec iov[] = { { newline, nr_before },
				     { l->text, l->len } };
	ssize_t n = writev(log_fd, iov, ARRAY_SIZE(iov));

	/* Nowhere is left to report a log that cannot be written. */
	if (n <= 0 ? nr_before > 0 :
		     (size_t)n > nr_before && (size_t)n < nr_before + l->len)
		log_shared->is_torn = true;
}

/* A file without a name is read by nobody: standard error may be. */
static void leave_deleted(void)
{
	int saved_errno = errno;
	struct stat st;

	if (fstat(log_fd, &st) == 0 && !st.st_nlink)
		dup3(STDERR_FILENO, log_fd, O_CLOEXEC);
	errno = saved_errno;
}

/* A line that every process would say, said by the first. */
static void say_failed(uint32_t generation)
{
	uint32_t said = log_shared->said_failed;
	int error = errno;
	struct logline l;
	char text[128];

	if (said == generation ||
	    !atomic_compare_exchange_strong(&log_shared->said_failed, &said,
					    generation))
		return;
	snprintf(text, sizeof(text),
		 "cannot open the log again, so it goes on here: %s",
		 strerror(error));
	begin(&l, LOG_LEVEL_WARNING, "log");
	logline_string(&l, "msg", text);
	logline_end(&l);
	put_line(&l);
}

/*
 * Opens the file again if it is told so.  The descriptor stays the same number,
 * so another thread writes to the one or the other file.
 */
void log_follow(void)
{
	uint32_t generation = log_shared->generation;
	int fd;

	if (generation == log_generation ||
	    atomic_exchange(&log_generation, generation) == generation ||
	    log_fd == STDERR_FILENO)
		return;
	fd = open_file(log_path);
	if (fd < 0) {
		leave_deleted();
		say_failed(generation);
		return;
	}
	dup3(fd, log_fd, O_CLOEXEC);
	close(fd);
}

void log_reopen(void)
{
	log_shared->is_torn = false;
	log_shared->generation++;
	log_follow();
}

static void finish(struct logline *l)
{
	logline_end(l);
	log_follow();
	put_line(l);
}

/* Repeats */

/*
 * A lock that nobody waits for: who does not get it writes its line.  So a
 * child forked while a thread had it holds nothing back, and that is all.
 */
static bool take_rate(void)
{
	if (!log_holds || atomic_flag_test_and_set(&log_rate_busy))
		return false;
	if (log_rate_pid != getpid()) {
		log_rate_pid = getpid();
		lograte_init(&log_rate);
	}
	return true;
}

static int64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* The last line that was held back, and how many before it were. */
static void say_held(const struct lograte_place *place)
{
	char module[MAX_MODULE_BYTES];
	struct logline l;

	begin(&l, place->level, module_of(place->file, module));
	logline_string(&l, "msg", place->text);
	if (place->nr_held > 1)
		logline_number(&l, "repeated", place->nr_held - 1);
	l.is_cut |= place->is_cut;
	finish(&l);
}

static void say_due(int64_t now_us)
{
	struct lograte_place due;
	bool is_due;

	do {
		if (!take_rate())
			return;
		is_due = lograte_take_due(&log_rate, now_us, &due);
		atomic_flag_clear(&log_rate_busy);
		if (is_due)
			say_held(&due);
	} while (is_due);
}

void log_flush(void)
{
	say_due(INT64_MAX);
}

void log_hold_repeats(void)
{
	if (!log_holds)
		atexit(log_flush);
	log_holds = true;
	lograte_init(&log_rate);
	log_rate_pid = getpid();
}

/* Whether a message is to be written now; if not, it is kept. */
static bool admits(enum log_level level, const char *file, int line,
		   const char *message, bool is_cut, uint32_t *repeated_r)
{
	struct lograte_place *held;
	bool is_admitted;

	*repeated_r = 0;
	if (!take_rate())
		return true;
	is_admitted = lograte_admits(&log_rate, file, line, monotonic_us(),
				     repeated_r, &held);
	if (!is_admitted) {
		held->level = (int)level;
		held->is_cut = is_cut || strlen(message) >= LOGRATE_TEXT;
		snprintf(held->text, LOGRATE_TEXT, "%.*s", LOGRATE_TEXT - 1,
			 message);
	}
	atomic_flag_clear(&log_rate_busy);
	return is_admitted;
}

/* Lines */

/* Whether a line of that level is written; it is told of in any case. */
static bool is_wanted(enum log_level level, const char *module,
		      const char *function)
{
	if (log_observer)
		log_observer(level, module, function);
	return (int)level >= log_shared->level;
}

static void write_message(enum log_level level, const char *module,
			  const char *message, bool is_cut, uint32_t repeated)
{
	struct logline l;

	begin(&l, (int)level, module);
	put_request(&l);
	/* Before what may be too long. */
	if (repeated)
		logline_number(&l, "repeated", repeated);
	logline_string(&l, "msg", message);
	l.is_cut |= is_cut;
	finish(&l);
}

void log_at(enum log_level level, const char *file, int line,
	    const char *function, const char *fmt, ...)
{
	char message[LOGLINE_BYTES];
	char module[MAX_MODULE_BYTES];
	int saved_errno = errno;
	uint32_t repeated;
	bool is_cut;
	va_list ap;
	int n;

	if (!is_wanted(level, module_of(file, module), function)) {
		errno = saved_errno;
		return;
	}
	va_start(ap, fmt);
	errno = saved_errno;
	n = vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (n < 0)
		message[0] = '\0';
	is_cut = n >= (int)sizeof(message);
	if (admits(level, file, line, message, is_cut, &repeated)) {
		say_due(monotonic_us());
		write_message(level, module, message, is_cut, repeated);
	}
	errno = saved_errno;
}

bool log_begin(struct logline *l, enum log_level level, const char *file,
	       const char *function)
{
	char module[MAX_MODULE_BYTES];

	if (!is_wanted(level, module_of(file, module), function))
		return false;
	begin(l, (int)level, module);
	put_request(l);
	return true;
}

void log_end(struct logline *l)
{
	int saved_errno = errno;

	say_due(monotonic_us());
	finish(l);
	errno = saved_errno;
}
