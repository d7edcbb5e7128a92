/*
 * test_settings.c - options, environment and defaults.
 */
#include "config.h"

#include "settings.h"

#include "unit.h"

#define MAX_ARGV 16

static struct settings settings;
static struct errmsg e;
static int nr_words;
static char *argv[MAX_ARGV + 1];

/* "a b c" as the words after the program's name. */
static enum err read_words(const char *words, enum option_set set,
			   settings_other_fn *other, void *ctx)
{
	static char copy[512];
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", words);
	argv[0] = (char *)"restreamer";
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " ")) {
		assert_true(argc < MAX_ARGV);
		/* "_" stands for an empty word. */
		argv[argc++] = strcmp(p, "_") ? p : p + 1;
	}
	argv[argc] = NULL;
	e.text[0] = '\0';
	return settings_read(&settings, set, argc, argv, other, ctx, &nr_words,
			     &e);
}

static enum err serve(const char *words)
{
	return read_words(words, OPTIONS_SERVE, NULL, NULL);
}

static void test_defaults(void **state)
{
	UNUSED(state);
	assert_int_equal(serve(""), ERR_OK);
	assert_int_equal(nr_words, 0);
	assert_string_equal(settings.base, ".");
	assert_string_equal(settings.listen, "127.0.0.1:9000");
	assert_string_equal(settings.prefix, "");
	assert_int_equal(settings.socket_mode, 0660);
	assert_true(settings.workers == COUNT_AUTO);
	assert_int_equal(settings.heavy_max, 32);
	assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
	assert_true(settings.access_log);
	assert_int_equal(settings.cache_validate, HOUR_VALIDATION_AUTO);
	assert_int_equal(settings.sendfile_mode, SENDFILE_OFF);
	assert_int_equal(settings.max_query_bytes, 8192);
	assert_int_equal(settings.max_body_mb, 20);
	/* 31 days, 12 hours, 100 ranges: what the protocol promises */
	assert_true(settings.limits.max_explicit_us == 31 * 24 * USEC_PER_HOUR);
	assert_true(settings.limits.max_implicit_us == 12 * USEC_PER_HOUR);
	assert_int_equal(settings.limits.max_ranges, 100);
}

static void test_good(void **state)
{
	UNUSED(state);
	assert_int_equal(serve("--base /a --workers=3 --socket-mode 0600 "
			       "--prefix /p/q --log-level error "
			       "--cache-validate=listing --access-log off"),
			 ERR_OK);
	assert_string_equal(settings.base, "/a");
	assert_int_equal(settings.workers, 3);
	assert_int_equal(settings.socket_mode, 0600);
	assert_string_equal(settings.prefix, "/p/q");
	assert_int_equal(settings.log_level, LOG_LEVEL_ERROR);
	assert_false(settings.access_log);
	assert_int_equal(settings.cache_validate, HOUR_VALIDATION_LISTING);
	/* the last of the same counts; values may look like options */
	assert_int_equal(serve("--workers 1 --workers auto --base --base"),
			 ERR_OK);
	assert_true(settings.workers == COUNT_AUTO);
	assert_string_equal(settings.base, "--base");
	assert_int_equal(serve("--base= --heavy-max 1000 --workers 0"), ERR_OK);
	assert_string_equal(settings.base, "");
	assert_int_equal(settings.workers, 0);
}

