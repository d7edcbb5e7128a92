#include "config.h"

#include "archive/chatlist.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <xxhash.h>

#include "base/fsutil.h"

#define MAX_PASSES 20
#define SUFFIX	   ".json"
#define HASH_AT	   6 /* in "MM:SS-HASH.json" */

static bool is_absent(int error)
{
	/* A link that leads out, or to nothing, is nothing to us. */
	return error == ENOENT || error == ENOTDIR || error == EXDEV ||
	       error == ELOOP;
}

static bool is_hash_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

bool chatlist_parse_name(usec_t hour_us, const char *name, size_t len,
			 usec_t *time_r)
{
	const size_t suffix = strlen(SUFFIX);
	int64_t minute, second;

	if (len <= HASH_AT + suffix || name[2] != ':' || name[5] != '-' ||
	    memcmp(name + len - suffix, SUFFIX, suffix) != 0)
		return false;
	for (size_t i = HASH_AT; i < len - suffix; i++)
		if (!is_hash_char(name[i]))
			return false;
	minute = utime_take_digits(name, 2);
	second = utime_take_digits(name + 3, 2);
	if (minute < 0 || minute > 59 || second < 0 || second > 59)
		return false;
	*time_r = hour_us + (minute * 60 + second) * USEC_PER_SEC;
	return true;
}

