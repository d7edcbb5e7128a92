/*
 * test_probe.c - what a segment is, against what ffprobe says it is.
 *
 * The segments are made by the ffmpeg program; without it only hostile input
 * is tested.
 */
#include "config.h"

#include "unit.h"

#include <sys/mman.h>
#include <time.h>

#include "media/probe.h"

#define PICTURE(size, rate, seconds) \
	"-f lavfi -i testsrc2=s=" size ":r=" rate ":d=" seconds " "
#define SOUND(seconds) "-f lavfi -i sine=r=48000:d=" seconds " "
#define X264(profile, level) \
	"-c:v libx264 -preset veryfast -pix_fmt yuv420p -threads 1 " \
	"-profile:v " profile " -level " level " "
#define X265 \
	"-c:v libx265 -preset ultrafast -threads 1 " \
	"-x265-params log-level=none:level-idc=31:pools=none "

/* A text of ours for an answer: "codecs widthxheight num/den". */
#define ANSWER_BYTES 128

struct row {
	const char *name;	/* of the file to make */
	const char *encoders;	/* of ffmpeg that it needs, " a b " */
	const char *args;	/* of ffmpeg */
	const char *through;	/* made first and copied from, or NULL */
	const char *want;
};

static const struct row rows[] = {
	{ "baseline.ts", " libx264 aac ",
	  PICTURE("640x360", "30000/1001", "1") SOUND("1")
	  X264("baseline", "3.0") "-c:a aac",
	  NULL, "avc1.42C01E,mp4a.40.2 640x360 30000/1001" },
	{ "main.ts", " libx264 aac ",
	  PICTURE("426x240", "24000/1001", "2") SOUND("2")
	  X264("main", "3.1") "-bf 2 -c:a aac -ar 44100",
	  NULL, "avc1.4D401F,mp4a.40.2 426x240 24000/1001" },
	{ "high.ts", " libx264 aac ",
	  PICTURE("1920x1080", "60", "0.5") SOUND("0.5")
	  X264("high", "4.2") "-bf 3 -c:a aac",
	  NULL, "avc1.64002A,mp4a.40.2 1920x1080 60/1" },
	{ "ntsc60.ts", " libx264 libmp3lame ",
	  PICTURE("854x480", "60000/1001", "1") SOUND("1")
	  X264("high", "3.2") "-c:a libmp3lame",
	  NULL, "avc1.640020,mp4a.40.34 854x480 60000/1001" },
	{ "ten-bit.ts", " libx264 mp2 ",
	  PICTURE("640x360", "50", "1") SOUND("1")
	  X264("high10", "4.0") "-pix_fmt yuv420p10 -c:a mp2",
	  NULL, "avc1.6E0028,mp4a.40.33 640x360 50/1" },
	{ "interlaced.ts", " libx264 ac3 ",
	  PICTURE("720x576", "25", "1") SOUND("1")
	  X264("high", "3.0") "-flags +ildct+ilme -c:a ac3",
	  NULL, "avc1.64001E,ac-3 720x576 25/1" },
	{ "no-audio.ts", " libx264 ",
	  PICTURE("640x360", "15", "2") X264("high", "3.1"),
	  NULL, "avc1.64001F 640x360 15/1" },
	{ "odd-rate.ts", " libx264 ",
	  PICTURE("640x360", "25/2", "2") X264("high", "3.1"),
	  NULL, "avc1.64001F 640x360 25/2" },
	{ "hole.ts", " libx264 ",
	  PICTURE("640x360", "30", "2") X264("high", "3.1")
	  "-vf \"select='not(between(n,4,17))'\" -fps_mode vfr",
	  NULL, "avc1.64001F 640x360 30/1" },
	{ "open-gop.ts", " libx264 aac ",
	  PICTURE("640x360", "60", "2") SOUND("2") X264("high", "3.1")
	  "-bf 4 -g 30 -x264-params open-gop=1:b-pyramid=normal -c:a aac",
	  NULL, "avc1.64001F,mp4a.40.2 640x360 60/1" },
	/* The times pass 2^33 after 0.3 s. */
	{ "wrap.ts", " libx264 aac ",
	  PICTURE("640x360", "60", "2") SOUND("2") X264("high", "3.1")
	  "-bf 2 -output_ts_offset 95442 -c:a aac",
	  NULL, "avc1.64001F,mp4a.40.2 640x360 60/1" },
	/* FLV has whole milliseconds, as what comes by RTMP. */
	{ "ms60.ts", " libx264 aac ",
	  PICTURE("640x360", "60", "2") SOUND("2")
	  X264("high", "3.1") "-bf 2 -c:a aac",
	  "ms60.flv", "avc1.64001F,mp4a.40.2 640x360 60/1" },
	{ "ms59.ts", " libx264 aac ",
	  PICTURE("640x360", "60000/1001", "2") SOUND("2")
	  X264("high", "3.1") "-c:a aac",
	  "ms59.flv", "avc1.64001F,mp4a.40.2 640x360 60000/1001" },
	{ "ms24.ts", " libx264 aac ",
	  PICTURE("640x360", "24", "2") SOUND("2")
	  X264("high", "3.1") "-c:a aac",
	  "ms24.flv", "avc1.64001F,mp4a.40.2 640x360 24/1" },
	{ "hevc.ts", " libx265 eac3 ",
	  PICTURE("640x360", "30", "1") SOUND("1")
	  X265 "-pix_fmt yuv420p -c:a eac3",
	  NULL, "hvc1.1.6.L93.90,ec-3 640x360 30/1" },
	{ "hevc10.ts", " libx265 libopus ",
	  PICTURE("1280x720", "24000/1001", "1") SOUND("1")
	  X265 "-pix_fmt yuv420p10 -c:a libopus",
	  NULL, "hvc1.2.4.L93.90,opus 1280x720 24000/1001" },
	{ "audio.ts", " aac ", SOUND("1") "-c:a aac -ar 44100",
	  NULL, "mp4a.40.2 0x0 0/0" },
	{ "audio22.ts", " aac ", SOUND("1") "-c:a aac -ar 22050",
	  NULL, "mp4a.40.2 0x0 0/0" },
	{ "audio-mp3.ts", " libmp3lame ", SOUND("1") "-c:a libmp3lame",
	  NULL, "mp4a.40.34 0x0 0/0" },
	{ "latm.ts", " libx264 aac ",
	  PICTURE("640x360", "30", "1") SOUND("1") X264("high", "3.1")
	  "-mpegts_flags latm -c:a aac",
	  NULL, "avc1.64001F,mp4a.40.2 640x360 30/1" },
	{ "same-audio.ts", " libx264 aac ",
	  PICTURE("640x360", "30", "1") SOUND("1") X264("high", "3.1")
	  "-map 1 -map 0 -map 1 -c:a aac",
	  NULL, "avc1.64001F,mp4a.40.2 640x360 30/1" },
	{ "more-audio.ts", " libx264 aac ac3 ",
	  PICTURE("640x360", "30", "1") SOUND("1") X264("high", "3.1")
	  "-map 1 -map 0 -map 1 -c:a aac -c:a:1 ac3",
	  NULL, "avc1.64001F,mp4a.40.2,ac-3 640x360 30/1" },
	/* A codec without a name: nothing is named rather than half of it. */
	{ "mpeg2.ts", " mpeg2video aac ",
	  PICTURE("720x480", "30000/1001", "1") SOUND("1")
	  "-c:v mpeg2video -c:a aac",
	  NULL, " 720x480 30000/1001" },
};

