/*
 * log.h - one line an event, in logfmt.
 *
 *	time=2026-11-21T12:00:00.123Z level=info pid=123 module=worker
 *		req=0123456789abcdef msg="what happened"
 *
 * The time is UTC; req is there while a request is answered.  How values are
 * written, so that nothing a client sent can forge a line or reach a terminal,
 * is in logline.h.  A line is one write(2) to a file open for appending, so
 * that lines of several processes do not mix; where a full disk takes only a
 * part of one, the next of any process begins with a line feed.
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
#include "base/logline.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_COUNT
};

extern const char *const log_level_names[LOG_LEVEL_COUNT + 1];

/*
 * Opens the file for appending; NULL is standard error.  False, with errno, if
 * it cannot be opened: the log then stays where it was.
 */
bool log_open(const char *path) MUST_CHECK;
void log_set_level(enum log_level level);

/*
 * What all processes of a server follow from the next line on; in memory that
 * they share, all zeros at first.  log_share() takes over the level that was
 * set before.
 */
struct log_shared {
	_Atomic int level;	      /* enum log_level */
	_Atomic uint32_t generation;  /* of the file: one more, open it again */
	_Atomic uint32_t said_failed; /* a generation that was not to be had */
	_Atomic bool is_torn;	      /* the file ends in a part of a line */
};
void log_share(struct log_shared *shared);

/*
 * The file was moved away: this process opens it again now, and every other
 * before its next line, or when it calls log_follow().  One that cannot goes on
 * in the old file, or on standard error if that has been deleted; the first to
 * find out says so.  Not for signal handlers.
 */
void log_reopen(void);
void log_follow(void);

/* On every line from here on, copied; NULL for none. */
void log_set_request(const char *id);

/* The same id, "" if there is none. */
void log_get_request(char *id, size_t size);

/*
 * From here on what one place in the code repeats is held back, as told in
 * lograte.h; repeated=N on a line is how many like it were.  Lines made by
 * log_begin() never are.
 */
void log_hold_repeats(void);

/* Says what is held back, now; done at exit(), but not at _exit(). */
void log_flush(void);

/*
 * fn is told of every line, also of those that are not written, for counting;
 * it must not log.
 */
void log_set_observer(void (*fn)(enum log_level level, const char *module,
				 const char *function));

void log_at(enum log_level level, const char *file, int line,
	    const char *function, const char *fmt, ...) PRINTF_LIKE(5, 6);

#define LOG_AT(level, ...)                                                     \
	log_at(level, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_debug(...)	 LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)	 LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) LOG_AT(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)	 LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)

/*
 * A line of fields instead of a message: begun with those that every line has,
 * written by log_end().  False if the level is not written.
 */
bool log_begin(struct logline *l, enum log_level level, const char *file,
	       const char *function) MUST_CHECK;
void log_end(struct logline *l);

#endif
