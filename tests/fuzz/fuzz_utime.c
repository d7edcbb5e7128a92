/*
 * fuzz_utime.c - any bytes as an instant, a length of time and an hour.
 */
#include "config.h"

#include "base/utime.h"

#include "fuzz.h"

#define UNTOUCHED ((usec_t)0x5a5a5a5a)

static void check_instant(const char *text)
{
	char iso[UTIME_ISO_SIZE];
	char hour[UTIME_HOUR_SIZE];
	struct errmsg e = { "" };
	usec_t us = UNTOUCHED;
	usec_t again = UNTOUCHED;
	usec_t hour_us = UNTOUCHED;

	if (utime_parse(text, FUZZ_HOUR, UTIME_ANY_OFFSET, &us, &e)) {
		MUST(us == UNTOUCHED && e.text[0]);
		MUST(utime_parse(text, FUZZ_HOUR, UTIME_UTC_ONLY, &us, &e));
		return;
	}
	/* Without an offset it is the same, or it is refused. */
	if (utime_parse(text, FUZZ_HOUR, UTIME_UTC_ONLY, &again, &e))
		MUST(again == UNTOUCHED);
	else
		MUST(again == us);
	MUST(!utime_parse(utime_format(us, iso), 0, UTIME_UTC_ONLY, &again,
			  &e));
	MUST(again == us);
	MUST(utime_parse_hour(utime_format_hour(us, hour), &hour_us));
	MUST(hour_us == utime_hour(us));
	MUST(us - hour_us >= 0 && us - hour_us < USEC_PER_HOUR);
}

static void check_hour(const char *text)
{
	char again[UTIME_HOUR_SIZE];
	usec_t us = UNTOUCHED;

	if (!utime_parse_hour(text, &us)) {
		MUST(us == UNTOUCHED);
		return;
	}
	MUST(!strcmp(utime_format_hour(us, again), text));
	MUST(utime_hour(us) == us);
}

static void check_seconds(const void *data, size_t size)
{
	char *exact = fuzz_copy(data, size);
	usec_t us = UNTOUCHED;

	if (utime_parse_seconds(exact, size, USEC_PER_HOUR, &us))
		MUST(us >= 0 && us <= USEC_PER_HOUR);
	else
		MUST(us == UNTOUCHED);
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_instant(text);
	check_hour(text);
	check_seconds(data, size);
	free(text);
	return 0;
}
