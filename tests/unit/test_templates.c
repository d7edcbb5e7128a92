/*
 * test_templates.c - templates come out of a directory as they are in it or not
 * at all; a database that is none costs seconds, and a child of ours never ends
 * its parent's session.  What PostgreSQL itself answers is in tests/http.
 */
#include "config.h"

#include "store/templates.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"
#include "unit.h"

#define GOOD  "{\"crop\": [0, 1, 20, 30], \"location\": [-5, 6, 70, 80]}"
#define IMAGE "\x89PNG not really"

static struct arena arena;
static char *dir;
static int dir_fd = -1;
static struct templates *store;

static int begin(void **state)
{
	/* A server that is gone is not to end the test, as it does not us. */
	signal(SIGPIPE, SIG_IGN);
	return unit_begin(state);
}

static int set_up(void **state)
{
	UNUSED(state);
	arena_init(&arena);
	dir = arena_printf(&arena, "%s/t", unit_dir);
	unit_remove(dir);
	unit_mkdir(unit_fd, "t");
	dir_fd = unit_open_dir(dir);
	store = templates_new(NULL, dir);
	unit_logged("");
	return 0;
}

static int tear_down(void **state)
{
	UNUSED(state);
	templates_free(&store);
	assert_null(store);
	templates_free(&store);
	close(dir_fd);
	arena_release(&arena);
	return 0;
}

static void put(const char *name, const char *json, const char *image)
{
	if (json)
		unit_write(dir_fd, arena_printf(&arena, "%s.json", name), json,
			   strlen(json));
	if (image)
		unit_write(dir_fd, arena_printf(&arena, "%s.png", name), image,
			   strlen(image));
}

static const struct template *get(const char *name)
{
	const struct template *t = NULL;
	struct errmsg e = { "" };
	enum err err = templates_get(store, &arena, name, &t, &e);

	if (err)
		fail_msg("%s: %s", name, e.text);
	return t;
}

/* The words of a failure, which never tell where the files are. */
static const char *get_fails(const char *name, enum err expected)
{
	const struct template *t = (void *)UNIT_UNTOUCHED;
	struct errmsg e = { "" };
	enum err err = templates_get(store, &arena, name, &t, &e);

	if (err != expected)
		fail_msg("'%s': %s (%s)", name, err_name(err), e.text);
	assert_ptr_equal(t, (void *)UNIT_UNTOUCHED);
	assert_true(*e.text);
	assert_null(strstr(e.text, unit_dir));
	return arena_strndup(&arena, e.text, strlen(e.text));
}

/* Their names, each with a space behind it. */
static const char *names(void)
{
	const struct template *list = NULL;
	const char *all = "";
	struct errmsg e = { "" };
	size_t nr = 0;

	if (templates_list(store, &arena, &list, &nr, &e))
		fail_msg("the list: %s", e.text);
	for (size_t i = 0; i < nr; i++) {
		assert_null(list[i].image);
		all = arena_printf(&arena, "%s%s ", all, list[i].name);
	}
	return all;
}

static void list_fails(enum err expected)
{
	const struct template *list = (void *)UNIT_UNTOUCHED;
	struct errmsg e = { "" };
	size_t nr = UNIT_UNTOUCHED;

	assert_int_equal(templates_list(store, &arena, &list, &nr, &e),
			 expected);
	assert_ptr_equal(list, (void *)UNIT_UNTOUCHED);
	assert_int_equal(nr, UNIT_UNTOUCHED);
	assert_true(*e.text);
}

static void assert_box(const struct box *box, int left, int top, int right,
		       int bottom)
{
	assert_int_equal(box->left, left);
	assert_int_equal(box->top, top);
	assert_int_equal(box->right, right);
	assert_int_equal(box->bottom, bottom);
}

static void test_none(void **state)
{
	static const char *const nothing[] = { NULL, "" };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		templates_free(&store);
		store = templates_new(nothing[i], nothing[1 - i]);
		get_fails("x", ERR_UNBUILT);
		get_fails("", ERR_UNBUILT);
		list_fails(ERR_UNBUILT);
	}
}

