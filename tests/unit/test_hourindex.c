/*
 * test_hourindex.c - the index of an hour: its lines, its chain, and that no
 * bytes but good ones are believed.
 */
#include "config.h"

#include "archive/hourindex.h"

#include <dirent.h>
#include <errno.h>

#include <xxhash.h>
#include <zlib.h>

#include "unit.h"

#define URL "/p/segments/main/source/"
#define MS  USEC_PER_MS
#define SEC USEC_PER_SEC

struct file {
	const char *name;
	off_t size;
};

/* Builds the index of a new directory with these files. */
static struct hourindex *build(const struct file *files, size_t nr,
			       bool measure, const struct hour_media *media)
{
	static unsigned counter;
	struct fs_list list = { 0 };
	struct hourindex *index = NULL;
	struct hour_source source = {
		.hour_us = UNIT_HOUR,
		.url = URL,
		.list = &list,
		.is_settled = true,
		.measure = measure,
		.media = media,
	};
	struct errmsg e;
	char dir[32];

	snprintf(dir, sizeof(dir), "hour%u", counter++);
	unit_mkdir(unit_fd, dir);
	source.fd = openat(unit_fd, dir, O_RDONLY | O_DIRECTORY);
	assert_true(source.fd >= 0);
	for (size_t i = 0; i < nr; i++)
		unit_make(source.fd, files[i].name, files[i].size);
	assert_true(fs_stamp_at(source.fd, "", &source.stamp));
	assert_int_equal(fs_list_read(source.fd, &list, &e), ERR_OK);
	assert_int_equal(hourindex_build(&source, &index, &e), ERR_OK);
	close(source.fd);
	fs_list_release(&list);
	assert_int_equal(hourindex_check(index->head, index->size, UNIT_HOUR,
					 hourindex_url_hash(URL)),
			 HOUR_GOOD);
	return index;
}

static void assert_text(const struct hourindex *index, size_t from, size_t len,
			const char *expected)
{
	char text[8192];

	assert_true(from + len <= index->head->text_size);
	snprintf(text, sizeof(text), "%.*s", (int)len, index->text + from);
	assert_string_equal(text, expected);
}

/* Lines */

#define LINES(clock, length, name)                                             \
	"#EXT-X-PROGRAM-DATE-TIME:2026-11-07T00:" clock "Z\n"                  \
	"#EXTINF:" length ",live\n"                                            \
	"/p/segments/main/source/2026-11-07T00/" name "\n"
#define GAP "#EXT-X-DISCONTINUITY\n"

static void test_lines(void **state)
{
	static const struct file files[] = {
		{ "00:00-2-full-a.ts", 100 },
		/* Begins too early, longest, outside of the chain. */
		{ "00:01.5-9.9995-full-b.ts", 300 },
		{ "00:02-2.0004-full-c_-.ts", 200 },
		{ "00:04.0104-2-partial-d.ts", 50 },
		{ "00:06.0104-1.9996-suspect-e.ts", 60 },
		{ "59:59.999999-3600-full-f.ts", 0 },
		{ "59:59.9-0.0004-temp-x.ts", 1 },
	};
	static const char *const in_chain[] = {
		LINES("00:00.000000", "2.000", "00%3A00-2-full-a.ts"),
		LINES("00:02.000000", "2.000", "00%3A02-2.0004-full-c_-.ts"),
		LINES("00:04.010400", "2.000", "00%3A04.0104-2-partial-d.ts"),
		LINES("00:06.010400", "2.000",
		      "00%3A06.0104-1.9996-suspect-e.ts"),
		LINES("59:59.999999", "3600.000",
		      "59%3A59.999999-3600-full-f.ts"),
	};
	struct hourindex *index = build(files, ARRAY_SIZE(files), true, NULL);
	char whole[8192];
	uint32_t i = 0;

	UNUSED(state);
	assert_int_equal(index->head->nr_entries, 6);
	assert_int_equal(index->head->nr_chain, 5);
	assert_int_equal(index->head->nr_holes, 2);
	snprintf(whole, sizeof(whole), "%s%s%s%s%s%s%s", in_chain[0],
		 in_chain[1], in_chain[2], GAP, in_chain[3], GAP, in_chain[4]);
	assert_text(index, 0, index->head->chain_size, whole);
	assert_text(
		index, index->head->chain_size,
		index->head->text_size - index->head->chain_size,
		LINES("00:01.500000", "10.000", "00%3A01.5-9.9995-full-b.ts"));
	assert_int_equal(index->head->text_hash,
			 XXH3_64bits(index->text, index->head->text_size));
	for (size_t k = 0; k < ARRAY_SIZE(in_chain); k++) {
		print_message("# %s\n", hourindex_name(index, i));
		assert_text(index, index->entries[i].text_off,
			    index->entries[i].text_len, in_chain[k]);
		i = hourindex_next_in_chain(index, i);
	}
	assert_int_equal(i, 6);
	assert_int_equal(index->head->max_length_us, 3600 * SEC);
	assert_int_equal(index->head->max_rounded_s, 3600);
	assert_int_equal(index->head->max_end_us, UNIT_HOUR + 7200 * SEC - 1);
	assert_int_equal(index->head->last_chain, 5);
	/* Measured: the chain's, not b's. */
	assert_int_equal(index->head->total_bytes, 410);
	assert_int_equal(index->head->total_us, 3600 * SEC + 6 * SEC + 2000000);
	assert_int_equal(index->head->peak_bps, 799); /* c: 200 / 2.0004 s */
	hourindex_drop(&index);
	assert_null(index);
	hourindex_drop(&index);
}

