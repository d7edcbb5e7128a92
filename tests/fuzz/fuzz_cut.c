/*
 * fuzz_cut.c - any bytes as the segments of an archive, and cuts of them: what
 * can be planned and made has the length it says, and any part of it is the
 * same bytes as the whole.
 *
 * The input: eight bytes that choose the ranges and what to allow; then
 * segments, each of four bytes (kind and length in name, 24 bits of size) and
 * its bytes, the last of what is left.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "fuzz.h"
#include "media/smartcut.h"

#define MAX_SEGMENTS 4
#define HEAD	     8

#define HOUR "main/source/2026-11-07T00"

static struct {
	struct archive archive;
	char dir[64];
	int hour_fd;
} work;

/* Names of our own: a second apart, so that lengths are as they should be. */
static void segment_name(unsigned i, unsigned kind, char name[64])
{
	static const char *const kinds[] = { "full", "full", "suspect",
					     "partial" };

	snprintf(name, 64, "00:%02u-1-%s-a.ts", i, kinds[kind & 3]);
}

static void clean_up(void)
{
	unlinkat(work.archive.base_fd, HOUR, AT_REMOVEDIR);
	unlinkat(work.archive.base_fd, "main/source", AT_REMOVEDIR);
	unlinkat(work.archive.base_fd, "main", AT_REMOVEDIR);
	rmdir(work.dir);
}

