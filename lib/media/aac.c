#include "config.h"

#include "media/aac.h"

#include <math.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>

#include "base/compiler.h"
#include "media/avlog.h"

/* FFmpeg 6.1 renamed it. */
#ifdef AV_PROFILE_AAC_LOW
#define PROFILE_LC AV_PROFILE_AAC_LOW
#else
#define PROFILE_LC FF_PROFILE_AAC_LOW
#endif

#define OBJECT_LC	2    /* of the header */
#define BITS_PER_SAMPLE 6    /* all that a frame may take: 6144 a channel */
#define SAMPLE_MAX	4.0f /* of full scale: beyond what any sound decodes to */
#define PLAIN_FRAMES	8    /* SBR, where there is any, is in every frame */

_Static_assert(TSFILE_PADDING >= AV_INPUT_BUFFER_PADDING_SIZE,
	       "a frame is followed by what a decoder may read");

/* By the channel configuration of the header; 0 is one that we do not know. */
static const uint64_t layouts[8] = {
	0,
	AV_CH_LAYOUT_MONO,
	AV_CH_LAYOUT_STEREO,
	AV_CH_LAYOUT_SURROUND,
	AV_CH_LAYOUT_4POINT0,
	AV_CH_LAYOUT_5POINT0_BACK,
	AV_CH_LAYOUT_5POINT1_BACK,
	AV_CH_LAYOUT_7POINT1,
};

static unsigned count_channels(const struct audio_format *format)
{
	return format->channels == 7 ? 8 : format->channels;
}

void pcm_init(struct arena *a, unsigned nr_channels, uint32_t rate,
	      size_t nr_samples, struct pcm *pcm_r)
{
	struct pcm pcm = {
		.nr_channels = nr_channels,
		.rate = rate,
		.nr_samples = nr_samples,
	};

	if (nr_channels > AAC_MAX_CHANNELS ||
	    nr_samples > SIZE_MAX / sizeof(float))
		BUG("%u channels of %zu samples", nr_channels, nr_samples);
	for (unsigned c = 0; c < nr_channels; c++)
		pcm.planes[c] = arena_alloc(a, nr_samples * sizeof(float));
	*pcm_r = pcm;
}

/* ---- what the two directions share ---- */

struct codec {
	AVCodecContext *context;
	AVPacket *packet;
	AVFrame *frame;
	AVFrame *surplus;
};

static void codec_release(void *ptr)
{
	struct codec *c = ptr;

	av_frame_free(&c->surplus);
	av_frame_free(&c->frame);
	av_packet_free(&c->packet);
	avcodec_free_context(&c->context);
}

static enum err codec_alloc(struct arena *a, const AVCodec *of,
			    struct codec **codec_r, struct errmsg *e)
{
	struct codec *c = ARENA_NEW(a, struct codec);

	avlog_begin();
	if (!of)
		return err_set(e, ERR_MEDIA, "no AAC codec in this libavcodec");
	arena_defer(a, codec_release, c);
	c->context = avcodec_alloc_context3(of);
	c->packet = av_packet_alloc();
	c->frame = av_frame_alloc();
	c->surplus = av_frame_alloc();
	if (!c->context || !c->packet || !c->frame || !c->surplus)
		return err_set(e, ERR_MEDIA, "no memory for an AAC codec");
	*codec_r = c;
	return ERR_OK;
}

static enum err refuse(struct errmsg *e, const char *what, int rc)
{
	char text[AVLOG_TEXT_SIZE];

	return err_set(e, ERR_MEDIA, "%s: %s", what, avlog_text(rc, text));
}

/* The size of a frame that says it is AAC LC of a layout we know, or 0. */
static size_t read_header(const struct audio_frame *frame,
			  struct audio_format *format_r)
{
	size_t size = adts_frame(frame->data, frame->size, format_r);

	/* The last two bits: further blocks in the frame. */
	if (!size || frame->data[6] & 3 || format_r->object_type != OBJECT_LC ||
	    !layouts[format_r->channels])
		return 0;
	return size;
}

