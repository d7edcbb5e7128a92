/*
 * fresh.h - what an hour really is now, without any cache, and whether an
 * index says the same; and random changes to an hour.
 */
#ifndef TESTS_UNIT_FRESH_H
#define TESTS_UNIT_FRESH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/hourindex.h"
#include "base/fsutil.h"
#include "base/utime.h"

/*
 * Lists and builds anew; the caller drops it.  NULL if there is no such
 * directory, or it cannot be listed.
 */
static inline struct hourindex *fresh_index(int quality_fd, const char *url,
					    usec_t hour_us, bool measure)
{
	char hour[UTIME_HOUR_SIZE];
	struct hourindex *index = NULL;
	struct fs_list list = { 0 };
	struct errmsg e;
	struct hour_source source = {
		.hour_us = hour_us,
		.url = url,
		.list = &list,
		.measure = measure,
		.known_ignored = UINT32_MAX,
	};

	utime_format_hour(hour_us, hour);
	source.fd = openat(quality_fd, hour,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source.fd < 0)
		return NULL;
	if (fs_list_read(source.fd, &list, &e) ||
	    hourindex_build(&source, &index, &e))
		index = NULL;
	fs_list_release(&list);
	close(source.fd);
	return index;
}

/* Whether two indexes would answer the same; sizes only if both know them. */
static inline bool fresh_equal(const struct hourindex *a,
			       const struct hourindex *b)
{
	bool sizes;

	if (!a || !b)
		return a == b;
	sizes = a->head->flags & b->head->flags & HOUR_MEASURED;
	if (a->head->nr_entries != b->head->nr_entries ||
	    a->head->nr_others != b->head->nr_others ||
	    a->head->nr_chain != b->head->nr_chain ||
	    a->head->nr_holes != b->head->nr_holes ||
	    a->head->names_size != b->head->names_size ||
	    a->head->text_size != b->head->text_size ||
	    (sizes && a->head->total_bytes != b->head->total_bytes) ||
	    memcmp(a->names, b->names, a->head->names_size) ||
	    memcmp(a->text, b->text, a->head->text_size))
		return false;
	for (uint32_t i = 0; i < a->head->nr_entries; i++)
		if (a->entries[i].start_us != b->entries[i].start_us ||
		    a->entries[i].length_us != b->entries[i].length_us ||
		    a->entries[i].kind != b->entries[i].kind ||
		    a->entries[i].flags != b->entries[i].flags ||
		    (sizes && a->entries[i].size != b->entries[i].size))
			return false;
	for (uint32_t i = 0; i < a->head->nr_others; i++)
		if (a->others[i].start_us != b->others[i].start_us ||
		    a->others[i].kind != b->others[i].kind ||
		    a->others[i].why != b->others[i].why ||
		    (sizes && a->others[i].size != b->others[i].size))
			return false;
	return true;
}

static inline uint64_t fresh_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A name of one of a few starts; the size of a file follows from its name. */
static inline void fresh_name(uint64_t *seed, const char *suffix,
			      char name[64])
{
	static const char *const kinds[] = { "full", "full", "suspect",
					     "partial" };
	uint64_t r = fresh_random(seed);

	snprintf(name, 64, "00:%02u-%u-%s-%c%s", (unsigned)(r % 8) * 2,
		 (unsigned)(r >> 8) % 2 + 2, kinds[(r >> 16) % 4],
		 (char)('a' + (r >> 24) % 3), suffix);
}

static inline bool fresh_put(int fd, const char *name)
{
	unsigned size = 0;
	int file;

	for (const char *p = name; *p; p++)
		size = size * 31 + (unsigned char)*p;
	file = openat(fd, "00:00-1-temp-writer.ts",
		      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, size % 3))
		return false;
	close(file);
	return renameat(fd, "00:00-1-temp-writer.ts", fd, name) == 0;
}

/*
 * One change of the kinds that downloaders and people make; some of them
 * change nothing in the end, or put the directory's own time back.
 */
static inline bool fresh_change(int fd, uint64_t *seed)
{
	struct timespec times[2] = { { 0 } };
	struct stat st;
	char name[64];
	char other[64];

	switch (fresh_random(seed) % 10) {
	case 0:
	case 1:
	case 2:
		fresh_name(seed, ".ts", name);
		return fresh_put(fd, name);	/* new, or renamed over */
	case 3:
		fresh_name(seed, ".tombstone", name);
		return fresh_put(fd, name);
	case 4:
	case 5:
		fresh_name(seed, ".ts", name);
		unlinkat(fd, name, 0);
		return true;
	case 6:
		fresh_name(seed, ".tombstone", name);
		unlinkat(fd, name, 0);
		return true;
	case 7:
		fresh_name(seed, ".ts", name);
		fresh_name(seed, ".ts", other);
		/* The size follows the name, so it is written anew. */
		return !renameat(fd, name, fd, "00:00-1-temp-moved.ts") ?
			       !unlinkat(fd, "00:00-1-temp-moved.ts", 0) &&
				       fresh_put(fd, other) :
			       true;
	case 8:
		fresh_name(seed, ".ts", name);
		return fresh_put(fd, name) && !unlinkat(fd, name, 0);
	default:
		if (fstat(fd, &st))
			return false;
		fresh_name(seed, ".ts", name);
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		return fresh_put(fd, name) && !futimens(fd, times);
	}
}

#endif
