/*
 * server.h - what every request of a process may use.
 *
 * Made once per process, constant while a request is answered, but for the
 * counters behind it.
 */
#ifndef SRC_SERVER_H
#define SRC_SERVER_H

#include "archive/archive.h"
#include "archive/hourcache.h"
#include "media/edgestore.h"
#include "metrics/metrics.h"
#include "scoreboard.h"
#include "settings.h"
#include "store/templates.h"

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
	struct hourcache_stats counted; /* of cache, already in metrics */
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

/* Adds what the cache did since the last call to the metrics. */
void server_count_cache(struct server *server);

#endif
