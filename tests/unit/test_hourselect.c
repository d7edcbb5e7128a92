/*
 * test_hourselect.c - every rule by which one file is preferred to another.
 */
#include "config.h"

#include "archive/hourselect.h"

#include "unit.h"

struct file {
	const char *name;
	off_t size;
};

/* Makes the files, in this order, in a directory of their own; opens it. */
static int make_hour(const struct file *files, size_t nr)
{
	static unsigned counter;
	char dir[32];
	int fd;

	snprintf(dir, sizeof(dir), "hour%u", counter++);
	unit_mkdir(unit_fd, dir);
	fd = openat(unit_fd, dir, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	for (size_t i = 0; i < nr; i++)
		unit_make(fd, files[i].name, files[i].size);
	return fd;
}

/* The chosen names with a space after each, by start. */
static void select_names(int fd, char *text, size_t size,
			 struct hour_selection *chosen_r)
{
	struct hour_selection chosen = { 0 };
	struct fs_list list = { 0 };
	struct errmsg e;
	size_t at = 0;

	text[0] = '\0';
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(hour_select(UNIT_HOUR, fd, &list, 1000, &chosen, &e),
			 ERR_OK);
	for (size_t i = 0; i < chosen.nr; i++) {
		at += (size_t)snprintf(text + at, size - at, "%s ",
				       chosen.best[i].file->name);
		if (i)
			assert_true(chosen.best[i - 1].seg.start_us <
				    chosen.best[i].seg.start_us);
	}
	*chosen_r = chosen;
	hour_selection_release(&chosen);
	chosen_r->best = NULL;
	chosen_r->rejects = NULL;
	fs_list_release(&list);
}

static const char *const why_names[] = {
	"not full", "not suspect", "shorter", "smaller", "lower hash",
	"later name", "deleted", "temp",
};
_Static_assert(ARRAY_SIZE(why_names) == HOUR_WHY_COUNT, "a reason too many");

/* What is not chosen, with the reasons, in the order of starts and names. */
static void test_reasons(void **state)
{
	static const struct {
		struct file files[6];
		const char *rejects;
	} rows[] = {
		{ { { "00:00-2-full-a.ts", 1 } }, "" },
		{ { { "00:00-1-full-a.ts", 1 }, { "00:00-2-suspect-b.ts", 9 },
		    { "00:00-2-partial-c.ts", 9 } },
		  "c not full, b not full, " },
		{ { { "00:00-2-suspect-b.ts", 1 },
		    { "00:00-2-partial-c.ts", 9 } },
		  "c not suspect, " },
		{ { { "00:00-1-full-a.ts", 9 }, { "00:00-2-full-b.ts", 1 } },
		  "a shorter, " },
		{ { { "00:00-2-full-a.ts", 9 }, { "00:00-2-full-b.ts", 1 } },
		  "b smaller, " },
		{ { { "00:00-2-partial-a.ts", 1 },
		    { "00:00-3-partial-b.ts", 9 } },
		  "a smaller, " },
		{ { { "00:00-2-full-a.ts", 5 }, { "00:00-2-full-b.ts", 5 } },
		  "a lower hash, " },
		{ { { "00:00-2-suspect-a.ts", 5 },
		    { "00:00-2-suspect-b.ts", 5 } },
		  "b later name, " },
		/* Each against the best, whoever else was better. */
		{ { { "00:00-1-full-a.ts", 9 }, { "00:00-2-full-b.ts", 5 },
		    { "00:00-2-full-c.ts", 5 }, { "00:00-2-full-d.ts", 1 },
		    { "00:00-2-partial-e.ts", 99 } },
		  "a shorter, b lower hash, d smaller, e not full, " },
		/* Candidates first; a temp one that is deleted is temp. */
		{ { { "00:00-2-full-a.ts", 1 }, { "00:00-2-full-a.tombstone", 0 },
		    { "00:00-2-temp-b.ts", 1 }, { "00:00-2-temp-b.tombstone", 0 },
		    { "00:00-2-full-c.ts", 1 }, { "00:00-2-suspect-d.ts", 1 } },
		  "d not full, a deleted, b temp, " },
		{ { { "00:02-2-temp-a.ts", 1 }, { "00:01-2-full-b.ts", 1 },
		    { "00:01-1-full-c.ts", 1 }, { "00:00-2-temp-d.ts", 1 } },
		  "d temp, c shorter, a temp, " },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hour_selection chosen = { 0 };
		struct fs_list list = { 0 };
		struct errmsg e;
		char text[256] = "";
		size_t nr = 0;
		int fd;

		while (nr < 6 && rows[i].files[nr].name)
			nr++;
		fd = make_hour(rows[i].files, nr);
		assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
		assert_int_equal(hour_select(UNIT_HOUR, fd, &list, 1000,
					     &chosen, &e),
				 ERR_OK);
		for (size_t k = 0; k < chosen.nr_rejects; k++) {
			const char *name = chosen.rejects[k].c.file->name;

			snprintf(text + strlen(text),
				 sizeof(text) - strlen(text), "%c %s, ",
				 strrchr(name, '.')[-1],
				 why_names[chosen.rejects[k].why]);
		}
		print_message("# %s\n", rows[i].rejects);
		assert_string_equal(text, rows[i].rejects);
		hour_selection_release(&chosen);
		fs_list_release(&list);
		close(fd);
	}
}

/* Of one start in one hour, many temp ones: no limit, but no list either. */
static void test_many_temps(void **state)
{
	static const struct file files[] = {
		{ "00:00-2-temp-a.ts", 1 }, { "00:00-2-temp-b.ts", 1 },
		{ "00:00-2-temp-c.ts", 1 }, { "00:00-2-full-d.ts", 1 },
	};
	struct hour_selection chosen = { 0 };
	struct fs_list list = { 0 };
	struct errmsg e;
	int fd = make_hour(files, ARRAY_SIZE(files));

	UNUSED(state);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(hour_select(UNIT_HOUR, fd, &list, 2, &chosen, &e),
			 ERR_OK);
	assert_int_equal(chosen.nr, 1);
	assert_int_equal(chosen.nr_rejects, 2);
	hour_selection_release(&chosen);
	fs_list_release(&list);
	close(fd);
}

/* Of two files with one start, the first of each row is to win. */
static void test_pairs(void **state)
{
	static const struct {
		const char *rule;
		struct file winner;
		struct file loser;
	} rows[] = {
		{ "full before suspect", { "00:00-1-full-a.ts", 1 },
		  { "00:00-2-suspect-b.ts", 9 } },
		{ "full before partial", { "00:00-1-full-a.ts", 1 },
		  { "00:00-9-partial-b.ts", 9 } },
		{ "suspect before partial", { "00:00-1-suspect-a.ts", 1 },
		  { "00:00-9-partial-b.ts", 9 } },
		{ "full: the longest", { "00:00-2.002-full-a.ts", 1 },
		  { "00:00-2.001999-full-b.ts", 9 } },
		{ "full: longer by value, not by text",
		  { "00:00-10-full-a.ts", 1 }, { "00:00-9-full-b.ts", 9 } },
		{ "full, equally long: the largest",
		  { "00:00-2-full-a.ts", 9 }, { "00:00-2-full-b.ts", 8 } },
		{ "full, equally long in other words: the largest",
		  { "00:00-2.0-full-a.ts", 9 }, { "00:00-2-full-b.ts", 8 } },
		{ "full, equally large: the highest hash",
		  { "00:00-2-full-b.ts", 5 }, { "00:00-2-full-a.ts", 5 } },
		{ "hashes as bytes: 'a' is over 'Z'",
		  { "00:00-2-full-a.ts", 5 }, { "00:00-2-full-Z.ts", 5 } },
		{ "hashes as bytes: '0' is over 'z'",
		  { "00:00-2-full-0.ts", 5 }, { "00:00-2-full-z.ts", 5 } },
		{ "hashes as bytes: '-' is over '9'",
		  { "00:00-2-full--.ts", 5 }, { "00:00-2-full-9.ts", 5 } },
		{ "hashes as bytes: '_' is over '-'",
		  { "00:00-2-full-_.ts", 5 }, { "00:00-2-full--.ts", 5 } },
		{ "hashes as bytes: a longer one over its beginning",
		  { "00:00-2-full-aA.ts", 5 }, { "00:00-2-full-a.ts", 5 } },
		{ "one hash, one size, one length: the first by name",
		  { "00:00-2-full-a.ts", 5 }, { "00:00-2.0-full-a.ts", 5 } },
		{ "one start in other words: still one start",
		  { "00:00.5-3-full-a.ts", 5 },
		  { "00:00.500-2-full-a.ts", 5 } },
		{ "suspect: the largest, not the longest",
		  { "00:00-1-suspect-a.ts", 9 },
		  { "00:00-2-suspect-b.ts", 8 } },
		{ "suspect, equally large: the first by name, not the hash",
		  { "00:00-1-suspect-z.ts", 5 },
		  { "00:00-2-suspect-a.ts", 5 } },
		{ "suspect, by name: '-' before 'a'",
		  { "00:00-2-suspect--.ts", 5 },
		  { "00:00-2-suspect-a.ts", 5 } },
		{ "partial: the largest", { "00:00-1-partial-a.ts", 9 },
		  { "00:00-2-partial-b.ts", 8 } },
		{ "partial, equally large: the first by name",
		  { "00:00-2-partial-a.ts", 0 },
		  { "00:00-2-partial-b.ts", 0 } },
		{ "temp is nothing", { "00:00-1-partial-a.ts", 1 },
		  { "00:00-9-temp-b.ts", 9 } },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int swapped = 0; swapped < 2; swapped++) {
			struct file files[2] = { rows[i].winner,
						 rows[i].loser };
			struct hour_selection chosen;
			char expected[64];
			char text[256];
			int fd;

			if (swapped) {
				files[0] = rows[i].loser;
				files[1] = rows[i].winner;
			}
			print_message("# %s\n", rows[i].rule);
			fd = make_hour(files, 2);
			select_names(fd, text, sizeof(text), &chosen);
			snprintf(expected, sizeof(expected), "%s ",
				 rows[i].winner.name);
			assert_string_equal(text, expected);
			assert_int_equal(chosen.nr_ignored, 0);
			close(fd);
		}
	}
}

