#include "config.h"

#include "archive/hourindex.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/mem.h"

#define CHECKSUM_FROM offsetof(struct hour_header, file_size)

uint64_t hourindex_url_hash(const char *url)
{
	uint64_t hash = XXH3_64bits(url, strlen(url));

	return hash ? hash : 1;	/* 0 means any */
}

uint32_t hourindex_find(const struct hourindex *index, usec_t us)
{
	uint32_t low = 0;
	uint32_t high = index->head->nr_entries;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (index->entries[middle].start_us < us)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t hourindex_next_in_chain(const struct hourindex *index, uint32_t i)
{
	uint32_t nr = index->head->nr_entries;

	do
		i++;
	while (i < nr && !(index->entries[i].flags & ENTRY_IN_CHAIN));
	return i < nr ? i : nr;
}

static struct hourindex *new_view(const void *data, size_t size, bool is_mapped)
{
	struct hourindex *index = mem_zero(sizeof(*index));
	const struct hour_header *head = data;

	index->head = head;
	index->entries = (const void *)((const char *)data + head->entries_off);
	index->names = (const char *)data + head->names_off;
	index->text = (const char *)data + head->text_off;
	index->size = size;
	index->is_mapped = is_mapped;
	index->holders = 1;
	return index;
}

struct hourindex *hourindex_hold(struct hourindex *index)
{
	index->holders++;
	return index;
}

void hourindex_drop(struct hourindex **index)
{
	struct hourindex *old = *index;

	*index = NULL;
	if (!old || --old->holders)
		return;
	if (old->is_mapped)
		munmap((void *)old->head, old->size);
	else
		free((void *)old->head);
	free(old);
}

static uint64_t checksum_of(const void *data, size_t size)
{
	return XXH3_64bits((const char *)data + CHECKSUM_FROM,
			   size - CHECKSUM_FROM);
}

struct hourindex *hourindex_adopt(struct hour_header *head)
{
	head->checksum = checksum_of(head, head->file_size);
	return new_view(head, head->file_size, false);
}

struct hour_header *hourindex_copy(const struct hourindex *index)
{
	return memcpy(mem_alloc(index->size), index->head, index->size);
}

/* Checking */

static bool is_ours(const struct hour_header *head, size_t size,
		    uint64_t url_hash)
{
	return size >= sizeof(*head) && head->magic == HOUR_MAGIC &&
	       head->header_size == sizeof(*head) &&
	       head->entry_size == sizeof(struct hour_entry) &&
	       head->rules == HOUR_RULES &&
	       (!url_hash || head->url_hash == url_hash);
}

static size_t aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

/* That the parts are where their sizes put them, and the file ends there. */
static bool layout_holds(const struct hour_header *head, size_t size)
{
	size_t at = sizeof(*head);

	if (head->file_size != size || head->nr_entries > HOUR_MAX_ENTRIES ||
	    head->nr_chain > head->nr_entries ||
	    head->nr_holes > head->nr_chain ||
	    !head->nr_chain != !head->nr_entries ||
	    head->names_size > size || head->text_size > size ||
	    head->chain_size > head->text_size || head->entries_off != at)
		return false;
	at = aligned(at + head->nr_entries * sizeof(struct hour_entry));
	if (head->names_off != at)
		return false;
	at = aligned(at + head->names_size);
	if (head->text_off != at)
		return false;
	return aligned(at + head->text_size) == size;
}

static bool totals_hold(const struct hour_header *head)
{
	return head->zero == 0 &&
	       (head->flags & ~(uint32_t)(HOUR_SETTLED | HOUR_MEASURED |
					  HOUR_PROBED)) == 0 &&
	       head->max_length_us >= 0 && head->holes_us >= 0 &&
	       head->holes_us <= 2 * USEC_PER_HOUR && head->total_us >= 0 &&
	       head->max_rounded_s <= SEGMENT_MAX_LENGTH / USEC_PER_SEC &&
	       memchr(head->media.codecs, '\0', sizeof(head->media.codecs));
}

static bool entry_holds(const struct hour_header *head, const char *names,
			const struct hour_entry *entry, usec_t after_us)
{
	uint64_t text_end = (uint64_t)entry->text_off + entry->text_len;
	uint64_t limit = entry->flags & ENTRY_IN_CHAIN ? head->chain_size :
							 head->text_size;

	return entry->start_us > after_us &&
	       entry->start_us < head->hour_us + USEC_PER_HOUR &&
	       entry->length_us > 0 &&
	       entry->length_us <= head->max_length_us &&
	       entry->length_us <= SEGMENT_MAX_LENGTH &&
	       hour_entry_end(entry) <= head->max_end_us &&
	       entry->kind < SEGMENT_TEMP && entry->zero == 0 &&
	       !(entry->flags & ~(ENTRY_IN_CHAIN | ENTRY_AFTER_HOLE)) &&
	       (uint64_t)entry->name_off + entry->name_len <
		       head->names_size &&
	       entry->name_len > 0 &&
	       names[entry->name_off + entry->name_len] == '\0' &&
	       !memchr(names + entry->name_off, '\0', entry->name_len) &&
	       !memchr(names + entry->name_off, '/', entry->name_len) &&
	       text_end <= limit && entry->text_len > 0;
}

static bool entries_hold(const struct hour_header *head)
{
	const char *base = (const char *)head;
	const struct hour_entry *entries =
		(const void *)(base + head->entries_off);
	const char *names = base + head->names_off;
	usec_t after_us = head->hour_us - 1;
	uint64_t chain_at = 0;
	uint32_t nr_chain = 0;
	uint32_t last_chain = 0;

	for (uint32_t i = 0; i < head->nr_entries; i++) {
		const struct hour_entry *entry = &entries[i];

		if (!entry_holds(head, names, entry, after_us))
			return false;
		after_us = entry->start_us;
		if (!(entry->flags & ENTRY_IN_CHAIN))
			continue;
		if (entry->text_off < chain_at)
			return false;
		chain_at = (uint64_t)entry->text_off + entry->text_len;
		last_chain = i;
		nr_chain++;
	}
	return nr_chain == head->nr_chain && last_chain == head->last_chain &&
	       chain_at == head->chain_size &&
	       (!head->nr_entries || entries[0].flags == ENTRY_IN_CHAIN);
}

enum hour_verdict hourindex_check(const void *data, size_t size, usec_t hour_us,
				  uint64_t url_hash)
{
	const struct hour_header *head = data;

	if (!is_ours(head, size, url_hash))
		return HOUR_FOREIGN;
	if (head->file_size != size || head->checksum != checksum_of(data, size))
		return HOUR_CORRUPT;
	if (head->hour_us != hour_us || !layout_holds(head, size) ||
	    !totals_hold(head) || !entries_hold(head))
		return HOUR_CORRUPT;
	return HOUR_GOOD;
}

enum hour_verdict hourindex_map(int dir_fd, const char *name, usec_t hour_us,
				uint64_t url_hash, struct hourindex **index_r)
{
	enum hour_verdict verdict;
	struct stat st;
	size_t size;
	void *map;
	int fd = openat(dir_fd, name,
			O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return HOUR_ABSENT;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return HOUR_ABSENT;
	}
	size = (size_t)st.st_size;
	if (size < sizeof(struct hour_header) || size > HOUR_MAX_BYTES) {
		close(fd);
		return HOUR_CORRUPT;
	}
	map = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return HOUR_ABSENT;
	verdict = hourindex_check(map, size, hour_us, url_hash);
	if (verdict == HOUR_GOOD)
		*index_r = new_view(map, size, true);
	else
		munmap(map, size);
	return verdict;
}
