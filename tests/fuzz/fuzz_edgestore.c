/*
 * fuzz_edgestore.c - files of the cache that somebody wrote to: what is not
 * exactly what was put is never given, and is gone afterwards; nor are any
 * bytes at all, with a right checksum or not, more than they hold.
 *
 * The input: a byte of mode.  0: the file itself.  1: the same, with a right
 * checksum.  2: places and bytes that are changed in a file that was put.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/log.h"
#include "fuzz.h"
#include "media/edgestore.h"

static struct edgestore store;
static const struct blobkey key = { { 1, 2 } };
static const char name[] = "00000000000000010000000000000002" EDGESTORE_SUFFIX;

/* So that reading is not left out. */
static volatile uint8_t seen;

static char dir[64];

static void clean_up(void)
{
	char path[128];

	unlinkat(store.blobs.fd, name, 0);
	snprintf(path, sizeof(path), "%s/%s", dir, EDGESTORE_DIR);
	rmdir(path);
	rmdir(dir);
}

static void set_up(void)
{
	if (store.blobs.max_bytes)
		return;
	snprintf(dir, sizeof(dir), "%s/fuzz-edge-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	MUST(mkdtemp(dir));
	MUST(log_open("/dev/null"));
	edgestore_open(&store, dir, 1 << 20);
	MUST(store.blobs.fd >= 0);
	atexit(clean_up);
}

static void put_file(const uint8_t *data, size_t size)
{
	int fd = openat(store.blobs.fd, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	MUST(fd >= 0);
	MUST(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* Whether it was given; every byte of it is looked at. */
static bool get(struct arena *a, struct edgeunit **units_r, size_t *nr_r)
{
	bool has = edgestore_get(&store, &key, a, units_r, nr_r);

	for (size_t i = 0; has && i < *nr_r; i++)
		for (size_t k = 0; k < (*units_r)[i].size; k++)
			seen ^= (*units_r)[i].data[k];
	if (!has)
		MUST(faccessat(store.blobs.fd, name, F_OK, 0) < 0);
	return has;
}

static void try_file(const uint8_t *data, size_t size, bool is_right)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct edgeunit *units;
	struct arena a;
	size_t nr;

	if (is_right && size >= 40) {
		const uint64_t own[] = { UINT64_C(0x3165676465727473),
					 XXH3_64bits(copy + 16, size - 16) };

		memcpy(copy, own, sizeof(own));
	}
	put_file(copy, size);
	arena_init(&a);
	(void)!get(&a, &units, &nr);
	arena_release(&a);
	free(copy);
}

static void try_changes(const uint8_t *data, size_t size)
{
	static const uint8_t bytes[] = "some bytes of an encoded picture";
	const struct edgeunit units[] = {
		{ 1000, bytes, 20, true },
		{ 4000, bytes + 3, 0, false },
		{ 7000, bytes + 5, 25, false },
	};
	uint8_t before[512], after[512];
	struct edgeunit *got;
	bool is_cut = false;
	struct arena a;
	ssize_t len;
	size_t nr;
	int fd;

	edgestore_put(&store, &key, units, 3);
	fd = openat(store.blobs.fd, name, O_RDWR | O_CLOEXEC);
	MUST(fd >= 0);
	len = pread(fd, before, sizeof(before), 0);
	MUST(len > 0 && len < (ssize_t)sizeof(before));
	memcpy(after, before, sizeof(before));
	for (size_t i = 0; i + 1 < size; i += 2)
		after[data[i] % len] ^= data[i + 1];
	MUST(pwrite(fd, after, (size_t)len, 0) == len);
	if (size % 2 && data[size - 1] < len) {
		MUST(!ftruncate(fd, len - data[size - 1]));
		is_cut = data[size - 1] != 0;
	}
	close(fd);
	arena_init(&a);
	MUST(get(&a, &got, &nr) ==
	     (!is_cut && !memcmp(before, after, (size_t)len)));
	arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	set_up();
	if (data[0] % 3 == 2)
		try_changes(data + 1, size - 1);
	else
		try_file(data + 1, size - 1, data[0] % 3);
	return 0;
}
