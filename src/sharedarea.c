#include "config.h"

#include "sharedarea.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/utime.h"
#include "route.h"

#define MAGIC	   UINT64_C(0x61657261746f6e65)
#define PAGE	   ((size_t)4096)
#define SUFFIX	   ".area"
#define LOCK_TRIES 500
#define NAME_SIZE  (16 + sizeof(SUFFIX))

struct header {
	uint64_t magic; /* the last to be written */
	uint64_t size;
	uint64_t key;
	uint64_t board_offset;
};

struct layout {
	uint64_t key;
	size_t board_offset;
	size_t size;
};

static size_t whole_pages(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return XXH3_64bits_withSeed(text, strlen(text) + 1, hash);
}

/* A small file or link of the kernel; what cannot be read is "". */
static uint64_t hash_boot(uint64_t hash)
{
	char text[128];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	fs_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	hash = hash_text(hash, text);
	n = readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return hash_text(hash, text);
}

static bool hash_route(const struct route *route, void *ctx)
{
	uint64_t *hash = ctx;

	*hash = hash_text(*hash, route->name);
	return true;
}

static uint64_t make_key(const struct sharedarea_config *c)
{
	const uint32_t sizes[] = { c->nr_workers,
				   c->nr_heavy,
				   c->nr_edges,
				   c->nr_full,
				   sizeof(struct scoreboard),
				   sizeof(struct slot_info),
				   sizeof(struct header) };
	uint64_t hash =
		XXH3_64bits_withSeed(sizes, sizeof(sizes), metrics_layout());
	char *base = realpath(c->base, NULL);

	hash = hash_text(hash, PACKAGE_STRING);
	hash = hash_text(hash, base ? base : c->base);
	free(base);
	route_each(hash_route, &hash);
	return hash_boot(hash);
}

static struct layout lay_out(const struct sharedarea_config *c)
{
	struct layout l = { .board_offset =
				    PAGE + whole_pages(metrics_size()) };

	l.size = l.board_offset +
		 whole_pages(scoreboard_size(c->nr_workers, c->nr_heavy));
	if (c->cache_dir)
		l.key = make_key(c);
	return l;
}

static void use(struct sharedarea *area, void *memory, const struct layout *l)
{
	area->metrics = (void *)((char *)memory + PAGE);
	area->board = (void *)((char *)memory + l->board_offset);
}

static void begin(struct sharedarea *area, const struct sharedarea_config *c)
{
	struct scoreboard *board = area->board;

	area->is_new = true;
	scoreboard_init(board, c->nr_workers, c->nr_heavy);
	board->edges.nr = c->nr_edges;
	board->full.nr = c->nr_full;
	board->started_us = utime_now();
}

