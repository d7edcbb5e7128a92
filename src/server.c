#include "config.h"

#include "server.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"
#include "confine.h"
#include "media/peakpack.h"

static void set_base_path(struct server *server)
{
	const char *base = server->settings->base;

	free(server->base_path);
	server->base_path = realpath(base, NULL);
	if (!server->base_path)
		server->base_path = mem_strdup(base);
}

enum err server_open(struct server *server, const struct settings *settings,
		     struct errmsg *e)
{
	struct hourcache_config config = {
		.prefix = settings->prefix,
		.validation = settings->cache_validate,
		.max_hours = 1024,
		.max_heap = (size_t)128 * 1024 * 1024,
	};
	const char *cache_dir;
	struct arena a;
	enum err err;

	server->settings = settings;
	err = archive_open(&server->archive, settings->base, e);
	if (err)
		return err;
	set_base_path(server);
	arena_init(&a);
	cache_dir = settings_cache_dir(settings, &a);
	server->cache_dir = cache_dir ? mem_strdup(cache_dir) : NULL;
	arena_release(&a);
	config.cache_dir = server->cache_dir;
	server->cache = hourcache_new(&config);
	edgestore_open(&server->edges, config.cache_dir,
		       (uint64_t)settings->edges_max_mb * 1024 * 1024);
	blobstore_open(&server->peaks, &peak_kind, config.cache_dir,
		       (uint64_t)settings->peaks_max_mb * 1024 * 1024);
	if (server->edges.blobs.fd >= 0)
		server->spool_dir = server->cache_dir;
	server->templates = templates_new(settings->db, settings->templates);
	return ERR_OK;
}

void server_close(struct server *server)
{
	hourcache_free(&server->cache);
	edgestore_close(&server->edges);
	blobstore_close(&server->peaks);
	templates_free(&server->templates);
	server->spool_dir = NULL;
	free(server->cache_dir);
	server->cache_dir = NULL;
	archive_close(&server->archive);
	free(server->base_path);
	server->base_path = NULL;
}

static void follow_base(struct server *server)
{
	const char *base = server->settings->base;
	struct archive other;
	struct stat now, opened;
	struct errmsg e;

	if (stat(base, &now) < 0 ||
	    fstat(server->archive.base_fd, &opened) < 0 ||
	    (now.st_dev == opened.st_dev && now.st_ino == opened.st_ino))
		return;
	if (archive_open(&other, base, &e)) {
		log_warning("%s", e.text);
		return;
	}
	archive_close(&server->archive);
	server->archive = other;
	set_base_path(server);
	log_info("the archive at '%s' is another directory now", base);
}

void server_follow(struct server *server)
{
	/* Confined, whoever finds another there is replaced. */
	if (!server->is_confined)
		follow_base(server);
	blobstore_follow(&server->edges.blobs, server->cache_dir);
	blobstore_follow(&server->peaks, server->cache_dir);
}

static struct place_seen look_at(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return (struct place_seen){ 0 };
	return (struct place_seen){ st.st_dev, st.st_ino };
}

/* Where the log is made again when it was moved away. */
static struct place_seen look_at_log(const char *log)
{
	char *dir = *log ? fs_dir_of(log) : NULL;
	struct place_seen seen = look_at(dir);

	free(dir);
	return seen;
}

static bool is_same(struct place_seen a, struct place_seen b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

void server_confine(struct server *server)
{
	server->base_seen = look_at(server->settings->base);
	server->cache_seen = look_at(server->cache_dir);
	server->www_seen = look_at(settings_www_dir(server->settings));
	server->log_seen = look_at_log(server->settings->log);
	server->is_confined = confine_self(server->settings, server->cache_dir,
					   server->spool_dir);
}

bool server_is_astray(const struct server *server)
{
	struct place_seen base, log, www;

	if (!server->is_confined)
		return false;
	base = look_at(server->settings->base);
	log = look_at_log(server->settings->log);
	www = look_at(settings_www_dir(server->settings));
	/* What is away is waited for: archive, log's directory, web page. */
	return (base.ino && !is_same(base, server->base_seen)) ||
	       (log.ino && !is_same(log, server->log_seen)) ||
	       (www.ino && !is_same(www, server->www_seen)) ||
	       !is_same(look_at(server->cache_dir), server->cache_seen);
}

void server_count_lost(struct server *server)
{
	struct scoreboard *board = server->board;

	scoreboard_sweep(board);
	metrics_add(server->metrics, METRIC_ANSWERS_BROKEN,
		    atomic_exchange(&board->nr_lost, 0));
}

void server_count_cache(struct server *server)
{
	const struct hourcache_stats *now = hourcache_stats(server->cache);
	struct hourcache_stats *old = &server->counted;
	const struct {
		enum metric metric;
		uint64_t n;
	} rows[] = {
		{ METRIC_INDEX_HITS, now->hits - old->hits },
		{ METRIC_INDEX_MAPPED, now->mapped - old->mapped },
		{ METRIC_INDEX_RELISTED, now->relisted - old->relisted },
		{ METRIC_INDEX_REBUILDS, now->built - old->built },
		{ METRIC_INDEX_DISCARDED, now->discarded - old->discarded },
		{ METRIC_INDEX_STORED, now->stored - old->stored },
		{ METRIC_INDEX_STORE_FAILURES,
		  now->store_failures - old->store_failures },
		{ METRIC_INDEX_NAMES_IGNORED,
		  now->names_ignored - old->names_ignored },
	};

	for (size_t i = 0; server->metrics && i < ARRAY_SIZE(rows); i++)
		metrics_add(server->metrics, rows[i].metric, rows[i].n);
	*old = *now;
}
