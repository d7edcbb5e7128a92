#include "config.h"

#include "archive/hourcache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "archive/hourstore.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uri.h"

#define NR_BUCKETS 1024

/* What is known of one hour. */
struct slot {
	struct slot *next_in_bucket;
	struct slot *newer; /* by last use */
	struct slot *older;
	uint64_t hash;
	char *key;		 /* "CHANNEL/QUALITY/HOUR" */
	struct hourindex *index; /* or NULL */
	struct fs_stamp stamp;	 /* of the listing that index equals */
	bool is_settled;
	bool must_store; /* quiet, and newer than its file */
};

struct hourcache {
	struct hourcache_config config;
	struct hourcache_stats stats;
	struct slot *buckets[NR_BUCKETS];
	struct slot *newest;
	struct slot *oldest;
	size_t nr_slots;
	size_t heap_bytes;
	size_t nr_to_store;  /* slots that must_store */
	struct fs_list list; /* reused by every listing */
	struct hourstore store;
};

bool hourcache_can_use(const char *cache_dir)
{
	struct hourstore store;
	bool can;

	hourstore_open(&store, cache_dir);
	can = store.fd >= 0;
	hourstore_close(&store);
	return can;
}

struct hourcache *hourcache_new(const struct hourcache_config *config)
{
	struct hourcache *cache = mem_zero(sizeof(*cache));

	cache->config = *config;
	cache->config.prefix = mem_strdup(config->prefix);
	cache->store.fd = -1;
	if (config->cache_dir)
		hourstore_open(&cache->store, config->cache_dir);
	return cache;
}

const struct hourcache_stats *hourcache_stats(const struct hourcache *cache)
{
	return &cache->stats;
}

/* Slots */

static void unlink_use(struct hourcache *cache, struct slot *slot)
{
	*(slot->newer ? &slot->newer->older : &cache->newest) = slot->older;
	*(slot->older ? &slot->older->newer : &cache->oldest) = slot->newer;
}

static void push_use(struct hourcache *cache, struct slot *slot)
{
	slot->newer = NULL;
	slot->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = slot;
	cache->newest = slot;
}

static void set_index(struct hourcache *cache, struct slot *slot,
		      struct hourindex *index)
{
	if (slot->index && !slot->index->is_mapped)
		cache->heap_bytes -= slot->index->size;
	hourindex_drop(&slot->index);
	slot->index = index;
	if (index && !index->is_mapped)
		cache->heap_bytes += index->size;
}

static void free_slot(struct hourcache *cache, struct slot *slot)
{
	struct slot **at = &cache->buckets[slot->hash % NR_BUCKETS];

	while (*at != slot)
		at = &(*at)->next_in_bucket;
	*at = slot->next_in_bucket;
	unlink_use(cache, slot);
	set_index(cache, slot, NULL);
	cache->nr_to_store -= slot->must_store;
	cache->nr_slots--;
	free(slot->key);
	free(slot);
}

void hourcache_free(struct hourcache **cache)
{
	struct hourcache *old = *cache;

	*cache = NULL;
	if (!old)
		return;
	while (old->oldest)
		free_slot(old, old->oldest);
	fs_list_release(&old->list);
	hourstore_close(&old->store);
	free((char *)old->config.prefix);
	free(old);
}

static struct slot *find_slot(struct hourcache *cache, const char *key)
{
	uint64_t hash = XXH3_64bits(key, strlen(key));
	struct slot **bucket = &cache->buckets[hash % NR_BUCKETS];
	struct slot *slot = *bucket;

	while (slot && (slot->hash != hash || strcmp(slot->key, key)))
		slot = slot->next_in_bucket;
	if (slot) {
		unlink_use(cache, slot);
	} else {
		slot = mem_zero(sizeof(*slot));
		slot->hash = hash;
		slot->key = mem_strdup(key);
		slot->next_in_bucket = *bucket;
		*bucket = slot;
		cache->nr_slots++;
	}
	push_use(cache, slot);
	return slot;
}

