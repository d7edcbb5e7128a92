/*
 * soundsource.h - the sound of a stretch of segments as samples, every one in
 * its place.
 *
 * From lo to hi there are exactly (hi - lo) * rate / 90000 samples, rounded;
 * where the source has none they are silent.  Rate and channels are those that
 * are asked for, whatever the source has.
 *
 * Units:  times in 90 kHz ticks, unwrapped against the stretch's reference;
 *         samples are 32-bit floats, one plane a channel.
 * Errors: those of reading; ERR_MEDIA without a decoder.  What cannot be
 *         decoded is silence.
 * Owner:  closed by the arena.
 */
#ifndef MEDIA_SOUNDSOURCE_H
#define MEDIA_SOUNDSOURCE_H

#include <stdatomic.h>

#include "media/framesource.h"

#define SOUND_MAX_CHANNELS 8

struct soundsource;

enum err soundsource_open(struct arena *a, const struct framestretch *stretch,
			  uint32_t rate, unsigned nr_channels,
			  struct soundsource **src_r,
			  struct errmsg *e) MUST_CHECK;

/* Samples that are left. */
int64_t soundsource_left(const struct soundsource *src);

/* The next nr of them, which there must be. */
enum err soundsource_read(struct soundsource *src, float *const *planes,
			  size_t nr, struct errmsg *e) MUST_CHECK;

#endif