static void test_tombstones(void **state)
{
	static const struct {
		const char *what;
		struct file files[4];
		const char *names;
	} rows[] = {
		{ "the winner is deleted",
		  { { "00:00-2-full-a.ts", 1 }, { "00:00-1-full-b.ts", 1 },
		    { "00:00-2-full-a.tombstone", 0 } },
		  "00:00-1-full-b.ts " },
		{ "all are deleted",
		  { { "00:00-2-full-a.ts", 1 },
		    { "00:00-2-full-a.tombstone", 0 } },
		  "" },
		{ "a tombstone with a longer stem",
		  { { "00:00-2-full-a.ts", 1 },
		    { "00:00-2-full-aa.tombstone", 0 } },
		  "00:00-2-full-a.ts " },
		{ "a tombstone with a shorter stem",
		  { { "00:00-2-full-aa.ts", 1 },
		    { "00:00-2-full-a.tombstone", 0 } },
		  "00:00-2-full-aa.ts " },
		{ "a tombstone of the whole name is not one",
		  { { "00:00-2-full-a.ts", 1 },
		    { "00:00-2-full-a.ts.tombstone", 0 } },
		  "00:00-2-full-a.ts " },
		{ "the same start in other words is another segment",
		  { { "00:00.0-2-full-a.ts", 1 },
		    { "00:00-2-full-a.tombstone", 0 } },
		  "00:00.0-2-full-a.ts " },
		{ "another case of letters is another segment",
		  { { "00:00-2-full-A.ts", 1 },
		    { "00:00-2-full-a.tombstone", 0 } },
		  "00:00-2-full-A.ts " },
		{ "hidden tombstones and nameless ones do nothing",
		  { { "00:00-2-full-a.ts", 1 },
		    { ".00:00-2-full-a.tombstone", 0 },
		    { ".tombstone", 0 } },
		  "00:00-2-full-a.ts " },
		{ "a tombstone alone",
		  { { "00:00-2-full-a.tombstone", 0 } },
		  "" },
		{ "between two others, in any order of bytes",
		  { { "00:00-2-full-b.ts", 1 },
		    { "00:00-2-full-b.tombstone", 0 },
		    { "00:00-2-full-b-.tombstone", 0 },
		    { "00:00-2-full-b0.tombstone", 0 } },
		  "" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hour_selection chosen;
		char text[256];
		size_t nr = 0;
		int fd;

		print_message("# %s\n", rows[i].what);
		while (nr < 4 && rows[i].files[nr].name)
			nr++;
		fd = make_hour(rows[i].files, nr);
		select_names(fd, text, sizeof(text), &chosen);
		assert_string_equal(text, rows[i].names);
		close(fd);
	}
}

static void test_ignored(void **state)
{
	static const struct file files[] = {
		{ "00:00-2-full-a.ts", 1 },   { "junk", 1 },
		{ "00:02-2-full-.ts", 1 },    { "60:00-2-full-a.ts", 1 },
		{ "00:00-chat.json", 1 },     { ".hidden", 1 },
		{ ".00:00-2-full-a.ts", 1 },  { "x.tombstone", 1 },
		{ "00:04-2-temp-a.ts", 1 },   { "00:06-2-full-a.ts~", 1 },
	};
	struct hour_selection chosen;
	char text[256];
	int fd = make_hour(files, ARRAY_SIZE(files));

	UNUSED(state);
	/* A directory is no segment, whatever it is called. */
	unit_mkdir(fd, "00:08-2-full-a.ts");
	/* Nor is a link that leads nowhere, or to no file; one to a file is. */
	assert_int_equal(symlinkat("nowhere", fd, "00:10-2-full-a.ts"), 0);
	assert_int_equal(symlinkat(".", fd, "00:12-2-full-a.ts"), 0);
	assert_int_equal(symlinkat("junk", fd, "00:14-2-full-a.ts"), 0);
	select_names(fd, text, sizeof(text), &chosen);
	assert_string_equal(text, "00:00-2-full-a.ts 00:14-2-full-a.ts ");
	assert_int_equal(chosen.nr_ignored, 8);
	assert_non_null(chosen.ignored);
	close(fd);
}

static void test_order_and_limit(void **state)
{
	struct hour_selection chosen = { .nr = UNIT_UNTOUCHED };
	struct fs_list list = { 0 };
	struct errmsg e = { "" };
	int fd = make_hour(NULL, 0);
	char name[64];

	UNUSED(state);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(hour_select(UNIT_HOUR, fd, &list, 0, &chosen, &e),
			 ERR_OK);
	assert_int_equal(chosen.nr, 0);
	hour_selection_release(&chosen);

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%02d:%02d-2-full-a.ts",
			 (i * 37) % 60, i % 60);
		unit_make(fd, name, 0);
	}
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	print_message("# at the limit\n");
	assert_int_equal(hour_select(UNIT_HOUR, fd, &list, list.nr, &chosen,
				     &e),
			 ERR_OK);
	assert_int_equal(chosen.nr, list.nr);
	/* Nothing was decided by size, so no file was looked at. */
	for (size_t i = 0; i < chosen.nr; i++) {
		assert_int_equal(chosen.best[i].size, -1);
		if (i)
			assert_true(chosen.best[i - 1].seg.start_us <
				    chosen.best[i].seg.start_us);
	}
	hour_selection_release(&chosen);
	print_message("# one over it\n");
	chosen.nr = UNIT_UNTOUCHED;
	assert_int_equal(hour_select(UNIT_HOUR, fd, &list, list.nr - 1,
				     &chosen, &e),
			 ERR_LIMIT);
	assert_int_equal(chosen.nr, UNIT_UNTOUCHED);
	assert_string_not_equal(e.text, "");
	fs_list_release(&list);
	close(fd);
}

