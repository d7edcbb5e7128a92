/*
 * test_cutplan.c - where runs end and what they are made of, over archives
 * whose breaks are made on purpose.
 *
 * Each archive is four seconds of one source and four of another, in segments
 * of two seconds whose names go on.
 */
#include "config.h"

#include "media/cutplan.h"

#include "cutting.h"

#define VIDEO "-f lavfi -i testsrc2=s=160x90:r=30:d=4 "
#define SMALL "-f lavfi -i testsrc2=s=96x64:r=30:d=4 "
#define SOUND "-f lavfi -i sine=r=48000:d=4 "
#define STILL CUT_X264 "-bf 0 " CUT_AAC
#define ON    "-output_ts_offset 4"

/* What the second part is, and what becomes of it. */
static const struct {
	const char *what;
	const char *args;
	enum err err;
	size_t nr_runs;
	size_t nr_formats;
	const char *warning; /* or NULL */
} rows[] = {
	{ "the same", VIDEO SOUND STILL ON, ERR_OK, 1, 1, NULL },
	{ "late by 0.3 s", VIDEO SOUND STILL "-output_ts_offset 4.3", ERR_OK, 1,
	  1, NULL },
	{ "late by 0.7 s", VIDEO SOUND STILL "-output_ts_offset 4.7", ERR_OK, 2,
	  1, NULL },
	{ "early by 0.7 s", VIDEO SOUND STILL "-output_ts_offset 3.3", ERR_OK,
	  2, 1, NULL },
	{ "begun again", VIDEO SOUND STILL, ERR_OK, 2, 1, NULL },
	{ "an hour on", VIDEO SOUND STILL "-output_ts_offset 3604", ERR_OK, 2,
	  1, NULL },
	{ "sound late by 0.1 s", VIDEO "-itsoffset 0.1 " SOUND STILL ON, ERR_OK,
	  1, 1, NULL },
	{ "sound late by 0.4 s", VIDEO "-itsoffset 0.4 " SOUND STILL ON, ERR_OK,
	  3, 1, NULL },
	{ "no sound", VIDEO STILL ON, ERR_OK, 2, 2, NULL },
	{ "no pictures", SOUND CUT_AAC ON, ERR_OK, 2, 2, NULL },
	{ "other parameters", VIDEO SOUND CUT_X264 "-bf 2 -refs 5 " CUT_AAC ON,
	  ERR_OK, 1, 2, NULL },
	{ "another size", SMALL SOUND STILL ON, ERR_OK, 1, 2,
	  "format-change\n" },
	{ "another rate", VIDEO "-f lavfi -i sine=r=44100:d=4 " STILL ON,
	  ERR_OK, 2, 2, "sound-converted\n" },
	{ "other channels", VIDEO SOUND STILL "-ac 2 " ON, ERR_OK, 2, 2,
	  "sound-converted\n" },
	{ "MPEG-2", VIDEO SOUND "-c:v mpeg2video -g 30 " CUT_AAC ON, ERR_FORMAT,
	  0, 0, NULL },
	{ "MP2", VIDEO SOUND CUT_X264 "-c:a mp2 " ON, ERR_FORMAT, 0, 0, NULL },
};

static const struct cut_ms all_ms = { 0, 8000 };

/* Copies the first part of all into a quality. */
static void copy_base(const char *quality)
{
	for (int start = 0; start < 4; start += 2) {
		size_t len = 0;
		char *data =
			unit_read(unit_fd, cut_segment("base", start), &len);

		assert_non_null(data);
		unit_write(unit_fd, cut_segment(quality, start), data, len);
		free(data);
	}
}

static int begin(void **state)
{
	if (seq_begin(state))
		return -1;
	if (cut_has_ffmpeg()) {
		cut_segments("base", 0, 4, VIDEO SOUND STILL);
		cut_segments("base", 4, 4, VIDEO SOUND STILL ON);
	}
	return 0;
}

static int need_ffmpeg(void **state)
{
	UNUSED(state);
	if (!cut_has_ffmpeg())
		skip();
	return 0;
}

static enum err try(const char *quality, const struct cut_spec *spec,
		    struct cutplan *plan_r, struct errmsg *e)
{
	*e = (struct errmsg){ "" };
	return cutplan_make(seq_reader(quality), spec, plan_r, e);
}

/* What is true of the runs of any plan. */
static void check_runs(const struct cutplan *plan)
{
	size_t next = 0;

	for (size_t i = 0; i < plan->nr_runs; i++) {
		const struct cut_run *run = &plan->runs[i];

		assert_int_equal(run->first, next);
		assert_true(run->last >= run->first);
		next = run->last + 1;
		for (size_t p = run->first; p <= run->last; p++)
			assert_int_equal(plan->cover.pieces[p].range,
					 run->range);
		assert_int_equal(run->begins_range,
				 !i || run->range != run[-1].range);
		assert_int_equal(run->ends_range,
				 i + 1 == plan->nr_runs ||
					 run->range != run[1].range);
		if (run->out)
			assert_true(i + 1 < plan->nr_runs &&
				    run[1].in == run->out && run->ends_range);
	}
	assert_int_equal(next, plan->cover.nr);
}

