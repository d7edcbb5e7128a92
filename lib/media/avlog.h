/*
 * avlog.h - what the FFmpeg libraries have to say.
 *
 * Their errors go to our log at debug level, the rest nowhere: whoever calls
 * them reports a failure in his own words, once.
 */
#ifndef MEDIA_AVLOG_H
#define MEDIA_AVLOG_H

#include <stdint.h>

/* Sets the callback, which is the whole process's; may be called again. */
void avlog_begin(void);

/* For buffers of theirs whose bytes somebody else owns. */
void av_free_nothing(void *opaque, uint8_t *data);

/* An AVERROR in words, in a buffer of the caller's. */
#define AVLOG_TEXT_SIZE 64
const char *avlog_text(int averror, char buf[AVLOG_TEXT_SIZE]);

#endif