static void *map(int fd, const struct layout *l)
{
	int flags = fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *memory =
		mmap(NULL, l->size, PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Whether it is a file of ours that we may share, of the right size. */
static bool is_sound(int fd, const struct layout *l)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() && !(st.st_mode & 077) &&
	       st.st_nlink == 1 && st.st_size == (off_t)l->size;
}

static bool is_ours(const struct header *h, const struct sharedarea *area,
		    const struct sharedarea_config *c, const struct layout *l)
{
	const struct scoreboard *board = area->board;
	int level = board->log.level;

	return h->magic == MAGIC && h->size == l->size && h->key == l->key &&
	       h->board_offset == l->board_offset &&
	       board->nr_workers == c->nr_workers &&
	       board->nr_heavy == c->nr_heavy &&
	       board->edges.nr == c->nr_edges && board->full.nr == c->nr_full &&
	       level >= 0 && level < LOG_LEVEL_COUNT &&
	       metrics_are_sound(area->metrics);
}

static bool join(struct sharedarea *area, int dir_fd, const char *name,
		 const struct sharedarea_config *c, const struct layout *l)
{
	void *memory = NULL;

	area->fd = openat(dir_fd, name,
			  O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (area->fd >= 0 && is_sound(area->fd, l))
		memory = map(area->fd, l);
	if (memory) {
		use(area, memory, l);
		if (is_ours(memory, area, c, l) &&
		    flock(area->fd, LOCK_SH | LOCK_NB) == 0)
			return true;
		munmap(memory, l->size);
	}
	fs_close(&area->fd);
	return false;
}

/* In the place of what is there; errno says why not. */
static bool make(struct sharedarea *area, int dir_fd, const char *name,
		 const struct sharedarea_config *c, const struct layout *l)
{
	static const char fresh[] = "new";
	struct header *h = NULL;
	int error;

	/* Left by a crash: who makes one has the lock. */
	if (unlinkat(dir_fd, fresh, 0) < 0 && errno != ENOENT)
		return false;
	area->fd = openat(dir_fd, fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			  0600);
	if (area->fd < 0)
		return false;
	error = posix_fallocate(area->fd, 0, (off_t)l->size);
	if (!error && flock(area->fd, LOCK_SH | LOCK_NB) == 0)
		h = map(area->fd, l);
	if (!h) {
		errno = error ? error : errno;
		(void)unlinkat(dir_fd, fresh, 0);
		fs_close(&area->fd);
		return false;
	}
	use(area, h, l);
	begin(area, c);
	h->size = l->size;
	h->key = l->key;
	h->board_offset = l->board_offset;
	h->magic = MAGIC;
	/* Only now, when there is another, may the one there go. */
	if (renameat(dir_fd, fresh, dir_fd, name) == 0)
		return true;
	munmap(h, l->size);
	fs_close(&area->fd);
	return false;
}

static bool is_abandoned(int fd)
{
	time_t before = time(NULL) - SHAREDAREA_KEEP_DAYS * 86400;
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_mtime < before &&
	       st.st_atime < before && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Of other versions, boots and archives. */
static void remove_abandoned(int dir_fd)
{
	struct fs_list list = { 0 };
	struct errmsg e;

	if (fs_list_read(dir_fd, &list, &e) != ERR_OK)
		list.nr = 0;
	for (size_t i = 0; i < list.nr; i++) {
		const struct fs_entry *entry = &list.entries[i];
		int fd;

		if (entry->len != NAME_SIZE - 1 ||
		    strcmp(entry->name + 16, SUFFIX) != 0)
			continue;
		fd = openat(dir_fd, entry->name,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd >= 0 && is_abandoned(fd))
			(void)unlinkat(dir_fd, entry->name, 0);
		fs_close(&fd);
	}
	fs_list_release(&list);
}

/*
 * One process at a time looks for the file and makes it.  Not the directory is
 * locked: NFS wants a file open for writing.
 */
static int take_lock(int dir_fd)
{
	const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
	int fd = openat(dir_fd, "lock",
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0600);

	for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		nanosleep(&moment, NULL);
	}
	fs_close(&fd);
	return -1;
}

static bool open_file(struct sharedarea *area,
		      const struct sharedarea_config *c, const struct layout *l)
{
	int dir_fd = fs_open_private_dir(c->cache_dir, "shared");
	int lock_fd = dir_fd < 0 ? -1 : take_lock(dir_fd);
	char name[NAME_SIZE];
	bool is_open = false;
	int error;

	snprintf(name, sizeof(name), "%016llx" SUFFIX,
		 (unsigned long long)l->key);
	if (lock_fd >= 0) {
		is_open = join(area, dir_fd, name, c, l);
		if (!is_open) {
			remove_abandoned(dir_fd);
			is_open = make(area, dir_fd, name, c, l);
		}
	}
	error = errno;
	fs_close(&lock_fd);
	fs_close(&dir_fd);
	errno = error;
	return is_open;
}

enum err sharedarea_open(struct sharedarea *area,
			 const struct sharedarea_config *config,
			 struct errmsg *e)
{
	struct layout l = lay_out(config);
	void *memory;

	*area = (struct sharedarea){ .fd = -1 };
	errno = 0;
	if (config->cache_dir && open_file(area, config, &l))
		return ERR_OK;
	if (config->cache_dir)
		log_warning("no memory to share below '%s' (%s): this process "
			    "counts for itself",
			    config->cache_dir,
			    errno ? strerror(errno) : "it is not ours alone");
	memory = map(-1, &l);
	if (!memory)
		return err_set(e, ERR_IO, "cannot share memory: %s",
			       strerror(errno));
	use(area, memory, &l);
	begin(area, config);
	return ERR_OK;
}

bool sharedarea_is_gone(const struct sharedarea *area)
{
	struct stat st;

	return area->fd >= 0 && (fstat(area->fd, &st) < 0 || !st.st_nlink);
}

void sharedarea_close(struct sharedarea *area)
{
	/* The memory stays: the log still counts in it. */
	fs_close(&area->fd);
}