static void test_vanished(void **state)
{
	static const struct file files[] = {
		{ "00:00-2-full-a.ts", 5 },
		{ "00:00-2-full-b.ts", 9 },
	};
	struct hour_selection chosen;
	struct fs_list list = { 0 };
	struct errmsg e;
	int fd = make_hour(files, ARRAY_SIZE(files));

	UNUSED(state);
	assert_int_equal(hour_file_size(fd, files[1].name), 9);
	assert_int_equal(fs_list_read(fd, &list, &e), ERR_OK);
	assert_int_equal(unlinkat(fd, files[1].name, 0), 0);
	assert_int_equal(hour_file_size(fd, files[1].name), 0);
	assert_int_equal(hour_select(UNIT_HOUR, fd, &list, 9, &chosen, &e),
			 ERR_OK);
	assert_int_equal(chosen.nr, 1);
	assert_string_equal(chosen.best[0].file->name, files[0].name);
	hour_selection_release(&chosen);
	fs_list_release(&list);
	close(fd);
}

/* The rules once more, as plainly as they can be written. */

struct plain {
	char name[64];
	int start;
	int length;
	int kind;
	int hash;
	int size;
	bool is_dead;
};

static bool plainly_better(const struct plain *a, const struct plain *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind;
	if (a->kind == SEGMENT_FULL && a->length != b->length)
		return a->length > b->length;
	if (a->size != b->size)
		return a->size > b->size;
	if (a->kind == SEGMENT_FULL && a->hash != b->hash)
		return a->hash > b->hash;
	return strcmp(a->name, b->name) < 0;
}

