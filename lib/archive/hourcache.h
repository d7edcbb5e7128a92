/*
 * hourcache.h - the indexes a process has at hand, and the files behind them.
 *
 * hourcache_get() answers with the index of an hour as it is at the time of
 * the call; never with an older one.  It asks, in this order:
 *
 *	1. the index in memory, if it is settled and the directory still has
 *	   the stamp it was listed with (a stat);
 *	2. the file under the cache directory, by the same rule;
 *	3. the directory itself: list it, and if it lists as before, keep the
 *	   index; else build a new one.  One that is quiet is stored by the
 *	   next hourcache_flush(), when the answer is on its way.
 *
 * On file systems whose directory times cannot be trusted (network, FUSE,
 * overlay) only the third is used, the hash of the listing proving an index
 * current: see enum hour_validation.
 *
 * Not noticed: a file that changes its size without being renamed.  The
 * downloaders rename; sizes only order segments that otherwise tie.
 *
 * Memory: at most max_hours indexes, of which those that are not mapped files
 * take at most max_heap bytes; the least recently used go first.  An index
 * handed out is held by the arena of the request.
 *
 * Errors: ERR_IO (a disk that does not answer), ERR_LIMIT (an hour with too
 *         many names).  A cache directory that cannot be written is not an
 *         error: it is logged once, and the process goes on without.
 */
#ifndef ARCHIVE_HOURCACHE_H
#define ARCHIVE_HOURCACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "archive/hourindex.h"
#include "base/arena.h"
#include "base/err.h"

/* A directory this young may change again without showing it. */
#define SETTLED_AFTER_US (2 * USEC_PER_SEC)

enum hour_validation {
	HOUR_VALIDATION_AUTO,	 /* by the kind of file system */
	HOUR_VALIDATION_MTIME,	 /* trust the times of directories */
	HOUR_VALIDATION_LISTING, /* list every time */
};

struct hourcache_config {
	const char *cache_dir; /* NULL: keep nothing on disk */
	const char *prefix;    /* in front of "/segments/"; may be "" */
	enum hour_validation validation;
	size_t max_hours;
	size_t max_heap; /* bytes */
};

/* Since the process began. */
struct hourcache_stats {
	uint64_t hits;	   /* answered from memory */
	uint64_t mapped;   /* answered from a file */
	uint64_t relisted; /* listed as before */
	uint64_t built;
	uint64_t discarded; /* files that lied */
	uint64_t stored;
	uint64_t store_failures;
	uint64_t names_ignored; /* in built hours */
};

struct hourcache;

/*
 * Whether indexes can be kept in a directory, which is made if need be; logs
 * why not.  For a parent of several processes, so that it is said once.
 */
bool hourcache_can_use(const char *cache_dir) MUST_CHECK;

struct hourcache *hourcache_new(const struct hourcache_config *config)
	MUST_CHECK;
void hourcache_free(struct hourcache **cache);
const struct hourcache_stats *hourcache_stats(const struct hourcache *cache);

enum hour_want {
	HOUR_WANT_NAMES = 0,
	HOUR_WANT_SIZES = 1 << 0, /* HOUR_MEASURED */
};

/* One request's look into one quality. */
struct hourreader {
	struct hourcache *cache;
	const struct quality *quality;
	struct arena *arena;
	const char *url; /* "PREFIX/segments/CHANNEL/QUALITY/" */
	uint64_t url_hash;
	bool trusts_times;     /* of the directories of this quality */
	enum hour_want always; /* of every index, whatever is asked for */
};

struct hourreader *hourcache_reader(struct hourcache *cache,
				    const struct quality *quality,
				    struct arena *a) MUST_CHECK;

/*
 * The index of the hour that begins at hour_us; *index_r is NULL if there is
 * no such directory.
 */
enum err hourcache_get(struct hourreader *reader, usec_t hour_us,
		       enum hour_want want, struct hourindex **index_r,
		       struct errmsg *e) MUST_CHECK;

/*
 * Writes the files of the indexes built since the last call.  Whoever does not
 * call it loses only time.
 */
void hourcache_flush(struct hourcache *cache);

/*
 * Remembers what a probe of the hour's video told, with the index it belongs
 * to, in memory and on disk.  Returns the index that now has it.
 */
struct hourindex *hourcache_put_media(struct hourreader *reader,
				      struct hourindex *index,
				      const struct hour_media *media);

#endif
