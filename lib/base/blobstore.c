#include "config.h"

#include "base/blobstore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"

#define NAME_SIZE 64

/*
 * It is swept, on the average, once a part of max_bytes was put: listing it
 * takes as long as there are files.
 */
#define SWEEP_PARTS 32

#define TMP_AGE_NS (INT64_C(3600) * 1000000000)

/* On disk: the header, then the bytes. */
struct header {
	uint64_t magic;
	uint64_t checksum; /* XXH3 of all that follows */
	uint64_t key[2];
};

void blobstore_open(struct blobstore *store, const struct blobkind *kind,
		    const char *cache_dir, uint64_t max_bytes)
{
	*store = (struct blobstore){ .kind = kind,
				     .fd = -1,
				     .max_bytes = max_bytes };
	if (!cache_dir || !max_bytes)
		return;
	store->fd = fs_open_private_dir(cache_dir, kind->dir);
	if (store->fd < 0)
		log_warning("%ss are not kept: cannot use '%s/%s': %s",
			    kind->what, cache_dir, kind->dir,
			    errno ? strerror(errno) :
				    "it is writable by others or not ours");
}

void blobstore_close(struct blobstore *store)
{
	fs_close(&store->fd);
}

void blobstore_follow(struct blobstore *store, const char *cache_dir)
{
	const struct blobstore old = *store;
	struct stat st;

	if (store->fd < 0 || fstat(store->fd, &st) < 0 || st.st_nlink)
		return;
	blobstore_close(store);
	blobstore_open(store, old.kind, cache_dir, old.max_bytes);
}

static void name_of(const struct blobstore *store, const struct blobkey *key,
		    char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%016" PRIx64 "%016" PRIx64 "%s",
		 key->hash[0], key->hash[1], store->kind->suffix);
}

/* Reading */

static void *read_whole(int fd, struct arena *a, size_t *size_r)
{
	struct stat st;
	uint8_t *data;
	size_t size;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > BLOBSTORE_MAX_BYTES)
		return NULL;
	size = (size_t)st.st_size;
	data = arena_alloc(a, size + 1);
	if (fs_read_at(fd, data, size, 0) != (ssize_t)size)
		return NULL;
	*size_r = size;
	return data;
}

static bool check(const struct blobstore *store, const void *data, size_t size,
		  const struct blobkey *key)
{
	const struct header *head = data;
	const size_t unchecked = offsetof(struct header, key);

	return size >= sizeof(*head) && head->magic == store->kind->magic &&
	       head->key[0] == key->hash[0] && head->key[1] == key->hash[1] &&
	       XXH3_64bits((const char *)data + unchecked, size - unchecked) ==
		       head->checksum;
}

bool blobstore_get(const struct blobstore *store, const struct blobkey *key,
		   struct arena *a, const void **data_r, size_t *size_r)
{
	char name[NAME_SIZE];
	bool is_good = false;
	size_t size = 0;
	void *data;
	int fd;

	if (store->fd < 0)
		return false;
	name_of(store, key, name);
	fd = openat(store->fd, name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	data = read_whole(fd, a, &size);
	is_good = data && check(store, data, size, key);
	if (is_good) {
		futimens(fd, NULL); /* used just now, for the sweep */
		*data_r = (const struct header *)data + 1;
		*size_r = size - sizeof(struct header);
	} else {
		blobstore_discard(store, key);
	}
	close(fd);
	return is_good;
}

void blobstore_discard(const struct blobstore *store, const struct blobkey *key)
{
	char name[NAME_SIZE];

	name_of(store, key, name);
	log_warning("removing a bad %s from the cache: '%s'", store->kind->what,
		    name);
	if (unlinkat(store->fd, name, 0) < 0 && errno == EISDIR)
		unlinkat(store->fd, name, AT_REMOVEDIR);
}

/* Sweeping */

struct found {
	const char *name;
	uint64_t bytes;
	int64_t used_ns;
};

static int by_use(const void *a, const void *b)
{
	int64_t x = ((const struct found *)a)->used_ns;
	int64_t y = ((const struct found *)b)->used_ns;

	return (x > y) - (x < y);
}

/* Lists what there is; left-over private files are removed by age. */
static size_t find_files(const struct blobstore *store,
			 const struct fs_list *list, struct found *files,
			 uint64_t *total_r)
{
	int64_t old_ns = utime_now() * 1000 - TMP_AGE_NS;
	size_t nr = 0;

	*total_r = 0;
	for (size_t i = 0; i < list->nr; i++) {
		const char *name = list->entries[i].name;
		struct fs_stamp stamp;
		struct stat st;

		if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		fs_stamp_of(&st, &stamp);
		if (name[0] == '.') {
			if (stamp.mtime_ns < old_ns)
				unlinkat(store->fd, name, 0);
			continue;
		}
		files[nr++] = (struct found){ name, (uint64_t)st.st_size,
					      stamp.mtime_ns };
		*total_r += (uint64_t)st.st_size;
	}
	return nr;
}

static void sweep(const struct blobstore *store)
{
	struct fs_list list = { 0 };
	struct found *files;
	struct errmsg e;
	uint64_t total;
	size_t nr;
	int fd = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fs_list_read(fd, &list, &e)) {
		fs_close(&fd);
		return;
	}
	files = mem_alloc((list.nr + 1) * sizeof(*files));
	nr = find_files(store, &list, files, &total);
	qsort(files, nr, sizeof(*files), by_use);
	for (size_t i = 0; i < nr && total > store->max_bytes; i++)
		if (unlinkat(store->fd, files[i].name, 0) == 0)
			total -= files[i].bytes;
	log_debug("swept the %ss: %zu files were there, %llu MB are left",
		  store->kind->what, nr, (unsigned long long)(total >> 20));
	free(files);
	fs_list_release(&list);
	close(fd);
}

/* Writing */

static uint64_t checksum_of(const struct header *head, const struct iovec *iov,
			    int nr_iov)
{
	XXH3_state_t *hash = XXH3_createState();
	uint64_t sum = 0;

	if (!hash)
		return 0; /* such a file is not believed */
	XXH3_64bits_reset(hash);
	XXH3_64bits_update(hash, head->key, sizeof(head->key));
	for (int i = 0; i < nr_iov; i++)
		XXH3_64bits_update(hash, iov[i].iov_base, iov[i].iov_len);
	sum = XXH3_64bits_digest(hash);
	XXH3_freeState(hash);
	return sum;
}

void blobstore_put(const struct blobstore *store, const struct blobkey *key,
		   const struct iovec *iov, int nr_iov)
{
	struct header head = { .magic = store->kind->magic,
			       .key = { key->hash[0], key->hash[1] } };
	struct iovec all[BLOBSTORE_MAX_IOV + 1] = { { &head, sizeof(head) } };
	uint64_t total = sizeof(head);
	char name[NAME_SIZE];
	struct errmsg e;

	if (nr_iov > BLOBSTORE_MAX_IOV)
		BUG("%d pieces are too many", nr_iov);
	for (int i = 0; i < nr_iov; i++) {
		all[i + 1] = iov[i];
		total += iov[i].iov_len;
	}
	if (store->fd < 0 || total > BLOBSTORE_MAX_BYTES)
		return;
	head.checksum = checksum_of(&head, iov, nr_iov);
	name_of(store, key, name);
	if (fs_replace_file(store->fd, name, all, nr_iov + 1, &e))
		log_warning("cannot keep %ss: %s", store->kind->what, e.text);
	else if (head.checksum % (store->max_bytes / SWEEP_PARTS + 1) < total)
		sweep(store);
}
