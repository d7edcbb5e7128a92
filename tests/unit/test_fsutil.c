/*
 * test_fsutil.c - nothing leads out of a directory; files are old or new.
 */
#include "config.h"

#include "base/fsutil.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "unit.h"

/* Makes what the rows below walk through. */
static int make_tree(void **state)
{
	char out[512];

	if (unit_begin(state))
		return -1;
	unit_write(unit_fd, "base/in/file", "in", 2);
	unit_write(unit_fd, "secret/file", "out", 3);
	snprintf(out, sizeof(out), "%s/secret", unit_dir);
	assert_int_equal(symlinkat("in", unit_fd, "base/link-in"), 0);
	assert_int_equal(symlinkat("in/file", unit_fd, "base/link-file"), 0);
	assert_int_equal(symlinkat("../in", unit_fd, "base/in/link-round"), 0);
	assert_int_equal(symlinkat("../secret", unit_fd, "base/link-out"), 0);
	assert_int_equal(
		symlinkat("../secret/file", unit_fd, "base/link-out-file"), 0);
	assert_int_equal(symlinkat(out, unit_fd, "base/link-absolute"), 0);
	assert_int_equal(symlinkat("loop", unit_fd, "base/loop"), 0);
	assert_int_equal(symlinkat("/proc/self/cwd", unit_fd, "base/magic"), 0);
	assert_int_equal(mkfifoat(unit_fd, "base/fifo", 0600), 0);
	return 0;
}

#define DIRECTORY (O_RDONLY | O_DIRECTORY)

static const struct {
	const char *rel;
	int flags;
	bool opens;
	bool opens_by_component;
} open_rows[] = {
	{ "in/file", O_RDONLY, true, true },
	{ "in", DIRECTORY, true, true },
	{ ".", DIRECTORY, true, true },
	{ "./in/./file", O_RDONLY, true, true },
	{ "in//file", O_RDONLY, true, true },
	{ "in/", DIRECTORY, true, true },
	{ "in/", O_RDONLY, true, true },
	{ "in", O_PATH | O_DIRECTORY, true, true },
	{ "in/file", O_PATH, true, true },
	{ "fifo", O_RDONLY | O_NONBLOCK, true, true },
	/* Links that stay inside: the kernel can tell, the fallback not. */
	{ "link-in/file", O_RDONLY, true, false },
	{ "link-in", DIRECTORY, true, false },
	{ "link-file", O_RDONLY, true, false },
	{ "in/link-round/file", O_RDONLY, true, false },
	/* All that leads out, or nowhere. */
	{ "..", DIRECTORY, false, false },
	{ "../secret/file", O_RDONLY, false, false },
	{ "../base/in/file", O_RDONLY, false, false },
	{ "in/../../secret/file", O_RDONLY, false, false },
	{ "/", DIRECTORY, false, false },
	{ "/etc/passwd", O_RDONLY, false, false },
	{ "link-out", DIRECTORY, false, false },
	{ "link-out", O_PATH | O_DIRECTORY, false, false },
	{ "link-out/file", O_RDONLY, false, false },
	{ "link-out-file", O_RDONLY, false, false },
	{ "link-absolute", DIRECTORY, false, false },
	{ "link-absolute/file", O_RDONLY, false, false },
	{ "magic", DIRECTORY, false, false },
	{ "loop", O_RDONLY, false, false },
	{ "loop/x", O_RDONLY, false, false },
	{ "", O_RDONLY, false, false },
	{ "none", O_RDONLY, false, false },
	{ "none/file", O_RDONLY, false, false },
	{ "in/file/", O_RDONLY, false, false },
	{ "in/file/x", O_RDONLY, false, false },
	{ "in/file", DIRECTORY, false, false },
};

static void check_opening(int (*open_one)(int, const char *, int),
			  bool by_component)
{
	int base = openat(unit_fd, "base", O_PATH | O_DIRECTORY);

	for (size_t i = 0; i < ARRAY_SIZE(open_rows); i++) {
		bool opens = by_component ? open_rows[i].opens_by_component :
					    open_rows[i].opens;
		int fd;

		print_message("# '%s': %s\n", open_rows[i].rel,
			      opens ? "opens" : "does not open");
		errno = 0;
		fd = open_one(base, open_rows[i].rel, open_rows[i].flags);
		assert_int_equal(fd >= 0, opens);
		if (opens)
			assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		else
			assert_int_not_equal(errno, 0);
		fs_close(&fd);
		assert_int_equal(fd, -1);
	}
	close(base);
}

