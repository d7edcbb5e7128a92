/*
 * test_tsfile.c - segments taken apart, against what ffprobe says of them.
 *
 * The segments are made by the ffmpeg program; without it only hostile input
 * is tested, and the rest is skipped aloud.
 */
#include "config.h"

#include "media/tsfile.h"

#include "unit.h"

static char *dir;
static struct arena arena;

#define VIDEO "-f lavfi -i testsrc2=s=320x180:r=30:d=2 "
#define SOUND "-f lavfi -i sine=r=48000:d=2 "
#define X264  "-c:v libx264 -preset veryfast -g 30 -sc_threshold 0 "

static const struct {
	const char *what;
	const char *args;
} sources[] = {
	{ "no B-frames", VIDEO SOUND X264 "-bf 0 -c:a aac" },
	{ "B-frames", VIDEO SOUND X264 "-bf 2 -c:a aac" },
	{ "pyramid",
	  VIDEO SOUND X264 "-bf 4 -x264-params b-pyramid=normal -c:a aac" },
	{ "44.1 kHz",
	  VIDEO "-f lavfi -i sine=r=44100:d=2 " X264 "-bf 0 -c:a aac" },
	{ "past 2^33",
	  VIDEO SOUND X264 "-bf 2 -c:a aac -output_ts_offset 95442.5" },
	{ "no sound", VIDEO X264 "-bf 2" },
	{ "no video", SOUND "-c:a aac" },
	{ "open GOP",
	  VIDEO SOUND X264 "-bf 2 -x264-params open-gop=1 -c:a aac" },
};

static bool has_ffmpeg(void)
{
	return system("ffmpeg -version >/dev/null 2>&1 && "
		      "ffprobe -version >/dev/null 2>&1") == 0;
}

static int begin(void **state)
{
	UNUSED(state);
	dir = unit_new_dir(NULL);
	arena_init(&arena);
	return 0;
}

static int end(void **state)
{
	UNUSED(state);
	arena_release(&arena);
	unit_remove(dir);
	free(dir);
	return 0;
}

static void make(const char *args, char path[600])
{
	char command[2000];

	snprintf(path, 600, "%s/x.ts", dir);
	snprintf(command, sizeof(command),
		 "ffmpeg -v error -nostdin -y -bitexact %s -f mpegts '%s'",
		 args, path);
	if (system(command) != 0)
		fail_msg("ffmpeg failed: %s", command);
}

/* A packet as ffprobe lists it. */
struct packet {
	int64_t pts;
	int64_t dts;
	int size;
	bool is_key;
};

/* The packets of a kind of stream, "v" or "a"; how many. */
static size_t probe(const char *path, const char *stream,
		    struct packet *packets, size_t max)
{
	char command[1200];
	char line[300];
	size_t nr = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "ffprobe -v error -correct_ts_overflow 0 -select_streams %s "
		 "-show_entries packet=pts,dts,size,flags -of "
		 "compact=p=0:nk=1 '%s'",
		 stream, path);
	f = popen(command, "re");
	assert_non_null(f);
	while (f && fgets(line, sizeof(line), f) && nr < max) {
		char flags[8] = "";
		long long pts, dts;

		if (sscanf(line, "%lld|%lld|%d|%7s", &pts, &dts,
			   &packets[nr].size, flags) != 4)
			continue;
		packets[nr].pts = pts;
		packets[nr].dts = dts;
		packets[nr++].is_key = flags[0] == 'K';
	}
	pclose(f);
	return nr;
}

static struct tsfile *read_file(const char *path)
{
	struct tsfile *file = NULL;
	struct errmsg e = { "" };
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(tsfile_read(&arena, fd, TS_NONE, &file, &e), ERR_OK);
	close(fd);
	assert_non_null(file);
	return file;
}

static bool is_same_time(int64_t a, int64_t b)
{
	int64_t diff = (a - b) & (TS_WRAP - 1);

	return diff <= 1 || diff == TS_WRAP - 1;
}