/* EXTINF is rounded to the nearest millisecond, and that to seconds. */
static void test_rounding(void **state)
{
	static const struct {
		const char *length;
		const char *extinf;
		uint32_t rounded_s;
	} rows[] = {
		{ "0.000001", "0.000", 0 },
		{ "0.0005", "0.001", 0 },
		{ "0.000499", "0.000", 0 },
		{ "0.499499", "0.499", 0 },
		{ "0.5", "0.500", 1 },
		{ "1.499499", "1.499", 1 },
		/* Of the length as it is written. */
		{ "0.4995", "0.500", 1 },
		{ "1.499999", "1.500", 2 },
		{ "1.9995", "2.000", 2 },
		{ "9.9994", "9.999", 10 },
		{ "10", "10.000", 10 },
		{ "99.9999", "100.000", 100 },
		{ "1000.5", "1000.500", 1001 },
		{ "3600", "3600.000", 3600 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hourindex *index;
		struct file file = { .size = 0 };
		char name[64];
		char line[64];

		print_message("# %s is %s\n", rows[i].length, rows[i].extinf);
		snprintf(name, sizeof(name), "00:00-%s-full-a.ts",
			 rows[i].length);
		file.name = name;
		index = build(&file, 1, false, NULL);
		snprintf(line, sizeof(line), "#EXTINF:%s,live\n",
			 rows[i].extinf);
		assert_non_null(memmem(index->text, index->head->text_size,
				       line, strlen(line)));
		assert_int_equal(index->head->max_rounded_s, rows[i].rounded_s);
		hourindex_drop(&index);
	}
}

/* The chain */

static void test_chain_rules(void **state)
{
	static const struct {
		const char *what;
		enum segment_kind first; /* 00:10, 2 s long */
		usec_t gap_us;		 /* to the second */
		bool in_chain;
		bool after_hole;
		usec_t holes_us;
	} rows[] = {
		{ "meets", SEGMENT_FULL, 0, true, false, 0 },
		{ "5 ms after", SEGMENT_FULL, 5 * MS, true, false, 0 },
		{ "5 ms before", SEGMENT_FULL, -5 * MS, true, false, 0 },
		{ "10 ms after", SEGMENT_FULL, 10 * MS, true, false, 0 },
		{ "10 ms before", SEGMENT_FULL, -10 * MS, true, false, 0 },
		{ "10.001 ms after", SEGMENT_FULL, 10 * MS + 1, true, true,
		  10 * MS + 1 },
		{ "10.001 ms before", SEGMENT_FULL, -10 * MS - 1, false, false,
		  0 },
		{ "1 us after the first began", SEGMENT_FULL, 1 - 2 * SEC,
		  false, false, 0 },
		{ "an hour after, almost", SEGMENT_FULL, 3500 * SEC, true, true,
		  3500 * SEC },
		{ "meets a partial", SEGMENT_PARTIAL, 0, true, true, 0 },
		{ "meets a suspect", SEGMENT_SUSPECT, 0, true, true, 0 },
		{ "5 ms before a partial's end", SEGMENT_PARTIAL, -5 * MS, true,
		  true, 0 },
		{ "10 ms after a partial", SEGMENT_PARTIAL, 10 * MS, true, true,
		  10 * MS },
		{ "10.001 ms after a partial", SEGMENT_PARTIAL, 10 * MS + 1,
		  true, true, 10 * MS + 1 },
		{ "10.001 ms before a partial's end", SEGMENT_PARTIAL,
		  -10 * MS - 1, false, false, 0 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		usec_t start = 12 * SEC + rows[i].gap_us;
		struct file files[2] = { { .size = 0 } };
		struct hourindex *index;
		char a[64], b[64];

		print_message("# the second %s\n", rows[i].what);
		snprintf(a, sizeof(a), "00:10-2-%s-a.ts",
			 segment_kind_names[rows[i].first]);
		snprintf(b, sizeof(b), "%02d:%02d.%06d-2-full-b.ts",
			 (int)(start / SEC / 60), (int)(start / SEC % 60),
			 (int)(start % SEC));
		files[0].name = a;
		files[1].name = b;
		index = build(files, 2, false, NULL);
		assert_int_equal(index->head->nr_entries, 2);
		assert_int_equal(index->entries[0].flags, ENTRY_IN_CHAIN);
		assert_int_equal(
			index->entries[1].flags,
			(rows[i].in_chain ? ENTRY_IN_CHAIN : 0) |
				(rows[i].after_hole ? ENTRY_AFTER_HOLE : 0));
		assert_int_equal(index->head->nr_chain, 1 + rows[i].in_chain);
		assert_int_equal(index->head->nr_holes, rows[i].after_hole);
		assert_int_equal(index->head->holes_us, rows[i].holes_us);
		assert_int_equal(index->head->last_chain, rows[i].in_chain);
		assert_int_equal(memmem(index->text, index->head->text_size,
					GAP, strlen(GAP)) != NULL,
				 rows[i].after_hole);
		hourindex_drop(&index);
	}
}

/* What is skipped is measured against the last accepted, not the neighbour. */
static void test_chain_skips(void **state)
{
	static const struct file files[] = {
		{ "00:00-6-full-a.ts", 0 },  { "00:01-1-full-b.ts", 0 },
		{ "00:02-1-full-c.ts", 0 },  { "00:06-2-full-d.ts", 0 },
		{ "00:07-30-full-e.ts", 0 }, { "00:08-2-full-f.ts", 0 },
	};
	struct hourindex *index = build(files, ARRAY_SIZE(files), false, NULL);

	UNUSED(state);
	assert_int_equal(index->head->nr_chain, 3);
	assert_int_equal(index->head->nr_holes, 0);
	assert_int_equal(hourindex_next_in_chain(index, 0), 3);
	assert_int_equal(hourindex_next_in_chain(index, 1), 3);
	assert_int_equal(hourindex_next_in_chain(index, 3), 5);
	assert_int_equal(hourindex_next_in_chain(index, 5), 6);
	hourindex_drop(&index);
}

static void test_find(void **state)
{
	static const struct file files[] = {
		{ "00:00-2-full-a.ts", 0 },
		{ "00:02-2-full-b.ts", 0 },
		{ "00:04.5-2-full-c.ts", 0 },
	};
	struct hourindex *index = build(files, ARRAY_SIZE(files), false, NULL);
	static const struct {
		usec_t us;
		uint32_t found;
	} rows[] = {
		{ INT64_MIN, 0 },	    { UNIT_HOUR - 1, 0 },
		{ UNIT_HOUR, 0 },	    { UNIT_HOUR + 1, 1 },
		{ UNIT_HOUR + 2 * SEC, 1 }, { UNIT_HOUR + 2 * SEC + 1, 2 },
		{ UNIT_HOUR + 4500000, 2 }, { UNIT_HOUR + 4500001, 3 },
		{ INT64_MAX, 3 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(hourindex_find(index, rows[i].us),
				 rows[i].found);
	hourindex_drop(&index);
	index = build(NULL, 0, true, NULL);
	print_message("# an empty hour\n");
	assert_int_equal(hourindex_find(index, UNIT_HOUR), 0);
	assert_int_equal(index->head->text_size, 0);
	assert_int_equal(index->size, sizeof(struct hour_header));
	hourindex_drop(&index);
}

/* Building */

/* A listing that needs no files: nr segments, one a microsecond. */
static void make_listing(struct fs_list *list, size_t nr)
{
	char *names = calloc(nr, 32);

	list->entries = calloc(nr, sizeof(*list->entries));
	assert_non_null(names);
	assert_non_null(list->entries);
	list->raw = names;
	list->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		char *name = names + 32 * i;

		list->entries[i] = (struct fs_entry){
			.name = name,
			.len = (uint16_t)snprintf(name, 32,
						  "00:00.%06zu-2-full-a.ts", i),
			.type = DT_REG,
		};
	}
}

static void test_limit(void **state)
{
	struct fs_list list = { 0 };
	struct hour_source source = {
		.hour_us = UNIT_HOUR,
		.url = URL,
		.fd = -1,
		.list = &list,
	};
	struct hourindex *index = NULL;
	struct errmsg e = { "" };

	UNUSED(state);
	make_listing(&list, HOUR_MAX_ENTRIES + 1);
	print_message("# %d entries and one\n", HOUR_MAX_ENTRIES);
	assert_int_equal(hourindex_build(&source, &index, &e), ERR_LIMIT);
	assert_null(index);
	assert_string_not_equal(e.text, "");
	list.nr--;
	print_message("# %d entries\n", HOUR_MAX_ENTRIES);
	assert_int_equal(hourindex_build(&source, &index, &e), ERR_OK);
	assert_int_equal(index->head->nr_entries, HOUR_MAX_ENTRIES);
	assert_int_equal(
		hourindex_check(index->head, index->size, UNIT_HOUR, 0),
		HOUR_GOOD);
	hourindex_drop(&index);
	fs_list_release(&list);
}

static void test_flags_and_media(void **state)
{
	static const struct file file = { "00:00-2-full-a.ts", 7 };
	struct hour_media media = { .codecs = "avc1.64001f,mp4a.40.2",
				    .width = 1280 };
	struct hourindex *index;
	struct hourindex *same;

	UNUSED(state);
	index = build(&file, 1, false, NULL);
	assert_int_equal(index->head->flags, HOUR_SETTLED);
	assert_int_equal(index->entries[0].size, -1);
	assert_int_equal(index->head->total_bytes, 0);
	hourindex_drop(&index);
	index = build(&file, 1, true, &media);
	assert_int_equal(index->head->flags,
			 HOUR_SETTLED | HOUR_MEASURED | HOUR_PROBED);
	assert_int_equal(index->entries[0].size, 7);
	assert_memory_equal(&index->head->media, &media, sizeof(media));
	assert_int_equal(index->head->peak_bps, 28);

	print_message("# a copy is as good\n");
	same = hourindex_adopt(hourindex_copy(index));
	assert_int_equal(same->size, index->size);
	assert_memory_equal(same->head, index->head, index->size);
	assert_ptr_equal(hourindex_hold(same), same);
	hourindex_drop(&index);
	index = same;
	hourindex_drop(&index);
	assert_string_equal(hourindex_name(same, 0), file.name);
	hourindex_drop(&same);
}

static void test_huge_file(void **state)
{
	static const struct file file = { "00:00-0.000001-full-a.ts",
					  (off_t)1 << 42 };
	struct hourindex *index = build(&file, 1, true, NULL);

	UNUSED(state);
	assert_int_equal(index->head->total_bytes, (uint64_t)1 << 42);
	assert_int_equal(index->head->peak_bps, INT64_MAX);
	hourindex_drop(&index);
}

static void test_ignored_names_are_logged_once(void **state)
{
	static const struct file files[] = {
		{ "00:00-2-full-a.ts", 0 },
		{ "junk\n1", 0 },
		{ "junk2", 0 },
	};
	struct fs_list list = { 0 };
	struct hourindex *index;
	struct hour_source source = { .hour_us = UNIT_HOUR,
				      .url = URL,
				      .list = &list };
	struct errmsg e;

	UNUSED(state);
	unit_logged("");
	index = build(files, ARRAY_SIZE(files), false, NULL);
	assert_int_equal(index->head->nr_ignored, 2);
	hourindex_drop(&index);
	assert_int_equal(unit_logged("2 names under '" URL UNIT_HOUR_NAME
				     "/' are no segments, such as 'junk"),
			 1);
	unit_write(unit_fd, "ignored/junk", "", 0);
	source.fd = openat(unit_fd, "ignored", O_RDONLY | O_DIRECTORY);
	assert_int_equal(fs_list_read(source.fd, &list, &e), ERR_OK);
	source.known_ignored = 1;
	assert_int_equal(hourindex_build(&source, &index, &e), ERR_OK);
	assert_int_equal(unit_logged("no segments"), 0);
	hourindex_drop(&index);
	fs_list_release(&list);
	close(source.fd);
}

/* Corruption */

/*
 * Chain: 0, 2, 3 (after a hole), 4 (after a partial); outside: 1.  The others
 * are, in this order, shorter, smaller, not full, deleted, temp.
 */
static const struct file sample[] = {
	{ "00:00-2-full-a.ts", 100 },	   { "00:01-2-full-b.ts", 300 },
	{ "00:02-2-full-c.ts", 200 },	   { "00:05-2-partial-d.ts", 50 },
	{ "00:07-2.5-full-longer.ts", 7 }, { "00:00-1-full-b.ts", 100 },
	{ "00:02-2-full-d.ts", 199 },	   { "00:02-9-partial-e.ts", 50 },
	{ "00:20-2-full-gone.ts", 50 },	   { "00:20-2-full-gone.tombstone", 0 },
	{ "00:30-2-temp-t.ts", 50 },
};

static struct hourindex *build_sample(bool measure)
{
	return build(sample, ARRAY_SIZE(sample), measure, NULL);
}

static void reseal(struct hour_header *head, size_t size)
{
	const size_t from = offsetof(struct hour_header, file_size);

	head->checksum = XXH3_64bits((char *)head + from, size - from);
}

static const char *const verdict_names[] = { "good", "absent", "foreign",
					     "corrupt" };

static enum hour_verdict check(const void *data, size_t size)
{
	return hourindex_check(data, size, UNIT_HOUR, hourindex_url_hash(URL));
}

/* Any value is legal: nothing in the file can contradict it. */
#define LEGAL HOUR_GOOD

#define FIELD(type, field, verdict)                                            \
	{                                                                      \
#field, offsetof(type, field), sizeof(((type *)0)->field),     \
			verdict                                                \
	}
#define HEAD(field, verdict) FIELD(struct hour_header, field, verdict)

static const struct field {
	const char *name;
	size_t at;
	size_t size;
	enum hour_verdict verdict;
} header_fields[] = {
	HEAD(magic, HOUR_FOREIGN),
	HEAD(checksum, HOUR_CORRUPT),
	HEAD(file_size, HOUR_CORRUPT),
	HEAD(url_hash, HOUR_FOREIGN),
	HEAD(header_size, HOUR_FOREIGN),
	HEAD(entry_size, HOUR_FOREIGN),
	HEAD(rules, HOUR_FOREIGN),
	HEAD(flags, HOUR_CORRUPT),
	HEAD(hour_us, HOUR_CORRUPT),
	/* What the directory was: compared with what it is. */
	HEAD(stamp.dev, LEGAL),
	HEAD(stamp.ino, LEGAL),
	HEAD(stamp.mtime_ns, LEGAL),
	HEAD(stamp.ctime_ns, LEGAL),
	HEAD(listing_hash, LEGAL),
	HEAD(nr_ignored, LEGAL),
	HEAD(nr_entries, HOUR_CORRUPT),
	HEAD(nr_chain, HOUR_CORRUPT),
	HEAD(nr_holes, HOUR_CORRUPT),
	HEAD(entries_off, HOUR_CORRUPT),
	HEAD(names_off, HOUR_CORRUPT),
	HEAD(names_size, HOUR_CORRUPT),
	HEAD(text_off, HOUR_CORRUPT),
	HEAD(text_size, HOUR_CORRUPT),
	HEAD(chain_size, HOUR_CORRUPT),
	HEAD(holes_us, HOUR_CORRUPT),
	HEAD(max_length_us, HOUR_CORRUPT),
	HEAD(max_end_us, HOUR_CORRUPT),
	HEAD(last_chain, HOUR_CORRUPT),
	HEAD(max_rounded_s, HOUR_CORRUPT),
	/* Only a validator; the checksum covers the text itself. */
	HEAD(text_hash, LEGAL),
	HEAD(total_bytes, HOUR_CORRUPT),
	HEAD(total_us, HOUR_CORRUPT),
	/* Only a number to be shown. */
	HEAD(peak_bps, LEGAL),
	/* What a probe told; only its NUL is needed, see below. */
	HEAD(media.codecs, LEGAL),
	HEAD(media.width, LEGAL),
	HEAD(media.height, LEGAL),
	HEAD(media.rate_num, LEGAL),
	HEAD(media.rate_den, LEGAL),
	HEAD(deflate_off, HOUR_CORRUPT),
	HEAD(deflate_size, HOUR_CORRUPT),
	/* For the receiver; the checksum covers what it is of. */
	HEAD(chain_crc, LEGAL),
	HEAD(nr_others, HOUR_CORRUPT),
	HEAD(others_off, HOUR_CORRUPT),
};

static uint64_t read_field(const void *data, const struct field *field)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)data + field->at,
	       field->size < 8 ? field->size : 8);
	return value;
}

