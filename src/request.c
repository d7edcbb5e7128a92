#include "config.h"

#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/uri.h"

const char *const method_names[METHOD_COUNT] = {
	"GET", "HEAD", "POST", "OPTIONS", "OTHER",
};

enum method method_of(const char *name)
{
	for (int i = 0; i < METHOD_OTHER; i++)
		if (!strcmp(method_names[i], name))
			return (enum method)i;
	return METHOD_OTHER;
}

static void make_id(char id[REQUEST_ID_SIZE], const struct timespec *now)
{
	uint64_t salt = 0;

	if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) < 0)
		salt = (uint64_t)now->tv_sec << 32 ^ (uint64_t)now->tv_nsec ^
		       (uint64_t)getpid() << 40;
	snprintf(id, REQUEST_ID_SIZE, "%016" PRIx64, salt);
}

void request_begin(struct request *req, struct server *server,
		   struct client *client, enum method method)
{
	struct arena kept = req->arena;

	*req = (struct request){
		.arena = kept,
		.server = server,
		.client = client,
		.method = method,
		.headers = { "", "", "", "", "" },
		.query = "",
		.now_us = utime_now(),
	};
	clock_gettime(CLOCK_MONOTONIC, &req->began);
	make_id(req->id, &req->began);
}

void request_set_id(struct request *req, const char *id)
{
	size_t len = strlen(id);

	if (len && len < REQUEST_ID_SIZE &&
	    strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		       "0123456789._-") == len)
		memcpy(req->id, id, len + 1);
}

void request_end(struct request *req)
{
	arena_reset(&req->arena);
}

/* Past the scheme and host of an absolute-form URI. */
static const char *skip_authority(const char *uri)
{
	const char *p;

	if (*uri == '/')
		return uri;
	p = strstr(uri, "://");
	if (!p || (size_t)(p - uri) > 5)
		return uri;
	p += 3 + strcspn(p + 3, "/?");
	return p;
}

/* Past the prefix that we are mounted below; NULL if it is not there. */
static const char *skip_prefix(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(path, prefix, len) != 0 ||
	    (len && path[len] != '/' && path[len] != '\0' && path[len] != '?'))
		return NULL;
	return path + len;
}

struct path_faults {
	bool dot;
	bool slash;
	bool empty;
	bool depth;
	enum uri_fault encoding;
};

static void decode_component(struct request *req, const char *from, size_t len,
			     struct path_faults *faults)
{
	char *to = arena_alloc(&req->arena, len + 1);
	enum uri_fault fault = uri_decode(from, len, URI_COMPONENT, to);

	if (fault && !faults->encoding)
		faults->encoding = fault;
	/* Decoding stops at a fault; what came before it is decoded. */
	if (to[0] == '.')
		faults->dot = true;
	if (memmem(from, len, "%2F", 3) || memmem(from, len, "%2f", 3))
		faults->slash = true;
	if (!len)
		faults->empty = true;
	req->components[req->nr_components++] = to;
}

static enum err report(struct request *req, const struct path_faults *faults)
{
	struct errmsg *e = &req->error;

	if (faults->dot)
		return err_set(e, ERR_FORBIDDEN,
			       "names that begin with a dot are hidden");
	if (faults->slash)
		return err_set(e, ERR_NOTFOUND,
			       "no name has a slash in it (%%2F)");
	if (faults->encoding)
		return err_set(e, ERR_INPUT, "the path has %s",
			       uri_fault_text(faults->encoding));
	if (faults->empty)
		return err_set(e, ERR_NOTFOUND,
			       "the path has an empty component");
	if (faults->depth)
		return err_set(e, ERR_NOTFOUND, "the path is too deep");
	return ERR_OK;
}

static enum err split_path(struct request *req, const char *path, size_t len)
{
	struct path_faults faults = { 0 };
	const char *end = path + len;

	req->components = arena_alloc(&req->arena,
				      REQUEST_MAX_COMPONENTS * sizeof(char *));
	if (len && *path == '/')
		path++;
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t part = (size_t)((slash ? slash : end) - path);

		faults.depth = req->nr_components == REQUEST_MAX_COMPONENTS;
		if (faults.depth)
			break;
		decode_component(req, path, part, &faults);
		path += part + 1;
		if (slash && path == end)
			faults.empty = true;
	}
	return report(req, &faults);
}

static enum err decode_arg(struct request *req, const char *from, size_t len,
			   const char **to_r)
{
	char *to = arena_alloc(&req->arena, len + 1);
	enum uri_fault fault = uri_decode(from, len, URI_PLUS_IS_SPACE, to);

	*to_r = to;
	if (!fault)
		return ERR_OK;
	return err_set(&req->error, ERR_INPUT, "argument '%s' has %s",
		       err_quote_len(from, len).text, uri_fault_text(fault));
}

static enum err split_query(struct request *req, const char *query)
{
	size_t max = 1;

	for (const char *p = query; *p; p++)
		max += *p == '&';
	if (max > REQUEST_MAX_ARGS)
		return err_set(&req->error, ERR_INPUT, "more than %d arguments",
			       REQUEST_MAX_ARGS);
	req->args = arena_alloc(&req->arena, max * sizeof(*req->args));
	while (*query) {
		size_t len = strcspn(query, "&");
		const char *equals = memchr(query, '=', len);
		size_t name_len = equals ? (size_t)(equals - query) : len;
		struct query_arg *arg = &req->args[req->nr_args];
		enum err err = ERR_OK;

		if (len) {
			err = decode_arg(req, query, name_len, &arg->name);
			if (!err && equals)
				err = decode_arg(req, equals + 1,
						 len - name_len - 1,
						 &arg->value);
			else
				arg->value = "";
			req->nr_args++;
		}
		if (err)
			return err;
		query += len + (query[len] == '&');
	}
	return ERR_OK;
}

enum err request_set_uri(struct request *req, const char *uri)
{
	size_t max = req->server->settings->max_query_bytes;
	const char *path;
	size_t len;
	enum err err;

	if (strlen(uri) > max)
		return err_set(&req->error, ERR_LIMIT,
			       "path and query are longer than %zu bytes", max);
	path = skip_prefix(skip_authority(uri), req->server->settings->prefix);
	if (!path)
		return err_set(&req->error, ERR_NOTFOUND,
			       "nothing is here; we are below '%s'",
			       req->server->settings->prefix);
	len = strcspn(path, "?#");
	req->is_bare = !len && *req->server->settings->prefix;
	req->query = path[len] == '?' ? path + len + 1 : "";
	err = split_path(req, path, len);
	if (!err && path[len] == '?')
		err = split_query(req, path + len + 1);
	return err;
}

enum err request_reader(struct request *req, struct hourreader **reader_r)
{
	struct quality *quality;
	enum err err = archive_quality(&req->server->archive, &req->arena,
				       req->channel, req->quality, &quality,
				       &req->error);

	if (!err)
		*reader_r = hourcache_reader(req->server->cache, quality,
					     &req->arena);
	return err;
}

const char *request_arg(const struct request *req, const char *name)
{
	for (size_t i = 0; i < req->nr_args; i++)
		if (!strcmp(req->args[i].name, name))
			return req->args[i].value;
	return NULL;
}
