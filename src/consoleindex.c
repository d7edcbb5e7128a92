/*
 * consoleindex.c - index: what the cache directory holds, and of what use it
 * was.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "archive/hourstore.h"
#include "base/fsutil.h"
#include "console.h"
#include "media/edgestore.h"
#include "media/peakpack.h"

#define MAX_ANSWER ((size_t)16 * 1024)

struct sum {
	uint64_t nr;
	uint64_t bytes;
	int64_t first_used; /* seconds since 1970; valid if there is one */
	int64_t last_used;
};

static void add_file(struct sum *sum, const struct stat *st)
{
	int64_t used =
		st->st_atime > st->st_mtime ? st->st_atime : st->st_mtime;

	if (!sum->nr || used < sum->first_used)
		sum->first_used = used;
	if (!sum->nr || used > sum->last_used)
		sum->last_used = used;
	sum->nr++;
	sum->bytes += (uint64_t)st->st_size;
}

/* Adds the files of a directory, and of those below to a depth. */
static void add_dir(struct sum *sum, int dir_fd, const char *name, int depth)
{
	int fd = openat(dir_fd, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct fs_list list = { 0 };
	struct errmsg e;

	if (fd < 0 || fs_list_read(fd, &list, &e))
		list.nr = 0;
	for (size_t i = 0; i < list.nr; i++) {
		const char *entry = list.entries[i].name;
		struct stat st;

		/* Those that begin with a dot are being written. */
		if (entry[0] == '.' ||
		    fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			add_file(sum, &st);
		else if (depth && S_ISDIR(st.st_mode))
			add_dir(sum, fd, entry, depth - 1);
	}
	fs_list_release(&list);
	fs_close(&fd);
}

static void put_time(struct text *out, int64_t seconds)
{
	char text[32];
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		text_puts(out, text);
}

static void put_sum(struct text *out, const char *what, const struct sum *sum,
		    uint32_t max_mb)
{
	text_printf(out, "%-6s %llu files, %.1f of %u MB", what,
		    (unsigned long long)sum->nr, (double)sum->bytes / 1e6,
		    max_mb);
	if (sum->nr) {
		text_puts(out, ", used from ");
		put_time(out, sum->first_used);
		text_puts(out, " to ");
		put_time(out, sum->last_used);
	}
	text_putc(out, '\n');
}

static void put_directory(struct console_peer *peer, struct text *out)
{
	const struct settings *s = peer->shared->settings;
	const char *dir = settings_cache_dir(s, &peer->arena);
	struct sum hours = { 0 }, edges = { 0 }, peaks = { 0 };
	int fd;

	if (!dir) {
		text_puts(out, "there is no cache directory\n");
		return;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		add_dir(&hours, fd, HOURSTORE_VERSION_DIR, 2);
		add_dir(&edges, fd, EDGESTORE_DIR, 0);
		add_dir(&peaks, fd, PEAKPACK_DIR, 0);
	}
	fs_close(&fd);
	text_puts(out, "in '");
	console_quote(out, dir);
	text_puts(out, "':\n");
	put_sum(out, "hours", &hours, s->cache_max_mb);
	put_sum(out, "edges", &edges, s->edges_max_mb);
	put_sum(out, "peaks", &peaks, s->peaks_max_mb);
}

static void put_counters(const struct metrics *m, struct text *out)
{
	static const struct {
		enum metric metric;
		const char *what;
	} rows[] = {
		{ METRIC_INDEX_HITS, "from memory" },
		{ METRIC_INDEX_MAPPED, "mapped from the cache" },
		{ METRIC_INDEX_RELISTED, "listed again and unchanged" },
		{ METRIC_INDEX_REBUILDS, "built from a listing" },
	};
	uint64_t nr[ARRAY_SIZE(rows)];
	uint64_t total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		total += nr[i] = metrics_get(m, rows[i].metric);
	text_puts(out, "hours looked into, since the server began:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		text_printf(out, "%12llu %5.1f %% %s\n",
			    (unsigned long long)nr[i],
			    total ? (double)nr[i] * 100 / (double)total : 0,
			    rows[i].what);
	text_printf(
		out, "%12llu stored, %llu not, %llu found bad\n",
		(unsigned long long)metrics_get(m, METRIC_INDEX_STORED),
		(unsigned long long)metrics_get(m, METRIC_INDEX_STORE_FAILURES),
		(unsigned long long)metrics_get(m, METRIC_INDEX_DISCARDED));
}

enum err console_index(struct console_peer *peer)
{
	struct text *out = text_new(&peer->arena, MAX_ANSWER);

	put_directory(peer, out);
	put_counters(peer->shared->metrics, out);
	return console_answer(peer, out);
}
