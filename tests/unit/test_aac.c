/*
 * test_aac.c - frames of AAC decoded, encoded and joined, against what the
 * ffmpeg program decodes.
 *
 * The streams are made by the ffmpeg program; without it only hostile input
 * and silence are tested, and the rest is skipped aloud.  None has substituted
 * noise (PNS), which no two decoders fill alike.
 */
#include "config.h"

#include "media/aac.h"

#include <math.h>

#include "unit.h"

static char *dir;
static struct arena arena;

#define AAC "-c:a aac -aac_pns 0 "
#define TONE                                                                   \
	"-f lavfi -i 'aevalsrc=0.3*sin(2*PI*440*t)|0.2*sin(2*PI*990*t)"        \
	":s=48000:d=2' " AAC "-b:a 160k"
#define NOISE                                                                  \
	"-f lavfi -i anoisesrc=c=pink:r=48000:d=2:a=0.4:seed=3 -ac 2 " AAC     \
	"-b:a 160k"
#define CHORD                                                                  \
	"-f lavfi -i 'aevalsrc=0.2*sin(2*PI*220*t)+0.1*sin(2*PI*3300*t)"       \
	":s=44100:d=2' " AAC "-b:a 80k"
#define NOISE44                                                                \
	"-f lavfi -i anoisesrc=c=pink:r=44100:d=2:a=0.3:seed=4 " AAC "-b:a 80k"
#define MELODY                                                                 \
	"-f lavfi -i 'aevalsrc=0.3*sin(2*PI*220*pow(2\\,floor(mod("            \
	"t*4\\,12))/12)*t)*exp(-6*mod(t\\,0.25))+0.05*(random(0)-0.5)"         \
	":s=48000:d=3' -ac 2 " AAC "-b:a 192k"
#define DRUMS                                                                  \
	"-f lavfi -i 'aevalsrc=(random(0)-0.5)*exp(-30*mod(t\\,0.23))"         \
	"+0.1*sin(2*PI*220*t):s=48000:d=3' -ac 2 " AAC "-b:a 160k"
#define ROOM                                                                   \
	"-f lavfi -i anoisesrc=c=pink:r=48000:d=2:seed=5 "                     \
	"-filter_complex 'asplit=6[a][b][c][d][e][f];[b]volume=0.5[b2];"       \
	"[a][b2][c][d][e][f]join=inputs=6:channel_layout=5.1"                  \
	":map=0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR' " AAC "-b:a 480k"

/* A stream, and its samples as the ffmpeg program decodes them. */
struct stream {
	uint8_t *data; /* kept until the end */
	struct audio_frame *frames;
	size_t nr;
	struct audio_format format;
	unsigned nr_channels;
	float *samples;	   /* interleaved */
	size_t nr_samples; /* of a channel */
};

static bool has_ffmpeg(void)
{
	return system("ffmpeg -version >/dev/null 2>&1") == 0;
}

