#include "config.h"

#include "media/probe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>

#include "base/compiler.h"
#include "base/log.h"
#include "media/avlog.h"
#include "media/codecname.h"

/*
 * The demultiplexer hands out the payload of each PES packet as it is
 * (AVFMT_FLAG_NOPARSE): for video one access unit, for audio some frames.  The
 * parser of the codec tells the size of the picture; the bytes of the SPS or
 * of the ADTS header tell the rest.  On 2 s of 1080p60 (FFmpeg 5.1) that takes
 * 0.3 ms; avformat_find_stream_info() takes 38 ms, because it decodes pictures
 * to learn things that nobody here asks for.
 */

#define MAX_STREAMS  16	 /* of a file; HLS has two or three */
#define MAX_PICTURES 256 /* whose times are kept: two seconds and more */
#define MIN_PICTURES 16	 /* enough to believe the rate that they show */
#define MAX_TRIES    8	 /* frames of audio; some are decoded */
#define IO_BYTES     (64 * 1024)

/* Where the tables are; HLS has them at the very beginning (RFC 8216 3.2). */
#define TABLES_BYTES (256 * 1024)

#define TS_CLOCK 90000
#define TS_WRAP	 (INT64_C(1) << 33)

/* A time that was in whole milliseconds once is off by up to one. */
#define JITTER_TS90K 100

/* A rate outside of 0.1 to 1000 a second is no rate. */
#define MIN_STEP_TS90K (TS_CLOCK / 1000)
#define MAX_STEP_TS90K (TS_CLOCK * 10)

struct track {
	AVCodecContext *codec; /* never opened: the parser's notes */
	AVCodecParserContext *parser;
	unsigned nr_tries;	    /* frames of audio that were looked at */
	bool is_done;		    /* its packets can tell no more */
	char name[CODEC_NAME_SIZE]; /* RFC 6381; "" if not known (yet) */
};

struct probe {
	int fd;
	int64_t pos;
	int io_errno;
	AVIOContext *io;
	AVFormatContext *in;
	AVPacket *packet;
	struct track tracks[MAX_STREAMS];

	int video; /* index of the stream that counts, or -1 */
	int64_t first_pts;
	int64_t pts[MAX_PICTURES]; /* from first_pts, in 90 kHz ticks */
	unsigned nr_pts;
	bool has_rate; /* more times would not change the rate */
};

/* ---- the file, as libavformat may see it ---- */

static int read_file(void *opaque, uint8_t *buf, int size)
{
	struct probe *p = opaque;
	int64_t left = PROBE_MAX_BYTES - p->pos;
	ssize_t got;

	if (size > left)
		size = (int)left;
	do {
		got = pread(p->fd, buf, (size_t)size, (off_t)p->pos);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		p->io_errno = errno;
		return AVERROR(p->io_errno);
	}
	if (got == 0)
		return AVERROR_EOF;
	p->pos += got;
	return (int)got;
}

/* The size is not told (AVSEEK_SIZE): nothing is worth a look at the end. */
static int64_t seek_file(void *opaque, int64_t offset, int whence)
{
	struct probe *p = opaque;

	if (whence != SEEK_SET || offset < 0 || offset > PROBE_MAX_BYTES)
		return AVERROR(EINVAL);
	p->pos = offset;
	return offset;
}

/* No segment has a reason to open another file. */
static int refuse_open(AVFormatContext *in, AVIOContext **io, const char *url,
		       int flags, AVDictionary **options)
{
	UNUSED(in);
	UNUSED(io);
	UNUSED(url);
	UNUSED(flags);
	UNUSED(options);
	return AVERROR(EACCES);
}

static bool alloc_input(struct probe *p)
{
	unsigned char *buffer = av_malloc(IO_BYTES);

	p->packet = av_packet_alloc();
	p->in = avformat_alloc_context();
	if (!buffer)
		return false;
	p->io = avio_alloc_context(buffer, IO_BYTES, 0, p, read_file, NULL,
				   seek_file);
	if (!p->io)
		av_free(buffer); /* else p->io owns it */
	return p->io && p->in && p->packet;
}

static enum err open_input(struct probe *p, struct errmsg *e)
{
	const AVInputFormat *format = av_find_input_format("mpegts");
	int rc;

