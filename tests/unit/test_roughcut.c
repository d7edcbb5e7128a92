/*
 * test_roughcut.c - a rough cut is its segments, byte for byte, from any
 * offset; and what changes under it breaks it loudly.
 *
 * Linked with --wrap=quality_open, so that a segment can vanish just before the
 * plan looks at it.
 */
#include "config.h"

#include "media/roughcut.h"

#include "sequence.h"

#define SEC USEC_PER_SEC

/* A sink into memory that may fail. */
struct test_sink {
	struct sink sink;
	struct text *out;
	uint64_t room;
};

static enum err take_bytes(struct sink *s, const struct iovec *iov, int nr_iov,
			   struct errmsg *e)
{
	struct test_sink *t = (struct test_sink *)s;

	for (int i = 0; i < nr_iov; i++) {
		if (iov[i].iov_len > t->room)
			return err_set(e, ERR_GONE, "no room");
		t->room -= iov[i].iov_len;
		text_append(t->out, iov[i].iov_base, iov[i].iov_len);
	}
	return ERR_OK;
}

static void test_sink_init(struct test_sink *t, uint64_t room)
{
	*t = (struct test_sink){ .sink = { take_bytes, sink_copy_by_reading },
				 .out = text_new(&seq.arena, 1 << 24),
				 .room = room };
	text_puts(t->out, "");
}

/* Hooks before the plan's look at a file */

int __real_quality_open(const struct quality *quality, const char *rel,
			int flags);
int __wrap_quality_open(const struct quality *quality, const char *rel,
			int flags);

static unsigned nr_looks;
static void (*on_look)(const char *path);

int __wrap_quality_open(const struct quality *quality, const char *rel,
			int flags)
{
	if (strstr(rel, ".ts")) {
		nr_looks++;
		if (on_look)
			on_look(rel);
	}
	return __real_quality_open(quality, rel, flags);
}

static char *segment_path(const char *quality, int start, const char *kind)
{
	char path[256];

	seq_path(path, UNIT_HOUR + start * SEC, 2 * SEC, kind, "a");
	return arena_printf(&seq.arena, SEQ_BASE "%s/%s.ts", quality, path);
}

/* Two seconds at start, of so many bytes that tell where they are. */
static void put(const char *quality, int start, size_t size, const char *kind)
{
	char *data = arena_alloc(&seq.arena, size + 1);

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(start * 31 + (int)(i * 7 + i / 251));
	unit_write(unit_fd, segment_path(quality, start, kind), data, size);
}

static enum err plan(const char *quality, const struct time_range *ranges,
		     size_t nr, bool allow_holes, struct roughcut *cut_r,
		     struct errmsg *e)
{
	struct time_range *moved =
		arena_alloc(&seq.arena, nr * sizeof(*moved));
	struct rough_spec spec = { .ranges = moved,
				   .nr_ranges = nr,
				   .allow_holes = allow_holes,
				   .now_us = UNIT_HOUR + 3 * USEC_PER_HOUR };

	for (size_t i = 0; i < nr; i++) {
		moved[i].start_us = UNIT_HOUR + ranges[i].start_us * SEC;
		moved[i].end_us = UNIT_HOUR + ranges[i].end_us * SEC;
	}
	return roughcut_plan(seq_reader(quality), &spec, cut_r, e);
}

static void plan_well(const char *quality, const struct time_range *ranges,
		      size_t nr, bool allow_holes, struct roughcut *cut_r)
{
	struct errmsg e = { "" };
	enum err err = plan(quality, ranges, nr, allow_holes, cut_r, &e);

	if (err)
		fail_msg("%s: %s", err_name(err), e.text);
}

/* Adds a file of a quality to what is expected. */
static void expect(struct text *all, const char *quality, int start,
		   const char *kind)
{
	size_t len = 0;
	char *data = unit_read(unit_fd, segment_path(quality, start, kind),
			       &len);

	assert_non_null(data);
	text_append(all, data, len);
	free(data);
}

