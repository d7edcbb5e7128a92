/*
 * fuzz_hourindex.c - any bytes as the index of an hour.
 *
 * The first byte is the mode:
 *
 *	0  the rest is a file as it is
 *	1  the rest is a file whose magic, sizes and checksum are made right, so
 *	   that the checks behind them are reached
 *	2  the rest is which good index to take, and patches of it, three bytes
 *	   each (where, where, what), under a right checksum
 *
 * An index that is accepted is read in all its parts, as a playlist does.
 */
#include "config.h"

#include <xxhash.h>

#include "hourseed.h"

static void reseal(struct hour_header *head, size_t size)
{
	const size_t from = offsetof(struct hour_header, file_size);

	head->checksum = XXH3_64bits((char *)head + from, size - from);
}

static void make_right(struct hour_header *head, size_t size)
{
	head->magic = HOUR_MAGIC;
	head->url_hash = hourindex_url_hash(HOURSEED_URL);
	head->header_size = sizeof(*head);
	head->entry_size = sizeof(struct hour_entry);
	head->rules = HOUR_RULES;
	head->file_size = size;
	head->hour_us = FUZZ_HOUR;
	reseal(head, size);
}

static uint64_t sum_bytes(const char *p, size_t len)
{
	uint64_t sum = 0;

	while (len--)
		sum += (unsigned char)*p++;
	return sum;
}

static void walk_entries(const struct hourindex *index, uint64_t *sum)
{
	const struct hour_header *head = index->head;

	for (uint32_t i = 0; i < head->nr_entries; i++) {
		const struct hour_entry *entry = &index->entries[i];

		MUST(hourindex_find(index, entry->start_us) == i);
		MUST(hourindex_find(index, entry->start_us + 1) == i + 1);
		MUST(strlen(hourindex_name(index, i)) == entry->name_len);
		MUST(hour_entry_end(entry) <= head->max_end_us);
		MUST(entry->length_us <= head->max_length_us);
		MUST(head->max_end_us - head->max_length_us >= FUZZ_HOUR -
			     SEGMENT_MAX_LENGTH);
		*sum += sum_bytes(index->text + entry->text_off,
				  entry->text_len);
	}
}

static void walk_others(const struct hourindex *index, uint64_t *sum)
{
	const struct hour_header *head = index->head;

	for (uint32_t i = 0; i < head->nr_others; i++) {
		const struct hour_other *other = &index->others[i];
		uint32_t best = hourindex_find(index, other->start_us);

		MUST(other->why < HOUR_WHY_COUNT);
		MUST(other->kind < SEGMENT_KIND_COUNT);
		MUST(!i || other->start_us >= other[-1].start_us);
		MUST(strlen(index->names + other->name_off) == other->name_len);
		MUST(!hour_other_is_duplicate(other) ||
		     (best < head->nr_entries &&
		      index->entries[best].start_us == other->start_us));
		*sum += sum_bytes(index->names + other->name_off,
				  other->name_len);
	}
}

static void walk_chain(const struct hourindex *index)
{
	const struct hour_header *head = index->head;
	uint64_t at = 0;
	uint32_t nr = 0;
	uint32_t nr_holes = 0;
	usec_t holes_us = 0;
	uint32_t i = 0;
	uint32_t previous = 0;

	while (i < head->nr_entries) {
		const struct hour_entry *entry = &index->entries[i];

		MUST(entry->flags & ENTRY_IN_CHAIN);
		if (entry->flags & ENTRY_AFTER_HOLE) {
			usec_t gap = entry->start_us -
				     hour_entry_end(&index->entries[previous]);

			nr_holes++;
			holes_us += gap > 0 ? gap : 0;
			at += strlen(HOUR_DISCONTINUITY);
		}
		MUST(entry->text_off == at);
		at += entry->text_len;
		nr++;
		previous = i;
		i = hourindex_next_in_chain(index, i);
	}
	MUST(at == head->chain_size && at <= head->text_size);
	MUST(nr == head->nr_chain && nr_holes == head->nr_holes);
	MUST(holes_us == head->holes_us);
	MUST(!nr || previous == head->last_chain);
}

static void walk(const struct hourindex *index)
{
	const struct hour_header *head = index->head;
	uint64_t sum = strlen(head->media.codecs);

	sum += sum_bytes(index->text, head->text_size);
	sum += sum_bytes(index->names, head->names_size);
	walk_entries(index, &sum);
	walk_others(index, &sum);
	walk_chain(index);
	MUST(hourindex_find(index, INT64_MIN) == 0);
	MUST(hourindex_find(index, INT64_MAX) == head->nr_entries);
	MUST(sum < UINT64_MAX);
}

/* Takes the block, which malloc() gave. */
static void check_and_walk(struct hour_header *head, size_t size,
			   bool is_resealed)
{
	struct hourindex *index;

	if (hourindex_check(head, size, FUZZ_HOUR,
			    hourindex_url_hash(HOURSEED_URL)) != HOUR_GOOD) {
		free(head);
		return;
	}
	MUST(is_resealed || head->hour_us == FUZZ_HOUR);
	index = hourindex_adopt(head);
	walk(index);
	hourindex_drop(&index);
}

static void patch_seed(const uint8_t *data, size_t size)
{
	size_t which = size ? data[0] : 0;
	struct hourindex *index =
		hourseed_build(which / 2 % ARRAY_SIZE(hourseeds), which & 1);
	struct hour_header *head = hourindex_copy(index);
	uint8_t *bytes = (uint8_t *)head;
	size_t len = index->size;

	hourindex_drop(&index);
	for (size_t i = 1; i + 3 <= size; i += 3)
		bytes[((size_t)data[i] | (size_t)data[i + 1] << 8) % len] =
			data[i + 2];
	reseal(head, len);
	check_and_walk(head, len, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hour_header *head;
	unsigned mode;

	if (!size)
		return 0;
	mode = data[0] % 3;
	data++;
	size--;
	if (mode == 2) {
		patch_seed(data, size);
		return 0;
	}
	head = fuzz_copy(data, size);
	if (mode == 1 && size >= sizeof(*head))
		make_right(head, size);
	check_and_walk(head, size, mode == 1);
	return 0;
}
