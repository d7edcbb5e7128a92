/*
 * test_archive.c - what is listed of an archive, what is opened, what is not.
 */
#include "config.h"

#include "archive/archive.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "unit.h"

static struct archive archive;
static struct arena arena;
static bool follows_links;

#define Q "base/main/source/"
#define H Q UNIT_HOUR_NAME "/"
#define FULL "00:00-2-full-a"

static int make_archive(void **state)
{
	char path[512];

	if (unit_begin(state))
		return -1;
	unit_mkdir(unit_fd, "base/empty");
	unit_mkdir(unit_fd, "base/.hidden/source");
	unit_write(unit_fd, "base/file", "", 0);
	/* No URL can ask for these. */
	unit_mkdir(unit_fd, "base/line\nfeed/source");
	unit_mkdir(unit_fd, "base/\xff/source");
	unit_mkdir(unit_fd, "base/main/\x7f");
	unit_mkdir(unit_fd, Q "2026-11-06T22");
	unit_mkdir(unit_fd, Q ".2026-11-07T01");
	unit_mkdir(unit_fd, Q "2026-11-08");
	unit_mkdir(unit_fd, Q "not-an-hour");
	unit_write(unit_fd, Q "2026-11-09T00", "", 0);
	unit_mkdir(unit_fd, "base/main/chat/" UNIT_HOUR_NAME);
	unit_mkdir(unit_fd, "base/main/.secret");
	unit_mkdir(unit_fd, "base/main/none");
	unit_write(unit_fd, H FULL ".ts", "good", 4);
	unit_write(unit_fd, H "00:02-2-full-b.ts", "gone", 4);
	unit_write(unit_fd, H "00:02-2-full-b.tombstone", "", 0);
	unit_write(unit_fd, H "00:04-2-full-c.ts", "gone", 4);
	assert_int_equal(symlinkat("nowhere", unit_fd,
				   H "00:04-2-full-c.tombstone"),
			 0);
	unit_write(unit_fd, H "00:06-2-temp-d.ts", "temp", 4);
	unit_write(unit_fd, H "odd.ts", "odd", 3);
	unit_write(unit_fd, H "alone.tombstone", "", 0);
	unit_write(unit_fd, H "00:00-chat.json", "[]", 2);
	unit_write(unit_fd, H "notes.txt", "", 0);
	unit_write(unit_fd, H ".00:08-2-full-e.ts", "", 0);
	unit_write(unit_fd, H ".ts", "", 0);
	unit_write(unit_fd, H "00:08-2-temp-\xc3.ts", "", 0);
	unit_write(unit_fd, H "00:08\t.json", "", 0);
	unit_write(unit_fd, H "00:08-\xc3\xa9.json", "", 0);
	unit_mkdir(unit_fd, H "00:10-2-full-f.ts");
	assert_int_equal(mkfifoat(unit_fd, H "00:12-2-full-g.ts", 0600), 0);

	unit_mkdir(unit_fd, "out/source/" UNIT_HOUR_NAME);
	unit_write(unit_fd, "out/source/" UNIT_HOUR_NAME "/" FULL ".ts", "out",
		   3);
	assert_int_equal(symlinkat("../out", unit_fd, "base/link-out"), 0);
	snprintf(path, sizeof(path), "%s/out", unit_dir);
	assert_int_equal(symlinkat(path, unit_fd, "base/link-absolute"), 0);
	assert_int_equal(symlinkat("main", unit_fd, "base/link-in"), 0);
	assert_int_equal(symlinkat("nowhere", unit_fd, "base/link-none"), 0);
	assert_int_equal(symlinkat("file", unit_fd, "base/link-file"), 0);
	assert_int_equal(symlinkat("../main/source", unit_fd,
				   "base/empty/linked"),
			 0);
	assert_int_equal(symlinkat("../../../../out/source/" UNIT_HOUR_NAME
				   "/" FULL ".ts",
				   unit_fd, H "00:14-2-full-h.ts"),
			 0);
	snprintf(path, sizeof(path), "%s/base", unit_dir);
	arena_init(&arena);
	follows_links = unit_follows_links();
	return archive_open(&archive, path, &(struct errmsg){ "" });
}