static void test_second_parts(void **state)
{
	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *quality = arena_printf(&seq.arena, "row%zu", i);
		struct cut_spec spec = cut_spec_of(&all_ms, 1);
		struct cutplan plan;
		struct errmsg e;

		print_message("# %s\n", rows[i].what);
		copy_base(quality);
		cut_segments(quality, 4, 4, rows[i].args);
		assert_int_equal(try(quality, &spec, &plan, &e), rows[i].err);
		if (rows[i].err) {
			assert_string_not_equal(e.text, "");
			continue;
		}
		check_runs(&plan);
		assert_int_equal(plan.cover.nr, 4);
		assert_int_equal(plan.nr_runs, rows[i].nr_runs);
		assert_int_equal(plan.nr_formats, rows[i].nr_formats);
		assert_string_equal(plan.warnings->data,
				    rows[i].warning ? rows[i].warning : "");
		if (rows[i].nr_runs > 1)
			assert_int_equal(plan.runs[1].first, 2);
		assert_true(plan.out.has[OUT_VIDEO] && plan.out.has[OUT_AUDIO]);
		assert_false(plan.out.has[OUT_ID3]);
		assert_true(plan.sound.size > 7);
		/* Where it must not change it is an error, with the reason. */
		spec.mixed = CUT_MIXED_ERROR;
		assert_int_equal(try(quality, &spec, &plan, &e),
				 rows[i].warning ? ERR_FORMAT : ERR_OK);
		/* And where it is encoded there is nothing to warn of. */
		spec.mixed = CUT_MIXED_TRANSCODE;
		assert_int_equal(try(quality, &spec, &plan, &e), ERR_OK);
		check_runs(&plan);
		assert_null(strstr(plan.warnings->data, "format-change"));
		assert_int_equal(plan.shape.width, 160);
	}
}

static void test_format(void **state)
{
	struct cut_spec spec = cut_spec_of(&all_ms, 1);
	struct cutplan *plan = cut_plan_well("base", &spec);
	const struct cut_format *f = &plan->formats[0];

	UNUSED(state);
	assert_int_equal(f->video_type, TYPE_H264);
	assert_int_equal(f->audio_type, TYPE_ADTS);
	assert_int_equal(f->look.width, 160);
	assert_int_equal(f->look.height, 90);
	assert_int_equal(f->audio.rate, 48000);
	assert_int_equal(f->audio.channels, 1);
	assert_int_equal(f->audio.object_type, 2);
	for (size_t i = 0; i < 4; i++) {
		const struct cut_piece *p = &plan->pieces[i];

		assert_true(p->is_plain && p->has_video && p->has_audio);
		/* The lead of the sound moves each part by a frame of it. */
		assert_in_range(p->dts - plan->pieces[0].dts -
					(int64_t)i * 180000 + 2000,
				0, 4000);
	}
}

/* Times pass 2^33 within a run. */
static void test_wrap(void **state)
{
	struct cut_spec spec = cut_spec_of(&all_ms, 1);
	struct cutplan *plan;

	UNUSED(state);
	cut_segments("wrap", 0, 4, VIDEO SOUND STILL "-output_ts_offset 95438");
	cut_segments("wrap", 4, 4, VIDEO SOUND STILL "-output_ts_offset 95442");
	plan = cut_plan_well("wrap", &spec);
	check_runs(plan);
	assert_int_equal(plan->nr_runs, 1);
	assert_int_equal(plan->pieces[3].dts - plan->pieces[0].dts, 540000);
}

static void test_holes(void **state)
{
	static const struct cut_ms ms[] = { { 0, 8000 }, { 4000, 8000 } };
	struct cut_spec spec = cut_spec_of(ms, 2);
	struct cutplan plan;
	struct errmsg e;

	UNUSED(state);
	cut_segments("hole", 0, 8,
		     "-f lavfi -i testsrc2=s=160x90:r=30:d=8 " CUT_X264);
	unlinkat(unit_fd, cut_segment("hole", 2), 0);
	assert_int_equal(try("hole", &spec, &plan, &e), ERR_HOLES);
	spec.allow_holes = true;
	assert_int_equal(try("hole", &spec, &plan, &e), ERR_OK);
	check_runs(&plan);
	assert_int_equal(plan.nr_runs, 3);
	assert_int_equal(plan.runs[0].last, 0);
	assert_int_equal(plan.runs[1].last, 2);
	assert_int_equal(plan.runs[2].first, 3);
	assert_false(plan.out.has[OUT_AUDIO]);
	assert_int_equal(plan.sound.size, 0);
}

