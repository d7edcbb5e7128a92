#include "config.h"

#include "archive/chatbatch.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <xxhash.h>

#include "base/jsoncheck.h"
#include "base/mem.h"

#define PLAIN (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct parser {
	const struct chat_names *names;
	struct json_tokener *tokener;
	struct chat_batch batch;
	size_t capacity; /* of the entries */
	size_t receptions_capacity;
};

/* Kinds: sorted names, at every depth */

static bool is_sorted(struct json_object *value);

static bool is_sorted_object(struct json_object *object)
{
	const char *last = NULL;
	bool sorted = true;

	json_object_object_foreach(object, name, value)
	{
		sorted = sorted && (!last || strcmp(last, name) < 0) &&
			 is_sorted(value);
		last = name;
	}
	return sorted;
}

static bool is_sorted(struct json_object *value)
{
	size_t nr;

	if (json_object_is_type(value, json_type_object))
		return is_sorted_object(value);
	if (!json_object_is_type(value, json_type_array))
		return true;
	nr = json_object_array_length(value);
	for (size_t i = 0; i < nr; i++)
		if (!is_sorted(json_object_array_get_idx(value, i)))
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct json_object *sorted(struct json_object *value);

static struct json_object *sorted_object(struct json_object *object)
{
	size_t nr = (size_t)json_object_object_length(object);
	const char **names = mem_alloc(nr * sizeof(*names));
	struct json_object *to = json_object_new_object();
	size_t at = 0;

	json_object_object_foreach(object, name, value)
	{
		(void)value;
		names[at++] = name;
	}
	qsort(names, nr, sizeof(*names), by_name);
	for (size_t i = 0; i < nr; i++)
		json_object_object_add(
			to, names[i],
			sorted(json_object_object_get(object, names[i])));
	free(names);
	return to;
}

/* A reference to the same value, or to a copy of it in order. */
static struct json_object *sorted(struct json_object *value)
{
	struct json_object *to;
	size_t nr;

	if (json_object_is_type(value, json_type_object))
		return sorted_object(value);
	if (!json_object_is_type(value, json_type_array))
		return json_object_get(value);
	to = json_object_new_array();
	nr = json_object_array_length(value);
	for (size_t i = 0; i < nr; i++)
		json_object_array_add(
			to, sorted(json_object_array_get_idx(value, i)));
	return to;
}

/* A hash of tags.id, if that is a text of at least one character; else 0. */
static uint64_t hash_id(struct json_object *message)
{
	struct json_object *tags, *id;
	uint64_t hash;

	if (!json_object_object_get_ex(message, "tags", &tags) ||
	    !json_object_object_get_ex(tags, "id", &id) ||
	    !json_object_is_type(id, json_type_string) ||
	    !json_object_get_string_len(id))
		return 0;
	hash = XXH3_64bits(json_object_get_string(id),
			   (size_t)json_object_get_string_len(id));
	return hash ? hash : 1;
}

static uint32_t add_kind(struct parser *p, struct json_object *message)
{
	uint64_t id = hash_id(message);
	struct json_object *kind =
		is_sorted(message) ? json_object_get(message) : sorted(message);
	const char *text;
	uint32_t nr;
	size_t len;

	text = json_object_to_json_string_length(kind, PLAIN, &len);
	nr = chattexts_add(p->names->kinds, text, len, id);
	json_object_put(kind);
	return nr;
}

/* Times and receivers */

static bool take_number(struct json_object *value, double *number_r)
{
	if (!json_object_is_type(value, json_type_double) &&
	    !json_object_is_type(value, json_type_int))
		return false;
	/* No negative zero, which is equal and reads otherwise. */
	*number_r = json_object_get_double(value) + 0.0;
	return isfinite(*number_r);
}

static void *room(void *array, size_t nr, size_t *capacity, size_t size)
{
	if (nr < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 64;
	return mem_resize(array, *capacity * size);
}

static const char *take_receivers(struct parser *p, struct json_object *from,
				  struct chat_entry *entry)
{
	struct chat_batch *b = &p->batch;

	if (!json_object_is_type(from, json_type_object))
		return "receivers that are no object";
	if (json_object_object_length(from) > CHAT_MAX_RECEIVERS)
		return "too many receivers";
	json_object_object_foreach(from, name, value)
	{
		struct chat_reception reception = { .time = 0 };

		if (!take_number(value, &reception.time))
			return "a receiver without a time";
		reception.receiver = chattexts_add(p->names->receivers, name,
						   strlen(name), 0);
		b->receptions =
			room(b->receptions, b->nr_receptions,
			     &p->receptions_capacity, sizeof(reception));
		b->receptions[b->nr_receptions++] = reception;
		entry->nr_receptions++;
	}
	return NULL;
}

/* NULL, or what is wrong with the message. */
static const char *take_message(struct parser *p, struct json_object *message)
{
	struct chat_batch *b = &p->batch;
	struct chat_entry entry = { .first = (uint32_t)b->nr_receptions };
	struct json_object *value;
	const char *fault;

	if (!json_object_is_type(message, json_type_object))
		return "no object";
	if (!json_object_object_get_ex(message, "time", &value) ||
	    !take_number(value, &entry.time))
		return "no time";
	if (json_object_object_get_ex(message, "time_range", &value) &&
	    (!take_number(value, &entry.range) || entry.range < 0 ||
	     !isfinite(entry.time + entry.range)))
		return "a time_range that is none";
	if (json_object_object_get_ex(message, "receivers", &value)) {
		fault = take_receivers(p, value, &entry);
		if (fault)
			return fault;
	}
	json_object_object_del(message, "receivers");
	json_object_object_del(message, "time");
	json_object_object_del(message, "time_range");
	entry.kind = add_kind(p, message);
	b->entries = room(b->entries, b->nr, &p->capacity, sizeof(entry));
	b->entries[b->nr++] = entry;
	return NULL;
}

static const char *take_line(struct parser *p, const char *line, size_t len)
{
	struct json_object *message;
	const char *fault;

	if (len > CHAT_MAX_LINE)
		return "a line that is too long";
	fault = jsoncheck(line, len);
	if (fault)
		return fault;
	json_tokener_reset(p->tokener);
	message = json_tokener_parse_ex(p->tokener, line, (int)len);
	fault = json_tokener_get_error(p->tokener) == json_tokener_success ?
			take_message(p, message) :
			"no object";
	json_object_put(message);
	return fault;
}

static enum err take_lines(struct parser *p, const char *data, size_t len,
			   struct errmsg *e)
{
	const char *end = data + len;

	for (unsigned long nr = 1; data < end; nr++) {
		const char *feed = memchr(data, '\n', (size_t)(end - data));
		const char *stop = feed ? feed : end;
		const char *fault = take_line(p, data, (size_t)(stop - data));

		if (fault)
			return err_set(e, ERR_CORRUPT, "line %lu: %s", nr,
				       fault);
		data = feed ? feed + 1 : end;
	}
	return ERR_OK;
}

enum err chatbatch_parse(const struct chat_names *names, const char *data,
			 size_t len, struct chat_batch *batch_r,
			 struct errmsg *e)
{
	struct parser p = { .names = names };
	struct chat_batch *b = &p.batch;
	enum err err;

	/* Its top level is depth 1, and a scalar has one of its own. */
	p.tokener = json_tokener_new_ex(JSONCHECK_MAX_DEPTH + 2);
	if (!p.tokener)
		return err_set(e, ERR_IO, "no memory to read chat");
	err = take_lines(&p, data, len, e);
	json_tokener_free(p.tokener);
	if (err) {
		chatbatch_release(b);
		return err;
	}
	/* Nothing comes after: no more than is needed. */
	if (b->nr)
		b->entries =
			mem_resize(b->entries, b->nr * sizeof(*b->entries));
	if (b->nr_receptions)
		b->receptions =
			mem_resize(b->receptions,
				   b->nr_receptions * sizeof(*b->receptions));
	*batch_r = *b;
	return ERR_OK;
}

void chatbatch_release(struct chat_batch *batch)
{
	free(batch->entries);
	free(batch->receptions);
	*batch = (struct chat_batch){ .nr = 0 };
}
