#include "config.h"

#include "base/utime.h"

#include <string.h>
#include <time.h>

#define SECONDS_PER_DAY 86400
#define FIRST_US	((usec_t)-62135596800 * USEC_PER_SEC)	  /* year 1 */
#define LAST_US		((usec_t)253402300800 * USEC_PER_SEC - 1) /* 9999 */

usec_t utime_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (usec_t)ts.tv_sec * USEC_PER_SEC + ts.tv_nsec / 1000;
}

void utime_put_digits(char *to, unsigned nr, uint64_t value)
{
	while (nr--) {
		to[nr] = (char)('0' + value % 10);
		value /= 10;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int64_t utime_take_digits(const char *text, unsigned nr)
{
	int64_t value = 0;

	for (unsigned i = 0; i < nr; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int8_t days[] = { 31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to a date; years are counted from March. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2);
	int64_t m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

/* The inverse, for years 1 to 9999. */
static void date_of_days(int64_t days, int64_t *year, int64_t *month,
			 int64_t *day)
{
	int64_t shifted = days + 719468;
	int64_t era = shifted / 146097;
	int64_t in_era = shifted % 146097;
	int64_t year_of_era =
		(in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) /
		365;
	int64_t in_year = in_era - (365 * year_of_era + year_of_era / 4 -
				    year_of_era / 100);
	int64_t m = (5 * in_year + 2) / 153;

	*day = in_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = year_of_era + era * 400 + (*month <= 2);
}

/* Reads "YYYY-MM-DD" (10 characters). */
static bool take_date(const char **at, usec_t *us_r)
{
	const char *p = *at;
	int64_t year, month, day;

	if (strnlen(p, 10) < 10 || p[4] != '-' || p[7] != '-')
		return false;
	year = utime_take_digits(p, 4);
	month = utime_take_digits(p + 5, 2);
	day = utime_take_digits(p + 8, 2);
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return false;
	*us_r = days_of_date(year, month, day) * SECONDS_PER_DAY * USEC_PER_SEC;
	*at = p + 10;
	return true;
}

/* Reads ".f..." after seconds: at least one digit, those past six dropped. */
static bool take_fraction(const char **at, usec_t *us_r)
{
	const char *p = *at + 1;
	usec_t unit = USEC_PER_SEC / 10;
	usec_t us = 0;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++, unit /= 10)
		us += (*p - '0') * unit;
	*us_r += us;
	*at = p;
	return true;
}

/* Reads "HH:MM[:SS[.f...]]". */
static bool take_clock(const char **at, usec_t *us_r)
{
	const char *p = *at;
	int64_t hour, minute, second = 0;

	if (strnlen(p, 5) < 5 || p[2] != ':')
		return false;
	hour = utime_take_digits(p, 2);
	minute = utime_take_digits(p + 3, 2);
	p += 5;
	if (*p == ':') {
		if (strnlen(p, 3) < 3)
			return false;
		second = utime_take_digits(p + 1, 2);
		p += 3;
	} else if (*p == '.') {
		return false;
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 59)
		return false;
	*us_r += ((hour * 60 + minute) * 60 + second) * USEC_PER_SEC;
	*at = p;
	return *p != '.' || take_fraction(at, us_r);
}

/* Reads "Z" or "+HH:MM"; offset_r is what to subtract. */
static bool take_offset(const char **at, usec_t *offset_r)
{
	const char *p = *at;
	int64_t hours, minutes;

	*offset_r = 0;
	if (*p == 'Z') {
		*at = p + 1;
		return true;
	}
	if ((*p != '+' && *p != '-' && *p != ' ') || strnlen(p, 6) < 6 ||
	    p[3] != ':')
		return false;
	hours = utime_take_digits(p + 1, 2);
	minutes = utime_take_digits(p + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*offset_r = (hours * 60 + minutes) * 60 * USEC_PER_SEC;
	if (*p == '-')
		*offset_r = -*offset_r;
	*at = p + 6;
	return true;
}

static enum err parse_date(const char *text, enum utime_flags flags,
			   usec_t *us_r, struct errmsg *e)
{
	const char *p = text;
	usec_t us = 0;
	usec_t offset = 0;

	if (!take_date(&p, &us))
		goto bad;
	if ((*p == 'T' || *p == ' ') && (p++, !take_clock(&p, &us)))
		goto bad;
	if (*p && !take_offset(&p, &offset))
		goto bad;
	if (*p)
		goto bad;
	if (offset && !(flags & UTIME_ANY_OFFSET))
		return err_set(e, ERR_INPUT,
			       "time '%s' has an offset; all times are UTC "
			       "(allowed: Z or +00:00)",
			       err_quote(text).text);
	*us_r = us - offset;
	return ERR_OK;
bad:
	return err_set(e, ERR_INPUT,
		       "'%s' is not a time; write 2026-11-07T12:34:56.789, "
		       "now-90s or @1794016804.25",
		       err_quote(text).text);
}

/* Reads "90s", "2h30m": numbers with units, largest unit first. */
static bool take_ago(const char *p, usec_t *us_r)
{
	static const struct {
		char letter;
		usec_t us;
	} units[] = {
		{ 'd', 24 * USEC_PER_HOUR },
		{ 'h', USEC_PER_HOUR },
		{ 'm', 60 * USEC_PER_SEC },
		{ 's', USEC_PER_SEC },
	};
	const char *start = p;
	size_t unit = 0;
	usec_t us = 0;

	while (*p) {
		int64_t value = 0;
		unsigned digits = 0;

		for (; is_digit(*p); p++, digits++) {
			if (digits == 9)
				return false;
			value = value * 10 + (*p - '0');
		}
		while (unit < ARRAY_SIZE(units) && units[unit].letter != *p)
			unit++;
		if (!digits || unit == ARRAY_SIZE(units) ||
		    value > (LAST_US - FIRST_US) / units[unit].us)
			return false;
		us += value * units[unit++].us;
		p++;
	}
	*us_r = us;
	return p != start;
}

static enum err parse_now(const char *text, usec_t now_us, usec_t *us_r,
			  struct errmsg *e)
{
	usec_t ago = 0;

	if (text[3] && (text[3] != '-' || !take_ago(text + 4, &ago)))
		return err_set(e, ERR_INPUT,
			       "'%s' is not a time; write now, now-90s or "
			       "now-2h30m (units d, h, m, s in this order)",
			       err_quote(text).text);
	*us_r = now_us - ago;
	return ERR_OK;
}

static enum err parse_unix(const char *text, usec_t *us_r, struct errmsg *e)
{
	const char *p = text + 1;
	bool negative = *p == '-';
	unsigned digits = 0;
	usec_t us = 0;

	for (p += negative; is_digit(*p) && digits < 12; p++, digits++)
		us = us * 10 + (*p - '0');
	us *= USEC_PER_SEC;
	if (!digits || (*p == '.' && !take_fraction(&p, &us)) || *p)
		return err_set(e, ERR_INPUT,
			       "'%s' is not a time; after @ come Unix seconds, "
			       "as in @1794016804.25",
			       err_quote(text).text);
	*us_r = negative ? -us : us;
	return ERR_OK;
}

enum err utime_parse(const char *text, usec_t now_us, enum utime_flags flags,
		     usec_t *us_r, struct errmsg *e)
{
	usec_t us = 0;
	enum err err;

	if (!strncmp(text, "now", 3))
		err = parse_now(text, now_us, &us, e);
	else if (*text == '@')
		err = parse_unix(text, &us, e);
	else
		err = parse_date(text, flags, &us, e);
	if (err)
		return err;
	if (us < FIRST_US || us > LAST_US)
		return err_set(e, ERR_INPUT,
			       "time '%s' is outside the years 1 to 9999",
			       err_quote(text).text);
	*us_r = us;
	return ERR_OK;
}

bool utime_parse_seconds(const char *text, size_t len, usec_t max_us,
			 usec_t *us_r)
{
	const char *end = text + len;
	const char *p = text;
	usec_t unit = USEC_PER_SEC / 10;
	usec_t us = 0;

	for (; p < end && is_digit(*p); p++) {
		us = us * 10 + (*p - '0') * USEC_PER_SEC;
		if (us > max_us)
			return false;
	}
	if (p == text)
		return false;
	if (p < end && *p == '.') {
		const char *fraction = ++p;

		for (; p < end && is_digit(*p); p++, unit /= 10) {
			us += (*p - '0') * unit;
			if (p - fraction == 6 && *p >= '5')
				us++;
		}
		if (p == fraction)
			return false;
	}
	if (p != end || us > max_us)
		return false;
	*us_r = us;
	return true;
}

usec_t utime_hour(usec_t us)
{
	usec_t rest = us % USEC_PER_HOUR;

	return us - rest - (rest < 0 ? USEC_PER_HOUR : 0);
}

/* Writes "YYYY-MM-DDT" and returns the microseconds into that day. */
static usec_t put_date(usec_t us, char *to)
{
	const usec_t per_day = SECONDS_PER_DAY * USEC_PER_SEC;
	int64_t year, month, day;
	usec_t rest;

	if (us < FIRST_US)
		us = FIRST_US;
	if (us > LAST_US)
		us = LAST_US;
	rest = (us - FIRST_US) % per_day;
	date_of_days((us - rest) / per_day, &year, &month, &day);
	utime_put_digits(to, 4, (uint64_t)year);
	to[4] = '-';
	utime_put_digits(to + 5, 2, (uint64_t)month);
	to[7] = '-';
	utime_put_digits(to + 8, 2, (uint64_t)day);
	to[10] = 'T';
	return rest;
}

char *utime_format(usec_t us, char buf[UTIME_ISO_SIZE])
{
	uint64_t rest = (uint64_t)put_date(us, buf);
	uint64_t seconds = rest / (uint64_t)USEC_PER_SEC;

	utime_put_digits(buf + 11, 2, seconds / 3600);
	buf[13] = ':';
	utime_put_digits(buf + 14, 2, seconds / 60 % 60);
	buf[16] = ':';
	utime_put_digits(buf + 17, 2, seconds % 60);
	buf[19] = '.';
	utime_put_digits(buf + 20, 6, rest % (uint64_t)USEC_PER_SEC);
	memcpy(buf + 26, "Z", 2);
	return buf;
}

char *utime_format_hour(usec_t us, char buf[UTIME_HOUR_SIZE])
{
	uint64_t rest = (uint64_t)put_date(us, buf);

	utime_put_digits(buf + 11, 2, rest / (uint64_t)USEC_PER_HOUR);
	buf[UTIME_HOUR_LEN] = '\0';
	return buf;
}

bool utime_parse_hour(const char *text, usec_t *us_r)
{
	const char *p = text;
	int64_t hour;
	usec_t us;

	if (!take_date(&p, &us) || *p != 'T' || strnlen(p + 1, 3) != 2)
		return false;
	hour = utime_take_digits(p + 1, 2);
	if (hour < 0 || hour > 23)
		return false;
	*us_r = us + hour * USEC_PER_HOUR;
	return true;
}