static char *encoders;		/* what ffmpeg lists; NULL without ffmpeg */

/* ---- running programs ---- */

/* What a command prints; free() it. */
static char *output_of(const char *command)
{
	FILE *f = popen(command, "re");
	size_t size = 256 * 1024;
	char *text = calloc(1, size);

	assert_non_null(f);
	assert_non_null(text);
	text[fread(text, 1, size - 1, f)] = '\0';
	pclose(f);
	return text;
}

static int begin(void **state)
{
	encoders = output_of("ffmpeg -hide_banner -encoders 2>/dev/null");
	if (!*encoders) {
		free(encoders);
		encoders = NULL;
	}
	return unit_begin(state);
}

static int end(void **state)
{
	free(encoders);
	return unit_end(state);
}

static void skip_without_ffmpeg(void)
{
	if (encoders)
		return;
	print_message("# SKIP: no ffmpeg program\n");
	skip();
}

static bool has_encoders(const char *wanted)
{
	char name[64];
	int len;

	for (; sscanf(wanted, " %61s%n", name + 1, &len) == 1; wanted += len) {
		name[0] = ' ';
		strcat(name, " ");
		if (!strstr(encoders, name))
			return false;
	}
	return true;
}

static void run_ffmpeg(const char *args, const char *name)
{
	char command[2048];

	snprintf(command, sizeof(command),
		 "cd '%s' && ffmpeg -v error -nostdin -y -bitexact %s '%s'",
		 unit_dir, args, name);
	if (system(command) != 0)
		fail_msg("ffmpeg failed: %s", command);
}

