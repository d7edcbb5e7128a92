/*
 * test_chat.c - the merge of chat, by what must be true of it whatever the
 * files: random archives of several receivers who each miss something, of equal
 * messages close to each other, with merged files among those they were made
 * of, and the same file under several names.
 */
#include "config.h"

#include "archive/chat.h"

#include "archive/chatprint.h"
#include "base/text.h"
#include "inarena.h"

#define SEEDS	     150
#define MAX_FILES    64
#define MAX_TRUE     40
#define MAX_NODES    4
#define FIRST_SECOND 1794009600.0 /* UNIT_HOUR */

/* Files of chat, in memory. */
struct set {
	char *files[MAX_FILES];
	size_t nr;
};

static uint64_t seed;

static uint64_t below(uint64_t n)
{
	return unit_random(&seed) % n;
}

static double fraction(void)
{
	return (double)(unit_random(&seed) >> 11) / 9007199254740992.0;
}

static void add(struct set *set, const char *file)
{
	assert_true(set->nr < MAX_FILES);
	set->files[set->nr++] = arena_strndup(&arena, file, strlen(file));
}

/* The archive becomes these files, in an order that their names make up. */
static void write_set(const struct set *set)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/base/c/chat", unit_dir);
	unit_remove(path);
	unit_mkdir(unit_fd, "base/c/chat/" UNIT_HOUR_NAME);
	for (size_t i = 0; i < set->nr; i++) {
		snprintf(path, sizeof(path),
			 "base/c/chat/" UNIT_HOUR_NAME
			 "/%02d:%02d-%016llx.json",
			 (int)below(10), (int)below(60),
			 (unsigned long long)unit_random(&seed));
		unit_write(unit_fd, path, set->files[i], strlen(set->files[i]));
	}
}

static struct chat_stats stats;
static uint64_t hash[2];

/* A range of them, opened in an archive that is to be closed. */
static struct chat *open_chat(struct archive *archive, usec_t start_us,
			      usec_t end_us)
{
	struct chat_source source = { .start_us = start_us, .end_us = end_us };
	struct errmsg e = { "" };
	struct quality *quality;
	struct chat *chat;
	char path[128];

	snprintf(path, sizeof(path), "%s/base", unit_dir);
	assert_int_equal(archive_open(archive, path, &e), ERR_OK);
	assert_int_equal(
		archive_quality(archive, &arena, "c", "chat", &quality, &e),
		ERR_OK);
	source.quality = quality;
	assert_int_equal(chat_open(&source, &arena, &chat, &e), ERR_OK);
	return chat;
}

/* Why the range of all is refused. */
static const char *refused(void)
{
	struct errmsg e = { "" };
	struct archive archive;
	struct chat *chat =
		open_chat(&archive, UNIT_HOUR, UNIT_HOUR + USEC_PER_HOUR);

	assert_int_equal(chat_read(chat, 1, &e), ERR_LIMIT);
	archive_close(&archive);
	return arena_strndup(&arena, e.text, strlen(e.text));
}

/* The answer to a range of them. */
static char *ask(usec_t start_us, usec_t end_us, int nr_threads)
{
	struct errmsg e = { "" };
	struct archive archive;
	struct chat *chat = open_chat(&archive, start_us, end_us);
	char *answer;
	size_t at = 0;

	assert_int_equal(chat_read(chat, nr_threads, &e), ERR_OK);
	answer = arena_alloc(&arena, chat->length + 1);
	for (int i = 0; i < chat->nr_iov; i++) {
		memcpy(answer + at, chat->iov[i].iov_base,
		       chat->iov[i].iov_len);
		at += chat->iov[i].iov_len;
	}
	assert_int_equal(at, chat->length);
	stats = chat->stats;
	memcpy(hash, chat->hash, sizeof(hash));
	archive_close(&archive);
	return answer;
}

static char *merged(const struct set *set)
{
	write_set(set);
	return ask(UNIT_HOUR, UNIT_HOUR + USEC_PER_HOUR, 1 + (int)below(3));
}

/* An answer as a file: without what makes it a list. */
static char *as_file(const char *answer)
{
	char *file = arena_strndup(&arena, answer + 1, strlen(answer + 1));
	char *end = strrchr(file, ']');
	char *to = file;

	*end = '\0';
	for (const char *p = file; *p; p++)
		if (strncmp(p, "},\n", 3) != 0)
			*to++ = *p;
		else
			*to++ = *p++;
	*to = '\0';
	return file;
}

