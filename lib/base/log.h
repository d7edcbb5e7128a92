/*
 * log.h - one line an event.
 *
 * A line is "TIME PID LEVEL module: message".  The time is UTC.  Bytes outside
 * printable ASCII are written as \xHH, so that nothing a client sent can forge
 * a line or reach a terminal; a line is one write(2) of at most 1 kB, so that
 * lines of several processes do not mix.
 *
 * A failure is logged once, where it stops.  A client that leaves is not
 * logged at all, but counted (ERR_GONE).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_COUNT
};

extern const char *const log_level_names[LOG_LEVEL_COUNT + 1];

/*
 * Opens (or, when called again, reopens) the file for appending; NULL is
 * standard error.  False, with errno, if it cannot be opened: the log then
 * stays where it was.
 */
bool log_open(const char *path) MUST_CHECK;
void log_set_level(enum log_level level);

/*
 * What all processes of a server follow from the next line on; in memory that
 * they share.  log_share() takes over the level that was set before.
 */
struct log_shared {
	_Atomic int level; /* enum log_level */
};
void log_share(struct log_shared *shared);

/* fn is told of every line written, for counting; it must not log. */
void log_set_observer(void (*fn)(enum log_level level, const char *module,
				 const char *function));

void log_at(enum log_level level, const char *file, const char *function,
	    const char *fmt, ...) PRINTF_LIKE(4, 5);

#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __FILE__, __func__, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __FILE__, __func__, __VA_ARGS__)
#define log_warning(...)                                                       \
	log_at(LOG_LEVEL_WARNING, __FILE__, __func__, __VA_ARGS__)
#define log_error(...) log_at(LOG_LEVEL_ERROR, __FILE__, __func__, __VA_ARGS__)

#endif