static unsigned count_open_files(void)
{
	unsigned nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void test_open_beneath(void **state)
{
	unsigned before = count_open_files();

	UNUSED(state);
	check_opening(fs_open_beneath, !unit_follows_links());
	assert_int_equal(count_open_files(), before);
}

static void test_open_by_component(void **state)
{
	unsigned before = count_open_files();

	UNUSED(state);
	check_opening(fs_open_by_component, true);
	assert_int_equal(count_open_files(), before);
}

static void test_open_long_names(void **state)
{
	char name[6000];

	UNUSED(state);
	memset(name, 'x', sizeof(name));
	for (size_t len = 250; len < 260; len++) {
		name[len] = '\0';
		assert_int_equal(fs_open_beneath(unit_fd, name, O_RDONLY), -1);
		assert_int_equal(fs_open_by_component(unit_fd, name, O_RDONLY),
				 -1);
		assert_int_equal(errno, len > 255 ? ENAMETOOLONG : ENOENT);
		name[len] = 'x';
	}
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(fs_open_beneath(unit_fd, name, O_RDONLY), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

/*
 * The kernel gives up with EAGAIN on a path with ".." while anything is
 * renamed anywhere; that must not look like a missing file.
 */
static void test_open_during_renames(void **state)
{
	int base = openat(unit_fd, "base", O_PATH | O_DIRECTORY);
	unsigned failed = 0;
	pid_t pid;

	UNUSED(state);
	if (!unit_follows_links())
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		unit_mkdir(unit_fd, "ping");
		for (;;)
			if (renameat(unit_fd, "ping", unit_fd, "pong") ||
			    renameat(unit_fd, "pong", unit_fd, "ping"))
				_exit(1);
	}
	for (int i = 0; i < 100000; i++) {
		int fd = fs_open_beneath(base, "in/link-round/file", O_RDONLY);

		failed += fd < 0;
		fs_close(&fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(base);
	print_message("# %u of 100000 failed\n", failed);
	assert_int_equal(failed, 0);
}

static void test_replace_file(void **state)
{
	struct iovec iov[] = { { (void *)"one ", 4 }, { (void *)"two", 3 } };
	struct errmsg e = { "" };
	char *text;
	int fd;

	UNUSED(state);
	unit_mkdir(unit_fd, "replace");
	fd = openat(unit_fd, "replace", DIRECTORY);
	assert_int_equal(fs_replace_file(fd, "f", iov, 2, &e), ERR_OK);
	text = unit_read(fd, "f", NULL);
	assert_string_equal(text, "one two");
	free(text);
	assert_int_equal(fs_replace_file(fd, "f", iov, 1, &e), ERR_OK);
	text = unit_read(fd, "f", NULL);
	assert_string_equal(text, "one ");
	free(text);
	assert_int_equal(fs_replace_file(fd, "f", NULL, 0, &e), ERR_OK);
	text = unit_read(fd, "f", NULL);
	assert_string_equal(text, "");
	free(text);

	print_message("# nothing is left beside it\n");
	assert_int_equal(unlinkat(fd, "f", 0), 0);
	close(fd);
	assert_int_equal(unlinkat(unit_fd, "replace", AT_REMOVEDIR), 0);
}

/* Another process with our number (in another container) is not disturbed. */
static void test_replace_file_is_private(void **state)
{
	struct iovec iov = { (void *)"ours", 4 };
	struct errmsg e = { "" };
	char name[64];
	char *text;

	UNUSED(state);
	snprintf(name, sizeof(name), ".p.%ld.tmp", (long)getpid());
	unit_write(unit_fd, name, "theirs", 6);
	assert_int_equal(fs_replace_file(unit_fd, "p", &iov, 1, &e), ERR_OK);
	text = unit_read(unit_fd, name, NULL);
	assert_non_null(text);
	assert_string_equal(text, "theirs");
	free(text);
	text = unit_read(unit_fd, "p", NULL);
	assert_string_equal(text, "ours");
	free(text);
}

static void test_replace_file_fails(void **state)
{
	struct iovec iov = { (void *)"x", 1 };
	struct errmsg e = { "" };
	struct fs_list list = { 0 };
	int fd;

	UNUSED(state);
	unit_mkdir(unit_fd, "fails/f");
	unit_write(unit_fd, "fails/f/inside", "", 0);
	fd = openat(unit_fd, "fails", DIRECTORY);

	print_message("# a directory is in the way\n");
	errno = 0;
	assert_int_equal(fs_replace_file(fd, "f", &iov, 1, &e), ERR_IO);
	assert_true(errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST);
	assert_non_null(strstr(e.text, "'f'"));
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(list.nr, 1); /* the private file is gone */
	fs_list_release(&list);
	close(fd);

	print_message("# no such directory\n");
	assert_int_equal(fs_replace_file(-1, "f", &iov, 1, &e), ERR_IO);
	assert_int_equal(errno, EBADF);
}

static void test_make_dirs(void **state)
{
	char longer[5000];
	struct errmsg e;
	struct stat st;

	UNUSED(state);
	assert_int_equal(fs_make_dirs(unit_fd, "made/a/b", &e), ERR_OK);
	assert_int_equal(fs_make_dirs(unit_fd, "made/a/b", &e), ERR_OK);
	assert_int_equal(fs_make_dirs(unit_fd, "made/a/c/", &e), ERR_OK);
	assert_int_equal(fstatat(unit_fd, "made/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(unit_fd, "made/a/c", &st, 0), 0);

	print_message("# a file is in the way\n");
	unit_write(unit_fd, "made/file", "", 0);
	e.text[0] = '\0';
	assert_int_equal(fs_make_dirs(unit_fd, "made/file/x", &e), ERR_IO);
	assert_int_equal(errno, ENOTDIR);
	assert_non_null(strstr(e.text, "made/file/x"));
	print_message("# too long\n");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(fs_make_dirs(unit_fd, longer, &e), ERR_IO);
	assert_int_equal(errno, ENAMETOOLONG);
	print_message("# not a directory descriptor\n");
	assert_int_equal(fs_make_dirs(-1, "x", &e), ERR_IO);
}

static void test_stamp(void **state)
{
	struct fs_stamp a, b, untouched;
	struct stat st;
	int fd;

	UNUSED(state);
	unit_mkdir(unit_fd, "stamp");
	fd = openat(unit_fd, "stamp", DIRECTORY);
	assert_true(fs_stamp_at(unit_fd, "stamp", &a));
	assert_true(fs_stamp_at(fd, "", &b));
	assert_true(fs_stamp_equal(&a, &b));
	assert_int_equal(fstat(fd, &st), 0);
	fs_stamp_of(&st, &b);
	assert_true(fs_stamp_equal(&a, &b));
	usleep(20000);
	unit_write(fd, "file", "", 0);
	assert_true(fs_stamp_at(fd, "", &b));
	assert_false(fs_stamp_equal(&a, &b));
	assert_true(b.mtime_ns > a.mtime_ns);

	print_message("# each part counts\n");
	for (size_t at = 0; at < sizeof(a); at += 8) {
		b = a;
		((unsigned char *)&b)[at] ^= 1;
		assert_false(fs_stamp_equal(&a, &b));
	}

	print_message("# what is not there\n");
	memset(&untouched, 0x5a, sizeof(untouched));
	b = untouched;
	assert_false(fs_stamp_at(unit_fd, "no-stamp", &b));
	assert_int_equal(errno, ENOENT);
	assert_memory_equal(&b, &untouched, sizeof(b));
	assert_false(fs_stamp_at(-1, "", &b));
	close(fd);
}

static uint64_t list_hash(int parent, const char *rel)
{
	struct fs_list list = { 0 };
	struct errmsg e;
	uint64_t hash;
	int fd = openat(parent, rel, DIRECTORY);

	assert_true(fd >= 0);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	hash = list.hash;
	close(fd);
	fs_list_release(&list);
	return hash;
}

static void test_list(void **state)
{
	struct fs_list list = { 0 };
	struct errmsg e;
	char name[64];
	int fd;

	UNUSED(state);
	unit_mkdir(unit_fd, "list/dir");
	fd = openat(unit_fd, "list", DIRECTORY);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "%05d", (i * 7919) % 3000);
		unit_make(fd, name, 0);
	}
	unit_write(fd, ".hidden", "", 0);
	assert_int_equal(symlinkat("dir", fd, "link-dir"), 0);
	assert_int_equal(symlinkat("00001", fd, "link-file"), 0);
	assert_int_equal(symlinkat("nowhere", fd, "link-none"), 0);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(list.nr, 3005);
	fs_list_sort(&list);
	assert_string_equal(list.entries[0].name, ".hidden");
	for (size_t i = 0; i < list.nr; i++) {
		const struct fs_entry *entry = &list.entries[i];
		struct stat st;

		assert_int_equal(entry->len, strlen(entry->name));
		assert_int_equal(
			fstatat(fd, entry->name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(entry->ino, st.st_ino);
		assert_int_equal(fs_entry_is_dir(fd, entry),
				 !strcmp(entry->name, "dir") ||
					 !strcmp(entry->name, "link-dir"));
		if (i)
			assert_true(strcmp(list.entries[i - 1].name,
					   entry->name) < 0);
	}

	print_message("# again, from the beginning\n");
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(list.nr, 3005);

	print_message("# used again, on an empty directory\n");
	close(fd);
	fd = openat(unit_fd, "list/dir", DIRECTORY);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(list.nr, 0);
	fs_list_sort(&list);

	print_message("# on one that is deleted while we hold it\n");
	assert_int_equal(unlinkat(unit_fd, "list/dir", AT_REMOVEDIR), 0);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(list.nr, 0);
	close(fd);

	print_message("# on what is no directory\n");
	fd = openat(unit_fd, "list/00001", O_RDONLY);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_IO);
	close(fd);
	assert_int_equal(fs_list_read(-1, &list, &e), ERR_IO);
	fs_list_release(&list);
	fs_list_release(&list);
}

static void test_list_hash(void **state)
{
	uint64_t first, second;
	int fd;

	UNUSED(state);
	unit_mkdir(unit_fd, "hash");
	fd = openat(unit_fd, "hash", DIRECTORY);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		unit_make(fd, name, 0);
	}
	first = list_hash(unit_fd, "hash");
	for (int i = 0; i < 5; i++)
		assert_int_equal(list_hash(unit_fd, "hash"), first);

	print_message("# written, the names are the same\n");
	unit_write(fd, "7", "text", 4);
	assert_int_equal(list_hash(unit_fd, "hash"), first);
	print_message("# a file renamed over another\n");
	unit_write(fd, "new", "", 0);
	assert_int_not_equal(list_hash(unit_fd, "hash"), first);
	assert_int_equal(renameat(fd, "new", fd, "7"), 0);
	second = list_hash(unit_fd, "hash");
	assert_int_not_equal(second, first);
	print_message("# two names exchanged\n");
	assert_int_equal(renameat(fd, "8", fd, "x"), 0);
	assert_int_equal(renameat(fd, "9", fd, "8"), 0);
	assert_int_equal(renameat(fd, "x", fd, "9"), 0);
	assert_int_not_equal(list_hash(unit_fd, "hash"), second);
	second = list_hash(unit_fd, "hash");
	print_message("# one name less\n");
	assert_int_equal(unlinkat(fd, "10", 0), 0);
	assert_int_not_equal(list_hash(unit_fd, "hash"), second);
	close(fd);
}

static void test_entry_types(void **state)
{
	struct fs_entry entry = { .name = "base", .len = 4 };

	UNUSED(state);
	/* File systems that do not tell are asked. */
	entry.type = DT_UNKNOWN;
	assert_true(fs_entry_is_dir(unit_fd, &entry));
	entry.name = "log";
	assert_false(fs_entry_is_dir(unit_fd, &entry));
	entry.name = "nowhere";
	assert_false(fs_entry_is_dir(unit_fd, &entry));
	entry.type = DT_LNK;
	assert_false(fs_entry_is_dir(unit_fd, &entry));
	entry.type = DT_REG;
	assert_false(fs_entry_is_dir(unit_fd, &entry));
	entry.type = DT_DIR;
	assert_true(fs_entry_is_dir(unit_fd, &entry));
}

static void test_may_be_file(void **state)
{
	static const struct {
		unsigned char type;
		bool may;
	} rows[] = {
		{ DT_REG, true },  { DT_LNK, true },   { DT_UNKNOWN, true },
		{ DT_DIR, false }, { DT_FIFO, false }, { DT_SOCK, false },
		{ DT_CHR, false }, { DT_BLK, false },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fs_entry entry = { .type = rows[i].type };

		print_message("# type %u\n", rows[i].type);
		assert_int_equal(fs_may_be_file(&entry), rows[i].may);
	}
}

static void test_honest_times(void **state)
{
	int fd = open("/proc", DIRECTORY);

	UNUSED(state);
	assert_false(fs_times_are_honest(-1));
	if (fd >= 0)
		assert_false(fs_times_are_honest(fd));
	fs_close(&fd);
	fd = open("/dev/shm", DIRECTORY);
	if (fd >= 0)
		assert_true(fs_times_are_honest(fd));
	fs_close(&fd);
	/* Also of a descriptor that only names a directory. */
	fd = open("/dev/shm", O_PATH | O_DIRECTORY);
	if (fd >= 0)
		assert_true(fs_times_are_honest(fd));
	fs_close(&fd);
}

static void link_in(const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, unit_fd, name), 0);
}

/* Of a file that is there, a link, a chain of them, a link to nothing. */
static void test_dir_of(void **state)
{
	static const struct {
		const char *name;
		const char *dir;
	} rows[] = {
		{ "d1/file", "d1" },	   { "d1/none", "d1" },
		{ "d1/up", "d1/../d2" },   { "d1/chain", "d1/../d2" },
		{ "d1/nothing", "d1/no" }, { "d1/absolute", "/no/such" },
	};
	char path[PATH_MAX + 8];
	char want[PATH_MAX];

	UNUSED(state);
	unit_write(unit_fd, "d1/file", "", 0);
	unit_write(unit_fd, "d2/file", "", 0);
	link_in("../d2/file", "d1/up");
	link_in("up", "d1/chain");
	link_in("no/file", "d1/nothing");
	link_in("/no/such/file", "d1/absolute");
	link_in("round", "d1/round");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *dir;

		snprintf(path, sizeof(path), "%s/%s", unit_dir, rows[i].name);
		snprintf(want, sizeof(want), "%s/%s", unit_dir, rows[i].dir);
		dir = fs_dir_of(path);
		assert_non_null(dir);
		assert_string_equal(dir,
				    *rows[i].dir == '/' ? rows[i].dir : want);
		free(dir);
	}
	snprintf(path, sizeof(path), "%s/d1/round", unit_dir);
	assert_null(fs_dir_of(path));
	assert_int_equal(errno, ELOOP);
	memset(path, 'x', sizeof(path));
	path[PATH_MAX] = '\0';
	assert_null(fs_dir_of(path));
	assert_int_equal(errno, ENAMETOOLONG);
	/* A link whose target has no room behind the directory. */
	for (size_t i = 0; i < 4000; i++)
		path[i] = i % 2 ? '/' : '.';
	path[4000] = '\0';
	link_in(path, "long");
	snprintf(want, sizeof(want), "%s/%.200slong", unit_dir, path);
	assert_null(fs_dir_of(want));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void test_read_file(void **state)
{
	static const struct {
		const char *rel;
		enum err err;
	} rows[] = {
		{ "in/file", ERR_OK },
		{ "link-file", ERR_OK },
		{ "in", ERR_NOTFOUND },
		{ "in/", ERR_NOTFOUND },
		{ ".", ERR_NOTFOUND },
		{ "in/file/", ERR_NOTFOUND },
		{ "nowhere", ERR_NOTFOUND },
		{ "link-out-file", ERR_NOTFOUND },
		{ "../secret/file", ERR_NOTFOUND },
		{ "loop", ERR_NOTFOUND },
		{ "magic", ERR_NOTFOUND },
		{ "fifo", ERR_NOTFOUND },
		{ "large", ERR_LIMIT },
		{ "just-fits", ERR_OK },
		{ "empty", ERR_OK },
	};
	int base = openat(unit_fd, "base", O_PATH | O_DIRECTORY);
	struct iovec file;
	struct errmsg e;
	struct arena a;

	if (!unit_follows_links())
		skip();
	UNUSED(state);
	arena_init(&a);
	unit_make(base, "large", 101);
	unit_make(base, "just-fits", 100);
	unit_make(base, "empty", 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		e.text[0] = '\0';
		print_message("# %s\n", rows[i].rel);
		assert_int_equal(
			fs_read_file(base, rows[i].rel, 100, &a, &file, &e),
			rows[i].err);
		assert_int_equal(e.text[0] != '\0', rows[i].err != ERR_OK);
	}
	assert_int_equal(file.iov_len, 0);
	assert_int_equal(fs_read_file(base, "in/file", 100, &a, &file, &e),
			 ERR_OK);
	assert_int_equal(file.iov_len, 2);
	assert_memory_equal(file.iov_base, "in", 2);
	arena_release(&a);
	close(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_beneath),
		cmocka_unit_test(test_open_by_component),
		cmocka_unit_test(test_open_long_names),
		cmocka_unit_test(test_open_during_renames),
		cmocka_unit_test(test_replace_file),
		cmocka_unit_test(test_replace_file_is_private),
		cmocka_unit_test(test_replace_file_fails),
		cmocka_unit_test(test_make_dirs),
		cmocka_unit_test(test_stamp),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_hash),
		cmocka_unit_test(test_entry_types),
		cmocka_unit_test(test_may_be_file),
		cmocka_unit_test(test_honest_times),
		cmocka_unit_test(test_dir_of),
		cmocka_unit_test(test_read_file),
	};

	return cmocka_run_group_tests(tests, make_tree, unit_end);
}
