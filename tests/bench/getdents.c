/*
 * getdents.c - how long it takes just to read directories.
 *
 *	getdents DIR...
 *
 * The baseline for an answer without an index: nobody who lists directories
 * can be faster.  Opens each, reads all its entries with getdents64, closes
 * it, looks at nothing; prints the microseconds it took and the entries.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct entry {
	uint64_t ino;
	int64_t off;
	unsigned short len;
};

static char buf[256 * 1024] __attribute__((aligned(16)));

static long read_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long entries = 0;
	long n;

	if (fd < 0) {
		perror(path);
		return -1;
	}
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n; entries++)
			at += ((struct entry *)(void *)(buf + at))->len;
	if (n < 0)
		perror(path);
	close(fd);
	return n < 0 ? -1 : entries;
}

int main(int argc, char **argv)
{
	struct timespec begin, end;
	long entries = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 1; i < argc; i++) {
		long n = read_directory(argv[i]);

		if (n < 0)
			return 1;
		entries += n;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld %ld\n",
	       (long long)(end.tv_sec - begin.tv_sec) * 1000000 +
		       (end.tv_nsec - begin.tv_nsec) / 1000,
	       entries);
	return 0;
}
