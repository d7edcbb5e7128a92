/*
 * test_smartcut.c - a cut is one file: any part of it is the same bytes, from
 * whichever process, sized or streamed, with a cache or without; it keeps the
 * rules of a transport stream and decodes without a word; and what changes
 * under it breaks it loudly.
 *
 * The program starts itself again for the second process: see main().
 */
#include "config.h"

#include "media/smartcut.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

#include "cutting.h"

extern char **environ;

#define SECONDS 8

/* Of one test: with it end the threads of the cuts it made. */
static struct arena work;

/* What is cut: nr_frames pictures must come out. */
static const struct cut_case {
	const char *what;
	const char *quality;
	struct cut_ms ms[3];
	size_t nr;
	const char *transition;
	int transition_ms;
	bool allow_holes;
	bool keeps_clock;
	unsigned nr_frames;
} cases[] = {
	{ "all", "bf0", { { 0, 8000 } }, 1, NULL, 0, false, false, 240 },
	{ "off the key frames",
	  "bf0",
	  { { 500, 7500 } },
	  1,
	  NULL,
	  0,
	  false,
	  false,
	  210 },
	{ "B-frames", "bf2", { { 500, 7600 } }, 1, NULL, 0, false, false, 213 },
	{ "within a second",
	  "bf2",
	  { { 2300, 2700 } },
	  1,
	  NULL,
	  0,
	  false,
	  false,
	  12 },
	{ "one picture",
	  "bf2",
	  { { 3100, 3130 } },
	  1,
	  NULL,
	  0,
	  false,
	  false,
	  1 },
	{ "two ranges, backwards",
	  "bf2",
	  { { 5000, 7000 }, { 300, 3100 } },
	  2,
	  NULL,
	  0,
	  false,
	  false,
	  144 },
	{ "three ranges",
	  "id3",
	  { { 100, 7900 }, { 900, 2000 }, { 100, 7900 } },
	  3,
	  NULL,
	  0,
	  false,
	  false,
	  234 + 33 + 234 },
	{ "a transition",
	  "bf2",
	  { { 0, 3000 }, { 4000, 8000 } },
	  2,
	  "fade",
	  500,
	  false,
	  false,
	  90 + 120 - 15 },
	{ "a hole", "hole", { { 0, 8000 } }, 1, NULL, 0, true, false, 180 },
	{ "the clock of the source",
	  "hole",
	  { { 500, 8000 } },
	  1,
	  NULL,
	  0,
	  true,
	  true,
	  165 },
	{ "no sound",
	  "mute",
	  { { 700, 7300 } },
	  1,
	  NULL,
	  0,
	  false,
	  false,
	  198 },
	{ "no pictures",
	  "radio",
	  { { 700, 7300 } },
	  1,
	  NULL,
	  0,
	  false,
	  false,
	  0 },
	{ "past 2^33",
	  "wrap",
	  { { 600, 7300 } },
	  1,
	  NULL,
	  0,
	  false,
	  false,
	  201 },
};

static void make_archives(void)
{
	static const struct {
		const char *quality;
		const char *args;
	} rows[] = {
		{ "bf0", "-bf 0 " CUT_AAC },
		{ "bf2", "-bf 2 " CUT_AAC },
		{ "wrap", "-bf 2 " CUT_AAC "-output_ts_offset 95439 " },
	};
	char *in =
		arena_printf(&seq.arena, CUT_VIDEO CUT_SOUND, SECONDS, SECONDS);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cut_segments(rows[i].quality, 0, SECONDS,
			     arena_printf(&seq.arena, "%s" CUT_X264 "%s", in,
					  rows[i].args));
	cut_segments(
		"mute", 0, SECONDS,
		arena_printf(&seq.arena, CUT_VIDEO CUT_X264 "-bf 1", SECONDS));
	cut_segments("radio", 0, SECONDS,
		     arena_printf(&seq.arena, CUT_SOUND CUT_AAC, SECONDS));
	for (int start = 0; start < SECONDS; start += 2) {
		size_t len = 0;
		char *data =
			unit_read(unit_fd, cut_segment("bf2", start), &len);

		assert_non_null(data);
		unit_write(unit_fd, cut_segment("id3", start), data, len);
		unit_write(unit_fd, cut_segment("change", start), data, len);
		if (start != 4)
			unit_write(unit_fd, cut_segment("hole", start), data,
				   len);
		free(data);
	}
	cut_add_id3("id3", 0, SECONDS);
}

