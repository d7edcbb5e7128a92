/*
 * json.h - the few idioms of json-c that we allow.
 *
 * Objects belong to an arena: json_hold() takes over the reference, and the
 * arena gives it back.  What is added to an array or an object belongs to it
 * from then on (json-c's own rule).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <json-c/json.h>

#include "base/arena.h"
#include "base/text.h"

/* Gives the reference to the arena; returns the same object. */
struct json_object *json_hold(struct arena *a, struct json_object *object);

/* Adds a string of len bytes to an array. */
void json_add_string(struct json_object *array, const char *text, size_t len);

/* Appends the plain form of an object to a text, and a line feed. */
void json_append(struct text *t, struct json_object *object);

#endif
