#include "config.h"

#include "media/spool.h"

#include <stdlib.h>
#include <string.h>

#include "base/fsutil.h"
#include "base/mem.h"
#include "base/newfile.h"
#include "base/sink.h"

struct spool {
	const char *dir;
	uint8_t *data;
	size_t capacity;
	uint64_t size;
	struct fd_sink file; /* its fd is -1: all is in memory */
};

static void free_spool(void *ptr)
{
	struct spool *spool = ptr;

	free(spool->data);
	fs_close(&spool->file.fd);
}

struct spool *spool_new(struct arena *a, const char *dir)
{
	struct spool *spool = ARENA_NEW(a, struct spool);

	spool->dir = dir;
	fd_sink_init(&spool->file, -1);
	arena_defer(a, free_spool, spool);
	return spool;
}

uint64_t spool_size(const struct spool *spool)
{
	return spool->size;
}

/* From memory to a file: what there is moves. */
static enum err open_file(struct spool *spool, struct errmsg *e)
{
	int fd;
	enum err err = newfile_nameless(spool->dir, &fd, e);

	if (err)
		return err;
	fd_sink_init(&spool->file, fd);
	err = sink_write(&spool->file.sink, spool->data, (size_t)spool->size,
			 e);
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
	if (spool->file.fd < 0 && spool->size + len > SPOOL_MEMORY)
		err = open_file(spool, e);
	if (!err && spool->file.fd >= 0) {
		err = sink_write(&spool->file.sink, data, len, e);
	} else if (!err) {
		if (spool->size + len > spool->capacity) {
			spool->capacity = (size_t)(spool->size + len) * 2;
			spool->data = mem_resize(spool->data, spool->capacity);
		}
		memcpy(spool->data + spool->size, data, len);
	}
	if (!err)
		spool->size += len;
	return err;
}

enum err spool_read(const struct spool *spool, uint64_t offset, void *data,
		    size_t len, struct errmsg *e)
{
	if (spool->file.fd < 0) {
		memcpy(data, spool->data + offset, len);
		return ERR_OK;
	}
	if (fs_read_at(spool->file.fd, data, len, offset) != (ssize_t)len)
		return err_set(e, ERR_IO, "cannot read what was made");
	return ERR_OK;
}
