/*
 * h264.h - the NAL units of an H.264 byte stream (Annex B): what an access
 * unit is, and its parameter sets.
 *
 * Nothing here decodes: only headers are read, and what is not there is not
 * assumed.  Any bytes may be given.
 *
 * Owner:  results point into the bytes given, or are in the arena.
 * Source: ITU-T H.264 7.3.1, 7.3.2 (parameter sets, SEI), 7.4.1.2 (access
 *         units), annex B.
 */
#ifndef MEDIA_H264_H
#define MEDIA_H264_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"

enum h264_nal {
	H264_NAL_SLICE = 1,
	H264_NAL_IDR = 5,
	H264_NAL_SEI = 6,
	H264_NAL_SPS = 7,
	H264_NAL_PPS = 8,
	H264_NAL_AUD = 9,
};

/* The offset of the next NAL header at or after at, behind its start code. */
size_t annexb_next(const uint8_t *data, size_t size, size_t at);

/* The flags of an access unit (enum unit_flags), and how many AUDs it has. */
uint8_t h264_unit_flags(const uint8_t *data, size_t size, uint8_t *nr_auds_r);

/* The parameter sets of an access unit, with start codes, in its order. */
struct h264_sets {
	const uint8_t *data;
	size_t size;
	uint32_t ids; /* bit n: id n is that of an SPS or a PPS */
};
void h264_read_sets(struct arena *a, const uint8_t *data, size_t size,
		    struct h264_sets *sets_r);

/* An id that is in no set; the smallest that is free from 7 on. */
unsigned h264_free_id(uint32_t ids);

/* What the parameter sets of an access unit say; 0 and -1 without any. */
struct h264_look {
	int width;
	int height;
	int format;  /* enum AVPixelFormat */
	int profile; /* FF_PROFILE_* */
	int level;
};
void h264_read_look(const uint8_t *data, size_t size, struct h264_look *look_r);

/* Where the first NAL unit begins that is neither an AUD nor a set. */
size_t h264_after_sets(const uint8_t *data, size_t size);

#endif