static void test_sendfile(void **state)
{
	static const struct {
		const char *words;
		enum err err;
		enum sendfile_mode mode;
		const char *prefix;
	} rows[] = {
		{ "--sendfile off", ERR_OK, SENDFILE_OFF, NULL },
		{ "--sendfile xsendfile", ERR_OK, SENDFILE_X, NULL },
		{ "--sendfile accel:/internal", ERR_OK, SENDFILE_ACCEL,
		  "/internal" },
		{ "--sendfile accel:", ERR_INPUT, 0, NULL },
		{ "--sendfile accel:internal", ERR_INPUT, 0, NULL },
		{ "--sendfile accel", ERR_INPUT, 0, NULL },
		{ "--sendfile on", ERR_INPUT, 0, NULL },
		{ "--sendfile _", ERR_INPUT, 0, NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].words);
		assert_int_equal(serve(rows[i].words), rows[i].err);
		if (rows[i].err)
			continue;
		assert_int_equal(settings.sendfile_mode, rows[i].mode);
		if (rows[i].prefix)
			assert_string_equal(settings.accel_prefix,
					    rows[i].prefix);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *words;
		const char *says;
	} rows[] = {
		{ "--nonsense", "no option '--nonsense'" },
		{ "--nonsense 1", "no option '--nonsense'" },
		{ "--", "no option" },
		{ "--=1", "no option" },
		{ "--bas /x", "no option '--bas'" },
		{ "--bases /x", "no option '--bases'" },
		{ "--BASE /x", "no option '--BASE'" },
		{ "-b /x", "no option '-b'" },
		{ "-o /x", "no option" },
		{ "--base", "needs a value" },
		{ "--workers", "needs a value" },
		{ "--workers -1", "--workers: '-1'" },
		{ "--workers +1", "--workers: '+1'" },
		{ "--workers=", "--workers: ''" },
		{ "--workers _", "--workers: ''" },
		{ "--workers 1x", "--workers: '1x'" },
		{ "--workers 0x10", "--workers: '0x10'" },
		{ "--workers 1.5", "--workers: '1.5'" },
		{ "--workers 501", "--workers" },
		{ "--workers 4294967295", "--workers" },
		{ "--workers 4294967296", "--workers" },
		{ "--workers 99999999999999999999999", "--workers" },
		{ "--heavy-max auto", "--heavy-max: 'auto'" },
		{ "--heavy-max 0", "--heavy-max" },
		{ "--heavy-max 1001", "--heavy-max" },
		{ "--max-range-hours 4294967294", "--max-range-hours" },
		{ "--max-open-range-hours 4294967294",
		  "--max-open-range-hours" },
		{ "--socket-mode 0888", "--socket-mode: '0888'" },
		{ "--socket-mode rw", "--socket-mode: 'rw'" },
		{ "--socket-mode 01000", "--socket-mode" },
		{ "--socket-mode 0777777", "--socket-mode" },
		{ "--log-level loud", "--log-level: 'loud'" },
		{ "--log-level _", "--log-level" },
		{ "--access-log true", "--access-log: 'true'" },
		{ "--access-log", "--access-log" },
		{ "--cache-validate maybe", "--cache-validate: 'maybe'" },
		{ "--prefix p", "--prefix" },
		{ "--prefix /", "--prefix" },
		{ "--prefix /p/", "--prefix" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].words);
		assert_int_equal(serve(rows[i].words), ERR_INPUT);
		print_message("#   %s\n", e.text);
		assert_non_null(strstr(e.text, rows[i].says));
	}
}

static void test_environment(void **state)
{
	UNUSED(state);
	assert_int_equal(setenv("RESTREAMER_BASE", "/from/env", 1), 0);
	assert_int_equal(setenv("RESTREAMER_CACHE_MAX_MB", "7", 1), 0);
	assert_int_equal(setenv("RESTREAMER_WORKERS", "2", 1), 0);
	assert_int_equal(serve("--workers 3"), ERR_OK);
	assert_string_equal(settings.base, "/from/env");
	assert_int_equal(settings.cache_max_mb, 7);
	assert_int_equal(settings.workers, 3);	/* the command line first */
	/* one of serve alone means nothing to the offline commands */
	assert_int_equal(setenv("RESTREAMER_CACHE_MAX_MB", "junk", 1), 0);
	assert_int_equal(read_words("", OPTIONS_OFFLINE, NULL, NULL), ERR_OK);
	assert_int_equal(serve(""), ERR_INPUT);
	assert_non_null(strstr(e.text, "--cache-max-mb: 'junk'"));
	unsetenv("RESTREAMER_BASE");
	unsetenv("RESTREAMER_CACHE_MAX_MB");
	unsetenv("RESTREAMER_WORKERS");
}

struct others {
	char text[256];
};

static enum err take_other(void *ctx, const char *name, const char *value,
			   struct errmsg *msg)
{
	struct others *o = ctx;
	size_t at = strlen(o->text);

	if (!strcmp(name, "bad"))
		return err_set(msg, ERR_INPUT, "refused");
	snprintf(o->text + at, sizeof(o->text) - at, "%s=%s;", name, value);
	return ERR_OK;
}

static void test_others_and_words(void **state)
{
	struct others o = { "" };

	UNUSED(state);
	assert_int_equal(read_words("cut main --start now --base /a source "
				    "--end=@1=2 -o out.ts - --x _",
				    OPTIONS_OFFLINE, take_other, &o),
			 ERR_OK);
	assert_string_equal(o.text, "start=now;end=@1=2;output=out.ts;x=;");
	assert_string_equal(settings.base, "/a");
	assert_int_equal(nr_words, 4);
	assert_string_equal(argv[1], "cut");
	assert_string_equal(argv[2], "main");
	assert_string_equal(argv[3], "source");
	assert_string_equal(argv[4], "-");
	assert_int_equal(read_words("cut --bad 1", OPTIONS_OFFLINE, take_other,
				    &o),
			 ERR_INPUT);
	assert_string_equal(e.text, "refused");
	/* a name longer than any */
	assert_int_equal(read_words("--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
				    OPTIONS_OFFLINE, take_other, &o),
			 ERR_INPUT);
	/* an option of serve alone is an argument to the others */
	o.text[0] = '\0';
	assert_int_equal(read_words("--workers 2", OPTIONS_OFFLINE, take_other,
				    &o),
			 ERR_OK);
	assert_string_equal(o.text, "workers=2;");
}