static struct cut_spec spec_of(const struct cut_case *c)
{
	struct cut_spec spec = cut_spec_of(c->ms, c->nr);
	struct transition *t = ARENA_NEW(&seq.arena, struct transition);

	spec.allow_holes = c->allow_holes;
	spec.keeps_clock = c->keeps_clock;
	*t = (struct transition){ c->transition, c->transition_ms * 1000 };
	spec.transitions = t;
	spec.nr_transitions = c->transition != NULL;
	return spec;
}

static const struct edgestore no_store = { .blobs = { .fd = -1 } };
static const struct smartcut_config plain = { .means = { .store = &no_store } };

static struct smartcut *make_well(const struct cutplan *plan,
				  const struct smartcut_config *config)
{
	struct smartcut *cut = ARENA_NEW(&seq.arena, struct smartcut);
	struct errmsg e = { "" };
	enum err err = smartcut_make(&work, plan, config, cut, &e);

	if (err)
		fail_msg("%s: %s", err_name(err), e.text);
	return cut;
}

static struct smartcut *make_case(const struct cut_case *c)
{
	struct cut_spec spec = spec_of(c);

	return make_well(cut_plan_well(c->quality, &spec), &plain);
}

/* All bytes of a cut. */
static struct text *whole(const struct smartcut *cut)
{
	struct errmsg e = { "" };
	struct cut_sink t;
	enum err err;

	cut_sink_init(&t, UINT64_MAX);
	err = smartcut_send(cut, 0, cut->length, &t.sink, &e);
	if (err)
		fail_msg("%s: %s", err_name(err), e.text);
	assert_int_equal(t.out->len, cut->length);
	return t.out;
}

static void send_well(const struct smartcut *cut, uint64_t offset,
		      uint64_t count, const struct text *all)
{
	struct errmsg e = { "" };
	struct cut_sink t;

	cut_sink_init(&t, UINT64_MAX);
	assert_int_equal(smartcut_send(cut, offset, count, &t.sink, &e),
			 ERR_OK);
	assert_int_equal(t.out->len, count);
	assert_memory_equal(t.out->data, all->data + offset, count);
	text_release(t.out);
}

static void assert_same(const struct text *a, const struct text *b)
{
	size_t at = 0;

	while (at < a->len && at < b->len && a->data[at] == b->data[at])
		at++;
	if (at < a->len || at < b->len)
		fail_msg("%zu and %zu bytes, others from %zu on", a->len,
			 b->len, at);
}

/* Parts of it */

static void test_parts(void **state)
{
	uint64_t seed = 1;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct smartcut *cut = make_case(&cases[i]);
		struct text *all = whole(cut);
		uint64_t length = cut->length;

		print_message("# %s: %" PRIu64 " bytes in %zu parts\n",
			      cases[i].what, length, cut->nr);
		assert_true(length > 0);
		for (size_t p = 0; p < cut->nr; p++) {
			const struct cut_part *part = &cut->parts[p];
			uint64_t end = part->offset + part->size;

			send_well(cut, part->offset, part->size, all);
			send_well(cut, end - 1, end < length ? 2 : 1, all);
			send_well(cut, end - 1, length - end + 1, all);
			if (p)
				send_well(cut, part->offset - 1, 190, all);
		}
		for (int k = 0; k < 60; k++) {
			uint64_t from = unit_random(&seed) % length;
			uint64_t most = k % 2 ? 1000 : length;
			uint64_t count = 1 + unit_random(&seed) % most;

			send_well(cut, from,
				  count < length - from ? count : length - from,
				  all);
		}
		send_well(cut, length - 1, 1, all);
		text_release(all);
	}
}

/* Sized and streamed, cached and not */

