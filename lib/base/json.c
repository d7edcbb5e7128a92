#include "config.h"

#include "base/json.h"

static void put_object(void *ptr)
{
	json_object_put(ptr);
}

struct json_object *json_hold(struct arena *a, struct json_object *object)
{
	arena_defer(a, put_object, object);
	return object;
}

void json_add_string(struct json_object *array, const char *text, size_t len)
{
	json_object_array_add(array,
			      json_object_new_string_len(text, (int)len));
}

void json_append(struct text *t, struct json_object *object)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		&len);

	text_append(t, text, len);
	text_putc(t, '\n');
}
