#include "config.h"

#include "media/peakpack.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/mem.h"

/* Raised whenever the peaks of the same sound would be others. */
#define PEAKS_VERSION 2

/* Of a pack; beyond it only what was just added is kept. */
#define MAX_ENTRIES 4096
#define MAX_BYTES   ((size_t)16 * 1024 * 1024)

const struct blobkind peak_kind = {
	.dir = PEAKPACK_DIR,
	.suffix = PEAKPACK_SUFFIX,
	.what = "peaks file",
	.magic = UINT64_C(0x316b616570727473), /* "strpeak1" */
};

/*
 * The bytes of a pack: the header, the entries by their keys, then of each the
 * means and the extremes, filled up to 8 bytes.
 */
struct header {
	uint32_t nr;
	uint32_t block;
};

struct entry {
	struct blobkey key;
	int64_t first;
	uint32_t rate;
	uint32_t nr_channels;
	uint32_t nr_samples;
	uint32_t zero;
};

/* An entry, wherever its peaks are. */
struct known {
	struct blobkey key;
	struct soundpeaks peaks;
};

struct peakpack {
	struct arena *arena;
	const struct blobstore *store;
	struct blobkey key;
	uint32_t block;
	struct known *known; /* those that were kept by their keys, new ones */
	size_t nr_kept;
	size_t nr;
	size_t capacity;
};

static int compare_keys(const struct blobkey *a, const struct blobkey *b)
{
	if (a->hash[0] != b->hash[0])
		return a->hash[0] < b->hash[0] ? -1 : 1;
	return (a->hash[1] > b->hash[1]) - (a->hash[1] < b->hash[1]);
}

static int compare_known(const void *a, const void *b)
{
	return compare_keys(&((const struct known *)a)->key,
			    &((const struct known *)b)->key);
}

/* Reading */

static struct soundpeaks peaks_of(const struct entry *entry, uint32_t block)
{
	return (struct soundpeaks){
		.first = entry->first,
		.rate = entry->rate,
		.block = block,
		.nr_channels = entry->nr_channels,
		.nr_samples = entry->nr_samples,
	};
}

static size_t bytes_of(const struct soundpeaks *peaks)
{
	size_t nr_blocks = soundpeaks_nr_blocks(peaks);

	return (nr_blocks * (peaks->nr_channels + 2) * 2 + 7) / 8 * 8;
}

bool peakpack_check(const void *data, size_t size, uint32_t block)
{
	const struct header *head = data;
	const struct entry *entries = (const void *)(head + 1);
	size_t total = sizeof(*head);

	if (size < total || head->block != block || head->nr > MAX_ENTRIES)
		return false;
	total += head->nr * sizeof(*entries);
	if (total > size)
		return false;
	for (uint32_t i = 0; i < head->nr; i++) {
		struct soundpeaks peaks = peaks_of(&entries[i], block);
		size_t bytes;

		if (!soundpeaks_are_sane(&peaks) || entries[i].zero ||
		    (i &&
		     compare_keys(&entries[i - 1].key, &entries[i].key) >= 0))
			return false;
		bytes = bytes_of(&peaks);
		if (bytes > size - total)
			return false;
		total += bytes;
	}
	return total == size;
}

static void list_entries(struct peakpack *pack, const void *data)
{
	const struct header *head = data;
	const struct entry *entries = (const void *)(head + 1);
	const uint8_t *at = (const uint8_t *)(entries + head->nr);

	pack->capacity = head->nr;
	pack->nr = pack->nr_kept = head->nr;
	pack->known =
		arena_alloc(pack->arena, (head->nr + 1) * sizeof(*pack->known));
	for (uint32_t i = 0; i < head->nr; i++) {
		struct soundpeaks *peaks = &pack->known[i].peaks;

		pack->known[i].key = entries[i].key;
		*peaks = peaks_of(&entries[i], pack->block);
		peaks->means = (const void *)at;
		peaks->extremes =
			(const void *)(peaks->means +
				       (size_t)peaks->nr_channels *
					       soundpeaks_nr_blocks(peaks));
		at += bytes_of(peaks);
	}
}

