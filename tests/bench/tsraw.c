/*
 * tsraw.c - how fast packets are rewritten in memory, beside copying them.
 *
 * tsraw SEGMENT MIB [TURNS]: fills MIB mebibytes with the segment over and over
 * and rewrites all of it in place.  The least of all turns counts, as what else
 * the machine does only adds to it.  Prints GB/s of rewriting, then of memcpy()
 * from one such buffer to another.
 */
#include "config.h"

#include "media/tsraw.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/tsfile.h"

#define TURNS 25

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const struct errmsg *e)
{
	fprintf(stderr, "tsraw: %s\n", e->text);
	return 1;
}

static void fill(uint8_t *to, size_t size, const struct tsfile *file)
{
	size_t of_file = file->nr_packets * TS_PACKET;

	for (size_t at = 0; at < size; at += of_file)
		memcpy(to + at, file->packets,
		       size - at < of_file ? size - at : of_file);
}

/* As a cut does with its files, one after the other. */
static enum err rewrite(struct tsraw *raw, uint8_t *data, size_t size,
			size_t of_file, struct errmsg *e)
{
	enum err err = ERR_OK;

	for (size_t at = 0; !err && at < size; at += of_file) {
		size_t part = size - at < of_file ? size - at : of_file;

		tsraw_begin(raw);
		err = tsraw_rewrite(raw, data + at, part / TS_PACKET, e);
	}
	return err;
}

static enum err measure(const struct tsfile *file, size_t size, int turns,
			struct errmsg *e)
{
	uint8_t *data = mem_alloc(size);
	uint8_t *other = mem_alloc(size);
	double rewritten = 1e9, copied = 1e9;
	struct tsout_counters counters = { 0 };
	struct tsout_format format;
	struct tsraw_map map;
	struct tsraw raw = { .format = &format,
			     .map = &map,
			     .video_delta = -file->first_pts,
			     .audio_delta = -file->first_pts,
			     .frame_ticks = 1500,
			     .counters = &counters };
	enum err err = ERR_OK;

	tsout_format_init(&format, file->video ? file->video->type : 0,
			  file->audio ? file->audio->type : 0, file->id3);
	tsraw_map_init(&map, &format, &file->program, file->pmt_pid);
	memset(other, 0, size);
	for (int i = 0; !err && i < turns; i++) {
		double began;

		fill(data, size, file);
		began = now();
		memcpy(other, data, size);
		copied = now() - began < copied ? now() - began : copied;
		began = now();
		err = rewrite(&raw, data, size, file->nr_packets * TS_PACKET,
			      e);
		rewritten =
			now() - began < rewritten ? now() - began : rewritten;
	}
	if (!err)
		printf("%.3f %.3f\n", (double)size / rewritten / 1e9,
		       (double)size / copied / 1e9);
	free(other);
	free(data);
	return err;
}

int main(int argc, char **argv)
{
	struct tsfile *file;
	struct errmsg e = { "" };
	struct arena a;
	enum err err;
	size_t size;
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: tsraw SEGMENT MIB [TURNS]\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	size = (size_t)atoi(argv[2]) * 1024 * 1024 / TS_PACKET * TS_PACKET;
	arena_init(&a);
	err = tsfile_read(&a, fd, TS_NONE, &file, &e);
	if (!err)
		err = measure(file, size, argc > 3 ? atoi(argv[3]) : TURNS, &e);
	arena_release(&a);
	close(fd);
	return err ? fail(&e) : 0;
}
