/*
 * hourindex.h - one hour of one quality, ready to answer from.
 *
 * An index is a block of bytes: in memory while an hour still changes, a file
 * under the cache directory once it is quiet.  It holds the best segment of
 * every start time, the sequence they make, and the lines of that sequence in
 * a playlist, ready to send; and what else was listed, with the reason why it
 * is not the best of its start.
 *
 * FILE LAYOUT   CACHE/v1/CHANNEL/QUALITY/HOUR.idx
 *
 *	0		struct hour_header	one
 *	entries_off	struct hour_entry	nr_entries, by start_us, unique
 *	others_off	struct hour_other	nr_others, by start_us
 *	names_off	names			NUL-terminated, names_size bytes
 *	text_off	playlist lines		text_size bytes
 *	deflate_off	the chain's, compressed	deflate_size bytes; or 0, 0
 *
 * All offsets are multiples of 8 and follow each other without gaps but for
 * zeroed padding.  Byte order and sizes are the machine's own.  Names follow
 * each other in the order of the entries and then the others, and so do the
 * lines of each part of the text in the order of the entries;
 * HOUR_DISCONTINUITY before an entry is not part of its own lines.  Of the
 * others of one start, those that were candidates come first.
 *
 * The text is first, up to chain_size, the lines of the hour's own sequence
 * (its CHAIN: the best sequence if it begins with the hour's first entry),
 * with the discontinuities inside it; then the lines of the entries that are
 * not in the chain.  A range that has reached any entry of the chain goes on
 * along the chain, because what follows a segment depends on that segment
 * alone; so a playlist is a few pieces of this text.
 *
 * Most clients want playlists compressed.  So a stored index also has the lines
 * of its chain as a block of gzip.h, which is made when the answer that built
 * the index is on its way.
 *
 * The index is a cache.  Deleting any of it, at any time, loses only time;
 * nothing is ever recovered from it.  A header that is not exactly ours means
 * "build again", in silence; one that lies means log, unlink, build again.
 * Never an error to the client.
 *
 * WRITER: list the directory, build in memory, write a private file, rename(2)
 * over the old one.  A file is never changed in place, so no reader can see
 * half of one, and two workers that build the same hour waste work but do no
 * harm.  There is no fsync: what a power loss leaves fails the checksum.
 *
 * READER: open, fstat, mmap read-only, check the checksum and every count and
 * offset against the size once, close.  After that the map is trusted.
 *
 * CURRENT: the index says what the directory looked like (stamp) and whether
 * it was SETTLED: unchanged while it was listed, and last changed more than
 * two seconds before.  A change within the same tick of the file system's
 * clock leaves the times as they are, so an unsettled index proves nothing by
 * its stamp; but the hash of the listing (names and inodes) proves it equal to
 * a new listing.  See hourcache.h for who asks what.
 */
#ifndef ARCHIVE_HOURINDEX_H
#define ARCHIVE_HOURINDEX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/hourselect.h"
#include "archive/segment.h"
#include "base/err.h"
#include "base/fsutil.h"
#include "base/gzip.h"
#include "base/utime.h"

/* "RSHOUR1\n", and so the byte order */
#define HOUR_MAGIC UINT64_C(0x0a3152554f485352)

/* Increase when the choice of segments or the playlist lines change. */
#define HOUR_RULES 3

#define HOUR_MAX_ENTRIES 100000
#define HOUR_MAX_OTHERS	 (2 * HOUR_MAX_ENTRIES) /* half of them temp */
#define HOUR_MAX_BYTES	 ((size_t)512 * 1024 * 1024)

/* Before the lines of an entry that follows a hole in the chain. */
#define HOUR_DISCONTINUITY "#EXT-X-DISCONTINUITY\n"

/* Neighbours this close are continuous; overlaps up to this are allowed. */
#define SEAM_US ((usec_t)10 * USEC_PER_MS)

