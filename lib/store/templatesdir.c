/*
 * templatesdir.c - templates in a directory.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fsutil.h"
#include "base/json.h"
#include "base/log.h"
#include "store/templatesback.h"

#define MAX_JSON_BYTES 65536
#define MAX_JSON_DEPTH 16

#define JSON_SUFFIX  ".json"
#define IMAGE_SUFFIX ".png"

/* The directory, whose absence is like that of a database. */
static enum err open_dir(struct complaint *complaint, const char *path,
			 int *fd_r, struct errmsg *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		if (complaint_is_due(complaint))
			log_warning("cannot open the templates' directory "
				    "'%s': %s",
				    path, strerror(errno));
		return err_set(e, ERR_BUSY,
			       "the directory of templates cannot be reached; "
			       "try again later");
	}
	if (complaint->told_us)
		log_info("the templates' directory is there again");
	complaint->told_us = 0;
	*fd_r = fd;
	return ERR_OK;
}

/*
 * A regular file of the directory.  ERR_NOTFOUND, without words, for all that
 * is none; ERR_IO.
 */
static enum err open_file(int dir_fd, const char *name, const char *suffix,
			  int *fd_r, size_t *size_r, struct errmsg *e)
{
	char file[TEMPLATE_MAX_NAME + sizeof(JSON_SUFFIX)];
	struct stat st;
	int fd;

	snprintf(file, sizeof(file), "%s%s", name, suffix);
	/* A pipe must not be waited for. */
	fd = fs_open_beneath(dir_fd, file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 &&
	    (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
	     errno == EXDEV || errno == ENAMETOOLONG || errno == ENXIO))
		return ERR_NOTFOUND;
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_set(e, ERR_IO, "cannot open the template '%s': %s",
			err_quote(name).text, strerror(errno));
		fs_close(&fd);
		return ERR_IO;
	}
	if (!S_ISREG(st.st_mode)) {
		fs_close(&fd);
		return ERR_NOTFOUND;
	}
	*fd_r = fd;
	*size_r = (size_t)st.st_size;
	return ERR_OK;
}

static enum err read_file(int dir_fd, struct arena *a, const char *name,
			  const char *suffix, size_t max, uint8_t **data_r,
			  size_t *size_r, struct errmsg *e)
{
	uint8_t *data;
	size_t size;
	enum err err;
	int fd;

	err = open_file(dir_fd, name, suffix, &fd, &size, e);
	if (err)
		return err;
	if (size > max) {
		err = err_set(e, ERR_LIMIT,
			      "the template '%s': its %s is larger than %zu kB",
			      err_quote(name).text, suffix, max / 1024);
	} else {
		data = arena_alloc(a, size + 1);
		err = fs_read_all(fd, data, size, 0, "a template", e);
		*data_r = data;
		*size_r = size;
	}
	fs_close(&fd);
	return err;
}

static bool has_file(int dir_fd, const char *name, const char *suffix)
{
	struct errmsg e;
	size_t size;
	int fd;

	if (open_file(dir_fd, name, suffix, &fd, &size, &e))
		return false;
	fs_close(&fd);
	return true;
}

/* NAME.json */

static struct json_object *parse(struct arena *a, const uint8_t *data,
				 size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_JSON_DEPTH);
	struct json_object *object;
	bool is_good;

	if (!tokener)
		BUG("out of memory");
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, (const char *)data, (int)size);
	is_good = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	json_hold(a, object);
	return is_good && json_object_is_type(object, json_type_object) ?
		       object :
		       NULL;
}

static bool take_box(struct json_object *object, const char *key,
		     struct box *box_r)
{
	struct json_object *array;
	int64_t sides[BOX_SIDES];

	if (!json_object_object_get_ex(object, key, &array) ||
	    !json_object_is_type(array, json_type_array) ||
	    json_object_array_length(array) != BOX_SIDES)
		return false;
	for (size_t i = 0; i < BOX_SIDES; i++) {
		struct json_object *side = json_object_array_get_idx(array, i);

		if (!json_object_is_type(side, json_type_int))
			return false;
		sides[i] = json_object_get_int64(side);
	}
	*box_r = templates_box(sides);
	return true;
}

