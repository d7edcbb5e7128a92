/*
 * playlist.h - HLS media and master playlists.
 *
 * Source: RFC 8216.  A media playlist is VERSION 3 with an integer
 * TARGETDURATION no less than any rounded EXTINF and MEDIA-SEQUENCE 0; each
 * segment has its PROGRAM-DATE-TIME; a hole inside is a DISCONTINUITY.  It
 * ends with ENDLIST, and is PLAYLIST-TYPE VOD, when it is final: it has no
 * hole at its end, or its end was given and is over an hour past.
 *
 * A live list, one without a given end, only ever appends: a hole within 15
 * seconds of the newest segment, and all behind it, is held back until it is
 * filled or older.  A segment that is not full counts as a hole there, since
 * a better one may take its place.  When nothing new has come for a minute the
 * stream has stopped, and what was held back is shown.
 *
 * Owner:  texts are in the arena or in indexes that the arena holds.
 */
#ifndef ARCHIVE_PLAYLIST_H
#define ARCHIVE_PLAYLIST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "archive/bestseg.h"
#include "archive/range.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/gzip.h"
#include "base/text.h"

#define PLAYLIST_HOLD_BACK_US (15 * USEC_PER_SEC)
#define PLAYLIST_STOPPED_US   (60 * USEC_PER_SEC)
#define PLAYLIST_PAST_US      USEC_PER_HOUR

struct media_playlist {
	struct iovec *iov;	   /* the text */
	struct gzip_block *blocks; /* of each piece; size 0 if it has none */
	int nr_iov;
	uint64_t length; /* of the text, bytes */
	uint64_t hash;	 /* equal for equal texts */
	bool is_final;
	uint64_t nr_segments;
	/* as far as the list goes; a live list has no hole at its end */
	uint32_t nr_holes;
	usec_t holes_us;
};

/*
 * The list of the ranges one after the other (an edit list if there are
 * several).  is_live: the end was not given.
 */
enum err playlist_media(struct hourreader *reader,
			const struct time_range *ranges, size_t nr_ranges,
			bool is_live, usec_t now_us,
			struct media_playlist *list_r,
			struct errmsg *e) MUST_CHECK;

/*
 * Opens and looks into a segment, which is above this library.  HOURS/NAME is
 * relative to the quality.  Whatever fails leaves *media_r zeroed.
 */
typedef void playlist_probe_fn(const struct quality *quality, const char *path,
			       struct hour_media *media_r);

struct master_spec {
	const char *channel;
	const struct range_spec *range;
	const struct range_limits *limits;
	const char *prefix; /* in front of "/playlist/" */
	const char *query;  /* encoded, to pass on; "" for none */
	playlist_probe_fn *probe;
};

/*
 * The variants of a channel that have data in the range, "source" first, then
 * by falling bandwidth.  ERR_NOTFOUND if there is no such channel.
 */
enum err playlist_master(const struct archive *archive, struct hourcache *cache,
			 struct arena *a, const struct master_spec *spec,
			 struct text *out, struct errmsg *e) MUST_CHECK;

#endif
