/*
 * test_sink.c - bytes to a descriptor, whole or with the reason why not.
 */
#include "config.h"

#include "base/sink.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "unit.h"

static void test_write(void **state)
{
	struct fd_sink s;
	struct errmsg e = { "" };
	size_t len;
	char *text;
	int fd = openat(unit_fd, "out", O_RDWR | O_CREAT | O_TRUNC, 0600);

	UNUSED(state);
	fd_sink_init(&s, fd);
	assert_int_equal(sink_write(&s.sink, "hello", 5, &e), ERR_OK);
	assert_int_equal(sink_write(&s.sink, "", 0, &e), ERR_OK);
	assert_int_equal(s.sink.write(&s.sink, NULL, 0, &e), ERR_OK);
	assert_int_equal(sink_write(&s.sink, " world", 6, &e), ERR_OK);
	assert_int_equal(s.written, 11);
	text = unit_read(unit_fd, "out", &len);
	assert_int_equal(len, 11);
	assert_string_equal(text, "hello world");
	free(text);
	close(fd);
}

/* Vectors longer than one writev takes, with empty pieces in them. */
static void test_long_vector(void **state)
{
	struct iovec iov[1000];
	struct iovec copy[ARRAY_SIZE(iov)];
	struct fd_sink s;
	struct errmsg e;
	char digits[] = "0123456789";
	size_t len = 0;
	size_t at = 0;
	char *text;
	int fd = openat(unit_fd, "out", O_RDWR | O_CREAT | O_TRUNC, 0600);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(iov); i++) {
		iov[i].iov_base = digits + i % 7;
		iov[i].iov_len = i % 4;
		len += i % 4;
	}
	memcpy(copy, iov, sizeof(iov));
	fd_sink_init(&s, fd);
	assert_int_equal(s.sink.write(&s.sink, iov, ARRAY_SIZE(iov), &e),
			 ERR_OK);
	assert_memory_equal(copy, iov, sizeof(iov));	/* not ours to change */
	assert_int_equal(s.written, len);
	text = unit_read(unit_fd, "out", &len);
	assert_int_equal(len, s.written);
	for (size_t i = 0; i < ARRAY_SIZE(iov); at += iov[i].iov_len, i++)
		assert_memory_equal(text + at, iov[i].iov_base,
				    iov[i].iov_len);
	free(text);
	close(fd);
}

/* A slow reader makes short writes; everything arrives all the same. */
static void test_short_writes(void **state)
{
	static char data[3000000];
	const size_t total = sizeof(data);
	struct iovec iov[3];
	struct fd_sink s;
	struct errmsg e;
	int size = 4096;
	int status;
	int pair[2];
	pid_t pid;

	UNUSED(state);
	for (size_t i = 0; i < total; i++)
		data[i] = (char)(i * 7 + i / 4096);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char buffer[1777];
		size_t at = 0;
		ssize_t n;

		close(pair[0]);
		while ((n = read(pair[1], buffer, sizeof(buffer))) > 0) {
			if (at + (size_t)n > total ||
			    memcmp(buffer, data + at, (size_t)n))
				_exit(1);
			at += (size_t)n;
		}
		_exit(at == total ? 0 : 2);
	}
	close(pair[1]);
	fd_sink_init(&s, pair[0]);
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){ data + 1000000 * i, 1000000 };
	assert_int_equal(s.sink.write(&s.sink, iov, 3, &e), ERR_OK);
	assert_int_equal(s.written, total);
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_errors(void **state)
{
	struct fd_sink s;
	struct errmsg e;
	int pair[2];
	int fd;

	UNUSED(state);
	signal(SIGPIPE, SIG_IGN);
	print_message("# a reader that left\n");
	assert_int_equal(pipe(pair), 0);
	close(pair[0]);
	fd_sink_init(&s, pair[1]);
	e.text[0] = '\0';
	assert_int_equal(sink_write(&s.sink, "x", 1, &e), ERR_GONE);
	assert_string_not_equal(e.text, "");
	assert_int_equal(s.written, 0);
	close(pair[1]);

	print_message("# a descriptor that cannot be written\n");
	fd = openat(unit_fd, ".", O_RDONLY | O_DIRECTORY);
	fd_sink_init(&s, fd);
	e.text[0] = '\0';
	assert_int_equal(sink_write(&s.sink, "x", 1, &e), ERR_IO);
	assert_string_not_equal(e.text, "");
	close(fd);

	print_message("# a full disk\n");
	fd = open("/dev/full", O_WRONLY);
	if (fd >= 0) {
		fd_sink_init(&s, fd);
		assert_int_equal(sink_write(&s.sink, "x", 1, &e), ERR_IO);
		assert_non_null(strstr(e.text, strerror(ENOSPC)));
		close(fd);
	}
}

static void test_copy_file(void **state)
{
	const size_t total = 700001;
	char *data = malloc(total);
	struct fd_sink s;
	struct errmsg e = { "" };
	size_t len;
	char *text;
	int from;
	int fd = openat(unit_fd, "out", O_RDWR | O_CREAT | O_TRUNC, 0600);

	UNUSED(state);
	assert_non_null(data);
	for (size_t i = 0; i < total; i++)
		data[i] = (char)(i * 31 + i / 256);
	unit_write(unit_fd, "in", data, total);
	from = openat(unit_fd, "in", O_RDONLY);
	fd_sink_init(&s, fd);
	assert_int_equal(s.sink.copy_file(&s.sink, from, 0, 0, &e), ERR_OK);
	assert_int_equal(s.sink.copy_file(&s.sink, from, total, 0, &e),
			 ERR_OK);
	assert_int_equal(s.sink.copy_file(&s.sink, from, 1, total - 2, &e),
			 ERR_OK);
	text = unit_read(unit_fd, "out", &len);
	assert_int_equal(len, total - 2);
	assert_memory_equal(text, data + 1, len);
	free(text);

	print_message("# a file that ends too early\n");
	assert_int_equal(s.sink.copy_file(&s.sink, from, 0, total + 1, &e),
			 ERR_CORRUPT);
	assert_string_not_equal(e.text, "");
	assert_int_equal(s.sink.copy_file(&s.sink, from, total + 5, 1, &e),
			 ERR_CORRUPT);
	close(from);

	print_message("# a file that cannot be read\n");
	from = openat(unit_fd, ".", O_RDONLY | O_DIRECTORY);
	assert_int_equal(s.sink.copy_file(&s.sink, from, 0, 1, &e), ERR_IO);
	close(from);
	close(fd);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_long_vector),
		cmocka_unit_test(test_short_writes),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_copy_file),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
