#include "config.h"

#include "archive/range.h"

#include <stdio.h>

const char *range_limit_text(usec_t us, char buf[32])
{
	const usec_t per_day = 24 * USEC_PER_HOUR;
	const char *unit = "second";
	usec_t nr = us / USEC_PER_SEC;

	if (us > 3 * per_day && us % per_day == 0) {
		unit = "day";
		nr = us / per_day;
	} else if (us >= USEC_PER_HOUR && us % USEC_PER_HOUR == 0) {
		unit = "hour";
		nr = us / USEC_PER_HOUR;
	}
	snprintf(buf, 32, "%lld %s%s", (long long)nr, unit, nr == 1 ? "" : "s");
	return buf;
}

static enum err check_length(usec_t length_us, const char *what,
			     const struct range_limits *limits,
			     struct errmsg *e)
{
	char limit[32];

	if (length_us <= limits->max_explicit_us)
		return ERR_OK;
	return err_set(e, ERR_INPUT, "%s: longer than %s", what,
		       range_limit_text(limits->max_explicit_us, limit));
}

/* What a request costs is all of its ranges together. */
static enum err check_ranges(const struct range_spec *spec,
			     const struct range_limits *limits,
			     struct errmsg *e)
{
	usec_t total_us = 0;
	enum err err = ERR_OK;

	if (spec->nr_ranges > limits->max_ranges)
		return err_set(e, ERR_INPUT, "range: more than %zu of them",
			       limits->max_ranges);
	for (size_t i = 0; !err && i < spec->nr_ranges; i++) {
		const struct time_range *range = &spec->ranges[i];

		if (range->end_us <= range->start_us)
			return err_set(e, ERR_INPUT,
				       "range: end must be after start");
		err = check_length(range->end_us - range->start_us, "range",
				   limits, e);
		total_us += range->end_us - range->start_us;
		if (!err)
			err = check_length(total_us, "all ranges together",
					   limits, e);
	}
	return err;
}

enum err range_spec_check(const struct range_spec *spec,
			  const struct range_limits *limits,
			  enum range_flags flags, struct errmsg *e)
{
	if (spec->nr_ranges)
		return check_ranges(spec, limits, e);
	if (!spec->has_start || !spec->has_end)
		return ERR_OK;
	if (spec->end_us <= spec->start_us && !(flags & RANGE_MAY_BE_EMPTY))
		return err_set(e, ERR_INPUT,
			       "start and end: end must be after start");
	return check_length(spec->end_us - spec->start_us, "start and end",
			    limits, e);
}

static enum err resolve_open(const struct range_spec *spec,
			     const struct range_limits *limits,
			     const struct quality *quality,
			     struct time_range *range, struct errmsg *e)
{
	char limit[32];
	usec_t first_us, end_us;
	enum err err = archive_hour_span(quality, &first_us, &end_us, e);

	if (err)
		return err;
	range->start_us = spec->has_start ? spec->start_us : first_us;
	range->end_us = spec->has_end ? spec->end_us : end_us;
	if (range->end_us - range->start_us > limits->max_implicit_us)
		return err_set(
			e, ERR_INPUT,
			"%s is absent and the range would be longer "
			"than %s: give start and end",
			spec->has_start ? "end" :
			spec->has_end	? "start" :
					  "start and end",
			range_limit_text(limits->max_implicit_us, limit));
	return ERR_OK;
}

enum err range_spec_resolve(const struct range_spec *spec,
			    const struct range_limits *limits,
			    const struct quality *quality, struct arena *a,
			    struct time_range **ranges_r, size_t *nr_r,
			    struct errmsg *e)
{
	struct time_range *one;

	if (spec->nr_ranges) {
		*ranges_r = spec->ranges;
		*nr_r = spec->nr_ranges;
		return ERR_OK;
	}
	one = ARENA_NEW(a, struct time_range);
	one->start_us = spec->start_us;
	one->end_us = spec->end_us;
	if (!spec->has_start || !spec->has_end) {
		enum err err = resolve_open(spec, limits, quality, one, e);

		if (err)
			return err;
	}
	*ranges_r = one;
	*nr_r = 1;
	return ERR_OK;
}
