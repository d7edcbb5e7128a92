#include "config.h"

#include "archive/hourstore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/log.h"

#define RETRY_US (60 * USEC_PER_SEC)
#define NEVER	 INT64_MAX

/* The directory below the cache directory, made if need be; or -1. */
static int open_version_dir(const char *cache_dir)
{
	int fd = fs_open_private_dir(cache_dir, HOURSTORE_VERSION_DIR);

	if (fd < 0 && !errno)
		log_warning("running uncached: '%s' is writable by others or "
			    "not ours",
			    cache_dir);
	else if (fd < 0)
		log_warning("running uncached: cannot use '%s': %s", cache_dir,
			    strerror(errno));
	return fd;
}

void hourstore_open(struct hourstore *store, const char *cache_dir)
{
	*store = (struct hourstore){ .fd = open_version_dir(cache_dir) };
}

void hourstore_close(struct hourstore *store)
{
	fs_close(&store->fd);
}

static void put_failed(struct hourstore *store, const char *key,
		       const struct errmsg *e)
{
	bool for_good = errno == EROFS || errno == EACCES || errno == EPERM;

	store->after_us = for_good ? NEVER : utime_now() + RETRY_US;
	log_warning("cannot store the index of '%s' (%s); %s", key, e->text,
		    for_good ? "storing no more" : "storing again in a minute");
}

/* The directory "CHANNEL/QUALITY" of the store, made if need be; or -1. */
static int open_dir(const struct hourstore *store, const char *rel,
		    struct errmsg *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(store->fd, rel, flags);

	if (fd < 0 && errno == ENOENT && !fs_make_dirs(store->fd, rel, e))
		fd = openat(store->fd, rel, flags);
	if (fd < 0) {
		int saved = errno;

		err_set(e, ERR_IO, "cannot open '%s': %s", rel,
			strerror(saved));
		errno = saved;
	}
	return fd;
}

/* Splits "CHANNEL/QUALITY/HOUR" and appends the suffix to the hour. */
static void split_key(const char *key, char dir[PATH_MAX],
		      char file[UTIME_HOUR_SIZE + sizeof(HOURSTORE_SUFFIX)])
{
	const char *slash = strrchr(key, '/');

	snprintf(dir, PATH_MAX, "%.*s", (int)(slash - key), key);
	snprintf(file, UTIME_HOUR_SIZE + sizeof(HOURSTORE_SUFFIX), "%s%s",
		 slash + 1, HOURSTORE_SUFFIX);
}

bool hourstore_put(struct hourstore *store, const char *key,
		   const struct hourindex *index, bool *failed_r)
{
	struct iovec iov = { .iov_base = (void *)index->head,
			     .iov_len = index->size };
	char file[UTIME_HOUR_SIZE + sizeof(HOURSTORE_SUFFIX)];
	char dir[PATH_MAX];
	struct errmsg e;
	enum err err = ERR_IO;
	int fd;

	*failed_r = false;
	if (store->fd < 0 || utime_now() < store->after_us)
		return false;
	split_key(key, dir, file);
	fd = open_dir(store, dir, &e);
	if (fd >= 0) {
		err = fs_replace_file(fd, file, &iov, 1, &e);
		close(fd);
	}
	if (err)
		put_failed(store, key, &e);
	*failed_r = err != ERR_OK;
	return err == ERR_OK;
}

enum hour_verdict hourstore_map(const struct hourstore *store, const char *key,
				usec_t hour_us, uint64_t url_hash,
				struct hourindex **index_r)
{
	char path[PATH_MAX];
	enum hour_verdict verdict;

	snprintf(path, sizeof(path), "%s%s", key, HOURSTORE_SUFFIX);
	verdict = hourindex_map(store->fd, path, hour_us, url_hash, index_r);
	if (verdict == HOUR_CORRUPT) {
		log_warning("index file '%s' is corrupt; building it again",
			    path);
		unlinkat(store->fd, path, 0);
	}
	return verdict;
}