enum hour_flags {
	HOUR_SETTLED = 1 << 0,	/* the stamp proves it current */
	HOUR_MEASURED = 1 << 1, /* entry sizes and the totals are known */
	HOUR_PROBED = 1 << 2,	/* a segment was opened, media tells of it */
	HOUR_DEFLATED = 1 << 3, /* has the chain's lines compressed, too */
};

/* What probing a segment told; all zero if it could not be read. */
struct hour_media {
	char codecs[64]; /* RFC 6381, NUL-terminated; "" if unknown */
	uint32_t width;
	uint32_t height;
	uint32_t rate_num; /* frames a second, 0/0 if unknown */
	uint32_t rate_den;
};

struct hour_header {
	uint64_t magic;
	uint64_t checksum; /* XXH3 of all that follows this field */
	uint64_t file_size;
	uint64_t url_hash; /* XXH3 of the text in front of "HOUR/NAME" */
	uint32_t header_size;
	uint32_t entry_size;
	uint32_t rules;
	uint32_t flags; /* enum hour_flags */
	int64_t hour_us;
	struct fs_stamp stamp;
	uint64_t listing_hash;
	uint32_t nr_ignored; /* names that are nothing we know */
	uint32_t nr_entries;
	uint32_t nr_chain; /* entries in the chain */
	uint32_t nr_holes; /* inside the chain */
	uint64_t entries_off;
	uint64_t names_off;
	uint64_t names_size;
	uint64_t text_off;
	uint64_t text_size;
	uint64_t chain_size;	/* of the text */
	int64_t holes_us;	/* inside the chain, overlaps as 0 */
	int64_t max_length_us;	/* of any entry */
	int64_t max_end_us;	/* of any entry */
	uint32_t last_chain;	/* the last entry of the chain */
	uint32_t max_rounded_s; /* the longest entry: hour_rounded_s() */
	uint64_t text_hash;	/* XXH3 of the text, for validators */
	/* HOUR_MEASURED, over the chain: */
	uint64_t total_bytes;
	int64_t total_us;
	uint64_t peak_bps; /* bits a second of its densest segment */
	struct hour_media media;
	/* HOUR_DEFLATED: */
	uint64_t deflate_off;
	uint64_t deflate_size;
	uint32_t chain_crc; /* CRC-32 of the chain's lines */
	uint32_t nr_others;
	uint64_t others_off;
};
_Static_assert(sizeof(struct hour_header) == 336, "hour_header is on disk");
_Static_assert(offsetof(struct hour_header, stamp) == 56, "no padding");
_Static_assert(offsetof(struct hour_header, media) == 224, "no padding");

enum hour_entry_flags {
	ENTRY_IN_CHAIN = 1 << 0,
	ENTRY_AFTER_HOLE = 1 << 1, /* a hole before it, inside the chain */
};

struct hour_entry {
	int64_t start_us;
	int64_t length_us;
	int64_t size;	   /* bytes, or -1 if not measured */
	uint32_t name_off; /* into the names */
	uint32_t text_off; /* into the text: its own lines */
	uint16_t name_len;
	uint16_t text_len;
	uint8_t kind;  /* enum segment_kind, not SEGMENT_TEMP */
	uint8_t flags; /* enum hour_entry_flags */
	uint16_t zero;
};
_Static_assert(sizeof(struct hour_entry) == 40, "hour_entry is on disk");

/* A segment that is not the best of its start. */
struct hour_other {
	int64_t start_us;
	int64_t length_us;
	int64_t size;	   /* bytes, or -1 if not measured */
	uint32_t name_off; /* into the names */
	uint16_t name_len;
	uint8_t kind; /* enum segment_kind */
	uint8_t why;  /* enum hour_why */
};
_Static_assert(sizeof(struct hour_other) == 32, "hour_other is on disk");

/*
 * A view of an index, counted by its holders.  The pointers lead into one
 * block of memory or one map.
 */
struct hourindex {
	const struct hour_header *head;
	const struct hour_entry *entries;
	const struct hour_other *others;
	const char *names;
	const char *text;
	size_t size;
	bool is_mapped;
	unsigned holders;
};

