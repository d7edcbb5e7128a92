/*
 * main.c - a server, or one of the offline commands.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/segment.h"
#include "base/log.h"
#include "command.h"
#include "ctl.h"
#include "observe.h"
#include "process.h"
#include "sharedarea.h"

#define MAX_HELP ((size_t)64 * 1024)

static void print_help(void)
{
	struct text out;

	text_init(&out, MAX_HELP);
	text_puts(&out,
		  "restreamer: an archive of live streams, over FastCGI and "
		  "on the command line\n\n"
		  "usage: restreamer serve [OPTION]...\n"
		  "       restreamer ctl --socket PATH COMMAND [ARG]...\n"
		  "       restreamer COMMAND [WORD]... [OPTION]...\n\n"
		  "Commands (arguments as in the URLs, see routes; -o FILE "
		  "writes to a file):\n");
	command_describe(&out);
	text_puts(&out, "\nOptions of all commands but serve:\n");
	settings_describe(OPTIONS_OFFLINE, &out);
	text_puts(&out, "\nOptions of serve (each also as an environment "
			"variable, RESTREAMER_NAME):\n");
	settings_describe(OPTIONS_SERVE, &out);
	ctl_describe(&out);
	fputs(out.data, stdout);
	text_release(&out);
}

static void put_metric_man(const struct metric_about *about, void *ctx)
{
	size_t len = strlen(about->name);
	bool is_each = len && about->name[len - 1] == '_';

	text_printf(ctx, ".TP\n.BR %s%s%s%s%s \" (%s)\"\n%s\n", about->name,
		    is_each ? "ENDPOINT" : "", *about->labels ? "{" : "",
		    about->labels, *about->labels ? "}" : "", about->type,
		    about->help);
}

/* The parts of the manual page that are made from the tables. */
static void print_man(const char *part)
{
	struct text out;

	text_init(&out, MAX_HELP);
	text_puts(&out, "");
	if (!strcmp(part, "commands"))
		command_describe_man(&out);
	else if (!strcmp(part, "console"))
		ctl_describe_man(&out);
	else if (!strcmp(part, "serve"))
		settings_describe_man(OPTIONS_SERVE, &out);
	else if (!strcmp(part, "offline"))
		settings_describe_man(OPTIONS_OFFLINE, &out);
	else if (!strcmp(part, "metrics"))
		metrics_each(put_metric_man, &out);
	fputs(out.data, stdout);
	text_release(&out);
}

static enum err give_socket(const struct listener *listener,
			    const struct passwd *user, struct errmsg *e)
{
	if (listener->path &&
	    chown(listener->path, user->pw_uid, user->pw_gid) < 0)
		return err_set(e, ERR_IO, "cannot give '%s' to '%s': %s",
			       listener->path, user->pw_name, strerror(errno));
	return ERR_OK;
}

static enum err open_control(const struct settings *settings,
			     struct listener *control, struct errmsg *e)
{
	if (!*settings->control || !settings->workers)
		return ERR_OK;
	return listener_open_unix(control, "--control", settings->control, 0600,
				  e);
}

/* For good: neither the root nor the user is to be regained. */
static enum err drop_privileges(const struct settings *settings,
				const struct listener *listener,
				const struct listener *control,
				struct errmsg *e)
{
	const struct passwd *user = NULL;

	if (geteuid() != 0)
		return ERR_OK;
	if (*settings->user) {
		user = getpwnam(settings->user);
		if (!user)
			return err_set(e, ERR_INPUT, "--user: there is no '%s'",
				       settings->user);
		if (give_socket(listener, user, e) ||
		    give_socket(control, user, e))
			return ERR_IO;
		if (initgroups(user->pw_name, user->pw_gid) < 0)
			return err_set(e, ERR_IO,
				       "cannot take the groups of '%s': %s",
				       settings->user, strerror(errno));
	}
	if (*settings->chroot &&
	    (chroot(settings->chroot) < 0 || chdir("/") < 0))
		return err_set(e, ERR_IO, "cannot enter '%s': %s",
			       settings->chroot, strerror(errno));
	if (user && (setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0 ||
		     setuid(0) == 0))
		return err_set(e, ERR_IO, "cannot become '%s': %s",
			       settings->user, strerror(errno));
	return ERR_OK;
}

static uint32_t nr_workers_of(const struct settings *settings)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (settings->workers != COUNT_AUTO)
		return settings->workers;
	return cores > 0 && cores < 100 ? (uint32_t)cores * 2 : 4;
}

/* How many may encode at once: two threads an edge, all cores a whole cut. */
static void set_places(const struct settings *settings,
		       struct sharedarea_config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t edges = settings->edge_max;

	if (edges == COUNT_AUTO)
		edges = cores > 3 ? (uint32_t)cores / 2 : 1;
	config->nr_edges = edges < PLACES_MAX ? edges : PLACES_MAX;
	config->nr_full = settings->full_max < PLACES_MAX ? settings->full_max :
							    PLACES_MAX;
}