static char *merged_file(const struct set *set)
{
	return as_file(merged(set));
}

/* What happened, and who saw it */

struct reception {
	bool is_there;
	double time;
	double range;
	double received;
};

struct truth {
	char kind[200]; /* up to where the receivers are */
	double instant;
	struct reception seen[MAX_NODES];
};

struct world {
	struct truth truths[MAX_TRUE];
	size_t nr;
	int nr_nodes;
};

/* Equal messages are apart seconds from each other; width is of ranges. */
static void make_world(struct world *w, int nr_kinds, double apart,
		       double width)
{
	w->nr = 1 + below(MAX_TRUE);
	w->nr_nodes = 1 + (int)below(MAX_NODES);
	for (size_t i = 0; i < w->nr; i++) {
		struct truth *t = &w->truths[i];
		size_t kind = below((uint64_t)nr_kinds);

		if (kind % 2)
			snprintf(t->kind, sizeof(t->kind),
				 "{\"command\":\"PRIVMSG\",\"tags\":{\"id\":"
				 "\"%zu\"}",
				 i);
		else
			snprintf(t->kind, sizeof(t->kind),
				 "{\"command\":\"JOIN\",\"tags\":null,"
				 "\"user\":\"%zu\"",
				 kind);
		t->instant =
			FIRST_SECOND + 60 +
			(double)i * apart * (apart > width ? 1 : fraction());
		for (int n = 0; n < w->nr_nodes; n++) {
			struct reception *r = &t->seen[n];
			double before = fraction() * width;

			r->is_there = below(5) != 0;
			r->time = t->instant - before;
			r->range = before + fraction() * (width - before);
			r->received = t->instant + fraction() + 0.25 * n;
		}
	}
}

static void put_line(struct text *out, const char *kind, const char *receivers,
		     double time, double range)
{
	char numbers[2][CHAT_NUMBER_SIZE];

	chat_print_number(time, numbers[0]);
	chat_print_number(range, numbers[1]);
	text_printf(out, "%s,\"receivers\":{%s},\"time\":%s,\"time_range\":%s}",
		    kind, receivers, numbers[0], numbers[1]);
}

static const char *receiver(int node, double received)
{
	char number[CHAT_NUMBER_SIZE];

	chat_print_number(received, number);
	return arena_printf(&arena, "\"node%d\":%s", node, number);
}

/* What one node wrote of a world. */
static char *file_of(const struct world *w, int node)
{
	struct text *out = text_new(&arena, 1 << 20);

	text_puts(out, "");
	for (size_t i = 0; i < w->nr; i++) {
		const struct truth *t = &w->truths[i];
		const struct reception *r = &t->seen[node];

		if (!r->is_there)
			continue;
		put_line(out, t->kind, receiver(node, r->received), r->time,
			 r->range);
		text_putc(out, '\n');
	}
	return out->data;
}

static void files_of(const struct world *w, struct set *set)
{
	set->nr = 0;
	for (int n = 0; n < w->nr_nodes; n++)
		add(set, file_of(w, n));
}

static void shuffle(struct set *set)
{
	for (size_t i = set->nr; i > 1; i--) {
		size_t k = below(i);
		char *file = set->files[k];

		set->files[k] = set->files[i - 1];
		set->files[i - 1] = file;
	}
}

/* The files, and merges of some of them, and some twice. */
static void mix(const struct set *from, struct set *to)
{
	*to = *from;
	for (size_t n = 1 + below(4); n; n--) {
		struct set some = { .nr = 0 };

		for (size_t i = 0; i < to->nr; i++)
			if (below(2))
				add(&some, to->files[i]);
		add(to,
		    below(4) || !some.nr ? merged_file(&some) : some.files[0]);
	}
	shuffle(to);
}

/* Properties */

