#include "config.h"

#include "media/soundpeaks.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/mem.h"
#include "media/avlog.h"
#include "media/soundruns.h"
#include "media/tsfile.h"

/* The first frame that is decoded is only right beside the one before. */
#define LEAD_FRAMES 2

/* Steps of the source's times up to this are rounding, not holes. */
#define SLACK_MS 20

/* Samples that are summed up side by side. */
#define LANES 16

#define FULL_SCALE 32768.0F

struct peakdecoder {
	struct arena file; /* of the segment that is decoded */
	AVCodecContext *codec;
	AVPacket *packet;
	AVFrame *frame;

	/* the last frames of the segment that was decoded last */
	uint8_t tail[LEAD_FRAMES][ADTS_MAX_FRAME + TSFILE_PADDING];
	size_t tail_sizes[LEAD_FRAMES];
	size_t nr_tail;

	/* the peaks in the making */
	struct soundpeaks peaks;
	int64_t base;	  /* pts of the segment's time */
	size_t nr_blocks; /* complete ones */
	size_t capacity;  /* in blocks, for as many channels as there are */
	uint16_t *means;  /* those of the channels of a block together */
	int16_t *extremes;
	uint32_t fill; /* samples in the block that is not complete */
	double sums[PEAKS_MAX_CHANNELS];
	float least;
	float greatest;
};

static void close_decoder(void *ptr)
{
	struct peakdecoder *dec = ptr;

	free(dec->means);
	free(dec->extremes);
	av_frame_free(&dec->frame);
	av_packet_free(&dec->packet);
	avcodec_free_context(&dec->codec);
	arena_release(&dec->file);
}

/*
 * A decoder makes noise of its own, whose state it keeps: only of a new one it
 * is the same wherever a request begins.
 */
static enum err open_codec(struct peakdecoder *dec, struct errmsg *e)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_AAC);

	avcodec_free_context(&dec->codec);
	dec->codec = codec ? avcodec_alloc_context3(codec) : NULL;
	if (!dec->codec)
		return err_set(e, ERR_MEDIA, "there is no decoder for AAC");
	dec->codec->pkt_timebase = (AVRational){ 1, TS_HZ };
	if (avcodec_open2(dec->codec, codec, NULL) < 0)
		return err_set(e, ERR_MEDIA, "the decoder for AAC fails");
	return ERR_OK;
}

enum err peakdecoder_open(struct arena *a, struct peakdecoder **dec_r,
			  struct errmsg *e)
{
	struct peakdecoder *dec = ARENA_NEW(a, struct peakdecoder);

	arena_init(&dec->file);
	arena_defer(a, close_decoder, dec);
	avlog_begin();
	dec->packet = av_packet_alloc();
	dec->frame = av_frame_alloc();
	*dec_r = dec;
	return dec->packet && dec->frame ? ERR_OK :
					   err_set(e, ERR_IO, "out of memory");
}

/* Blocks */

static void reserve(struct peakdecoder *dec)
{
	size_t nr_channels = dec->peaks.nr_channels;

	if (dec->nr_blocks < dec->capacity)
		return;
	dec->capacity = dec->capacity ? dec->capacity * 2 : 4096;
	dec->means = mem_resize(dec->means, dec->capacity * nr_channels *
						    sizeof(*dec->means));
	dec->extremes = mem_resize(dec->extremes,
				   dec->capacity * 2 * sizeof(*dec->extremes));
}

static int16_t to_sample(float x)
{
	float scaled = x * FULL_SCALE;

	return scaled >= 32767	  ? 32767 :
	       !(scaled > -32768) ? -32768 :
				    (int16_t)lrintf(scaled);
}

static void end_block(struct peakdecoder *dec)
{
	struct soundpeaks *peaks = &dec->peaks;

	reserve(dec);
	for (uint32_t c = 0; c < peaks->nr_channels; c++) {
		double mean = dec->sums[c] * FULL_SCALE / dec->fill;

		dec->means[dec->nr_blocks * peaks->nr_channels + c] =
			(uint16_t)(mean < 32767 ? mean + 0.5 : 32767);
		dec->sums[c] = 0;
	}
	dec->extremes[2 * dec->nr_blocks] = to_sample(dec->least);
	dec->extremes[2 * dec->nr_blocks + 1] = to_sample(dec->greatest);
	dec->nr_blocks++;
	dec->fill = 0;
	dec->least = 1;
	dec->greatest = -1;
}