/*
 * What every worker would find out is found out once: an archive that is not
 * there ends us, a cache that cannot be used is only said.
 */
static enum err check_places(struct settings *settings, struct errmsg *e)
{
	struct archive archive;
	const char *dir;
	struct arena a;
	enum err err = archive_open(&archive, settings->base, e);

	if (err)
		return err;
	archive_close(&archive);
	arena_init(&a);
	dir = settings_cache_dir(settings, &a);
	if (dir && !hourcache_can_use(dir))
		settings->cache = CACHE_NONE;
	arena_release(&a);
	return ERR_OK;
}

/* The level of the log is that of those who are there already. */
static void share_log(struct scoreboard *board)
{
	scoreboard_sweep(board);
	if (scoreboard_workers(board))
		log_set_level((enum log_level)(int)board->log.level);
	log_share(&board->log);
}

static enum err share(const struct settings *settings, uint32_t nr_workers,
		      struct sharedarea *area, struct errmsg *e)
{
	struct sharedarea_config config = {
		.base = settings->base,
		.nr_workers = nr_workers ? nr_workers : MAX_ALONE,
		.nr_heavy = settings->heavy_max,
	};
	struct arena a;
	enum err err;

	arena_init(&a);
	set_places(settings, &config);
	/* Who has no master may have brothers. */
	if (!nr_workers)
		config.cache_dir = settings_cache_dir(settings, &a);
	err = sharedarea_open(area, &config, e);
	arena_release(&a);
	return err;
}

static int run(const struct settings *settings, struct listener *listener,
	       struct listener *control, struct errmsg *e)
{
	uint32_t nr_workers = nr_workers_of(settings);
	struct sharedarea area;
	struct shared shared = {
		.settings = settings,
		.listener = listener,
		.control = control,
	};
	int status;

	if (share(settings, nr_workers, &area, e)) {
		log_error("%s", e->text);
		return EXIT_FAILURE;
	}
	shared.area = &area;
	shared.metrics = area.metrics;
	shared.board = area.board;
	if (nr_workers)
		shared.board->master = getpid();
	shared.board->logs_access = settings->access_log;
	share_log(shared.board);
	log_hold_repeats();
	observe_log_into(shared.metrics);
	if (nr_workers) {
		shared.profile = profile_new(settings->profile);
		if (!shared.profile) {
			log_error("cannot share memory: %s", strerror(errno));
			return EXIT_FAILURE;
		}
		profile_install(shared.profile);
	}
	status = nr_workers ? master_run(&shared) : worker_run_alone(&shared);
	sharedarea_close(&area);
	return status;
}

static int serve(int argc, char **argv)
{
	struct settings settings;
	struct listener control = LISTENER_NONE;
	struct listener listener;
	struct errmsg e = { "" };
	int nr_words;
	int status = EXIT_FAILURE;

	if (settings_read(&settings, OPTIONS_SERVE, argc, argv, NULL, NULL,
			  &nr_words, &e)) {
		fprintf(stderr, "restreamer: %s\n", e.text);
		return 2;
	}
	if (nr_words) {
		fprintf(stderr, "restreamer: serve takes no word '%s'\n",
			err_quote(argv[1]).text);
		return 2;
	}
	if (*settings.log && !log_open(settings.log)) {
		fprintf(stderr, "restreamer: cannot open '%s': %s\n",
			settings.log, strerror(errno));
		return EXIT_FAILURE;
	}
	log_set_level(settings.log_level);
	umask(027);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (listener_open(&listener, &settings, &e) ||
	    open_control(&settings, &control, &e) ||
	    drop_privileges(&settings, &listener, &control, &e) ||
	    check_places(&settings, &e))
		log_error("%s", e.text);
	else
		status = run(&settings, &listener, &control, &e);
	listener_close(&control);
	listener_close(&listener);
	return status;
}

static bool asks_for_help(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "ctl"))
		return false; /* it has its own */
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return argc > 1 && !strcmp(argv[1], "help");
}

int main(int argc, char **argv)
{
	size_t len = strlen(argv[0]);

	if (asks_for_help(argc, argv)) {
		print_help();
		return EXIT_SUCCESS;
	}
	if (segment_has_suffix(argv[0], len, ".fcgi"))
		return serve(argc, argv);
	if (argc < 2) {
		print_help();
		return 2;
	}
	if (!strcmp(argv[1], "serve"))
		return serve(argc - 1, argv + 1);
	if (!strcmp(argv[1], "ctl"))
		return ctl_run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version")) {
		puts(PACKAGE_STRING);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--man") && argc == 3) {
		print_man(argv[2]);
		return EXIT_SUCCESS;
	}
	return command_run(argc, argv);
}
