#include "config.h"

#include "media/edgestore.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_UNITS 1000000

static const struct blobkind edge_kind = {
	.dir = EDGESTORE_DIR,
	.suffix = EDGESTORE_SUFFIX,
	.what = "edge",
	.magic = UINT64_C(0x3165676465727473), /* "strdege1" */
};

/* The bytes of an entry: the header, its units, their bytes. */
struct header {
	uint64_t nr;
};

struct entry {
	int64_t pts;
	uint32_t size;
	uint32_t is_key;
};

void edgestore_open(struct edgestore *store, const char *cache_dir,
		    uint64_t max_bytes)
{
	blobstore_open(&store->blobs, &edge_kind, cache_dir, max_bytes);
}

void edgestore_close(struct edgestore *store)
{
	blobstore_close(&store->blobs);
}

/* Whether the sizes add up. */
static bool check(const void *data, size_t size)
{
	const struct header *head = data;
	const struct entry *entries = (const void *)(head + 1);
	uint64_t total = sizeof(*head);

	if (size < sizeof(*head) || head->nr > MAX_UNITS)
		return false;
	total += head->nr * sizeof(*entries);
	if (total > size)
		return false;
	for (uint64_t i = 0; i < head->nr; i++)
		total += entries[i].size;
	return total == size;
}

static void list_units(const void *data, struct arena *a,
		       struct edgeunit **units_r, size_t *nr_r)
{
	const struct header *head = data;
	const struct entry *entries = (const void *)(head + 1);
	const uint8_t *bytes = (const uint8_t *)(entries + head->nr);
	struct edgeunit *units =
		arena_alloc(a, (head->nr + 1) * sizeof(*units));

	for (uint64_t i = 0; i < head->nr; i++) {
		units[i] = (struct edgeunit){ entries[i].pts, bytes,
					      entries[i].size,
					      entries[i].is_key != 0 };
		bytes += entries[i].size;
	}
	*units_r = units;
	*nr_r = head->nr;
}

bool edgestore_get(const struct edgestore *store, const struct blobkey *key,
		   struct arena *a, struct edgeunit **units_r, size_t *nr_r)
{
	const void *data;
	size_t size;

	if (!blobstore_get(&store->blobs, key, a, &data, &size))
		return false;
	if (!check(data, size)) {
		blobstore_discard(&store->blobs, key);
		return false;
	}
	list_units(data, a, units_r, nr_r);
	return true;
}

void edgestore_put(const struct edgestore *store, const struct blobkey *key,
		   const struct edgeunit *units, size_t nr)
{
	uint64_t total = sizeof(struct header) + nr * sizeof(struct entry);
	struct header *head;
	struct entry *entries;
	uint8_t *at;

	for (size_t i = 0; i < nr; i++)
		total += units[i].size;
	if (store->blobs.fd < 0 || nr > MAX_UNITS ||
	    total > BLOBSTORE_MAX_BYTES)
		return;
	head = mem_zero(total);
	head->nr = nr;
	entries = (void *)(head + 1);
	at = (uint8_t *)(entries + nr);
	for (size_t i = 0; i < nr; i++) {
		entries[i] = (struct entry){ units[i].pts, units[i].size,
					     units[i].is_key };
		memcpy(at, units[i].data, units[i].size);
		at += units[i].size;
	}
	blobstore_put(&store->blobs, key, &(struct iovec){ head, total }, 1);
	free(head);
}
