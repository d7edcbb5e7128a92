#include "config.h"

#include "media/soundconv.h"

#include <libavutil/mathematics.h>
#include <libswresample/swresample.h>

#include "media/aac.h"
#include "media/soundsource.h"

#define SETTLE 1024 /* samples: longer than the filter of any conversion */

/* What a piece has of the grid of its run. */
struct share {
	const struct cut_run *run;
	struct audio_format format; /* to be */
	int64_t origin;		    /* where frame 0 begins */
	int64_t first;		    /* frame */
	int64_t end;
};

static const struct cut_run *run_of(const struct cutplan *plan, size_t piece)
{
	for (size_t i = 0; i < plan->nr_runs; i++)
		if (piece <= plan->runs[i].last)
			return &plan->runs[i];
	BUG("piece %zu is in no run", piece);
}

/* Where a frame begins. */
static int64_t time_of(const struct share *s, int64_t frame)
{
	int64_t q = frame * AAC_STEP_Q;
	int64_t half = s->format.rate / 2;

	return s->origin +
	       (q + (q < 0 ? -half : half)) / (int64_t)s->format.rate;
}

/* The first frame that begins at a time, or after it. */
static int64_t frame_at(const struct share *s, int64_t time)
{
	int64_t frame = (time - s->origin) * s->format.rate / AAC_STEP_Q;

	while (frame > 0 && time_of(s, frame - 1) >= time)
		frame--;
	while (time_of(s, frame) < time)
		frame++;
	return frame;
}

static enum err find_share(const struct cutplan *plan, size_t piece,
			   const struct tsfile *file, struct share *s,
			   struct errmsg *e)
{
	int64_t end = file->frames[file->nr_frames - 1].pts +
		      (int64_t)AAC_SAMPLES * TS_HZ / file->format.rate;

	s->run = run_of(plan, piece);
	s->origin = plan->pieces[s->run->first].audio_pts;
	if (!adts_frame(plan->sound.data, plan->sound.size, &s->format))
		return err_set(e, ERR_MEDIA, "the sound is not AAC");
	if (piece < s->run->last)
		end = plan->pieces[piece + 1].audio_pts;
	s->first = frame_at(s, plan->pieces[piece].audio_pts);
	s->end = frame_at(s, end);
	if (s->end - s->first > AAC_MAX_FRAMES)
		return err_set(e, ERR_MEDIA,
			       "the times of the sound jump within a segment");
	return ERR_OK;
}

/*
 * A moment that lies on a sample of both rates and on a tick recurs after so
 * much.  Whoever begins to convert there gets what he would have got from the
 * run's beginning on.
 */
struct period {
	int64_t in; /* samples */
	int64_t out;
	int64_t ticks;
};

static struct period period_of(uint32_t in, uint32_t out)
{
	int64_t hz = av_gcd(av_gcd(in, out), TS_HZ);

	return (struct period){ in / hz, out / hz, TS_HZ / hz };
}

/* Of AAC with SBR the header has half the rate. */
static uint32_t decoded_rate(uint32_t rate)
{
	return rate <= 24000 ? rate * 2 : rate;
}

/* Samples of the piece and its neighbours, as the source has them. */
static enum err read_samples(struct arena *a, const struct cutplan *plan,
			     size_t piece, const struct share *s, int64_t lo,
			     struct pcm *pcm, struct errmsg *e)
{
	const struct cut_run *run = s->run;
	size_t first = piece > run->first ? piece - 1 : piece;
	size_t last = piece < run->last ? piece + 1 : piece;
	struct framestretch stretch = {
		.cover = &plan->cover,
		.pieces = plan->cover.pieces + first,
		.nr_pieces = last - first + 1,
		.reference = plan->pieces[first].dts,
		.lo = lo,
		.hi = time_of(s, s->end + 2),
	};
	struct soundsource *src;
	enum err err = soundsource_open(a, &stretch, pcm->rate,
					pcm->nr_channels, &src, e);

	return err ? err :
		     soundsource_read(src, pcm->planes, pcm->nr_samples, e);
}

/* Converts in to the rate of out, and leaves out the first skip samples. */
static enum err convert(const struct pcm *in, size_t skip, struct pcm *out,
			struct errmsg *e)
{
	uint8_t *to[AAC_MAX_CHANNELS] = { 0 };
	const uint8_t *from[AAC_MAX_CHANNELS] = { 0 };
	AVChannelLayout layout = { 0 };
	SwrContext *swr = NULL;
	int got;

	for (unsigned c = 0; c < in->nr_channels; c++) {
		to[c] = (uint8_t *)out->planes[c];
		from[c] = (const uint8_t *)in->planes[c];
	}
	av_channel_layout_default(&layout, (int)in->nr_channels);
	got = swr_alloc_set_opts2(&swr, &layout, AV_SAMPLE_FMT_FLTP,
				  (int)out->rate, &layout, AV_SAMPLE_FMT_FLTP,
				  (int)in->rate, 0, NULL);
	if (got >= 0)
		got = swr_init(swr);
	if (got >= 0)
		got = swr_drop_output(swr, (int)skip);
	if (got >= 0)
		got = swr_convert(swr, to, (int)out->nr_samples, from,
				  (int)in->nr_samples);
	swr_free(&swr);
	if (got != (int)out->nr_samples)
		return err_set(e, ERR_MEDIA, "the sound cannot be converted");
	return ERR_OK;
}

/* The samples of the frames, and those around them that an encoder needs. */
static enum err make_samples(struct arena *a, const struct cutplan *plan,
			     size_t piece, const struct tsfile *file,
			     const struct share *s, struct pcm *out,
			     struct errmsg *e)
{
	uint32_t rate = decoded_rate(file->format.rate);
	struct period period = period_of(rate, s->format.rate);
	unsigned nr_channels = s->format.channels == 7 ? 8 : s->format.channels;
	int64_t first = (s->first - AAC_PREROLL) * AAC_SAMPLES;
	int64_t nr = (s->end - s->first + AAC_PREROLL + 1) * AAC_SAMPLES;
	/* Before the first: what the filter needs to settle. */
	int64_t begin = (first - SETTLE) / period.out - 1;
	int64_t skip = first - begin * period.out;
	struct pcm in;
	enum err err;

	pcm_init(a, nr_channels, s->format.rate, (size_t)nr, out);
	pcm_init(a, nr_channels, rate,
		 (size_t)((skip + nr) * rate / s->format.rate + SETTLE), &in);
	err = read_samples(a, plan, piece, s, s->origin + begin * period.ticks,
			   &in, e);
	return err ? err : convert(&in, (size_t)skip, out, e);
}

enum err soundconv_piece(struct arena *a, const struct cutplan *plan,
			 size_t piece, struct tsfile *file, struct errmsg *e)
{
	struct arena scratch;
	struct share s;
	struct pcm pcm;
	enum err err;

	if (!file->nr_frames)
		return ERR_OK;
	err = find_share(plan, piece, file, &s, e);
	if (err)
		return err;
	arena_init(&scratch);
	file->nr_frames = (size_t)(s.end > s.first ? s.end - s.first : 0);
	if (file->nr_frames)
		err = make_samples(&scratch, plan, piece, file, &s, &pcm, e);
	file->format = s.format;
	if (!err && file->nr_frames)
		err = aac_encode(a, &plan->sound, &pcm, file->nr_frames,
				 &file->frames, e);
	arena_release(&scratch);
	for (size_t i = 0; !err && i < file->nr_frames; i++)
		file->frames[i].pts = time_of(&s, s.first + (int64_t)i);
	return err;
}