/* The value by itself, its neighbours, and what is extreme. */
static uint64_t mutate(uint64_t old, unsigned i, size_t size)
{
	const uint64_t bits = size < 8 ? 8 * size : 64;
	const uint64_t values[] = {
		0,
		1,
		old + 1,
		old - 1,
		old + 8,
		old - 8,
		old * 2,
		~old,
		~UINT64_C(0),
		UINT64_C(1) << (bits - 1),
		(UINT64_C(1) << (bits - 1)) - 1,
		old ^ 0x100,
	};

	return values[i] &
	       (bits == 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1);
}
#define NR_MUTATIONS 12

/* The sample with the lines of its chain compressed. */
static struct hourindex *build_deflated(void)
{
	struct hourindex *plain = build_sample(true);
	struct hourindex *index = hourindex_adopt(hourindex_deflate(plain));

	assert_true(index->head->flags & HOUR_DEFLATED);
	hourindex_drop(&plain);
	return index;
}

/* The block is of the chain's lines, by zlib; the rest is as it was. */
static void test_deflate(void **state)
{
	struct hourindex *plain = build_sample(true);
	struct hourindex *index = build_deflated();
	struct gzip_block block = hourindex_block(index);
	size_t size = plain->head->chain_size;
	struct iovec iov = { (void *)(uintptr_t)plain->text, size };
	struct gzip_member member;
	char *back = malloc(size + 1);
	z_stream z = { .next_out = (Bytef *)back, .avail_out = (uInt)size + 1 };
	int rc = Z_OK;
	struct arena a;

	UNUSED(state);
	assert_non_null(back);
	assert_int_equal(hourindex_block(plain).size, 0);
	assert_int_equal(check(index->head, index->size), HOUR_GOOD);
	assert_int_equal(index->head->text_hash, plain->head->text_hash);
	assert_memory_equal(index->entries, plain->entries,
			    plain->head->nr_entries * sizeof(*plain->entries));
	assert_memory_equal(index->text, plain->text, plain->head->text_size);
	arena_init(&a);
	assert_true(gzip_join(&a, &iov, &block, 1, GZIP_FAST, &member));
	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	for (int i = 0; i < member.nr_iov; i++) {
		z.next_in = member.iov[i].iov_base;
		z.avail_in = (uInt)member.iov[i].iov_len;
		rc = inflate(&z, Z_NO_FLUSH);
	}
	assert_int_equal(rc, Z_STREAM_END);
	assert_int_equal(z.total_out, size);
	assert_memory_equal(back, plain->text, size);
	inflateEnd(&z);
	arena_release(&a);
	free(back);
	hourindex_drop(&index);
	hourindex_drop(&plain);
}

