/*
 * test_server.c - the archive that a process has open, and follows.
 */
#include "config.h"

#include "server.h"

#include "unit.h"

static struct settings settings = { .prefix = "", .cache = "none" };

/* Whether the archive that is open has a channel of that name. */
static bool has(const struct server *server, const char *channel)
{
	return archive_has_channel(&server->archive, channel);
}

static void rename_in(const char *from, const char *to)
{
	assert_int_equal(renameat(unit_fd, from, unit_fd, to), 0);
}

static void test_follow_base(void **state)
{
	struct server server = { 0 };
	struct errmsg e;
	char *base;
	int fd;

	UNUSED(state);
	assert_true(asprintf(&base, "%s/base", unit_dir) > 0);
	settings.base = base;
	unit_mkdir(unit_fd, "base/one");
	unit_mkdir(unit_fd, "other/two");
	assert_int_equal(server_open(&server, &settings, &e), ERR_OK);
	assert_true(has(&server, "one"));
	fd = server.archive.base_fd;
	server_follow(&server);
	assert_int_equal(server.archive.base_fd, fd);
	/* gone for a while: the old one is still there */
	rename_in("base", "old");
	server_follow(&server);
	assert_true(has(&server, "one"));
	/* replaced */
	rename_in("other", "base");
	server_follow(&server);
	assert_true(has(&server, "two"));
	assert_false(has(&server, "one"));
	/* not by what is no directory */
	rename_in("base", "other");
	unit_write(unit_fd, "base", "", 0);
	server_follow(&server);
	assert_true(has(&server, "two"));
	assert_int_equal(unit_logged("cannot open the archive"), 1);
	assert_int_equal(unlinkat(unit_fd, "base", 0), 0);
	/* by a link */
	assert_int_equal(symlinkat("old", unit_fd, "base"), 0);
	server_follow(&server);
	assert_true(has(&server, "one"));
	assert_non_null(strstr(server.base_path, "/old"));
	server_close(&server);
	free(base);
}

static void test_no_archive(void **state)
{
	struct server server = { 0 };
	struct errmsg e = { "" };

	UNUSED(state);
	settings.base = "/no/such/directory";
	assert_int_equal(server_open(&server, &settings, &e), ERR_IO);
	assert_non_null(strstr(e.text, "cannot open the archive"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follow_base),
		cmocka_unit_test(test_no_archive),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
