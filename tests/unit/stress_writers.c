/*
 * stress_writers.c - index writers that die at any moment, readers that must
 * never see half of anything.
 *
 *	stress_writers DIR CACHE SECONDS
 *
 * Makes hours below DIR (which must be new or empty) that stay as they are.
 * Writers build and store their indexes over and over, deleting the files of
 * some first, and are killed with SIGKILL at random.  Readers, each with a new
 * cache for every round, compare every answer with a listing made without a
 * cache, byte for byte where it was mapped.  Fails if any answer was wrong, or
 * any reader died of a signal, or any file was found corrupt: there is no
 * moment at which one may be.  Private files of the killed stay behind.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "archive/archive.h"
#include "archive/hourcache.h"
#include "fresh.h"

#define NR_HOURS   40
#define NR_FILES   1800
#define NR_WRITERS 3
#define NR_READERS 3
#define FIRST_HOUR ((usec_t)1794009600 * USEC_PER_SEC)

/* Shared by all processes; only ever added to. */
struct counters {
	uint64_t reads;
	uint64_t mapped;
	uint64_t stored;
	uint64_t wrong;
	uint64_t corrupt;
};

struct stress {
	struct archive archive;
	struct hourcache_config config;
	struct counters *counters;
	usec_t until_us;
};

static void die(const char *what)
{
	fprintf(stderr, "stress_writers: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void add(uint64_t *counter, uint64_t n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static usec_t hour_of(unsigned i)
{
	return FIRST_HOUR + i * USEC_PER_HOUR;
}

static void make_hours(struct stress *s, const char *dir)
{
	struct errmsg e;
	char path[128];
	char hour[UTIME_HOUR_SIZE];

	if (archive_open(&s->archive, dir, &e))
		die(dir);
	for (unsigned i = 0; i < NR_HOURS; i++) {
		int fd;

		snprintf(path, sizeof(path), "main/source/%s",
			 utime_format_hour(hour_of(i), hour));
		if (fs_make_dirs(s->archive.base_fd, path, &e))
			die(path);
		fd = openat(s->archive.base_fd, path,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (unsigned k = 0; k < NR_FILES; k++) {
			char name[128];
			int file;

			snprintf(name, sizeof(name),
				 "%02u:%02u-2.002-full-%u.ts", k * 2 / 60,
				 k * 2 % 60, i);
			file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC,
				      0600);
			if (file < 0)
				die(name);
			close(file);
		}
		close(fd);
	}
}

static struct hourreader *open_reader(struct stress *s, struct arena *a,
				      struct hourcache *cache)
{
	struct quality *quality;
	struct errmsg e;

	if (archive_quality(&s->archive, a, "main", "source", &quality, &e))
		die(e.text);
	return hourcache_reader(cache, quality, a);
}

/* Stores every hour again and again, until killed. */
static void write_indexes(struct stress *s, uint64_t seed)
{
	int cache_fd = open(s->config.cache_dir,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (;;) {
		unsigned i = (unsigned)(fresh_random(&seed) % NR_HOURS);
		struct hourcache *cache = hourcache_new(&s->config);
		struct hourindex *index;
		struct arena arena;
		struct errmsg e;
		char hour[UTIME_HOUR_SIZE];
		char path[128];

		snprintf(path, sizeof(path), "v1/main/source/%s.idx",
			 utime_format_hour(hour_of(i), hour));
		/* Mostly over the old file, sometimes where there is none. */
		if (fresh_random(&seed) % 4 == 0)
			unlinkat(cache_fd, path, 0);
		arena_init(&arena);
		if (hourcache_get(open_reader(s, &arena, cache), hour_of(i),
				  HOUR_WANT_NAMES, &index, &e))
			die(e.text);
		/* One that was mapped is stored again, with other media. */
		if (index->is_mapped) {
			struct hour_media media = { .codecs = "avc1" };

			media.width = (uint32_t)fresh_random(&seed);
			hourcache_put_media(open_reader(s, &arena, cache),
					    index, &media);
		}
		hourcache_flush(cache);
		add(&s->counters->stored, hourcache_stats(cache)->stored);
		arena_release(&arena);
		hourcache_free(&cache);
	}
}

static void read_indexes(struct stress *s, uint64_t seed)
{
	struct hourindex *fresh[NR_HOURS];
	struct hourcache_config config = s->config;
	struct arena arena;
	struct hourreader *reader;
	struct hourcache *cache = hourcache_new(&config);

	arena_init(&arena);
	reader = open_reader(s, &arena, cache);
	for (unsigned i = 0; i < NR_HOURS; i++)
		fresh[i] = fresh_index(reader->quality->fd, reader->url,
				       hour_of(i), false);
	hourcache_free(&cache);
	arena_release(&arena);
	while (utime_now() < s->until_us) {
		cache = hourcache_new(&config);
		arena_init(&arena);
		reader = open_reader(s, &arena, cache);
		for (unsigned k = 0; k < 64; k++) {
			unsigned i = (unsigned)(fresh_random(&seed) %
						NR_HOURS);
			struct hourindex *index = NULL;
			struct errmsg e;

			if (hourcache_get(reader, hour_of(i), HOUR_WANT_NAMES,
					  &index, &e) ||
			    !fresh_equal(index, fresh[i]))
				add(&s->counters->wrong, 1);
			add(&s->counters->reads, 1);
		}
		add(&s->counters->mapped, hourcache_stats(cache)->mapped);
		add(&s->counters->corrupt,
		    hourcache_stats(cache)->discarded);
		arena_release(&arena);
		hourcache_free(&cache);
	}
	for (unsigned i = 0; i < NR_HOURS; i++)
		hourindex_drop(&fresh[i]);
}

static pid_t start(struct stress *s,
		   void (*work)(struct stress *s, uint64_t seed),
		   uint64_t seed)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		work(s, seed);
		_exit(0);
	}
	return pid;
}

static unsigned count_left(const char *cache_dir)
{
	char path[4096];
	const struct dirent *entry;
	unsigned nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/v1/main/source", cache_dir);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		nr += strlen(entry->d_name) > 4 &&
		      !strcmp(entry->d_name + strlen(entry->d_name) - 4,
			      ".tmp");
	closedir(dir);
	return nr;
}

int main(int argc, char **argv)
{
	struct stress s = {
		.config = {
			.prefix = "",
			.max_hours = 1000,
			.max_heap = (size_t)256 << 20,
		},
	};
	pid_t writers[NR_WRITERS];
	pid_t readers[NR_READERS];
	uint64_t seed = 1;
	uint64_t kills = 0;
	unsigned died = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: stress_writers DIR CACHE SECONDS\n");
		return 2;
	}
	s.config.cache_dir = argv[2];
	s.counters = mmap(NULL, sizeof(*s.counters), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s.counters == MAP_FAILED)
		die("mmap");
	make_hours(&s, argv[1]);
	usleep(2100000);
	s.until_us = utime_now() + strtoll(argv[3], NULL, 10) * USEC_PER_SEC;
	for (int i = 0; i < NR_WRITERS; i++)
		writers[i] = start(&s, write_indexes, fresh_random(&seed));
	for (int i = 0; i < NR_READERS; i++)
		readers[i] = start(&s, read_indexes, fresh_random(&seed));
	while (utime_now() < s.until_us) {
		pid_t *writer = &writers[fresh_random(&seed) % NR_WRITERS];

		usleep((useconds_t)(fresh_random(&seed) % 8000));
		kill(*writer, SIGKILL);
		waitpid(*writer, NULL, 0);
		kills++;
		*writer = start(&s, write_indexes, fresh_random(&seed));
	}
	for (int i = 0; i < NR_WRITERS; i++) {
		kill(writers[i], SIGKILL);
		waitpid(writers[i], NULL, 0);
	}
	for (int i = 0; i < NR_READERS; i++) {
		int status;

		waitpid(readers[i], &status, 0);
		died += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	printf("# stored %" PRIu64 ", reads mapped %" PRIu64
	       ", found corrupt %" PRIu64 ", readers died %u, "
	       "private files left %u\n",
	       s.counters->stored, s.counters->mapped, s.counters->corrupt,
	       died, count_left(argv[2]));
	printf("%" PRIu64 " kills, %" PRIu64 " reads, %" PRIu64 " wrong\n",
	       kills, s.counters->reads, s.counters->wrong);
	archive_close(&s.archive);
	return s.counters->wrong || s.counters->corrupt || died ||
	       !s.counters->mapped;
}
