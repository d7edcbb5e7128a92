/*
 * worker.c - one request after the other; see process.h.
 *
 * Signals are blocked everywhere but inside epoll_pwait (and SIGPROF there, but
 * not while an answer is made; see profile.h): libfcgi drops a live
 * connection when a signal interrupts the poll it does after accept, and cuts
 * a blocked write short.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access.h"
#include "base/fsutil.h"
#include "base/log.h"
#include "fastcgi.h"
#include "observe.h"
#include "profile.h"
#include "process.h"
#include "request.h"
#include "response.h"
#include "route.h"
#include "status.h"

struct worker {
	struct server server;
	struct fastcgi fastcgi;
	struct request req;
	const struct shared *shared;
	struct slot_info *slot;
	int epoll_fd;
	bool is_heavy;	/* forked for one request */
	bool is_relief; /* in mid-answer: only to send the rest */
	bool is_alone;	/* no master, no heavy processes */
	bool answers;	/* a request that is not in the access log yet */
};

static struct worker worker;
static volatile sig_atomic_t must_stop;
static volatile sig_atomic_t must_reopen;

static void on_stop(int number)
{
	UNUSED(number);
	must_stop = 1;
}

static void on_reopen(int number)
{
	UNUSED(number);
	must_reopen = 1;
}

static void on_child(int number)
{
	UNUSED(number); /* only to wake epoll_pwait */
}

/* Before anything else that is done at the end of an answer. */
static struct access end_of_answer(enum err why, enum err sent)
{
	struct access access = { .is_heavy = worker.is_heavy,
				 .is_relief = worker.is_relief,
				 .why = why,
				 .sent = sent };

	clock_gettime(CLOCK_MONOTONIC, &access.ended);
	return access;
}

static void log_access(const struct access *access)
{
	worker.answers = false;
	access_log(&worker.req, &worker.fastcgi, access);
	/* It is told of.  The slot may be another's already. */
	if (worker.slot->owner == owner_self())
		slotnote_clear(&worker.slot->note);
}

/*
 * Somebody truncated a file that is mapped: this process can't go on.  The
 * signal is of a read from the map, which is made in no function that has a
 * lock; so what the log calls may be called.
 */
static void on_bus(int number)
{
	struct access access = end_of_answer(ERR_CORRUPT, ERR_CORRUPT);

	UNUSED(number);
	log_error("a mapped file was truncated: this process ends");
	if (worker.answers)
		log_access(&access);
	log_flush();
	_exit(EXIT_FAILURE);
}

