#include "config.h"

#include "settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/templates.h"

#define MAX_HOURS	   (366 * 24 * 100)
#define MAX_WAVEFORM_HOURS 48
#define MAX_CHAT_HOURS	   (24 * 31)
#define MAX_PROFILE_HZ	   1000

enum option_type {
	OPTION_STRING,
	OPTION_COUNT,
	OPTION_OCTAL,
	OPTION_LEVEL,
	OPTION_VALIDATION,
	OPTION_SWITCH,
	OPTION_FLAG, /* true by being there; in the environment it says so */
};

enum { S = OPTIONS_SERVE, O = OPTIONS_OFFLINE, B = S | O };

static const struct option_row {
	unsigned set; /* enum option_set */
	const char *name;
	size_t offset; /* into struct settings */
	enum option_type type;
	const char *arg;
	const char *dflt;
	const char *help;
} rows[] = {
#define OPTION(commands, name, field, type, arg, dflt, help)                   \
	{                                                                      \
		commands,      name, offsetof(struct settings, field),         \
		OPTION_##type, arg,  dflt,                                     \
		help                                                           \
	},
#include "options.def"
#undef OPTION
};

static const char *const validation_names[] = { "auto", "mtime", "listing",
						NULL };

static const char *const flag_names[] = { "false", "true", NULL };
static const char *const switch_names[] = { "off", "on", NULL };

static int find_word(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static bool take_number(const char *text, int base, uint32_t *value_r)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)*text))
		return false;
	value = strtoul(text, &end, base);
	if (*end || value >= COUNT_AUTO)
		return false;
	*value_r = (uint32_t)value;
	return true;
}

/* Sets one field; false if the value is not of its type. */
static bool set_field(struct settings *s, const struct option_row *row,
		      const char *value)
{
	char *field = (char *)s + row->offset;
	int word;

	switch (row->type) {
	case OPTION_STRING:
		memcpy(field, &value, sizeof(value));
		return true;
	case OPTION_COUNT:
		if (!strcmp(value, "auto") && !strcmp(row->dflt, "auto")) {
			*(uint32_t *)(void *)field = COUNT_AUTO;
			return true;
		}
		return take_number(value, 10, (uint32_t *)(void *)field);
	case OPTION_OCTAL:
		return take_number(value, 8, (uint32_t *)(void *)field);
	case OPTION_LEVEL:
		word = find_word(log_level_names, value);
		*(enum log_level *)(void *)field = (enum log_level)word;
		return word >= 0;
	case OPTION_VALIDATION:
		word = find_word(validation_names, value);
		*(enum hour_validation *)(void *)field =
			(enum hour_validation)word;
		return word >= 0;
	case OPTION_SWITCH:
		word = find_word(switch_names, value);
		*(bool *)(void *)field = word == 1;
		return word >= 0;
	case OPTION_FLAG:
		word = find_word(flag_names, value);
		*(bool *)(void *)field = word == 1;
		return word >= 0;
	}
	BUG("option '%s' has no type", row->name);
}

static enum err set(struct settings *s, const struct option_row *row,
		    const char *value, struct errmsg *e)
{
	if (set_field(s, row, value))
		return ERR_OK;
	if (row->type == OPTION_FLAG)
		return err_set(e, ERR_INPUT,
			       "--%s: '%s' is neither true nor false",
			       row->name, err_quote(value).text);
	return err_set(e, ERR_INPUT, "--%s: '%s' is not a valid %s", row->name,
		       err_quote(value).text, row->arg);
}

/* "cache-max-mb" to "RESTREAMER_CACHE_MAX_MB". */
static void env_name(const struct option_row *row, char buf[64])
{
	size_t at = (size_t)snprintf(buf, 64, "RESTREAMER_");

	for (const char *p = row->name; *p && at < 63; p++)
		buf[at++] = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	buf[at] = '\0';
}