static bool is_same(const struct audio_format *a, const struct audio_format *b)
{
	return a->rate == b->rate && a->channels == b->channels;
}

/* ---- decoding ---- */

static enum err decoder_open(struct arena *a, struct codec **dec_r,
			     struct errmsg *e)
{
	/* By name: another of the same id would give other samples. */
	const AVCodec *of = avcodec_find_decoder_by_name("aac");
	enum err err = codec_alloc(a, of, dec_r, e);
	int rc;

	if (err)
		return err;
	rc = avcodec_open2((*dec_r)->context, of, NULL);
	if (rc < 0)
		return refuse(e, "cannot open the AAC decoder", rc);
	return ERR_OK;
}

/* Whether the frame gave samples; they are in dec->frame. */
static bool decode(struct codec *dec, const uint8_t *data, size_t size)
{
	bool has_samples;

	/* Lent for the call: the decoder copies what has no owner. */
	dec->packet->data = (uint8_t *)data;
	dec->packet->size = (int)size;
	has_samples = avcodec_send_packet(dec->context, dec->packet) >= 0 &&
		      avcodec_receive_frame(dec->context, dec->frame) >= 0;
	/* Bytes behind a frame's end may look like another. */
	while (avcodec_receive_frame(dec->context, dec->surplus) >= 0)
		;
	return has_samples;
}

/* Whether what was decoded is what the header said: no SBR, no PS. */
static bool is_as_said(const struct codec *dec,
		       const struct audio_format *format)
{
	const AVFrame *frame = dec->frame;

	return frame->nb_samples == AAC_SAMPLES &&
	       frame->format == AV_SAMPLE_FMT_FLTP &&
	       frame->sample_rate == (int)format->rate &&
	       frame->ch_layout.nb_channels == (int)count_channels(format) &&
	       dec->context->profile == PROFILE_LC;
}

static bool all_plain(struct codec *dec, const struct audio_frame *frames,
		      size_t nr)
{
	struct audio_format first = { 0 };
	bool has_samples = false;

	for (size_t i = 0; i < nr; i++) {
		struct audio_format format;
		size_t size = read_header(&frames[i], &format);

		if (size && !i)
			first = format;
		if (!size || !is_same(&format, &first))
			return false;
		if (!decode(dec, frames[i].data, size))
			continue;
		if (!is_as_said(dec, &first))
			return false;
		has_samples = true;
	}
	return has_samples;
}

bool aac_is_plain(const struct audio_frame *frames, size_t nr)
{
	struct arena work;
	struct codec *dec;
	struct errmsg e;
	bool is_plain;

	arena_init(&work);
	is_plain =
		decoder_open(&work, &dec, &e) == ERR_OK &&
		all_plain(dec, frames, nr < PLAIN_FRAMES ? nr : PLAIN_FRAMES);
	arena_release(&work);
	return is_plain;
}

/* The format of the first frame that has one; all others must agree. */
static enum err find_format(const struct audio_frame *frames, size_t nr,
			    struct audio_format *format_r, struct errmsg *e)
{
	struct audio_format found = { 0 };

	for (size_t i = 0; i < nr; i++) {
		struct audio_format format;

		if (!read_header(&frames[i], &format))
			continue;
		if (!found.rate)
			found = format;
		if (!is_same(&format, &found))
			return err_set(e, ERR_MEDIA,
				       "frames of AAC are not all of one kind");
	}
	if (!found.rate)
		return err_set(e, ERR_MEDIA, "no frames of AAC LC");
	*format_r = found;
	return ERR_OK;
}

static void copy_samples(const AVFrame *frame, size_t at, struct pcm *pcm)
{
	for (unsigned c = 0; c < pcm->nr_channels; c++)
		memcpy(pcm->planes[c] + at, frame->extended_data[c],
		       AAC_SAMPLES * sizeof(float));
}

/* nr_before of the frames are only there to settle. */
static enum err decode_frames(struct codec *dec,
			      const struct audio_frame *frames,
			      size_t nr_before, const struct audio_format *said,
			      struct pcm *pcm, struct errmsg *e)
{
	size_t nr = nr_before + pcm->nr_samples / AAC_SAMPLES;

