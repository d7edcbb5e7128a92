/*
 * stress_freshness.c - many changes, many lookups, not one stale answer.
 *
 *	stress_freshness DIR CACHE N
 *
 * Makes hours below DIR and indexes below CACHE (both must be new or empty),
 * lets the hours settle, looks at each until it is answered from memory, and
 * then changes each once, at least N times in all.  After every change two
 * caches over the same files, as of two processes, are asked and compared with
 * a listing made without them.  Some hours are changed again at once, and
 * some are looked at without a change.  Fails if any answer was stale, or if
 * the hours were not answered from memory before, for then nothing was tried.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "archive/archive.h"
#include "archive/hourcache.h"
#include "fresh.h"

#define NR_HOURS 2000
#define FIRST_HOUR ((usec_t)1794009600 * USEC_PER_SEC)
#define NR_FILES 6

struct stress {
	struct archive archive;
	struct hourcache *caches[2];
	int quality_fd;
	uint64_t seed;
	uint64_t nr_changes;
	uint64_t nr_lookups;
	uint64_t nr_stale;
	uint64_t nr_unprimed;
};

static void die(const char *what)
{
	fprintf(stderr, "stress_freshness: %s: %s\n", what, strerror(errno));
	exit(99);
}

static usec_t hour_of(unsigned i)
{
	return FIRST_HOUR + i * USEC_PER_HOUR;
}

static int open_hour(const struct stress *s, unsigned i)
{
	char hour[UTIME_HOUR_SIZE];
	int fd = openat(s->quality_fd, utime_format_hour(hour_of(i), hour),
			O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die(hour);
	return fd;
}

static void make_hours(struct stress *s, const char *dir)
{
	struct errmsg e;

	if (archive_open(&s->archive, dir, &e))
		die(dir);
	if (fs_make_dirs(s->archive.base_fd, "main/source", &e))
		die("main/source");
	s->quality_fd = openat(s->archive.base_fd, "main/source",
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < NR_HOURS; i++) {
		char hour[UTIME_HOUR_SIZE];
		int fd;

		utime_format_hour(hour_of(i), hour);
		if (mkdirat(s->quality_fd, hour, 0700) < 0)
			die(hour);
		fd = open_hour(s, i);
		for (int k = 0; k < NR_FILES; k++) {
			char name[64];

			fresh_name(&s->seed, ".ts", name);
			if (!fresh_put(fd, name))
				die(name);
		}
		close(fd);
	}
}

/* One request to one of the caches. */
static void look_for(struct stress *s, unsigned cache, unsigned i,
		     enum hour_want want)
{
	struct quality *quality;
	struct hourreader *reader;
	struct hourindex *index;
	struct hourindex *fresh;
	struct arena arena;
	struct errmsg e;

	arena_init(&arena);
	if (archive_quality(&s->archive, &arena, "main", "source", &quality,
			    &e))
		die(e.text);
	reader = hourcache_reader(s->caches[cache], quality, &arena);
	if (hourcache_get(reader, hour_of(i), want, &index, &e))
		die(e.text);
	fresh = fresh_index(s->quality_fd, reader->url, hour_of(i),
			    want & HOUR_WANT_SIZES);
	s->nr_lookups++;
	if (!fresh_equal(index, fresh)) {
		s->nr_stale++;
		printf("# stale: hour %u, change %" PRIu64 "\n", i,
		       s->nr_changes);
	}
	hourindex_drop(&fresh);
	hourcache_flush(s->caches[cache]);
	arena_release(&arena);
}

static void look(struct stress *s, unsigned cache, unsigned i)
{
	look_for(s, cache, i,
		 fresh_random(&s->seed) % 8 ? HOUR_WANT_NAMES :
					      HOUR_WANT_SIZES);
}

/* Until both caches have every hour at hand and settled. */
static void prime(struct stress *s)
{
	for (unsigned i = 0; i < NR_HOURS; i++) {
		for (unsigned cache = 0; cache < 2; cache++) {
			const struct hourcache_stats *stats =
				hourcache_stats(s->caches[cache]);
			uint64_t before = 0;

			/* Listed and stored, mapped, at hand. */
			for (int k = 0; k < 3; k++) {
				before = stats->hits;
				look_for(s, cache, i, HOUR_WANT_NAMES);
			}
			s->nr_unprimed += stats->hits == before;
		}
	}
}

static void change_all(struct stress *s, uint64_t until)
{
	for (unsigned i = 0; i < NR_HOURS && s->nr_changes < until; i++) {
		unsigned hour = (unsigned)(fresh_random(&s->seed) % NR_HOURS);
		unsigned first = (unsigned)(fresh_random(&s->seed) % 2);
		int fd = open_hour(s, i);
		uint64_t again = fresh_random(&s->seed) % 8;

		do {
			if (!fresh_change(fd, &s->seed))
				die("cannot change an hour");
			s->nr_changes++;
			look(s, first, i);
			if (again > 3)
				look(s, 1 - first, i);
		} while (again-- > 6);
		look(s, 1 - first, i);
		look(s, first, hour);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct stress s = { .seed = 1 };
	struct hourcache_config config = {
		.prefix = "",
		.max_hours = 2 * NR_HOURS,
		.max_heap = (size_t)256 << 20,
	};
	uint64_t nr;

	if (argc != 4) {
		fprintf(stderr, "usage: stress_freshness DIR CACHE N\n");
		return 2;
	}
	nr = strtoull(argv[3], NULL, 10);
	config.cache_dir = argv[2];
	make_hours(&s, argv[1]);
	for (int i = 0; i < 2; i++)
		s.caches[i] = hourcache_new(&config);
	while (s.nr_changes < nr) {
		usleep(2100000);
		prime(&s);
		change_all(&s, nr);
	}
	for (int i = 0; i < 2; i++) {
		const struct hourcache_stats *stats =
			hourcache_stats(s.caches[i]);

		printf("# hits %" PRIu64 ", mapped %" PRIu64
		       ", relisted %" PRIu64 ", built %" PRIu64
		       ", stored %" PRIu64 ", discarded %" PRIu64 "\n",
		       stats->hits, stats->mapped, stats->relisted,
		       stats->built, stats->stored, stats->discarded);
		hourcache_free(&s.caches[i]);
	}
	archive_close(&s.archive);
	close(s.quality_fd);
	if (s.nr_unprimed)
		printf("# %" PRIu64 " hours were not at hand before a change\n",
		       s.nr_unprimed);
	printf("%" PRIu64 " changes, %" PRIu64 " lookups, %" PRIu64 " stale\n",
	       s.nr_changes, s.nr_lookups, s.nr_stale);
	return s.nr_stale || s.nr_unprimed;
}