	if (!format)
		return err_set(e, ERR_MEDIA, "FFmpeg cannot read MPEG-TS");
	if (!alloc_input(p))
		return err_set(e, ERR_MEDIA, "no memory to read a segment");
	p->in->pb = p->io; /* stays ours: AVFMT_FLAG_CUSTOM_IO */
	p->in->io_open = refuse_open;
	p->in->flags |=
		AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_NOPARSE | AVFMT_FLAG_NOFILLIN;
	p->in->probesize = TABLES_BYTES;
	/* Where this fails, it frees p->in and sets it to NULL. */
	rc = avformat_open_input(&p->in, NULL, format, NULL);
	if (rc < 0)
		return err_set(e, ERR_MEDIA, "cannot read as MPEG-TS: %s",
			       av_err2str(rc));
	/* Then libavformat would guess, and we could not know what is left. */
	if (p->in->nb_streams == 0)
		return err_set(e, ERR_MEDIA, "no MPEG-TS with its tables");
	return ERR_OK;
}

static void probe_release(struct probe *p)
{
	/* Each of these accepts NULL, so any half-open state is fine. */
	for (size_t i = 0; i < MAX_STREAMS; i++) {
		av_parser_close(p->tracks[i].parser);
		avcodec_free_context(&p->tracks[i].codec);
	}
	av_packet_free(&p->packet);
	avformat_close_input(&p->in);
	if (p->io)
		av_freep(&p->io->buffer); /* maybe no longer the first */
	avio_context_free(&p->io);
}

/* ---- frame rate ---- */

struct rate {
	int64_t num; /* 0/0 if the times show none */
	int64_t den;
	bool is_exact; /* no step differs from another by 2 ticks */
};

