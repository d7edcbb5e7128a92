#include "config.h"

#include "sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "procstat.h"

#define NS_PER_SEC INT64_C(1000000000)

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

void sampler_init(struct sampler *s, struct scoreboard *board,
		  enum profile_table table, uint32_t hz)
{
	*s = (struct sampler){
		.board = board,
		.table = table,
		.period_ns = NS_PER_SEC / hz,
		.next_ns = now_ns(),
		.known = mem_zero((board->nr_workers + board->nr_heavy) *
				  sizeof(*s->known)),
	};
}

void sampler_release(struct sampler *s)
{
	fs_list_release(&s->list);
	free(s->known);
	s->known = NULL;
}

/* tgkill(2) that carries the table. */
static void send_to(struct sampler *s, pid_t pid, pid_t tid)
{
	siginfo_t info = { .si_signo = SIGPROF, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = (int)s->table;
	if (syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGPROF, &info) == 0)
		s->nr_signals++;
}

static void sample_process(struct sampler *s, pid_t pid)
{
	struct errmsg e;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fs_list_read(fd, &s->list, &e))
		s->list.nr = 0;
	fs_close(&fd);
	for (size_t i = 0; i < s->list.nr; i++) {
		pid_t tid = (pid_t)atol(s->list.entries[i].name);

		if (procstat_of_thread(pid, tid) == 'R')
			send_to(s, pid, tid);
	}
}

static void sample_all(struct sampler *s)
{
	for (uint32_t i = 0; i < s->board->nr_workers + s->board->nr_heavy;
	     i++) {
		struct slot_info *slot = &s->board->slots[i];
		pid_t pid = owner_pid(slot->owner);
		int state = slot->state;

		if (!pid || (state != SLOT_LIGHT && state != SLOT_HEAVY))
			continue;
		/* Never a process that would die of it. */
		if (s->known[i] != pid && !procstat_catches(pid, SIGPROF))
			continue;
		s->known[i] = pid;
		sample_process(s, pid);
	}
}

void sampler_tick(struct sampler *s)
{
	int64_t late_ns = now_ns() - s->next_ns;
	struct timespec until;

	if (late_ns > 0)
		s->next_ns += late_ns - late_ns % s->period_ns;
	s->next_ns += s->period_ns;
	until = (struct timespec){ .tv_sec = s->next_ns / NS_PER_SEC,
				   .tv_nsec = s->next_ns % NS_PER_SEC };
	/* Who is interrupted has something to look after; no tick is due. */
	if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0)
		sample_all(s);
}
