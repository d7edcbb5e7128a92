/*
 * server.h - what every request of a process may use.
 *
 * Made once per process, constant while a request is answered, but for the
 * counters behind it.
 */
#ifndef SRC_SERVER_H
#define SRC_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "archive/hourcache.h"
#include "media/edgestore.h"
#include "metrics/metrics.h"
#include "profile.h"
#include "scoreboard.h"
#include "settings.h"
#include "store/templates.h"

/* Which directory a path led to; all 0: to none. */
struct place_seen {
	uint64_t dev;
	uint64_t ino;
};

struct server {
	const struct settings *settings;
	struct archive archive;
	char *base_path; /* of the archive, absolute */
	struct hourcache *cache;
	struct edgestore edges;
	struct blobstore peaks; /* of peakpack.h */
	struct templates *templates;
	char *cache_dir;       /* or NULL */
	const char *spool_dir; /* for what is made before it is sent, or NULL */
	struct metrics *metrics;	/* NULL offline */
	struct scoreboard *board;	/* NULL offline */
	struct profile *profile;	/* NULL offline */
	struct hourcache_stats counted; /* of cache, already in metrics */
	bool is_confined;		/* see confine.h */
	struct place_seen base_seen, cache_seen, log_seen, www_seen;
};

/* Opens the archive and the cache; call it after fork. */
enum err server_open(struct server *server, const struct settings *settings,
		     struct errmsg *e) MUST_CHECK;
void server_close(struct server *server);

/*
 * Between requests: if the path of the archive leads to another directory than
 * it did (it was replaced, or a disk was mounted there), that is opened.  While
 * it leads nowhere the old one is kept.  Directories of the cache that were
 * removed are made again.
 */
void server_follow(struct server *server);

/*
 * Confines the process to its directories, if it may and the kernel can.  From
 * then on it cannot follow: once it is astray, it must be replaced.
 */
void server_confine(struct server *server);
bool server_is_astray(const struct server *server) MUST_CHECK;

/* Adds the answers that died with their processes since it was last called. */
void server_count_lost(struct server *server);

/* Adds what the cache did since the last call to the metrics. */
void server_count_cache(struct server *server);

#endif