/* Few lines are not worth a block; an empty hour has none at all. */
static void test_no_deflate(void **state)
{
	struct hourindex *plain = build(NULL, 0, false, NULL);
	struct hourindex *index = hourindex_adopt(hourindex_deflate(plain));

	UNUSED(state);
	assert_false(index->head->flags & HOUR_DEFLATED);
	assert_int_equal(hourindex_block(index).size, 0);
	assert_int_equal(check(index->head, index->size), HOUR_GOOD);
	hourindex_drop(&index);
	hourindex_drop(&plain);
}

static void test_every_header_field(void **state)
{
	bool covered[sizeof(struct hour_header)] = { false };

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(header_fields); i++) {
		const struct field *field = &header_fields[i];
		unsigned tried = 0;

		print_message("# %s: %s\n", field->name,
			      verdict_names[field->verdict]);
		for (unsigned m = 0; m < NR_MUTATIONS; m++) {
			struct hourindex *index = build_deflated();
			size_t size = index->size;
			struct hour_header *head = hourindex_copy(index);
			uint64_t old = read_field(head, field);
			uint64_t new = mutate(old, m, field->size);

			/* The known flags have a test of their own. */
			if (field->at == offsetof(struct hour_header, flags) &&
			    new < 16)
				new = 16;
			if (new != old) {
				memcpy((char *)head + field->at, &new,
				       field->size < 8 ? field->size : 8);
				if (strcmp(field->name, "checksum"))
					reseal(head, size);
				assert_int_equal(check(head, size),
						 field->verdict);
				tried++;
			}
			free(head);
			hourindex_drop(&index);
		}
		assert_true(tried >= 6);
		memset(covered + field->at, true, field->size);
	}
	for (size_t at = 0; at < sizeof(covered); at++)
		if (!covered[at])
			fail_msg("no field covers byte %zu", at);
}

