/*
 * wholebody.h - a body whose length nobody knows, made before it is sent.
 *
 * Some front servers hand an answer without a length on as a complete one when
 * its process dies in the middle (mod_fcgid does).  For clients behind those
 * it is made in a file without a name first, so that it has a length, and
 * whatever fails fails before the first byte.
 */
#ifndef SRC_WHOLEBODY_H
#define SRC_WHOLEBODY_H

#include "response.h"

/*
 * Runs the body's send into a file of the request and puts that in its place.
 * What send returned, or ERR_IO.
 */
enum err wholebody_make(struct request *req, struct body *body) MUST_CHECK;

#endif
