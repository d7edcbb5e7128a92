/*
 * seed_hourindex.c - writes the beginnings of fuzz_hourindex's corpus.
 *
 *	seed_hourindex DIR
 */
#include "config.h"

#include <stdio.h>

#include "hourseed.h"

static bool put(const char *dir, const char *name, char mode, const void *data,
		size_t size)
{
	char path[4096];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ok = file && fputc(mode, file) != EOF &&
	     fwrite(data, 1, size, file) == size;
	return file && fclose(file) == 0 && ok;
}

int main(int argc, char **argv)
{
	static const char patch[] = "\x01\x60\x00\xff";
	bool ok = argc == 2;

	for (size_t i = 0; ok && i < ARRAY_SIZE(hourseeds); i++) {
		for (int measure = 0; ok && measure < 2; measure++) {
			struct hourindex *index = hourseed_build(i, measure);
			char name[32];

			/* The modes of fuzz_hourindex.c: raw, resealed. */
			for (int mode = 0; ok && mode < 2; mode++) {
				snprintf(name, sizeof(name), "%zu-%d-%d", i,
					 measure, mode);
				ok = put(argv[1], name, (char)mode,
					 index->head, index->size);
			}
			hourindex_drop(&index);
		}
	}
	if (ok)
		ok = put(argv[1], "patch", 2, patch, sizeof(patch) - 1);
	if (!ok)
		fprintf(stderr, "usage: seed_hourindex DIR\n");
	return !ok;
}