static void need_ffmpeg(void)
{
	if (has_ffmpeg())
		return;
	print_message("# SKIP: no ffmpeg program\n");
	skip();
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

static void *keep(size_t size)
{
	return arena_alloc(&arena, size);
}

static void run(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* In the directory of the test. */
static void run(const char *fmt, ...)
{
	char command[3000];
	va_list ap;
	int n = snprintf(command, sizeof(command), "cd '%s' && ", dir);

	va_start(ap, fmt);
	vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* A file of the directory, followed by what a decoder may read. */
static void *read_all(const char *name, size_t *size_r)
{
	int fd = unit_open_dir(dir);
	char *data = unit_read(fd, name, size_r);
	void *copy;

	close(fd);
	assert_non_null(data);
	copy = keep(*size_r + TSFILE_PADDING);
	memcpy(copy, data, *size_r);
	free(data);
	return copy;
}

static void split(struct stream *s, size_t size)
{
	s->frames = keep((size / 7 + 1) * sizeof(*s->frames));
	for (size_t at = 0; at < size;) {
		struct audio_frame *frame = &s->frames[s->nr++];

		frame->data = s->data + at;
		frame->size = adts_frame(frame->data, size - at, &s->format);
		assert_true(frame->size);
		at += frame->size;
	}
	s->nr_channels = s->format.channels;
}

/* What the ffmpeg program makes of x.aac. */
static void decode_outside(struct stream *s)
{
	size_t size;

	run("ffmpeg -v error -nostdin -y -i x.aac -f f32le x.pcm 2>x.err");
	s->samples = read_all("x.pcm", &size);
	s->nr_samples = size / sizeof(float) / s->nr_channels;
	assert_int_equal(s->nr_samples, s->nr * AAC_SAMPLES);
	read_all("x.err", &size);
	assert_int_equal(size, 0);
}

static void make(const char *args, struct stream *s)
{
	size_t size;

	*s = (struct stream){ 0 };
	run("ffmpeg -v error -nostdin -y -bitexact %s -f adts x.aac", args);
	s->data = read_all("x.aac", &size);
	split(s, size);
	decode_outside(s);
}

/* ---- decoding ---- */

static const struct {
	const char *what;
	const char *args;
	uint32_t rate;
	unsigned nr_channels;
} sources[] = {
	{ "tone", TONE, 48000, 2 },
	{ "noise", NOISE, 48000, 2 },
	{ "mono", CHORD, 44100, 1 },
	{ "drums", DRUMS, 48000, 2 },
	{ "5.1", ROOM, 48000, 6 },
	{ "8 kHz", NOISE " -ar 8000", 8000, 2 },
	{ "96 kHz", TONE " -ar 96000", 96000, 2 },
};

/* The greatest difference to the stream's samples. */
static float compare(const struct stream *s, const struct pcm *pcm,
		     size_t first)
{
	float worst = 0;

	assert_int_equal(pcm->nr_channels, s->nr_channels);
	assert_int_equal(pcm->rate, s->format.rate);
	for (unsigned c = 0; c < s->nr_channels; c++)
		for (size_t i = 0; i < pcm->nr_samples; i++) {
			size_t at = first * AAC_SAMPLES + i;
			float want = s->samples[at * s->nr_channels + c];

			worst = fmaxf(worst, fabsf(pcm->planes[c][i] - want));
		}
	return worst;
}

static void test_decode(void **state)
{
	UNUSED(state);
	need_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct stream s;
		uint64_t seed = i;

		print_message("# %s\n", sources[i].what);
		make(sources[i].args, &s);
		assert_int_equal(s.format.rate, sources[i].rate);
		assert_int_equal(s.nr_channels, sources[i].nr_channels);
		assert_true(aac_is_plain(s.frames, s.nr));
		for (int round = 0; round < 20; round++) {
			size_t first = unit_random(&seed) % s.nr;
			size_t nr = 1 + unit_random(&seed) % (s.nr - first);
			struct errmsg e = { "" };
			struct pcm pcm;

			if (!round) {
				first = 0;
				nr = s.nr;
			}
			assert_int_equal(aac_decode(&arena, s.frames, s.nr,
						    first, nr, &pcm, &e),
					 ERR_OK);
			assert_int_equal(pcm.nr_samples, nr * AAC_SAMPLES);
			assert_true(compare(&s, &pcm, first) < 1e-5f);
		}
		arena_reset(&arena);
	}
}

/* ---- joins ---- */

/* Frames 0 to a - 1 of one stream, and then another from frame b on. */
struct join {
	const struct stream *left;
	const struct stream *right;
	size_t a;
	size_t b;
	size_t nr_more; /* frames to choose from, of either side */
	bool is_copied;
	/* of the result: */
	struct audio_frame *frames;
	size_t nr;
	float *ideal; /* interleaved */
};

#define BRIDGE	4 /* frames, half of them of either side */
#define FADE_MS 5
#define CHECKED 3 /* frames, on either side of what was encoded */

/* What frame k of the ideal join has, a fade after frame a - 1. */
static void mix(const struct join *j, size_t k, unsigned channel, float *to)
{
	unsigned nr_channels = j->left->nr_channels;
	long fade = (long)j->left->format.rate * FADE_MS / 1000;

	for (size_t i = 0; i < AAC_SAMPLES; i++) {
		long after = (long)(k * AAC_SAMPLES + i) -
			     (long)(j->a * AAC_SAMPLES);
		long in_b = after + (long)(j->b * AAC_SAMPLES);
		size_t in_a = k * AAC_SAMPLES + i;
		float share = (float)after / (float)fade;
		float sum = 0;

		share = fminf(fmaxf(share, 0), 1);
		if (share < 1)
			sum += (1 - share) *
			       j->left->samples[in_a * nr_channels + channel];
		if (share > 0)
			sum += share *
			       j->right->samples[(size_t)in_b * nr_channels +
						 channel];
		to[i] = sum;
	}
}

/* The frames encoded anew, [j->a - half, j->a + half) of the join. */
static struct audio_frame *encode(const struct join *j, size_t half)
{
	struct audio_frame *frames = NULL;
	struct errmsg e = { "" };
	size_t from = j->a - half - AAC_PREROLL;
	size_t nr = AAC_PREROLL + 2 * half + 1;
	struct pcm pcm;

	pcm_init(&arena, j->left->nr_channels, j->left->format.rate,
		 nr * AAC_SAMPLES, &pcm);
	for (size_t k = 0; k < nr; k++)
		for (unsigned c = 0; c < pcm.nr_channels; c++)
			mix(j, from + k, c, pcm.planes[c] + k * AAC_SAMPLES);
	assert_int_equal(aac_encode(&arena, &j->left->frames[j->a], &pcm,
				    2 * half, &frames, &e),
			 ERR_OK);
	assert_non_null(frames);
	return frames;
}

/* Which of the frames encoded are taken: *first_r to *end_r - 1. */
static void choose(const struct join *j, const struct audio_frame *encoded,
		   size_t half, size_t *first_r, size_t *end_r)
{
	size_t nearest = half - BRIDGE / 2;
	enum aac_seam best = AAC_SEAM_BAD + 1;

	for (size_t i = nearest; i > 0; i--) {
		enum aac_seam seam = aac_seam(
			&encoded[i - 1], &j->left->frames[j->a - half + i - 1]);

		if (seam < best) {
			best = seam;
			*first_r = i;
		}
	}
	best = AAC_SEAM_BAD + 1;
	for (size_t i = half + BRIDGE / 2; i <= 2 * half; i++) {
		enum aac_seam seam =
			aac_seam(&encoded[i - 1],
				 &j->right->frames[j->b + i - half - 1]);

		if (seam < best) {
			best = seam;
			*end_r = i;
		}
	}
}

/* Makes the frames of the join. */
static void join(struct join *j)
{
	size_t half = BRIDGE / 2 + j->nr_more;
	size_t first = 0, end = 2 * half;
	const struct audio_frame *encoded = encode(j, half);

	if (j->nr_more)
		choose(j, encoded, half, &first, &end);
	if (j->is_copied)
		first = end = half;
	j->nr = j->a + j->right->nr - j->b;
	j->frames = keep(j->nr * sizeof(*j->frames));
	for (size_t k = 0; k < j->nr; k++) {
		if (k < j->a - half + first)
			j->frames[k] = j->left->frames[k];
		else if (k < j->a - half + end)
			j->frames[k] = encoded[k + half - j->a];
		else
			j->frames[k] = j->right->frames[k - j->a + j->b];
	}
}

/* The samples of the join, by the ffmpeg program. */
static void decode_program(const struct join *j, struct stream *out)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/x.aac", dir);
	f = fopen(path, "wbe");
	assert_non_null(f);
	if (!f)
		return;
	for (size_t k = 0; k < j->nr; k++)
		assert_int_equal(
			fwrite(j->frames[k].data, 1, j->frames[k].size, f),
			j->frames[k].size);
	assert_int_equal(fclose(f), 0);
	decode_outside(out);
}

/* The same by aac_decode(), where there are many. */
static void decode_here(const struct join *j, struct stream *out)
{
	struct errmsg e = { "" };
	struct pcm pcm;

	assert_int_equal(
		aac_decode(&arena, j->frames, j->nr, 0, j->nr, &pcm, &e),
		ERR_OK);
	out->samples = keep(pcm.nr_samples * pcm.nr_channels * sizeof(float));
	for (size_t i = 0; i < pcm.nr_samples; i++)
		for (unsigned c = 0; c < pcm.nr_channels; c++)
			out->samples[i * pcm.nr_channels + c] =
				pcm.planes[c][i];
}

/* The least ratio of signal to error, in dB, of a frame around the join. */
static double worst_frame(const struct join *j,
			  void (*decode)(const struct join *j,
					 struct stream *out))
{
	size_t reach = BRIDGE / 2 + j->nr_more + CHECKED;
	struct stream out = { .nr = j->nr,
			      .format = j->left->format,
			      .nr_channels = j->left->nr_channels };
	double worst = 1000;

	decode(j, &out);
	for (size_t k = j->a - reach; k < j->a + reach; k++) {
		double signal = 1e-6, error = 1e-12;

		for (unsigned c = 0; c < out.nr_channels; c++) {
			float ideal[AAC_SAMPLES];

			mix(j, k, c, ideal);
			for (size_t i = 0; i < AAC_SAMPLES; i++) {
				size_t at = k * AAC_SAMPLES + i;
				float is =
					out.samples[at * out.nr_channels + c];
				double diff = (double)is - (double)ideal[i];

				signal += (double)ideal[i] * (double)ideal[i];
				error += diff * diff;
			}
		}
		worst = fmin(worst, 10 * log10(signal / error));
	}
	return worst;
}

static void test_join(void **state)
{
	static const struct {
		const char *what;
		const char *left;
		const char *right;
	} rows[] = {
		{ "tone to noise", TONE, NOISE },
		{ "noise to tone", NOISE, TONE },
		{ "mono at 44.1 kHz", CHORD, NOISE44 },
		{ "one stream", NOISE, NOISE },
	};

	UNUSED(state);
	need_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stream left, right;
		struct join j = {
			.left = &left, .right = &right, .a = 40, .b = 25
		};
		double bridged, copied;

		make(rows[i].left, &left);
		make(rows[i].right, &right);
		join(&j);
		bridged = worst_frame(&j, decode_program);
		j.is_copied = true;
		join(&j);
		copied = worst_frame(&j, decode_program);
		print_message("# %s: %.1f dB, only copied %.1f dB\n",
			      rows[i].what, bridged, copied);
		assert_true(bridged >= 30);
		assert_true(copied < 10);
		arena_reset(&arena);
	}
}