bool chat_file_equal(const struct chat_file *a, const struct chat_file *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int64_t nanoseconds(const struct timespec *t)
{
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static void set_file(struct chat_file *file, const struct stat *st)
{
	file->dev = st->st_dev;
	file->ino = st->st_ino;
	file->size = (uint64_t)st->st_size;
	file->mtime_ns = nanoseconds(&st->st_mtim);
	file->ctime_ns = nanoseconds(&st->st_ctim);
}

int chatlist_open(const struct quality *chat, const struct chat_file *file,
		  bool *is_gone_r)
{
	struct chat_file now;
	struct stat st;
	/* O_NONBLOCK: a FIFO must not hold us up. */
	int fd = quality_open(chat, file->path, O_RDONLY | O_NONBLOCK);
	int error = errno;

	*is_gone_r = fd < 0 && (is_absent(error) || error == ENXIO);
	if (fd >= 0 && fstat(fd, &st) < 0) {
		error = errno;
		fs_close(&fd);
	} else if (fd >= 0) {
		set_file(&now, &st);
		*is_gone_r = !chat_file_equal(&now, file);
		if (*is_gone_r)
			fs_close(&fd);
	}
	errno = error;
	return fd;
}

/* Listing */

struct pass {
	const struct quality *chat;
	usec_t after_us;
	usec_t before_us;
	struct chatlist *list;
};

static bool is_temporary(const struct fs_entry *entry)
{
	static const char *const suffixes[] = { ".temp", ".tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t len = strlen(suffixes[i]);

		if (entry->len >= len &&
		    !memcmp(entry->name + entry->len - len, suffixes[i], len))
			return true;
	}
	return false;
}

static void ignore(struct pass *pass, const char *hour,
		   const struct fs_entry *entry)
{
	struct chatlist *list = pass->list;
	const char *path;

	if (is_temporary(entry) || list->nr_ignored++ >= CHATLIST_MAX_IGNORED)
		return;
	path = arena_printf(&list->arena, "%s/%s", hour, entry->name);
	list->ignored[list->nr_ignored - 1] = (struct chat_ignored){
		.path = path, .hash = XXH3_64bits(path, strlen(path))
	};
}

/* 0 if it is a regular file, -1 if it is none, 1 if it is gone. */
static int look_at(const struct pass *pass, int dir_fd,
		   const struct fs_entry *entry, struct chat_file *file)
{
	struct stat st;
	int status, fd;

	if (!fs_may_be_file(entry))
		return -1;
	status = fstatat(dir_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW);
	if (!status && S_ISLNK(st.st_mode)) {
		fd = quality_open(pass->chat, file->path, O_PATH);
		status = fd < 0 ? -1 : fstat(fd, &st);
		fs_close(&fd);
		if (status < 0)
			return -1;
	}
	if (status < 0)
		return 1;
	if (!S_ISREG(st.st_mode))
		return -1;
	set_file(file, &st);
	return 0;
}

/* Adds a file to the hash of those before it. */
static void chain(struct chatlist *list, const struct chat_file *file)
{
	const uint64_t key[] = {
		list->hash[0],
		list->hash[1],
		XXH3_64bits(file->path, strlen(file->path)),
		file->dev,
		file->ino,
		file->size,
		(uint64_t)file->mtime_ns,
		(uint64_t)file->ctime_ns,
	};
	XXH128_hash_t hash = XXH3_128bits(key, sizeof(key));

	list->hash[0] = hash.low64;
	list->hash[1] = hash.high64;
}

static enum err add_file(struct pass *pass, const struct chat_file *file,
			 struct errmsg *e)
{
	struct chatlist *list = pass->list;

	if (list->nr == CHATLIST_MAX_FILES)
		return err_set(e, ERR_LIMIT,
			       "the chat of this range is in more than %d "
			       "files; ask for a shorter one",
			       CHATLIST_MAX_FILES);
	list->bytes += file->size;
	if (list->bytes > CHATLIST_MAX_BYTES)
		return err_set(e, ERR_LIMIT,
			       "the chat of this range has more than %llu MB; "
			       "ask for a shorter one",
			       (unsigned long long)(CHATLIST_MAX_BYTES >> 20));
	list->files = arena_grow(&list->arena, list->files, list->nr,
				 &list->capacity, sizeof(*file));
	list->files[list->nr++] = *file;
	chain(list, file);
	return ERR_OK;
}

static enum err take_entry(struct pass *pass, int dir_fd, usec_t hour_us,
			   const char *hour, const struct fs_entry *entry,
			   struct errmsg *e)
{
	struct chat_file file = { .path = NULL };
	usec_t time_us;

	if (!chatlist_parse_name(hour_us, entry->name, entry->len, &time_us)) {
		ignore(pass, hour, entry);
		return ERR_OK;
	}
	if (time_us <= pass->after_us || time_us >= pass->before_us)
		return ERR_OK;
	file.path =
		arena_printf(&pass->list->arena, "%s/%s", hour, entry->name);
	switch (look_at(pass, dir_fd, entry, &file)) {
	case 0:
		return add_file(pass, &file, e);
	case -1:
		ignore(pass, hour, entry);
		return ERR_OK;
	default:
		return ERR_OK; /* the next pass will not see it */
	}
}

static enum err list_hour(struct pass *pass, usec_t hour_us, struct errmsg *e)
{
	struct fs_list entries = { 0 };
	char hour[UTIME_HOUR_SIZE];
	enum err err;
	int fd;

	utime_format_hour(hour_us, hour);
	fd = quality_open(pass->chat, hour, O_RDONLY | O_DIRECTORY);
	if (fd < 0 && is_absent(errno))
		return ERR_OK;
	if (fd < 0)
		return err_set(e, ERR_IO, "cannot open an hour of chat: %s",
			       strerror(errno));
	err = fs_list_read(fd, &entries, e);
	if (!err)
		fs_list_sort(&entries);
	for (size_t i = 0; !err && i < entries.nr; i++)
		err = take_entry(pass, fd, hour_us, hour, &entries.entries[i],
				 e);
	fs_list_release(&entries);
	fs_close(&fd);
	return err;
}

static enum err list_once(struct pass *pass, struct errmsg *e)
{
	usec_t hour_us = utime_hour(pass->after_us);
	enum err err = ERR_OK;

	chatlist_release(pass->list);
	for (; !err && hour_us < pass->before_us; hour_us += USEC_PER_HOUR)
		err = list_hour(pass, hour_us, e);
	return err;
}

enum err chatlist_read(const struct quality *chat, usec_t after_us,
		       usec_t before_us, struct chatlist *list,
		       struct errmsg *e)
{
	struct pass pass = { .chat = chat,
			     .after_us = after_us,
			     .before_us = before_us,
			     .list = list };
	enum err err = list_once(&pass, e);

	for (int i = 1; !err && i < MAX_PASSES; i++) {
		uint64_t before[] = { list->hash[0], list->hash[1] };

		err = list_once(&pass, e);
		if (!err && before[0] == list->hash[0] &&
		    before[1] == list->hash[1])
			return ERR_OK;
	}
	return err ? err :
		     err_set(e, ERR_BUSY,
			     "the chat is being rewritten; try again");
}

void chatlist_release(struct chatlist *list)
{
	arena_release(&list->arena);
	*list = (struct chatlist){ .nr = 0 };
}