	for (size_t i = 0; i < nr; i++) {
		struct audio_format format;
		size_t size = read_header(&frames[i], &format);

		if (!size || !is_same(&format, said) ||
		    !decode(dec, frames[i].data, size))
			continue;
		if (!is_as_said(dec, said))
			return err_set(e, ERR_MEDIA,
				       "AAC is not the plain LC it says");
		if (i >= nr_before)
			copy_samples(dec->frame, (i - nr_before) * AAC_SAMPLES,
				     pcm);
	}
	return ERR_OK;
}

enum err aac_decode(struct arena *a, const struct audio_frame *stream,
		    size_t nr_stream, size_t first, size_t nr,
		    struct pcm *pcm_r, struct errmsg *e)
{
	size_t nr_before = first < AAC_PREROLL ? first : AAC_PREROLL;
	struct audio_format format = { 0 };
	struct codec *dec;
	struct arena work;
	struct pcm pcm;
	enum err err;

	if (first > nr_stream || nr > nr_stream - first)
		BUG("frames %zu + %zu of %zu", first, nr, nr_stream);
	if (nr > AAC_MAX_FRAMES)
		return err_set(e, ERR_LIMIT, "more than %d frames of AAC",
			       AAC_MAX_FRAMES);
	err = find_format(stream + first, nr, &format, e);
	if (err)
		return err;
	pcm_init(a, count_channels(&format), format.rate, nr * AAC_SAMPLES,
		 &pcm);
	arena_init(&work);
	err = decoder_open(&work, &dec, e);
	if (!err)
		err = decode_frames(dec, stream + first - nr_before, nr_before,
				    &format, &pcm, e);
	arena_release(&work);
	if (!err)
		*pcm_r = pcm;
	return err;
}

/* ---- encoding ---- */

static void set_options(AVCodecContext *c, const struct audio_format *format)
{
	c->sample_fmt = AV_SAMPLE_FMT_FLTP;
	c->sample_rate = (int)format->rate;
	c->time_base = (AVRational){ 1, c->sample_rate };
	c->profile = PROFILE_LC;
	c->flags |= AV_CODEC_FLAG_BITEXACT;
	c->bit_rate = (int64_t)(BITS_PER_SAMPLE * format->rate) *
		      count_channels(format);
	/* Else what is above 22 kHz would be left out. */
	c->cutoff = c->sample_rate / 2;
	/*
	 * Measured over joins of tones, noise, drums and speech: of the coders
	 * "fast" is the nearer to the samples at this rate by 3 to 15 dB, in
	 * half of the time; intensity stereo costs up to 15 dB; TNS gains
	 * nothing.  Substituted noise is not what was meant, and not MPEG-2.
	 */
	av_opt_set(c->priv_data, "aac_coder", "fast", 0);
	av_opt_set_int(c->priv_data, "aac_pns", 0, 0);
	av_opt_set_int(c->priv_data, "aac_is", 0, 0);
	av_opt_set_int(c->priv_data, "aac_tns", 0, 0);
}

static enum err encoder_open(struct arena *a, const struct audio_format *format,
			     struct codec **enc_r, struct errmsg *e)
{
	const AVCodec *of = avcodec_find_encoder_by_name("aac");
	enum err err = codec_alloc(a, of, enc_r, e);
	struct codec *enc;
	int rc;

	if (err)
		return err;
	enc = *enc_r;
	set_options(enc->context, format);
	rc = av_channel_layout_from_mask(&enc->context->ch_layout,
					 layouts[format->channels]);
	if (rc >= 0)
		rc = avcodec_open2(enc->context, of, NULL);
	if (rc < 0)
		return refuse(e, "cannot open the AAC encoder", rc);
	enc->frame->nb_samples = AAC_SAMPLES;
	enc->frame->format = AV_SAMPLE_FMT_FLTP;
	enc->frame->sample_rate = enc->context->sample_rate;
	rc = av_channel_layout_copy(&enc->frame->ch_layout,
				    &enc->context->ch_layout);
	if (rc >= 0)
		rc = av_frame_get_buffer(enc->frame, 0);
	if (rc < 0)
		return refuse(e, "cannot hold a frame of samples", rc);
	return ERR_OK;
}