/* Makes the file of a row; false, said aloud, if ffmpeg here cannot. */
static bool make_row(const struct row *row)
{
	char copy[128];

	if (!has_encoders(row->encoders)) {
		print_message("# SKIP %s: ffmpeg lacks one of%s\n", row->name,
			      row->encoders);
		return false;
	}
	if (faccessat(unit_fd, row->name, R_OK, 0) == 0)
		return true;
	if (!row->through) {
		run_ffmpeg(row->args, row->name);
		return true;
	}
	run_ffmpeg(row->args, row->through);
	snprintf(copy, sizeof(copy), "-i '%s' -c copy", row->through);
	run_ffmpeg(copy, row->name);
	return true;
}

static const struct row *row_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	BUG("no row '%s'", name);
}

/* The bytes of a row's file; NULL if it cannot be made; free() them. */
static char *read_row(const char *name, size_t *len_r)
{
	return make_row(row_named(name)) ? unit_read(unit_fd, name, len_r)
					 : NULL;
}

/* The first line of what ffprobe says of one stream. */
static char *ffprobe(const char *name, const char *stream, const char *what)
{
	char command[1024];
	char *text;

	snprintf(command, sizeof(command),
		 "ffprobe -v error -select_streams %s -show_entries stream=%s "
		 "-of csv=p=0 '%s/%s' 2>&1", stream, what, unit_dir, name);
	text = output_of(command);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* ---- probing ---- */

/* An anonymous file with these bytes. */
static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, 0), len);
	return fd;
}