static void send_well(const struct roughcut *cut, uint64_t offset,
		      uint64_t count, const char *expected)
{
	struct test_sink t;
	struct errmsg e = { "" };

	test_sink_init(&t, UINT64_MAX);
	assert_int_equal(roughcut_send(cut, offset, count, &t.sink, &e),
			 ERR_OK);
	assert_int_equal(t.out->len, count);
	assert_memory_equal(t.out->data, expected + offset, count);
	text_release(t.out);
}

/* Every offset and every count, over empty segments too. */
static void test_every_split(void **state)
{
	static const size_t sizes[] = { 0, 7, 1, 0, 0, 13, 2, 0 };
	struct time_range range = { 0, 16 };
	struct text *all = text_new(&seq.arena, 1 << 16);
	struct roughcut cut;

	UNUSED(state);
	for (int i = 0; i < (int)ARRAY_SIZE(sizes); i++) {
		put("split", 2 * i, sizes[i], "full");
		expect(all, "split", 2 * i, "full");
	}
	plan_well("split", &range, 1, false, &cut);
	assert_int_equal(cut.nr, ARRAY_SIZE(sizes));
	assert_int_equal(cut.length, 23);
	for (uint64_t offset = 0; offset <= cut.length; offset++)
		for (uint64_t n = 0; n <= cut.length - offset; n++)
			send_well(&cut, offset, n, all->data);
}

static void test_random_splits(void **state)
{
	static const struct time_range ranges[] = {
		{ 3590, 3606 }, { 3598, 3602 }, { 3590, 3592 }, { 3590, 3591 },
	};
	uint64_t seed = 5;
	struct text *all = text_new(&seq.arena, 1 << 24);
	struct roughcut cut;

	UNUSED(state);
	for (int start = 3590; start < 3606; start += 2)
		put("random", start, 1000 + unit_random(&seed) % 200000,
		    "full");
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		for (usec_t s = ranges[i].start_us; s < ranges[i].end_us;
		     s += 2)
			expect(all, "random", (int)s, "full");
	plan_well("random", ranges, ARRAY_SIZE(ranges), false, &cut);
	assert_int_equal(cut.length, all->len);
	assert_int_equal(cut.nr, 8 + 2 + 1 + 1);
	send_well(&cut, 0, cut.length, all->data);
	for (int i = 0; i < 500; i++) {
		uint64_t offset = unit_random(&seed) % (cut.length + 1);
		uint64_t left = cut.length - offset;

		send_well(&cut, offset, unit_random(&seed) % (left + 1),
			  all->data);
	}
	/* About the borders of its pieces. */
	for (size_t i = 1; i < cut.nr; i++)
		for (uint64_t k = 0; k < 3; k++) {
			uint64_t offset = cut.pieces[i].offset - 1 + k;

			send_well(&cut, offset, 1, all->data);
			send_well(&cut, 0, offset, all->data);
			send_well(&cut, offset, cut.length - offset,
				  all->data);
		}
}

