#include "config.h"

#include "archive/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/segment.h"
#include "base/fsutil.h"
#include "base/uri.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY)

enum err archive_open(struct archive *archive, const char *base,
		      struct errmsg *e)
{
	archive->base_fd = open(base, DIRECTORY_FLAGS | O_CLOEXEC);
	if (archive->base_fd < 0)
		return err_set(e, ERR_IO, "cannot open the archive '%s': %s",
			       base, strerror(errno));
	return ERR_OK;
}

void archive_close(struct archive *archive)
{
	fs_close(&archive->base_fd);
}

enum err archive_check_name(const char *name, struct errmsg *e)
{
	if (name[0] == '.')
		return err_set(e, ERR_FORBIDDEN,
			       "names that begin with a dot are hidden");
	if (!name[0] || strchr(name, '/'))
		return err_set(e, ERR_NOTFOUND, "no such name '%s'",
			       err_quote(name).text);
	return ERR_OK;
}

static void close_deferred(void *ptr)
{
	fs_close(ptr);
}

/* A directory that was read; fd is -1 if it is not there. */
struct directory {
	int fd;
	struct fs_list list; /* sorted */
};

/* The arena does this too; what is not needed that long goes before. */
static void close_directory(void *ptr)
{
	struct directory *dir = ptr;

	fs_list_release(&dir->list);
	fs_close(&dir->fd);
}

static enum err read_directory(int dir_fd, const char *rel, struct arena *a,
			       struct directory **dir_r, struct errmsg *e)
{
	struct directory *dir = ARENA_NEW(a, struct directory);
	enum err err;

	dir->fd = -1;
	arena_defer(a, close_directory, dir);
	dir->fd = fs_open_beneath(dir_fd, rel, DIRECTORY_FLAGS);
	if (dir->fd < 0 && !fs_is_absent(errno))
		return err_set(e, ERR_IO, "cannot open a directory: %s",
			       strerror(errno));
	if (dir->fd >= 0) {
		err = fs_list_read(dir->fd, &dir->list, e);
		if (err)
			return err;
		fs_list_sort(&dir->list);
	}
	*dir_r = dir;
	return ERR_OK;
}

/*
 * Hidden names are not listed, nor those that no URL can ask for, which would
 * spoil a list for whoever reads it.
 */
