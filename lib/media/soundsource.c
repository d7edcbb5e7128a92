#include "config.h"

#include "media/soundsource.h"

#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libswresample/swresample.h>

#include "base/mem.h"
#include "media/avlog.h"
#include "media/tsfile.h"

/* The first frame that is decoded is only right beside the one before. */
#define LEAD_FRAMES 2

/* Steps of the source's times up to this are rounding, not holes. */
#define SLACK_MS 20

struct soundsource {
	struct framestretch stretch;
	uint32_t rate;
	unsigned nr_channels;
	struct arena segment; /* of the piece that is decoded */
	const struct tsfile *file;
	size_t next_piece;
	size_t next_frame;
	int64_t reference;
	bool is_at_end; /* of the source */
	bool is_placed; /* what is next goes on where the last ended */

	AVCodecContext *codec;
	AVPacket *packet;
	AVFrame *frame;
	SwrContext *swr;
	int in_rate;
	int in_channels;
	int in_format;

	/* samples that are decoded and not read; the first is at position */
	float *planes[SOUND_MAX_CHANNELS];
	size_t nr;
	size_t capacity;
	int64_t position; /* from lo, in samples */
	int64_t end;
};

static void close_source(void *ptr)
{
	struct soundsource *src = ptr;

	for (size_t c = 0; c < SOUND_MAX_CHANNELS; c++)
		free(src->planes[c]);
	swr_free(&src->swr);
	av_frame_free(&src->frame);
	av_packet_free(&src->packet);
	avcodec_free_context(&src->codec);
	arena_release(&src->segment);
}

static int64_t samples_of(int64_t ticks, uint32_t rate)
{
	int64_t scaled = ticks * rate;

	return (scaled + (scaled < 0 ? -TS_HZ / 2 : TS_HZ / 2)) / TS_HZ;
}

enum err soundsource_open(struct arena *a, const struct framestretch *stretch,
			  uint32_t rate, unsigned nr_channels,
			  struct soundsource **src_r, struct errmsg *e)
{
	struct soundsource *src = ARENA_NEW(a, struct soundsource);
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_AAC);

	arena_init(&src->segment);
	arena_defer(a, close_source, src);
	avlog_begin();
	src->stretch = *stretch;
	src->rate = rate;
	src->nr_channels = nr_channels < SOUND_MAX_CHANNELS ?
				   nr_channels :
				   SOUND_MAX_CHANNELS;
	src->reference = stretch->reference;
	src->end = samples_of(stretch->hi - stretch->lo, rate);
	src->packet = av_packet_alloc();
	src->frame = av_frame_alloc();
	src->codec = codec ? avcodec_alloc_context3(codec) : NULL;
	*src_r = src;
	if (!src->packet || !src->frame || !src->codec)
		return err_set(e, ERR_MEDIA, "there is no decoder for AAC");
	src->codec->pkt_timebase = (AVRational){ 1, TS_HZ };
	if (avcodec_open2(src->codec, codec, NULL) < 0)
		return err_set(e, ERR_MEDIA, "the decoder for AAC fails");
	return ERR_OK;
}

int64_t soundsource_left(const struct soundsource *src)
{
	return src->end - src->position;
}

/* The buffer */

/* Room for nr more samples behind those there are. */
static void reserve(struct soundsource *src, size_t nr)
{
	if (src->nr + nr <= src->capacity)
		return;
	src->capacity = (src->nr + nr) * 2;
	for (unsigned c = 0; c < src->nr_channels; c++)
		src->planes[c] = mem_resize(src->planes[c],
					    src->capacity * sizeof(float));
}

static void add_silence(struct soundsource *src, size_t nr)
{
	reserve(src, nr);
	for (unsigned c = 0; c < src->nr_channels; c++)
		memset(src->planes[c] + src->nr, 0, nr * sizeof(float));
	src->nr += nr;
}

static void drop_first(struct soundsource *src, size_t nr)
{
	for (unsigned c = 0; c < src->nr_channels; c++)
		memmove(src->planes[c], src->planes[c] + nr,
			(src->nr - nr) * sizeof(float));
	src->nr -= nr;
	src->position += (int64_t)nr;
}

/* Decoding */

static enum err set_up_swr(struct soundsource *src, struct errmsg *e)
{
	AVFrame *frame = src->frame;
	AVChannelLayout out = { 0 };
	int status;

	if (src->swr && src->in_rate == frame->sample_rate &&
	    src->in_format == frame->format &&
	    src->in_channels == frame->ch_layout.nb_channels)
		return ERR_OK;
	av_channel_layout_default(&out, (int)src->nr_channels);
	status = swr_alloc_set_opts2(
		&src->swr, &out, AV_SAMPLE_FMT_FLTP, (int)src->rate,
		&frame->ch_layout, frame->format, frame->sample_rate, 0, NULL);
	if (status >= 0)
		status = swr_init(src->swr);
	src->in_rate = frame->sample_rate;
	src->in_format = frame->format;
	src->in_channels = frame->ch_layout.nb_channels;
	return status < 0 ?
		       err_set(e, ERR_MEDIA, "the sound cannot be converted") :
		       ERR_OK;
}