static struct blobkey pack_key(const char *channel, const char *quality,
			       usec_t slot_us, uint32_t block)
{
	struct arena a;
	XXH128_hash_t digest;
	char *text;

	arena_init(&a);
	text = arena_printf(&a, "%d %u %lld %s/%s", PEAKS_VERSION, block,
			    (long long)slot_us, channel, quality);
	digest = XXH3_128bits(text, strlen(text));
	arena_release(&a);
	return (struct blobkey){ { digest.high64, digest.low64 } };
}

struct peakpack *peakpack_load(struct arena *a, const struct blobstore *store,
			       const char *channel, const char *quality,
			       usec_t slot_us, uint32_t block)
{
	struct peakpack *pack = ARENA_NEW(a, struct peakpack);
	const void *data;
	size_t size;

	pack->arena = a;
	pack->store = store;
	pack->block = block;
	pack->key = pack_key(channel, quality, slot_us, block);
	if (!blobstore_get(store, &pack->key, a, &data, &size))
		return pack;
	if (peakpack_check(data, size, block))
		list_entries(pack, data);
	else
		blobstore_discard(store, &pack->key);
	return pack;
}

const struct soundpeaks *peakpack_find(const struct peakpack *pack,
				       const struct blobkey *key)
{
	const struct known wanted = { .key = *key };
	const struct known *found =
		pack->nr_kept ? bsearch(&wanted, pack->known, pack->nr_kept,
					sizeof(wanted), compare_known) :
				NULL;

	return found ? &found->peaks : NULL;
}

/* Writing */

void peakpack_add(struct peakpack *pack, const struct blobkey *key,
		  const struct soundpeaks *peaks)
{
	pack->known = arena_grow(pack->arena, pack->known, pack->nr,
				 &pack->capacity, sizeof(*pack->known));
	pack->known[pack->nr++] = (struct known){ *key, *peaks };
}

/* Sorted, each key once; what was kept goes first if all is too much. */
static void tidy(struct peakpack *pack)
{
	size_t total = 0;
	size_t nr = 0;

	for (size_t i = 0; i < pack->nr; i++)
		total += bytes_of(&pack->known[i].peaks);
	if (pack->nr > MAX_ENTRIES || total > MAX_BYTES) {
		memmove(pack->known, pack->known + pack->nr_kept,
			(pack->nr - pack->nr_kept) * sizeof(*pack->known));
		pack->nr -= pack->nr_kept;
	}
	qsort(pack->known, pack->nr, sizeof(*pack->known), compare_known);
	for (size_t i = 0; i < pack->nr; i++)
		if (!nr ||
		    compare_known(&pack->known[nr - 1], &pack->known[i]) != 0)
			pack->known[nr++] = pack->known[i];
	pack->nr = nr;
}

static uint8_t *put_entry(const struct known *known, struct entry *entry,
			  uint8_t *at)
{
	const struct soundpeaks *peaks = &known->peaks;
	size_t nr_blocks = soundpeaks_nr_blocks(peaks);
	size_t nr_means = nr_blocks * peaks->nr_channels;

	*entry = (struct entry){
		.key = known->key,
		.first = peaks->first,
		.rate = peaks->rate,
		.nr_channels = peaks->nr_channels,
		.nr_samples = peaks->nr_samples,
	};
	if (nr_blocks) {
		memcpy(at, peaks->means, nr_means * 2);
		memcpy(at + nr_means * 2, peaks->extremes, nr_blocks * 2 * 2);
	}
	return at + bytes_of(peaks);
}

void peakpack_put(struct peakpack *pack)
{
	size_t size = sizeof(struct header);
	struct header *head;
	struct entry *entries;
	uint8_t *at;

	if (pack->store->fd < 0 || pack->nr == pack->nr_kept)
		return;
	tidy(pack);
	if (pack->nr > MAX_ENTRIES)
		return;
	for (size_t i = 0; i < pack->nr; i++)
		size += sizeof(*entries) + bytes_of(&pack->known[i].peaks);
	head = mem_zero(size);
	*head = (struct header){ (uint32_t)pack->nr, pack->block };
	entries = (void *)(head + 1);
	at = (uint8_t *)(entries + pack->nr);
	for (size_t i = 0; i < pack->nr; i++)
		at = put_entry(&pack->known[i], &entries[i], at);
	blobstore_put(pack->store, &pack->key, &(struct iovec){ head, size },
		      1);
	free(head);
}