/* Attacks: the seams are where the encoders agree upon the windows. */
static void test_attacks(void **state)
{
	static const struct {
		const char *what;
		const char *left;
		const char *right;
	} rows[] = {
		{ "melody to drums", MELODY, DRUMS },
		{ "drums to melody", DRUMS, MELODY },
	};
	double chosen = 1000, fixed = 1000;

	UNUSED(state);
	need_ffmpeg();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct stream left, right;

		print_message("# %s\n", rows[i].what);
		make(rows[i].left, &left);
		make(rows[i].right, &right);
		for (size_t k = 0; k < 20; k++) {
			struct join j = { .left = &left,
					  .right = &right,
					  .a = 30 + k * 3,
					  .b = 20 + k * 5 };

			join(&j);
			fixed = fmin(fixed, worst_frame(&j, decode_here));
			j.nr_more = 8;
			join(&j);
			chosen = fmin(chosen, worst_frame(&j, decode_here));
		}
		arena_reset(&arena);
	}
	print_message("# %.1f dB, without a choice %.1f dB\n", chosen, fixed);
	assert_true(chosen >= 26);
	assert_true(fixed < 20);
}

/* ---- silence, and what does not need a stream ---- */

/* A header alone: of a size, a sampling index and a channel configuration. */
static void put_header(uint8_t *to, size_t size, unsigned rate_index,
		       unsigned channels)
{
	const uint8_t header[7] = {
		0xff,
		0xf1,
		(uint8_t)(0x40 | rate_index << 2 | channels >> 2),
		(uint8_t)((channels & 3) << 6 | size >> 11),
		(uint8_t)(size >> 3),
		(uint8_t)((size & 7) << 5 | 0x1f),
		0xfc,
	};

	memcpy(to, header, sizeof(header));
}

