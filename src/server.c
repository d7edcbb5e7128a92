#include "config.h"

#include "server.h"

#include <stdlib.h>

#include "base/mem.h"

enum err server_open(struct server *server, const struct settings *settings,
		     struct errmsg *e)
{
	struct hourcache_config config = {
		.prefix = settings->prefix,
		.validation = settings->cache_validate,
		.max_hours = 1024,
		.max_heap = (size_t)128 * 1024 * 1024,
	};
	struct arena a;
	enum err err;

	server->settings = settings;
	err = archive_open(&server->archive, settings->base, e);
	if (err)
		return err;
	server->base_path = realpath(settings->base, NULL);
	if (!server->base_path)
		server->base_path = mem_strdup(settings->base);
	arena_init(&a);
	config.cache_dir = settings_cache_dir(settings, &a);
	server->cache = hourcache_new(&config);
	arena_release(&a);
	return ERR_OK;
}

void server_close(struct server *server)
{
	hourcache_free(&server->cache);
	archive_close(&server->archive);
	free(server->base_path);
	server->base_path = NULL;
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