static void test_good(void **state)
{
	const struct template *t;

	UNUSED(state);
	assert_string_equal(names(), "");
	put("b", GOOD, IMAGE);
	put("a",
	    "{\"crop\":[-16384,-16384,-16383,-8192],\"location\":[0,0,8192,1],"
	    "\"unknown\":{\"deep\":[[1.5]]},\"description\":\"caf\\u00e9\\n\","
	    "\"attribution\":\"\\\"me\\\"\"}",
	    "x");
	t = get("a");
	assert_string_equal(t->name, "a");
	assert_string_equal(t->description, "caf\xc3\xa9\n");
	assert_string_equal(t->attribution, "\"me\"");
	assert_box(&t->crop, -16384, -16384, -16383, -8192);
	assert_box(&t->location, 0, 0, 8192, 1);
	assert_int_equal(t->image_size, 1);
	assert_memory_equal(t->image, "x", 1);
	t = get("b");
	assert_string_equal(t->description, "");
	assert_string_equal(t->attribution, "");
	assert_box(&t->crop, 0, 1, 20, 30);
	assert_box(&t->location, -5, 6, 70, 80);
	assert_int_equal(t->image_size, strlen(IMAGE));
	assert_memory_equal(t->image, IMAGE, strlen(IMAGE));
	/* By byte value; changes are seen at once. */
	put("B", GOOD, IMAGE);
	put("\xc3\xa9 '\";--", GOOD, IMAGE);
	assert_string_equal(names(), "B a b \xc3\xa9 '\";-- ");
	assert_int_equal(get("\xc3\xa9 '\";--")->image_size, strlen(IMAGE));
	unlinkat(dir_fd, "a.json", 0);
	unlinkat(dir_fd, "b.png", 0);
	assert_string_equal(names(), "B \xc3\xa9 '\";-- ");
	get_fails("a", ERR_NOTFOUND);
	get_fails("b", ERR_NOTFOUND);
	assert_int_equal(unit_logged("template"), 0);
}

static void test_names(void **state)
{
	static const char *const bad[] = {
		"",	   ".",	       "..",
		".hidden", "/",	       "a/",
		"sub/a",   "../t/a",   "/etc/x",
		"a\xff",   "\xc0\xaf", "a.json",
		"A",	   "a ",       "..\\a",
		"%61",	   "a\n",      "\xed\xa0\x80",
	};
	char name[300];

	UNUSED(state);
	put("a", GOOD, IMAGE);
	put("sub/a", GOOD, IMAGE);
	put(".hidden", GOOD, IMAGE);
	put("a\xff", GOOD, IMAGE);
	put(".", GOOD, IMAGE); /* "..json" */
	put("", GOOD, IMAGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		get_fails(bad[i], ERR_NOTFOUND);
	assert_string_equal(names(), "a ");
	assert_int_equal(unit_logged("is no name"), 1);
	for (size_t len = 240; len < sizeof(name); len++) {
		memset(name, 'x', len);
		name[len] = '\0';
		get_fails(name, ERR_NOTFOUND);
	}
	/* As long as a file's name may be. */
	memset(name, 'y', 250);
	name[250] = '\0';
	put(name, GOOD, IMAGE);
	assert_string_equal(get(name)->name, name);
}

#define BOXES "\"crop\":[0,0,1,1],\"location\":[0,0,1,1]"

static void test_bad_json(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"{",
		"[]",
		"null",
		"1",
		"\"x\"",
		"{}",
		"{" BOXES "} {}",
		"{" BOXES "}x",
		"{" BOXES ",}",
		"\xef\xbb\xbf{" BOXES "}",
		"{\"crop\":[0,0,1,1]}",
		"{\"location\":[0,0,1,1]}",
		"{\"crop\":null,\"location\":[0,0,1,1]}",
		"{\"crop\":\"0,0,1,1\",\"location\":[0,0,1,1]}",
		"{\"crop\":{},\"location\":[0,0,1,1]}",
		"{\"crop\":[],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,1,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[[0,0],[1,1]],\"location\":[0,0,1,1]}",
		"{\"crop\":[[0,0,1,1]],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,null],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,\"1\"],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,1.0],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,1e0],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,true],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,NaN],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,0,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,-1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,1],\"location\":[5,5,5,5]}",
		"{\"crop\":[0,0,8193,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,1,1],\"location\":[0,0,1,8193]}",
		"{\"crop\":[-16385,0,1,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[16380,0,16385,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,4294967297,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,2147483648,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,9223372036854775808,1],\"location\":[0,0,1,1]}",
		"{\"crop\":[0,0,99999999999999999999999,1],"
		"\"location\":[0,0,1,1]}",
		"{\"crop\":[-9223372036854775809,0,1,1],"
		"\"location\":[0,0,1,1]}",
		"{" BOXES ",\"description\":null}",
		"{" BOXES ",\"description\":1}",
		"{" BOXES ",\"description\":[]}",
		"{" BOXES ",\"attribution\":{}}",
		"{" BOXES ",\"attribution\":false}",
		"{" BOXES ",\"description\":\"a\\u0000b\"}",
		"{" BOXES ",\"description\":\"\xff\"}",
		"{" BOXES ",\"x\":\"\xc3\"}",
		"{" BOXES ",\"x\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}",
	};

	UNUSED(state);
	put("good", GOOD, IMAGE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *words;

		print_message("# %s\n", rows[i]);
		put("bad", rows[i], IMAGE);
		words = get_fails("bad", ERR_CORRUPT);
		assert_non_null(strstr(words, "'bad'"));
		assert_string_equal(names(), "good ");
	}
	/* However often it is asked. */
	assert_int_equal(unit_logged("1 of 2 templates are left out: "), 1);
}

