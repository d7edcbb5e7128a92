/*
 * probe.h - what an HLS master playlist must know of a segment.
 *
 * Reads at most the first PROBE_MAX_BYTES of one MPEG-TS file and answers with
 * the codecs, the size of the picture and the frame rate.  It demultiplexes and
 * reads the headers of the elementary streams; pictures are never decoded.
 *
 * Units:  sizes in pixels, cropping applied, of the first video stream; rates
 *         are frames a second as a fraction, 0/0 if unknown.
 * Errors: ERR_MEDIA if it has no tables (PAT, PMT) near its beginning or no
 *         stream that can be named, ERR_IO if it cannot be read.
 * Owner:  nothing is kept; the descriptor stays the caller's, its position
 *         does not move.
 * Source: RFC 6381 3.3, ISO/IEC 14496-15 E.3 (HEVC), ISO/IEC 14496-3 table 1.17
 *         (audio object types), ITU-T H.264 and H.265 7.3, RFC 8216 4.3.4.2.
 *
 * The file may be anything at all: no protocol is opened, no other format is
 * tried, no thread is started, and the work is bounded by the bytes read.
 */
#ifndef MEDIA_PROBE_H
#define MEDIA_PROBE_H

#include "archive/hourindex.h"
#include "base/err.h"

#define PROBE_MAX_BYTES (2 * 1024 * 1024)

/*
 * Fills all of media_r.  CODECS in a playlist must name everything in it, or
 * players take the variant for what is named; so codecs stays "" when a video
 * or audio stream that the file announces cannot be named (MPEG-2 video) or
 * did not show itself in the bytes read, though another could.  A codec that
 * several streams share is named once, video before audio.
 *
 * Every call sets the log of the FFmpeg libraries: avlog.h.
 */
enum err probe_segment(int fd, struct hour_media *media_r,
		       struct errmsg *e) MUST_CHECK;

#endif
