/*
 * utime.h - instants and lengths of time, in whole microseconds.
 *
 * Units:  usec_t counts from 1970-01-01T00:00:00Z for instants, or is a
 *         length; names end in _us.  No floating point anywhere: neighbouring
 *         segments must compare equal exactly.  Monotonic time is never kept
 *         in one.
 * Range:  the years 1 to 9999, proleptic Gregorian, no leap seconds.
 * Errors: ERR_INPUT, quoting the text.
 */
#ifndef BASE_UTIME_H
#define BASE_UTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

typedef int64_t usec_t;

#define USEC_PER_MS   ((usec_t)1000)
#define USEC_PER_SEC  ((usec_t)1000000)
#define USEC_PER_HOUR ((usec_t)3600 * USEC_PER_SEC)

enum utime_flags {
	UTIME_UTC_ONLY = 0,	   /* an offset other than zero is an error */
	UTIME_ANY_OFFSET = 1 << 0, /* any +HH:MM, converted to UTC */
};

usec_t utime_now(void);

/*
 * Reads an instant: YYYY-MM-DD, then optionally "T" or a space and
 * HH:MM[:SS[.f...]], then optionally Z or +00:00; or "now", "now-90s",
 * "now-2h30m", "now-1d"; or "@1794016804.25", Unix seconds.  Digits beyond
 * microseconds are dropped.  A space instead of the plus of +00:00 is
 * accepted, because that is what an unescaped plus in a query becomes.
 */
enum err utime_parse(const char *text, usec_t now_us, enum utime_flags flags,
		     usec_t *us_r, struct errmsg *e) MUST_CHECK;

/*
 * Reads a length in decimal seconds ("2", "2.002"), rounded to the nearest
 * microsecond.  False if it is anything else, or over max_us.
 */
bool utime_parse_seconds(const char *text, size_t len, usec_t max_us,
			 usec_t *us_r) MUST_CHECK;

/* "2026-11-07T00:00:00.000000Z"; the year is cut to 1...9999. */
#define UTIME_ISO_SIZE 28
char *utime_format(usec_t us, char buf[UTIME_ISO_SIZE]);

/* Hours as the archive names them: "2026-11-07T00". */
#define UTIME_HOUR_LEN	13
#define UTIME_HOUR_SIZE (UTIME_HOUR_LEN + 1)
char *utime_format_hour(usec_t us, char buf[UTIME_HOUR_SIZE]);
bool utime_parse_hour(const char *text, usec_t *us_r) MUST_CHECK;

/* The beginning of the hour that us is in. */
usec_t utime_hour(usec_t us);

/* Writes exactly nr digits of value, zeros in front; no NUL. */
void utime_put_digits(char *to, unsigned nr, uint64_t value);

/* The nr digits at text as a number, or -1 if one of them is no digit. */
int64_t utime_take_digits(const char *text, unsigned nr);

#endif
