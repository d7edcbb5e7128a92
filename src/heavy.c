/*
 * heavy.c - processes for heavy requests; see process.h.
 *
 * A slot is taken for the worker itself and then changes to the child,
 * so at every moment it is owned by a process whose death frees it.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "process.h"

/* Signals end a heavy process at once: the client sees a broken answer. */
static void become_heavy(void)
{
	static const int defaults[] = { SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
					SIGUSR1, SIGUSR2, SIGCHLD };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		signal(defaults[i], SIG_DFL);
	/* What is meant for workers passes it by. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* SIGPROF was open already */
	prctl(PR_SET_NAME, "restreamer-heavy");
}

enum err heavy_refuse(const struct scoreboard *board, struct errmsg *e)
{
	return err_set(e, ERR_BUSY,
		       "all %u places for cuts and large answers are taken; "
		       "try again in a few seconds",
		       board->nr_heavy);
}

/*
 * A client may have the last byte of an answer, and ask again, a moment before
 * the process that sent it has freed its slot.
 */
static struct slot_info *take_slot(struct scoreboard *board, uint64_t owner)
{
	const struct timespec moment = { .tv_nsec = 2 * 1000 * 1000 };
	struct slot_info *slot = scoreboard_take_heavy(board, owner);

	for (int i = 0; !slot && i < 10; i++) {
		struct timespec left = moment;

		while (nanosleep(&left, &left) < 0 && errno == EINTR)
			;
		slot = scoreboard_take_heavy(board, owner);
	}
	return slot;
}

enum err heavy_fork(struct scoreboard *board, struct slot_info **slot,
		    struct errmsg *e)
{
	uint64_t self = owner_self();
	struct slot_info *heavy = take_slot(board, self);
	pid_t pid;

	if (!heavy)
		return heavy_refuse(board, e);
	slot_copy(heavy, *slot);
	pid = fork();
	if (pid < 0) {
		slot_free(heavy);
		return err_set(e, ERR_BUSY, "cannot start a process: %s",
			       strerror(errno));
	}
	if (pid > 0) {
		/* Unless the child has already ended and freed it. */
		atomic_compare_exchange_strong(&heavy->owner, &self,
					       owner_of(pid));
		log_debug("process %ld goes on with it", (long)pid);
		return ERR_HANDED;
	}
	heavy->owner = owner_self();
	*slot = heavy;
	become_heavy();
	return ERR_OK;
}

void heavy_reap(struct scoreboard *board)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		scoreboard_free_of(board, pid);
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
			log_error("heavy process %ld died of signal %d",
				  (long)pid, WTERMSIG(status));
	}
}