/* The legal bits of flags, where they contradict the rest. */
static void test_flags(void **state)
{
	static const struct {
		bool measured;
		uint32_t flags;
		enum hour_verdict verdict;
	} rows[] = {
		{ true, 0, HOUR_CORRUPT },
		{ true, HOUR_SETTLED, HOUR_CORRUPT },
		{ true, HOUR_MEASURED, LEGAL },
		{ true, HOUR_MEASURED | HOUR_PROBED, LEGAL },
		{ false, 0, LEGAL },
		{ false, HOUR_SETTLED | HOUR_PROBED, LEGAL },
		{ false, HOUR_MEASURED, HOUR_CORRUPT },
		{ false, HOUR_DEFLATED, HOUR_CORRUPT },
		{ true, HOUR_MEASURED | HOUR_DEFLATED, HOUR_CORRUPT },
		{ false, 16, HOUR_CORRUPT },
		{ false, UINT32_C(1) << 31, HOUR_CORRUPT },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hourindex *index = build_sample(rows[i].measured);
		struct hour_header *head = hourindex_copy(index);

		print_message("# %s, flags %#x: %s\n",
			      rows[i].measured ? "measured" : "not measured",
			      rows[i].flags, verdict_names[rows[i].verdict]);
		head->flags = rows[i].flags;
		reseal(head, index->size);
		assert_int_equal(check(head, index->size), rows[i].verdict);
		free(head);
		hourindex_drop(&index);
	}
}

static void test_codecs_without_end(void **state)
{
	struct hourindex *index = build_sample(false);
	struct hour_header *head = hourindex_copy(index);

	UNUSED(state);
	memset(head->media.codecs, 'x', sizeof(head->media.codecs));
	reseal(head, index->size);
	assert_int_equal(check(head, index->size), HOUR_CORRUPT);
	head->media.codecs[sizeof(head->media.codecs) - 1] = '\0';
	reseal(head, index->size);
	assert_int_equal(check(head, index->size), HOUR_GOOD);
	free(head);
	hourindex_drop(&index);
}

#define ENTRY(field)                                                           \
	offsetof(struct hour_entry, field),                                    \
		sizeof(((struct hour_entry *)0)->field)

/* A field of element nr of an array, what it is changed to, what that is. */
struct element_field {
	const char *what;
	unsigned nr;
	size_t at;
	size_t size;
	bool by;
	int64_t value;
	bool measured;
	enum hour_verdict verdict;
};

/* Tries each alone; together they cover every byte of an element. */
static void try_rows(const struct element_field *rows, size_t nr,
		     size_t offset_at, size_t element)
{
	bool covered[64] = { false };

	assert_true(element <= sizeof(covered));
	for (size_t i = 0; i < nr; i++) {
		struct hourindex *index = build_sample(rows[i].measured);
		struct hour_header *head = hourindex_copy(index);
		uint64_t offset;
		int64_t value = 0;
		char *field;

		memcpy(&offset, (char *)head + offset_at, sizeof(offset));
		field = (char *)head + offset + rows[i].nr * element +
			rows[i].at;
		print_message("# %u %s: %s\n", rows[i].nr, rows[i].what,
			      verdict_names[rows[i].verdict]);
		memcpy(&value, field, rows[i].size);
		value = rows[i].by ? value + rows[i].value : rows[i].value;
		memcpy(field, &value, rows[i].size);
		reseal(head, index->size);
		assert_int_equal(check(head, index->size), rows[i].verdict);
		free(head);
		hourindex_drop(&index);
		if (rows[i].verdict != LEGAL)
			memset(covered + rows[i].at, true, rows[i].size);
	}
	for (size_t at = 0; at < element; at++)
		if (!covered[at])
			fail_msg("no row covers byte %zu of an element", at);
}