struct encoding {
	struct arena *a;
	struct codec *enc;
	const uint8_t *header; /* to be like */
	struct audio_frame *frames;
	size_t nr;
	size_t nr_packets; /* that came, of which AAC_PREROLL + 1 go */
};

static enum err take_packet(struct encoding *s, struct errmsg *e)
{
	const AVPacket *packet = s->enc->packet;
	size_t size = ADTS_HEADER + (size_t)packet->size;
	size_t i = s->nr_packets++;
	uint8_t *data;

	if (i <= AAC_PREROLL || i - AAC_PREROLL > s->nr)
		return ERR_OK;
	if (size > ADTS_MAX_FRAME)
		return err_set(e, ERR_MEDIA,
			       "the AAC encoder gave a frame of %zu bytes",
			       size);
	data = arena_alloc(s->a, size + TSFILE_PADDING);
	memcpy(data, s->header, ADTS_HEADER);
	data[1] |= 1; /* no CRC */
	adts_set_size(data, size);
	memcpy(data + ADTS_HEADER, packet->data, (size_t)packet->size);
	s->frames[i - AAC_PREROLL - 1] =
		(struct audio_frame){ .data = data, .size = size };
	return ERR_OK;
}

/* A frame of samples, or NULL for the end. */
static enum err send_frame(struct encoding *s, const AVFrame *frame,
			   struct errmsg *e)
{
	int rc = avcodec_send_frame(s->enc->context, frame);
	enum err err = ERR_OK;

	if (rc < 0)
		return refuse(e, "the AAC encoder takes no samples", rc);
	while (!err) {
		rc = avcodec_receive_packet(s->enc->context, s->enc->packet);
		if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF)
			return ERR_OK;
		if (rc < 0)
			return refuse(e, "cannot encode AAC", rc);
		err = take_packet(s, e);
	}
	return err;
}

/*
 * What junk decodes to may be loud beyond reason, or no number at all, and the
 * encoder of FFmpeg 5.1 then never ends (at a billion times full scale).
 */
static float bounded(float sample)
{
	if (isnan(sample))
		return 0;
	return fminf(fmaxf(sample, -SAMPLE_MAX), SAMPLE_MAX);
}

static enum err encode_frames(struct encoding *s, const struct pcm *pcm,
			      struct errmsg *e)
{
	AVFrame *frame = s->enc->frame;
	size_t nr_sent = AAC_PREROLL + s->nr + 1;

	for (size_t i = 0; i < nr_sent; i++) {
		int rc = av_frame_make_writable(frame);
		enum err err;

		if (rc < 0)
			return refuse(e, "cannot hold a frame of samples", rc);
		for (unsigned c = 0; c < pcm->nr_channels; c++) {
			const float *from = pcm->planes[c] + i * AAC_SAMPLES;
			float *to = (void *)frame->extended_data[c];

			for (size_t k = 0; k < AAC_SAMPLES; k++)
				to[k] = bounded(from[k]);
		}
		frame->pts = (int64_t)(i * AAC_SAMPLES);
		err = send_frame(s, frame, e);
		if (err)
			return err;
	}
	return send_frame(s, NULL, e);
}

enum err aac_encode(struct arena *a, const struct audio_frame *like,
		    const struct pcm *pcm, size_t nr,
		    struct audio_frame **frames_r, struct errmsg *e)
{
	struct encoding s = { .a = a, .header = like->data, .nr = nr };
	struct audio_format format;
	struct arena work;
	enum err err;

