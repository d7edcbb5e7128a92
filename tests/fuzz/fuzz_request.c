/*
 * fuzz_request.c - a URI, from its bytes to the arguments of its route.
 *
 * The first byte of the input chooses the method and whether there is a prefix,
 * the rest is the URI as a client would send it.  What gets through is what
 * the handlers rely on: names that are UTF-8, without control bytes, slashes
 * or leading dots.
 */
#include "config.h"

#include "request.h"

#include "base/uri.h"
#include "route.h"

#include "fuzz.h"

#define MAX_SPEC 4096

static struct settings settings = { .prefix = "", .max_query_bytes = 8192 };
static struct server server = { .settings = &settings };
static struct client client;
static struct request req;

static void check_text(const char *text)
{
	MUST(uri_is_utf8(text, strlen(text)));
	for (const char *p = text; *p; p++)
		MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void check_name(const char *name)
{
	check_text(name);
	MUST(name[0] && name[0] != '.' && !strchr(name, '/'));
}

static void check_request(void)
{
	MUST(req.nr_components <= REQUEST_MAX_COMPONENTS);
	MUST(req.nr_args <= REQUEST_MAX_ARGS);
	for (size_t i = 0; i < req.nr_components; i++)
		check_name(req.components[i]);
	for (size_t i = 0; i < req.nr_args; i++) {
		check_text(req.args[i].name);
		check_text(req.args[i].value);
		MUST(request_arg(&req, req.args[i].name));
	}
}

static void check_route(void)
{
	if (req.channel)
		check_name(req.channel);
	if (req.quality)
		check_name(req.quality);
	if (req.hour)
		check_name(req.hour);
	if (req.rest) {
		check_text(req.rest);
		MUST(req.rest[0] && req.rest[0] != '.' &&
		     req.rest[0] != '/' && !strstr(req.rest, "/.") &&
		     !strstr(req.rest, "//"));
	}
}

/* An error has words, and they are safe to show. */
static void check_error(enum err err)
{
	MUST(err == ERR_INPUT || err == ERR_FORBIDDEN || err == ERR_NOTFOUND ||
	     err == ERR_LIMIT || err == ERR_METHOD);
	MUST(req.error.text[0]);
	for (const char *p = req.error.text; *p; p++)
		MUST((unsigned char)*p >= 0x20 && *p != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(max_align_t) static char spec[MAX_SPEC];
	enum method method;
	char *uri;
	enum err err;

	if (!size)
		return 0;
	method = (enum method)(data[0] & 0x7f) % METHOD_COUNT;
	settings.prefix = data[0] & 0x80 ? "/archive" : "";
	uri = fuzz_text(data + 1, size - 1);
	request_begin(&req, &server, &client, method);
	err = request_set_uri(&req, uri);
	if (!err) {
		check_request();
		err = route_find(&req);
		check_route();
	}
	if (!err) {
		MUST(method == METHOD_GET || method == METHOD_HEAD);
		MUST(req.route->spec_size <= sizeof(spec));
		memset(spec, 0, sizeof(spec));
		err = param_fill(&req, req.route->params, spec);
		MUST(!err || err == ERR_INPUT);
	}
	if (err)
		check_error(err);
	request_end(&req);
	free(uri);
	return 0;
}
