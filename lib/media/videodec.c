#include "config.h"

#include "media/videodec.h"

#include <limits.h>

#include "base/compiler.h"
#include "media/avlog.h"
#include "media/ts.h"

/*
 * Which unit a picture is of, and whether anybody wants it, is told by its
 * pts: that goes through the decoder with it.  Units that nobody wants go in
 * without one, so their pictures come out without, whenever that is.
 */
_Static_assert(TS_NONE == AV_NOPTS_VALUE, "two words for no time");

/* Of a picture: what levels up to 5.2 allow (H.264 table A-1, MaxFS). */
#define MAX_PIXELS (INT64_C(36864) * 256)

/* Of a unit: it is counted and padded in an int. */
#define MAX_UNIT ((size_t)INT_MAX / 2)

struct videodec {
	AVCodecContext *codec;
	AVPacket *packet;
	AVFrame *frame;
	frame_fn *take;
	void *ctx;
	uint64_t nr_bad;
	/* Since the last flush: */
	int64_t last_pts; /* of the pictures given */
	uint64_t nr_wanted;
	uint64_t nr_given;
	uint64_t nr_failed; /* units of which something said so */
};

static void close_decoder(void *ptr)
{
	struct videodec *dec = ptr;

	av_frame_free(&dec->frame);
	av_packet_free(&dec->packet);
	avcodec_free_context(&dec->codec);
}

/*
 * Frame threads, though each holds back a picture: most streams have one slice
 * a picture, which slice threads cannot share out.  1080p60 of 6 Mb/s, 2 cores,
 * 2 threads, FFmpeg 5.1: the picture 1.9 s after a key frame is there after
 * 250 ms, with slice threads after 430 ms.
 *
 * Strict: else where a stream does not say how far its pictures are out of
 * order (bitstream_restriction_flag is 0), the decoder guesses from those it
 * has seen, and gives the first B-frames too late.  Strictly it waits for as
 * many as the level allows.
 *
 * Damaged pictures are given: at an edge a picture with a flaw is better than
 * none.
 */
static void set_up(AVCodecContext *codec, int nr_threads)
{
	codec->thread_count = nr_threads;
	codec->thread_type = FF_THREAD_FRAME;
	codec->strict_std_compliance = FF_COMPLIANCE_STRICT;
	codec->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
	codec->pkt_timebase = (AVRational){ 1, TS_HZ };
	codec->max_pixels = MAX_PIXELS;
}

static enum err open_codec(struct videodec *dec,
			   const struct videodec_config *config,
			   struct errmsg *e)
{
	const AVCodec *codec = avcodec_find_decoder(config->codec);
	char text[AVLOG_TEXT_SIZE];
	int got;

	if (!codec)
		return err_set(e, ERR_MEDIA, "no decoder for '%s'",
			       avcodec_get_name(config->codec));
	dec->codec = avcodec_alloc_context3(codec);
	dec->packet = av_packet_alloc();
	dec->frame = av_frame_alloc();
	if (!dec->codec || !dec->packet || !dec->frame)
		return err_set(e, ERR_MEDIA, "no memory to decode video");
	set_up(dec->codec, config->nr_threads);
	got = avcodec_open2(dec->codec, codec, NULL);
	if (got < 0)
		return err_set(e, ERR_MEDIA, "cannot open decoder '%s': %s",
			       codec->name, avlog_text(got, text));
	return ERR_OK;
}

enum err videodec_open(struct arena *a, const struct videodec_config *config,
		       struct videodec **dec_r, struct errmsg *e)
{
	struct videodec *dec = ARENA_NEW(a, struct videodec);
	enum err err;

	avlog_begin();
	dec->take = config->take;
	dec->ctx = config->ctx;
	dec->last_pts = TS_NONE;
	arena_defer(a, close_decoder, dec);
	err = open_codec(dec, config, e);
	if (!err)
		*dec_r = dec;
	return err;
}

/* What the library says of one unit; only lack of memory is the end. */
static enum err note_failure(struct videodec *dec, int got, struct errmsg *e)
{
	if (got == AVERROR(ENOMEM))
		return err_set(e, ERR_MEDIA, "no memory to decode video");
	dec->nr_bad++;
	dec->nr_failed++;
	return ERR_OK;
}