static void check_silence(const struct audio_frame *frame, uint32_t rate,
			  unsigned nr_channels)
{
	struct audio_frame repeated[12];
	struct errmsg e = { "" };
	struct pcm pcm;

	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++)
		repeated[i] = *frame;
	assert_int_equal(aac_decode(&arena, repeated, ARRAY_SIZE(repeated), 0,
				    ARRAY_SIZE(repeated), &pcm, &e),
			 ERR_OK);
	assert_int_equal(pcm.rate, rate);
	assert_int_equal(pcm.nr_channels, nr_channels);
	assert_int_equal(pcm.nr_samples, ARRAY_SIZE(repeated) * AAC_SAMPLES);
	for (unsigned c = 0; c < nr_channels; c++)
		for (size_t i = 0; i < pcm.nr_samples; i++)
			assert_true(pcm.planes[c][i] == 0);
	assert_true(aac_is_plain(repeated, ARRAY_SIZE(repeated)));
}

static void test_silence(void **state)
{
	static const uint32_t rates[] = { 96000, 88200, 64000, 48000, 44100,
					  32000, 24000, 22050, 16000, 12000,
					  11025, 8000,	7350 };

	UNUSED(state);
	for (unsigned rate = 0; rate < ARRAY_SIZE(rates); rate++)
		for (unsigned channels = 1; channels <= 7; channels++) {
			uint8_t header[7 + TSFILE_PADDING] = { 0 };
			struct audio_frame like = { .data = header, .size = 7 };
			struct audio_frame frame = { 0 };
			struct errmsg e = { "" };

			print_message("# %u Hz, configuration %u\n",
				      rates[rate], channels);
			put_header(header, 7, rate, channels);
			/* Private, copy, home: kept.  A CRC: not. */
			header[2] |= 2;
			header[3] |= 0x30;
			assert_int_equal(aac_silence(&arena, &like, &frame, &e),
					 ERR_OK);
			check_silence(&frame, rates[rate],
				      channels == 7 ? 8 : channels);
			put_header(header, frame.size, rate, channels);
			header[2] |= 2;
			header[3] |= 0x30;
			assert_memory_equal(frame.data, header, 7);
			assert_true(frame.size < 64);
			arena_reset(&arena);
		}
}