static void test_long_texts(void **state)
{
	char *text = arena_alloc(&arena, 70000);
	size_t begin_len;

	UNUSED(state);
	begin_len = (size_t)sprintf(text, "{" BOXES ",\"description\":\"");
	for (size_t len = 4095; len < 4099; len++) {
		memset(text + begin_len, 'd', len);
		memcpy(text + begin_len + len, "\"}", 3);
		put("a", text, IMAGE);
		if (len <= TEMPLATE_MAX_TEXT) {
			assert_int_equal(strlen(get("a")->description), len);
			assert_string_equal(names(), "a ");
		} else {
			get_fails("a", ERR_CORRUPT);
			assert_string_equal(names(), "");
		}
	}
	/* Blanks are JSON too, but not so many. */
	for (size_t len = 65535; len < 65538; len++) {
		memset(text, ' ', len);
		memcpy(text, GOOD, strlen(GOOD));
		text[len] = '\0';
		put("a", text, IMAGE);
		if (len <= 65536)
			get("a");
		else
			get_fails("a", ERR_CORRUPT);
	}
}

static void test_images(void **state)
{
	UNUSED(state);
	put("a", GOOD, "");
	get_fails("a", ERR_CORRUPT);
	unit_make(dir_fd, "a.png", (off_t)TEMPLATE_MAX_BYTES);
	assert_int_equal(get("a")->image_size, TEMPLATE_MAX_BYTES);
	unit_make(dir_fd, "a.png", (off_t)TEMPLATE_MAX_BYTES + 1);
	get_fails("a", ERR_LIMIT);
	unit_make(dir_fd, "a.png", (off_t)1 << 40);
	get_fails("a", ERR_LIMIT);
	/* A list looks into none. */
	assert_string_equal(names(), "a ");
}

static void test_strange_files(void **state)
{
	UNUSED(state);
	/* Directories, and pipes that nobody writes to. */
	unit_mkdir(dir_fd, "d.png");
	put("d", GOOD, NULL);
	unit_mkdir(dir_fd, "e.json");
	put("e", NULL, IMAGE);
	assert_int_equal(mkfifoat(dir_fd, "f.png", 0600), 0);
	put("f", GOOD, NULL);
	assert_int_equal(mkfifoat(dir_fd, "g.json", 0600), 0);
	put("g", NULL, IMAGE);
	for (const char *name = "defg"; *name; name++)
		get_fails(arena_strndup(&arena, name, 1), ERR_NOTFOUND);
	/* Links that lead out, nowhere, or round. */
	unit_write(unit_fd, "out", GOOD, strlen(GOOD));
	put("good", GOOD, IMAGE);
	put("h", NULL, IMAGE);
	assert_int_equal(symlinkat("../out", dir_fd, "h.json"), 0);
	put("i", GOOD, NULL);
	assert_int_equal(symlinkat("/etc/passwd", dir_fd, "i.png"), 0);
	put("j", GOOD, NULL);
	assert_int_equal(symlinkat("nowhere", dir_fd, "j.png"), 0);
	put("k", NULL, IMAGE);
	assert_int_equal(symlinkat("k.json", dir_fd, "k.json"), 0);
	for (const char *name = "hijk"; *name; name++)
		get_fails(arena_strndup(&arena, name, 1), ERR_NOTFOUND);
	assert_string_equal(names(), "good ");
	/* One that stays inside is what it leads to. */
	put("l", GOOD, NULL);
	assert_int_equal(symlinkat("good.png", dir_fd, "l.png"), 0);
	if (unit_follows_links())
		assert_string_equal(names(), "good l ");
}