static int compare_times(const void *a, const void *b)
{
	const int64_t *x = a;
	const int64_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* The steps from picture to picture in order of display, sorted by length. */
static unsigned sort_steps(const struct probe *p, int64_t *steps)
{
	int64_t pts[MAX_PICTURES];
	unsigned nr = 0;

	memcpy(pts, p->pts, sizeof(*pts) * p->nr_pts);
	qsort(pts, p->nr_pts, sizeof(*pts), compare_times);
	for (unsigned i = 1; i < p->nr_pts; i++)
		if (pts[i] != pts[i - 1])
			steps[nr++] = pts[i] - pts[i - 1];
	qsort(steps, nr, sizeof(*steps), compare_times);
	return nr;
}

/*
 * The mean of the steps that are near the median; holes, and what is missing
 * because the segment was cut between pictures out of order, are not.
 */
static struct rate measure_rate(const struct probe *p)
{
	int64_t steps[MAX_PICTURES];
	unsigned nr = sort_steps(p, steps);
	struct rate rate = { 0, 0, false };
	int64_t median;
	unsigned all = nr;
	unsigned first = 0;

	if (nr < 2)
		return rate;
	median = steps[nr / 2];
	if (median < MIN_STEP_TS90K || median > MAX_STEP_TS90K)
		return rate;
	while (steps[first] < median - JITTER_TS90K)
		first++;
	while (steps[nr - 1] > median + JITTER_TS90K)
		nr--;
	if ((nr - first) * 2 < all)
		return rate;
	for (unsigned i = first; i < nr; i++)
		rate.den += steps[i];
	rate.num = (int64_t)TS_CLOCK * (nr - first);
	rate.is_exact = steps[nr - 1] - steps[first] <= 1;
	return rate;
}

/* Whether a and b differ by no more than one part in parts of b. */
static bool is_near(struct rate a, struct rate b, int64_t parts)
{
	return llabs(a.num * b.den - b.num * a.den) * parts <= b.num * a.den;
}

/*
 * The rate that the SPS claims, if it is what was measured; FFmpeg before 7
 * says that of the fields.  It has no jitter, but it lies often enough.
 */
static bool claimed_rate(const struct probe *p, struct rate measured,
			 struct rate *rate_r)
{
	const AVCodecContext *codec = p->tracks[p->video].codec;
	struct rate claimed = { 0, 0, true };
	int num;
	int den;

	if (!codec || codec->framerate.num <= 0 || codec->framerate.den <= 0)
		return false;
	/* So small that no product in is_near() can overflow. */
	av_reduce(&num, &den, codec->framerate.num, codec->framerate.den,
		  1 << 20);
	claimed.num = num;
	claimed.den = den;
	if (num == 0 || den == 0 || measured.den == 0)
		return false;
	if (!is_near(measured, claimed, 200))
		claimed.den *= 2;
	if (!is_near(measured, claimed, 200))
		return false;
	*rate_r = claimed;
	return true;
}

static void settle_rate(struct probe *p)
{
	struct rate measured = measure_rate(p);
	struct rate claimed;

	p->has_rate = p->nr_pts == MAX_PICTURES || measured.is_exact ||
		      claimed_rate(p, measured, &claimed);
}

/* Whole numbers, and those of NTSC, within 0.1 %; the nearer of the two. */
static struct rate snap_rate(struct rate rate)
{
	int64_t whole = (rate.num + rate.den / 2) / rate.den;
	struct rate plain = { whole, 1, true };
	struct rate ntsc = { whole * 1000, 1001, true };
	bool is_film = whole % 24 == 0 || whole % 30 == 0;

	if (is_film && is_near(rate, ntsc, 2000))
		return ntsc;
	return is_near(rate, plain, 1000) ? plain : rate;
}

static void find_rate(const struct probe *p, struct hour_media *media)
{
	struct rate rate = measure_rate(p);
	int num;
	int den;

	if (!rate.den)
		return;
	if (!rate.is_exact)
		claimed_rate(p, rate, &rate);
	rate = snap_rate(rate);
	av_reduce(&num, &den, rate.num, rate.den, UINT16_MAX);
	media->rate_num = (uint32_t)num;
	media->rate_den = (uint32_t)den;
}

/* ---- packets ---- */

/* Of one of the types; a damaged packet may make up a stream of no program. */
static bool is_stream(const struct probe *p, unsigned index,
		      enum AVMediaType type)
{
	return p->in->streams[index]->codecpar->codec_type == type &&
	       av_find_program_from_stream(p->in, NULL, (int)index);
}

static bool is_wanted(const struct probe *p, unsigned index)
{
	return is_stream(p, index, AVMEDIA_TYPE_VIDEO) ||
	       is_stream(p, index, AVMEDIA_TYPE_AUDIO);
}

static bool open_parser(struct track *track, const AVStream *stream)
{
	bool is_video = stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;

	track->parser = av_parser_init((int)stream->codecpar->codec_id);
	track->codec = avcodec_alloc_context3(NULL);
	if (!track->parser || !track->codec)
		return false;
	if (is_video)
		track->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
	track->codec->codec_type = stream->codecpar->codec_type;
	track->codec->codec_id = stream->codecpar->codec_id;
	return true;
}

static void learn_video(struct track *track, const uint8_t *data, int size)
{
	enum AVCodecID id = track->codec->codec_id;
	bool has_name = id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC;

	if (!track->name[0])
		codec_name_video(id, data, (size_t)size, track->name);
	track->is_done = track->parser->width > 0 &&
			 track->parser->height > 0 &&
			 (track->name[0] || !has_name);
}

static void learn_audio(struct track *track, const uint8_t *data, int size)
{
	/* Where the table of programs called E-AC-3 AC-3, the parser knows. */
	codec_name_audio(track->codec->codec_id, data, (size_t)size,
			 track->name);
	track->is_done = track->name[0] || ++track->nr_tries == MAX_TRIES;
}

static void learn_frame(struct track *track, const uint8_t *data, int size)
{
	if (track->codec->codec_type == AVMEDIA_TYPE_VIDEO)
		learn_video(track, data, size);
	else
		learn_audio(track, data, size);
}

static void learn(struct track *track, const AVStream *stream,
		  const AVPacket *packet)
{
	const uint8_t *data = packet->data;
	int size = packet->size;

	if (!track->parser && !open_parser(track, stream)) {
		track->is_done = true;
		return;
	}
	while (size > 0 && !track->is_done) {
		uint8_t *frame = NULL;
		int len = 0;
		int used = av_parser_parse2(track->parser, track->codec, &frame,
					    &len, data, size, packet->pts,
					    packet->dts, 0);

		if (used < 0 || (used == 0 && len == 0))
			break;
		if (len > 0)
			learn_frame(track, frame, len);
		data += used;
		size -= used;
	}
}

/* Times are kept from the first one, so that they may pass 2^33. */
static void note_time(struct probe *p, int64_t pts)
{
	int64_t since;

	if (pts == AV_NOPTS_VALUE || p->nr_pts >= MAX_PICTURES)
		return;
	if (p->nr_pts == 0)
		p->first_pts = pts;
	since = (pts - p->first_pts) & (TS_WRAP - 1);
	p->pts[p->nr_pts++] = since < TS_WRAP / 2 ? since : since - TS_WRAP;
	if (p->nr_pts % MIN_PICTURES == 0)
		settle_rate(p);
}

static void take_packet(struct probe *p)
{
	unsigned index = (unsigned)p->packet->stream_index;
	AVStream *stream = p->in->streams[index];
	struct track *track;

	if (index >= MAX_STREAMS || !is_wanted(p, index))
		return;
	track = &p->tracks[index];
	if (!track->is_done)
		learn(track, stream, p->packet);
	if (stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
		if (p->video < 0)
			p->video = (int)index;
		if (p->video == (int)index)
			note_time(p, p->packet->pts);
	} else if (track->is_done) {
		stream->discard = AVDISCARD_ALL;
	}
}

/* ---- the whole ---- */

/*
 * A stream of no type has a number in the table of programs that libavformat
 * does not trust or know; its packets may still tell.
 */
static bool is_complete(const struct probe *p)
{
	for (unsigned i = 0; i < p->in->nb_streams; i++) {
		if (is_stream(p, i, AVMEDIA_TYPE_UNKNOWN))
			return false;
		if (is_wanted(p, i) &&
		    (i >= MAX_STREAMS || !p->tracks[i].is_done))
			return false;
	}
	return p->video < 0 || p->has_rate;
}

/* Until all is known or nothing is left; errors are the end of the file. */
static void read_packets(struct probe *p)
{
	while (av_read_frame(p->in, p->packet) == 0) {
		take_packet(p);
		av_packet_unref(p->packet);
		if (is_complete(p))
			break;
	}
}

/* Whether a stream before this one has the same name. */
static bool is_repeated(const struct probe *p, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (!strcmp(p->tracks[i].name, p->tracks[index].name))
			return true;
	return false;
}

/* Appends the names of one type of stream; false if one has none. */
static bool add_names(const struct probe *p, enum AVMediaType type, char *to,
		      size_t size)
{
	size_t at = strlen(to);
	bool all = true;

	for (unsigned i = 0; i < p->in->nb_streams; i++) {
		if (!is_stream(p, i, type))
			continue;
		if (i >= MAX_STREAMS || !p->tracks[i].name[0])
			all = false;
		else if (!is_repeated(p, i) && at < size)
			at += (size_t)snprintf(to + at, size - at, "%s%s",
					       at ? "," : "",
					       p->tracks[i].name);
	}
	return all && at < size;
}

static enum err describe(const struct probe *p, struct hour_media *media_r,
			 struct errmsg *e)
{
	struct hour_media media = { .codecs = "" };
	size_t size = sizeof(media.codecs);
	bool has_video = add_names(p, AVMEDIA_TYPE_VIDEO, media.codecs, size);
	bool has_audio = add_names(p, AVMEDIA_TYPE_AUDIO, media.codecs, size);

	if (!media.codecs[0])
		return err_set(e, ERR_MEDIA, "no stream that can be named");
	if (!has_video || !has_audio)
		memset(media.codecs, 0, size);
	if (p->video >= 0 && p->tracks[p->video].is_done &&
	    p->tracks[p->video].parser) {
		const AVCodecParserContext *parser = p->tracks[p->video].parser;

		media.width = (uint32_t)parser->width;
		media.height = (uint32_t)parser->height;
		find_rate(p, &media);
	}
	*media_r = media;
	return ERR_OK;
}

enum err probe_segment(int fd, struct hour_media *media_r, struct errmsg *e)
{
	struct probe p = { .fd = fd, .video = -1 };
	enum err err;

	avlog_begin();
	err = open_input(&p, e);
	if (!err) {
		read_packets(&p);
		err = describe(&p, media_r, e);
	}
	if (err && p.io_errno)
		err = err_set(e, ERR_IO, "cannot read a segment: %s",
			      strerror(p.io_errno));
	probe_release(&p);
	return err;
}
