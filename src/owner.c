#include "config.h"

#include "owner.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "procstat.h"

uint64_t owner_of(pid_t pid)
{
	struct procstat stat;

	if (!procstat_of(pid, &stat))
		stat.began = 0;
	return (uint64_t)pid << 32 | (uint32_t)stat.began;
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
	struct procstat stat;

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return false;
	if (!procstat_of(pid, &stat))
		return true;
	if (stat.state == 'Z' || stat.state == 'X')
		return false;
	return !(uint32_t)owner || (uint32_t)owner == (uint32_t)stat.began;
}