/*
 * Where nr samples of a time go behind those there are: silence is put in
 * front of late ones, and of early ones the first *skip_r are left out.
 */
static void place(struct soundsource *src, int64_t pts, size_t nr,
		  size_t *skip_r)
{
	/* First come those that the resampler still has of the last frame. */
	int64_t at = samples_of(pts - src->stretch.lo, src->rate) -
		     swr_get_delay(src->swr, src->rate);
	int64_t have = src->position + (int64_t)src->nr;
	int64_t slack = (int64_t)src->rate * SLACK_MS / 1000;
	int64_t late = at - have;

	*skip_r = 0;
	/* In the middle of a stream times are rounded, samples are not. */
	if (src->is_placed && late >= -slack && late <= slack)
		return;
	if (late > 0)
		add_silence(src, (size_t)late);
	else
		*skip_r = -late < (int64_t)nr ? (size_t)-late : nr;
	src->is_placed = *skip_r < nr;
}

static enum err take_frame(struct soundsource *src, struct errmsg *e)
{
	float *to[SOUND_MAX_CHANNELS] = { 0 };
	enum err err = set_up_swr(src, e);
	size_t skip = 0;
	size_t nr;
	int got;

	if (err || src->frame->pts >= src->stretch.hi)
		return err;
	got = swr_get_out_samples(src->swr, src->frame->nb_samples);
	nr = got > 0 ? (size_t)got : 0;
	place(src, src->frame->pts, nr, &skip);
	reserve(src, nr);
	for (unsigned c = 0; c < src->nr_channels; c++)
		to[c] = src->planes[c] + src->nr;
	got = swr_convert(src->swr, (uint8_t **)to, (int)nr,
			  (const uint8_t **)src->frame->extended_data,
			  src->frame->nb_samples);
	nr = got > 0 ? (size_t)got : 0;
	skip = skip < nr ? skip : nr;
	for (unsigned c = 0; c < src->nr_channels; c++)
		memmove(to[c], to[c] + skip, (nr - skip) * sizeof(float));
	src->nr += nr - skip;
	return ERR_OK;
}

static enum err decode(struct soundsource *src, const struct audio_frame *frame,
		       struct errmsg *e)
{
	enum err err = ERR_OK;

	src->packet->data = (uint8_t *)frame->data;
	src->packet->size = (int)frame->size;
	src->packet->pts = src->packet->dts = frame->pts;
	if (avcodec_send_packet(src->codec, src->packet) < 0)
		return ERR_OK; /* a hole, which is silent */
	while (!err && avcodec_receive_frame(src->codec, src->frame) >= 0) {
		if (src->frame->pts == AV_NOPTS_VALUE)
			src->frame->pts = frame->pts;
		err = take_frame(src, e);
		av_frame_unref(src->frame);
	}
	return err;
}

/* The first frame to decode of the first piece. */
static size_t find_entry(const struct soundsource *src)
{
	size_t entry = 0;

	for (size_t i = 0; i < src->file->nr_frames; i++)
		if (src->file->frames[i].pts <= src->stretch.lo)
			entry = i;
	return entry > LEAD_FRAMES ? entry - LEAD_FRAMES : 0;
}

static enum err load_piece(struct soundsource *src, struct errmsg *e)
{
	bool is_first = !src->next_piece;
	const struct rough_piece *piece =
		&src->stretch.pieces[src->next_piece++];
	struct tsfile *file;
	enum err err;
	int fd;

	src->file = NULL;
	arena_reset(&src->segment);
	err = roughcut_open(src->stretch.cover, piece, &fd, e);
	if (err)
		return err;
	err = tsfile_read(&src->segment, fd, src->reference, &file, e);
	close(fd);
	if (err)
		return err;
	src->file = file;
	if (file->last_pts != TS_NONE)
		src->reference = file->last_pts;
	src->next_frame = is_first ? find_entry(src) : 0;
	return ERR_OK;
}

/* Decodes one frame, or does what comes instead of it. */
static enum err advance(struct soundsource *src, struct errmsg *e)
{
	const struct audio_frame *frame;

	if (!src->file || src->next_frame >= src->file->nr_frames) {
		if (src->next_piece < src->stretch.nr_pieces)
			return load_piece(src, e);
		src->is_at_end = true;
		return ERR_OK;
	}
	frame = &src->file->frames[src->next_frame++];
	if (frame->pts >= src->stretch.hi) {
		src->is_at_end = true;
		return ERR_OK;
	}
	return decode(src, frame, e);
}

enum err soundsource_read(struct soundsource *src, float *const *planes,
			  size_t nr, struct errmsg *e)
{
	while (src->nr < nr && !src->is_at_end) {
		enum err err = advance(src, e);

		if (err)
			return err;
	}
	if (src->nr < nr)
		add_silence(src, nr - src->nr);
	for (unsigned c = 0; c < src->nr_channels; c++)
		memcpy(planes[c], src->planes[c], nr * sizeof(float));
	drop_first(src, nr);
	return ERR_OK;
}