static void test_holes(void **state)
{
	static const struct {
		const char *what;
		struct time_range range;
		bool allow_holes;
		enum err err;
		const char *says;
		size_t nr;
		unsigned nr_holes;
		usec_t holes_us;
		bool is_settled;
	} rows[] = {
		{ "whole", { 0, 4 }, false, ERR_OK, "", 2, 0, 0, true },
		{ "whole, holes allowed", { 0, 4 }, true, ERR_OK, "", 2, 0, 0,
		  true },
		{ "a hole inside", { 0, 8 }, false, ERR_HOLES,
		  "contains holes: 1 of 2.000 s", 0, 0, 0, false },
		{ "a hole inside, allowed", { 0, 8 }, true, ERR_OK, "", 3, 1,
		  2 * SEC, false },
		{ "at the start", { -1, 4 }, false, ERR_HOLES,
		  "2026-11-06T23:59:59", 0, 0, 0, false },
		{ "at the start, allowed", { -1, 4 }, true, ERR_OK, "", 2, 1,
		  SEC, false },
		{ "at the end", { 6, 9 }, false, ERR_HOLES, "allow_holes", 0,
		  0, 0, false },
		{ "at the end, allowed", { 6, 9 }, true, ERR_OK, "", 1, 1,
		  SEC, false },
		{ "nothing", { 20, 30 }, false, ERR_HOLES,
		  "there is nothing", 0, 0, 0, false },
		{ "nothing, allowed", { 20, 30 }, true, ERR_HOLES,
		  "there is nothing", 0, 0, 0, false },
		{ "the end before the start", { 4, 2 }, true, ERR_HOLES,
		  "there is nothing", 0, 0, 0, false },
		{ "a partial", { 40, 42 }, false, ERR_HOLES, "1 of 0.000 s",
		  0, 0, 0, false },
		{ "a partial, allowed", { 40, 42 }, true, ERR_OK, "", 1, 1, 0,
		  false },
		{ "within the last hour", { 7200, 7202 }, false, ERR_OK, "",
		  1, 0, 0, false },
		{ "an hour old", { 7198, 7200 }, false, ERR_OK, "", 1, 0, 0,
		  true },
	};

	UNUSED(state);
	for (int start = 0; start < 8; start += 2)
		if (start != 4)
			put("holes", start, 10, "full");
	put("holes", 40, 10, "partial");
	put("holes", 7198, 10, "full");
	put("holes", 7200, 10, "full");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct roughcut cut = { .nr = UNIT_UNTOUCHED };
		struct errmsg e = { "" };

		print_message("# %s\n", rows[i].what);
		assert_int_equal(plan("holes", &rows[i].range, 1,
				      rows[i].allow_holes, &cut, &e),
				 rows[i].err);
		if (!strstr(e.text, rows[i].says))
			fail_msg("'%s' does not say '%s'", e.text,
				 rows[i].says);
		if (rows[i].err) {
			assert_int_equal(cut.nr, UNIT_UNTOUCHED);
			continue;
		}
		assert_int_equal(cut.nr, rows[i].nr);
		assert_int_equal(cut.length, 10 * rows[i].nr);
		assert_int_equal(cut.nr_holes, rows[i].nr_holes);
		assert_int_equal(cut.holes_us, rows[i].holes_us);
		assert_int_equal(cut.is_settled, rows[i].is_settled);
	}
}

/* One empty range of several spoils the cut; holes of all add up. */
static void test_holes_of_many(void **state)
{
	static const struct time_range ranges[] = {
		{ 0, 8 }, { -1, 4 }, { 20, 30 },
	};
	struct roughcut cut = { .nr = UNIT_UNTOUCHED };
	struct errmsg e = { "" };

	UNUSED(state);
	assert_int_equal(plan("holes", ranges, 3, true, &cut, &e), ERR_HOLES);
	assert_non_null(strstr(e.text, "there is nothing"));
	assert_int_equal(cut.nr, UNIT_UNTOUCHED);
	plan_well("holes", ranges, 2, true, &cut);
	assert_int_equal(cut.nr, 5);
	assert_int_equal(cut.nr_holes, 2);
	assert_int_equal(cut.holes_us, 3 * SEC);
	assert_false(cut.is_settled);
}

/* What may happen to the second of three segments after the plan. */
static void vanish(const char *path)
{
	assert_int_equal(unlinkat(unit_fd, path, 0), 0);
}

static void shrink(const char *path)
{
	unit_write(unit_fd, path, "short", 5);
}

static void empty(const char *path)
{
	unit_write(unit_fd, path, "", 0);
}

static void grow(const char *path)
{
	unit_make(unit_fd, path, 101);
}

static void become_dir(const char *path)
{
	vanish(path);
	unit_mkdir(unit_fd, path);
}

static void become_fifo(const char *path)
{
	vanish(path);
	assert_int_equal(mkfifoat(unit_fd, path, 0600), 0);
}

static void lead_out(const char *path)
{
	char *out = arena_printf(&seq.arena, "%s/out", unit_dir);

	unit_make(unit_fd, "out", 100);
	vanish(path);
	assert_int_equal(symlinkat(out, unit_fd, path), 0);
}

