#include "config.h"

#include "archive/hoursweep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/hourstore.h"
#include "base/log.h"
#include "base/mem.h"

struct found {
	char *path; /* "CHANNEL/QUALITY/HOUR.idx", below the store */
	uint64_t bytes;
	int64_t used_ns;
	bool is_tmp;
	bool is_old; /* of a private file: nobody writes it any more */
};

struct walk {
	int store_fd;
	struct found *files;
	size_t nr;
	size_t capacity;
};

static void add_file(struct walk *w, const char *dir, const char *name,
		     const struct stat *st)
{
	struct fs_stamp stamp;
	struct found *file;
	int64_t atime_ns =
		st->st_atim.tv_sec * INT64_C(1000000000) + st->st_atim.tv_nsec;
	size_t len = strlen(dir) + strlen(name) + 2;

	if (w->nr == w->capacity) {
		w->capacity = w->capacity ? w->capacity * 2 : 256;
		w->files =
			mem_resize(w->files, w->capacity * sizeof(*w->files));
	}
	fs_stamp_of(st, &stamp);
	file = &w->files[w->nr++];
	*file = (struct found){
		.path = mem_alloc(len),
		.bytes = (uint64_t)st->st_size,
		.used_ns =
			atime_ns > stamp.mtime_ns ? atime_ns : stamp.mtime_ns,
		.is_tmp = name[0] == '.',
		.is_old = stamp.mtime_ns / 1000 + HOURSWEEP_TMP_AGE_US <
			  utime_now(),
	};
	snprintf(file->path, len, "%s/%s", dir, name);
}

/* Lists the directory at path below the store; depth 0 holds files. */
static void walk(struct walk *w, const char *path, int depth)
{
	struct fs_list list = { 0 };
	struct errmsg e;
	int fd = fs_open_beneath(w->store_fd, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || fs_list_read(fd, &list, &e))
		list.nr = 0;
	for (size_t i = 0; i < list.nr; i++) {
		char below[PATH_MAX];
		struct stat st;

		if (fstatat(fd, list.entries[i].name, &st,
			    AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (depth && S_ISDIR(st.st_mode)) {
			snprintf(below, sizeof(below), "%s/%s", path,
				 list.entries[i].name);
			walk(w, below, depth - 1);
		} else if (S_ISREG(st.st_mode)) {
			add_file(w, path, list.entries[i].name, &st);
		}
	}
	fs_list_release(&list);
	fs_close(&fd);
}

static void release(struct walk *w)
{
	for (size_t i = 0; i < w->nr; i++)
		free(w->files[i].path);
	free(w->files);
	fs_close(&w->store_fd);
}

static bool begin(struct walk *w, const char *cache_dir)
{
	char path[PATH_MAX];

	*w = (struct walk){ 0 };
	snprintf(path, sizeof(path), "%s/%s", cache_dir, HOURSTORE_VERSION_DIR);
	w->store_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->store_fd < 0)
		return false;
	walk(w, ".", 2);
	return true;
}

static bool is_index_name(const char *path)
{
	return segment_has_suffix(path, strlen(path), HOURSTORE_SUFFIX);
}

/* Whether the archive still has the hour that an index is of. */
static bool has_hour(int base_fd, const struct found *file)
{
	char path[PATH_MAX];
	struct fs_stamp stamp;

	snprintf(path, sizeof(path), "%.*s",
		 (int)(strlen(file->path) - strlen(HOURSTORE_SUFFIX)),
		 file->path);
	return fs_stamp_at(base_fd, path, &stamp) || errno != ENOENT;
}

static bool remove_file(struct walk *w, struct found *file)
{
	if (unlinkat(w->store_fd, file->path, 0) < 0) {
		if (errno != ENOENT)
			log_warning("cannot remove '%s' from the cache: %s",
				    file->path, strerror(errno));
		return false;
	}
	file->bytes = 0;
	return true;
}

static int by_use(const void *a, const void *b)
{
	int64_t x = ((const struct found *)a)->used_ns;
	int64_t y = ((const struct found *)b)->used_ns;

	return (x > y) - (x < y);
}

void hoursweep_run(const char *cache_dir, const char *base, uint64_t max_bytes)
{
	int base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t total = 0;
	uint64_t nr_removed = 0;
	struct walk w;

	if (base_fd < 0) {
		log_warning("cannot sweep the cache: cannot open '%s': %s",
			    base, strerror(errno));
		return;
	}
	if (!begin(&w, cache_dir)) {
		fs_close(&base_fd);
		return;
	}
	for (size_t i = 0; i < w.nr; i++) {
		struct found *file = &w.files[i];

		if (file->is_tmp	      ? file->is_old :
		    is_index_name(file->path) ? !has_hour(base_fd, file) :
						false)
			nr_removed += remove_file(&w, file);
		total += file->bytes;
	}
	if (w.nr)
		qsort(w.files, w.nr, sizeof(*w.files), by_use);
	for (size_t i = 0; i < w.nr && total > max_bytes; i++) {
		uint64_t bytes = w.files[i].bytes;

		if (w.files[i].is_tmp || !bytes)
			continue;
		if (remove_file(&w, &w.files[i])) {
			total -= bytes;
			nr_removed++;
		}
	}
	if (nr_removed)
		log_info("swept %llu files from the cache; %llu MB are left",
			 (unsigned long long)nr_removed,
			 (unsigned long long)(total >> 20));
	release(&w);
	fs_close(&base_fd);
}

/* The hour that a file of the store is of. */
static bool hour_of(const char *path, usec_t *hour_us_r)
{
	char hour[UTIME_HOUR_SIZE];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strlen(name) != UTIME_HOUR_LEN + strlen(HOURSTORE_SUFFIX))
		return false;
	memcpy(hour, name, UTIME_HOUR_LEN);
	hour[UTIME_HOUR_LEN] = '\0';
	return utime_parse_hour(hour, hour_us_r);
}

/* Looks into an index file; false if it is not a good one. */
static bool look_into(const struct walk *w, const struct found *file,
		      struct hoursweep_stats *stats)
{
	struct hourindex *index;
	usec_t hour_us;

	if (!hour_of(file->path, &hour_us) ||
	    hourindex_map(w->store_fd, file->path, hour_us, 0, &index) !=
		    HOUR_GOOD)
		return false;
	stats->nr_segments += index->head->nr_entries;
	hourindex_drop(&index);
	return true;
}

enum err hoursweep_task(const char *cache_dir, enum hoursweep_task task,
			struct hoursweep_stats *stats_r, struct errmsg *e)
{
	struct hoursweep_stats stats = { 0 };
	struct walk w;

	if (!begin(&w, cache_dir))
		return err_set(e, ERR_NOTFOUND, "no indexes below '%s': %s",
			       cache_dir, strerror(errno));
	for (size_t i = 0; i < w.nr; i++) {
		struct found *file = &w.files[i];
		bool is_bad = false;

		stats.nr_files++;
		stats.bytes += file->bytes;
		stats.nr_tmp += file->is_tmp;
		if (!file->is_tmp)
			is_bad = !look_into(&w, file, &stats);
		stats.nr_bad += is_bad;
		if (task == HOURSWEEP_CLEAR ||
		    (task == HOURSWEEP_VERIFY &&
		     (is_bad || (file->is_tmp && file->is_old))))
			stats.nr_removed += remove_file(&w, file);
	}
	release(&w);
	*stats_r = stats;
	return ERR_OK;
}
