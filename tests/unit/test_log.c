/*
 * test_log.c - one line an event, nothing forged, counted by level.
 */
#include "config.h"

#include "unit.h"

#include <errno.h>

static struct {
	unsigned nr;
	enum log_level level;
	char module[32];
	char function[64];
} seen;

static void observe(enum log_level level, const char *module,
		    const char *function)
{
	seen.nr++;
	seen.level = level;
	snprintf(seen.module, sizeof(seen.module), "%s", module);
	snprintf(seen.function, sizeof(seen.function), "%s", function);
}

static char *take_log(void)
{
	char *text = unit_read(unit_fd, "log", NULL);

	assert_non_null(text);
	unit_logged("");
	return text;
}

static void test_line(void **state)
{
	unsigned date[7];
	char level[16];
	char rest[64];
	char *text;
	long pid;

	UNUSED(state);
	log_warning("%d things", 3);
	text = take_log();
	print_message("# %s", text);
	assert_int_equal(sscanf(text,
				"%4u-%2u-%2uT%2u:%2u:%2u.%3uZ %ld %15s "
				"%63[^\n]",
				&date[0], &date[1], &date[2], &date[3],
				&date[4], &date[5], &date[6], &pid, level,
				rest),
			 10);
	assert_int_equal(pid, getpid());
	assert_string_equal(level, "warning");
	assert_string_equal(rest, "test_log: 3 things");
	assert_int_equal(unit_count(text, "\n"), 1);
	free(text);
}

static void test_escaping(void **state)
{
	static const struct {
		const char *message;
		const char *written;
	} rows[] = {
		{ "plain ~", ": plain ~\n" },
		{ "", ": \n" },
		{ "a\nb", ": a\\x0ab\n" },
		{ "\r\t\x1b[0m", ": \\x0d\\x09\\x1b[0m\n" },
		{ "\x7f\x80\xff", ": \\x7f\\x80\\xff\n" },
		{ "\xc3\xa9", ": \\xc3\\xa9\n" },
		{ "100%s %n", ": 100%s %n\n" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text;

		log_error("%s", rows[i].message);
		text = take_log();
		print_message("# %s", text);
		assert_non_null(strstr(text, rows[i].written));
		assert_int_equal(unit_count(text, "\n"), 1);
		free(text);
	}
}

/* Whatever the length and the escapes: one line of at most 1 kB. */
static void test_length(void **state)
{
	char message[3000];

	UNUSED(state);
	for (size_t len = 900; len < 1100; len++) {
		size_t size;
		char *text;

		memset(message, len & 1 ? 'x' : '\n', len);
		message[len] = '\0';
		log_error("%s", message);
		text = unit_read(unit_fd, "log", &size);
		assert_true(size <= 1024);
		assert_int_equal(unit_count(text, "\n"), 1);
		assert_int_equal(text[size - 1], '\n');
		free(text);
		unit_logged("");
	}
}

static void test_levels_and_observer(void **state)
{
	char *text;

	UNUSED(state);
	log_set_observer(observe);
	for (int threshold = 0; threshold < LOG_LEVEL_COUNT; threshold++) {
		unsigned before = seen.nr;

		print_message("# from %s on\n", log_level_names[threshold]);
		log_set_level((enum log_level)threshold);
		log_debug("m");
		assert_int_equal(seen.level, LOG_LEVEL_DEBUG);
		log_info("m");
		assert_int_equal(seen.level, LOG_LEVEL_INFO);
		log_warning("m");
		assert_int_equal(seen.level, LOG_LEVEL_WARNING);
		log_error("m");
		assert_int_equal(seen.level, LOG_LEVEL_ERROR);
		/* All are counted, even those that are not written. */
		assert_int_equal(seen.nr, before + 4);
		assert_string_equal(seen.module, "test_log");
		assert_string_equal(seen.function, __func__);
		text = take_log();
		assert_int_equal(unit_count(text, ": m\n"),
				 LOG_LEVEL_COUNT - threshold);
		free(text);
	}
	log_set_level(LOG_LEVEL_INFO);
	log_set_observer(NULL);
	assert_null(log_level_names[LOG_LEVEL_COUNT]);
}

static void test_errno_is_kept(void **state)
{
	char *text;

	UNUSED(state);
	errno = ENOSPC;
	log_info("%m");
	assert_int_equal(errno, ENOSPC);
	text = take_log();
	assert_non_null(strstr(text, strerror(ENOSPC)));
	free(text);
}

/* A file that cannot be opened leaves the log where it was. */
static void test_open(void **state)
{
	char path[512];

	UNUSED(state);
	snprintf(path, sizeof(path), "%s/no/such/log", unit_dir);
	assert_false(log_open(path));
	assert_int_equal(errno, ENOENT);
	assert_false(log_open(unit_dir));
	log_info("still here");
	assert_int_equal(unit_logged("still here"), 1);

	/* Reopening after a rotation. */
	assert_int_equal(renameat(unit_fd, "log", unit_fd, "log.1"), 0);
	log_info("old");
	snprintf(path, sizeof(path), "%s/log", unit_dir);
	assert_true(log_open(path));
	log_info("new");
	assert_int_equal(unit_logged("new"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_levels_and_observer),
		cmocka_unit_test(test_errno_is_kept),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