/* The sample's entries; values are taken as they are, or added if by. */
static void test_every_entry_field(void **state)
{
	static const struct element_field rows[] = {
		{ "start_us, before the hour", 0, ENTRY(start_us), false,
		  UNIT_HOUR - 1, true, HOUR_CORRUPT },
		{ "start_us, after the hour", 4, ENTRY(start_us), false,
		  UNIT_HOUR + USEC_PER_HOUR, true, HOUR_CORRUPT },
		{ "start_us, as the one before", 1, ENTRY(start_us), false,
		  UNIT_HOUR, true, HOUR_CORRUPT },
		{ "start_us, before the one before", 2, ENTRY(start_us), false,
		  UNIT_HOUR + SEC - 1, true, HOUR_CORRUPT },
		{ "start_us, as the one after", 1, ENTRY(start_us), false,
		  UNIT_HOUR + 2 * SEC, true, HOUR_CORRUPT },
		{ "start_us, the least", 0, ENTRY(start_us), false, INT64_MIN,
		  true, HOUR_CORRUPT },
		{ "start_us, the greatest", 4, ENTRY(start_us), false,
		  INT64_MAX, true, HOUR_CORRUPT },
		{ "start_us, another hole", 3, ENTRY(start_us), true, 1, true,
		  HOUR_CORRUPT },
		{ "start_us, another end", 4, ENTRY(start_us), true, 1, true,
		  HOUR_CORRUPT },
		{ "start_us, no sum changes", 2, ENTRY(start_us), true, 0, true,
		  LEGAL },
		{ "start_us, between its neighbours", 1, ENTRY(start_us), true,
		  1, true, LEGAL },
		{ "length_us, none", 0, ENTRY(length_us), false, 0, false,
		  HOUR_CORRUPT },
		{ "length_us, negative", 1, ENTRY(length_us), false, -1, false,
		  HOUR_CORRUPT },
		{ "length_us, the least", 1, ENTRY(length_us), false, INT64_MIN,
		  false, HOUR_CORRUPT },
		{ "length_us, the greatest", 4, ENTRY(length_us), false,
		  INT64_MAX, false, HOUR_CORRUPT },
		{ "length_us, over the maximum", 4, ENTRY(length_us), false,
		  SEGMENT_MAX_LENGTH + 1, false, HOUR_CORRUPT },
		{ "length_us, over the header's", 0, ENTRY(length_us), false,
		  2500001, false, HOUR_CORRUPT },
		{ "length_us, under the header's", 4, ENTRY(length_us), true,
		  -1, false, HOUR_CORRUPT },
		{ "length_us, before a hole", 2, ENTRY(length_us), true, -1,
		  false, HOUR_CORRUPT },
		{ "length_us, of a total", 0, ENTRY(length_us), true, -1, true,
		  HOUR_CORRUPT },
		{ "length_us, of no total", 0, ENTRY(length_us), true, -1,
		  false, LEGAL },
		{ "length_us, outside of the chain", 1, ENTRY(length_us), true,
		  -1, true, LEGAL },
		{ "size, of a total", 0, ENTRY(size), true, 1, true,
		  HOUR_CORRUPT },
		{ "size, unknown though measured", 0, ENTRY(size), false, -1,
		  true, HOUR_CORRUPT },
		{ "size, negative", 1, ENTRY(size), false, -2, false,
		  HOUR_CORRUPT },
		{ "size, the least", 1, ENTRY(size), false, INT64_MIN, true,
		  HOUR_CORRUPT },
		{ "size, outside of the chain", 1, ENTRY(size), true, 1, true,
		  LEGAL },
		{ "size, of no total", 0, ENTRY(size), false, 12345, false,
		  LEGAL },
		{ "name_off, the next byte", 1, ENTRY(name_off), true, 1, true,
		  HOUR_CORRUPT },
		{ "name_off, another's", 1, ENTRY(name_off), false, 0, true,
		  HOUR_CORRUPT },
		{ "name_off, far away", 4, ENTRY(name_off), false, UINT32_MAX,
		  true, HOUR_CORRUPT },
		{ "name_off, near the top", 4, ENTRY(name_off), false,
		  UINT32_MAX - 16, true, HOUR_CORRUPT },
		{ "text_off, the next byte", 0, ENTRY(text_off), true, 1, true,
		  HOUR_CORRUPT },
		{ "text_off, the byte before", 2, ENTRY(text_off), true, -1,
		  true, HOUR_CORRUPT },
		{ "text_off, outside of the chain", 1, ENTRY(text_off), true, 1,
		  true, HOUR_CORRUPT },
		{ "text_off, over a discontinuity", 3, ENTRY(text_off), true,
		  -21, true, HOUR_CORRUPT },
		{ "text_off, far away", 4, ENTRY(text_off), false, UINT32_MAX,
		  true, HOUR_CORRUPT },
		{ "name_len, none", 0, ENTRY(name_len), false, 0, true,
		  HOUR_CORRUPT },
		{ "name_len, shorter", 0, ENTRY(name_len), true, -1, true,
		  HOUR_CORRUPT },
		{ "name_len, longer", 0, ENTRY(name_len), true, 1, true,
		  HOUR_CORRUPT },
		{ "name_len, over the end", 4, ENTRY(name_len), true, 1, true,
		  HOUR_CORRUPT },
		{ "name_len, the greatest", 4, ENTRY(name_len), false,
		  UINT16_MAX, true, HOUR_CORRUPT },
		{ "text_len, none", 0, ENTRY(text_len), false, 0, true,
		  HOUR_CORRUPT },
		{ "text_len, shorter", 2, ENTRY(text_len), true, -1, true,
		  HOUR_CORRUPT },
		{ "text_len, longer", 4, ENTRY(text_len), true, 1, true,
		  HOUR_CORRUPT },
		{ "text_len, longer, outside of the chain", 1, ENTRY(text_len),
		  true, 1, true, HOUR_CORRUPT },
		{ "text_len, the greatest", 1, ENTRY(text_len), false,
		  UINT16_MAX, true, HOUR_CORRUPT },
		{ "kind, temp", 0, ENTRY(kind), false, SEGMENT_TEMP, true,
		  HOUR_CORRUPT },
		{ "kind, none", 0, ENTRY(kind), false, SEGMENT_KIND_COUNT, true,
		  HOUR_CORRUPT },
		{ "kind, the greatest", 0, ENTRY(kind), false, UINT8_MAX, true,
		  HOUR_CORRUPT },
		{ "kind, another good one", 4, ENTRY(kind), false,
		  SEGMENT_PARTIAL, true, LEGAL },
		{ "kind, worse than a duplicate", 0, ENTRY(kind), false,
		  SEGMENT_PARTIAL, true, HOUR_CORRUPT },
		{ "flags, the first not in the chain", 0, ENTRY(flags), false,
		  0, true, HOUR_CORRUPT },
		{ "flags, the first after a hole", 0, ENTRY(flags), false,
		  ENTRY_IN_CHAIN | ENTRY_AFTER_HOLE, true, HOUR_CORRUPT },
		{ "flags, one not in the chain", 2, ENTRY(flags), false, 0,
		  true, HOUR_CORRUPT },
		{ "flags, one more in the chain", 1, ENTRY(flags), false,
		  ENTRY_IN_CHAIN, true, HOUR_CORRUPT },
		{ "flags, a hole outside of the chain", 1, ENTRY(flags), false,
		  ENTRY_AFTER_HOLE, true, HOUR_CORRUPT },
		{ "flags, a hole more", 2, ENTRY(flags), false,
		  ENTRY_IN_CHAIN | ENTRY_AFTER_HOLE, true, HOUR_CORRUPT },
		{ "flags, a hole less", 3, ENTRY(flags), false, ENTRY_IN_CHAIN,
		  true, HOUR_CORRUPT },
		{ "flags, unknown", 2, ENTRY(flags), false, 5, true,
		  HOUR_CORRUPT },
		{ "flags, all", 2, ENTRY(flags), false, UINT8_MAX, true,
		  HOUR_CORRUPT },
		{ "zero", 0, ENTRY(zero), false, 1, true, HOUR_CORRUPT },
		{ "zero, the greatest", 4, ENTRY(zero), false, UINT16_MAX, true,
		  HOUR_CORRUPT },
	};
	UNUSED(state);
	try_rows(rows, ARRAY_SIZE(rows),
		 offsetof(struct hour_header, entries_off),
		 sizeof(struct hour_entry));
}

static void test_others(void **state)
{
	static const struct {
		int64_t start_s;
		int64_t size;
		const char *name;
		enum segment_kind kind;
		enum hour_why why;
	} rows[] = {
		{ 0, 100, "00:00-1-full-b.ts", SEGMENT_FULL, WHY_SHORTER },
		{ 2, 199, "00:02-2-full-d.ts", SEGMENT_FULL, WHY_SMALLER },
		{ 2, 50, "00:02-9-partial-e.ts", SEGMENT_PARTIAL,
		  WHY_NOT_FULL },
		{ 20, -1, "00:20-2-full-gone.ts", SEGMENT_FULL, WHY_DELETED },
		{ 30, -1, "00:30-2-temp-t.ts", SEGMENT_TEMP, WHY_TEMP },
	};
	struct hourindex *index = build_sample(true);

	UNUSED(state);
	assert_int_equal(index->head->nr_others, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct hour_other *other = &index->others[i];

		print_message("# %s\n", rows[i].name);
		assert_int_equal(other->start_us,
				 UNIT_HOUR + rows[i].start_s * SEC);
		assert_int_equal(other->size, rows[i].size);
		assert_string_equal(index->names + other->name_off,
				    rows[i].name);
		assert_int_equal(other->kind, rows[i].kind);
		assert_int_equal(other->why, rows[i].why);
	}
	hourindex_drop(&index);
}

#define OTHER(field)                                                           \
	offsetof(struct hour_other, field),                                    \
		sizeof(((struct hour_other *)0)->field)

