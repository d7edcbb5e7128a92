/*
 * cutgate.h - a request's place among those that encode.
 *
 * The jobs of one cut share a place; the first takes it, waiting for a while
 * since edges are short, and the last gives it back.  Offline, and in a server
 * without processes, everybody may enter.
 */
#ifndef SRC_CUTGATE_H
#define SRC_CUTGATE_H

#include "media/edgejob.h"
#include "request.h"

/* The gate for the edges of a request's cut; it lives as long. */
const struct edgegate *cutgate_edges(struct request *req);

/* A place for a cut that is encoded whole, for as long as the process lives. */
enum err cutgate_full(struct request *req) MUST_CHECK;

#endif