static void test_unreadable(void **state)
{
	UNUSED(state);
	put("a", GOOD, IMAGE);
	if (!geteuid()) {
		print_message("# root reads everything\n");
		return;
	}
	assert_int_equal(fchmodat(dir_fd, "a.png", 0, 0), 0);
	get_fails("a", ERR_IO);
	assert_string_equal(names(), "");
}

/* As a disk that is not mounted yet. */
static void test_missing_dir(void **state)
{
	UNUSED(state);
	unit_remove(dir);
	for (int i = 0; i < 3; i++) {
		get_fails("a", ERR_BUSY);
		list_fails(ERR_BUSY);
	}
	assert_int_equal(unit_logged("cannot open the templates"), 1);
	unit_mkdir(unit_fd, "t");
	close(dir_fd);
	dir_fd = unit_open_dir(dir);
	put("a", GOOD, IMAGE);
	assert_string_equal(names(), "a ");
	get("a");
	assert_int_equal(unit_logged("there again"), 1);
	unit_remove(dir);
	unit_write(unit_fd, "t", "a file", 6);
	get_fails("a", ERR_BUSY);
	assert_int_equal(unit_logged("cannot open the templates"), 1);
	unlinkat(unit_fd, "t", 0);
}

static void test_too_many(void **state)
{
	UNUSED(state);
	put("0", GOOD, IMAGE);
	for (int i = 1; i < TEMPLATES_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%d.json", i);
		assert_int_equal(linkat(dir_fd, "0.json", dir_fd, name, 0), 0);
		snprintf(name, sizeof(name), "%d.png", i);
		assert_int_equal(linkat(dir_fd, "0.png", dir_fd, name, 0), 0);
	}
	assert_true(strlen(names()) > TEMPLATES_MAX * 4);
	put("bad", "{}", IMAGE);
	list_fails(ERR_LIMIT);
	get("9999");
}

/* PostgreSQL, or what says that it is */

static void test_conninfo(void **state)
{
	static const char *const good[] = {
		"host=/tmp",
		"postgresql:///x",
		"postgres://u:p@[::1]:1/x?sslmode=disable",
		"host=1.2.3.4 password='a b' dbname=x",
	};
	static const char *const bad[] = {
		"secret",	    "host=x secret",
		"password='secret", "postgresql://u:secret@[::1/x",
		"secret=x",
	};
	struct errmsg e;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(templates_check_conninfo(good[i], &e), ERR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(templates_check_conninfo(bad[i], &e),
				 ERR_INPUT);
		assert_null(strstr(e.text, "secret"));
	}
}

static void put_int(struct text *t, uint32_t value)
{
	uint32_t net = htonl(value);

	text_append(t, &net, sizeof(net));
}

static void put_column(struct text *t, const char *name, uint32_t type,
		       char format)
{
	text_append(t, name, strlen(name) + 1);
	text_append(t, "\0\0\0\0\0\0", 6);
	put_int(t, type);
	text_append(t, "\xff\xff\xff\xff\xff\xff\0", 7);
	text_putc(t, format);
}

static void send_message(int fd, char type, const void *data, size_t len)
{
	uint32_t size = htonl((uint32_t)len + 4);

	if (write(fd, &type, 1) != 1 || write(fd, &size, 4) != 4 ||
	    write(fd, data, len) != (ssize_t)len)
		_exit(1);
}

/* There is a table, and nothing in it. */
static void send_answer(int fd, char asked)
{
	static const uint32_t types[] = { 25, 25, 25, 1007, 1007 };
	struct text t;

	text_init(&t, 1000);
	if (asked == 'Q') {
		text_append(&t, "\0\1", 2);
		put_column(&t, "x", 16, 0);
		send_message(fd, 'T', t.data, t.len);
		send_message(fd, 'D', "\0\1\0\0\0\1t", 7);
	} else {
		send_message(fd, '1', "", 0);
		send_message(fd, '2', "", 0);
		text_append(&t, "\0\5", 2);
		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			put_column(&t, "x", types[i], 1);
		send_message(fd, 'T', t.data, t.len);
	}
	send_message(fd, 'C', "SELECT 0", 9);
	send_message(fd, 'Z', "I", 1);
	text_release(&t);
}