static bool is_listed_name(const struct fs_entry *entry)
{
	for (const char *p = entry->name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return entry->name[0] != '.' && uri_is_utf8(entry->name, entry->len);
}

/*
 * The type of an entry of the directory rel, as we may follow it: DT_REG,
 * DT_DIR, or DT_UNKNOWN for all else, such as a link that leads out of BASE.
 */
static unsigned char type_of(const struct archive *archive, struct arena *a,
			     const char *rel, const struct fs_entry *entry)
{
	struct stat st;
	bool known;
	int fd;

	if (entry->type != DT_LNK && entry->type != DT_UNKNOWN)
		return entry->type;
	fd = fs_open_beneath(archive->base_fd,
			     arena_printf(a, "%s/%s", rel, entry->name),
			     O_PATH);
	known = fd >= 0 && fstat(fd, &st) == 0;
	fs_close(&fd);
	if (known && S_ISDIR(st.st_mode))
		return DT_DIR;
	return known && S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
}

static enum err list_directories(const struct archive *archive, struct arena *a,
				 const char *rel, struct name_list *list_r,
				 struct errmsg *e)
{
	struct name_list list = { 0 };
	struct directory *dir;
	enum err err;

	err = read_directory(archive->base_fd, rel, a, &dir, e);
	if (err)
		return err;
	list.names = arena_alloc(a, (dir->list.nr + 1) * sizeof(char *));
	for (size_t i = 0; i < dir->list.nr; i++) {
		const struct fs_entry *entry = &dir->list.entries[i];

		if (is_listed_name(entry) &&
		    type_of(archive, a, rel, entry) == DT_DIR)
			list.names[list.nr++] = entry->name;
	}
	*list_r = list;
	return ERR_OK;
}

enum err archive_channels(const struct archive *archive, struct arena *a,
			  struct name_list *list_r, struct errmsg *e)
{
	return list_directories(archive, a, ".", list_r, e);
}

enum err archive_qualities(const struct archive *archive, struct arena *a,
			   const char *channel, struct name_list *list_r,
			   struct errmsg *e)
{
	enum err err = archive_check_name(channel, e);

	return err ? err : list_directories(archive, a, channel, list_r, e);
}

/* "CHANNEL/QUALITY" after both names were checked. */
static enum err quality_path(struct arena *a, const char *channel,
			     const char *quality, const char **path_r,
			     struct errmsg *e)
{
	enum err err = archive_check_name(channel, e);

	if (!err)
		err = archive_check_name(quality, e);
	if (!err)
		*path_r = arena_printf(a, "%s/%s", channel, quality);
	return err;
}

enum err archive_hours(const struct archive *archive, struct arena *a,
		       const char *channel, const char *quality,
		       struct name_list *list_r, struct errmsg *e)
{
	const char *path;
	enum err err = quality_path(a, channel, quality, &path, e);

	return err ? err : list_directories(archive, a, path, list_r, e);
}

static int compare_to_entry(const void *key, const void *entry)
{
	return strcmp(key, ((const struct fs_entry *)entry)->name);
}

/* Whether the sorted list holds the tombstone of a ".ts" name. */
static bool is_tombstoned(const struct fs_list *list, const char *name,
			  size_t len)
{
	char stone[NAME_MAX + sizeof(TOMBSTONE_SUFFIX)];
	size_t stem = len - strlen(SEGMENT_SUFFIX);

	memcpy(stone, name, stem);
	strcpy(stone + stem, TOMBSTONE_SUFFIX);
	return bsearch(stone, list->entries, list->nr, sizeof(*list->entries),
		       compare_to_entry) != NULL;
}

static bool is_listed_file(const struct fs_list *list,
			   const struct fs_entry *entry, bool tombstones,
			   bool has_tombstones)
{
	if (!is_listed_name(entry) || !fs_may_be_file(entry))
		return false;
	if (segment_has_suffix(entry->name, entry->len, SEGMENT_SUFFIX))
		return !has_tombstones ||
		       !is_tombstoned(list, entry->name, entry->len);
	if (segment_has_suffix(entry->name, entry->len, TOMBSTONE_SUFFIX))
		return tombstones;
	return segment_has_suffix(entry->name, entry->len, ".json");
}

static bool any_tombstone(const struct fs_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		if (segment_has_suffix(list->entries[i].name,
				       list->entries[i].len, TOMBSTONE_SUFFIX))
			return true;
	return false;
}

enum err archive_files(const struct archive *archive, struct arena *a,
		       const char *channel, const char *quality,
		       const char *hour, bool tombstones,
		       struct name_list *list_r, struct errmsg *e)
{
	struct name_list list = { 0 };
	struct directory *dir;
	const char *path;
	bool has_tombstones;
	enum err err;

	err = quality_path(a, channel, quality, &path, e);
	if (!err)
		err = archive_check_name(hour, e);
	if (!err)
		err = read_directory(archive->base_fd,
				     arena_printf(a, "%s/%s", path, hour), a,
				     &dir, e);
	if (err)
		return err;
	has_tombstones = any_tombstone(&dir->list);
	list.names = arena_alloc(a, (dir->list.nr + 1) * sizeof(char *));
	for (size_t i = 0; i < dir->list.nr; i++)
		if (is_listed_file(&dir->list, &dir->list.entries[i],
				   tombstones, has_tombstones))
			list.names[list.nr++] = dir->list.entries[i].name;
	*list_r = list;
	return ERR_OK;
}

struct extras {
	const struct archive *archive;
	struct arena *arena;
	struct name_list list;
	size_t capacity;
};

static enum err add_extra(struct extras *x, const char *path, struct errmsg *e)
{
	struct name_list *list = &x->list;

	if (list->nr == ARCHIVE_MAX_EXTRAS)
		return err_set(e, ERR_LIMIT,
			       "more than %d files; ask for a directory below",
			       ARCHIVE_MAX_EXTRAS);
	if (list->nr == x->capacity) {
		const char **old = list->names;

		x->capacity = x->capacity ? x->capacity * 2 : 256;
		list->names =
			arena_alloc(x->arena, x->capacity * sizeof(char *));
		if (list->nr)
			memcpy(list->names, old, list->nr * sizeof(char *));
	}
	list->names[list->nr++] = path;
	return ERR_OK;
}

/* rel is the directory beneath BASE, shown what is listed of it. */
static enum err collect_extras(struct extras *x, const char *rel,
			       const char *shown, unsigned depth,
			       struct errmsg *e)
{
	struct directory *dir;
	enum err err;

	if (depth > ARCHIVE_MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "directories more than %d deep",
			       ARCHIVE_MAX_DEPTH);
	err = read_directory(x->archive->base_fd, rel, x->arena, &dir, e);
	for (size_t i = 0; !err && i < dir->list.nr; i++) {
		const struct fs_entry *entry = &dir->list.entries[i];
		unsigned char type;
		const char *path;

		if (!is_listed_name(entry))
			continue;
		type = type_of(x->archive, x->arena, rel, entry);
		path = arena_printf(x->arena, "%s%s%s", shown,
				    *shown ? "/" : "", entry->name);
		/* Links to directories are not followed: they may be loops. */
		if (type == DT_DIR && entry->type != DT_LNK)
			err = collect_extras(x,
					     arena_printf(x->arena, "%s/%s",
							  rel, entry->name),
					     path, depth + 1, e);
		else if (type == DT_REG)
			err = add_extra(x, path, e);
	}
	if (!err)
		close_directory(dir); /* there may be very many */
	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_hidden_component(const char *path)
{
	return path[0] == '.' || strstr(path, "/.");
}

enum err archive_extras(const struct archive *archive, struct arena *a,
			const char *dir, struct name_list *list_r,
			struct errmsg *e)
{
	struct extras x = { .archive = archive, .arena = a };
	enum err err;

	if (has_hidden_component(dir))
		return err_set(e, ERR_FORBIDDEN,
			       "names that begin with a dot are hidden");
	if (!*dir || *dir == '/')
		return err_set(e, ERR_NOTFOUND, "no such directory '%s'",
			       err_quote(dir).text);
	err = collect_extras(&x, dir, "", 0, e);
	if (err)
		return err;
	if (x.list.nr)
		qsort(x.list.names, x.list.nr, sizeof(char *), by_text);
	*list_r = x.list;
	return ERR_OK;
}

bool archive_has_channel(const struct archive *archive, const char *channel)
{
	struct errmsg e;
	bool found;
	int fd;

	if (archive_check_name(channel, &e))
		return false;
	fd = fs_open_beneath(archive->base_fd, channel, O_PATH | O_DIRECTORY);
	found = fd >= 0;
	fs_close(&fd);
	return found;
}

/* Whether a path names a segment that is being written or was deleted. */
static bool is_withdrawn(const struct archive *archive, const char *path)
{
	char stone[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t len = strlen(path);
	struct segment seg;
	int fd;

	if (!segment_has_suffix(name, strlen(name), SEGMENT_SUFFIX))
		return false;
	if (segment_parse(0, name, strlen(name), &seg) &&
	    seg.kind == SEGMENT_TEMP)
		return true;
	if (len + sizeof(TOMBSTONE_SUFFIX) > sizeof(stone))
		return true;
	memcpy(stone, path, len);
	strcpy(stone + len - strlen(SEGMENT_SUFFIX), TOMBSTONE_SUFFIX);
	/* The name decides, whatever it may be a link to. */
	fd = fs_open_beneath(archive->base_fd, stone, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return false;
	fs_close(&fd);
	return true;
}

enum err archive_open_file(const struct archive *archive, const char *path,
			   int *fd_r, struct stat *st_r, struct errmsg *e)
{
	int fd;

	if (has_hidden_component(path) || is_withdrawn(archive, path))
		return err_set(e, ERR_NOTFOUND, "no file '%s'",
			       err_quote(path).text);
	fd = fs_open_file(archive->base_fd, path, st_r);
	if (fd < 0)
		return fs_open_error(path, e);
	*fd_r = fd;
	return ERR_OK;
}

enum err archive_quality(const struct archive *archive, struct arena *a,
			 const char *channel, const char *name,
			 struct quality **quality_r, struct errmsg *e)
{
	struct quality *q = ARENA_NEW(a, struct quality);
	const char *path;
	enum err err;

	q->fd = -1;
	arena_defer(a, close_deferred, &q->fd);
	err = quality_path(a, channel, name, &path, e);
	if (err)
		return err;
	q->fd = fs_open_beneath(archive->base_fd, path, O_PATH | O_DIRECTORY);
	if (q->fd < 0 && fs_is_absent(errno))
		return err_set(e, ERR_NOTFOUND,
			       "no quality '%s' of channel '%s'",
			       err_quote(name).text, err_quote(channel).text);
	if (q->fd < 0)
		return err_set(e, ERR_IO, "cannot open a quality: %s",
			       strerror(errno));
	q->archive = archive;
	q->channel = channel;
	q->name = name;
	*quality_r = q;
	return ERR_OK;
}

int quality_open(const struct quality *quality, const char *rel, int flags)
{
	char path[PATH_MAX];
	int fd = fs_open_beneath(quality->fd, rel, flags);
	int n;

	if (fd >= 0 || errno != EXDEV)
		return fd;
	/* A link leads out of the quality, but maybe not out of BASE. */
	n = snprintf(path, sizeof(path), "%s/%s/%s", quality->channel,
		     quality->name, rel);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return fs_open_beneath(quality->archive->base_fd, path, flags);
}

enum err archive_hour_span(const struct quality *quality, usec_t *first_r,
			   usec_t *end_r, struct errmsg *e)
{
	struct fs_list list = { 0 };
	usec_t first = INT64_MAX;
	usec_t last = INT64_MIN;
	enum err err;
	int fd = fs_open_beneath(quality->fd, ".", DIRECTORY_FLAGS);

	if (fd < 0)
		return err_set(e, fs_is_absent(errno) ? ERR_NOTFOUND : ERR_IO,
			       "cannot list quality '%s': %s",
			       err_quote(quality->name).text, strerror(errno));
	err = fs_list_read(fd, &list, e);
	for (size_t i = 0; !err && i < list.nr; i++) {
		usec_t hour;

		if (!utime_parse_hour(list.entries[i].name, &hour) ||
		    !fs_entry_is_dir(fd, &list.entries[i]))
			continue;
		first = hour < first ? hour : first;
		last = hour > last ? hour : last;
	}
	fs_list_release(&list);
	fs_close(&fd);
	if (err)
		return err;
	if (last == INT64_MIN)
		return err_set(e, ERR_NOTFOUND,
			       "quality '%s' of channel '%s' has no hours",
			       err_quote(quality->name).text,
			       err_quote(quality->channel).text);
	*first_r = first;
	*end_r = last + USEC_PER_HOUR;
	return ERR_OK;
}