static int remove_archive(void **state)
{
	arena_release(&arena);
	archive_close(&archive);
	archive_close(&archive);
	return unit_end(state);
}

/* Whether a row needs a link followed, and that cannot be. */
static bool is_beyond_us(const char *path)
{
	return !follows_links && (strstr(path, "link-in") ||
				  strstr(path, "linked") ||
				  !strcmp(path, "empty"));
}

/* The names with a space after each. */
static const char *joined(const struct name_list *list)
{
	char *text = arena_printf(&arena, "%s", "");

	for (size_t i = 0; i < list->nr; i++)
		text = arena_printf(&arena, "%s%s ", text, list->names[i]);
	return text;
}

static void test_open(void **state)
{
	struct archive other = { .base_fd = -1 };
	struct errmsg e = { "" };

	UNUSED(state);
	assert_int_equal(archive_open(&other, "/no/such/base", &e), ERR_IO);
	assert_non_null(strstr(e.text, "/no/such/base"));
	assert_int_equal(archive_open(&other, "/dev/null", &e), ERR_IO);
	archive_close(&other);
}

static void test_check_name(void **state)
{
	static const struct {
		const char *name;
		enum err err;
	} rows[] = {
		{ "main", ERR_OK },	     { "a b", ERR_OK },
		{ "a.b", ERR_OK },	     { "\xc3\xa9", ERR_OK },
		{ "...", ERR_FORBIDDEN },    { ".", ERR_FORBIDDEN },
		{ "..", ERR_FORBIDDEN },     { ".git", ERR_FORBIDDEN },
		{ "../main", ERR_FORBIDDEN }, { "", ERR_NOTFOUND },
		{ "/", ERR_NOTFOUND },	     { "a/b", ERR_NOTFOUND },
		{ "a/", ERR_NOTFOUND },	     { "/a", ERR_NOTFOUND },
		{ "a/../b", ERR_NOTFOUND },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errmsg e = { "" };

		print_message("# '%s': %s\n", rows[i].name,
			      err_name(rows[i].err));
		assert_int_equal(archive_check_name(rows[i].name, &e),
				 rows[i].err);
		assert_int_equal(e.text[0] != '\0', rows[i].err != ERR_OK);
	}
}

static void test_channels(void **state)
{
	struct name_list list;
	struct errmsg e;

	UNUSED(state);
	assert_int_equal(archive_channels(&archive, &arena, &list, &e),
			 ERR_OK);
	assert_string_equal(joined(&list), follows_links ?
						   "empty link-in main " :
						   "empty main ");
	assert_true(archive_has_channel(&archive, "main"));
	assert_int_equal(archive_has_channel(&archive, "link-in"),
			 follows_links);
	assert_false(archive_has_channel(&archive, "none"));
	assert_false(archive_has_channel(&archive, "file"));
	assert_false(archive_has_channel(&archive, "link-out"));
	assert_false(archive_has_channel(&archive, ".hidden"));
	assert_false(archive_has_channel(&archive, "."));
	assert_false(archive_has_channel(&archive, ".."));
	assert_false(archive_has_channel(&archive, ""));
	assert_false(archive_has_channel(&archive, "main/source"));
}

