#include "config.h"

#include "route.h"

#include <string.h>

static const struct route *const tables[] = {
	file_routes,	 segment_routes,  playlist_routes,  cut_routes,
	video_routes,	 frame_routes,	  waveform_routes,  storyboard_routes,
	coverage_routes, template_routes, thumbnail_routes, status_routes,
	chat_routes,	 page_routes, /* a channel "www" has its chat */
};

void route_each(bool (*fn)(const struct route *route, void *ctx), void *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct route *r = tables[i]; r->name; r++)
			if (!fn(r, ctx))
				return;
}

struct numbering {
	const struct route *wanted;
	uint32_t found; /* or wanted; 0: by route */
	uint32_t number;
};

static bool count_route(const struct route *route, void *ctx)
{
	struct numbering *n = ctx;

	n->number++;
	if (n->found != n->number && n->wanted != route)
		return true;
	n->wanted = route;
	n->found = n->number;
	return false;
}

uint32_t route_number(const struct route *route)
{
	struct numbering n = { .wanted = route };

	if (!route)
		return 0;
	route_each(count_route, &n);
	return n.found;
}

const struct route *route_at(uint32_t number)
{
	struct numbering n = { .found = number };

	if (!number)
		return NULL;
	route_each(count_route, &n);
	return n.wanted;
}

struct methods {
	const char *path;
	bool posts;
	bool reads;
};

static bool add_methods(const struct route *route, void *ctx)
{
	struct methods *methods = ctx;

	if (!strcmp(route->path, methods->path)) {
		if (route->flags & ROUTE_POST)
			methods->posts = true;
		else
			methods->reads = true;
	}
	return true;
}

const char *route_methods(const struct route *route)
{
	struct methods methods = { .path = route ? route->path : "" };

	route_each(add_methods, &methods);
	if (!methods.posts)
		return "GET, HEAD, OPTIONS";
	return methods.reads ? "GET, HEAD, POST, OPTIONS" : "POST, OPTIONS";
}

/* The field of the request that a path variable fills. */
static const char **field_of(struct request *req, const char *name, size_t len)
{
	if (len == 7 && !memcmp(name, "channel", len))
		return &req->channel;
	if (len == 7 && !memcmp(name, "quality", len))
		return &req->quality;
	if (len == 4 && !memcmp(name, "hour", len))
		return &req->hour;
	if (len == 8 && !memcmp(name, "template", len))
		return &req->template;
	BUG("no path variable '%.*s'", (int)len, name);
}

/* Matches one component against one part of len bytes of a route's path. */
static bool match_part(struct request *req, const char *part, size_t len,
		       const char *component)
{
	size_t have = strlen(component);
	size_t name_len, ending;

	if (*part != ':')
		return have == len && !memcmp(component, part, len);
	name_len = strcspn(part + 1, "./");
	ending = len - 1 - name_len;
	if (have <= ending ||
	    memcmp(component + have - ending, part + 1 + name_len, ending) != 0)
		return false;
	*field_of(req, part + 1, name_len) =
		arena_strndup(&req->arena, component, have - ending);
	return true;
}

/* The rest of the components as one path. */
static bool match_rest(struct request *req, size_t i)
{
	const char *rest = NULL;

	for (; i < req->nr_components; i++)
		rest = rest ? arena_printf(&req->arena, "%s/%s", rest,
					   req->components[i]) :
			      req->components[i];
	req->rest = rest;
	return rest != NULL;
}

static bool matches(struct request *req, const struct route *route)
{
	const char *p = route->path;
	size_t i = 0;

	while (*p == '/' && p[1]) {
		size_t len;

		p++;
		if (*p == '*')
			return match_rest(req, i);
		len = strcspn(p, "/");
		if (i == req->nr_components ||
		    !match_part(req, p, len, req->components[i]))
			return false;
		p += len;
		i++;
	}
	return i == req->nr_components;
}

static bool takes(const struct route *route, enum method method)
{
	if (route->flags & ROUTE_POST)
		return method == METHOD_POST;
	return method == METHOD_GET || method == METHOD_HEAD;
}

struct finding {
	struct request *req;
	bool any_method;
};

static bool try_route(const struct route *route, void *ctx)
{
	const struct finding *finding = ctx;
	struct request *req = finding->req;

	req->channel = req->quality = req->hour = NULL;
	req->template = req->rest = NULL;
	if ((!finding->any_method && !takes(route, req->method)) ||
	    !matches(req, route))
		return true;
	req->route = route;
	return false;
}

enum err route_find(struct request *req)
{
	route_each(try_route, &(struct finding){ req, false });
	if (req->route)
		return ERR_OK;
	route_each(try_route, &(struct finding){ req, true });
	if (!req->route)
		return err_set(&req->error, ERR_NOTFOUND,
			       "there is no such URL");
	return err_set(&req->error, ERR_METHOD, "this URL takes only %s",
		       route_methods(req->route));
}

static enum err read_body(struct request *req)
{
	uint64_t max = (uint64_t)req->server->settings->max_body_mb << 20;

	req->body = text_new(&req->arena, max);
	text_puts(req->body, "");
	if (!req->client->read_body)
		return ERR_OK;
	return req->client->read_body(req->client, req->body, &req->error);
}

enum err route_run(struct request *req)
{
	const struct route *route = req->route;
	void *spec = arena_alloc(&req->arena, route->spec_size);
	enum err err = route->flags & ROUTE_POST ? read_body(req) : ERR_OK;

	if (!err)
		err = param_fill(req, route->params, spec);
	if (!err && (route->flags & ROUTE_HEAVY))
		err = req->client->go_heavy(req->client, &req->error);
	return err ? err : route->handle(req, spec);
}