static void test_change_after_plan(void **state)
{
	static const struct {
		const char *what;
		void (*change)(const char *path);
		const char *says;
	} rows[] = {
		{ "vanished", vanish, "vanished while it was sent" },
		{ "shrunk", shrink, "changed while it was sent" },
		{ "empty", empty, "changed while it was sent" },
		{ "grown", grow, "changed while it was sent" },
		{ "a directory", become_dir, "changed while it was sent" },
		{ "a fifo", become_fifo, "changed while it was sent" },
		{ "a link out of the archive", lead_out,
		  "vanished while it was sent" },
	};
	struct time_range range = { 0, 6 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errmsg e = { "" };
		struct text *all = text_new(&seq.arena, 1 << 16);
		struct roughcut cut;
		struct test_sink t;
		char quality[32];
		char *path;

		print_message("# %s\n", rows[i].what);
		snprintf(quality, sizeof(quality), "change%zu", i);
		for (int start = 0; start < 6; start += 2) {
			put(quality, start, 100, "full");
			expect(all, quality, start, "full");
		}
		plan_well(quality, &range, 1, false, &cut);
		path = segment_path(quality, 2, "full");
		rows[i].change(path);
		test_sink_init(&t, UINT64_MAX);
		assert_int_equal(roughcut_send(&cut, 0, 300, &t.sink, &e),
				 ERR_CORRUPT);
		if (!strstr(e.text, rows[i].says))
			fail_msg("'%s' does not say '%s'", e.text,
				 rows[i].says);
		assert_non_null(strstr(e.text, "00:02"));
		assert_null(strstr(e.text, unit_dir));
		/* All before it is right, nothing of it was sent. */
		assert_int_equal(t.out->len, 100);
		assert_memory_equal(t.out->data, all->data, 100);
		/* What does not need it is still to be had. */
		send_well(&cut, 0, 100, all->data);
		send_well(&cut, 200, 100, all->data);
		assert_int_equal(roughcut_send(&cut, 199, 1, &t.sink, &e),
				 ERR_CORRUPT);
	}
}

static void test_receiver_leaves(void **state)
{
	struct time_range range = { 0, 16 };
	struct errmsg e = { "" };
	struct roughcut cut;
	struct test_sink t;

	UNUSED(state);
	plan_well("split", &range, 1, false, &cut);
	test_sink_init(&t, 10);
	assert_int_equal(roughcut_send(&cut, 0, cut.length, &t.sink, &e),
			 ERR_GONE);
	assert_int_equal(t.out->len, 8);
}

/* Vanishing between listing and look */

static const char *victim;	/* the path whose look it happens before */
static unsigned nr_left;

static void vanish_on_look(const char *path)
{
	if (!nr_left || !strstr(path, victim))
		return;
	nr_left--;
	/* Paths are seen relative to the quality. */
	vanish(arena_printf(&seq.arena, SEQ_BASE "race/%s", path));
}

static void test_retry(void **state)
{
	struct time_range range = { 0, 6 };
	struct text *all = text_new(&seq.arena, 1 << 16);
	struct errmsg e = { "" };
	struct roughcut cut, again;

	UNUSED(state);
	for (int start = 0; start < 6; start += 2)
		put("race", start, 100, "full");
	nr_looks = 0;
	plan_well("race", &range, 1, false, &cut);
	assert_int_equal(nr_looks, 3);
	/* Gone, but a part of it is there: then that, and a hole. */
	put("race", 2, 50, "partial");
	expect(all, "race", 0, "full");
	expect(all, "race", 2, "partial");
	expect(all, "race", 4, "full");
	victim = "00:02.000000-2.000000-full";
	nr_left = 1;
	on_look = vanish_on_look;
	assert_int_equal(plan("race", &range, 1, false, &cut, &e), ERR_HOLES);
	assert_int_equal(nr_left, 0);
	/* Two things vanish, one after the other; the third try has it. */
	put("race", 2, 100, "full");
	victim = "00:02.000000";
	nr_left = 2;
	plan_well("race", &range, 1, true, &cut);
	assert_int_equal(nr_left, 0);
	assert_int_equal(cut.nr, 2);
	assert_int_equal(cut.length, 200);
	assert_int_equal(cut.nr_holes, 1);
	/* Nothing is left of the first tries. */
	plan_well("race", &range, 1, true, &again);
	assert_memory_equal(cut.hash, again.hash, sizeof(cut.hash));
	/* Holes that are not allowed are an answer, not a reason to retry. */
	nr_looks = 0;
	assert_int_equal(plan("race", &range, 1, false, &cut, &e), ERR_HOLES);
	assert_int_equal(nr_looks, 0);
	on_look = NULL;
}

