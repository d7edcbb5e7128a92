#include "config.h"

#include "media/h264.h"

#include <stdbool.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "media/tsfile.h"

#define MAX_SETS_BYTES 65536 /* of one access unit; what is beyond is left */

size_t annexb_next(const uint8_t *data, size_t size, size_t at)
{
	/* A byte over 1 is in no start code, nor are the two before it. */
	while (at + 3 < size) {
		if (data[at + 2] > 1)
			at += 3;
		else if (data[at + 2] == 1 && !data[at] && !data[at + 1])
			return at + 3;
		else
			at++;
	}
	return size;
}

/*
 * Whether an SEI has a recovery point among its messages: H.264 7.3.2.3.
 * Types and sizes are sums of bytes, all but the last of them 255.
 */
static bool has_recovery_point(const uint8_t *data, size_t size)
{
	size_t at = 1;

	while (at + 2 < size && data[at] != 0x80) {
		size_t type = 0;
		size_t length = 0;

		while (at < size && data[at] == 0xff)
			type += data[at++];
		if (at < size)
			type += data[at++];
		while (at < size && data[at] == 0xff)
			length += data[at++];
		if (at < size)
			length += data[at++];
		if (type == 6)
			return true;
		at += length;
	}
	return false;
}

uint8_t h264_unit_flags(const uint8_t *data, size_t size, uint8_t *nr_auds_r)
{
	uint8_t flags = 0;
	uint8_t nr_auds = 0;
	size_t at = annexb_next(data, size, 0);

	while (at < size) {
		unsigned type = data[at] & 0x1f;
		bool is_ref = data[at] & 0x60;
		size_t next = annexb_next(data, size, at);

		if (type == H264_NAL_AUD) {
			flags |= UNIT_AUD;
			nr_auds = (uint8_t)(nr_auds + (nr_auds < UINT8_MAX));
		} else if (type == H264_NAL_SPS) {
			flags |= UNIT_SPS;
		} else if (type == H264_NAL_PPS) {
			flags |= UNIT_PPS;
		} else if (type == H264_NAL_SEI &&
			   has_recovery_point(data + at, next - at)) {
			flags |= UNIT_RECOVERY;
		} else if (type == H264_NAL_IDR) {
			flags |= UNIT_IDR | UNIT_REF;
		} else if (type == H264_NAL_SLICE && is_ref) {
			flags |= UNIT_REF;
		}
		at = next;
	}
	*nr_auds_r = nr_auds;
	return flags;
}

/* Where the NAL unit ends that the next one's header follows at next. */
static size_t nal_end(const uint8_t *data, size_t at, size_t next, size_t size)
{
	size_t end = next == size ? size : next - 3;

	/* Zeros in front of a start code, and trailing ones: annex B. */
	while (end > at && !data[end - 1])
		end--;
	return end;
}

/* An Exp-Golomb code of at most 8 zeros from bit *pos on; UINT32_MAX if not. */
static uint32_t read_ue(const uint8_t *data, size_t size, size_t *pos)
{
	unsigned zeros = 0;
	uint32_t value = 0;

	for (; *pos < size * 8; (*pos)++, zeros++)
		if (data[*pos / 8] >> (7 - *pos % 8) & 1)
			break;
	if (zeros > 8 || *pos + zeros + 1 > size * 8)
		return UINT32_MAX;
	for (unsigned i = 0; i <= zeros; i++, (*pos)++)
		value = value << 1 | (data[*pos / 8] >> (7 - *pos % 8) & 1);
	return value - 1;
}

/* The id of an SPS (behind profile, constraints and level) or a PPS. */
static uint32_t set_id(const uint8_t *nal, size_t size, unsigned type)
{
	size_t pos = type == H264_NAL_SPS ? 32 : 8;

	return read_ue(nal, size, &pos);
}

void h264_read_sets(struct arena *a, const uint8_t *data, size_t size,
		    struct h264_sets *sets_r)
{
	uint8_t *out = arena_alloc(a, size < MAX_SETS_BYTES ? size * 2 + 4 :
							      MAX_SETS_BYTES);
	struct h264_sets sets = { .data = out };
	size_t at = annexb_next(data, size, 0);

	while (at < size) {
		unsigned type = data[at] & 0x1f;
		size_t next;
		size_t len;
		uint32_t id;

		if (type == H264_NAL_SLICE || type == H264_NAL_IDR)
			break;
		next = annexb_next(data, size, at);
		len = nal_end(data, at, next, size) - at;
		if ((type == H264_NAL_SPS || type == H264_NAL_PPS) &&
		    sets.size + 4 + len <= MAX_SETS_BYTES) {
			out[sets.size + 3] = 1;
			memcpy(out + sets.size + 4, data + at, len);
			sets.size += 4 + len;
			id = set_id(data + at, len, type);
			sets.ids |= id < 32 ? UINT32_C(1) << id : 0;
		}
		at = next;
	}
	*sets_r = sets;
}

unsigned h264_free_id(uint32_t ids)
{
	/* 31 is left alone: decoders are known that do not take it. */
	for (unsigned id = 7; id < 31; id++)
		if (!(ids >> id & 1))
			return id;
	return 7;
}

size_t h264_after_sets(const uint8_t *data, size_t size)
{
	size_t at = annexb_next(data, size, 0);

	while (at < size) {
		unsigned type = data[at] & 0x1f;

		if (type != H264_NAL_AUD && type != H264_NAL_SPS &&
		    type != H264_NAL_PPS) {
			size_t begin = at - 3;

			return begin && !data[begin - 1] ? begin - 1 : begin;
		}
		at = annexb_next(data, size, at);
	}
	return size;
}

void h264_read_look(const uint8_t *data, size_t size, struct h264_look *look_r)
{
	AVCodecParserContext *parser = av_parser_init(AV_CODEC_ID_H264);
	AVCodecContext *codec = avcodec_alloc_context3(NULL);
	uint8_t *unused;
	int unused_size;

	*look_r = (struct h264_look){ .format = AV_PIX_FMT_NONE };
	if (parser && codec) {
		codec->codec_id = AV_CODEC_ID_H264;
		parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
		av_parser_parse2(parser, codec, &unused, &unused_size, data,
				 (int)size, AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);
		*look_r = (struct h264_look){
			.width = parser->width,
			.height = parser->height,
			.format = parser->format,
			.profile = codec->profile,
			.level = codec->level,
		};
	}
	av_parser_close(parser);
	avcodec_free_context(&codec);
}
