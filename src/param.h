/*
 * param.h - the arguments of a URL, declared once per route, checked once.
 *
 * A route declares its arguments in a table; param_fill() makes a typed struct
 * of them, or a message that names the culprit.  Arguments that no row names
 * are ignored: players add their own.  Of a single argument that is repeated
 * the first counts.
 */
#ifndef SRC_PARAM_H
#define SRC_PARAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "request.h"

enum param_type {
	PARAM_END = 0,
	PARAM_TIME, /* usec_t at offset, bool at extra: whether given */
	PARAM_BOOL, /* bool: true or false in any case */
	PARAM_ENUM, /* int: index into choices */
	PARAM_INT,  /* int: a number from min to max */
	PARAM_TEXT, /* const char *: not empty */
	PARAM_BOX,  /* struct box at offset, bool at extra: whether given */
	PARAM_LIST, /* repeated: array of elements, size_t at extra: count */
};

enum param_flags {
	PARAM_REQUIRED = 1 << 0,
};

/* Parses one text of a PARAM_LIST into an element. */
typedef enum err param_element_fn(const struct request *req, const char *text,
				  void *element, struct errmsg *e);

struct param {
	const char *name;
	enum param_type type;
	enum param_flags flags;
	size_t offset;
	size_t extra;
	const char *const *choices; /* PARAM_ENUM: NULL-terminated */
	const char *dflt;	    /* PARAM_ENUM, PARAM_BOOL, PARAM_INT */
	int min, max;		    /* PARAM_INT */
	param_element_fn *parse;    /* PARAM_LIST */
	size_t element_size;
	const char *help; /* of the value, for "routes" */
};

/* The rows of a start and an end, in a struct range_spec of the spec. */
#define PARAM_START_END(spec, range, how)                                      \
	{ .name = "start",                                                     \
	  .type = PARAM_TIME,                                                  \
	  .flags = how,                                                        \
	  .offset = offsetof(spec, range.start_us),                            \
	  .extra = offsetof(spec, range.has_start),                            \
	  .help = "TIME" },                                                    \
	{                                                                      \
		.name = "end", .type = PARAM_TIME, .flags = how,               \
		.offset = offsetof(spec, range.end_us),                        \
		.extra = offsetof(spec, range.has_end), .help = "TIME"         \
	}

/* ERR_INPUT, saying which argument, what is wrong, and what is allowed. */
enum err param_fill(struct request *req, const struct param *params,
		    void *spec) MUST_CHECK;

/* A time, as all arguments take it. */
enum err param_parse_time(const struct request *req, const char *text,
			  usec_t *us_r, struct errmsg *e) MUST_CHECK;

/* "START,END" to a struct time_range, for PARAM_LIST. */
param_element_fn param_parse_range;

#endif