static void test_ways(void **state)
{
	char *dir = arena_printf(&seq.arena, "%s/cache", unit_dir);
	struct edgestore store;

	UNUSED(state);
	edgestore_open(&store, dir, 1 << 24);
	assert_true(store.blobs.fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct smartcut_config cached = {
			.means = { .store = &store }
		};
		struct cut_spec spec = spec_of(&cases[i]);
		struct cutplan *plan = cut_plan_well(cases[i].quality, &spec);
		struct smartcut *cut = make_well(plan, &plain);
		struct text *all = whole(cut);

		print_message("# %s\n", cases[i].what);
		for (int round = 0; round < 4; round++) {
			struct errmsg e = { "" };
			struct cut_work did;
			struct cut_sink t;

			cut_sink_init(&t, UINT64_MAX);
			assert_int_equal(
				smartcut_stream(&work, plan,
						round % 2 ? &cached : &plain,
						&t.sink, &did, &e),
				ERR_OK);
			assert_same(t.out, all);
			text_release(t.out);
			assert_int_equal(did.nr_encoded, cut->work.nr_encoded);
			assert_int_equal(did.nr_raw, cut->work.nr_raw);
			assert_int_equal(did.length, cut->work.length);
			cut = make_well(plan, &cached);
			t.out = whole(cut);
			assert_same(t.out, all);
			text_release(t.out);
		}
		text_release(all);
	}
	arena_reset(&work);
	edgestore_close(&store);
}

/* The same cut by a process that was just started. */
static void test_second_process(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char number[16];
		char *argv[] = { (char *)"again", number, unit_dir, NULL };
		struct text *all = whole(make_case(&cases[i]));
		struct text other = { 0 };
		int status;
		pid_t pid;

		print_message("# %s\n", cases[i].what);
		snprintf(number, sizeof(number), "%zu", i);
		assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL,
					     argv, environ),
				 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		other.data = unit_read(unit_fd, "again.ts", &other.len);
		assert_non_null(other.data);
		assert_same(all, &other);
		free(other.data);
		text_release(all);
	}
}

