#include "config.h"

#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "archive/hoursweep.h"
#include "base/log.h"
#include "outfile.h"
#include "request.h"
#include "route.h"
#include "status.h"

#define MAX_WORDS	  4
#define PROGRESS_EVERY_US (100 * USEC_PER_MS)

/* The command line as a client; see client.h. */
struct offline {
	struct client client;
	struct sink sink;
	struct fd_sink file;
	const char *output; /* of -o, or NULL: standard output */
	struct outfile out;
	uint64_t length;
	usec_t shown_us; /* progress, last */
	bool shows_progress;
	struct request req;
};

static void show_progress(struct offline *o, bool is_last)
{
	usec_t now_us = utime_now();
	double done = (double)o->file.written / 1e6;

	if (!o->shows_progress ||
	    (!is_last && now_us < o->shown_us + PROGRESS_EVERY_US))
		return;
	o->shown_us = now_us;
	if (o->length == LENGTH_UNKNOWN || !o->length)
		fprintf(stderr, "\r%.1f MB", done);
	else
		fprintf(stderr, "\r%.1f of %.1f MB, %llu %%", done,
			(double)o->length / 1e6,
			(unsigned long long)(o->file.written * 100 /
					     o->length));
	if (is_last)
		fputc('\n', stderr);
}

static struct offline *of_sink(struct sink *s)
{
	return (void *)((char *)s - offsetof(struct offline, sink));
}

static enum err sink_out(struct sink *s, const struct iovec *iov, int nr_iov,
			 struct errmsg *e)
{
	struct offline *o = of_sink(s);
	enum err err = o->file.sink.write(&o->file.sink, iov, nr_iov, e);

	show_progress(o, false);
	return err;
}

static enum err begin(struct client *c, const struct response_head *head,
		      struct errmsg *e)
{
	struct offline *o = (struct offline *)c;
	int fd = STDOUT_FILENO;

	if (o->output) {
		enum err err = outfile_open(&o->out, o->output, e);

		if (err)
			return err;
		fd = o->out.fd;
	}
	fd_sink_init(&o->file, fd);
	o->length = head->length;
	o->shows_progress = isatty(STDERR_FILENO) && !isatty(fd);
	return ERR_OK;
}

/* What a POST would bring is read from standard input. */
static enum err read_input(struct client *c, struct text *body,
			   struct errmsg *e)
{
	char buffer[8192];
	ssize_t n;

	UNUSED(c);
	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_IO,
				       "cannot read standard input: %s",
				       strerror(errno));
		text_append(body, buffer, (size_t)n);
		if (body->overflowed)
			break;
	}
	return text_check(body, "standard input", e);
}

static enum err stay(struct client *c, struct errmsg *e)
{
	UNUSED(c);
	UNUSED(e);
	return ERR_OK;
}

/* The finished file takes its name; of a failed one nothing is left. */
static enum err finish(struct offline *o, enum err err)
{
	bool has_file = o->out.fd >= 0;

	if (!err && has_file) {
		show_progress(o, true);
		err = outfile_finish(&o->out, &o->req.error);
	}
	outfile_close(&o->out);
	return err;
}

/* Commands */

static const char *const cut_endings[] = { ".mp4", ".mkv", ".webm", NULL };
static const char *const peaks_endings[] = { ".dat", NULL };
static const char *const picture_endings[] = { ".jpg", NULL };
static const char *const storyboard_endings[] = { ".vtt", NULL };
static const char *const coverage_endings[] = { ".png", NULL };