static void fill(struct pcm *pcm, uint64_t seed, float loudness)
{
	for (unsigned c = 0; c < pcm->nr_channels; c++)
		for (size_t i = 0; i < pcm->nr_samples; i++)
			pcm->planes[c][i] =
				loudness *
				((float)(unit_random(&seed) % 65536) / 32768 -
				 1);
}

static void test_repeatable(void **state)
{
	uint8_t header[7 + TSFILE_PADDING] = { 0 };
	const struct audio_frame like = { .data = header, .size = 7 };
	struct audio_frame *runs[2];
	struct errmsg e = { "" };
	struct pcm pcm;

	UNUSED(state);
	put_header(header, 7, 3, 2);
	pcm_init(&arena, 2, 48000, (AAC_PREROLL + 10 + 1) * AAC_SAMPLES, &pcm);
	fill(&pcm, 1, 0.5f);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			aac_encode(&arena, &like, &pcm, 10, &runs[i], &e),
			ERR_OK);
	for (size_t k = 0; k < 10; k++) {
		struct audio_format format;

		assert_int_equal(runs[0][k].pts, 0);
		assert_int_equal(runs[0][k].size, runs[1][k].size);
		assert_memory_equal(runs[0][k].data, runs[1][k].data,
				    runs[0][k].size);
		assert_int_equal(
			adts_frame(runs[0][k].data, runs[0][k].size, &format),
			runs[0][k].size);
		assert_true(runs[0][k].size <= 7 + 2 * 6144 / 8);
	}
	arena_reset(&arena);
}