/* A text that may be absent; one with a NUL in it is none. */
static bool take_text(struct json_object *object, const char *key,
		      const char **text_r)
{
	struct json_object *text;

	*text_r = "";
	if (!json_object_object_get_ex(object, key, &text))
		return true;
	if (!json_object_is_type(text, json_type_string))
		return false;
	*text_r = json_object_get_string(text);
	return strlen(*text_r) == (size_t)json_object_get_string_len(text);
}

static enum err read_json(int dir_fd, struct arena *a, const char *name,
			  struct template *t, struct errmsg *e)
{
	struct json_object *object;
	const char *wrong = NULL;
	uint8_t *data;
	size_t size;
	enum err err = read_file(dir_fd, a, name, JSON_SUFFIX, MAX_JSON_BYTES,
				 &data, &size, e);

	/* It is for a few words, so that much of it is none. */
	if (err == ERR_LIMIT)
		err = ERR_CORRUPT;
	if (err)
		return err;
	object = parse(a, data, size);
	if (!object)
		wrong = "is no JSON object";
	else if (!take_box(object, "crop", &t->crop))
		wrong = "has no crop of four whole numbers";
	else if (!take_box(object, "location", &t->location))
		wrong = "has no location of four whole numbers";
	else if (!take_text(object, "description", &t->description))
		wrong = "has a description that is no text";
	else if (!take_text(object, "attribution", &t->attribution))
		wrong = "has an attribution that is no text";
	if (wrong)
		return err_set(e, ERR_CORRUPT, "the template '%s': its JSON %s",
			       err_quote(name).text, wrong);
	return ERR_OK;
}

/* What templates.c asks */

static bool is_file_name(const char *name)
{
	return name[0] != '.' && !strchr(name, '/');
}

enum err templatesdir_get(struct complaint *complaint, const char *dir,
			  struct arena *a, const char *name,
			  struct template *template_r, struct errmsg *e)
{
	uint8_t *image = NULL;
	enum err err;
	int fd;

	if (!is_file_name(name))
		return ERR_NOTFOUND;
	err = open_dir(complaint, dir, &fd, e);
	if (err)
		return err;
	template_r->name = arena_strndup(a, name, strlen(name));
	err = read_json(fd, a, name, template_r, e);
	if (!err)
		err = read_file(fd, a, name, IMAGE_SUFFIX, TEMPLATE_MAX_BYTES,
				&image, &template_r->image_size, e);
	template_r->image = image;
	fs_close(&fd);
	return err;
}

/* The name of a template, if a file is the JSON of one. */
static const char *name_of(struct arena *a, const struct fs_entry *entry)
{
	size_t ending = strlen(JSON_SUFFIX);
	size_t len = entry->len;

	if (!fs_may_be_file(entry) || entry->name[0] == '.' || len <= ending ||
	    strcmp(entry->name + len - ending, JSON_SUFFIX) != 0)
		return NULL;
	return arena_strndup(a, entry->name, len - ending);
}

static enum err list_file(int fd, const struct fs_entry *entry, struct arena *a,
			  struct templatelist *list, struct errmsg *e)
{
	struct template t = { .name = name_of(a, entry) };
	struct errmsg why;
	enum err err;

	if (!t.name || !has_file(fd, t.name, IMAGE_SUFFIX))
		return ERR_OK;
	err = read_json(fd, a, t.name, &t, &why);
	if (!err)
		return templatelist_add(list, &t, e);
	return err == ERR_NOTFOUND ? ERR_OK :
				     templatelist_leave_out(list, &why, e);
}

enum err templatesdir_list(struct complaint *complaint, const char *dir,
			   struct templatelist *list, struct errmsg *e)
{
	struct fs_list files = { 0 };
	struct arena scratch;
	enum err err;
	int fd;

	err = open_dir(complaint, dir, &fd, e);
	if (err)
		return err;
	err = fs_list_read(fd, &files, e);
	arena_init(&scratch);
	for (size_t i = 0; !err && i < files.nr; i++) {
		err = list_file(fd, &files.entries[i], &scratch, list, e);
		arena_reset(&scratch);
	}
	arena_release(&scratch);
	fs_list_release(&files);
	fs_close(&fd);
	return err;
}
