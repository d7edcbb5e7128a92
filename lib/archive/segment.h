/*
 * segment.h - the names of archived segments.
 *
 * A segment is one immutable MPEG-TS file.  Its name says all that listing and
 * selection need, so this module never touches the disk:
 *
 *	2026-11-07T22 / 15:09.533-2.002-full-HASH.ts
 *	hour            start     length kind  url-safe base64 of SHA-256
 *
 * Units:  usec_t of utime.h.
 * Errors: none worth words: a name is a segment or it is not.
 * Owner:  struct segment holds no pointers.  Copy it freely.
 * Source: the naming written by the downloaders; the fraction of the start has
 *         0 to 6 digits, the length is decimal seconds.
 */
#ifndef ARCHIVE_SEGMENT_H
#define ARCHIVE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/utime.h"

/* In order of preference, best first; hourselect.c relies on the order. */
enum segment_kind {
	SEGMENT_FULL,	 /* complete */
	SEGMENT_SUSPECT, /* maybe incomplete */
	SEGMENT_PARTIAL, /* known to be incomplete */
	SEGMENT_TEMP,	 /* being written; may vanish */
	SEGMENT_KIND_COUNT
};

extern const char *const segment_kind_names[SEGMENT_KIND_COUNT + 1];

#define SEGMENT_SUFFIX	   ".ts"
#define TOMBSTONE_SUFFIX   ".tombstone"
#define SEGMENT_MAX_LENGTH USEC_PER_HOUR

struct segment {
	usec_t start_us;
	usec_t length_us; /* 1 to SEGMENT_MAX_LENGTH */
	uint8_t kind;	  /* enum segment_kind */
	uint8_t stem_len; /* of the name without ".ts" */
	uint8_t hash_at;  /* where in the name the hash begins */
};

/* Reads the name of a file in the directory of the hour that begins then. */
bool segment_parse(usec_t hour_us, const char *name, size_t len,
		   struct segment *seg_r) MUST_CHECK;

/*
 * Orders the hashes of two names as decoded bytes, a prefix before what it is
 * a prefix of: negative, 0 or positive.
 */
int segment_compare_hash(const char *name_a, const struct segment *a,
			 const char *name_b, const struct segment *b);

/* Whether len bytes end in suffix and have something before it. */
bool segment_has_suffix(const char *name, size_t len, const char *suffix);

#endif