/* The segment is there by name but never to be had: say so, do not hang. */
static void test_never_there(void **state)
{
	/* Links that lead to a file, but out of the archive. */
	static const char *const names[] = { "/etc/passwd", "/proc/version" };
	struct time_range range = { 0, 4 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct roughcut cut = { .nr = UNIT_UNTOUCHED };
		struct errmsg e = { "" };
		char quality[32];

		print_message("# a link to '%s'\n", names[i]);
		snprintf(quality, sizeof(quality), "never%zu", i);
		put(quality, 0, 10, "full");
		assert_int_equal(symlinkat(names[i], unit_fd,
					   segment_path(quality, 2, "full")),
				 0);
		nr_looks = 0;
		assert_int_equal(plan(quality, &range, 1, true, &cut, &e),
				 ERR_BUSY);
		assert_int_equal(cut.nr, UNIT_UNTOUCHED);
		assert_int_equal(nr_looks, 3 * 2);
		assert_non_null(strstr(e.text, "00:02"));
		assert_null(strstr(e.text, unit_dir));
	}
}

/* The validator changes with anything that changes the bytes. */
static void test_hash(void **state)
{
	static const struct time_range ranges[] = { { 0, 4 }, { 2, 6 } };
	static const struct time_range same[] = { { 1, 3 }, { 3, 5 } };
	static const struct time_range backwards[] = { { 2, 6 }, { 0, 4 } };
	const char *path = segment_path("hash", 2, "full");
	struct timespec times[2] = { { 0 }, { .tv_sec = 1 } };
	struct roughcut cut, other;

	UNUSED(state);
	for (int start = 0; start < 6; start += 2)
		put("hash", start, 100, "full");
	plan_well("hash", ranges, 2, false, &cut);
#define ASSERT_HASH_CHANGED() \
	do { \
		plan_well("hash", ranges, 2, false, &other); \
		assert_memory_not_equal(cut.hash, other.hash, \
					sizeof(cut.hash)); \
		cut = other; \
	} while (0)
	plan_well("hash", ranges, 2, false, &other);
	assert_memory_equal(cut.hash, other.hash, sizeof(cut.hash));
	plan_well("hash", same, 2, false, &other);
	assert_memory_equal(cut.hash, other.hash, sizeof(cut.hash));
	plan_well("hash", backwards, 2, false, &other);
	assert_memory_not_equal(cut.hash, other.hash, sizeof(cut.hash));
	print_message("# another time\n");
	assert_int_equal(utimensat(unit_fd, path, times, 0), 0);
	ASSERT_HASH_CHANGED();
	print_message("# another size\n");
	unit_make(unit_fd, path, 99);
	assert_int_equal(utimensat(unit_fd, path, times, 0), 0);
	ASSERT_HASH_CHANGED();
	print_message("# another name\n");
	assert_int_equal(renameat(unit_fd, path, unit_fd,
				  arena_printf(&seq.arena, "%.*sb.ts",
					       (int)strlen(path) - 4, path)),
			 0);
	ASSERT_HASH_CHANGED();
#undef ASSERT_HASH_CHANGED
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_random_splits),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_holes_of_many),
		cmocka_unit_test(test_change_after_plan),
		cmocka_unit_test(test_receiver_leaves),
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_never_there),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
