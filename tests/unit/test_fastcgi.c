/*
 * test_fastcgi.c - that whoever answers is told before a client can have all of
 * an answer, and once: what a client has wholly must have been counted.
 */
#include "config.h"

#include "fastcgi.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

static int listen_fd;
static int client_fd;
static struct fastcgi f;
static int nr_told;
static int available; /* to the client, when we were told */

static enum err never(struct client *c, struct errmsg *e)
{
	UNUSED(c);
	return err_set(e, ERR_BUSY, "not here");
}

static int readable(void)
{
	int nr;

	assert_int_equal(ioctl(client_fd, FIONREAD, &nr), 0);
	return nr;
}

static void told(struct client *c)
{
	assert_ptr_equal(c, &f.client);
	nr_told++;
	available = readable();
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/sock", unit_dir);
	return a;
}

static int begin(void **state)
{
	struct sockaddr_un a;
	struct errmsg e;

	if (unit_begin(state))
		return -1;
	a = address();
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(listen_fd, 5) < 0 || fastcgi_init(&e))
		return -1;
	fastcgi_open(&f, listen_fd, never, never, told);
	return 0;
}

static int end(void **state)
{
	close(listen_fd);
	return unit_end(state);
}

static size_t put_record(unsigned char *out, int type, const void *data,
			 size_t len)
{
	const unsigned char head[8] = { 1, (unsigned char)type, 0, 1,
					0, (unsigned char)len };

	memcpy(out, head, sizeof(head));
	if (len)
		memcpy(out + sizeof(head), data, len);
	return sizeof(head) + len;
}

static size_t put_method(unsigned char *out, const char *method)
{
	static const char name[] = "REQUEST_METHOD";
	size_t len = strlen(method);

	out[0] = sizeof(name) - 1;
	out[1] = (unsigned char)len;
	memcpy(out + 2, name, sizeof(name) - 1);
	memcpy(out + 2 + sizeof(name) - 1, method, len);
	return 2 + sizeof(name) - 1 + len;
}

static void ask(const char *method)
{
	static const unsigned char responder[8] = { 0, 1 };
	struct sockaddr_un a = address();
	unsigned char params[64], out[256];
	size_t len;

	client_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client_fd, (struct sockaddr *)&a, sizeof(a)),
			 0);
	len = put_record(out, 1, responder, sizeof(responder));
	len += put_record(out + len, 4, params, put_method(params, method));
	len += put_record(out + len, 4, NULL, 0);
	len += put_record(out + len, 5, NULL, 0);
	assert_int_equal(write(client_fd, out, len), len);
	nr_told = 0;
	available = -1;
	assert_true(fastcgi_accept(&f));
}

/* Begins an answer; the bytes of its header, as they are on the wire. */
static int start(int status, uint64_t length)
{
	struct response_head head = { .status = status, .length = length };
	struct text headers;
	struct errmsg e;

	text_init(&headers, 100);
	text_puts(&headers, "X: y\r\n");
	head.headers = &headers;
	assert_int_equal(f.client.begin(&f.client, &head, &e), ERR_OK);
	text_release(&headers);
	return readable();
}

static void send_bytes(size_t len)
{
	static char bytes[200000];
	struct errmsg e;

	assert_true(len <= sizeof(bytes));
	assert_int_equal(sink_write(&f.sink, bytes, len, &e), ERR_OK);
}

static void finish(bool is_complete)
{
	/* Or libfcgi waits two seconds for the client to close. */
	shutdown(client_fd, SHUT_WR);
	fastcgi_finish(&f, is_complete);
	close(client_fd);
}

/* Of an answer without a body the header is all. */
static void test_no_body(void **state)
{
	UNUSED(state);
	ask("GET");
	start(304, 0);
	assert_int_equal(nr_told, 1);
	assert_int_equal(available, 0);
	finish(true);
	assert_int_equal(nr_told, 1);
	ask("HEAD");
	start(200, 1000);
	assert_int_equal(nr_told, 1);
	assert_int_equal(available, 0);
	finish(true);
	assert_int_equal(nr_told, 1);
}

static void test_body(void **state)
{
	static const size_t lengths[] = { 1, 100, 65527, 65528, 65529, 120000 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t len = lengths[i];
		int header, whole;

		print_message("# %zu bytes\n", len);
		ask("GET");
		header = start(200, len);
		assert_int_equal(nr_told, 0);
		send_bytes(len);
		whole = readable();
		assert_int_equal(nr_told, 1);
		/* Whole records before the last, and not that one. */
		assert_int_equal(available,
				 header + (len > 65528 ? 65528 + 8 : 0));
		assert_true(available < whole);
		finish(true);
		assert_int_equal(nr_told, 1);
	}
}

static void test_pieces(void **state)
{
	int before;

	UNUSED(state);
	ask("GET");
	start(206, 300);
	send_bytes(100);
	send_bytes(199);
	assert_int_equal(nr_told, 0);
	before = readable();
	send_bytes(1);
	assert_int_equal(nr_told, 1);
	assert_int_equal(available, before);
	finish(true);
	assert_int_equal(nr_told, 1);
}

static void test_file(void **state)
{
	struct errmsg e;
	int header, fd;

	UNUSED(state);
	unit_make(unit_fd, "file", 100000);
	fd = openat(unit_fd, "file", O_RDONLY | O_CLOEXEC);
	ask("GET");
	header = start(200, 100000);
	assert_int_equal(f.sink.copy_file(&f.sink, fd, 0, 100000, &e), ERR_OK);
	assert_int_equal(nr_told, 1);
	assert_int_equal(available, header + 65528 + 8);
	finish(true);
	close(fd);
}

/* Then the end of the request is the end, which others see to. */
static void test_no_length_or_no_end(void **state)
{
	UNUSED(state);
	ask("GET");
	start(200, LENGTH_UNKNOWN);
	send_bytes(1000);
	assert_false(f.is_near_end);
	finish(true);
	ask("GET");
	start(200, 1000);
	send_bytes(999);
	assert_false(f.is_near_end);
	finish(false);
	assert_int_equal(nr_told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_length_or_no_end),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
