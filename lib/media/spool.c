#include "config.h"

#include "media/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/mem.h"

struct spool {
	const char *dir;
	uint8_t *data;
	size_t capacity;
	uint64_t size;
	int fd; /* or -1: all is in memory */
};

static void free_spool(void *ptr)
{
	struct spool *spool = ptr;

	free(spool->data);
	fs_close(&spool->fd);
}

struct spool *spool_new(struct arena *a, const char *dir)
{
	struct spool *spool = ARENA_NEW(a, struct spool);
	const char *tmp = getenv("TMPDIR");

	spool->fd = -1;
	spool->dir = dir ? dir : tmp && *tmp ? tmp : "/tmp";
	arena_defer(a, free_spool, spool);
	return spool;
}

uint64_t spool_size(const struct spool *spool)
{
	return spool->size;
}

static enum err write_all(int fd, const uint8_t *data, size_t len,
			  struct errmsg *e)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_IO,
				       "cannot keep what was made: %s",
				       strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

/* From memory to a file: what there is moves. */
static enum err open_file(struct spool *spool, struct errmsg *e)
{
	enum err err;

	spool->fd = open(spool->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->fd < 0)
		return err_set(e, ERR_IO, "cannot keep what was made: %s",
			       strerror(errno));
	err = write_all(spool->fd, spool->data, (size_t)spool->size, e);
	free(spool->data);
	spool->data = NULL;
	return err;
}

enum err spool_append(struct spool *spool, const void *data, size_t len,
		      struct errmsg *e)
{
	enum err err = ERR_OK;

	if (len > SPOOL_MAX - spool->size)
		return err_set(e, ERR_LIMIT,
			       "over %llu GB would have to be made before it "
			       "is sent; try stream=true",
			       (unsigned long long)(SPOOL_MAX >> 30));
	if (spool->fd < 0 && spool->size + len > SPOOL_MEMORY)
		err = open_file(spool, e);
	if (err)
		return err;
	if (spool->fd >= 0) {
		err = write_all(spool->fd, data, len, e);
	} else {
		if (spool->size + len > spool->capacity) {
			spool->capacity = (size_t)(spool->size + len) * 2;
			spool->data = mem_resize(spool->data, spool->capacity);
		}
		memcpy(spool->data + spool->size, data, len);
	}
	spool->size += len;
	return err;
}

enum err spool_read(const struct spool *spool, uint64_t offset, void *data,
		    size_t len, struct errmsg *e)
{
	uint8_t *to = data;

	if (spool->fd < 0) {
		memcpy(to, spool->data + offset, len);
		return ERR_OK;
	}
	while (len) {
		ssize_t n = pread(spool->fd, to, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_IO,
				       "cannot read what was made: %s",
				       strerror(n ? errno : EIO));
		to += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return ERR_OK;
}
