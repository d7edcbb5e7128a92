/*
 * fuzz_tsfile.c - any bytes as a segment taken apart: its units and frames lie
 * within what was read, and the packets are packets.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "media/tsfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* So that reading is not left out. */
static volatile uint8_t seen;

/* Reads every byte, so that the sanitizer sees one that is not ours. */
static uint8_t touch(const uint8_t *data, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum ^= data[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tsfile *file;
	struct arena a;
	struct errmsg e;
	size_t total = 0;

	arena_init(&a);
	if (tsfile_parse(&a, data, size, TS_NONE, &file, &e) == ERR_OK) {
		for (size_t i = 0; i < file->nr_packets; i++)
			if (file->packets[i * TS_PACKET] != TS_SYNC)
				abort();
		for (size_t i = 0; i < file->nr_units; i++) {
			seen ^= touch(file->units[i].data,
				     file->units[i].size + TSFILE_PADDING);
			total += file->units[i].size;
		}
		for (size_t i = 0; i < file->nr_frames; i++) {
			seen ^= touch(file->frames[i].data,
				     file->frames[i].size);
			total += file->frames[i].size;
		}
		if (total > size ||
		    file->skipped + file->nr_packets * TS_PACKET != size)
			abort();
	}
	arena_release(&a);
	return 0;
}