/* One session; what it is sent is told by a byte a message. */
static void serve(int fd, int told_fd)
{
	unsigned char head[5];
	char body[4096];
	uint32_t len;

	(void)!write(told_fd, "(", 1);
	if (read(fd, &len, 4) != 4 ||
	    read(fd, body, ntohl(len) - 4) != (ssize_t)ntohl(len) - 4)
		_exit(1);
	send_message(fd, 'R', "\0\0\0\0", 4);
	send_message(fd, 'Z', "I", 1);
	while (recv(fd, head, 5, MSG_WAITALL) == 5) {
		memcpy(&len, head + 1, 4);
		len = ntohl(len) - 4;
		if (len > sizeof(body) ||
		    (len && recv(fd, body, len, MSG_WAITALL) != (ssize_t)len))
			_exit(1);
		if (strchr("QX", head[0]))
			(void)!write(told_fd, head, 1);
		if (head[0] == 'S' || head[0] == 'Q')
			send_answer(fd, (char)head[0]);
	}
	(void)!write(told_fd, ")", 1);
	_exit(0);
}

static int listen_as_server(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432",
		 dir);
	unlink(address.sun_path);
	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 10), 0);
	return fd;
}

static pid_t start_server(int told_fd)
{
	int fd = listen_as_server();
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		for (;;) {
			int session = accept(fd, NULL, NULL);

			if (!fork())
				serve(session, told_fd);
			close(session);
		}
	}
	close(fd);
	return pid;
}

static void use_server(void)
{
	templates_free(&store);
	store = templates_new(arena_printf(&arena, "host=%s user=u", dir),
			      NULL);
}

/* What the sessions tell, until it is so much. */
static void assert_told(int fd, const char *expected)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char told[64] = "";
	size_t len = 0;

	while (len < strlen(expected) && poll(&p, 1, 10000) == 1)
		len += (size_t)read(fd, told + len, sizeof(told) - 1 - len);
	assert_string_equal(told, expected);
	assert_int_equal(poll(&p, 1, 100), 0);
}

static void child_frees(void)
{
	templates_free(&store);
}

static void child_asks(void)
{
	const struct template *list;
	struct errmsg e;
	size_t nr;

	if (templates_list(store, &arena, &list, &nr, &e))
		_exit(1);
	templates_free(&store);
}

static void test_fork(void **state)
{
	int told[2];
	pid_t server;

	UNUSED(state);
	assert_int_equal(pipe(told), 0);
	server = start_server(told[1]);
	use_server();
	assert_string_equal(names(), "");
	assert_told(told[0], "(Q");
	/* The session stays the parent's: no end of it, and no other. */
	unit_in_child(child_frees);
	assert_string_equal(names(), "");
	assert_told(told[0], "");
	/* A child that asks has one of its own. */
	unit_in_child(child_asks);
	assert_told(told[0], "(QX)");
	assert_string_equal(names(), "");
	assert_told(told[0], "");
	templates_free(&store);
	assert_told(told[0], "X)");
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(told[0]);
	close(told[1]);
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One that never says a word; then nobody asks it for a while. */
static void test_silence(void **state)
{
	int fd = listen_as_server();
	int64_t begun = clock_ms();
	int64_t took;

	UNUSED(state);
	use_server();
	get_fails("x", ERR_BUSY);
	took = clock_ms() - begun;
	assert_in_range(took, TEMPLATES_PATIENCE_MS,
			TEMPLATES_PATIENCE_MS + 2000);
	begun = clock_ms();
	for (int i = 0; i < 1000; i++) {
		get_fails("x", ERR_BUSY);
		list_fails(ERR_BUSY);
	}
	assert_in_range(clock_ms() - begun, 0, 2000);
	assert_int_equal(unit_logged("no answer in time"), 1);
	close(fd);
}

static void test_nobody(void **state)
{
	int64_t begun = clock_ms();

	UNUSED(state);
	use_server();
	get_fails("x", ERR_BUSY);
	assert_in_range(clock_ms() - begun, 0, 1000);
	/* A name that can be none needs no database. */
	get_fails("", ERR_NOTFOUND);
	assert_int_equal(unit_logged("the template database fails: "), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none),	  TEST(test_good),
		TEST(test_names),	  TEST(test_bad_json),
		TEST(test_long_texts),	  TEST(test_images),
		TEST(test_strange_files), TEST(test_unreadable),
		TEST(test_missing_dir),	  TEST(test_too_many),
		TEST(test_conninfo),	  TEST(test_fork),
		TEST(test_silence),	  TEST(test_nobody),
	};

	return cmocka_run_group_tests(tests, begin, unit_end);
}