/* Samples that no sound has: bounded, not refused, and no abort. */
static void test_absurd(void **state)
{
	static const float rows[] = {
		1, 5, 1e9f, 1e30f, INFINITY, NAN, 1e-30f
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t header[7 + TSFILE_PADDING] = { 0 };
		struct audio_frame like = { .data = header, .size = 7 };
		struct audio_frame *frames = NULL;
		struct errmsg e = { "" };
		struct pcm pcm;

		print_message("# %g\n", (double)rows[i]);
		put_header(header, 7, (unsigned)i, (unsigned)i + 1);
		pcm_init(&arena, i < 6 ? (unsigned)i + 1 : 8,
			 (uint32_t[]){ 96000, 88200, 64000, 48000, 44100, 32000,
				       24000 }[i],
			 (AAC_PREROLL + 6 + 1) * AAC_SAMPLES, &pcm);
		fill(&pcm, i, rows[i]);
		assert_int_equal(
			aac_encode(&arena, &like, &pcm, 6, &frames, &e),
			ERR_OK);
		arena_reset(&arena);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *what;
		unsigned rate_index;
		unsigned channels;
		unsigned at; /* a byte of the header that is changed */
		uint8_t by;
	} rows[] = {
		{ "no sync", 3, 2, 0, 0x01 },
		{ "no rate", 13, 2, 0, 0 },
		{ "channels by the stream itself", 3, 0, 0, 0 },
		{ "main profile", 3, 2, 2, 0x40 },
		{ "two blocks", 3, 2, 6, 0x01 },
		{ "longer than it is", 3, 2, 4, 0x01 },
		{ "another rate", 4, 2, 0, 0 },
		{ "another layout", 3, 1, 0, 0 },
	};
	struct pcm pcm;

	UNUSED(state);
	pcm_init(&arena, 2, 48000, (AAC_PREROLL + 2) * AAC_SAMPLES, &pcm);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t header[7 + TSFILE_PADDING] = { 0 };
		struct audio_frame like = { .data = header, .size = 7 };
		struct audio_frame *frames = NULL;
		struct errmsg e = { "" };

		print_message("# %s\n", rows[i].what);
		put_header(header, 7, rows[i].rate_index, rows[i].channels);
		header[rows[i].at] ^= rows[i].by;
		assert_int_equal(
			aac_encode(&arena, &like, &pcm, 1, &frames, &e),
			ERR_MEDIA);
		assert_null(frames);
		assert_true(e.text[0]);
		assert_false(aac_is_plain(&like, 1));
	}
	assert_false(aac_is_plain(NULL, 0));
	arena_reset(&arena);
}

/* Frames of two kinds are not decoded as one, but may come before. */
static void test_kinds(void **state)
{
	struct audio_frame frames[8];
	struct errmsg e = { "" };
	struct pcm pcm = { .rate = UNIT_UNTOUCHED };

	UNUSED(state);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t header[7 + TSFILE_PADDING] = { 0 };
		struct audio_frame like = { .data = header, .size = 7 };

		put_header(header, 7, 3 + i, 2);
		assert_int_equal(aac_silence(&arena, &like, &frames[i * 4], &e),
				 ERR_OK);
		for (unsigned k = 1; k < 4; k++)
			frames[i * 4 + k] = frames[i * 4];
	}
	assert_int_equal(aac_decode(&arena, frames, 8, 2, 4, &pcm, &e),
			 ERR_MEDIA);
	assert_int_equal(pcm.rate, UNIT_UNTOUCHED);
	assert_int_equal(aac_decode(&arena, frames, 8, 2, 0, &pcm, &e),
			 ERR_MEDIA);
	assert_int_equal(aac_decode(&arena, frames, 8, 4, 4, &pcm, &e), ERR_OK);
	assert_int_equal(pcm.rate, 44100);
	assert_false(aac_is_plain(frames, 8));
	assert_true(aac_is_plain(frames, 4));
	arena_reset(&arena);
}

static void test_too_many(void **state)
{
	struct audio_frame *frames =
		keep((AAC_MAX_FRAMES + 1) * sizeof(*frames));
	uint8_t header[7 + TSFILE_PADDING] = { 0 };
	struct errmsg e = { "" };
	struct pcm pcm;

	UNUSED(state);
	put_header(header, 7, 12, 1);
	for (size_t i = 0; i <= AAC_MAX_FRAMES; i++)
		frames[i] = (struct audio_frame){ .data = header, .size = 7 };
	assert_int_equal(aac_decode(&arena, frames, AAC_MAX_FRAMES + 1, 0,
				    AAC_MAX_FRAMES + 1, &pcm, &e),
			 ERR_LIMIT);
	assert_int_equal(aac_decode(&arena, frames, AAC_MAX_FRAMES + 1, 1,
				    AAC_MAX_FRAMES, &pcm, &e),
			 ERR_OK);
	assert_int_equal(pcm.nr_samples, (size_t)AAC_MAX_FRAMES * AAC_SAMPLES);
	arena_reset(&arena);
}