/* What main() does in that process. */
static int again(const char *number, char *dir)
{
	const struct cut_case *c = &cases[atoi(number)];
	struct hourcache_config config = { .prefix = "",
					   .max_hours = 10,
					   .max_heap = 1 << 24 };
	struct edgestore store;
	struct smartcut_config cached = { .means = { .store = &store } };
	struct cutplan plan;
	struct cut_spec spec;
	struct smartcut cut;
	struct fd_sink sink;
	struct quality *q;
	struct errmsg e = { "" };
	char *path;
	int fd;

	arena_init(&seq.arena);
	path = arena_printf(&seq.arena, "%s/base", dir);
	if (archive_open(&seq.archive, path, &e))
		return 2;
	seq.cache = hourcache_new(&config);
	if (archive_quality(&seq.archive, &seq.arena, "main", c->quality, &q,
			    &e))
		return 3;
	path = arena_printf(&seq.arena, "%s/cache-%s", dir, number);
	edgestore_open(&store, path, 1 << 24);
	spec = spec_of(c);
	if (cutplan_make(hourcache_reader(seq.cache, q, &seq.arena), &spec,
			 &plan, &e) ||
	    smartcut_make(&seq.arena, &plan, &cached, &cut, &e))
		return 4;
	path = arena_printf(&seq.arena, "%s/again.ts", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fd_sink_init(&sink, fd);
	if (fd < 0 || smartcut_send(&cut, 0, cut.length, &sink.sink, &e))
		return 5;
	close(fd);
	arena_release(&seq.arena);
	edgestore_close(&store);
	hourcache_free(&seq.cache);
	archive_close(&seq.archive);
	return 0;
}

/* What it is */

/* Says what ffmpeg says of it: that must be nothing. */
static void decode(const struct text *all)
{
	char *said;

	unit_write(unit_fd, "x.ts", all->data, all->len);
	cut_run(arena_printf(&seq.arena,
			     "ffmpeg -v warning -nostdin -threads 1 -i "
			     "'%s/x.ts' -map 0:v? -map 0:a? -fps_mode "
			     "passthrough -f null - >'%s/said' 2>&1",
			     unit_dir, unit_dir));
	said = unit_read(unit_fd, "said", NULL);
	assert_non_null(said);
	if (said && *said)
		fail_msg("ffmpeg says:\n%s", said);
	free(said);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Every picture in its place, none missing, each decoded in order. */
static void check_video(const struct cut_case *c, const struct tsfile *file)
{
	int64_t *pts = arena_alloc(&seq.arena, (file->nr_units + 1) * 8);

	assert_int_equal(file->nr_units, c->nr_frames);
	for (size_t i = 0; i < file->nr_units; i++) {
		assert_true(file->units[i].pts >= file->units[i].dts);
		assert_true(!i || file->units[i].dts > file->units[i - 1].dts);
		assert_false(file->units[i].flags & UNIT_CUT);
		assert_int_equal(file->units[i].nr_auds, 1);
		pts[i] = file->units[i].pts;
	}
	qsort(pts, file->nr_units, sizeof(*pts), by_time);
	for (size_t i = 1; i < file->nr_units && !c->keeps_clock; i++)
		assert_int_equal(pts[i] - pts[i - 1], CUT_STEP);
	assert_true(!c->nr_frames || file->units[0].flags & UNIT_IDR);
	if (c->nr_frames && !c->keeps_clock)
		assert_int_equal(file->units[0].dts, 0);
}

/* Neither gap nor overlap, and as long as the video but for a frame. */
static void check_sound(const struct cut_case *c, const struct tsfile *file)
{
	int64_t step = 1920;
	int64_t end;

	for (size_t i = 1; i < file->nr_frames && !c->keeps_clock; i++) {
		int64_t off =
			file->frames[i].pts - file->frames[i - 1].pts - step;

		if (off < -1 || off > 1)
			fail_msg("frame %zu of sound: %" PRId64 " ticks", i,
				 off + step);
	}
	if (!c->nr_frames || !file->nr_frames || c->keeps_clock)
		return;
	end = file->frames[file->nr_frames - 1].pts + step;
	assert_in_range(file->frames[0].pts - file->first_pts + step, 0,
			2 * step);
	assert_in_range(end - (file->last_pts + CUT_STEP) + 2 * step, 0,
			4 * step);
}

/*
 * tsfile_parse() does not know of jumps but unwraps; so the clock that is kept
 * is no trouble.
 */
static void test_stream(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct cut_case *c = &cases[i];
		struct text *all = whole(make_case(c));
		struct tsfile *file;
		struct cut_seen seen;

		print_message("# %s\n", c->what);
		cut_check_packets(all->data, all->len, &seen);
		file = cut_parse(all->data, all->len);
		assert_int_equal(!file->video, !c->nr_frames);
		check_video(c, file);
		check_sound(c, file);
		if (!c->keeps_clock)
			assert_int_equal(seen.nr_breaks, 0);
		else
			assert_true(seen.nr_breaks >= 2);
		if (!c->keeps_clock)
			decode(all);
		text_release(all);
	}
}

/* The tags of the range, at the times of their pictures. */
static void test_tags(void **state)
{
	static const struct cut_case c = { .quality = "id3",
					   .ms = { { 400, 7600 } },
					   .nr = 1 };
	struct text *all = whole(make_case(&c));
	struct tsfile *file = cut_parse(all->data, all->len);

	UNUSED(state);
	/*
	 * One is at every 15th unit in order of decoding, of which that of an
	 * IDR picture is where seconds begin.
	 */
	assert_true(file->nr_tags >= 13 && file->nr_tags <= 15);
	for (size_t i = 0; i < file->nr_tags; i++) {
		bool found = false;

		assert_int_equal(file->tags[i].size, 4);
		assert_memory_equal(file->tags[i].data, "ID3x", 4);
		assert_true(!i || file->tags[i].pts > file->tags[i - 1].pts);
		for (size_t u = 0; u < file->nr_units; u++)
			found |= file->units[u].pts == file->tags[i].pts;
		assert_true(found);
	}
}

/* What changes */

static void vanish(const char *path)
{
	assert_int_equal(unlinkat(unit_fd, path, 0), 0);
}

static void shrink(const char *path)
{
	char *full = arena_printf(&seq.arena, "%s/%s", unit_dir, path);

	assert_int_equal(truncate(full, 188 * 40), 0);
}

/* Other bytes of the same length. */
static void rewrite(const char *path)
{
	size_t len = 0;
	char *data = unit_read(unit_fd, path, &len);

	assert_non_null(data);
	data[len / 2] ^= 1;
	unit_write(unit_fd, path, data, len);
	free(data);
}

static void grow(const char *path)
{
	char *full = arena_printf(&seq.arena, "%s/%s", unit_dir, path);

	assert_int_equal(truncate(full, 1 << 24), 0);
}

static const struct {
	const char *what;
	void (*change)(const char *path);
} changes[] = {
	{ "vanished", vanish },
	{ "shrunk", shrink },
	{ "rewritten", rewrite },
	{ "grown", grow },
};

static const struct cut_part *raw_part(const struct smartcut *cut)
{
	size_t i = 0;

	while (i < cut->nr && !cut->parts[i].is_raw)
		i++;
	if (i == cut->nr)
		fail_msg("nothing is copied whole");
	return &cut->parts[i];
}

/* Breaks the segment at 4 s after the plan; it is put back. */
static void test_change_before_send(void **state)
{
	static const struct cut_case c = { .quality = "change",
					   .ms = { { 500, 7600 } },
					   .nr = 1 };
	const char *path = cut_segment("change", 2);

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct smartcut *cut = make_case(&c);
		struct text *all = whole(cut);
		const struct cut_part *raw = raw_part(cut);
		uint64_t end = raw->offset + raw->size;
		struct errmsg e = { "" };
		struct cut_sink t;
		size_t len = 0;
		char *data = unit_read(unit_fd, path, &len);

		print_message("# %s\n", changes[i].what);
		changes[i].change(path);
		cut_sink_init(&t, UINT64_MAX);
		assert_int_equal(
			smartcut_send(cut, 0, cut->length, &t.sink, &e),
			ERR_CORRUPT);
		assert_non_null(strstr(e.text, "00:02"));
		assert_null(strstr(e.text, unit_dir));
		assert_int_equal(t.out->len, raw->offset);
		assert_memory_equal(t.out->data, all->data, raw->offset);
		send_well(cut, 0, raw->offset, all);
		assert_int_equal(smartcut_send(cut, end, 10, &t.sink, &e),
				 ERR_CORRUPT);
		unit_write(unit_fd, path, data, len);
		free(data);
		text_release(t.out);
		text_release(all);
	}
}