static void test_long_prefix(void **state)
{
	char words[1024] = "--prefix /";

	UNUSED(state);
	memset(words + 10, 'a', 502);
	words[512] = '\0';
	/* serve() copies at most 511 bytes, so the option is set by hand. */
	argv[0] = (char *)"restreamer";
	argv[1] = (char *)"--prefix";
	argv[2] = words + 9;
	argv[3] = NULL;
	assert_int_equal(settings_read(&settings, OPTIONS_SERVE, 3, argv, NULL,
				       NULL, &nr_words, &e),
			 ERR_OK);
	memset(words + 10, 'a', 600);
	words[610] = '\0';
	assert_int_equal(settings_read(&settings, OPTIONS_SERVE, 3, argv, NULL,
				       NULL, &nr_words, &e),
			 ERR_INPUT);
}

static void test_cache_dir(void **state)
{
	static const struct {
		const char *words;
		const char *user_cache;	/* $XDG_CACHE_HOME */
		const char *dir;	/* NULL: none */
	} rows[] = {
		{ "", NULL, "/var/cache/restreamer" },
		{ "", "/home/x/.cache", "/home/x/.cache/restreamer" },
		{ "", "relative", "/var/cache/restreamer" },
		{ "", "", "/var/cache/restreamer" },
		{ "--cache /c", "/home/x/.cache", "/c" },
		{ "--cache none", "/home/x/.cache", NULL },
	};
	struct arena a;

	UNUSED(state);
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *dir;

		print_message("# '%s', %s\n", rows[i].words,
			      rows[i].user_cache ? rows[i].user_cache : "-");
		if (rows[i].user_cache)
			setenv("XDG_CACHE_HOME", rows[i].user_cache, 1);
		else
			unsetenv("XDG_CACHE_HOME");
		assert_int_equal(serve(rows[i].words), ERR_OK);
		dir = settings_cache_dir(&settings, &a);
		if (rows[i].dir)
			assert_string_equal(dir, rows[i].dir);
		else
			assert_null(dir);
	}
	unsetenv("XDG_CACHE_HOME");
	arena_release(&a);
}

/* Every option is in the help of its commands, and nowhere else. */
static void test_describe(void **state)
{
	struct text serve_help, offline_help, man;

	UNUSED(state);
	text_init(&serve_help, 100000);
	text_init(&offline_help, 100000);
	text_init(&man, 100000);
	settings_describe(OPTIONS_SERVE, &serve_help);
	settings_describe(OPTIONS_OFFLINE, &offline_help);
	settings_describe_man(OPTIONS_SERVE, &man);
#define B "both"
#define S "serve"
#define O "offline"
#define OPTION(commands, name, field, type, arg, dflt, help) \
	print_message("# %s: %s\n", name, commands); \
	assert_int_equal(strstr(serve_help.data, "--" name " ") != NULL, \
			 *commands != 'o'); \
	assert_int_equal(strstr(offline_help.data, "--" name " ") != NULL, \
			 *commands != 's');
#include "options.def"
#undef OPTION
#undef B
#undef S
#undef O
	assert_non_null(strstr(man.data, "RESTREAMER_CACHE_MAX_MB"));
	for (const char *line = serve_help.data; *line;
	     line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") < 80);
	text_release(&serve_help);
	text_release(&offline_help);
	text_release(&man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_sendfile),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_others_and_words),
		cmocka_unit_test(test_long_prefix),
		cmocka_unit_test(test_cache_dir),
		cmocka_unit_test(test_describe),
	};
	extern char **environ;

	/* What the caller's environment says is not the test's business. */
	for (size_t i = 0; environ[i];) {
		char name[128];

		snprintf(name, sizeof(name), "%.*s",
			 (int)strcspn(environ[i], "="), environ[i]);
		if (!strncmp(name, "RESTREAMER_", 11) ||
		    !strcmp(name, "XDG_CACHE_HOME"))
			unsetenv(name);
		else
			i++;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