/* Storing */

static void set_must_store(struct hourcache *cache, struct slot *slot,
			   bool must)
{
	cache->nr_to_store += must;
	cache->nr_to_store -= slot->must_store;
	slot->must_store = must;
}

/*
 * Stores a quiet index; the slot lets go of it, so that it is mapped when it
 * is next asked for and its memory shared with the other workers.
 */
static void store_and_release(struct hourcache *cache, struct slot *slot)
{
	bool failed;

	set_must_store(cache, slot, false);
	if (!(slot->index->head->flags & HOUR_DEFLATED))
		set_index(cache, slot,
			  hourindex_adopt(hourindex_deflate(slot->index)));
	if (hourstore_put(&cache->store, slot->key, slot->index, &failed)) {
		set_index(cache, slot, NULL);
		cache->stats.stored++;
	}
	cache->stats.store_failures += failed;
}

void hourcache_flush(struct hourcache *cache)
{
	for (struct slot *slot = cache->newest; slot && cache->nr_to_store;
	     slot = slot->older)
		if (slot->must_store)
			store_and_release(cache, slot);
}

static void evict(struct hourcache *cache)
{
	while (cache->oldest != cache->newest &&
	       (cache->nr_slots > cache->config.max_hours ||
		cache->heap_bytes > cache->config.max_heap)) {
		if (cache->oldest->must_store)
			store_and_release(cache, cache->oldest);
		free_slot(cache, cache->oldest);
	}
}

/* Looking up */

static bool may_trust_times(const struct hourcache *cache, int fd)
{
	switch (cache->config.validation) {
	case HOUR_VALIDATION_MTIME:
		return true;
	case HOUR_VALIDATION_LISTING:
		return false;
	case HOUR_VALIDATION_AUTO:
		break;
	}
	return fs_times_are_honest(fd);
}

struct hourreader *hourcache_reader(struct hourcache *cache,
				    const struct quality *quality,
				    struct arena *a)
{
	struct hourreader *reader = ARENA_NEW(a, struct hourreader);

	reader->cache = cache;
	reader->quality = quality;
	reader->arena = a;
	reader->url =
		arena_printf(a, "%s/segments/%s/%s/", cache->config.prefix,
			     uri_encoded(a, quality->channel),
			     uri_encoded(a, quality->name));
	reader->url_hash = hourindex_url_hash(reader->url);
	reader->trusts_times = may_trust_times(cache, quality->fd);
	return reader;
}

static bool has_all(const struct hourreader *reader,
		    const struct hourindex *index, enum hour_want want)
{
	return index->head->url_hash == reader->url_hash &&
	       (!(want & HOUR_WANT_SIZES) ||
		(index->head->flags & HOUR_MEASURED));
}

/*
 * Whether the slot's index is proved current by the directory's stamp.  A file
 * that says it is settled may be older than the decision to trust no times.
 */
static bool is_current(const struct hourreader *reader, const struct slot *slot,
		       const struct fs_stamp *stamp)
{
	return reader->trusts_times && slot->index && slot->is_settled &&
	       fs_stamp_equal(&slot->stamp, stamp);
}

static bool is_quiet(const struct fs_stamp *stamp, usec_t now_us)
{
	int64_t changed_ns = stamp->mtime_ns > stamp->ctime_ns ?
				     stamp->mtime_ns :
				     stamp->ctime_ns;

	return changed_ns / 1000 + SETTLED_AFTER_US < now_us;
}

/* Gives the slot's index the stamp of a listing that it was found equal to. */
static void restamp(struct hourcache *cache, struct slot *slot)
{
	struct hour_header *head = hourindex_copy(slot->index);

	head->stamp = slot->stamp;
	head->flags &= ~(uint32_t)HOUR_SETTLED;
	head->flags |= slot->is_settled ? HOUR_SETTLED : 0U;
	set_index(cache, slot, hourindex_adopt(head));
}

/*
 * Maps the hour's file.  One that is not current only replaces nothing: it may
 * still prove equal to a listing.
 */
