/*
 * test_listen.c - the listening socket, and what may be in its place.
 */
#include "config.h"

#include "listen.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

static char *socket_path(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "unix:%s/%s", unit_dir, name) > 0);
	return path;
}

static enum err open_at(struct listener *l, const char *address,
			struct errmsg *e)
{
	struct settings settings = { .listen = address, .socket_mode = 0640 };

	e->text[0] = '\0';
	return listener_open(l, &settings, e);
}

static bool can_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	yes = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return yes;
}

static void test_unix(void **state)
{
	char *address = socket_path("socket");
	const char *path = address + 5;
	struct listener first, second;
	struct errmsg e;
	struct stat st;

	UNUSED(state);
	assert_int_equal(open_at(&first, address, &e), ERR_OK);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_true(can_connect(path));
	assert_true(fcntl(first.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(first.fd, F_GETFD) & FD_CLOEXEC);
	/* a second one does not take it away */
	assert_int_equal(open_at(&second, address, &e), ERR_IO);
	print_message("# %s\n", e.text);
	assert_int_equal(second.fd, -1);
	assert_int_equal(second.lock_fd, -1);
	assert_true(can_connect(path));
	listener_close(&first);
	assert_int_equal(lstat(path, &st), -1);
	assert_int_equal(open_at(&second, address, &e), ERR_OK);
	listener_close(&second);
	listener_close(&second);	/* twice is nothing */
	free(address);
}

/* A socket that a crash left is replaced. */
static void test_left_over(void **state)
{
	char *address = socket_path("left");
	struct listener l;
	struct errmsg e;

	UNUSED(state);
	assert_int_equal(open_at(&l, address, &e), ERR_OK);
	close(l.fd);
	close(l.lock_fd);
	assert_false(can_connect(address + 5));
	assert_int_equal(open_at(&l, address, &e), ERR_OK);
	assert_true(can_connect(address + 5));
	listener_close(&l);
	free(address);
}

/* Anything else stays where it is. */
static void test_not_a_socket(void **state)
{
	static const char *const names[] = { "file", "fifo", "link", "dir" };
	struct errmsg e;

	UNUSED(state);
	unit_write(unit_fd, "file", "precious", 8);
	assert_int_equal(mkfifoat(unit_fd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("file", unit_fd, "link"), 0);
	unit_mkdir(unit_fd, "dir");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *address = socket_path(names[i]);
		struct listener l;
		struct stat st;

		assert_int_equal(open_at(&l, address, &e), ERR_IO);
		print_message("# %s: %s\n", names[i], e.text);
		assert_int_equal(l.fd, -1);
		assert_int_equal(lstat(address + 5, &st), 0);
		assert_false(S_ISSOCK(st.st_mode));
		free(address);
	}
}

static void test_bad_addresses(void **state)
{
	static const char *const addresses[] = {
		"",
		"unix:",
		"unix:/no/such/directory/socket",
		"unix:/0123456789012345678901234567890123456789012345678901234567"
		"890123456789012345678901234567890123456789012345678901234567890",
		"9000",
		":9000",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:99999",
		"127.0.0.1:none-such",
		"[::1:9000",
		"256.1.1.1:9000",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct listener l;
		struct errmsg e;

		assert_int_not_equal(open_at(&l, addresses[i], &e), ERR_OK);
		print_message("# '%s': %s\n", addresses[i], e.text);
		assert_true(e.text[0]);
		assert_int_equal(l.fd, -1);
		assert_int_equal(l.lock_fd, -1);
	}
}

static void test_tcp(void **state)
{
	struct listener l;
	struct errmsg e;
	int yes = 0;
	socklen_t len = sizeof(yes);

	UNUSED(state);
	assert_int_equal(open_at(&l, "127.0.0.1:0", &e), ERR_OK);
	assert_int_equal(getsockopt(l.fd, SOL_SOCKET, SO_ACCEPTCONN, &yes,
				    &len),
			 0);
	assert_int_equal(yes, 1);
	listener_close(&l);
	assert_int_equal(l.fd, -1);
}

/* What the test is run with is not a socket that was passed to it. */
static int begin(void **state)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return -1;
	close(null);
	unsetenv("LISTEN_FDS");
	return unit_begin(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_left_over),
		cmocka_unit_test(test_not_a_socket),
		cmocka_unit_test(test_bad_addresses),
		cmocka_unit_test(test_tcp),
	};

	return cmocka_run_group_tests(tests, begin, unit_end);
}