static void compare_video(const struct tsfile *file, const char *path)
{
	static struct packet packets[1000];
	size_t nr = probe(path, "v", packets, ARRAY_SIZE(packets));
	size_t nr_key = 0;

	assert_int_equal(file->nr_units, nr);
	for (size_t i = 0; i < nr; i++) {
		const struct unit *unit = &file->units[i];
		bool is_entry = unit->flags & (UNIT_IDR | UNIT_RECOVERY);

		assert_true(is_same_time(unit->pts, packets[i].pts));
		assert_true(is_same_time(unit->dts, packets[i].dts));
		assert_int_equal(unit->size, packets[i].size);
		assert_int_equal(is_entry, packets[i].is_key);
		assert_int_equal(unit->nr_auds, 1);
		assert_false(unit->flags & UNIT_CUT);
		if (packets[i].is_key)
			assert_true(unit->flags & UNIT_SPS &&
				    unit->flags & UNIT_PPS);
		/* In order of decoding, all through a wrap. */
		assert_true(!i || unit->dts > file->units[i - 1].dts);
		assert_true(unit->pts >= unit->dts);
		nr_key += packets[i].is_key;
	}
	assert_true(!nr || nr_key >= 2);
}

static void compare_audio(const struct tsfile *file, const char *path)
{
	static struct packet packets[1000];
	size_t nr = probe(path, "a", packets, ARRAY_SIZE(packets));

	assert_int_equal(file->nr_frames, nr);
	for (size_t i = 0; i < nr; i++) {
		assert_true(is_same_time(file->frames[i].pts, packets[i].pts));
		assert_int_equal(file->frames[i].size, packets[i].size);
	}
}

/* Read for its sound alone it has the same sound, and the same times. */
static void compare_sound(const struct tsfile *file, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct tsfile *sound;
	struct errmsg e;

	assert_true(fd >= 0);
	assert_int_equal(tsfile_read_sound(&arena, fd, &sound, &e), ERR_OK);
	close(fd);
	assert_int_equal(sound->first_pts, file->first_pts);
	assert_int_equal(sound->last_pts, file->last_pts);
	assert_int_equal(sound->nr_units, file->nr_units);
	assert_int_equal(sound->nr_frames, file->nr_frames);
	for (size_t i = 0; i < file->nr_frames; i++) {
		assert_int_equal(sound->frames[i].pts, file->frames[i].pts);
		assert_int_equal(sound->frames[i].size, file->frames[i].size);
		assert_memory_equal(sound->frames[i].data, file->frames[i].data,
				    file->frames[i].size);
	}
}

static void test_sources(void **state)
{
	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		char path[600];
		struct tsfile *file;

		print_message("# %s\n", sources[i].what);
		make(sources[i].args, path);
		file = read_file(path);
		assert_int_equal(file->skipped, 0);
		compare_video(file, path);
		compare_audio(file, path);
		compare_sound(file, path);
		assert_true(file->first_pts < file->last_pts);
		assert_true(file->last_pts - file->first_pts < 3 * TS_HZ);
		assert_true(file->pcr != TS_NONE);
		arena_reset(&arena);
	}
}

/* A partial file, noise in front, and packets out of step in the middle. */
static void test_damage(void **state)
{
	static const struct {
		const char *what;
		const char *command; /* makes y.ts of x.ts */
		size_t skipped;	     /* 0: any */
	} rows[] = {
		{ "cut in a packet", "head -c 50000 x.ts >y.ts",
		  50000 % TS_PACKET },
		{ "noise in front", "{ head -c 77 /dev/zero; cat x.ts; } >y.ts",
		  77 },
		{ "bytes lost inside",
		  "{ head -c 30000 x.ts; tail -c +30101 x.ts; } >y.ts", 0 },
		{ "bytes lost behind the tables",
		  "{ head -c 1000 x.ts; tail -c +1004 x.ts; } >y.ts", 0 },
	};

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char command[1200];
		char path[600];
		struct tsfile *file;

		print_message("# %s\n", rows[i].what);
		make(sources[1].args, path);
		snprintf(command, sizeof(command), "cd '%s' && %s", dir,
			 rows[i].command);
		assert_int_equal(system(command), 0);
		snprintf(path, sizeof(path), "%s/y.ts", dir);
		file = read_file(path);
		if (rows[i].skipped)
			assert_int_equal(file->skipped, rows[i].skipped);
		assert_true(file->nr_units > 5);
		assert_true(file->nr_frames > 5);
		compare_sound(file, path);
		for (size_t k = 0; k < file->nr_packets; k++)
			assert_int_equal(file->packets[k * TS_PACKET], TS_SYNC);
		arena_reset(&arena);
	}
}