static void load(struct hourreader *reader, struct slot *slot, usec_t hour_us,
		 const struct fs_stamp *stamp)
{
	struct hourcache *cache = reader->cache;
	struct hourindex *index = NULL;
	enum hour_verdict verdict = hourstore_map(
		&cache->store, slot->key, hour_us, reader->url_hash, &index);

	cache->stats.discarded += verdict == HOUR_CORRUPT;
	if (verdict != HOUR_GOOD)
		return;
	if (slot->index && !fs_stamp_equal(&index->head->stamp, stamp)) {
		hourindex_drop(&index);
		return;
	}
	set_index(cache, slot, index);
	slot->stamp = index->head->stamp;
	slot->is_settled = index->head->flags & HOUR_SETTLED;
}

/*
 * Whether the file may know better than memory: there is nothing in memory, or
 * the hour has changed and settled again since.
 */
static bool may_load(const struct hourcache *cache, const struct slot *slot,
		     const struct fs_stamp *stamp)
{
	return cache->store.fd >= 0 && (!slot->index || slot->is_settled) &&
	       is_quiet(stamp, utime_now());
}

static enum err build(struct hourreader *reader, struct slot *slot,
		      struct hour_source *source, struct errmsg *e)
{
	const struct hour_header *old = slot->index ? slot->index->head : NULL;
	struct hourindex *index;
	char hour[UTIME_HOUR_SIZE];
	enum err err;

	if (old && (old->flags & HOUR_PROBED) && old->media.codecs[0])
		source->media = &old->media;
	if (old)
		source->known_ignored = old->nr_ignored;
	err = hourindex_build(source, &index, e);
	if (err)
		return err;
	reader->cache->stats.built++;
	log_debug("built the index of %s: %u segments",
		  utime_format_hour(source->hour_us, hour),
		  index->head->nr_entries);
	if (index->head->nr_ignored > source->known_ignored)
		reader->cache->stats.names_ignored +=
			index->head->nr_ignored - source->known_ignored;
	set_index(reader->cache, slot, index);
	return ERR_OK;
}

static void drop_deferred(void *ptr)
{
	struct hourindex *index = ptr;

	hourindex_drop(&index);
}

/* The slot's index, held by the request. */
static struct hourindex *hand_out(struct hourreader *reader,
				  const struct slot *slot)
{
	struct hourindex *index = hourindex_hold(slot->index);

	arena_defer(reader->arena, drop_deferred, index);
	return index;
}

/* Lists the open directory and brings the slot up to date. */
static enum err update_from(struct hourreader *reader, struct slot *slot,
			    int fd, usec_t hour_us, enum hour_want want,
			    struct hourindex **index_r, struct errmsg *e)
{
	struct hourcache *cache = reader->cache;
	struct hour_source source = {
		.hour_us = hour_us,
		.url = reader->url,
		.fd = fd,
		.list = &cache->list,
		.measure = want & HOUR_WANT_SIZES,
	};
	struct fs_stamp after;
	usec_t now_us;
	bool is_steady;
	enum err err;

	if (!fs_stamp_at(fd, "", &source.stamp))
		return err_set(e, ERR_IO, "cannot look at an hour: %s",
			       strerror(errno));
	now_us = utime_now();
	err = fs_list_read(fd, &cache->list, e);
	if (err)
		return err;
	is_steady = fs_stamp_at(fd, "", &after) &&
		    fs_stamp_equal(&source.stamp, &after) &&
		    is_quiet(&after, now_us);
	source.is_settled =
		is_steady && reader->trusts_times && may_trust_times(cache, fd);
	slot->stamp = source.stamp;
	slot->is_settled = source.is_settled;
	if (slot->index && slot->index->head->stamp.ino == source.stamp.ino &&
	    slot->index->head->stamp.dev == source.stamp.dev &&
	    slot->index->head->listing_hash == cache->list.hash &&
	    has_all(reader, slot->index, want)) {
		cache->stats.relisted++;
		is_steady = is_steady &&
			    (!slot->index->is_mapped || source.is_settled);
		if (is_steady)
			restamp(cache, slot);
	} else {
		/* An hour once measured stays so. */
		source.measure |= slot->index &&
				  (slot->index->head->flags & HOUR_MEASURED);
		err = build(reader, slot, &source, e);
		if (err) {
			set_must_store(cache, slot, false);
			set_index(cache, slot, NULL);
			return err;
		}
	}
	*index_r = hand_out(reader, slot);
	set_must_store(cache, slot, is_steady && cache->store.fd >= 0);
	return ERR_OK;
}

