/*
 * test_log.c - one line an event, nothing forged, counted by level.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/lograte.h"
#include "logfmt.h"

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

/* The one line that the log has. */
static const struct logfmt *take_line(void)
{
	static struct logfmt line;
	char *text = take_log();

	print_message("# %.200s\n", text ? text : "");
	assert_ptr_equal(logfmt_read(text, &line), text + strlen(text));
	free(text);
	return &line;
}

static void assert_field(const struct logfmt *line, const char *key,
			 const char *value)
{
	assert_non_null(logfmt_get(line, key));
	assert_string_equal(logfmt_get(line, key), value);
}

static void test_line(void **state)
{
	static const char *const keys[] = { "time", "level", "pid", "module",
					    "msg" };
	const struct logfmt *line;
	unsigned date[7];
	char pid[24];

	UNUSED(state);
	log_warning("%d things", 3);
	line = take_line();
	assert_int_equal(line->nr, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_string_equal(line->fields[i].key, keys[i]);
	assert_int_equal(strlen(logfmt_get(line, "time")), 24);
	assert_int_equal(sscanf(logfmt_get(line, "time"),
				"%4u-%2u-%2uT%2u:%2u:%2u.%3uZ", &date[0],
				&date[1], &date[2], &date[3], &date[4],
				&date[5], &date[6]),
			 7);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_field(line, "level", "warning");
	assert_field(line, "pid", pid);
	assert_field(line, "module", "test_log");
	assert_field(line, "msg", "3 things");
}

static void test_request(void **state)
{
	const struct logfmt *line;

	UNUSED(state);
	log_set_request("0123456789abcdef");
	log_info("%s", "\"\n level=error");
	line = take_line();
	assert_int_equal(line->nr, 6);
	assert_field(line, "level", "info");
	assert_field(line, "req", "0123456789abcdef");
	assert_field(line, "msg", "\"\n level=error");
	log_set_request(NULL);
	log_info("m");
	assert_null(logfmt_get(take_line(), "req"));
}

static void test_fields(void **state)
{
	const struct logfmt *line;
	struct logline l;

	UNUSED(state);
	log_set_request("an-id");
	assert_true(log_begin(&l, LOG_LEVEL_INFO, "src/some.c", __func__));
	logline_number(&l, "bytes", 5);
	log_end(&l);
	log_set_request(NULL);
	line = take_line();
	assert_int_equal(line->nr, 6);
	assert_field(line, "module", "some");
	assert_field(line, "req", "an-id");
	assert_field(line, "bytes", "5");
	log_set_level(LOG_LEVEL_WARNING);
	assert_false(log_begin(&l, LOG_LEVEL_INFO, __FILE__, __func__));
	log_set_level(LOG_LEVEL_INFO);
}

/* Whatever the length and the escapes: one line of at most 4 kB. */
static void test_length(void **state)
{
	static char message[3 * LOGLINE_BYTES];

	UNUSED(state);
	for (size_t len = 1000; len < sizeof(message); len += 97) {
		const struct logfmt *line;
		struct stat st;

		memset(message, len & 1 ? 'x' : '\n', len);
		message[len] = '\0';
		log_error("%s", message);
		assert_int_equal(fstatat(unit_fd, "log", &st, 0), 0);
		assert_in_range(st.st_size, 1, LOGLINE_BYTES);
		line = take_line();
		if (strlen(logfmt_get(line, "msg")) < len)
			assert_field(line, "cut", "true");
		else
			assert_null(logfmt_get(line, "cut"));
	}
}

/* A line is one write(2): a datagram socket keeps them apart. */
static void test_one_write(void **state)
{
	int stderr_fd = dup(STDERR_FILENO);
	char buffer[2 * LOGLINE_BYTES];
	struct logfmt line;
	int fds[2];

	UNUSED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	assert_true(log_open(NULL));
	for (int i = 0; i < 20; i++)
		log_info("%0*d", 300 * i + 1, i);
	assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
	close(fds[1]);
	for (int i = 0; i < 20; i++) {
		ssize_t n = read(fds[0], buffer, sizeof(buffer) - 1);

		assert_in_range(n, 1, LOGLINE_BYTES);
		buffer[n] = '\0';
		assert_ptr_equal(logfmt_read(buffer, &line), buffer + n);
	}
	assert_int_equal(read(fds[0], buffer, sizeof(buffer)), 0);
	close(fds[0]);
	close(stderr_fd);
	assert_int_equal(unit_end(NULL), 0);
	assert_int_equal(unit_begin(NULL), 0);
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
		assert_int_equal(unit_count(text, " msg=m\n"),
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

static char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", unit_dir, name);
	return path;
}

static unsigned logged_in(const char *name, const char *what)
{
	char *text = unit_read(unit_fd, name, NULL);
	unsigned nr = text ? unit_count(text, what) : 0;

	free(text);
	return nr;
}

static void say_child(void)
{
	log_info("from the child");
}

/* One process is told; those it shares memory with open the file again, too. */
static void test_reopen(void **state)
{
	struct log_shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	UNUSED(state);
	assert_true(shared != MAP_FAILED);
	log_share(shared);
	unit_logged("");
	log_info("before");
	assert_int_equal(renameat(unit_fd, "log", unit_fd, "log.2"), 0);
	log_info("still before");
	unit_in_child(log_reopen);
	unit_in_child(say_child);
	log_info("after");
	unit_in_child(say_child);
	assert_int_equal(logged_in("log.2", "\n"), 2);
	assert_int_equal(logged_in("log", "msg=after"), 1);
	assert_int_equal(logged_in("log", "from the child"), 2);
	assert_int_equal(logged_in("log", "\n"), 3);
}

/* What cannot be opened again stays, and one of all processes says so. */
static void test_reopen_fails(void **state)
{
	UNUSED(state);
	unit_logged("");
	assert_int_equal(renameat(unit_fd, "log", unit_fd, "log.3"), 0);
	unit_mkdir(unit_fd, "log");
	unit_in_child(log_reopen);
	unit_in_child(say_child);
	unit_in_child(say_child);
	log_info("after");
	assert_int_equal(logged_in("log.3", "cannot open the log again"), 1);
	assert_int_equal(logged_in("log.3", "from the child"), 2);
	assert_int_equal(logged_in("log.3", "msg=after"), 1);
	/* The next time it is there. */
	assert_int_equal(rmdir(path_of("log")), 0);
	log_reopen();
	log_info("again");
	unit_in_child(say_child);
	assert_int_equal(logged_in("log.3", "again\""), 0);
	assert_int_equal(logged_in("log", "\n"), 2);
}

/* A name that leads nowhere, whose file is deleted: standard error is left. */
static void follow_into_nothing(void)
{
	int err = open(path_of("stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(err >= 0 && dup2(err, STDERR_FILENO) == STDERR_FILENO);
	assert_true(log_open(path_of("away/log")));
	log_info("before");
	assert_int_equal(unlink(path_of("away/log")), 0);
	assert_int_equal(rmdir(path_of("away")), 0);
	log_info("deleted");
	log_reopen();
	log_info("after");
	/* And when there is a place for it again. */
	unit_mkdir(unit_fd, "away");
	log_reopen();
	log_info("again");
}

static void test_deleted(void **state)
{
	UNUSED(state);
	unit_mkdir(unit_fd, "away");
	unit_in_child(follow_into_nothing);
	assert_int_equal(logged_in("stderr", "cannot open the log again"), 1);
	assert_int_equal(logged_in("stderr", "msg=after"), 1);
	assert_int_equal(logged_in("stderr", "\n"), 2);
	assert_int_equal(logged_in("away/log", "msg=again"), 1);
	assert_int_equal(logged_in("away/log", "\n"), 1);
}

static void limit_log(size_t more)
{
	struct rlimit limit;
	struct stat st;

	assert_int_equal(fstatat(unit_fd, "log", &st, 0), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = more ? (rlim_t)st.st_size + more : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* As on a disk that is full, then is not: so many bytes are still taken. */
static void fill_disk(void)
{
	log_info("before");
	for (size_t room = 1; room < 60; room++) {
		limit_log(room);
		log_info("torn");
		log_info("nothing of it");
		/* It takes the line feed, and no more. */
		limit_log(room % 2);
		log_info("whole %zu", room);
		limit_log(0);
		log_info("after %zu", room);
	}
}

static void test_full_disk(void **state)
{
	unsigned nr_lines = 0;
	char *text;

	UNUSED(state);
	unit_logged("");
	signal(SIGXFSZ, SIG_IGN);
	unit_in_child(fill_disk);
	/* Another process may be the next. */
	unit_in_child(say_child);
	text = take_log();
	for (const char *at = text; at && *at; at += strcspn(at, "\n") + 1) {
		size_t len = strcspn(at, "\n");
		const char *next = strstr(at + 1, "time=");

		assert_memory_equal(at, "time=", len < 5 ? len : 5);
		assert_true(!next || next > at + len);
		nr_lines++;
	}
	assert_int_equal(unit_count(text, "msg=\"after "), 59);
	assert_int_equal(unit_count(text, "msg=\"whole "), 29);
	assert_int_equal(unit_count(text, "msg=\"from the child\"\n"), 1);
	assert_int_equal(unit_count(text, "msg=before\n"), 1);
	assert_int_equal(nr_lines, 59 + 29 + 2 + 59);
	free(text);
}

static void say_many(void)
{
	for (int i = 1; i <= 50; i++)
		log_warning("line %d", i);
	log_flush();
}

static void say_long(void)
{
	char text[2 * LOGRATE_TEXT];

	for (int i = 1; i <= 50; i++) {
		memset(text, 'a' + i % 26, sizeof(text));
		text[i < 50 ? 300 : LOGRATE_TEXT] = '\0';
		log_warning("%s", text);
	}
	log_flush();
}

static void say_not_so_long(void)
{
	for (int i = 1; i <= 50; i++)
		log_warning("%0*d", LOGRATE_TEXT - 1, i);
	log_flush();
}

/* What was kept of a message and what was not. */
static void test_repeats_cut(void **state)
{
	UNUSED(state);
	unit_logged("");
	log_hold_repeats();
	unit_in_child(say_long);
	assert_int_equal(logged_in("log", "cut=true"), 1);
	assert_int_equal(logged_in("log", " repeated=39 cut=true\n"), 1);
	unit_logged("");
	unit_in_child(say_not_so_long);
	assert_int_equal(logged_in("log", "cut=true"), 0);
	assert_int_equal(logged_in("log", "50 repeated=39\n"), 1);
}

static void say_many_and_exit(void)
{
	for (int i = 1; i <= 50; i++)
		log_warning("line %d", i);
	exit(0);
}

/* After ten lines of a place the last of the others stands for all of them. */
static void test_repeats(void **state)
{
	struct logline l;

	UNUSED(state);
	unit_logged("");
	log_hold_repeats();
	log_set_observer(observe);
	seen.nr = 0;
	say_many();
	log_set_observer(NULL);
	assert_int_equal(seen.nr, 50);
	assert_int_equal(logged_in("log", "\n"), 11);
	assert_int_equal(logged_in("log", "msg=\"line 10\"\n"), 1);
	assert_int_equal(logged_in("log", "msg=\"line 50\" repeated=39\n"), 1);
	/* Lines of fields never are. */
	unit_logged("");
	for (int i = 0; i < 30; i++) {
		assert_true(log_begin(&l, LOG_LEVEL_INFO, __FILE__, __func__));
		log_end(&l);
	}
	assert_int_equal(unit_logged("\n"), 30);
}

/* A child holds back its own lines, and says its parent's never. */
static void test_repeats_of_children(void **state)
{
	UNUSED(state);
	unit_logged("");
	for (int i = 1; i <= 12; i++)
		log_warning("parent %d", i);
	unit_in_child(say_many_and_exit);
	assert_int_equal(logged_in("log", "msg=\"line "), 11);
	assert_int_equal(logged_in("log", "repeated=39"), 1);
	assert_int_equal(logged_in("log", "parent"), 10);
	log_flush();
	assert_int_equal(unit_logged("msg=\"parent 12\" repeated=1\n"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_one_write),
		cmocka_unit_test(test_levels_and_observer),
		cmocka_unit_test(test_errno_is_kept),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_reopen_fails),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_repeats_of_children),
		cmocka_unit_test(test_repeats_cut),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