/* The same between the plan and the making, of every segment. */
static void test_change_before_make(void **state)
{
	static const struct cut_ms ms = { 500, 7600 };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		for (int start = 0; start < SECONDS; start += 2) {
			const char *path = cut_segment("change", start);
			struct cut_spec spec = cut_spec_of(&ms, 1);
			struct cutplan *plan = cut_plan_well("change", &spec);
			size_t len = 0;
			char *data = unit_read(unit_fd, path, &len);
			struct errmsg e = { "" };
			struct smartcut cut;
			struct cut_work did;
			struct cut_sink t;

			changes[i].change(path);
			cut_sink_init(&t, UINT64_MAX);
			assert_int_equal(smartcut_stream(&work, plan, &plain,
							 &t.sink, &did, &e),
					 ERR_CORRUPT);
			text_release(t.out);
			cut_sink_init(&t, UINT64_MAX);
			if (smartcut_make(&work, plan, &plain, &cut, &e) ==
			    ERR_OK)
				assert_int_equal(smartcut_send(&cut, 0,
							       cut.length,
							       &t.sink, &e),
						 ERR_CORRUPT);
			text_release(t.out);
			unit_write(unit_fd, path, data, len);
			free(data);
		}
	}
}

/* Who leaves */

struct leaver {
	struct unitsink units;
	unsigned nr_units;
	unsigned after; /* leaves when it has so many */
	unsigned nr_asked;
};

static enum err count_video(struct unitsink *s, const struct out_unit *unit,
			    struct errmsg *e)
{
	UNUSED(unit);
	UNUSED(e);
	((struct leaver *)s)->nr_units++;
	return ERR_OK;
}

static enum err count_other(struct unitsink *s, const uint8_t *data,
			    size_t size, int64_t pts, struct errmsg *e)
{
	UNUSED(s);
	UNUSED(data);
	UNUSED(size);
	UNUSED(pts);
	UNUSED(e);
	return ERR_OK;
}

static void no_jump(struct unitsink *s)
{
	UNUSED(s);
}

static enum err count_raw(void *ctx, const struct cut_raw *raw,
			  struct errmsg *e)
{
	UNUSED(ctx);
	UNUSED(raw);
	UNUSED(e);
	return ERR_OK;
}

static bool has_left(void *ctx)
{
	struct leaver *l = ctx;

	l->nr_asked++;
	return l->nr_units >= l->after;
}