/* Beyond full scale is full scale, and so is what is no number. */
static inline float size_of(float x)
{
	float size = fabsf(x);

	return size < 1 ? size : 1;
}

static inline float least_of(float a, float b)
{
	return a < b ? a : b;
}

static inline float greatest_of(float a, float b)
{
	return a > b ? a : b;
}

/* Sums and extremes, side by side. */
struct lanes {
	float sums[PEAKS_MAX_CHANNELS][LANES];
	float least[LANES];
	float greatest[LANES];
};

/*
 * Takes n samples, up to LANES, of all channels from i on.  Where n is LANES
 * each loop over k becomes an instruction or two.
 */
static inline void take_lanes(struct lanes *lanes, const float *const *planes,
			      uint32_t nr_channels, size_t i, size_t n)
{
	float mix[LANES] = { 0 };

	for (uint32_t c = 0; c < nr_channels; c++) {
		const float *x = planes[c] + i;

		for (size_t k = 0; k < n; k++) {
			mix[k] += x[k];
			lanes->sums[c][k] += size_of(x[k]);
		}
	}
	for (size_t k = 0; k < n; k++) {
		lanes->least[k] = least_of(mix[k], lanes->least[k]);
		lanes->greatest[k] = greatest_of(mix[k], lanes->greatest[k]);
	}
}

/* Takes nr samples from i on, which are not more than the block has room for.
 */
static void take_samples(struct peakdecoder *dec, const float *const *planes,
			 size_t i, size_t nr)
{
	uint32_t nr_channels = dec->peaks.nr_channels;
	float part = 1.0F / (float)nr_channels;
	struct lanes lanes;
	size_t end = i + nr;

	memset(lanes.sums, 0, nr_channels * sizeof(lanes.sums[0]));
	for (size_t k = 0; k < LANES; k++) {
		lanes.least[k] = FLT_MAX;
		lanes.greatest[k] = -FLT_MAX;
	}
	for (; i + LANES <= end; i += LANES)
		take_lanes(&lanes, planes, nr_channels, i, LANES);
	take_lanes(&lanes, planes, nr_channels, i, end - i);
	for (size_t k = 0; k < LANES; k++) {
		for (uint32_t c = 0; c < nr_channels; c++)
			dec->sums[c] += (double)lanes.sums[c][k];
		dec->least = least_of(lanes.least[k] * part, dec->least);
		dec->greatest =
			greatest_of(lanes.greatest[k] * part, dec->greatest);
	}
}

/* Takes nr samples; planes NULL: of silence. */
static void add_samples(struct peakdecoder *dec, const float *const *planes,
			size_t nr)
{
	struct soundpeaks *peaks = &dec->peaks;

	for (size_t done = 0; done < nr;) {
		size_t part = peaks->block - dec->fill;

		part = part < nr - done ? part : nr - done;
		if (planes) {
			take_samples(dec, planes, done, part);
		} else {
			dec->least = least_of(0, dec->least);
			dec->greatest = greatest_of(0, dec->greatest);
		}
		dec->fill += (uint32_t)part;
		done += part;
		if (dec->fill == peaks->block)
			end_block(dec);
	}
	peaks->nr_samples += (uint32_t)nr;
}

/* Frames */

bool soundpeaks_are_sane(const struct soundpeaks *peaks)
{
	int64_t most = (int64_t)PEAKS_MAX_SECONDS * peaks->rate;

	if (!peaks->nr_samples)
		return true;
	return peaks->rate && peaks->rate <= PEAKS_MAX_RATE &&
	       peaks->nr_channels && peaks->nr_channels <= PEAKS_MAX_CHANNELS &&
	       peaks->nr_samples <= most && peaks->first >= -most &&
	       peaks->first <= most;
}

/* Where a frame begins, in its samples. */
static int64_t sample_of(const struct peakdecoder *dec)
{
	int64_t at = (dec->frame->pts - dec->base) * dec->frame->sample_rate;

	return (at + (at < 0 ? -TS_HZ / 2 : TS_HZ / 2)) / TS_HZ;
}

/*
 * Where the frame goes: silence in front of a late one.  False if it is to be
 * left out, being of another kind, early, or beyond all bounds.
 */
