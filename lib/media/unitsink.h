/*
 * unitsink.h - where the units of a cut go: a transport stream (tsout.h), or a
 * container (remux.h).
 *
 * Units:  times in 90 kHz ticks of the cut's clock; video in order of
 *         decoding, sound and tags in their order, all interleaved by time.
 * Errors: those of whoever takes them.
 */
#ifndef MEDIA_UNITSINK_H
#define MEDIA_UNITSINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct out_unit {
	const uint8_t *data;
	size_t size;
	int64_t pts;
	int64_t dts; /* moved up to just after the last one's if need be */
	bool is_key;
};

struct unitsink {
	enum err (*video)(struct unitsink *s, const struct out_unit *unit,
			  struct errmsg *e);
	/* One frame of sound, with its ADTS header; one tag of ID3. */
	enum err (*audio)(struct unitsink *s, const uint8_t *data, size_t size,
			  int64_t pts, struct errmsg *e);
	enum err (*id3)(struct unitsink *s, const uint8_t *data, size_t size,
			int64_t pts, struct errmsg *e);
	/* Times jump from here on. */
	void (*jump)(struct unitsink *s);
};

#endif
