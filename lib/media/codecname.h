/*
 * codecname.h - the names of codecs in a playlist's CODECS.
 *
 * Made of the first bytes of an elementary stream, since the names hold what
 * only its headers say: profile, level, object type.
 *
 * Source: RFC 6381 3.3, ISO/IEC 14496-15 E.3 (HEVC), ISO/IEC 14496-3 table 1.17
 *         (audio object types), ITU-T H.264 and H.265 7.3.
 */
#ifndef MEDIA_CODECNAME_H
#define MEDIA_CODECNAME_H

#include <stddef.h>
#include <stdint.h>

#include <libavcodec/codec_id.h>

#define CODEC_NAME_SIZE 48

/*
 * From an access unit that has an SPS, as H.264 and HEVC (Annex B) have it in
 * every key frame.  name is left as it is if this one does not tell.
 */
void codec_name_video(enum AVCodecID id, const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE]);

/* From one frame, with its header; name as above. */
void codec_name_audio(enum AVCodecID id, const uint8_t *data, size_t size,
		      char name[CODEC_NAME_SIZE]);

#endif
