#include "config.h"

#include "archive/hourindex.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/mem.h"
#include "base/text.h"

#define CHECKSUM_FROM offsetof(struct hour_header, file_size)

uint64_t hourindex_url_hash(const char *url)
{
	uint64_t hash = XXH3_64bits(url, strlen(url));

	return hash ? hash : 1; /* 0 means any */
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

void hourindex_path(const struct hourindex *index, uint32_t i,
		    char path[PATH_MAX])
{
	char hour[UTIME_HOUR_SIZE];

	snprintf(path, PATH_MAX, "%s/%s",
		 utime_format_hour(index->head->hour_us, hour),
		 hourindex_name(index, i));
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
	index->others = (const void *)((const char *)data + head->others_off);
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

static size_t aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
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

/* Fewer bytes than this are not worth a block. */
#define MIN_DEFLATED 256

struct hour_header *hourindex_deflate(const struct hourindex *index)
{
	const struct hour_header *old = index->head;
	size_t plain_size = aligned(old->text_off + old->text_size);
	struct hour_header *head;
	uint32_t crc = 0;
	struct text out;

	text_init(&out, plain_size + gzip_block_bound(old->chain_size));
	text_append(&out, old, plain_size);
	if (old->chain_size < MIN_DEFLATED ||
	    !gzip_make_block(index->text, old->chain_size, &out, &crc)) {
		text_release(&out);
		return hourindex_copy(index);
	}
	head = (void *)out.data;
	head->deflate_off = plain_size;
	head->deflate_size = out.len - plain_size;
	text_append(&out, "\0\0\0\0\0\0\0", aligned(out.len) - out.len);
	head = mem_resize(out.data, out.len); /* the text is ours now */
	head->file_size = out.len;
	head->chain_crc = crc;
	head->flags |= HOUR_DEFLATED;
	return head;
}

struct gzip_block hourindex_block(const struct hourindex *index)
{
	const struct hour_header *head = index->head;

	return (struct gzip_block){
		.data = (const char *)head + head->deflate_off,
		.size = head->deflate_size,
		.crc = head->chain_crc,
	};
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

/* A block ends with an empty stored one: RFC 1951 3.2.4. */
static bool block_ends(const struct hour_header *head)
{
	static const unsigned char end[4] = { 0, 0, 0xff, 0xff };
	const char *block = (const char *)head + head->deflate_off;

	return head->deflate_size > sizeof(end) &&
	       !memcmp(block + head->deflate_size - sizeof(end), end,
		       sizeof(end));
}

/* That the parts are where their sizes put them, and the file ends there. */
static bool layout_holds(const struct hour_header *head, size_t size)
{
	size_t at = sizeof(*head);

	if (head->file_size != size || head->nr_entries > HOUR_MAX_ENTRIES ||
	    head->nr_others > HOUR_MAX_OTHERS ||
	    head->nr_chain > head->nr_entries ||
	    head->nr_holes > head->nr_chain ||
	    !head->nr_chain != !head->nr_entries || head->names_size > size ||
	    head->text_size > size || head->chain_size > head->text_size ||
	    head->entries_off != at)
		return false;
	at = aligned(at + head->nr_entries * sizeof(struct hour_entry));
	if (head->others_off != at)
		return false;
	at = aligned(at + head->nr_others * sizeof(struct hour_other));
	if (head->names_off != at)
		return false;
	at = aligned(at + head->names_size);
	if (head->text_off != at)
		return false;
	at = aligned(at + head->text_size);
	if (!(head->flags & HOUR_DEFLATED))
		return at == size && !head->deflate_off &&
		       !head->deflate_size && !head->chain_crc;
	return head->deflate_off == at && head->deflate_size <= size &&
	       aligned(at + head->deflate_size) == size && block_ends(head);
}

static bool values_hold(const struct hour_header *head)
{
	return (head->flags & ~(uint32_t)(HOUR_SETTLED | HOUR_MEASURED |
					  HOUR_PROBED | HOUR_DEFLATED)) == 0 &&
	       memchr(head->media.codecs, '\0', sizeof(head->media.codecs));
}

/* What the entries say together, for comparison with the header. */
struct tally {
	const struct hour_entry *previous; /* of the chain */
	uint64_t names_at;		   /* where the next one must be */
	uint64_t chain_at;
	uint64_t others_at;
	uint32_t nr_chain;
	uint32_t nr_holes;
	uint32_t last_chain;
	int64_t holes_us;
	int64_t max_length_us;
	int64_t max_end_us;
	uint64_t total_bytes;
	int64_t total_us;
};

static bool name_holds(const struct hour_header *head, uint32_t name_off,
		       uint16_t len)
{
	const char *name = (const char *)head + head->names_off + name_off;

	return (uint64_t)name_off + len < head->names_size && len > 0 &&
	       name[len] == '\0' && !memchr(name, '\0', len) &&
	       !memchr(name, '/', len);
}

static bool entry_holds(const struct hour_header *head,
			const struct hour_entry *entry, usec_t after_us)
{
	return entry->start_us > after_us &&
	       entry->start_us < head->hour_us + USEC_PER_HOUR &&
	       entry->length_us > 0 && entry->length_us <= SEGMENT_MAX_LENGTH &&
	       entry->size >= (head->flags & HOUR_MEASURED ? 0 : -1) &&
	       entry->kind < SEGMENT_TEMP && entry->zero == 0 &&
	       entry->flags <= (ENTRY_IN_CHAIN | ENTRY_AFTER_HOLE) &&
	       entry->flags != ENTRY_AFTER_HOLE &&
	       name_holds(head, entry->name_off, entry->name_len) &&
	       (uint64_t)entry->text_off + entry->text_len <= head->text_size &&
	       entry->text_len > 0;
}

/* Adds a chain's entry; false if its lines are not where they belong. */
static bool tally_link(struct tally *t, const struct hour_entry *entry)
{
	if (entry->flags & ENTRY_AFTER_HOLE) {
		if (!t->previous)
			return false;
		t->nr_holes++;
		if (entry->start_us > hour_entry_end(t->previous))
			t->holes_us +=
				entry->start_us - hour_entry_end(t->previous);
		t->chain_at += sizeof(HOUR_DISCONTINUITY) - 1;
	}
	if (entry->text_off != t->chain_at)
		return false;
	t->chain_at += entry->text_len;
	t->nr_chain++;
	t->total_bytes += (uint64_t)entry->size;
	t->total_us += entry->length_us;
	t->previous = entry;
	return true;
}

static bool tally_entry(struct tally *t, const struct hour_entry *entry)
{
	usec_t end = hour_entry_end(entry);

	if (entry->name_off != t->names_at)
		return false;
	t->names_at += entry->name_len + 1U;
	if (entry->length_us > t->max_length_us)
		t->max_length_us = entry->length_us;
	if (end > t->max_end_us)
		t->max_end_us = end;
	if (entry->flags & ENTRY_IN_CHAIN)
		return tally_link(t, entry);
	if (entry->text_off != t->others_at)
		return false;
	t->others_at += entry->text_len;
	return true;
}

static bool tally_equals(const struct tally *t, const struct hour_header *head)
{
	bool is_measured = head->flags & HOUR_MEASURED;

	return t->names_at == head->names_size &&
	       t->chain_at == head->chain_size &&
	       t->others_at == head->text_size &&
	       t->nr_chain == head->nr_chain && t->nr_holes == head->nr_holes &&
	       t->last_chain == head->last_chain &&
	       t->holes_us == head->holes_us &&
	       t->max_length_us == head->max_length_us &&
	       t->max_end_us == head->max_end_us &&
	       head->max_rounded_s == hour_rounded_s(t->max_length_us) &&
	       head->total_bytes == (is_measured ? t->total_bytes : 0) &&
	       head->total_us == (is_measured ? t->total_us : 0) &&
	       (is_measured || !head->peak_bps);
}

/* Whether the reason is one that the two sides of it do not contradict. */
static bool reason_holds(const struct hour_entry *best,
			 const struct hour_other *other)
{
	bool is_alike = best->kind == other->kind;
	bool is_full = best->kind == SEGMENT_FULL;
	bool is_tied =
		is_alike && (!is_full || best->length_us == other->length_us);

	switch ((enum hour_why)other->why) {
	case WHY_NOT_FULL:
		return is_full && !is_alike;
	case WHY_NOT_SUSPECT:
		return best->kind == SEGMENT_SUSPECT &&
		       other->kind == SEGMENT_PARTIAL;
	case WHY_SHORTER:
		return is_full && is_alike &&
		       best->length_us > other->length_us;
	case WHY_SMALLER:
		return is_tied && best->size > other->size;
	case WHY_LOWER_HASH:
		return is_tied && is_full && best->size == other->size;
	case WHY_LATER_NAME:
		return is_tied && best->size == other->size;
	default:
		return false;
	}
}

static bool other_holds(const struct hour_header *head,
			const struct hour_other *other,
			const struct hour_entry *best)
{
	bool is_duplicate = hour_other_is_duplicate(other);
	bool is_measured = head->flags & HOUR_MEASURED;

	if (other->start_us < head->hour_us ||
	    other->start_us >= head->hour_us + USEC_PER_HOUR ||
	    other->length_us <= 0 || other->length_us > SEGMENT_MAX_LENGTH ||
	    other->size < (is_measured && is_duplicate ? 0 : -1) ||
	    !name_holds(head, other->name_off, other->name_len))
		return false;
	if (is_duplicate)
		return best && best->start_us == other->start_us &&
		       other->kind < SEGMENT_TEMP && reason_holds(best, other);
	return other->why ==
		       (other->kind == SEGMENT_TEMP ? WHY_TEMP : WHY_DELETED) &&
	       other->kind <= SEGMENT_TEMP;
}

/* Their names are behind those of the entries. */
static bool others_hold(const struct hour_header *head,
			const struct hour_entry *entries, uint64_t *names_at)
{
	const struct hour_other *others =
		(const void *)((const char *)head + head->others_off);
	uint32_t k = 0;

	for (uint32_t i = 0; i < head->nr_others; i++) {
		const struct hour_other *other = &others[i];

		while (k < head->nr_entries &&
		       entries[k].start_us < other->start_us)
			k++;
		if (other->name_off != *names_at ||
		    (i && other->start_us < other[-1].start_us) ||
		    (i && other->start_us == other[-1].start_us &&
		     hour_other_is_duplicate(other) &&
		     !hour_other_is_duplicate(other - 1)) ||
		    !other_holds(head, other,
				 k < head->nr_entries ? &entries[k] : NULL))
			return false;
		*names_at += other->name_len + 1U;
	}
	return true;
}

static bool entries_hold(const struct hour_header *head)
{
	const char *base = (const char *)head;
	const struct hour_entry *entries =
		(const void *)(base + head->entries_off);
	usec_t after_us = head->hour_us - 1;
	struct tally t = { .others_at = head->chain_size };

	if (head->nr_entries && entries[0].flags != ENTRY_IN_CHAIN)
		return false;
	for (uint32_t i = 0; i < head->nr_entries; i++) {
		if (!entry_holds(head, &entries[i], after_us) ||
		    !tally_entry(&t, &entries[i]))
			return false;
		after_us = entries[i].start_us;
		if (entries[i].flags & ENTRY_IN_CHAIN)
			t.last_chain = i;
	}
	return others_hold(head, entries, &t.names_at) &&
	       tally_equals(&t, head);
}

enum hour_verdict hourindex_check(const void *data, size_t size, usec_t hour_us,
				  uint64_t url_hash)
{
	const struct hour_header *head = data;

	if (!is_ours(head, size, url_hash))
		return HOUR_FOREIGN;
	if (head->file_size != size ||
	    head->checksum != checksum_of(data, size))
		return HOUR_CORRUPT;
	if (head->hour_us != hour_us || !layout_holds(head, size) ||
	    !values_hold(head) || !entries_hold(head))
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