/* A directory in memory, if there is such a place. */
static void set_up(void)
{
	struct errmsg e;

	if (*work.dir)
		return;
	snprintf(work.dir, sizeof(work.dir), "%s/fuzz-cut-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	MUST(mkdtemp(work.dir));
	MUST(!archive_open(&work.archive, work.dir, &e));
	MUST(!mkdirat(work.archive.base_fd, "main", 0700));
	MUST(!mkdirat(work.archive.base_fd, "main/source", 0700));
	MUST(!mkdirat(work.archive.base_fd, HOUR, 0700));
	work.hour_fd = openat(work.archive.base_fd, HOUR,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(work.hour_fd >= 0);
	MUST(log_open("/dev/null"));
	atexit(clean_up);
}

static void put_segment(const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(work.hour_fd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

static unsigned put_segments(const uint8_t *data, size_t size,
			     char names[MAX_SEGMENTS][64])
{
	unsigned nr = 0;

	while (nr < MAX_SEGMENTS && size >= 4) {
		size_t len =
			(size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];

		segment_name(nr, data[0], names[nr]);
		data += 4;
		size -= 4;
		len = len < size ? len : size;
		/* One may be missing: a hole. */
		if (data[-4] & 0x80)
			names[nr][0] = '\0';
		else
			put_segment(names[nr], data, len);
		data += len;
		size -= len;
		nr++;
	}
	return nr;
}

/* A sink into memory. */
struct memory {
	struct sink sink;
	struct text *out;
};

static enum err take(struct sink *s, const struct iovec *iov, int nr_iov,
		     struct errmsg *e)
{
	UNUSED(e);
	for (int i = 0; i < nr_iov; i++)
		text_append(((struct memory *)s)->out, iov[i].iov_base,
			    iov[i].iov_len);
	return ERR_OK;
}

static struct memory memory_new(struct arena *a)
{
	struct memory m = { .sink = { take, sink_copy_by_reading },
			    .out = text_new(a, 1 << 26) };

	text_puts(m.out, "");
	return m;
}

static void check_cut(struct arena *a, const struct smartcut *cut,
		      const uint8_t *head)
{
	struct memory whole = memory_new(a);
	struct errmsg e;
	enum err err;

	MUST(cut->length % TS_PACKET == 0);
	err = smartcut_send(cut, 0, cut->length, &whole.sink, &e);
	if (err) {
		MUST(err == ERR_MEDIA);
		return;
	}
	MUST(whole.out->len == cut->length);
	for (size_t i = 0; i < whole.out->len; i += TS_PACKET)
		MUST((uint8_t)whole.out->data[i] == TS_SYNC);
	for (unsigned i = 0; cut->length && i < 6; i++) {
		struct memory part = memory_new(a);
		uint64_t from = (head[i] * UINT64_C(0x9e3779b97f4a7c15) >> 20) %
				cut->length;
		uint64_t count = i % 2 ? 200 : cut->length;

		count = count < cut->length - from ? count : cut->length - from;
		MUST(!smartcut_send(cut, from, count, &part.sink, &e));
		MUST(part.out->len == count);
		MUST(!memcmp(part.out->data, whole.out->data + from, count));
	}
}

static void try_cut(struct arena *a, struct hourreader *reader,
		    const uint8_t *head, unsigned nr)
{
	static const struct edgestore no_store = { .blobs = { .fd = -1 } };
	static const struct transition fade = { "fade", 200000 };
	const struct smartcut_config config = { .means = {
							.store = &no_store } };
	struct time_range ranges[2];
	struct cut_spec spec = { .ranges = ranges,
				 .nr_ranges = head[0] & 1 ? 2 : 1,
				 .transitions = &fade,
				 .nr_transitions = head[0] >> 1 & 1,
				 .allow_holes = true,
				 .keeps_clock = head[0] >> 2 & 1,
				 .mixed = head[0] & 8 ? CUT_MIXED_TRANSCODE :
							CUT_MIXED_PASS,
				 .now_us = FUZZ_HOUR * 2 };
	struct memory streamed = memory_new(a);
	struct cut_work did;
	struct smartcut cut;
	struct cutplan *plan = ARENA_NEW(a, struct cutplan);
	struct errmsg e;
	uint64_t hash[2];
	enum err err;

	if (spec.nr_transitions >= spec.nr_ranges)
		spec.nr_transitions = 0;
	for (unsigned i = 0; i < 2; i++) {
		int64_t start = head[1 + 2 * i] * INT64_C(10000);
		int64_t length = (1 + head[2 + 2 * i]) * INT64_C(20000);

		start = start < nr * INT64_C(900000) ? start : 0;
		ranges[i] = (struct time_range){ FUZZ_HOUR + start,
						 FUZZ_HOUR + start + length };
	}
	if (cutplan_make(reader, &spec, plan, &e))
		return;
	smartcut_hash(plan, &spec, hash);
	err = smartcut_make(a, plan, &config, &cut, &e);
	MUST(err != ERR_CORRUPT && err != ERR_GONE);
	if (err)
		return;
	check_cut(a, &cut, head);
	if (!(head[0] & 8))
		return;
	err = smartcut_stream(a, plan, &config, &streamed.sink, &did, &e);
	MUST(err == ERR_OK || err == ERR_MEDIA);
	if (!err)
		MUST(streamed.out->len == cut.length &&
		     did.nr_encoded == cut.work.nr_encoded);
}

/* Mutation: of packets, since hardly any other bytes come so far */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return *seed >> 33;
}

/* Times that are wrong by a little, by much, or anything. */
static int64_t bend(int64_t time, uint64_t *seed)
{
	static const int64_t steps[] = { 1,	 3000,	     9000,	 90000,
					 900000, TS_HZ * 60, TS_WRAP / 2 };
	int64_t step = steps[next(seed) % (sizeof(steps) / sizeof(*steps))];

	return next(seed) & 1 ? time + step : time - step;
}

static void change_packet(uint8_t *p, uint64_t *seed)
{
	size_t at = ts_payload_at(p);
	struct pes_header pes;

	switch (next(seed) % 7) {
	case 0:
		ts_set_counter(p, (unsigned)next(seed));
		break;
	case 1:
		if (ts_has_pcr(p))
			ts_set_pcr(p, bend(ts_pcr(p) / 300, seed) * 300);
		break;
	case 2:
		ts_make_null(p);
		break;
	case 3:
		p[4 + next(seed) % (TS_PACKET - 4)] = (uint8_t)next(seed);
		break;
	case 4:
		p[1 + next(seed) % 5] ^= (uint8_t)(1U << next(seed) % 8);
		break;
	default:
		if (!ts_begins_unit(p) || at == TS_PACKET ||
		    !pes_read(p + at, TS_PACKET - at, &pes))
			break;
		if (pes.pts_at && next(seed) % 3)
			pes_set_time(p + at + pes.pts_at, bend(pes.pts, seed));
		if (pes.dts_at && next(seed) % 3)
			pes_set_time(p + at + pes.dts_at, bend(pes.dts, seed));
		if (!(next(seed) % 4))
			p[at + 7] ^= 0x80;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	uint64_t state = seed;
	uint8_t *begin = data + HEAD;
	size_t len = 0;
	unsigned which = (unsigned)next(&state) % MAX_SEGMENTS;

	if (size < HEAD + 4 || next(&state) % 4 == 0)
		return LLVMFuzzerMutate(data, size, max);
	for (unsigned i = 0; begin + 4 <= data + size; i++) {
		len = (size_t)begin[1] << 16 | (size_t)begin[2] << 8 | begin[3];
		begin += 4;
		if (len > (size_t)(data + size - begin))
			len = (size_t)(data + size - begin);
		if (i == which)
			break;
		if (len + 4 > (size_t)(data + size - begin))
			break;
		begin += len;
	}
	len /= TS_PACKET;
	if (!len || next(&state) % 16 == 0) {
		LLVMFuzzerMutate(data, HEAD, HEAD);
		return size;
	}
	for (uint64_t n = 1 + next(&state) % 8; n-- > 0;) {
		uint8_t *p = begin + next(&state) % len * TS_PACKET;

		if (next(&state) % 8)
			change_packet(p, &state);
		else
			memmove(p, begin + next(&state) % len * TS_PACKET,
				TS_PACKET);
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hourcache_config config = {
		.prefix = "",
		.validation = HOUR_VALIDATION_LISTING,
		.max_hours = 4,
		.max_heap = 1 << 20,
	};
	char names[MAX_SEGMENTS][64];
	struct hourcache *cache;
	struct quality *quality;
	struct errmsg e;
	struct arena a;
	unsigned nr;

	if (size < HEAD)
		return 0;
	set_up();
	arena_init(&a);
	nr = put_segments(data + HEAD, size - HEAD, names);
	cache = hourcache_new(&config);
	MUST(!archive_quality(&work.archive, &a, "main", "source", &quality,
			      &e));
	try_cut(&a, hourcache_reader(cache, quality, &a), data, nr);
	for (unsigned i = 0; i < nr; i++)
		if (*names[i])
			MUST(!unlinkat(work.hour_fd, names[i], 0));
	arena_release(&a);
	hourcache_free(&cache);
	return 0;
}