static void test_random_hours(void **state)
{
	static const char alphabet[] = "AZaz09-_";
	uint64_t seed = 7;

	UNUSED(state);
	for (int round = 0; round < 150; round++) {
		struct plain all[40];
		size_t nr = 0;
		char expected[4096] = "";
		char text[4096];
		struct hour_selection chosen;
		int fd = make_hour(NULL, 0);

		for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
			struct plain *p = &all[nr];
			char stone[80];

			p->start = (int)(unit_random(&seed) % 6);
			p->length = (int)(unit_random(&seed) % 2) + 2;
			p->kind = (int)(unit_random(&seed) % 4);
			p->hash = (int)(unit_random(&seed) % 8);
			p->size = (int)(unit_random(&seed) % 3);
			p->is_dead = unit_random(&seed) % 5 == 0;
			snprintf(p->name, sizeof(p->name),
				 "00:%02d-%d-%s-%c.ts", p->start, p->length,
				 segment_kind_names[p->kind],
				 alphabet[p->hash]);
			if (!faccessat(fd, p->name, F_OK, 0))
				continue;
			unit_make(fd, p->name, p->size);
			snprintf(stone, sizeof(stone), "%.*s.tombstone",
				 (int)strlen(p->name) - 3, p->name);
			if (p->is_dead)
				unit_make(fd, stone, 0);
			nr++;
		}
		for (int start = 0; start < 6; start++) {
			const struct plain *best = NULL;

			for (size_t i = 0; i < nr; i++)
				if (all[i].start == start && !all[i].is_dead &&
				    all[i].kind != SEGMENT_TEMP &&
				    (!best || plainly_better(&all[i], best)))
					best = &all[i];
			if (best) {
				strcat(expected, best->name);
				strcat(expected, " ");
			}
		}
		select_names(fd, text, sizeof(text), &chosen);
		assert_string_equal(text, expected);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_many_temps),
		cmocka_unit_test(test_tombstones),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_order_and_limit),
		cmocka_unit_test(test_vanished),
		cmocka_unit_test(test_random_hours),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