/* The sample's others, as its entries above. */
static void test_every_other_field(void **state)
{
	static const struct element_field rows[] = {
		{ "start_us, before the hour", 0, OTHER(start_us), false,
		  UNIT_HOUR - 1, true, HOUR_CORRUPT },
		{ "start_us, after the hour", 4, OTHER(start_us), false,
		  UNIT_HOUR + USEC_PER_HOUR, true, HOUR_CORRUPT },
		{ "start_us, of no entry", 0, OTHER(start_us), true, 1, true,
		  HOUR_CORRUPT },
		{ "start_us, of an entry that it does not lose to", 2,
		  OTHER(start_us), true, 3 * SEC, true, HOUR_CORRUPT },
		{ "start_us, before the one before", 3, OTHER(start_us), true,
		  -19 * SEC, true, HOUR_CORRUPT },
		{ "start_us, deleted, anywhere", 3, OTHER(start_us), true, SEC,
		  true, LEGAL },
		{ "start_us, the least", 0, OTHER(start_us), false, INT64_MIN,
		  true, HOUR_CORRUPT },
		{ "start_us, the greatest", 4, OTHER(start_us), false,
		  INT64_MAX, true, HOUR_CORRUPT },
		{ "length_us, none", 3, OTHER(length_us), false, 0, true,
		  HOUR_CORRUPT },
		{ "length_us, negative", 4, OTHER(length_us), false, -1, true,
		  HOUR_CORRUPT },
		{ "length_us, over the maximum", 3, OTHER(length_us), false,
		  SEGMENT_MAX_LENGTH + 1, true, HOUR_CORRUPT },
		{ "length_us, shorter as it says", 0, OTHER(length_us), true, 1,
		  true, LEGAL },
		{ "length_us, not shorter", 0, OTHER(length_us), true, SEC,
		  true, HOUR_CORRUPT },
		{ "length_us, shorter, not smaller", 1, OTHER(length_us), true,
		  -1, true, HOUR_CORRUPT },
		{ "length_us, of no matter", 2, OTHER(length_us), true, -1,
		  true, LEGAL },
		{ "size, not smaller", 1, OTHER(size), true, 1, true,
		  HOUR_CORRUPT },
		{ "size, unknown though measured", 0, OTHER(size), false, -1,
		  true, HOUR_CORRUPT },
		{ "size, unknown", 0, OTHER(size), false, -1, false, LEGAL },
		{ "size, negative", 3, OTHER(size), false, -2, false,
		  HOUR_CORRUPT },
		{ "size, the least", 4, OTHER(size), false, INT64_MIN, true,
		  HOUR_CORRUPT },
		{ "name_off, the next byte", 1, OTHER(name_off), true, 1, true,
		  HOUR_CORRUPT },
		{ "name_off, an entry's", 0, OTHER(name_off), false, 0, true,
		  HOUR_CORRUPT },
		{ "name_off, far away", 4, OTHER(name_off), false, UINT32_MAX,
		  true, HOUR_CORRUPT },
		{ "name_len, none", 0, OTHER(name_len), false, 0, true,
		  HOUR_CORRUPT },
		{ "name_len, over the end", 4, OTHER(name_len), true, 1, true,
		  HOUR_CORRUPT },
		{ "name_len, the greatest", 0, OTHER(name_len), false,
		  UINT16_MAX, true, HOUR_CORRUPT },
		{ "kind, temp, a duplicate", 0, OTHER(kind), false,
		  SEGMENT_TEMP, true, HOUR_CORRUPT },
		{ "kind, temp, deleted", 3, OTHER(kind), false, SEGMENT_TEMP,
		  true, HOUR_CORRUPT },
		{ "kind, not temp", 4, OTHER(kind), false, SEGMENT_FULL, true,
		  HOUR_CORRUPT },
		{ "kind, full, not full", 2, OTHER(kind), false, SEGMENT_FULL,
		  true, HOUR_CORRUPT },
		{ "kind, suspect, not full", 2, OTHER(kind), false,
		  SEGMENT_SUSPECT, true, LEGAL },
		{ "kind, none", 4, OTHER(kind), false, SEGMENT_KIND_COUNT, true,
		  HOUR_CORRUPT },
		{ "why, another", 0, OTHER(why), false, WHY_NOT_FULL, true,
		  HOUR_CORRUPT },
		{ "why, not suspect", 2, OTHER(why), false, WHY_NOT_SUSPECT,
		  true, HOUR_CORRUPT },
		{ "why, smaller", 0, OTHER(why), false, WHY_SMALLER, true,
		  HOUR_CORRUPT },
		{ "why, a hash, but smaller", 1, OTHER(why), false,
		  WHY_LOWER_HASH, true, HOUR_CORRUPT },
		{ "why, a name, but smaller", 1, OTHER(why), false,
		  WHY_LATER_NAME, true, HOUR_CORRUPT },
		{ "why, deleted, before a duplicate", 1, OTHER(why), false,
		  WHY_DELETED, true, HOUR_CORRUPT },
		{ "why, a duplicate of nothing", 3, OTHER(why), false,
		  WHY_SHORTER, true, HOUR_CORRUPT },
		{ "why, none", 4, OTHER(why), false, HOUR_WHY_COUNT, true,
		  HOUR_CORRUPT },
		{ "why, the greatest", 0, OTHER(why), false, UINT8_MAX, true,
		  HOUR_CORRUPT },
	};
	UNUSED(state);
	try_rows(rows, ARRAY_SIZE(rows),
		 offsetof(struct hour_header, others_off),
		 sizeof(struct hour_other));
}