static inline usec_t hour_entry_end(const struct hour_entry *entry)
{
	return entry->start_us + entry->length_us;
}

/* A length as a playlist writes it, in whole milliseconds. */
static inline uint64_t hour_length_ms(usec_t length_us)
{
	return (uint64_t)(length_us + USEC_PER_MS / 2) / (uint64_t)USEC_PER_MS;
}

/* What is written, rounded to whole seconds: 2.4996 is written as 2.500. */
static inline uint32_t hour_rounded_s(usec_t length_us)
{
	return (uint32_t)((hour_length_ms(length_us) + 500) / 1000);
}

static inline const char *hourindex_name(const struct hourindex *index,
					 uint32_t i)
{
	return index->names + index->entries[i].name_off;
}

/* Whether it was a candidate, and so makes its start a duplicate. */
static inline bool hour_other_is_duplicate(const struct hour_other *other)
{
	return other->why < WHY_DELETED;
}

/* "HOUR/NAME", the path of an entry below its quality. */
void hourindex_path(const struct hourindex *index, uint32_t i,
		    char path[PATH_MAX]);

/* The entry of the chain after entry i of it, or nr_entries at its end. */
uint32_t hourindex_next_in_chain(const struct hourindex *index, uint32_t i);

/* The first entry that begins at or after us; nr_entries if there is none. */
uint32_t hourindex_find(const struct hourindex *index, usec_t us);

/* What goes into an index besides the directory. */
struct hour_source {
	usec_t hour_us;
	const char *url; /* "PREFIX/segments/CHANNEL/QUALITY/", encoded */
	int fd;		 /* the hour's directory, for file sizes */
	const struct fs_list *list;
	struct fs_stamp stamp;
	bool is_settled;
	bool measure; /* look at the size of every entry and duplicate */
	const struct hour_media *media; /* or NULL: not probed */
	uint32_t
		known_ignored; /* log of ignored names only if there are more */
};

/*
 * Builds an index in memory; the caller holds it once.  ERR_LIMIT beyond
 * HOUR_MAX_ENTRIES.  A file that vanishes meanwhile counts as empty.
 */
enum err hourindex_build(const struct hour_source *source,
			 struct hourindex **index_r,
			 struct errmsg *e) MUST_CHECK;

/*
 * Takes a block from malloc() that is laid out but for the checksum, and makes
 * it an index; the caller holds it once.
 */
struct hourindex *hourindex_adopt(struct hour_header *head);

/* A copy of the block of an index, to change its header and adopt it. */
struct hour_header *hourindex_copy(const struct hourindex *index);

/*
 * A copy of the block of an index that also has the chain's lines compressed;
 * a plain copy if there are too few of them to be worth it.
 */
struct hour_header *hourindex_deflate(const struct hourindex *index);

/* The compressed lines of the chain; size 0 if there are none. */
struct gzip_block hourindex_block(const struct hourindex *index);

/* Why a file is not used. */
enum hour_verdict {
	HOUR_GOOD,
	HOUR_ABSENT,  /* no file, or it cannot be opened */
	HOUR_FOREIGN, /* another version, rule set, prefix or machine */
	HOUR_CORRUPT, /* it is one of ours and lies */
};

/*
 * Maps the file name in dir_fd and checks all of it; the caller holds it once.
 * url_hash 0 accepts any.
 */
enum hour_verdict hourindex_map(int dir_fd, const char *name, usec_t hour_us,
				uint64_t url_hash,
				struct hourindex **index_r) MUST_CHECK;

/* Checks a block of bytes as hourindex_map() does, for tests and fuzzing. */
enum hour_verdict hourindex_check(const void *data, size_t size, usec_t hour_us,
				  uint64_t url_hash) MUST_CHECK;

/* The hash of a url as in the header. */
uint64_t hourindex_url_hash(const char *url);

struct hourindex *hourindex_hold(struct hourindex *index);
void hourindex_drop(struct hourindex **index);

#endif