static void set_handler(int number, void (*fn)(int))
{
	struct sigaction action = { .sa_handler = fn };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* After FCGX_Init(), which sets handlers of its own. */
static void set_handlers(void)
{
	set_handler(SIGTERM, on_stop);
	set_handler(SIGINT, on_stop);
	set_handler(SIGQUIT, on_stop);
	set_handler(SIGHUP, on_stop);
	set_handler(SIGUSR1, on_reopen);
	set_handler(SIGUSR2, SIG_IGN);
	set_handler(SIGPIPE, SIG_IGN);
	set_handler(SIGCHLD, on_child);
	set_handler(SIGBUS, on_bus);
}

static enum err expect_long(struct client *c, struct errmsg *e)
{
	UNUSED(c);
	if (worker.is_heavy || worker.is_alone ||
	    scoreboard_has_room(worker.shared->board))
		return ERR_OK;
	metrics_add(worker.shared->metrics, METRIC_HEAVY_REFUSED, 1);
	return heavy_refuse(worker.shared->board, e);
}

/* A hostile segment must not take the machine's memory with it. */
static void limit_memory(const struct settings *settings)
{
	rlim_t bytes = (rlim_t)settings->heavy_memory_mb << 20;
	struct rlimit limit = { bytes, bytes };

#ifdef __SANITIZE_ADDRESS__
	bytes = 0; /* its shadow takes terabytes */
#endif
	if (bytes)
		setrlimit(RLIMIT_AS, &limit);
}

static enum err go_heavy(struct client *c, struct errmsg *e)
{
	enum err err;

	UNUSED(c);
	if (worker.is_heavy || worker.is_alone)
		return ERR_OK;
	/* Or both processes would count what was done so far. */
	server_count_cache(&worker.server);
	err = heavy_fork(worker.shared->board, &worker.slot, e);
	if (err == ERR_OK) {
		worker.is_heavy = true;
		worker.fastcgi.progress = &worker.slot->progress;
		profile_file_under("heavy", &worker.slot->route);
		limit_memory(worker.shared->settings);
		worker.is_relief = worker.fastcgi.has_begun;
		close(worker.epoll_fd);
		fs_close(&worker.shared->listener->fd);
		metrics_add(worker.shared->metrics, METRIC_HEAVY_STARTED, 1);
	} else if (err == ERR_BUSY) {
		metrics_add(worker.shared->metrics, METRIC_HEAVY_REFUSED, 1);
	}
	return err;
}

/* Before a client can know that it has the whole answer. */
static void count_request(struct client *c)
{
	UNUSED(c);
	observe_request(&worker.req, worker.req.status);
}

static void read_headers(struct request *req, const struct fastcgi *f)
{
	req->headers = (struct request_headers){
		.accept_encoding = fastcgi_param(f, "HTTP_ACCEPT_ENCODING"),
		.if_match = fastcgi_param(f, "HTTP_IF_MATCH"),
		.if_none_match = fastcgi_param(f, "HTTP_IF_NONE_MATCH"),
		.if_range = fastcgi_param(f, "HTTP_IF_RANGE"),
		.range = fastcgi_param(f, "HTTP_RANGE"),
	};
}

/* Takes the id that the front server gave, or else the client. */
static void read_id(struct request *req, const struct fastcgi *f)
{
	request_set_id(req, fastcgi_param(f, "HTTP_X_REQUEST_ID"));
	request_set_id(req, fastcgi_param(f, "REQUEST_ID"));
	log_set_request(req->id);
}

static enum err answer(struct request *req, const char *uri)
{
	uint64_t max_body = (uint64_t)req->server->settings->max_body_mb << 20;
	struct slot_info *slot = worker.slot;
	enum err err;

	slotnote_write(&slot->note, req->id,
		       fastcgi_param(&worker.fastcgi, "REMOTE_ADDR"), uri);
	err = request_set_uri(req, uri);

	if (!err)
		err = route_find(req);
	/* An unread body would reset the connection under the answer. */
	if ((err || !(req->route->flags & ROUTE_POST)) &&
	    fastcgi_drain(&worker.fastcgi, max_body, &req->error))
		return ERR_LIMIT;
	if (req->method == METHOD_OPTIONS)
		return response_send_options(req);
	slot->method = (int)req->method;
	slot->route = route_number(req->route);
	return err ? err : route_run(req);
}

/* Logs what stopped an answer, once; the client's own doings are not news. */
static void log_failure(const struct request *req, const char *uri,
			enum err err, bool was_begun)
{
	if (err == ERR_GONE)
		metrics_add(worker.shared->metrics, METRIC_CLIENTS_GONE, 1);
	else if (was_begun || status_of(err) == 500)
		log_error("%s %.200s: %s", method_names[req->method], uri,
			  req->error.text);
	if (was_begun && err != ERR_GONE)
		metrics_add(worker.shared->metrics, METRIC_ANSWERS_BROKEN, 1);
}

/* Of an answer that broke off, what was said when it began is not true. */
static int real_status(const struct request *req, enum err err)
{
	return err == ERR_OK   ? req->status :
	       err == ERR_GONE ? status_of(ERR_GONE) :
				 status_of(ERR_IO);
}

/* Another process answers now, and says how that ended. */
static void let_go(void)
{
	worker.answers = false;
	slotnote_clear(&worker.slot->note);
	log_set_request(NULL);
	fastcgi_detach(&worker.fastcgi);
	request_end(&worker.req);
	hourcache_flush(worker.server.cache);
}

static void serve(void)
{
	struct fastcgi *f = &worker.fastcgi;
	struct request *req = &worker.req;
	const char *uri = fastcgi_param(f, "REQUEST_URI");
	struct access access;
	bool was_begun;
	enum err err, why;

	request_begin(req, &worker.server, &f->client,
		      method_of(fastcgi_param(f, "REQUEST_METHOD")));
	worker.answers = true;
	read_id(req, f);
	read_headers(req, f);
	server_follow(&worker.server);
	err = answer(req, uri);
	if (err == ERR_HANDED) {
		let_go();
		return;
	}
	/*
	 * Now, not at the end: who has got the last byte may ask for the next
	 * cut at once, and must not find this one's place taken.
	 */
	if (worker.is_heavy)
		slot_free(worker.slot);
	places_free_of(&worker.shared->board->full, owner_self());
	was_begun = f->has_begun;
	why = err;
	if (err)
		log_failure(req, uri, err, was_begun);
	if (err && !was_begun && err != ERR_GONE)
		err = response_send_error(req, err);
	access = end_of_answer(why, err);
	if (err == ERR_GONE && !f->header_us)
		req->status = status_of(ERR_GONE);
	metrics_add(worker.shared->metrics, METRIC_BYTES_SENT, f->body_bytes);
	server_count_cache(&worker.server);
	if (!f->is_near_end)
		observe_request(req, real_status(req, err));
	log_access(&access);
	log_set_request(NULL);
	fastcgi_finish(f, err == ERR_OK);
	request_end(req);
	/* The worker that planned the answer stores what it has built. */
	if (!worker.is_relief)
		hourcache_flush(worker.server.cache);
}

/* Waits for something to happen; whether a connection may be waiting. */
static bool wait_for_request(const sigset_t *open_mask)
{
	struct epoll_event event;
	int n = epoll_pwait(worker.epoll_fd, &event, 1, -1, open_mask);

	return n > 0;
}

static void follow_log(void)
{
	if (!must_reopen)
		return;
	must_reopen = 0;
	if (worker.is_alone)
		log_reopen();
	else
		log_follow(); /* the master */
}

/* When to retire: around the maximum, so that not all do so at once. */
static uint32_t request_limit(const struct settings *settings)
{
	uint32_t max = settings->max_requests;

	if (!max)
		return UINT32_MAX;
	return max - max / 10 + (uint32_t)getpid() % (max / 5 + 1);
}

/* For the sum of processes, when this one is gone. */
static void note_cpu(void)
{
	struct rusage usage;

	if (!worker.is_alone)
		return;
	getrusage(RUSAGE_SELF, &usage);
	worker.slot->cpu_ms =
		(uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
			1000 +
		(uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
			1000;
}

static void begin_answer(struct slot_info *slot)
{
	slot->progress.sent = 0;
	slot->progress.length = LENGTH_UNKNOWN;
	slotnote_clear(&slot->note);
	slot_enter(slot, SLOT_LIGHT);
	profile_allow();
}

static void loop(void)
{
	uint32_t limit = request_limit(worker.shared->settings);
	bool is_astray = false;
	sigset_t open_mask;

	sigemptyset(&open_mask);
	/* Who waits is not sampled. */
	sigaddset(&open_mask, SIGPROF);
	worker.fastcgi.progress = &worker.slot->progress;
	profile_file_under("worker", &worker.slot->route);
	slot_enter(worker.slot, SLOT_IDLE);
	while (!must_stop && !is_astray && worker.slot->nr_served < limit) {
		bool has_come = wait_for_request(&open_mask);

		/* Alone, what has come is ours to answer. */
		is_astray = server_is_astray(&worker.server) ||
			    sharedarea_is_gone(worker.shared->area);
		if (is_astray && !worker.is_alone)
			break;
		/* Not into a directory that it may not write to. */
		follow_log();
		heavy_reap(worker.shared->board);
		if (!has_come || must_stop)
			continue;
		slot_enter(worker.slot, SLOT_READING);
		if (fastcgi_accept(&worker.fastcgi)) {
			begin_answer(worker.slot);
			serve();
			profile_forbid();
			if (worker.is_heavy) {
				log_flush();
				_exit(EXIT_SUCCESS);
			}
			worker.slot->nr_served++;
			note_cpu();
		}
		slot_enter(worker.slot, SLOT_IDLE);
	}
}

void block_signals(sigset_t *set)
{
	static const int numbers[] = { SIGTERM, SIGINT,	 SIGQUIT, SIGHUP,
				       SIGUSR1, SIGUSR2, SIGCHLD };

	/* SIGPROF is not among them: see profile.h. */
	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(set, numbers[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static bool set_up(const struct shared *shared, struct slot_info *slot,
		   bool is_alone)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct errmsg e;

	worker = (struct worker){
		.shared = shared,
		.slot = slot,
		.is_alone = is_alone,
		.server.metrics = shared->metrics,
		.server.board = shared->board,
		.server.profile = shared->profile,
	};
	if (server_open(&worker.server, shared->settings, &e) ||
	    fastcgi_init(&e)) {
		log_error("%s", e.text);
		return false;
	}
	server_confine(&worker.server);
	set_handlers();
	fastcgi_open(&worker.fastcgi, shared->listener->fd, expect_long,
		     go_heavy, count_request);
	/* Whoever starts single processes is mod_fcgid, or of its kind. */
	worker.fastcgi.client.needs_length = is_alone;
	worker.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker.epoll_fd < 0 ||
	    epoll_ctl(worker.epoll_fd, EPOLL_CTL_ADD, shared->listener->fd,
		      &event) < 0) {
		log_error("cannot watch the listening socket: %s",
			  strerror(errno));
		return false;
	}
	return true;
}

int worker_run(const struct shared *shared, struct slot_info *slot,
	       bool is_alone)
{
	sigset_t blocked;

	block_signals(&blocked); /* as yet only a master has */
	slot->owner = owner_self();
	slot->nr_served = 0;
	if (!set_up(shared, slot, is_alone))
		return EXIT_FAILURE;
	loop();
	server_close(&worker.server);
	arena_release(&worker.req.arena);
	return EXIT_SUCCESS;
}

int worker_run_alone(const struct shared *shared)
{
	static struct slot_info unlisted;
	struct scoreboard *board = shared->board;
	struct slot_info *slot = scoreboard_take_worker(board, owner_self());
	int status;

	if (!slot)
		log_warning("more than %u processes serve '%s': this one is "
			    "not among the workers counted",
			    board->nr_workers, shared->settings->base);
	status = worker_run(shared, slot ? slot : &unlisted, true);
	places_free_of(&board->edges, owner_self());
	places_free_of(&board->full, owner_self());
	if (slot) {
		board->cpu_ms_gone += slot->cpu_ms;
		slot_free(slot);
	}
	return status;
}
