#include "config.h"

#include "media/codecname.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/compiler.h"

/*
 * What we read of an SPS ends within these bytes, the NAL header included.  One
 * of H.264 may be shorter, but then slices follow.
 */
#define SPS_BYTES 15

/*
 * Finds a NAL unit and copies its first bytes, without emulation prevention
 * (7.4.1 in both standards).  False if there is none, or not all of it.
 */
static bool find_sps(const uint8_t *data, size_t size, uint8_t mask,
		     uint8_t type, uint8_t sps_r[SPS_BYTES])
{
	size_t nr = 0;
	size_t at = 0;

	while (at + 4 <= size &&
	       (data[at] || data[at + 1] || data[at + 2] != 1 ||
		(data[at + 3] & mask) != type))
		at++;
	for (at += 3; at < size && nr < SPS_BYTES; at++)
		if (nr < 2 || data[at] != 3 || data[at - 1] || data[at - 2])
			sps_r[nr++] = data[at];
	return nr == SPS_BYTES;
}

/* RFC 6381 3.3: profile_idc, constraint flags and level_idc as they are. */
static void name_h264(const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE])
{
	uint8_t sps[SPS_BYTES];

	if (find_sps(data, size, 0x1f, 7, sps))
		snprintf(name, CODEC_NAME_SIZE, "avc1.%02X%02X%02X", sps[1],
			 sps[2], sps[3]);
}

/* The compatibility flags are written with the first one lowest. */
static uint32_t reverse_bits(const uint8_t b[4])
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 32; i++)
		bits |= ((uint32_t)b[i / 8] >> (7 - i % 8) & 1) << i;
	return bits;
}

/*
 * ISO/IEC 14496-15 E.3.  hvc1 rather than hev1, as Apple asks for and as the
 * programs that turn TS into MP4 in a browser make it.
 */
static void name_hevc(const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE])
{
	uint8_t sps[SPS_BYTES];
	const uint8_t *ptl = sps + 3; /* profile_tier_level() */
	const uint8_t *constraints = ptl + 5;
	unsigned nr = 6;
	size_t at;

	if (!find_sps(data, size, 0x7e, 33 << 1, sps))
		return;
	at = (size_t)snprintf(
		name, CODEC_NAME_SIZE, "hvc1.%.*s%u.%" PRIX32 ".%c%u",
		ptl[0] >> 6 != 0, &" ABC"[ptl[0] >> 6], ptl[0] & 0x1fu,
		reverse_bits(ptl + 1), ptl[0] & 0x20 ? 'H' : 'L', ptl[11]);
	while (nr > 0 && !constraints[nr - 1])
		nr--;
	for (unsigned i = 0; i < nr; i++)
		at += (size_t)snprintf(name + at, CODEC_NAME_SIZE - at, ".%02X",
				       constraints[i]);
}

void codec_name_video(enum AVCodecID id, const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE])
{
	if (id == AV_CODEC_ID_H264)
		name_h264(data, size, name);
	if (id == AV_CODEC_ID_HEVC)
		name_hevc(data, size, name);
}

/* Audio */

/*
 * The object type of AAC as a decoder finds it, or 0.  It is the only one who
 * does, where it is not in a header: SBR and PS hide among the samples.
 */
static int decode_aac_type(enum AVCodecID id, const uint8_t *data, size_t size)
{
	const AVCodec *decoder = avcodec_find_decoder(id);
	AVCodecContext *codec = NULL;
	AVPacket *packet = NULL;
	AVFrame *frame = NULL;
	int type = 0;

	if (!decoder)
		return 0;
	codec = avcodec_alloc_context3(decoder);
	packet = av_packet_alloc();
	frame = av_frame_alloc();
	if (!codec || !packet || !frame)
		goto out;
	codec->thread_count = 1;
	if (avcodec_open2(codec, decoder, NULL) < 0 ||
	    av_new_packet(packet, (int)size) < 0)
		goto out;
	memcpy(packet->data, data, size);
	if (avcodec_send_packet(codec, packet) == 0 &&
	    avcodec_receive_frame(codec, frame) == 0)
		type = codec->profile + 1; /* FFmpeg counts from 0 */
out:
	av_frame_free(&frame);
	av_packet_free(&packet);
	avcodec_free_context(&codec);
	return type;
}

/*
 * The ADTS header says the object type, but of AAC with SBR only that of its
 * core, which then runs at half the rate: 24 kHz or less.
 */
static void name_aac(enum AVCodecID id, const uint8_t *data, size_t size,
		     char name[CODEC_NAME_SIZE])
{
	const unsigned index_of_24khz = 6;
	int type = 0;
	int decoded = 0;

	if (id == AV_CODEC_ID_AAC && size >= 7 && data[0] == 0xff)
		type = (data[2] >> 6) + 1;
	if (!type || (data[2] >> 2 & 0xf) >= index_of_24khz)
		decoded = decode_aac_type(id, data, size);
	if (decoded > 0)
		type = decoded;
	if (type)
		snprintf(name, CODEC_NAME_SIZE, "mp4a.40.%d", type);
}

/* Programs call all layers MP3; the header tells them apart. */
static void name_mpeg(const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE])
{
	/* ISO/IEC 14496-3: 32 to 34 are layers 1 to 3, which count down. */
	int type = size < 4 ? 0 : 35 - (data[1] >> 1 & 3);

	if (type >= 32 && type <= 34)
		snprintf(name, CODEC_NAME_SIZE, "mp4a.40.%d", type);
}

void codec_name_audio(enum AVCodecID id, const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE])
{
	static const struct {
		enum AVCodecID id;
		const char *name;
	} names[] = {
		{ AV_CODEC_ID_AC3, "ac-3" },
		{ AV_CODEC_ID_EAC3, "ec-3" },
		{ AV_CODEC_ID_OPUS, "opus" },
	};

	if (id == AV_CODEC_ID_AAC || id == AV_CODEC_ID_AAC_LATM)
		name_aac(id, data, size, name);
	if (id == AV_CODEC_ID_MP1 || id == AV_CODEC_ID_MP2 ||
	    id == AV_CODEC_ID_MP3)
		name_mpeg(data, size, name);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].id == id)
			snprintf(name, CODEC_NAME_SIZE, "%s", names[i].name);
}
