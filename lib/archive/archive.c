#include "config.h"

#include "archive/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/segment.h"
#include "base/fsutil.h"

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

static bool is_absent(int error)
{
	/* EXDEV: a link that leads out is nothing to us. */
	return error == ENOENT || error == ENOTDIR || error == EXDEV ||
	       error == ELOOP || error == ENAMETOOLONG;
}

static void close_deferred(void *ptr)
{
	fs_close(ptr);
}

/* A place for a descriptor that the arena closes. */
static int *deferred_fd(struct arena *a)
{
	int *fd = ARENA_NEW(a, int);

	*fd = -1;
	arena_defer(a, close_deferred, fd);
	return fd;
}

static void release_list(void *ptr)
{
	fs_list_release(ptr);
}

/* Reads the directory beneath dir_fd; *fd_r is -1 if it is not there. */
static enum err read_directory(int dir_fd, const char *rel, struct arena *a,
			       struct fs_list **list_r, int *fd_r,
			       struct errmsg *e)
{
	struct fs_list *list = ARENA_NEW(a, struct fs_list);
	int *fd = deferred_fd(a);
	enum err err;

	arena_defer(a, release_list, list);
	*list_r = list;
	*fd_r = *fd = fs_open_beneath(dir_fd, rel, DIRECTORY_FLAGS);
	if (*fd < 0 && is_absent(errno))
		return ERR_OK;
	if (*fd < 0)
		return err_set(e, ERR_IO, "cannot open a directory: %s",
			       strerror(errno));
	err = fs_list_read(*fd, list, e);
	if (err)
		return err;
	fs_list_sort(list);
	return ERR_OK;
}

static enum err list_directories(const struct archive *archive,
				 struct arena *a, const char *rel,
				 struct name_list *list_r, struct errmsg *e)
{
	struct fs_list *found;
	enum err err;
	int fd;

	err = read_directory(archive->base_fd, rel, a, &found, &fd, e);
	if (err)
		return err;
	list_r->names = arena_alloc(a, (found->nr + 1) * sizeof(char *));
	list_r->nr = 0;
	for (size_t i = 0; i < found->nr; i++)
		if (found->entries[i].name[0] != '.' &&
		    fs_entry_is_dir(fd, &found->entries[i]))
			list_r->names[list_r->nr++] = found->entries[i].name;
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
	if (entry->name[0] == '.' || entry->type == DT_DIR)
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
	struct fs_list *found;
	const char *path;
	bool has_tombstones;
	enum err err;
	int fd;

	err = quality_path(a, channel, quality, &path, e);
	if (!err)
		err = archive_check_name(hour, e);
	if (!err)
		err = read_directory(archive->base_fd,
				     arena_printf(a, "%s/%s", path, hour), a,
				     &found, &fd, e);
	if (err)
		return err;
	has_tombstones = any_tombstone(found);
	list_r->names = arena_alloc(a, (found->nr + 1) * sizeof(char *));
	list_r->nr = 0;
	for (size_t i = 0; i < found->nr; i++)
		if (is_listed_file(found, &found->entries[i], tombstones,
				   has_tombstones))
			list_r->names[list_r->nr++] = found->entries[i].name;
	return ERR_OK;
}

struct extras {
	struct arena *arena;
	struct name_list *list;
	size_t capacity;
};

static enum err add_extra(struct extras *x, const char *path, struct errmsg *e)
{
	struct name_list *list = x->list;

	if (list->nr == ARCHIVE_MAX_EXTRAS)
		return err_set(e, ERR_LIMIT,
			       "more than %d files; ask for a directory below",
			       ARCHIVE_MAX_EXTRAS);
	if (list->nr == x->capacity) {
		const char **old = list->names;

		x->capacity = x->capacity ? x->capacity * 2 : 256;
		list->names = arena_alloc(x->arena,
					  x->capacity * sizeof(char *));
		if (list->nr)
			memcpy(list->names, old, list->nr * sizeof(char *));
	}
	list->names[list->nr++] = path;
	return ERR_OK;
}

static enum err collect_extras(struct extras *x, int dir_fd, const char *rel,
			       const char *shown, unsigned depth,
			       struct errmsg *e)
{
	struct fs_list *found;
	enum err err;
	int fd;

	if (depth > ARCHIVE_MAX_DEPTH)
		return err_set(e, ERR_LIMIT,
			       "directories more than %d deep",
			       ARCHIVE_MAX_DEPTH);
	err = read_directory(dir_fd, rel, x->arena, &found, &fd, e);
	for (size_t i = 0; !err && i < found->nr; i++) {
		const struct fs_entry *entry = &found->entries[i];
		const char *path;

		if (entry->name[0] == '.')
			continue;
		path = arena_printf(x->arena, "%s%s%s", shown,
				    *shown ? "/" : "", entry->name);
		/* Links to directories are not followed: they may be loops. */
		if (entry->type == DT_DIR)
			err = collect_extras(x, fd, entry->name, path,
					     depth + 1, e);
		else if (entry->type == DT_REG || entry->type == DT_LNK ||
			 !fs_entry_is_dir(fd, entry))
			err = add_extra(x, path, e);
	}
	return err;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum err archive_extras(const struct archive *archive, struct arena *a,
			const char *dir, struct name_list *list_r,
			struct errmsg *e)
{
	struct extras x = { .arena = a, .list = list_r };
	enum err err = archive_check_name(dir, e);

	*list_r = (struct name_list){ 0 };
	if (!err)
		err = collect_extras(&x, archive->base_fd, dir, "", 0, e);
	if (!err && list_r->nr)
		qsort(list_r->names, list_r->nr, sizeof(char *), by_text);
	return err;
}

bool archive_has_channel(const struct archive *archive, const char *channel)
{
	int fd = fs_open_beneath(archive->base_fd, channel,
				 O_PATH | O_DIRECTORY);
	bool found = fd >= 0;

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
	fd = fs_open_beneath(archive->base_fd, stone, O_PATH);
	if (fd < 0)
		return false;
	fs_close(&fd);
	return true;
}

static bool has_hidden_component(const char *path)
{
	return path[0] == '.' || strstr(path, "/.");
}

enum err archive_open_file(const struct archive *archive, const char *path,
			   int *fd_r, struct stat *st_r, struct errmsg *e)
{
	struct stat st;
	int fd = -1;

	if (has_hidden_component(path) || is_withdrawn(archive, path))
		goto absent;
	/* O_NONBLOCK: a FIFO must not hold us up. */
	fd = fs_open_beneath(archive->base_fd, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 && (is_absent(errno) || errno == ENXIO || errno == EACCES))
		goto absent;
	if (fd < 0)
		return err_set(e, ERR_IO, "cannot open a file: %s",
			       strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		goto absent;
	*fd_r = fd;
	*st_r = st;
	return ERR_OK;
absent:
	fs_close(&fd);
	return err_set(e, ERR_NOTFOUND, "no file '%s'", err_quote(path).text);
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
	if (q->fd < 0 && is_absent(errno))
		return err_set(e, ERR_NOTFOUND,
			       "no quality '%s' of channel '%s'",
			       err_quote(name).text, err_quote(channel).text);
	if (q->fd < 0)
		return err_set(e, ERR_IO, "cannot open a quality: %s",
			       strerror(errno));
	q->channel = channel;
	q->name = name;
	*quality_r = q;
	return ERR_OK;
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
		return err_set(e, is_absent(errno) ? ERR_NOTFOUND : ERR_IO,
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
