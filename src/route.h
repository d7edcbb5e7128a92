/*
 * route.h - what there is to ask for: one table.
 *
 * A path of a route is components divided by slashes: ":channel",
 * ":quality", ":hour" and ":template" match one component and fill the
 * request's field of that name, with a fixed ending if one follows
 * (":quality.m3u8"); "*rest" matches all the rest, at least one component.  Two
 * routes may have one path, if one of them takes POST.
 */
#ifndef SRC_ROUTE_H
#define SRC_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "param.h"
#include "request.h"

enum route_flags {
	ROUTE_HEAVY = 1 << 0, /* always in a process of its own */
	ROUTE_POST = 1 << 1,  /* takes POST, and nothing else */
};

struct route {
	const char *name; /* the endpoint in metrics */
	const char *path;
	enum route_flags flags;
	const struct param *params;
	size_t spec_size; /* of the struct that params fill */
	enum err (*handle)(struct request *req, const void *spec);
	const char *help;
};

/* Calls fn for every route, in the order they are tried, while it says so. */
void route_each(bool (*fn)(const struct route *route, void *ctx), void *ctx);

/*
 * The number of a route, from 1 on, the same in all processes of one program;
 * 0 for NULL.  And back: NULL if there is none of that number.
 */
uint32_t route_number(const struct route *route);
const struct route *route_at(uint32_t number);

/*
 * Finds the route of a request and fills its path fields; OPTIONS is answered
 * by the caller.  ERR_NOTFOUND, ERR_METHOD.
 */
enum err route_find(struct request *req) MUST_CHECK;

/*
 * Reads the body, if the route takes one; checks the arguments, then answers.
 * The request has a route.
 */
enum err route_run(struct request *req) MUST_CHECK;

/* For Allow: what all routes of that path take.  NULL: of none. */
const char *route_methods(const struct route *route);

/* One table a file of handlers, each ended by a route without a name. */
extern const struct route file_routes[];
extern const struct route segment_routes[];
extern const struct route playlist_routes[];
extern const struct route cut_routes[];
extern const struct route video_routes[];
extern const struct route frame_routes[];
extern const struct route waveform_routes[];
extern const struct route storyboard_routes[];
extern const struct route coverage_routes[];
extern const struct route thumbnail_routes[];
extern const struct route template_routes[];
extern const struct route status_routes[];
extern const struct route chat_routes[];
extern const struct route page_routes[];

#endif