static void test_transitions(void **state)
{
	static const struct cut_ms ms[] = { { 0, 3000 },
					    { 4000, 8000 },
					    { 0, 2000 } };
	static const struct transition both[] = { { "fade", 500000 },
						  { NULL, 0 } };
	static const struct cut_ms radio[] = { { 0, 3000 }, { 5000, 8000 } };
	struct cut_spec spec = cut_spec_of(ms, 3);
	struct cutplan plan;
	struct errmsg e;

	UNUSED(state);
	spec.transitions = both;
	spec.nr_transitions = 2;
	assert_int_equal(try("base", &spec, &plan, &e), ERR_OK);
	check_runs(&plan);
	assert_int_equal(plan.nr_runs, 3);
	assert_ptr_equal(plan.runs[0].out, &both[0]);
	assert_ptr_equal(plan.runs[1].in, &both[0]);
	assert_null(plan.runs[1].out);
	assert_null(plan.runs[2].in);
	/* The second range has no pictures. */
	spec = cut_spec_of(radio, 2);
	spec.transitions = both;
	spec.nr_transitions = 1;
	copy_base("radio");
	cut_segments("radio", 4, 4, SOUND CUT_AAC ON);
	assert_int_equal(try("radio", &spec, &plan, &e), ERR_FORMAT);
	/* A break within a range is no place for one. */
	spec = cut_spec_of(&all_ms, 1);
	spec.transitions = both;
	spec.nr_transitions = 1;
	assert_int_equal(try("radio", &spec, &plan, &e), ERR_OK);
	assert_int_equal(plan.nr_runs, 2);
	assert_null(plan.runs[0].out);
}

static void test_hevc(void **state)
{
	static const struct cut_ms ms = { 0, 2000 };
	struct cut_spec spec = cut_spec_of(&ms, 1);
	struct cutplan plan;
	struct errmsg e;

	UNUSED(state);
	if (system("ffmpeg -v error -encoders | grep -q libx265") != 0) {
		print_message("# SKIP: ffmpeg has no libx265\n");
		skip();
	}
	cut_segments("hevc", 0, 2,
		     "-f lavfi -i testsrc2=s=160x90:r=30:d=2 -c:v libx265 "
		     "-preset ultrafast -x265-params log-level=none");
	assert_int_equal(try("hevc", &spec, &plan, &e), ERR_FORMAT);
	assert_non_null(strstr(e.text, "HEVC"));
	spec.any_codec = true;
	assert_int_equal(try("hevc", &spec, &plan, &e), ERR_OK);
	assert_int_equal(plan.formats[0].video_type, TYPE_HEVC);
}

/* Files that are none, or not where packets should be. */
static void test_damage(void **state)
{
	static const char noise[1000] = "noise";
	struct cut_spec spec = cut_spec_of(&all_ms, 1);
	const char *path = cut_segment("base", 2);
	size_t len = 0;
	char *data = unit_read(unit_fd, path, &len);
	char *moved = malloc(len + 3);
	struct cutplan plan;
	struct errmsg e;

	UNUSED(state);
	assert_non_null(data);
	assert_non_null(moved);
	unit_write(unit_fd, path, noise, sizeof(noise));
	assert_int_equal(try("base", &spec, &plan, &e), ERR_MEDIA);
	assert_null(strstr(e.text, unit_dir));
	unit_write(unit_fd, path, "", 0);
	assert_int_equal(try("base", &spec, &plan, &e), ERR_MEDIA);
	/* Noise in front, or within: read, but not copied as it lies. */
	memcpy(moved, "abc", 3);
	memcpy(moved + 3, data, len);
	unit_write(unit_fd, path, moved, len + 3);
	assert_int_equal(try("base", &spec, &plan, &e), ERR_OK);
	check_runs(&plan);
	assert_int_equal(plan.nr_runs, 1);
	assert_true(plan.pieces[0].is_plain);
	assert_false(plan.pieces[1].is_plain);
	memcpy(moved, data, len / 2);
	memcpy(moved + len / 2, "abc", 3);
	memcpy(moved + len / 2 + 3, data + len / 2, len - len / 2);
	unit_write(unit_fd, path, moved, len + 3);
	assert_int_equal(try("base", &spec, &plan, &e), ERR_OK);
	assert_false(plan.pieces[1].is_plain);
	unit_write(unit_fd, path, data, len);
	free(moved);
	free(data);
}

static void test_id3(void **state)
{
	struct cut_spec spec = cut_spec_of(&all_ms, 1);
	struct cutplan *plan;

	UNUSED(state);
	/* In one of the parts is enough. */
	copy_base("tags");
	cut_segments("tags", 4, 4, VIDEO SOUND STILL ON);
	cut_add_id3("tags", 6, 2);
	plan = cut_plan_well("tags", &spec);
	check_runs(plan);
	assert_int_equal(plan->nr_runs, 1);
	assert_true(plan->out.has[OUT_ID3]);
}

#define TEST(name) cmocka_unit_test_setup(name, need_ffmpeg)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_second_parts), TEST(test_format),
		TEST(test_wrap),	 TEST(test_holes),
		TEST(test_transitions),	 TEST(test_hevc),
		TEST(test_damage),	 TEST(test_id3),
	};

	return cmocka_run_group_tests(tests, begin, seq_end);
}
