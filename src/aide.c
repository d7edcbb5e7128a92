#include "config.h"

#include "aide.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/compiler.h"
#include "base/log.h"

static volatile sig_atomic_t must_reopen;

static void on_reopen(int number)
{
	UNUSED(number);
	must_reopen = 1;
}

void aide_begin(void)
{
	static const int defaults[] = { SIGTERM, SIGCHLD };
	static const int ignored[] = { SIGINT, SIGQUIT, SIGHUP, SIGUSR2,
				       SIGPIPE };
	struct sigaction reopen = { .sa_handler = on_reopen };
	sigset_t set;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		signal(defaults[i], SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&reopen.sa_mask);
	sigaction(SIGUSR1, &reopen, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGPROF); /* is for those who answer */
	sigprocmask(SIG_SETMASK, &set, NULL);
}

void aide_follow_log(const struct settings *settings)
{
	if (!must_reopen)
		return;
	must_reopen = 0;
	if (!log_open(*settings->log ? settings->log : NULL))
		log_warning("cannot reopen the log: %s", strerror(errno));
}
