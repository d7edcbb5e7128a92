/*
 * hoursweep.h - the cache directory as a whole: sweep, verify, count, clear.
 *
 * Other processes may read and write there meanwhile; removing any file only
 * costs the time to build it again.
 */
#ifndef ARCHIVE_HOURSWEEP_H
#define ARCHIVE_HOURSWEEP_H

#include <stdint.h>

#include "base/err.h"

/* Private files of writers that crashed are removed when this old. */
#define HOURSWEEP_TMP_AGE_US (USEC_PER_HOUR)

/*
 * Removes left-over private files, indexes of hours that base does not have
 * any more, and then the least recently used until all take at most max_bytes.
 * Failures are logged.
 */
void hoursweep_run(const char *cache_dir, const char *base, uint64_t max_bytes);

struct hoursweep_stats {
	uint64_t nr_files;
	uint64_t bytes;
	uint64_t nr_segments;
	uint64_t nr_bad; /* corrupt, or of another version */
	uint64_t nr_tmp; /* private files of writers */
	uint64_t nr_removed;
};

enum hoursweep_task {
	HOURSWEEP_STATS,  /* only count */
	HOURSWEEP_VERIFY, /* check every file, remove the bad */
	HOURSWEEP_CLEAR,  /* remove everything */
};

/* ERR_NOTFOUND if there is no cache directory. */
enum err hoursweep_task(const char *cache_dir, enum hoursweep_task task,
			struct hoursweep_stats *stats_r,
			struct errmsg *e) MUST_CHECK;

#endif