static void test_qualities(void **state)
{
	static const struct {
		const char *channel;
		enum err err;
		const char *names;
	} rows[] = {
		{ "main", ERR_OK, "chat none source " },
		{ "link-in", ERR_OK, "chat none source " },
		{ "empty", ERR_OK, "linked " },
		{ "nowhere", ERR_OK, "" },
		{ "file", ERR_OK, "" },
		{ "link-out", ERR_OK, "" },
		{ "link-absolute", ERR_OK, "" },
		{ "link-none", ERR_OK, "" },
		{ ".hidden", ERR_FORBIDDEN, NULL },
		{ "..", ERR_FORBIDDEN, NULL },
		{ "", ERR_NOTFOUND, NULL },
		{ "main/source", ERR_NOTFOUND, NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct name_list list = { .nr = UNIT_UNTOUCHED };
		struct errmsg e;

		print_message("# '%s'\n", rows[i].channel);
		if (is_beyond_us(rows[i].channel))
			continue;
		assert_int_equal(archive_qualities(&archive, &arena,
						   rows[i].channel, &list, &e),
				 rows[i].err);
		if (rows[i].err)
			assert_int_equal(list.nr, UNIT_UNTOUCHED);
		else
			assert_string_equal(joined(&list), rows[i].names);
	}
}

static void test_hours(void **state)
{
	static const struct {
		const char *channel;
		const char *quality;
		enum err err;
		const char *names;
	} rows[] = {
		{ "main", "source", ERR_OK,
		  "2026-11-06T22 2026-11-07T00 2026-11-08 not-an-hour " },
		{ "empty", "linked", ERR_OK,
		  "2026-11-06T22 2026-11-07T00 2026-11-08 not-an-hour " },
		{ "main", "none", ERR_OK, "" },
		{ "main", "nowhere", ERR_OK, "" },
		{ "nowhere", "source", ERR_OK, "" },
		{ "link-out", "source", ERR_OK, "" },
		{ ".hidden", "source", ERR_FORBIDDEN, NULL },
		{ "main", ".secret", ERR_FORBIDDEN, NULL },
		{ "main", "..", ERR_FORBIDDEN, NULL },
		{ "main", "", ERR_NOTFOUND, NULL },
		{ "main", "a/b", ERR_NOTFOUND, NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct name_list list = { .nr = UNIT_UNTOUCHED };
		struct errmsg e;

		print_message("# '%s' '%s'\n", rows[i].channel,
			      rows[i].quality);
		if (is_beyond_us(rows[i].quality))
			continue;
		assert_int_equal(archive_hours(&archive, &arena,
					       rows[i].channel,
					       rows[i].quality, &list, &e),
				 rows[i].err);
		if (rows[i].err)
			assert_int_equal(list.nr, UNIT_UNTOUCHED);
		else
			assert_string_equal(joined(&list), rows[i].names);
	}
}

static void test_files(void **state)
{
	static const struct {
		const char *channel;
		const char *quality;
		const char *hour;
		bool tombstones;
		enum err err;
		const char *names;
	} rows[] = {
		{ "main", "source", UNIT_HOUR_NAME, false, ERR_OK,
		  FULL ".ts 00:00-chat.json 00:06-2-temp-d.ts "
		       "00:08-\xc3\xa9.json 00:14-2-full-h.ts odd.ts " },
		{ "main", "source", UNIT_HOUR_NAME, true, ERR_OK,
		  FULL ".ts 00:00-chat.json 00:02-2-full-b.tombstone "
		       "00:04-2-full-c.tombstone 00:06-2-temp-d.ts "
		       "00:08-\xc3\xa9.json 00:14-2-full-h.ts "
		       "alone.tombstone odd.ts " },
		{ "main", "source", "2026-11-06T22", false, ERR_OK, "" },
		{ "main", "source", "2026-11-09T00", false, ERR_OK, "" },
		{ "main", "source", "nowhere", true, ERR_OK, "" },
		{ "nowhere", "source", UNIT_HOUR_NAME, false, ERR_OK, "" },
		{ "link-out", "source", UNIT_HOUR_NAME, false, ERR_OK, "" },
		{ "main", "source", ".", false, ERR_FORBIDDEN, NULL },
		{ "main", "source", ".2026-11-07T01", false, ERR_FORBIDDEN,
		  NULL },
		{ "main", ".secret", "x", false, ERR_FORBIDDEN, NULL },
		{ "..", "source", "x", false, ERR_FORBIDDEN, NULL },
		{ "main", "source", "", false, ERR_NOTFOUND, NULL },
		{ "main", "source", "a/b", false, ERR_NOTFOUND, NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct name_list list = { .nr = UNIT_UNTOUCHED };
		struct errmsg e;

		print_message("# '%s' '%s' '%s'\n", rows[i].channel,
			      rows[i].quality, rows[i].hour);
		assert_int_equal(archive_files(&archive, &arena,
					       rows[i].channel,
					       rows[i].quality, rows[i].hour,
					       rows[i].tombstones, &list, &e),
				 rows[i].err);
		if (rows[i].err)
			assert_int_equal(list.nr, UNIT_UNTOUCHED);
		else
			assert_string_equal(joined(&list), rows[i].names);
	}
}

static void test_extras(void **state)
{
	struct name_list list;
	struct errmsg e;

	UNUSED(state);
	unit_write(unit_fd, "base/extras/b", "", 0);
	unit_write(unit_fd, "base/extras/a/z", "", 0);
	unit_write(unit_fd, "base/extras/a/y/x", "", 0);
	unit_write(unit_fd, "base/extras/a-b", "", 0);
	unit_write(unit_fd, "base/extras/.hidden/x", "", 0);
	unit_write(unit_fd, "base/extras/a/.hidden", "", 0);
	unit_mkdir(unit_fd, "base/extras/empty");
	assert_int_equal(symlinkat("../file", unit_fd,
				   "base/extras/link-file"),
			 0);
	assert_int_equal(symlinkat("a", unit_fd, "base/extras/link-dir"), 0);
	assert_int_equal(symlinkat(".", unit_fd, "base/extras/link-loop"), 0);
	assert_int_equal(symlinkat("../../out", unit_fd,
				   "base/extras/link-out"),
			 0);
	assert_int_equal(symlinkat("/etc/passwd", unit_fd,
				   "base/extras/link-passwd"),
			 0);
	assert_int_equal(mkfifoat(unit_fd, "base/extras/fifo", 0600), 0);
	assert_int_equal(archive_extras(&archive, &arena, "extras", &list, &e),
			 ERR_OK);
	assert_string_equal(joined(&list),
			    follows_links ? "a-b a/y/x a/z b link-file " :
					    "a-b a/y/x a/z b ");

	assert_int_equal(archive_extras(&archive, &arena, "nowhere", &list,
					&e),
			 ERR_OK);
	assert_int_equal(list.nr, 0);
	assert_int_equal(archive_extras(&archive, &arena, "link-out", &list,
					&e),
			 ERR_OK);
	assert_int_equal(list.nr, 0);

	/* A directory below a directory is one, too; a file is none. */
	assert_int_equal(archive_extras(&archive, &arena, "extras/a", &list,
					&e),
			 ERR_OK);
	assert_string_equal(joined(&list), "y/x z ");
	assert_int_equal(archive_extras(&archive, &arena, "extras/b", &list,
					&e),
			 ERR_OK);
	assert_int_equal(list.nr, 0);
	assert_int_equal(archive_extras(&archive, &arena, "extras/../a", &list,
					&e),
			 ERR_FORBIDDEN);

	list.nr = UNIT_UNTOUCHED;
	assert_int_equal(archive_extras(&archive, &arena, "extras/.hidden",
					&list, &e),
			 ERR_FORBIDDEN);
	assert_int_equal(archive_extras(&archive, &arena, "/extras", &list, &e),
			 ERR_NOTFOUND);
	assert_int_equal(archive_extras(&archive, &arena, ".hidden", &list,
					&e),
			 ERR_FORBIDDEN);
	assert_int_equal(archive_extras(&archive, &arena, "", &list, &e),
			 ERR_NOTFOUND);
	assert_int_equal(list.nr, UNIT_UNTOUCHED);
}

static void test_extras_depth(void **state)
{
	char path[256] = "base/deep";
	struct name_list list;
	struct errmsg e;

	UNUSED(state);
	for (int i = 0; i < ARCHIVE_MAX_DEPTH; i++)
		strcat(path, "/d");
	unit_mkdir(unit_fd, path);
	print_message("# %d deep\n", ARCHIVE_MAX_DEPTH);
	assert_int_equal(archive_extras(&archive, &arena, "deep", &list, &e),
			 ERR_OK);
	strcat(path, "/d");
	unit_mkdir(unit_fd, path);
	print_message("# one more\n");
	list.nr = UNIT_UNTOUCHED;
	assert_int_equal(archive_extras(&archive, &arena, "deep", &list, &e),
			 ERR_LIMIT);
	assert_int_equal(list.nr, UNIT_UNTOUCHED);
	assert_non_null(strstr(e.text, "16"));
}

/* Many directories take no more descriptors than few. */
static void test_extras_wide(void **state)
{
	struct rlimit old, few = { .rlim_cur = 64 };
	struct name_list list;
	struct errmsg e;
	char path[64];

	UNUSED(state);
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "base/wide/%03d/file", i);
		unit_make(unit_fd, path, 0);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(archive_extras(&archive, &arena, "wide", &list, &e),
			 ERR_OK);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(list.nr, 300);
	assert_string_equal(list.names[299], "299/file");
	arena_reset(&arena);
}

/* On a file system in memory: it is a hundred thousand files. */
static void test_extras_limit(void **state)
{
	struct archive other;
	struct name_list list;
	struct errmsg e;
	char name[32];
	char *path;
	int fd;

	UNUSED(state);
	if (access("/dev/shm", W_OK)) {
		print_message("# no /dev/shm\n");
		skip();
	}
	path = unit_new_dir("/dev/shm");
	fd = unit_open_dir(path);
	unit_mkdir(fd, "x/y");
	for (int i = 0; i < ARCHIVE_MAX_EXTRAS; i++) {
		snprintf(name, sizeof(name), "x/y/%d", i);
		if (linkat(fd, "x/y/0", fd, name, 0))
			close(openat(fd, name, O_WRONLY | O_CREAT, 0600));
	}
	assert_int_equal(archive_open(&other, path, &e), ERR_OK);
	print_message("# %d files\n", ARCHIVE_MAX_EXTRAS);
	assert_int_equal(archive_extras(&other, &arena, "x", &list, &e),
			 ERR_OK);
	assert_int_equal(list.nr, ARCHIVE_MAX_EXTRAS);
	print_message("# one more\n");
	unit_make(fd, "x/one-more", 0);
	list.nr = UNIT_UNTOUCHED;
	assert_int_equal(archive_extras(&other, &arena, "x", &list, &e),
			 ERR_LIMIT);
	assert_int_equal(list.nr, UNIT_UNTOUCHED);
	assert_non_null(strstr(e.text, "100000"));
	archive_close(&other);
	arena_reset(&arena);
	close(fd);
	unit_remove(path);
	free(path);
}

static void test_open_file(void **state)
{
	static const struct {
		const char *path;
		const char *text;	/* NULL: not to be had */
	} rows[] = {
		{ "main/source/" UNIT_HOUR_NAME "/" FULL ".ts", "good" },
		{ "link-in/source/" UNIT_HOUR_NAME "/" FULL ".ts", "good" },
		{ "empty/linked/" UNIT_HOUR_NAME "/" FULL ".ts", "good" },
		{ "main/source/" UNIT_HOUR_NAME "/odd.ts", "odd" },
		{ "main/source/" UNIT_HOUR_NAME "/00:00-chat.json", "[]" },
		{ "file", "" },
		{ "", NULL },
		{ "/", NULL },
		{ "main", NULL },
		{ "main/", NULL },
		{ "nowhere", NULL },
		{ "file/", NULL },
		{ "file/x", NULL },
		{ "/etc/passwd", NULL },
		{ "../out/source/" UNIT_HOUR_NAME "/" FULL ".ts", NULL },
		{ "main/../file", NULL },
		{ "link-out/source/" UNIT_HOUR_NAME "/" FULL ".ts", NULL },
		{ "link-absolute/source/" UNIT_HOUR_NAME "/" FULL ".ts",
		  NULL },
		{ "link-none", NULL },
		{ ".hidden/source", NULL },
		{ "./file", NULL },
		{ "main/./source/" UNIT_HOUR_NAME "/odd.ts", NULL },
		{ "main/source/" UNIT_HOUR_NAME "/.00:08-2-full-e.ts", NULL },
		/* withdrawn */
		{ "main/source/" UNIT_HOUR_NAME "/00:02-2-full-b.ts", NULL },
		{ "main/source/" UNIT_HOUR_NAME "//00:02-2-full-b.ts", NULL },
		{ "main/source/" UNIT_HOUR_NAME "/00:02-2-full-b.ts/", NULL },
		{ "link-in/source/" UNIT_HOUR_NAME "/00:02-2-full-b.ts",
		  NULL },
		{ "main/source/" UNIT_HOUR_NAME "/00:04-2-full-c.ts", NULL },
		/* being written */
		{ "main/source/" UNIT_HOUR_NAME "/00:06-2-temp-d.ts", NULL },
		/* no regular files */
		{ "main/source/" UNIT_HOUR_NAME "/00:10-2-full-f.ts", NULL },
		{ "main/source/" UNIT_HOUR_NAME "/00:12-2-full-g.ts", NULL },
		{ "main/source/" UNIT_HOUR_NAME "/00:14-2-full-h.ts", NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stat st = { .st_size = UNIT_UNTOUCHED };
		struct errmsg e = { "" };
		int fd = -2;
		enum err err;

		print_message("# '%s'\n", rows[i].path);
		if (is_beyond_us(rows[i].path))
			continue;
		err = archive_open_file(&archive, rows[i].path, &fd, &st, &e);
		assert_int_equal(err, rows[i].text ? ERR_OK : ERR_NOTFOUND);
		if (rows[i].text) {
			char text[16] = "";

			assert_int_equal(st.st_size, strlen(rows[i].text));
			assert_int_equal(read(fd, text, sizeof(text)),
					 st.st_size);
			assert_string_equal(text, rows[i].text);
			close(fd);
		} else {
			assert_int_equal(fd, -2);
			assert_int_equal(st.st_size, UNIT_UNTOUCHED);
			assert_null(strstr(e.text, unit_dir));
		}
	}
}

static void test_open_file_long_path(void **state)
{
	struct stat st;
	struct errmsg e;
	char path[6000];
	int fd = -2;

	UNUSED(state);
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 200 == 199 ? '/' : 'x';
	for (size_t len = 4000; len < sizeof(path); len += 7) {
		char saved[4];

		memcpy(saved, path + len - 4, 4);
		memcpy(path + len - 4, ".ts", 4);
		assert_int_equal(archive_open_file(&archive, path, &fd, &st,
						   &e),
				 ERR_NOTFOUND);
		memcpy(path + len - 4, saved, 4);
	}
	assert_int_equal(fd, -2);
}

static void test_quality(void **state)
{
	static const struct {
		const char *channel;
		const char *quality;
		enum err err;
	} rows[] = {
		{ "main", "source", ERR_OK },
		{ "main", "none", ERR_OK },
		{ "link-in", "source", ERR_OK },
		{ "empty", "linked", ERR_OK },
		{ "main", "nowhere", ERR_NOTFOUND },
		{ "nowhere", "source", ERR_NOTFOUND },
		{ "file", "source", ERR_NOTFOUND },
		{ "link-out", "source", ERR_NOTFOUND },
		{ "main", "", ERR_NOTFOUND },
		{ "main", "source/" UNIT_HOUR_NAME, ERR_NOTFOUND },
		{ "main", ".", ERR_FORBIDDEN },
		{ "main", ".secret", ERR_FORBIDDEN },
		{ "..", "source", ERR_FORBIDDEN },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct quality *q = NULL;
		struct errmsg e = { "" };

		print_message("# '%s' '%s'\n", rows[i].channel,
			      rows[i].quality);
		if (is_beyond_us(rows[i].quality) ||
		    is_beyond_us(rows[i].channel))
			continue;
		assert_int_equal(archive_quality(&archive, &arena,
						 rows[i].channel,
						 rows[i].quality, &q, &e),
				 rows[i].err);
		assert_int_equal(q != NULL, rows[i].err == ERR_OK);
		if (!q)
			continue;
		assert_string_equal(q->channel, rows[i].channel);
		assert_string_equal(q->name, rows[i].quality);
		assert_true(fcntl(q->fd, F_GETFD) & FD_CLOEXEC);
	}
}

/* An hour may be a link to elsewhere in BASE, but not out of it. */
static void test_quality_open(void **state)
{
	static const struct {
		const char *rel;
		bool opens;
		bool by_link;
	} rows[] = {
		{ ".", true, false },
		{ UNIT_HOUR_NAME, true, false },
		{ UNIT_HOUR_NAME "/" FULL ".ts", true, false },
		{ "2020-01-01T00", true, true },
		{ "2020-01-01T00/" FULL ".ts", true, true },
		{ "2020-01-01T01", false, true },
		{ "2020-01-01T01/" FULL ".ts", false, true },
		{ "2020-01-01T02", false, true },
		{ "nowhere", false, false },
		{ "../../..", false, false },
		{ "", false, false },
	};
	struct quality *q;
	struct errmsg e;

	UNUSED(state);
	unit_mkdir(unit_fd, "base/main/links/" UNIT_HOUR_NAME);
	unit_write(unit_fd,
		   "base/main/links/" UNIT_HOUR_NAME "/" FULL ".ts", "", 0);
	assert_int_equal(symlinkat("../source/" UNIT_HOUR_NAME, unit_fd,
				   "base/main/links/2020-01-01T00"),
			 0);
	assert_int_equal(symlinkat("../../../out/source/" UNIT_HOUR_NAME,
				   unit_fd, "base/main/links/2020-01-01T01"),
			 0);
	assert_int_equal(symlinkat("/tmp", unit_fd,
				   "base/main/links/2020-01-01T02"),
			 0);
	assert_int_equal(archive_quality(&archive, &arena, "main", "links", &q,
					 &e),
			 ERR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd;

		print_message("# '%s'\n", rows[i].rel);
		if (rows[i].by_link && !follows_links)
			continue;
		fd = quality_open(q, rows[i].rel, O_RDONLY);
		assert_int_equal(fd >= 0, rows[i].opens);
		if (fd >= 0)
			close(fd);
	}
}

static void test_hour_span(void **state)
{
	struct quality *q;
	struct errmsg e;
	usec_t first = UNIT_UNTOUCHED;
	usec_t end = UNIT_UNTOUCHED;

	UNUSED(state);
	assert_int_equal(archive_quality(&archive, &arena, "main", "none", &q,
					 &e),
			 ERR_OK);
	assert_int_equal(archive_hour_span(q, &first, &end, &e), ERR_NOTFOUND);
	assert_int_equal(first, UNIT_UNTOUCHED);
	assert_int_equal(end, UNIT_UNTOUCHED);
	assert_int_equal(archive_quality(&archive, &arena, "main", "source",
					 &q, &e),
			 ERR_OK);
	assert_int_equal(archive_hour_span(q, &first, &end, &e), ERR_OK);
	assert_int_equal(first, UNIT_HOUR - 2 * USEC_PER_HOUR);
	assert_int_equal(end, UNIT_HOUR + USEC_PER_HOUR);

	print_message("# a quality deleted while it is held\n");
	unit_mkdir(unit_fd, "base/main/short/" UNIT_HOUR_NAME);
	assert_int_equal(archive_quality(&archive, &arena, "main", "short",
					 &q, &e),
			 ERR_OK);
	assert_int_equal(archive_hour_span(q, &first, &end, &e), ERR_OK);
	assert_int_equal(unlinkat(unit_fd, "base/main/short/" UNIT_HOUR_NAME,
				  AT_REMOVEDIR),
			 0);
	assert_int_equal(unlinkat(unit_fd, "base/main/short", AT_REMOVEDIR),
			 0);
	assert_int_equal(archive_hour_span(q, &first, &end, &e), ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_check_name),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_qualities),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_extras),
		cmocka_unit_test(test_extras_depth),
		cmocka_unit_test(test_extras_wide),
		cmocka_unit_test(test_extras_limit),
		cmocka_unit_test(test_open_file),
		cmocka_unit_test(test_open_file_long_path),
		cmocka_unit_test(test_quality),
		cmocka_unit_test(test_quality_open),
		cmocka_unit_test(test_hour_span),
	};

	return cmocka_run_group_tests(tests, make_archive, remove_archive);
}