static void answer(const struct hour_media *m, char to[ANSWER_BYTES])
{
	snprintf(to, ANSWER_BYTES, "%s %ux%u %u/%u", m->codecs, m->width,
		 m->height, m->rate_num, m->rate_den);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void check_fd(int fd, const char *want)
{
	char got[ANSWER_BYTES];
	struct hour_media m;
	struct errmsg e = { "" };
	double began;

	memset(&m, 0x5a, sizeof(m));
	began = cpu_ms();
	if (probe_segment(fd, &m, &e) != ERR_OK)
		fail_msg("%s", e.text);
	answer(&m, got);
	print_message("#   %s in %.2f ms\n", got, cpu_ms() - began);
	assert_string_equal(got, want);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
}

static void check_file(const char *name, const char *want)
{
	int fd = openat(unit_fd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	check_fd(fd, want);
	close(fd);
}

static unsigned h264_profile(const char *name)
{
	static const struct {
		const char *name;
		unsigned idc;
	} profiles[] = {
		{ "Constrained Baseline", 66 }, { "Baseline", 66 },
		{ "Main", 77 }, { "High", 100 }, { "High 10", 110 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		if (!strcmp(profiles[i].name, name))
			return profiles[i].idc;
	return 0;
}

/* What ffprobe says of the video must be in the answer we want. */
static void check_video(const struct row *row)
{
	char *text = ffprobe(row->name, "v:0", "profile,width,height,level,"
					       "r_frame_rate");
	char profile[64] = "";
	char tail[64];
	unsigned width = 0;
	unsigned height = 0;
	unsigned level = 0;
	char rate[32] = "0/0";
	unsigned got[3];

	print_message("#   ffprobe: %s\n", text);
	sscanf(text, "%63[^,],%u,%u,%u,%31[0-9/]", profile, &width, &height,
	       &level, rate);
	snprintf(tail, sizeof(tail), " %ux%u %s", width, height, rate);
	assert_string_equal(strchr(row->want, ' '), tail);
	if (sscanf(row->want, "avc1.%2x%2x%2x", &got[0], &got[1], &got[2])
	    == 3) {
		assert_int_equal(got[0], h264_profile(profile));
		assert_int_equal(got[2], level);
	}
	if (sscanf(row->want, "hvc1.%u.%x.L%u", &got[0], &got[1], &got[2])
	    == 3) {
		assert_int_equal(got[0], strcmp(profile, "Main") ? 2 : 1);
		assert_int_equal(got[2], level);
	}
	free(text);
}

static void check_audio(const char *name, const char *want)
{
	static const struct {
		const char *told;
		const char *name;
	} names[] = {
		{ "aac,LC", "mp4a.40.2" },   { "aac_latm,LC", "mp4a.40.2" },
		{ "aac,HE-AAC", "mp4a.40.5" }, { "aac,HE-AACv2", "mp4a.40.29" },
		{ "mp2", "mp4a.40.33" },     { "mp3", "mp4a.40.34" },
		{ "ac3", "ac-3" },	     { "eac3", "ec-3" },
		{ "opus", "opus" },	     { "", "" },
	};
	char *text = ffprobe(name, "a:0", "codec_name,profile");
	char *unknown = strstr(text, ",unknown");
	size_t i = 0;

	print_message("#   ffprobe: %s\n", text);
	if (unknown)
		*unknown = '\0';
	while (i < ARRAY_SIZE(names) && strcmp(names[i].told, text))
		i++;
	assert_in_range(i, 0, ARRAY_SIZE(names) - 1);
	assert_non_null(strstr(want, names[i].name));
	free(text);
}

static void test_segments(void **state)
{
	UNUSED(state);
	skip_without_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("# %s\n", rows[i].name);
		if (!make_row(&rows[i]))
			continue;
		check_file(rows[i].name, rows[i].want);
		check_video(&rows[i]);
		if (*rows[i].want != ' ')
			check_audio(rows[i].name, rows[i].want);
	}
	assert_int_equal(unit_logged("\n"), 0);
}

/* ---- AAC with SBR, which the encoders of ffmpeg cannot make ---- */

struct bits {
	uint8_t bytes[64];
	unsigned nr;
};

static void put(struct bits *b, unsigned nr, unsigned value)
{
	while (nr-- > 0) {
		if (value >> nr & 1)
			b->bytes[b->nr / 8] |= (uint8_t)(0x80 >> b->nr % 8);
		b->nr++;
	}
}

/* ISO/IEC 13818-7 6.2: a frame of silence at 24 kHz, and an SBR extension. */
static size_t make_sbr_frame(unsigned nr_channels, uint8_t to[64])
{
	struct bits b = { .nr = 56 };
	unsigned len;

	put(&b, 3, nr_channels == 2);	/* CPE or SCE */
	put(&b, 4, 0);			/* tag */
	if (nr_channels == 2) {
		put(&b, 1, 1);		/* common window */
		put(&b, 11, 0);		/* long window without bands */
		put(&b, 2, 0);		/* no mid and side */
	}
	for (unsigned i = 0; i < nr_channels; i++) {
		put(&b, 8, 100);	/* gain */
		if (nr_channels == 1)
			put(&b, 11, 0);
		put(&b, 3, 0);		/* no pulses, TNS, gain control */
	}
	put(&b, 3, 6);			/* FIL */
	put(&b, 4, 4);			/* bytes */
	put(&b, 4, 13);			/* EXT_SBR_DATA */
	put(&b, 28, 0);
	put(&b, 3, 7);			/* END */
	len = (b.nr + 7) / 8;
	b.nr = 0;
	put(&b, 16, 0xfff1);
	put(&b, 2, 1);			/* AAC LC */
	put(&b, 4, 6);			/* 24 kHz */
	put(&b, 1, 0);
	put(&b, 3, nr_channels);
	put(&b, 4, 0);
	put(&b, 13, len);
	put(&b, 11, 0x7ff);
	put(&b, 2, 0);
	memcpy(to, b.bytes, sizeof(b.bytes));
	return len;
}

static void test_sbr(void **state)
{
	/* One channel with SBR is what FFmpeg takes for parametric stereo. */
	static const char *const want[] = {
		NULL, "mp4a.40.29 0x0 0/0", "mp4a.40.5 0x0 0/0",
	};
	uint8_t frame[64];
	uint8_t file[64 * 64];

	UNUSED(state);
	skip_without_ffmpeg();
	for (unsigned channels = 1; channels <= 2; channels++) {
		size_t len = make_sbr_frame(channels, frame);

		for (unsigned i = 0; i < 64; i++)
			memcpy(file + i * len, frame, len);
		unit_write(unit_fd, "sbr.aac", file, 64 * len);
		run_ffmpeg("-f aac -i sbr.aac -c copy", "sbr.ts");
		print_message("# %u channels\n", channels);
		check_file("sbr.ts", want[channels]);
		check_audio("sbr.ts", want[channels]);
	}
}

/* ---- pieces of segments ---- */

static void test_from_the_middle(void **state)
{
	const char *want = row_named("open-gop.ts")->want;
	size_t len;
	char *data;

	UNUSED(state);
	skip_without_ffmpeg();
	data = read_row("open-gop.ts", &len);
	for (size_t from = 0; data && from < len / 2; from += 40 * 188 + 47) {
		int fd = memory_file(data + from, len - from);

		print_message("# from byte %zu of %zu\n", from, len);
		check_fd(fd, want);
		close(fd);
	}
	free(data);
}

/* Whatever is cut off: either the whole truth or none of the names. */
static void test_truncated(void **state)
{
	const char *want = row_named("baseline.ts")->want;
	unsigned nr_good = 0;
	size_t len;
	char *data;

	UNUSED(state);
	skip_without_ffmpeg();
	data = read_row("baseline.ts", &len);
	for (size_t to = 0; data && to < len; to += 564) {
		struct hour_media m = { .width = UNIT_UNTOUCHED };
		char got[ANSWER_BYTES];
		struct errmsg e;
		int fd = memory_file(data, to);
		enum err err = probe_segment(fd, &m, &e);

		close(fd);
		answer(&m, got);
		if (err)
			assert_int_equal(m.width, UNIT_UNTOUCHED);
		else if (m.codecs[0])
			assert_string_equal(m.codecs, "avc1.42C01E,mp4a.40.2");
		nr_good += !err && !strcmp(got, want);
	}
	assert_true(!data || nr_good > 0);
	free(data);
}

/* ---- hostile input ---- */

static void check_refused(int fd, enum err want, const char *what)
{
	struct hour_media m = { .width = UNIT_UNTOUCHED };
	struct errmsg e = { "" };

	print_message("# %s\n", what);
	assert_int_equal(probe_segment(fd, &m, &e), want);
	print_message("#   %s\n", e.text);
	assert_true(e.text[0]);
	assert_int_equal(m.width, UNIT_UNTOUCHED);
}

static void test_refused(void **state)
{
	static char data[3 * 1024 * 1024];
	uint64_t seed = 1;
	int fd;

	UNUSED(state);
	check_refused(-1, ERR_IO, "no descriptor");
	check_refused(unit_fd, ERR_IO, "a directory");
	fd = memory_file(data, 0);
	check_refused(fd, ERR_MEDIA, "an empty file");
	close(fd);
	fd = memory_file(data, sizeof(data));
	check_refused(fd, ERR_MEDIA, "zeros");
	close(fd);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)unit_random(&seed);
	fd = memory_file(data, sizeof(data));
	check_refused(fd, ERR_MEDIA, "noise");
	close(fd);
	for (size_t i = 0; i < sizeof(data); i += 188)
		memcpy(data + i, "\x47\x1f\xff\x10", 4);
	fd = memory_file(data, sizeof(data));
	check_refused(fd, ERR_MEDIA, "null packets");
	close(fd);
	memset(data, 0x47, sizeof(data));
	fd = memory_file(data, sizeof(data));
	check_refused(fd, ERR_MEDIA, "sync bytes");
	close(fd);
	/* It is not ours to tell anyone about unless asked. */
	assert_int_equal(unit_logged("\n"), 0);
}

static void test_other_formats(void **state)
{
	static const struct row files[] = {
		{ "x.mp4", " aac ", SOUND("1") "-c:a aac", NULL, NULL },
		{ "x.flv", " aac ", SOUND("1") "-c:a aac -ar 44100", NULL,
		  NULL },
		{ "x.m3u8", " aac ", SOUND("1") "-c:a aac", NULL, NULL },
		{ "only-mpeg2.ts", " mpeg2video ",
		  PICTURE("320x240", "25", "1") "-c:v mpeg2video", NULL, NULL },
	};

	UNUSED(state);
	skip_without_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int fd;

		if (!make_row(&files[i]))
			continue;
		fd = openat(unit_fd, files[i].name, O_RDONLY | O_CLOEXEC);
		check_refused(fd, ERR_MEDIA, files[i].name);
		close(fd);
	}
}

/* libavformat would guess what the streams are; we would not know them all. */
static void test_no_tables(void **state)
{
	size_t len;
	char *data;
	int fd;

	UNUSED(state);
	skip_without_ffmpeg();
	data = read_row("baseline.ts", &len);
	if (!data)
		return;
	for (size_t i = 0; i + 188 <= len; i += 188)
		if ((data[i + 1] & 0x1f) == 0 || (data[i + 1] & 0x1f) == 0x10)
			data[i + 1] = 0x1f;
	fd = memory_file(data, len);
	check_refused(fd, ERR_MEDIA, "a segment without PAT and PMT");
	close(fd);
	free(data);
}

/* Spoils some bytes, more of them where the tables and headers are. */
static void spoil(char *data, size_t len, uint64_t *seed)
{
	unsigned nr = 1 + (unsigned)(unit_random(seed) % 64);

	while (nr-- > 0) {
		uint64_t at = unit_random(seed);

		at = at & 1 ? at / 2 % len : at / 2 % (len < 2048 ? len : 2048);
		data[at] = (char)unit_random(seed);
	}
}

/* Probes anything; returns how long it took. */
static double check_survival(int fd)
{
	struct hour_media m;
	struct errmsg e = { "" };
	double began = cpu_ms();
	enum err err;

	memset(&m, 0x5a, sizeof(m));
	err = probe_segment(fd, &m, &e);
	if (err) {
		assert_int_equal(err, ERR_MEDIA);
		assert_int_equal(m.width, 0x5a5a5a5a);
	} else {
		assert_non_null(memchr(m.codecs, '\0', sizeof(m.codecs)));
		assert_int_equal(m.rate_num == 0, m.rate_den == 0);
		assert_int_equal(m.width == 0, m.height == 0);
	}
	return cpu_ms() - began;
}

static double spoil_often(const char *name, unsigned times)
{
	uint64_t seed = times + (unsigned char)name[0];
	double worst = 0;
	size_t len;
	char *data = read_row(name, &len);
	char *copy = data ? malloc(len) : NULL;

	for (unsigned i = 0; copy && i < times; i++) {
		size_t left = i % 4 ? len : 1 + unit_random(&seed) % len;
		double took;
		int fd;

		memcpy(copy, data, len);
		spoil(copy, left, &seed);
		fd = memory_file(copy, left);
		took = check_survival(fd);
		close(fd);
		if (took > worst)
			worst = took;
	}
	free(copy);
	free(data);
	return worst;
}

/*
 * Reads no picture and no more than 2 MB, so no damage can keep it busy; the
 * limit is wide because the sanitizers and valgrind are slow.
 */
static void test_spoiled(void **state)
{
	static const char *const names[] = {
		"baseline.ts", "hevc.ts", "latm.ts", "audio22.ts", "ms60.ts",
		"more-audio.ts", "mpeg2.ts", "ten-bit.ts",
	};

	UNUSED(state);
	skip_without_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		double worst = spoil_often(names[i], 250);

		print_message("# %s: %.2f ms at worst\n", names[i], worst);
		assert_true(worst < 3000);
	}
	assert_int_equal(unit_logged("\n"), 0);
}

/* What FFmpeg has to say goes to our log, and there only when asked. */
static void test_log(void **state)
{
	size_t len;
	char *data;
	int fd;

	UNUSED(state);
	skip_without_ffmpeg();
	data = read_row("audio22.ts", &len);
	if (!data)
		return;
	/* Frames of AAC that the decoder refuses. */
	for (size_t i = 0; i + 188 <= len; i += 188)
		memset(data + i + 60, 0x55, 100);
	fd = memory_file(data, len);
	log_set_level(LOG_LEVEL_DEBUG);
	check_survival(fd);
	log_set_level(LOG_LEVEL_INFO);
	assert_true(unit_logged(" module=avlog msg=") > 0);
	check_survival(fd);
	assert_int_equal(unit_logged("\n"), 0);
	close(fd);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_sbr),
		cmocka_unit_test(test_from_the_middle),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_formats),
		cmocka_unit_test(test_no_tables),
		cmocka_unit_test(test_spoiled),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