static void test_set(void **state)
{
	UNUSED(state);
	for (seed = 1; seed <= SEEDS; seed++) {
		uint64_t was = seed;
		struct world world;
		struct set files, more;
		const char *answer, *again;

		make_world(&world, 4, 2, 5);
		files_of(&world, &files);
		if (was % 2) {
			mix(&files, &more);
			files = more;
		}
		answer = merged(&files);
		more = files;
		shuffle(&more);
		add(&more, files.files[below(files.nr)]);
		add(&more, files.files[below(files.nr)]);
		again = merged(&more);
		if (strcmp(answer, again) != 0)
			print_message("# seed %d\n", (int)was);
		assert_string_equal(answer, again);
		seed = was;
		arena_reset(&arena);
	}
}

static void test_merged_again(void **state)
{
	UNUSED(state);
	for (seed = 1; seed <= SEEDS; seed++) {
		uint64_t was = seed;
		struct world world;
		struct set files, more;
		const char *answer;

		make_world(&world, 4, 2, 5);
		files_of(&world, &files);
		if (was % 2) {
			mix(&files, &more);
			files = more;
		}
		answer = merged(&files);
		add(&files, as_file(answer));
		print_message("# seed %d\n", (int)was);
		assert_string_equal(merged(&files), answer);
		files = (struct set){ .nr = 0 };
		add(&files, as_file(answer));
		assert_string_equal(merged(&files), answer);
		seed = was;
		arena_reset(&arena);
	}
}

/* Each reception is answered once, in whatever way files were merged. */
static void test_nothing_lost(void **state)
{
	UNUSED(state);
	for (seed = 1; seed <= SEEDS; seed++) {
		uint64_t was = seed;
		struct world world;
		struct set files, more;
		const char *answer;
		size_t nr = 0;

		make_world(&world, 3, 1, 8);
		files_of(&world, &files);
		mix(&files, &more);
		mix(&more, &files);
		answer = merged(&files);
		print_message("# seed %d\n", (int)was);
		for (size_t i = 0; i < world.nr; i++)
			for (int n = 0; n < world.nr_nodes; n++) {
				const struct reception *r =
					&world.truths[i].seen[n];

				nr += r->is_there;
				assert_int_equal(
					unit_count(answer,
						   receiver(n, r->received)),
					r->is_there);
			}
		assert_int_equal(unit_count(answer, "\"node"), nr);
		seed = was;
		arena_reset(&arena);
	}
}

/* What the generator knows, in any order. */
static char *true_line(const struct world *w, const struct truth *t)
{
	struct text *out = text_new(&arena, 10000);
	const char *receivers = "";
	double time = 0, end = 0, range = 0;
	int nr = 0;

	for (int n = 0; n < w->nr_nodes; n++) {
		const struct reception *r = &t->seen[n];

		if (!r->is_there)
			continue;
		time = !nr || r->time > time ? r->time : time;
		end = !nr || r->time + r->range < end ? r->time + r->range :
							end;
		range = nr ? end - time : r->range;
		receivers =
			arena_printf(&arena, "%s%s%s", receivers, nr ? "," : "",
				     receiver(n, r->received));
		nr++;
	}
	if (nr > 1)
		range = end - time;
	if (nr)
		put_line(out, t->kind, receivers, time, range);
	return nr ? out->data : NULL;
}

static void check_truth(const struct world *w, const char *answer)
{
	size_t length = 3; /* "[" and "]\n" */
	size_t nr = 0;

	for (size_t i = 0; i < w->nr; i++) {
		const char *line = true_line(w, &w->truths[i]);

		if (!line)
			continue;
		if (!strstr(answer, line))
			print_message("# missing: %s\n", line);
		assert_non_null(strstr(answer, line));
		length += strlen(line) + 2;
		nr++;
	}
	assert_int_equal(strlen(answer), nr ? length - 2 : 3);
}

/* Equal messages are further apart than their ranges. */
static void test_truth(void **state)
{
	UNUSED(state);
	for (seed = 1; seed <= SEEDS; seed++) {
		uint64_t was = seed;
		struct world world;
		struct set files, more, first = { .nr = 0 }, rest = { .nr = 0 };
		const char *answer;

		make_world(&world, 3, 5, 2);
		files_of(&world, &files);
		answer = merged(&files);
		print_message("# seed %d\n", (int)was);
		check_truth(&world, answer);
		mix(&files, &more);
		assert_string_equal(merged(&more), answer);
		for (size_t i = 0; i < files.nr; i++)
			add(i < files.nr / 2 ? &first : &rest, files.files[i]);
		add(&rest, merged_file(&first));
		assert_string_equal(merged(&rest), answer);
		seed = was;
		arena_reset(&arena);
	}
}

