/*
 * handle_templates.c - /templates: what thumbnails can be put under.
 */
#include "config.h"

#include <string.h>

#include "base/json.h"
#include "picture/jpegread.h"
#include "picture/pngread.h"
#include "response.h"
#include "route.h"

#define MAX_LIST_BYTES ((size_t)128 * 1024 * 1024)

static struct json_object *json_of_box(const struct box *box)
{
	const int sides[] = { box->left, box->top, box->right, box->bottom };
	struct json_object *array =
		json_object_new_array_ext(ARRAY_SIZE(sides));

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		json_object_array_add(array, json_object_new_int(sides[i]));
	return array;
}

static struct json_object *json_of(const struct template *t)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(t->name));
	json_object_object_add(object, "description",
			       json_object_new_string(t->description));
	json_object_object_add(object, "attribution",
			       json_object_new_string(t->attribution));
	json_object_object_add(object, "crop", json_of_box(&t->crop));
	json_object_object_add(object, "location", json_of_box(&t->location));
	return object;
}

static enum err handle_list(struct request *req, const void *spec)
{
	const struct template *list;
	struct json_object *array;
	struct response r;
	size_t nr;
	enum err err = templates_list(req->server->templates, &req->arena,
				      &list, &nr, &req->error);

	UNUSED(spec);
	if (err)
		return err;
	array = json_hold(&req->arena, json_object_new_array_ext((int)nr + 1));
	for (size_t i = 0; i < nr; i++)
		json_object_array_add(array, json_of(&list[i]));
	response_init(&r, req, TYPE_JSON);
	r.flags = RESPONSE_TEXT;
	err = response_set_json(&r, req, array, MAX_LIST_BYTES);
	return err ? err : response_send(req, &r);
}

/* By its first bytes: the name says nothing of it. */
static const char *type_of(const struct template *t)
{
	return pngread_is(t->image, t->image_size)  ? TYPE_PNG :
	       jpegread_is(t->image, t->image_size) ? TYPE_JPEG :
						      TYPE_BYTES;
}

static enum err handle_image(struct request *req, const void *spec)
{
	const struct template *t;
	struct response r;
	enum err err = templates_get(req->server->templates, &req->arena,
				     req->template, &t, &req->error);

	UNUSED(spec);
	if (err)
		return err;
	response_init(&r, req, type_of(t));
	/* Nobody is to find a page in bytes that are no picture. */
	response_header(&r, "X-Content-Type-Options", "nosniff");
	response_set_content(&r, req, t->image, t->image_size);
	return response_send(req, &r);
}

const struct route template_routes[] = {
	{ .name = "list_templates",
	  .path = "/templates",
	  .handle = handle_list,
	  .help = "templates of thumbnails and their boxes, as a JSON list" },
	{ .name = "get_template",
	  .path = "/templates/:template.png",
	  .handle = handle_image,
	  .help = "the image of one" },
	{ .name = NULL },
};