static bool place(struct peakdecoder *dec)
{
	const AVFrame *frame = dec->frame;
	struct soundpeaks peaks = dec->peaks;
	int64_t slack = (int64_t)frame->sample_rate * SLACK_MS / 1000;
	int64_t at, late;

	if (frame->format != AV_SAMPLE_FMT_FLTP ||
	    frame->pts == AV_NOPTS_VALUE || frame->nb_samples <= 0)
		return false;
	at = sample_of(dec);
	if (!peaks.nr_samples) {
		peaks.first = at;
		peaks.rate = (uint32_t)frame->sample_rate;
		peaks.nr_channels = (uint32_t)frame->ch_layout.nb_channels;
	}
	/* Not more than the window that its time was found in. */
	late = at - peaks.first - peaks.nr_samples;
	if (peaks.rate != (uint32_t)frame->sample_rate ||
	    peaks.nr_channels != (uint32_t)frame->ch_layout.nb_channels ||
	    late < -slack || late > (int64_t)PEAKS_MAX_SECONDS * peaks.rate)
		return false;
	late = late > slack ? late : 0;
	peaks.nr_samples += (uint32_t)(late + frame->nb_samples);
	if (!soundpeaks_are_sane(&peaks))
		return false;
	peaks.nr_samples = dec->peaks.nr_samples;
	dec->peaks = peaks;
	add_samples(dec, NULL, (size_t)late);
	return true;
}

static void decode_frame(struct peakdecoder *dec,
			 const struct audio_frame *frame, bool is_wanted)
{
	dec->packet->data = (uint8_t *)(uintptr_t)frame->data;
	dec->packet->size = (int)frame->size;
	dec->packet->pts = dec->packet->dts = frame->pts;
	if (avcodec_send_packet(dec->codec, dec->packet) < 0)
		return; /* a hole, which is silent */
	while (avcodec_receive_frame(dec->codec, dec->frame) >= 0) {
		if (is_wanted && place(dec))
			add_samples(
				dec,
				(const float *const *)dec->frame->extended_data,
				(size_t)dec->frame->nb_samples);
		av_frame_unref(dec->frame);
	}
}

/*
 * Decodes the frames of a file.  They are handed over as a counted buffer, or
 * the decoder would copy each.
 */
static void decode_frames(struct peakdecoder *dec, const struct tsfile *file,
			  const bool *is_placed)
{
	const struct audio_frame *last = &file->frames[file->nr_frames - 1];
	const uint8_t *data = file->frames[0].data;

	dec->packet->buf = av_buffer_create(
		(uint8_t *)(uintptr_t)data,
		(size_t)(last->data - data) + last->size + TSFILE_PADDING,
		av_free_nothing, NULL, AV_BUFFER_FLAG_READONLY);
	for (size_t i = 0; i < file->nr_frames; i++)
		decode_frame(dec, &file->frames[i], is_placed[i]);
	av_buffer_unref(&dec->packet->buf);
}

/* Segments */

static int64_t ticks(usec_t us)
{
	return us * TS_HZ / USEC_PER_SEC;
}

/* *file_r is NULL if there is nothing to decode. */
static enum err read_sound(struct peakdecoder *dec, int fd,
			   const struct tsfile **file_r, struct errmsg *e)
{
	struct tsfile *file;
	enum err err;

	arena_reset(&dec->file);
	err = tsfile_read_sound(&dec->file, fd, &file, e);
	*file_r = NULL;
	if (err == ERR_MEDIA || err == ERR_LIMIT)
		return ERR_OK;
	if (!err && file->nr_frames && file->first_pts != TS_NONE)
		*file_r = file;
	return err;
}

static void keep_tail(struct peakdecoder *dec, const struct tsfile *file)
{
	size_t nr = file ? file->nr_frames : 0;

	dec->nr_tail = nr < LEAD_FRAMES ? nr : LEAD_FRAMES;
	for (size_t i = 0; i < dec->nr_tail; i++) {
		const struct audio_frame *frame =
			&file->frames[nr - dec->nr_tail + i];

		dec->tail_sizes[i] = frame->size;
		memcpy(dec->tail[i], frame->data, frame->size);
		memset(dec->tail[i] + frame->size, 0, TSFILE_PADDING);
	}
}

/* Brings the decoder to where the segment before has ended. */
static enum err lead_in(struct peakdecoder *dec, int before, struct errmsg *e)
{
	const struct tsfile *file = NULL;
	enum err err = ERR_OK;