/* By hand */

static const struct {
	const char *what;
	const char *files[4];
	const char *answer;
	size_t nr_conflicts;
	size_t nr_ignored;
} cases[] = {
	{ "nothing", { "" }, "[]\n", 0, 0 },
	{ "absent receivers and time_range; no fields at all",
	  { "{\"time\":1794009600}\n" },
	  "[{\"receivers\":{},\"time\":1794009600.0,\"time_range\":0.0}]\n",
	  0,
	  0 },
	{ "names are sorted, at every depth; escapes are read",
	  { "{\"z\":[{\"b\":1,\"a\":\"\\u2603\\/\"}],\"time\":1794009600,"
	    "\"a\":1.50}",
	    "{\"time\":1794009600,\"a\":1.50,\"z\":[{\"a\":\"\xe2\x98\x83/\","
	    "\"b\":1}]}" },
	  "[{\"a\":1.50,\"z\":[{\"a\":\"\xe2\x98\x83/\",\"b\":1}],"
	  "\"receivers\":{},\"time\":1794009600.0,\"time_range\":0.0}]\n",
	  0,
	  0 },
	{ "two of one file are two",
	  { "{\"time\":1794009600,\"time_range\":9,\"receivers\":{\"a\":1}}\n"
	    "{\"time\":1794009601,\"time_range\":9,\"receivers\":{\"b\":2}}" },
	  "[{\"receivers\":{\"a\":1.0},\"time\":1794009600.0,\"time_range\":"
	  "9.0},\n{\"receivers\":{\"b\":2.0},\"time\":1794009601.0,"
	  "\"time_range\":9.0}]\n",
	  0,
	  0 },
	{ "two of one receiver are two",
	  { "{\"time\":1794009600,\"time_range\":9,\"receivers\":{\"a\":1}}",
	    "{\"time\":1794009601,\"time_range\":9,\"receivers\":{\"a\":2}}" },
	  "[{\"receivers\":{\"a\":1.0},\"time\":1794009600.0,\"time_range\":"
	  "9.0},\n{\"receivers\":{\"a\":2.0},\"time\":1794009601.0,"
	  "\"time_range\":9.0}]\n",
	  0,
	  0 },
	{ "two at one time of one receiver are two, also where they are twice",
	  { "{\"time\":1794009600,\"receivers\":{\"a\":1}}\n"
	    "{\"time\":1794009600,\"receivers\":{\"a\":1}}",
	    "{\"time\":1794009600,\"receivers\":{\"a\":1}}\n"
	    "{\"time\":1794009600,\"receivers\":{\"a\":1}}\n" },
	  "[{\"receivers\":{\"a\":1.0},\"time\":1794009600.0,\"time_range\":"
	  "0.0},\n{\"receivers\":{\"a\":1.0},\"time\":1794009600.0,"
	  "\"time_range\":0.0}]\n",
	  0,
	  0 },
	{ "of one id the earlier time is kept, and touching is enough",
	  { "{\"tags\":{\"id\":\"x\"},\"time\":1794009600,\"time_range\":1,"
	    "\"receivers\":{\"a\":2}}\n{\"tags\":{\"id\":\"x\"},\"time\":"
	    "1794009601,\"time_range\":1,\"receivers\":{\"a\":1,\"b\":3}}" },
	  "[{\"tags\":{\"id\":\"x\"},\"receivers\":{\"a\":1.0,\"b\":3.0},"
	  "\"time\":1794009601.0,\"time_range\":0.0}]\n",
	  0,
	  0 },
	{ "of one id but apart, or another text: all are kept, and counted",
	  { "{\"tags\":{\"id\":\"x\"},\"time\":1794009600,\"t\":1}\n"
	    "{\"tags\":{\"id\":\"x\"},\"time\":1794009601,\"t\":1}\n"
	    "{\"tags\":{\"id\":\"x\"},\"time\":1794009602,\"t\":2}\n"
	    "{\"tags\":{\"id\":\"\"},\"time\":1794009603,\"t\":2}\n"
	    "{\"tags\":{\"id\":\"\"},\"time\":1794009604,\"t\":3}\n" },
	  "[{\"t\":1,\"tags\":{\"id\":\"x\"},\"receivers\":{},\"time\":"
	  "1794009600.0,\"time_range\":0.0},\n{\"t\":1,\"tags\":{\"id\":\"x\"},"
	  "\"receivers\":{},\"time\":1794009601.0,\"time_range\":0.0},\n"
	  "{\"t\":2,\"tags\":{\"id\":\"x\"},\"receivers\":{},\"time\":"
	  "1794009602.0,\"time_range\":0.0},\n{\"t\":2,\"tags\":{\"id\":\"\"},"
	  "\"receivers\":{},\"time\":1794009603.0,\"time_range\":0.0},\n"
	  "{\"t\":3,\"tags\":{\"id\":\"\"},\"receivers\":{},\"time\":"
	  "1794009604.0,\"time_range\":0.0}]\n",
	  2,
	  0 },
	{ "a file of which one line is none is ignored as a whole",
	  { "{\"time\":1794009600,\"t\":1}\n",
	    "{\"time\":1794009600,\"t\":2}\n{\"time\":17940" },
	  "[{\"t\":1,\"receivers\":{},\"time\":1794009600.0,\"time_range\":"
	  "0.0}]\n",
	  0,
	  1 },
};