static void test_names(void **state)
{
	struct hourindex *index = build_sample(false);
	size_t len = index->entries[0].name_len;
	static const struct {
		const char *what;
		int at; /* from the end if negative */
		char byte;
		enum hour_verdict verdict;
	} rows[] = {
		{ "NUL at the beginning", 0, '\0', HOUR_CORRUPT },
		{ "NUL inside", 3, '\0', HOUR_CORRUPT },
		{ "a slash", 3, '/', HOUR_CORRUPT },
		{ "no NUL at the end", -1, 'x', HOUR_CORRUPT },
		{ "another letter", 3, 'x', LEGAL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hour_header *head = hourindex_copy(index);
		char *name = (char *)head + head->names_off;

		print_message("# %s\n", rows[i].what);
		name[rows[i].at < 0 ? len : (size_t)rows[i].at] = rows[i].byte;
		reseal(head, index->size);
		assert_int_equal(check(head, index->size), rows[i].verdict);
		free(head);
	}
	hourindex_drop(&index);
}

static void test_asked_for_another(void **state)
{
	struct hourindex *index = build_sample(false);
	const void *data = index->head;

	UNUSED(state);
	assert_int_equal(hourindex_check(data, index->size,
					 UNIT_HOUR + USEC_PER_HOUR, 0),
			 HOUR_CORRUPT);
	assert_int_equal(hourindex_check(data, index->size, UNIT_HOUR, 0),
			 HOUR_GOOD);
	assert_int_equal(hourindex_check(data, index->size, UNIT_HOUR, 1),
			 HOUR_FOREIGN);
	assert_int_not_equal(hourindex_url_hash("/a/"),
			     hourindex_url_hash("/b/"));
	assert_int_not_equal(hourindex_url_hash(""), 0);
	hourindex_drop(&index);
}

/* In a block of exactly that size, so that reading past it is caught. */
static void test_truncation(void **state)
{
	struct hourindex *index = build_sample(true);

	UNUSED(state);
	for (size_t size = 0; size < index->size; size++) {
		void *part = malloc(size ? size : 1);

		assert_non_null(part);
		memcpy(part, index->head, size);
		if (check(part, size) == HOUR_GOOD)
			fail_msg("good with %zu bytes", size);
		/* One that claims the size it has. */
		if (size >= sizeof(struct hour_header)) {
			struct hour_header *head = part;

			head->file_size = size;
			reseal(head, size);
			assert_int_equal(check(part, size), HOUR_CORRUPT);
		}
		free(part);
	}
	for (size_t more = 1; more < 100; more++) {
		struct hour_header *head = calloc(1, index->size + more);

		assert_non_null(head);
		memcpy(head, index->head, index->size);
		assert_int_equal(check(head, index->size + more), HOUR_CORRUPT);
		head->file_size += more;
		reseal(head, index->size + more);
		assert_int_equal(check(head, index->size + more), HOUR_CORRUPT);
		free(head);
	}
	hourindex_drop(&index);
}

static void test_random_flips(void **state)
{
	struct hourindex *index = build_sample(true);
	uint64_t seed = 3;

	UNUSED(state);
	for (int round = 0; round < 20000; round++) {
		struct hour_header *head = hourindex_copy(index);
		unsigned char *bytes = (unsigned char *)head;
		int flips = 1 + round % 3;

		while (flips--)
			bytes[unit_random(&seed) % index->size] ^=
				(unsigned char)(1 + unit_random(&seed) % 255);
		if (memcmp(head, index->head, index->size))
			assert_int_not_equal(check(head, index->size),
					     HOUR_GOOD);
		free(head);
	}
	/* Each bit of the file alone. */
	for (size_t bit = 0; bit < 8 * index->size; bit++) {
		struct hour_header *head = hourindex_copy(index);

		((unsigned char *)head)[bit / 8] ^=
			(unsigned char)(1 << bit % 8);
		assert_int_not_equal(check(head, index->size), HOUR_GOOD);
		free(head);
	}
	hourindex_drop(&index);
}

/* With the checksum made right: refused, or safe to read in all its parts. */
static void test_random_lies(void **state)
{
	struct hourindex *index = build_sample(true);
	uint64_t seed = 4;
	uint64_t sum = 0;

	UNUSED(state);
	for (int round = 0; round < 20000; round++) {
		struct hour_header *head = hourindex_copy(index);
		unsigned char *bytes = (unsigned char *)head;
		struct hourindex *lie;

		bytes[unit_random(&seed) % index->size] =
			(unsigned char)unit_random(&seed);
		reseal(head, index->size);
		if (check(head, index->size) != HOUR_GOOD) {
			free(head);
			continue;
		}
		lie = hourindex_adopt(head);
		for (uint32_t i = 0; i < lie->head->nr_entries; i++) {
			const struct hour_entry *entry = &lie->entries[i];

			sum += strlen(hourindex_name(lie, i));
			for (uint32_t k = 0; k < entry->text_len; k++)
				sum += (unsigned char)
					       lie->text[entry->text_off + k];
		}
		for (uint32_t i = 0; i < lie->head->nr_others; i++)
			sum += strlen(lie->names + lie->others[i].name_off);
		hourindex_drop(&lie);
	}
	assert_true(sum > 0);
	hourindex_drop(&index);
}

/* Files */

static enum hour_verdict map(const char *name)
{
	struct hourindex *index = NULL;
	enum hour_verdict verdict = hourindex_map(
		unit_fd, name, UNIT_HOUR, hourindex_url_hash(URL), &index);

	assert_int_equal(index != NULL, verdict == HOUR_GOOD);
	hourindex_drop(&index);
	return verdict;
}

static void test_map(void **state)
{
	struct hourindex *index = build_sample(true);
	struct hour_header *head = hourindex_copy(index);
	struct hourindex *mapped = NULL;

	UNUSED(state);
	unit_write(unit_fd, "good.idx", head, index->size);
	assert_int_equal(
		hourindex_map(unit_fd, "good.idx", UNIT_HOUR, 0, &mapped),
		HOUR_GOOD);
	assert_true(mapped->is_mapped);
	assert_int_equal(mapped->size, index->size);
	assert_memory_equal(mapped->head, head, index->size);
	assert_string_equal(hourindex_name(mapped, 4), sample[4].name);
	print_message("# a map outlives its file\n");
	assert_int_equal(unlinkat(unit_fd, "good.idx", 0), 0);
	assert_string_equal(hourindex_name(mapped, 4), sample[4].name);
	hourindex_drop(&mapped);
	assert_int_equal(map("good.idx"), HOUR_ABSENT);

	for (size_t size = 0; size < index->size; size += 1 + size / 40) {
		unit_write(unit_fd, "short.idx", head, size);
		assert_int_equal(map("short.idx"), HOUR_CORRUPT);
	}
	print_message("# not even a file\n");
	unit_mkdir(unit_fd, "dir.idx");
	assert_int_equal(map("dir.idx"), HOUR_ABSENT);
	assert_int_equal(mkfifoat(unit_fd, "fifo.idx", 0600), 0);
	assert_int_equal(map("fifo.idx"), HOUR_ABSENT);
	unit_write(unit_fd, "good.idx", head, index->size);
	assert_int_equal(symlinkat("good.idx", unit_fd, "link.idx"), 0);
	assert_int_equal(map("link.idx"), HOUR_ABSENT);
	assert_int_equal(map("good.idx"), HOUR_GOOD);
	print_message("# too large\n");
	unit_make(unit_fd, "large.idx", (off_t)HOUR_MAX_BYTES + 1);
	assert_int_equal(map("large.idx"), HOUR_CORRUPT);
	print_message("# all zero\n");
	unit_make(unit_fd, "zero.idx", 4096);
	assert_int_equal(map("zero.idx"), HOUR_FOREIGN);
	print_message("# of another version\n");
	head->rules++;
	unit_write(unit_fd, "other.idx", head, index->size);
	assert_int_equal(map("other.idx"), HOUR_FOREIGN);
	print_message("# of another byte order\n");
	head->rules--;
	head->magic = __builtin_bswap64(head->magic);
	unit_write(unit_fd, "other.idx", head, index->size);
	assert_int_equal(map("other.idx"), HOUR_FOREIGN);
	free(head);
	hourindex_drop(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_chain_rules),
		cmocka_unit_test(test_chain_skips),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_flags_and_media),
		cmocka_unit_test(test_huge_file),
		cmocka_unit_test(test_ignored_names_are_logged_once),
		cmocka_unit_test(test_deflate),
		cmocka_unit_test(test_no_deflate),
		cmocka_unit_test(test_every_header_field),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_codecs_without_end),
		cmocka_unit_test(test_every_entry_field),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_every_other_field),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_asked_for_another),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_random_flips),
		cmocka_unit_test(test_random_lies),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