static enum err give(struct videodec *dec, struct errmsg *e)
{
	AVFrame *frame = dec->frame;

	/* Its place is behind us: damage, or a stream with wrong times. */
	if (frame->pts <= dec->last_pts)
		return note_failure(dec, AVERROR_INVALIDDATA, e);
	if (frame->decode_error_flags || frame->flags & AV_FRAME_FLAG_CORRUPT)
		dec->nr_bad++;
	dec->last_pts = frame->pts;
	dec->nr_given++;
	return dec->take(dec->ctx, frame, e);
}

/* All pictures that there are now: afterwards it takes a unit again. */
static enum err receive(struct videodec *dec, struct errmsg *e)
{
	for (;;) {
		int got = avcodec_receive_frame(dec->codec, dec->frame);
		enum err err = ERR_OK;

		if (got == AVERROR(EAGAIN) || got == AVERROR_EOF)
			return ERR_OK;
		if (got < 0)
			err = note_failure(dec, got, e);
		else if (dec->frame->pts != TS_NONE)
			err = give(dec, e);
		av_frame_unref(dec->frame);
		if (err)
			return err;
	}
}

/*
 * Left out before the decoder sees it: that lets frame threads work on, while
 * of a picture skipped inside (skip_frame) each takes its turn; a tenth of the
 * time with two B-frames.  The flags of a unit tell of H.264 only.
 */
static bool is_skipped(const struct videodec *dec, const struct unit *unit)
{
	return dec->codec->codec_id == AV_CODEC_ID_H264 &&
	       !(unit->flags & (UNIT_REF | UNIT_SPS | UNIT_PPS));
}

/*
 * The packet has no buffer of its own, so the library copies the bytes and
 * pads them; that takes nothing beside decoding, and what follows the unit in
 * its file is never looked at.
 */
static enum err send(struct videodec *dec, const struct unit *unit, int64_t pts,
		     struct errmsg *e)
{
	int got;

	dec->packet->data = (uint8_t *)(uintptr_t)unit->data; /* only read */
	dec->packet->size = (int)unit->size;
	dec->packet->pts = pts;
	got = avcodec_send_packet(dec->codec, dec->packet);
	av_packet_unref(dec->packet);
	return got < 0 ? note_failure(dec, got, e) : ERR_OK;
}

enum err videodec_put(struct videodec *dec, const struct unit *unit,
		      bool is_wanted, struct errmsg *e)
{
	enum err err;

	if (!is_wanted && is_skipped(dec, unit))
		return ERR_OK;
	if (is_wanted)
		dec->nr_wanted++;
	/* No bytes would be the end of the stream to libavcodec. */
	if (!unit->size || unit->size > MAX_UNIT)
		return note_failure(dec, AVERROR_INVALIDDATA, e);
	err = send(dec, unit, is_wanted ? unit->pts : TS_NONE, e);
	return err ? err : receive(dec, e);
}

/*
 * Where damage confuses the order of pictures, some are lost without a word
 * from the decoder.
 */
static void count_lost(struct videodec *dec)
{
	uint64_t known = dec->nr_given + dec->nr_failed;

	if (dec->nr_wanted > known)
		dec->nr_bad += dec->nr_wanted - known;
	dec->nr_wanted = dec->nr_given = dec->nr_failed = 0;
	dec->last_pts = TS_NONE;
}

enum err videodec_flush(struct videodec *dec, struct errmsg *e)
{
	int got = avcodec_send_packet(dec->codec, NULL);
	enum err err = ERR_OK;

	if (got < 0)
		err = note_failure(dec, got, e);
	if (!err)
		err = receive(dec, e);
	avcodec_flush_buffers(dec->codec);
	count_lost(dec);
	return err;
}

const AVCodecContext *videodec_context(const struct videodec *dec)
{
	return dec->codec;
}

uint64_t videodec_nr_bad(const struct videodec *dec)
{
	return dec->nr_bad;
}