static void test_cases(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct set set = { .nr = 0 };

		for (size_t k = 0; k < 4 && cases[i].files[k]; k++)
			add(&set, cases[i].files[k]);
		print_message("# %s\n", cases[i].what);
		assert_string_equal(merged(&set), cases[i].answer);
		assert_int_equal(stats.nr_conflicts, cases[i].nr_conflicts);
		assert_int_equal(stats.nr_files_ignored, cases[i].nr_ignored);
		assert_int_equal(unit_logged("is ignored: line"),
				 cases[i].nr_ignored);
	}
}

/* [time, time + range] against [start, end). */
static void test_range(void **state)
{
	struct set set = { .nr = 0 };
	static const struct {
		usec_t start_us, end_us;
		unsigned nr;
	} ranges[] = {
		{ 0, 10, 2 },  { 0, 9, 2 },    { 0, 8, 1 },
		{ 5, 8, 1 },   { 6, 8, 0 },    { 11, 12, 1 },
		{ 12, 13, 0 }, { -100, 1, 0 }, { -100, 2, 1 },
	};

	UNUSED(state);
	add(&set, "{\"time\":1794009601.5,\"time_range\":3.5}\n"
		  "{\"time\":1794009608.25,\"time_range\":2.75}\n");
	write_set(&(struct set){ .nr = 0 });
	unit_write(unit_fd, "base/c/chat/" UNIT_HOUR_NAME "/00:00-a.json",
		   set.files[0], strlen(set.files[0]));
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		print_message("# %lld to %lld\n", (long long)ranges[i].start_us,
			      (long long)ranges[i].end_us);
		assert_int_equal(
			unit_count(
				ask(UNIT_HOUR +
					    ranges[i].start_us * USEC_PER_SEC,
				    UNIT_HOUR + ranges[i].end_us * USEC_PER_SEC,
				    1),
				"\"time\":"),
			ranges[i].nr);
	}
}

/* A flood: were each compared with each, this would take minutes. */
static void test_flood(void **state)
{
	struct set set = { .nr = 0 };
	const unsigned nr = 30000;
	const char *answer;

	UNUSED(state);
	for (int node = 0; node < 3; node++) {
		struct text *out = text_new(&arena, 1 << 24);

		for (unsigned i = 0; i < nr; i++)
			text_printf(out,
				    "{\"c\":\"JOIN\",\"receivers\":{\"%d\":%u."
				    "%d},\"time\":1794009600.%06u,"
				    "\"time_range\":100}\n",
				    node, 1794009600 + i, node, i);
		add(&set, out->data);
	}
	answer = merged(&set);
	assert_int_equal(unit_count(answer, "\"time\":"), nr);
	assert_int_equal(unit_count(answer, "\"0\":"), nr);
	assert_int_equal(unit_count(answer, "\"2\":"), nr);
	assert_non_null(strstr(answer, "{\"0\":1794009607.0,\"1\":1794009607.1,"
				       "\"2\":1794009607.2}"));
}

