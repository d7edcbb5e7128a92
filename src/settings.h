/*
 * settings.h - options and environment to one const struct.
 *
 * An option on the command line goes before its environment variable, which
 * goes before the default.  All come from options.def.
 */
#ifndef SRC_SETTINGS_H
#define SRC_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/hourcache.h"
#include "archive/range.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

#define COUNT_AUTO UINT32_MAX
#define CACHE_NONE "none"
#define WWW_NONE   "none"

enum sendfile_mode { SENDFILE_OFF, SENDFILE_ACCEL, SENDFILE_X };

struct settings {
#define FIELD_STRING					     const char *
#define FIELD_COUNT					     uint32_t
#define FIELD_FLAG					     bool
#define FIELD_SWITCH					     bool
#define FIELD_OCTAL					     uint32_t
#define FIELD_LEVEL					     enum log_level
#define FIELD_VALIDATION				     enum hour_validation
#define OPTION(commands, name, field, type, arg, dflt, help) FIELD_##type field;
#include "options.def"
#undef OPTION
	/* made of the above */
	enum sendfile_mode sendfile_mode;
	const char *accel_prefix; /* of SENDFILE_ACCEL */
	struct range_limits limits;
};

enum option_set {
	OPTIONS_SERVE = 1 << 0,
	OPTIONS_OFFLINE = 1 << 1,
};

/*
 * What the offline commands do with words that are no option of ours: the
 * arguments of an endpoint.  ERR_INPUT if there is none of that name.
 */
typedef enum err settings_other_fn(void *ctx, const char *name,
				   const char *value, struct errmsg *e);

/*
 * Reads argv[1...]; words without a dash are moved to argv[1...nr_words_r].
 * Strings point into argv or the environment.
 */
enum err settings_read(struct settings *s, enum option_set set, int argc,
		       char **argv, settings_other_fn *other, void *ctx,
		       int *nr_words_r, struct errmsg *e) MUST_CHECK;

/* Where the indexes go, or NULL for nowhere. */
const char *settings_cache_dir(const struct settings *s, struct arena *a);

/* Where the web page is, there or not; or NULL for nowhere. */
const char *settings_www_dir(const struct settings *s);

/* Appends words, broken before the 79th column, each line indented. */
void settings_wrap(struct text *out, const char *words, size_t indent);

/* The options of a set as --help shows them, or as the manual page does. */
void settings_describe(enum option_set set, struct text *out);
void settings_describe_man(enum option_set set, struct text *out);

#endif