static enum err set_defaults(struct settings *s, enum option_set option_set,
			     struct errmsg *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = NULL;
		char name[64];
		enum err err;

		env_name(&rows[i], name);
		if (rows[i].set & option_set)
			value = getenv(name);
		err = set(s, &rows[i], value ? value : rows[i].dflt, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

static const struct option_row *find_row(const char *name, size_t len,
					 enum option_set option_set)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((rows[i].set & option_set) && strlen(rows[i].name) == len &&
		    !memcmp(rows[i].name, name, len))
			return &rows[i];
	return NULL;
}

/* Reads "--name=value" or "--name value"; *at moves past what it took. */
static enum err take_option(struct settings *s, enum option_set option_set,
			    int argc, char **argv, int *at,
			    settings_other_fn *other, void *ctx,
			    struct errmsg *e)
{
	const char *word = argv[(*at)++];
	const char *name = !strcmp(word, "-o") ? "output" : word + 2;
	size_t len = strcspn(name, "=");
	const struct option_row *row = find_row(name, len, option_set);
	char plain[64];
	const char *value;

	if (len >= sizeof(plain) || (!row && !other))
		return err_set(e, ERR_INPUT, "no option '%s'; see --help",
			       err_quote(word).text);
	if (name[len] == '=')
		value = name + len + 1;
	else if (row && row->type == OPTION_FLAG)
		value = "true";
	else if (*at < argc)
		value = argv[(*at)++];
	else
		return err_set(e, ERR_INPUT, "option '%s' needs a value",
			       err_quote(word).text);
	if (row)
		return set(s, row, value, e);
	memcpy(plain, name, len);
	plain[len] = '\0';
	return other(ctx, plain, value, e);
}

static enum err finish_sendfile(struct settings *s, struct errmsg *e)
{
	if (!strcmp(s->sendfile, "off")) {
		s->sendfile_mode = SENDFILE_OFF;
	} else if (!strcmp(s->sendfile, "xsendfile")) {
		s->sendfile_mode = SENDFILE_X;
	} else if (!strncmp(s->sendfile, "accel:/", 7)) {
		s->sendfile_mode = SENDFILE_ACCEL;
		s->accel_prefix = s->sendfile + 6;
	} else {
		return err_set(e, ERR_INPUT,
			       "--sendfile: off, accel:/PATH or xsendfile");
	}
	return ERR_OK;
}

static enum err finish(struct settings *s, struct errmsg *e)
{
	size_t len = strlen(s->prefix);

	if (len > 512 ||
	    (len && (s->prefix[0] != '/' || s->prefix[len - 1] == '/')))
		return err_set(e, ERR_INPUT,
			       "--prefix: begins with a slash, does not end "
			       "with one, at most 512 characters");
	if (!s->heavy_max || s->heavy_max > 1000)
		return err_set(e, ERR_INPUT, "--heavy-max: 1 to 1000");
	if (s->workers != COUNT_AUTO && s->workers > 500)
		return err_set(e, ERR_INPUT, "--workers: at most 500");
	if (s->socket_mode > 0777)
		return err_set(e, ERR_INPUT, "--socket-mode: 0 to 0777");
	if (s->profile > MAX_PROFILE_HZ)
		return err_set(e, ERR_INPUT, "--profile: at most %d",
			       MAX_PROFILE_HZ);
	if (s->max_range_hours > MAX_HOURS ||
	    s->max_open_range_hours > MAX_HOURS)
		return err_set(e, ERR_INPUT,
			       "--max-range-hours, --max-open-range-hours: at "
			       "most %d",
			       MAX_HOURS);
	if (s->max_waveform_hours > MAX_WAVEFORM_HOURS)
		return err_set(e, ERR_INPUT, "--max-waveform-hours: at most %d",
			       MAX_WAVEFORM_HOURS);
	if (s->max_chat_hours > MAX_CHAT_HOURS)
		return err_set(e, ERR_INPUT, "--max-chat-hours: at most %d",
			       MAX_CHAT_HOURS);
	s->limits = (struct range_limits){
		.max_explicit_us = s->max_range_hours * USEC_PER_HOUR,
		.max_implicit_us = s->max_open_range_hours * USEC_PER_HOUR,
		.max_ranges = s->max_ranges,
	};
	if (*s->db && templates_check_conninfo(s->db, e))
		return ERR_INPUT;
	return finish_sendfile(s, e);
}

enum err settings_read(struct settings *s, enum option_set option_set, int argc,
		       char **argv, settings_other_fn *other, void *ctx,
		       int *nr_words_r, struct errmsg *e)
{
	enum err err;
	int at = 1;

	*s = (struct settings){ 0 };
	*nr_words_r = 0;
	err = set_defaults(s, option_set, e);
	while (!err && at < argc) {
		if (!strncmp(argv[at], "--", 2) || !strcmp(argv[at], "-o"))
			err = take_option(s, option_set, argc, argv, &at, other,
					  ctx, e);
		else if (argv[at][0] == '-' && argv[at][1])
			err = err_set(e, ERR_INPUT,
				      "no option '%s'; see --help",
				      err_quote(argv[at]).text);
		else
			argv[++*nr_words_r] = argv[at++];
	}
	return err ? err : finish(s, e);
}

const char *settings_cache_dir(const struct settings *s, struct arena *a)
{
	const char *user_cache = getenv("XDG_CACHE_HOME");

	if (!strcmp(s->cache, CACHE_NONE))
		return NULL;
	if (*s->cache)
		return s->cache;
	if (user_cache && *user_cache == '/')
		return arena_printf(a, "%s/restreamer", user_cache);
	return "/var/cache/restreamer";
}

const char *settings_www_dir(const struct settings *s)
{
	if (!strcmp(s->www, WWW_NONE))
		return NULL;
	return *s->www ? s->www : WWW_DIR;
}

void settings_wrap(struct text *out, const char *words, size_t indent)
{
	size_t column = indent;

	text_printf(out, "%*s", (int)indent, "");
	while (*words) {
		size_t len = strcspn(words, " ");

		if (column > indent && column + len + 1 > 78) {
			text_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		text_printf(out, "%s%.*s", column > indent ? " " : "", (int)len,
			    words);
		column += len + (column > indent);
		words += len + strspn(words + len, " ");
	}
	text_putc(out, '\n');
}

void settings_describe(enum option_set option_set, struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!(rows[i].set & option_set))
			continue;
		text_printf(out, "  --%s %s", rows[i].name, rows[i].arg);
		if (*rows[i].dflt)
			text_printf(out, "  (default: %s)", rows[i].dflt);
		text_putc(out, '\n');
		settings_wrap(out, rows[i].help, 6);
	}
}

void settings_describe_man(enum option_set option_set, struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[64];

		if (!(rows[i].set & option_set))
			continue;
		env_name(&rows[i], name);
		text_puts(out, ".TP\n.BI \\-\\-");
		for (const char *p = rows[i].name; *p; p++)
			text_printf(out, "%s%c", *p == '-' ? "\\" : "", *p);
		text_printf(out, " \" %s\"\n%s.\n", rows[i].arg, rows[i].help);
		if (*rows[i].dflt)
			text_printf(out, "The default is \"%s\".\n",
				    rows[i].dflt);
		text_printf(out, "Environment: %s.\n", name);
	}
}