/* In one file no two can be one: its messages are not tried with each other. */
static void test_flood_of_one_file(void **state)
{
	struct set set = { .nr = 0 };
	const unsigned nr = 55000;
	struct text *out = text_new(&arena, 1 << 24);
	const char *answer;

	UNUSED(state);
	for (unsigned i = 0; i < nr; i++)
		text_printf(out,
			    "{\"receivers\":{\"r%u\":%u},\"time\":1794009600,"
			    "\"time_range\":500.%05u}\n",
			    i % 4000, 1794009600 + i, i);
	add(&set, out->data);
	/* Which fits the first, and is tried with each. */
	add(&set, "{\"receivers\":{\"z\":1},\"time\":1794009600,"
		  "\"time_range\":900}\n");
	answer = merged(&set);
	assert_int_equal(unit_count(answer, "\"time\":"), nr);
	assert_non_null(strstr(answer, "{\"r0\":1794009600.0,\"z\":1.0}"));
	arena_reset(&arena);
}

/* Each message of the one file is tried with each of the other, for a while. */
static void test_flood_beyond_limit(void **state)
{
	struct set set = { .nr = 0 };
	const unsigned nr = 30000;

	UNUSED(state);
	for (int file = 0; file < 2; file++) {
		struct text *out = text_new(&arena, 1 << 24);

		for (unsigned i = 0; i < nr; i++)
			text_printf(out,
				    "{\"receivers\":{\"%u\":%u,\"x\":%d},"
				    "\"time\":1794009600,\"time_range\":"
				    "500.%05u}\n",
				    i % 2000 + 2000 * (unsigned)file, i / 2000,
				    file, i);
		add(&set, out->data);
	}
	write_set(&set);
	assert_string_equal(refused(), "the chat of this range has too many "
				       "equal messages; ask for a shorter one");
	arena_reset(&arena);
}

/* However many receivers it has: they are not those of the answer. */
static void test_nothing_of_bad_file(void **state)
{
	struct set set = { .nr = 0 };
	struct text *out = text_new(&arena, 1 << 20);

	UNUSED(state);
	for (unsigned i = 0; i < 100; i++) {
		text_puts(out, "{\"time\":1794009600,\"receivers\":{");
		for (unsigned k = 0; k < 50; k++)
			text_printf(out, "%s\"%u\":1", k ? "," : "",
				    50 * i + k);
		text_puts(out, "}}\n");
	}
	add(&set, "{\"time\":1794009600,\"receivers\":{\"z\":1,\"a\":2}}");
	add(&set, out->data);
	write_set(&set);
	assert_non_null(strstr(refused(), "more than 4096 receivers"));
	text_puts(out, "{\"time\":1");
	set.files[1] = out->data;
	assert_string_equal(merged(&set),
			    "[{\"receivers\":{\"a\":2.0,\"z\":1.0},\"time\":"
			    "1794009600.0,\"time_range\":0.0}]\n");
	assert_int_equal(stats.nr_files_ignored, 1);
	unit_logged("");
	arena_reset(&arena);
}

/* Who may read a file changes its ctime, and nothing else of it. */
static void test_hash(void **state)
{
	static const char path[] =
		"base/c/chat/" UNIT_HOUR_NAME "/00:00-a.json";
	uint64_t before[2];

	UNUSED(state);
	write_set(&(struct set){ .nr = 0 });
	unit_write(unit_fd, path, "{\"time\":1794009600}", 19);
	ask(UNIT_HOUR, UNIT_HOUR + USEC_PER_HOUR, 1);
	memcpy(before, hash, sizeof(before));
	ask(UNIT_HOUR, UNIT_HOUR + USEC_PER_HOUR, 1);
	assert_memory_equal(hash, before, sizeof(before));
	/* So that the clock of the file system has gone on. */
	usleep(20000);
	assert_int_equal(fchmodat(unit_fd, path, 0600, 0), 0);
	ask(UNIT_HOUR, UNIT_HOUR + USEC_PER_HOUR, 1);
	assert_memory_not_equal(hash, before, sizeof(before));
	arena_reset(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_merged_again),
		cmocka_unit_test(test_nothing_lost),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_flood_of_one_file),
		cmocka_unit_test(test_flood_beyond_limit),
		cmocka_unit_test(test_nothing_of_bad_file),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, begin_arena, end_arena);
}