/* Work ends at the picture after which nobody is there. */
static void test_is_gone(void **state)
{
	static const struct cut_ms ms = { 2033, 2900 };
	struct cut_spec spec = cut_spec_of(&ms, 1);
	struct cutplan *plan = cut_plan_well("bf2", &spec);
	char *dir = arena_printf(&seq.arena, "%s/gone", unit_dir);
	struct edgestore store;

	UNUSED(state);
	edgestore_open(&store, dir, 1 << 24);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned after = 0; after < 26; after += 5) {
			struct leaver l = { .units = { count_video, count_other,
						       count_other, no_jump },
					    .after = after };
			struct cut_taker taker = { .units = &l.units,
						   .raw = count_raw,
						   .is_gone = has_left,
						   .ctx = &l };
			const struct cut_means means = { .store = &store };
			struct errmsg e = { "" };
			struct cut_work did;

			assert_int_equal(cutrender_run(&work, plan, &means,
						       &taker, &did, &e),
					 ERR_GONE);
			assert_true(l.nr_units <= after + 1);
		}
		/* The second time all comes from the store, at once. */
		make_well(plan, &(struct smartcut_config){
					.means = { .store = &store } });
	}
	arena_reset(&work);
	edgestore_close(&store);
}

/* A sink that fails at any byte ends it, with nothing sent after that. */
static void test_receiver_leaves(void **state)
{
	struct cut_spec spec = spec_of(&cases[2]);
	struct cutplan *plan = cut_plan_well(cases[2].quality, &spec);
	struct smartcut *cut = make_well(plan, &plain);
	struct text *all = whole(cut);
	uint64_t seed = 7;

	UNUSED(state);
	for (int i = 0; i < 10; i++) {
		struct errmsg e = { "" };
		struct cut_work did;
		struct cut_sink t;

		cut_sink_init(&t, unit_random(&seed) % cut->length);
		assert_int_equal(
			i < 3 ? smartcut_stream(&work, plan, &plain, &t.sink,
						&did, &e) :
				smartcut_send(cut, 0, cut->length, &t.sink, &e),
			ERR_GONE);
		assert_memory_equal(t.out->data, all->data, t.out->len);
		text_release(t.out);
	}
	text_release(all);
}

/* The validator */

static void hash_of(const struct cut_case *c, uint64_t hash[2])
{
	struct cut_spec spec = spec_of(c);

	smartcut_hash(cut_plan_well(c->quality, &spec), &spec, hash);
}

static void test_hash(void **state)
{
	const struct cut_case base = { .quality = "hole",
				       .ms = { { 0, 2000 }, { 6000, 8000 } },
				       .nr = 2 };
	struct cut_case others[6];
	uint64_t first[2], second[2];

	UNUSED(state);
	hash_of(&base, first);
	hash_of(&base, second);
	assert_memory_equal(first, second, sizeof(first));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		others[i] = base;
	others[0].ms[0].end = 1999;
	others[1].ms[1].start = 6001;
	others[2].transition = "fade";
	others[2].transition_ms = 100;
	others[3].transition = "fade";
	others[3].transition_ms = 200;
	others[4].transition = "wipeleft";
	others[4].transition_ms = 100;
	others[5].keeps_clock = true;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		hash_of(&others[i], second);
		assert_memory_not_equal(first, second, sizeof(first));
		for (size_t j = 0; j < i; j++) {
			uint64_t third[2];

			hash_of(&others[j], third);
			assert_memory_not_equal(third, second, sizeof(third));
		}
	}
}

static int begin(void **state)
{
	if (seq_begin(state))
		return -1;
	if (cut_has_ffmpeg())
		make_archives();
	return 0;
}

static int need_ffmpeg(void **state)
{
	UNUSED(state);
	arena_init(&work);
	if (!cut_has_ffmpeg())
		skip();
	return 0;
}

static int end_work(void **state)
{
	UNUSED(state);
	arena_release(&work);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, need_ffmpeg, end_work)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_parts),
		TEST(test_ways),
		TEST(test_second_process),
		TEST(test_stream),
		TEST(test_tags),
		TEST(test_change_before_send),
		TEST(test_change_before_make),
		TEST(test_is_gone),
		TEST(test_receiver_leaves),
		TEST(test_hash),
	};

	if (argc == 3)
		return again(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, begin, seq_end);
}