static const struct command {
	const char *name;
	const char *words; /* for help */
	int min_words;
	int max_words;
	const char *path; /* in front of the words; NULL: name is behind */
	const char *ending[MAX_WORDS + 1]; /* of the last, by their number */
	const char *const *others;	   /* that -o may choose, or NULL */
	const char *help;
	enum method method;
} commands[] = {
	{ "files",
	  "[CHANNEL [QUALITY [HOUR]]]",
	  0,
	  3,
	  "files",
	  { 0 },
	  NULL,
	  "list channels, qualities, hours or files, as JSON",
	  METHOD_GET },
	{ "extras",
	  "DIRECTORY",
	  1,
	  1,
	  "extras",
	  { 0 },
	  NULL,
	  "list every file below a directory, as JSON",
	  METHOD_GET },
	{ "playlist",
	  "CHANNEL [QUALITY]",
	  1,
	  2,
	  "playlist",
	  { NULL, ".m3u8", ".m3u8" },
	  NULL,
	  "write an HLS playlist (--start, --end, --range)",
	  METHOD_GET },
	{ "cut",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "cut",
	  { NULL, NULL, ".ts" },
	  cut_endings,
	  "write the video of given times (--start, --end, --range, --type, "
	  "--allow_holes, --dry_run)",
	  METHOD_GET },
	{ "frame",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "frame",
	  { NULL, NULL, ".png" },
	  picture_endings,
	  "write the picture of a moment as PNG or, with -o NAME.jpg, as JPEG "
	  "(--timestamp, --height)",
	  METHOD_GET },
	{ "waveform",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "waveform",
	  { NULL, NULL, ".png" },
	  NULL,
	  "write the sound of a range as a PNG (--start, --end, --size)",
	  METHOD_GET },
	{ "peaks",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "peaks",
	  { NULL, NULL, ".json" },
	  peaks_endings,
	  "write the sound of a range in numbers, as JSON or, with -o "
	  "NAME.dat, as audiowaveform's binary data (--start, --end, --points)",
	  METHOD_GET },
	{ "storyboard",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "storyboard",
	  { NULL, NULL, ".jpg" },
	  storyboard_endings,
	  "write pictures at regular times as tiles of one JPEG or, with -o "
	  "NAME.vtt, which tile is of which time (--start, --end, --columns, "
	  "--rows, --height)",
	  METHOD_GET },
	{ "coverage",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "coverage",
	  { NULL, NULL, ".json" },
	  coverage_endings,
	  "write what the archive holds of a range, and what it does not, as "
	  "JSON or, with -o NAME.png, as a picture (--start, --end, --lists)",
	  METHOD_GET },
	{ "chat",
	  "CHANNEL",
	  1,
	  1,
	  NULL,
	  { NULL, ".json" },
	  NULL,
	  "write the chat of a range, merged over all who received it, as JSON "
	  "(--start, --end)",
	  METHOD_GET },
	{ "thumbnail",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "thumbnail",
	  { NULL, NULL, ".png" },
	  NULL,
	  "write the picture of a moment under a template (--timestamp, "
	  "--template, --crop, --location); without --template that is an "
	  "image on standard input, and both boxes must be given",
	  METHOD_GET },
	{ "templates",
	  "[NAME]",
	  0,
	  1,
	  "templates",
	  { NULL, ".png" },
	  NULL,
	  "list the templates of thumbnails, as JSON, or write the image of one",
	  METHOD_GET },
	{ "generate_videos",
	  "CHANNEL QUALITY",
	  2,
	  2,
	  "generate_videos",
	  { 0 },
	  NULL,
	  "write whole segments as BASE/CHANNEL_QUALITY_NAME_N.mkv, as JSON on "
	  "standard input says: {NAME: [START, END]}; N counts where there are "
	  "holes",
	  METHOD_POST },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Options have hyphens, arguments of URLs underscores. */
static const char *with_underscores(struct request *req, const char *name)
{
	char *copy = arena_strndup(&req->arena, name, strlen(name));

	for (char *p = copy; *p; p++)
		if (*p == '-')
			*p = '_';
	return copy;
}

/* An option that is none of ours is an argument of the URL. */
static enum err take_argument(void *ctx, const char *name, const char *value,
			      struct errmsg *e)
{
	struct offline *o = ctx;
	struct request *req = &o->req;

	if (!strcmp(name, "output")) {
		o->output = value;
		return ERR_OK;
	}
	if (!req->args)
		req->args = arena_alloc(&req->arena,
					REQUEST_MAX_ARGS * sizeof(*req->args));
	if (req->nr_args == REQUEST_MAX_ARGS)
		return err_set(e, ERR_INPUT, "too many arguments");
	req->args[req->nr_args].name = with_underscores(req, name);
	req->args[req->nr_args++].value = value;
	return ERR_OK;
}

/* Unlike a URL's, an argument that nothing knows is a mistake. */
static enum err check_arguments(struct request *req)
{
	for (size_t i = 0; i < req->nr_args; i++) {
		const struct param *p = req->route->params;

		while (p && p->name && strcmp(p->name, req->args[i].name) != 0)
			p++;
		if (!p || !p->name)
			return err_set(&req->error, ERR_INPUT,
				       "'%s' takes no --%s", req->route->name,
				       req->args[i].name);
	}
	return ERR_OK;
}

/* The ending as the list has it, or NULL. */
static const char *find_in(const char *const *list, const char *ending)
{
	for (; list && *list; list++)
		if (!strcasecmp(ending, *list))
			return *list;
	return NULL;
}

/* What one may take a file for that is named so. */
static const char *const known_endings[] = { ".png",  ".jpg",  ".jpeg", ".gif",
					     ".webp", ".json", ".dat",	".vtt",
					     ".ts",   ".mp4",  ".mkv",	".mov",
					     ".webm", ".avi",  ".m3u8", NULL };

/*
 * The file that is written says what is to be in it, as a URL does; one that
 * says what cannot be is refused.
 */
static enum err find_ending(struct offline *o, const struct command *command,
			    int nr_words, const char **ending_r)
{
	const char *ending = command->ending[nr_words];
	const char *asked = o->output ? strrchr(o->output, '.') : NULL;
	const char *other;

	*ending_r = ending ? ending : "";
	if (!asked || !ending || !strcasecmp(asked, ending))
		return ERR_OK;
	other = find_in(command->others, asked);
	if (!other && find_in(known_endings, asked))
		return err_set(&o->req.error, ERR_INPUT,
			       "'%s' writes no %s; see restreamer --help",
			       command->name, asked);
	if (other)
		*ending_r = other;
	return ERR_OK;
}

/* A template that has no name is standard input. */
static enum method choose_method(const struct request *req,
				 const struct command *command)
{
	if (!strcmp(command->name, "thumbnail") &&
	    !request_arg(req, "template"))
		return METHOD_POST;
	return command->method;
}

static enum err set_path(struct offline *o, const struct command *command,
			 char **words, int nr_words)
{
	struct request *req = &o->req;
	const char *ending;
	enum err err;
	const char **components = arena_alloc(
		&req->arena, (size_t)(nr_words + 1) * sizeof(char *));

	if (nr_words < command->min_words || nr_words > command->max_words)
		return err_set(&req->error, ERR_INPUT, "usage: %s %s",
			       command->name, command->words);
	components[0] = command->path;
	err = find_ending(o, command, nr_words, &ending);
	if (err)
		return err;
	for (int i = 0; i < nr_words; i++) {
		if (words[i][0] == '.')
			return err_set(&req->error, ERR_FORBIDDEN,
				       "names that begin with a dot are "
				       "hidden");
		components[i + 1] =
			arena_printf(&req->arena, "%s%s", words[i],
				     i == nr_words - 1 ? ending : "");
	}
	if (!command->path) {
		components[0] = words[0];
		components[1] = arena_printf(&req->arena, "%s%s", command->name,
					     ending);
	}
	req->components = components;
	req->nr_components = (size_t)nr_words + 1;
	req->method = choose_method(req, command);
	return route_find(req);
}

static enum err run_route(struct offline *o, struct settings *settings,
			  const struct command *command, char **words,
			  int nr_words)
{
	struct server server = { 0 };
	struct request *req = &o->req;
	enum err err = server_open(&server, settings, &req->error);

	if (err)
		return err;
	req->server = &server;
	err = set_path(o, command, words, nr_words);
	if (!err)
		err = check_arguments(req);
	if (!err)
		err = route_run(req);
	err = finish(o, err);
	hourcache_flush(server.cache);
	/* The arena holds indexes of the cache. */
	arena_reset(&req->arena);
	server_close(&server);
	return err;
}

static enum err run_index(struct request *req, const struct settings *settings,
			  const char *task_name)
{
	static const char *const names[] = { "stats", "verify", "clear" };
	const char *dir = settings_cache_dir(settings, &req->arena);
	struct hoursweep_stats stats;
	size_t task = 0;
	enum err err;

	while (task < ARRAY_SIZE(names) && strcmp(names[task], task_name) != 0)
		task++;
	if (task == ARRAY_SIZE(names))
		return err_set(&req->error, ERR_INPUT,
			       "usage: index stats|verify|clear");
	if (!dir)
		return err_set(&req->error, ERR_NOTFOUND,
			       "there is no cache directory");
	err = hoursweep_task(dir, (enum hoursweep_task)task, &stats,
			     &req->error);
	if (err)
		return err;
	printf("%llu files, %.1f MB, %llu segments, %llu bad, %llu private, "
	       "%llu removed\n",
	       (unsigned long long)stats.nr_files, (double)stats.bytes / 1e6,
	       (unsigned long long)stats.nr_segments,
	       (unsigned long long)stats.nr_bad,
	       (unsigned long long)stats.nr_tmp,
	       (unsigned long long)stats.nr_removed);
	if (task == HOURSWEEP_VERIFY && stats.nr_bad)
		return err_set(&req->error, ERR_CORRUPT,
			       "%llu files were bad and are removed",
			       (unsigned long long)stats.nr_bad);
	return ERR_OK;
}

static bool print_route(const struct route *route, void *ctx)
{
	UNUSED(ctx);
	printf("%-36s %s%s\n", route->path,
	       route->flags & ROUTE_POST ? "POST: " : "", route->help);
	for (const struct param *p = route->params; p && p->name; p++) {
		printf("    %s=%s", p->name, p->help);
		if (p->type == PARAM_INT)
			printf(", %d to %d", p->min, p->max);
		printf("%s%s%s%s\n",
		       p->flags & PARAM_REQUIRED ? ", required" : "",
		       p->dflt ? " (default: " : "", p->dflt ? p->dflt : "",
		       p->dflt ? ")" : "");
	}
	return true;
}

static enum err run(struct offline *o, int argc, char **argv)
{
	struct request *req = &o->req;
	struct settings settings;
	const char *name = argv[1];
	int nr_words;
	enum err err;

	err = settings_read(&settings, OPTIONS_OFFLINE, argc, argv,
			    take_argument, o, &nr_words, &req->error);
	if (err)
		return err;
	/* Who asks here has the rights of the file system and no others. */
	settings.allow_write = true;
	name = argv[1]; /* the words are in front now */
	log_set_level(settings.log_level > LOG_LEVEL_WARNING ?
			      settings.log_level :
			      LOG_LEVEL_WARNING);
	if (nr_words && !strcmp(name, "routes")) {
		route_each(print_route, NULL);
		return ERR_OK;
	}
	if (nr_words && !strcmp(name, "index"))
		return run_index(req, &settings, nr_words > 1 ? argv[2] : "");
	if (!nr_words || !find_command(name))
		return err_set(&req->error, ERR_INPUT,
			       "no command '%s'; see restreamer --help",
			       err_quote(name).text);
	return run_route(o, &settings, find_command(name), argv + 2,
			 nr_words - 1);
}

int command_run(int argc, char **argv)
{
	struct offline *o = &(struct offline){
		.out = OUTFILE_NONE,
		.sink = { .write = sink_out,
			  .copy_file = sink_copy_by_reading },
		.client = { .begin = begin,
			    .expect_long = stay,
			    .go_heavy = stay,
			    .read_body = read_input,
			    .any_offset = true },
	};
	enum err err;
	int status;

	/* A file that may not grow so large is an error like others. */
	signal(SIGXFSZ, SIG_IGN);
	o->client.sink = &o->sink;
	arena_init(&o->req.arena);
	request_begin(&o->req, NULL, &o->client, METHOD_GET);
	err = run(o, argc, argv);
	if (err)
		fprintf(stderr, "restreamer: %s\n",
			o->req.error.text[0] ? o->req.error.text :
					       err_text(err));
	status = exit_status_of(err);
	if (!err && fflush(stdout) != 0)
		status = EXIT_FAILURE;
	arena_release(&o->req.arena);
	return status;
}

void command_describe(struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		text_printf(out, "  %s %s\n", commands[i].name,
			    commands[i].words);
		settings_wrap(out, commands[i].help, 6);
	}
	text_puts(out, "  index stats|verify|clear\n"
		       "      count, check or remove the hour indexes\n"
		       "  routes\n      list the URLs and their arguments\n");
}

void command_describe_man(struct text *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		text_printf(out, ".TP\n.B %s %s\n%s.\n", commands[i].name,
			    commands[i].words, commands[i].help);
	text_puts(out, ".TP\n.B index stats|verify|clear\n"
		       "count, check or remove the hour indexes.\n"
		       ".TP\n.B routes\nlist the URLs and their arguments.\n");
}
