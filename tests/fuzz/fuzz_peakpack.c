/*
 * fuzz_peakpack.c - packs of peaks that somebody wrote, with a right checksum:
 * what is given of them lies within them, and can be drawn.
 *
 * The input: the bytes of a pack.
 */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "fuzz.h"
#include "media/peakpack.h"
#include "media/wavecolumns.h"

#define BLOCK 128

static struct blobstore store;
static struct blobkey key; /* of the pack that is loaded */
static char dir[64];

static struct peakpack *load(struct arena *a)
{
	return peakpack_load(a, &store, "channel", "quality", 0, BLOCK);
}

static void clean_up(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	(void)!system(command);
}

/* Puts a pack, to see what its key is. */
static void set_up(void)
{
	const struct soundpeaks silence = { .block = BLOCK };
	const struct dirent *entry;
	struct arena a;
	bool found = false;
	DIR *d;

	if (store.max_bytes)
		return;
	snprintf(dir, sizeof(dir), "%s/fuzz-peak-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	MUST(mkdtemp(dir));
	MUST(log_open("/dev/null"));
	blobstore_open(&store, &peak_kind, dir, 1 << 24);
	MUST(store.fd >= 0);
	atexit(clean_up);
	arena_init(&a);
	{
		struct peakpack *pack = load(&a);

		peakpack_add(pack, &key, &silence);
		peakpack_put(pack);
	}
	arena_release(&a);
	d = fdopendir(dup(store.fd));
	MUST(d);
	while ((entry = readdir(d)))
		found |= sscanf(entry->d_name, "%16" SCNx64 "%16" SCNx64,
				&key.hash[0], &key.hash[1]) == 2;
	closedir(d);
	MUST(found);
}

/* Every byte of what is given is looked at. */
static void draw(struct arena *a, const struct soundpeaks *peaks)
{
	struct wavecolumns w;

	wavecolumns_init(a, 100, INT64_C(3600000000000), &w);
	wavecolumns_add(&w, peaks, -1000000000, INT64_MIN, INT64_MAX);
	wavecolumns_silence(&w, w.length);
	for (size_t i = 0; i < w.nr; i++)
		for (uint32_t c = 0; c < w.nr_channels; c++)
			MUST(wave_column_mean(&w, i, c) < 65536);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	bool is_good = peakpack_check(copy, size, BLOCK);
	const size_t first = 8, step = 40; /* of the entries' keys */
	struct peakpack *pack;
	struct arena a;

	set_up();
	blobstore_put(&store, &key, &(struct iovec){ copy, size }, 1);
	arena_init(&a);
	pack = load(&a);
	for (size_t at = first; at + step <= size; at += step) {
		const struct soundpeaks *peaks;
		struct blobkey wanted;

		memcpy(&wanted, copy + at, sizeof(wanted));
		peaks = peakpack_find(pack, &wanted);
		MUST(!peaks || is_good);
		if (peaks && peaks->nr_samples)
			draw(&a, peaks);
	}
	arena_release(&a);
	free(copy);
	return 0;
}
