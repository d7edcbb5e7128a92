#include "config.h"

#include "procstat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fsutil.h"

bool procstat_parse(const char *line, struct procstat *stat_r)
{
	unsigned long long utime, stime, began, vsize;
	long long cutime, cstime, rss;
	/* The name, field 2, may hold anything, also ")". */
	const char *p = strrchr(line, ')');
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	char state;

	/* Fields 3, 14 to 17 and 22 to 24; p is behind field 2. */
	if (!p || sscanf(p + 1,
			 " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
			 " %llu %llu %lld %lld %*d %*d %*d %*d %llu %llu %lld",
			 &state, &utime, &stime, &cutime, &cstime, &began,
			 &vsize, &rss) != 8)
		return false;
	*stat_r = (struct procstat){
		.state = state,
		.began = began,
		.cpu_ms = (utime + stime) * 1000 / ticks,
		.reaped_ms = (uint64_t)(cutime + cstime) * 1000 / ticks,
		.virtual_bytes = vsize,
		.resident_bytes =
			(uint64_t)rss * (uint64_t)sysconf(_SC_PAGESIZE),
	};
	return true;
}

/* The beginning of a file of /proc, up to size - 1 bytes; empty if none. */
static void read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buffer, size - 1);

	buffer[n > 0 ? n : 0] = '\0';
	fs_close(&fd);
}

bool procstat_of(pid_t pid, struct procstat *stat_r)
{
	char line[1024];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	read_file(path, line, sizeof(line));
	return procstat_parse(line, stat_r);
}

char procstat_of_thread(pid_t pid, pid_t tid)
{
	char line[128]; /* a name has 15 bytes at most */
	char path[64];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/stat", (long)pid,
		 (long)tid);
	read_file(path, line, sizeof(line));
	p = strrchr(line, ')');
	return p && p[1] == ' ' ? p[2] : '\0';
}

bool procstat_catches(pid_t pid, int number)
{
	static const char key[] = "\nSigCgt:\t";
	char text[4096];
	char path[64];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	read_file(path, text, sizeof(text));
	p = strstr(text, key);
	return p && strtoull(p + sizeof(key) - 1, NULL, 16) >> (number - 1) & 1;
}