/* Whether an hour that cannot be opened counts as one that is not there. */
static bool is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP ||
	       error == EXDEV || error == EACCES;
}

static enum err update(struct hourreader *reader, struct slot *slot,
		       const char *hour, usec_t hour_us, enum hour_want want,
		       struct hourindex **index_r, struct errmsg *e)
{
	int fd = quality_open(reader->quality, hour, O_RDONLY | O_DIRECTORY);
	enum err err;

	if (fd < 0) {
		int saved = errno;

		free_slot(reader->cache, slot);
		if (!is_absent(saved))
			return err_set(e, ERR_IO, "cannot open an hour: %s",
				       strerror(saved));
		*index_r = NULL;
		return ERR_OK;
	}
	err = update_from(reader, slot, fd, hour_us, want, index_r, e);
	close(fd);
	return err;
}

enum err hourcache_get(struct hourreader *reader, usec_t hour_us,
		       enum hour_want want, struct hourindex **index_r,
		       struct errmsg *e)
{
	struct hourcache *cache = reader->cache;
	char hour[UTIME_HOUR_SIZE];
	char key[PATH_MAX];
	struct fs_stamp stamp;
	struct slot *slot;
	enum err err = ERR_OK;

	want |= reader->always;
	utime_format_hour(hour_us, hour);
	if (!fs_stamp_at(reader->quality->fd, hour, &stamp)) {
		if (!is_absent(errno))
			return err_set(e, ERR_IO, "cannot look at an hour: %s",
				       strerror(errno));
		*index_r = NULL;
		return ERR_OK;
	}
	snprintf(key, sizeof(key), "%s/%s/%s", reader->quality->channel,
		 reader->quality->name, hour);
	slot = find_slot(cache, key);
	if (is_current(reader, slot, &stamp) &&
	    has_all(reader, slot->index, want)) {
		cache->stats.hits++;
		*index_r = hand_out(reader, slot);
		return ERR_OK;
	}
	if (!is_current(reader, slot, &stamp) && may_load(cache, slot, &stamp))
		load(reader, slot, hour_us, &stamp);
	if (is_current(reader, slot, &stamp) &&
	    has_all(reader, slot->index, want)) {
		cache->stats.mapped++;
		*index_r = hand_out(reader, slot);
	} else {
		err = update(reader, slot, hour, hour_us, want, index_r, e);
	}
	evict(cache);
	return err;
}

struct hourindex *hourcache_put_media(struct hourreader *reader,
				      struct hourindex *index,
				      const struct hour_media *media)
{
	struct hour_header *head = hourindex_copy(index);
	char hour[UTIME_HOUR_SIZE];
	char key[PATH_MAX];
	struct hourindex *result;
	struct slot *slot;

	head->media = *media;
	head->flags |= HOUR_PROBED;
	utime_format_hour(head->hour_us, hour);
	snprintf(key, sizeof(key), "%s/%s/%s", reader->quality->channel,
		 reader->quality->name, hour);
	slot = find_slot(reader->cache, key);
	slot->stamp = head->stamp;
	slot->is_settled = head->flags & HOUR_SETTLED;
	set_index(reader->cache, slot, hourindex_adopt(head));
	result = hand_out(reader, slot);
	set_must_store(reader->cache, slot,
		       slot->is_settled && reader->cache->store.fd >= 0);
	evict(reader->cache);
	return result;
}