/* Any bytes at all: an error or a file, and never a read outside of it. */
static void test_hostile(void **state)
{
	uint64_t seed = 5;
	struct errmsg e;

	UNUSED(state);
	for (int round = 0; round < 2000; round++) {
		size_t size = unit_random(&seed) % (40 * TS_PACKET);
		uint8_t *data = malloc(size + 1);
		struct tsfile *file = NULL;

		assert_non_null(data);
		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)unit_random(&seed);
		for (size_t i = 0; i < size; i += TS_PACKET)
			if (unit_random(&seed) % 9)
				data[i] = TS_SYNC;
		if (tsfile_parse(&arena, data, size, TS_NONE, &file, &e))
			assert_null(file);
		arena_reset(&arena);
		free(data);
	}
}

/* Real files with bytes changed: whatever they say must hold together. */
static void test_flips(void **state)
{
	uint64_t seed = 6;
	char path[600];
	struct stat st;
	uint8_t *data;
	int fd;

	UNUSED(state);
	if (!has_ffmpeg()) {
		print_message("# SKIP: no ffmpeg program\n");
		skip();
	}
	make(sources[1].args, path);
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size);
	assert_non_null(data);
	for (int round = 0; round < 300; round++) {
		struct tsfile *file = NULL;
		struct errmsg e;
		size_t total = 0;

		assert_int_equal(pread(fd, data, (size_t)st.st_size, 0),
				 st.st_size);
		for (int k = 0; k < 40; k++)
			data[unit_random(&seed) % (uint64_t)st.st_size] =
				(uint8_t)unit_random(&seed);
		if (tsfile_parse(&arena, data, (size_t)st.st_size, TS_NONE,
				 &file, &e) == ERR_OK) {
			for (size_t i = 0; i < file->nr_units; i++)
				total += file->units[i].size;
			for (size_t i = 0; i < file->nr_frames; i++)
				total += file->frames[i].size;
			assert_true(total <= (size_t)st.st_size);
		}
		arena_reset(&arena);
	}
	free(data);
	close(fd);
}

static void test_refused(void **state)
{
	static const struct {
		const char *what;
		size_t size;
	} rows[] = { { "empty", 0 }, { "short", 100 }, { "zeros", 10000 } };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static const uint8_t zeros[10000];
		struct tsfile *file = NULL;
		struct errmsg e = { "" };

		print_message("# %s\n", rows[i].what);
		assert_int_equal(tsfile_parse(&arena, zeros, rows[i].size,
					      TS_NONE, &file, &e),
				 ERR_MEDIA);
		assert_null(file);
		assert_non_null(strstr(e.text, "MPEG-TS"));
	}
}

static void test_adts_header(void **state)
{
	static const uint32_t rates[] = { 96000, 48000, 44100, 7350 };
	static const size_t sizes[] = { 7, 8, 371, 2048, ADTS_MAX_FRAME };
	static uint8_t frame[ADTS_MAX_FRAME];

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		for (unsigned channels = 1; channels < 8; channels++)
			for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
				struct audio_format format = { 0 };

				adts_lc_header(rates[i], channels, frame);
				adts_set_size(frame, sizes[k]);
				adts_set_size(frame, sizes[k]);
				assert_int_equal(
					adts_frame(frame, sizes[k], &format),
					sizes[k]);
				assert_int_equal(format.object_type, 2);
				assert_int_equal(format.rate, rates[i]);
				assert_int_equal(format.channels, channels);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_adts_header),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
