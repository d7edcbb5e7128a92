#include "config.h"

#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* State and start of a process; false if they cannot be read. */
static bool read_stat(pid_t pid, char *state_r, uint32_t *ticks_r)
{
	unsigned long long ticks;
	char line[1024];
	char path[64];
	const char *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	/* Behind field 2, a name that may hold anything. */
	p = strrchr(line, ')');
	if (!p || sscanf(p + 1,
			 " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u"
			 " %*d %*d %*d %*d %*d %*d %llu",
			 state_r, &ticks) != 2)
		return false;
	*ticks_r = (uint32_t)ticks;
	return true;
}

uint64_t owner_of(pid_t pid)
{
	uint32_t ticks = 0;
	char state;

	if (!read_stat(pid, &state, &ticks))
		ticks = 0;
	return (uint64_t)pid << 32 | ticks;
}

uint64_t owner_self(void)
{
	static uint64_t self;
	pid_t pid = getpid();

	if (owner_pid(self) != pid)
		self = owner_of(pid);
	return self;
}

bool owner_is_alive(uint64_t owner)
{
	pid_t pid = owner_pid(owner);
	uint32_t ticks;
	char state;

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return false;
	if (!read_stat(pid, &state, &ticks))
		return true;
	if (state == 'Z' || state == 'X')
		return false;
	return !(uint32_t)owner || (uint32_t)owner == ticks;
}