	if (before >= 0)
		err = read_sound(dec, before, &file, e);
	if (before != PEAKS_GO_ON)
		keep_tail(dec, file);
	if (!err)
		err = open_codec(dec, e);
	for (size_t i = 0; !err && i < dec->nr_tail; i++)
		decode_frame(
			dec,
			&(struct audio_frame){ .data = dec->tail[i],
					       .size = dec->tail_sizes[i] },
			false);
	return err;
}

static void take_peaks(const struct peakdecoder *dec, struct arena *a,
		       struct soundpeaks *peaks_r)
{
	size_t nr_channels = dec->peaks.nr_channels;
	size_t nr = dec->nr_blocks;
	uint16_t *means = arena_alloc(a, (nr_channels * nr + 1) * 2);
	int16_t *extremes = arena_alloc(a, (2 * nr + 1) * 2);

	*peaks_r = dec->peaks;
	for (size_t i = 0; i < nr; i++)
		for (size_t c = 0; c < nr_channels; c++)
			means[c * nr + i] = dec->means[i * nr_channels + c];
	if (nr)
		memcpy(extremes, dec->extremes, nr * 2 * 2);
	peaks_r->means = means;
	peaks_r->extremes = extremes;
}

static void begin_peaks(struct peakdecoder *dec, uint32_t block)
{
	dec->peaks = (struct soundpeaks){ .block = block };
	dec->nr_blocks = 0;
	dec->capacity = 0; /* the next has maybe other channels */
	dec->fill = 0;
	dec->least = 1;
	dec->greatest = -1;
	memset(dec->sums, 0, sizeof(dec->sums));
}

enum err soundpeaks_decode(struct peakdecoder *dec, struct arena *a,
			   const struct peak_source *source, uint32_t block,
			   struct soundpeaks *peaks_r, struct errmsg *e)
{
	const struct tsfile *file = NULL;
	enum err err = lead_in(dec, source->before, e);

	if (!err)
		err = read_sound(dec, source->fd, &file, e);
	if (err)
		return err;
	begin_peaks(dec, block);
	if (file) {
		dec->base = file->first_pts;
		decode_frames(dec, file,
			      soundruns_find(&dec->file, file,
					     dec->base + ticks(source->from_us),
					     dec->base + ticks(source->to_us)));
	}
	keep_tail(dec, file);
	if (dec->fill)
		end_block(dec);
	take_peaks(dec, a, peaks_r);
	return ERR_OK;
}

/* Folding */

/* Blocks first to end - 1 of a channel as one. */
static uint16_t fold_means(const struct soundpeaks *from, const uint16_t *row,
			   uint32_t first, uint32_t end)
{
	uint64_t weight = 0;
	uint64_t sum = 0;

	for (uint32_t i = first; i < end; i++) {
		uint32_t left = from->nr_samples - i * from->block;
		uint32_t size = left < from->block ? left : from->block;

		sum += (uint64_t)row[i] * size;
		weight += size;
	}
	return (uint16_t)((sum + weight / 2) / weight);
}

static void fold_extremes(const int16_t *extremes, uint32_t first, uint32_t end,
			  int16_t folded[2])
{
	folded[0] = INT16_MAX;
	folded[1] = INT16_MIN;
	for (uint32_t i = first; i < end; i++) {
		const int16_t *pair = extremes + 2 * (size_t)i;

		folded[0] = pair[0] < folded[0] ? pair[0] : folded[0];
		folded[1] = pair[1] > folded[1] ? pair[1] : folded[1];
	}
}

void soundpeaks_fold(struct arena *a, const struct soundpeaks *from,
		     uint32_t factor, struct soundpeaks *peaks_r)
{
	size_t nr_from = soundpeaks_nr_blocks(from);
	size_t nr = (nr_from + factor - 1) / factor;
	uint16_t *means = arena_alloc(a, (from->nr_channels * nr + 1) * 2);
	int16_t *extremes = arena_alloc(a, (2 * nr + 1) * 2);

	for (size_t b = 0; b < nr; b++) {
		uint32_t first = (uint32_t)b * factor;
		uint32_t end =
			(uint32_t)(nr_from - first < factor ? nr_from :
							      first + factor);

		for (size_t c = 0; c < from->nr_channels; c++)
			means[c * nr + b] = fold_means(
				from, from->means + c * nr_from, first, end);
		fold_extremes(from->extremes, first, end, extremes + 2 * b);
	}
	*peaks_r = *from;
	peaks_r->block = from->block * factor;
	peaks_r->means = means;
	peaks_r->extremes = extremes;
}