	if (pcm->nr_samples / AAC_SAMPLES < AAC_PREROLL + 1 ||
	    pcm->nr_samples / AAC_SAMPLES - AAC_PREROLL - 1 < nr)
		BUG("%zu samples for %zu frames", pcm->nr_samples, nr);
	if (!read_header(like, &format))
		return err_set(e, ERR_MEDIA, "no frame of AAC LC to be like");
	if (pcm->rate != format.rate ||
	    pcm->nr_channels != count_channels(&format))
		return err_set(e, ERR_MEDIA, "AAC of another rate or layout");
	s.frames = arena_alloc(a, nr * sizeof(*s.frames));
	arena_init(&work);
	err = encoder_open(&work, &format, &s.enc, e);
	if (!err)
		err = encode_frames(&s, pcm, e);
	arena_release(&work);
	if (!err && s.nr_packets <= AAC_PREROLL + nr)
		err = err_set(e, ERR_MEDIA, "the AAC encoder gave too little");
	if (!err)
		*frames_r = s.frames;
	return err;
}

enum err aac_silence(struct arena *a, const struct audio_frame *like,
		     struct audio_frame *frame_r, struct errmsg *e)
{
	struct audio_format format;
	struct audio_frame *frames;
	struct pcm pcm;
	enum err err;

	if (!read_header(like, &format))
		return err_set(e, ERR_MEDIA, "no frame of AAC LC to be like");
	pcm_init(a, count_channels(&format), format.rate,
		 (AAC_PREROLL + 2) * AAC_SAMPLES, &pcm);
	err = aac_encode(a, like, &pcm, 1, &frames, e);
	if (!err)
		*frame_r = frames[0];
	return err;
}

/* ---- windows ---- */

struct bits {
	const uint8_t *data;
	size_t nr; /* bits, in all */
	size_t at;
};

/* Zeroes beyond the end. */
static unsigned take(struct bits *b, unsigned nr)
{
	unsigned value = 0;

	for (; nr; nr--, b->at++) {
		value <<= 1;
		if (b->at < b->nr)
			value |= b->data[b->at / 8] >> (7 - b->at % 8) & 1;
	}
	return value;
}

enum element { SCE = 0, CPE = 1, LFE = 3, DSE = 4, FIL = 6 };

/* Goes to the first element that has a window; which one, or -1. */
static int find_window(struct bits *b)
{
	while (b->at < b->nr) {
		unsigned id = take(b, 3);
		unsigned count = take(b, 4); /* FIL: its bytes; else a tag */

		if (id == SCE || id == CPE || id == LFE)
			return (int)id;
		if (id == FIL) {
			if (count == 15)
				count += take(b, 8) - 1;
		} else if (id == DSE) {
			bool is_aligned = take(b, 1);

			count = take(b, 8);
			if (count == 255)
				count += take(b, 8);
			if (is_aligned)
				b->at = (b->at + 7) / 8 * 8;
		} else {
			break;
		}
		b->at += (size_t)count * 8;
	}
	return -1;
}

struct window_end {
	bool is_short;
	bool is_kbd;
};

/* The end of a frame's window, if it can be told without decoding. */
static bool read_window(const struct audio_frame *frame,
			struct window_end *end_r)
{
	struct audio_format format;
	size_t size = adts_frame(frame->data, frame->size, &format);
	struct bits b = { .data = frame->data, .nr = size * 8 };
	unsigned sequence;
	int element;

	if (!size)
		return false;
	b.at = (frame->data[1] & 1 ? ADTS_HEADER : ADTS_HEADER + 2) * 8;
	element = find_window(&b);
	if (element < 0)
		return false;
	if (element == CPE) {
		if (!take(&b, 1))
			return false; /* a window each */
	} else {
		take(&b, 8); /* gain */
	}
	take(&b, 1);
	sequence = take(&b, 2);
	/* 1 starts short ones, 2 is short. */
	end_r->is_short = sequence == 1 || sequence == 2;
	end_r->is_kbd = take(&b, 1);
	return b.at <= b.nr;
}

enum aac_seam aac_seam(const struct audio_frame *a, const struct audio_frame *b)
{
	struct window_end end_a, end_b;

	if (!read_window(a, &end_a) || !read_window(b, &end_b) ||
	    end_a.is_short != end_b.is_short)
		return AAC_SEAM_BAD;
	return end_a.is_kbd == end_b.is_kbd ? AAC_SEAM_GOOD : AAC_SEAM_FAIR;
}
