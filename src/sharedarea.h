/*
 * sharedarea.h - the memory that all processes of one archive share: the
 * metrics and the scoreboard.
 *
 * Below a master it is anonymous, made before the first fork.  Processes that
 * something else spawns one by one (mod_fcgid) know nothing of each other, so
 * theirs is a file that each maps:
 *
 *	CACHE/shared/KEY.area		and "lock", held while it is looked for
 *
 *	0	struct header (sharedarea.c)
 *	...	struct metrics, then struct scoreboard, each on a page
 *
 * KEY is a hash of all that decides what is in it and who may share it: the
 * version of the program, the layout, the names of the metrics and the routes,
 * the archive, the settings that size the scoreboard, the boot and the space of
 * process numbers.  So two programs of different versions, or two machines or
 * containers over one cache, have an area each, and owners (owner.h) compare.
 * Numbers go on from one process to the next for as long as the file is there.
 *
 * The file has all its blocks before it is mapped, because a write to a hole
 * on a full disk ends the process.  One without a header that is exactly ours
 * is replaced by a new one; whoever had it mapped keeps what he had.  Each
 * process holds a shared flock(2) on the file; what nobody holds and nobody has
 * touched for SHAREDAREA_KEEP_DAYS is removed.
 */
#ifndef SRC_SHAREDAREA_H
#define SRC_SHAREDAREA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "metrics/metrics.h"
#include "scoreboard.h"

#define SHAREDAREA_KEEP_DAYS 7

struct sharedarea {
	struct metrics *metrics;
	struct scoreboard *board;
	bool is_new; /* nobody has counted in it */
	int fd;	     /* of the file, or -1; it holds the lock */
};

struct sharedarea_config {
	const char *cache_dir; /* NULL: anonymous */
	const char *base;
	uint32_t nr_workers;
	uint32_t nr_heavy;
	uint32_t nr_edges; /* at most PLACES_MAX */
	uint32_t nr_full;
};

/*
 * ERR_IO if there is no memory for it.  Where the file cannot be had it is
 * anonymous, and the log says why.
 */
enum err sharedarea_open(struct sharedarea *area,
			 const struct sharedarea_config *config,
			 struct errmsg *e) MUST_CHECK;

/* Whether its file was removed or replaced: newcomers share another. */
bool sharedarea_is_gone(const struct sharedarea *area) MUST_CHECK;

void sharedarea_close(struct sharedarea *area);

#endif