/* ---- SBR ---- */

static void put_bits(uint8_t *data, size_t *at, unsigned value, unsigned nr)
{
	for (; nr; nr--, ++*at) {
		uint8_t bit = (uint8_t)(0x80 >> (*at % 8));

		if (value >> (nr - 1) & 1)
			data[*at / 8] |= bit;
		else
			data[*at / 8] &= (uint8_t)~bit;
	}
}

/*
 * The frame with an SBR payload without a header at its end, as no encoder at
 * hand makes: a decoder doubles the rate all the same.
 */
static struct audio_frame add_sbr(const struct audio_frame *frame)
{
	uint8_t *data = keep(frame->size + 8 + TSFILE_PADDING);
	size_t at = frame->size * 8;
	struct audio_format format;
	size_t size;

	memcpy(data, frame->data, frame->size);
	while (!(data[(at - 1) / 8] >> (7 - (at - 1) % 8) & 1))
		at--;
	at -= 3;		     /* the end of the block */
	put_bits(data, &at, 6, 3);   /* FIL */
	put_bits(data, &at, 1, 4);   /* a byte */
	put_bits(data, &at, 0xd, 4); /* SBR */
	put_bits(data, &at, 0, 4);
	put_bits(data, &at, 7, 3);
	size = (at + 7) / 8;
	adts_frame(data, frame->size, &format);
	put_header(data, size, format.rate_index, format.channels);
	return (struct audio_frame){ .data = data, .size = size };
}

static void test_sbr(void **state)
{
	UNUSED(state);
	for (unsigned channels = 1; channels <= 2; channels++) {
		uint8_t header[7 + TSFILE_PADDING] = { 0 };
		struct audio_frame like = { .data = header, .size = 7 };
		struct audio_frame frames[10];
		struct errmsg e = { "" };
		struct pcm pcm;

		put_header(header, 7, 6, channels);
		assert_int_equal(aac_silence(&arena, &like, &frames[0], &e),
				 ERR_OK);
		frames[0] = add_sbr(&frames[0]);
		for (size_t i = 1; i < ARRAY_SIZE(frames); i++)
			frames[i] = frames[0];
		assert_false(aac_is_plain(frames, ARRAY_SIZE(frames)));
		assert_int_equal(aac_decode(&arena, frames, ARRAY_SIZE(frames),
					    4, 4, &pcm, &e),
				 ERR_MEDIA);
		/* Silence for it there is. */
		assert_int_equal(
			aac_silence(&arena, &frames[0], &frames[0], &e),
			ERR_OK);
		assert_true(aac_is_plain(frames, 1));
		arena_reset(&arena);
	}
}

/* ---- junk ---- */

/* Whatever is decoded of it can be encoded. */
static void decode_junk(const struct audio_frame *frames, size_t nr)
{
	struct audio_frame *encoded;
	struct errmsg e = { "" };
	struct pcm pcm;
	bool is_plain = aac_is_plain(frames, nr);

	UNUSED(is_plain);
	for (size_t i = 1; i < nr; i++) {
		enum aac_seam seam = aac_seam(&frames[i - 1], &frames[i]);

		assert_true(seam <= AAC_SEAM_BAD);
	}
	if (aac_decode(&arena, frames, nr, 1, nr - 1, &pcm, &e)) {
		assert_true(e.text[0]);
		return;
	}
	assert_int_equal(pcm.nr_samples, (nr - 1) * AAC_SAMPLES);
	if (aac_encode(&arena, &frames[1], &pcm, nr - AAC_PREROLL - 2, &encoded,
		       &e))
		assert_true(e.text[0]);
}

static void test_junk(void **state)
{
	uint64_t seed = 7;

	UNUSED(state);
	for (int round = 0; round < 200; round++) {
		struct audio_frame frames[8];
		unsigned rate = (unsigned)(unit_random(&seed) % 13);
		unsigned channels = (unsigned)(unit_random(&seed) % 8);

		for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
			size_t size = 7 + unit_random(&seed) % 900;
			uint8_t *data = keep(size + TSFILE_PADDING);

			for (size_t k = 0; k < size; k++)
				data[k] = (uint8_t)unit_random(&seed);
			if (unit_random(&seed) % 8)
				put_header(data, size, rate, channels);
			/* The element that the header announces. */
			if (channels && unit_random(&seed) % 4)
				data[7] = (uint8_t)((channels == 2) << 5);
			frames[i].data = data;
			frames[i].size = size;
		}
		decode_junk(frames, ARRAY_SIZE(frames));
		arena_reset(&arena);
	}
}

/* Real frames with bytes changed; a frame lost in this way is one frame. */
static void test_flips(void **state)
{
	uint64_t seed = 8;
	struct stream s;

	UNUSED(state);
	need_ffmpeg();
	make(DRUMS, &s);
	for (int round = 0; round < 80; round++) {
		struct arena kept = arena;
		struct audio_frame frames[10];
		size_t from = unit_random(&seed) % (s.nr - ARRAY_SIZE(frames));

		arena_init(&arena);
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
			const struct audio_frame *of = &s.frames[from + i];
			uint8_t *data = keep(of->size + TSFILE_PADDING);

			memcpy(data, of->data, of->size);
			for (int k = 0; k < 3; k++)
				data[7 + unit_random(&seed) % (of->size - 7)] =
					(uint8_t)unit_random(&seed);
			frames[i].data = data;
			frames[i].size = of->size;
		}
		decode_junk(frames, ARRAY_SIZE(frames));
		arena_release(&arena);
		arena = kept;
	}
	arena_reset(&arena);
}

/* A frame that is no frame is silent; those far from it are not hurt. */
static void test_lost(void **state)
{
	struct stream s;
	struct errmsg e = { "" };
	struct pcm pcm;
	uint8_t zeros[100 + TSFILE_PADDING] = { 0 };

	UNUSED(state);
	need_ffmpeg();
	make(NOISE, &s);
	s.frames[22] = (struct audio_frame){ .data = zeros, .size = 100 };
	assert_int_equal(aac_decode(&arena, s.frames, s.nr, 20, 10, &pcm, &e),
			 ERR_OK);
	for (size_t i = 0; i < AAC_SAMPLES; i++)
		assert_true(pcm.planes[0][2 * AAC_SAMPLES + i] == 0);
	pcm.nr_samples = 2 * AAC_SAMPLES;
	assert_true(compare(&s, &pcm, 20) < 1e-5f);
	assert_int_equal(aac_decode(&arena, s.frames, s.nr, 24, 10, &pcm, &e),
			 ERR_OK);
	assert_true(compare(&s, &pcm, 24) < 1e-5f);
	arena_reset(&arena);
}

/* Bytes behind a frame's end that are another: not given for the next. */
static void test_surplus(void **state)
{
	struct stream s;
	struct errmsg e = { "" };
	struct pcm pcm;
	const struct audio_frame *first, *second;
	uint8_t *data;
	size_t size;

	UNUSED(state);
	need_ffmpeg();
	make(NOISE, &s);
	first = &s.frames[22];
	second = &s.frames[60];
	size = first->size + second->size;
	data = keep(size + TSFILE_PADDING);
	memcpy(data, first->data, first->size);
	memcpy(data + first->size, second->data, second->size);
	put_header(data, size, s.format.rate_index, s.format.channels);
	s.frames[22] = (struct audio_frame){ .data = data, .size = size };
	for (size_t first_frame = 20; first_frame <= 24; first_frame += 4) {
		assert_int_equal(aac_decode(&arena, s.frames, s.nr, first_frame,
					    10, &pcm, &e),
				 ERR_OK);
		if (first_frame == 20)
			pcm.nr_samples = 3 * AAC_SAMPLES;
		assert_true(compare(&s, &pcm, first_frame) < 1e-5f);
	}
	arena_reset(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_attacks),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_repeatable),
		cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_sbr),
		cmocka_unit_test(test_junk),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_surplus),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
