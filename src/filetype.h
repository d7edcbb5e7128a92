/*
 * filetype.h - what a file is, by the ending of its name.
 */
#ifndef SRC_FILETYPE_H
#define SRC_FILETYPE_H

#include <stdbool.h>

struct filetype {
	const char *suffix;
	const char *type; /* Content-Type */
	bool is_text;	  /* compresses well */
	bool runs;	  /* a browser would run what is in it */
};

/* Bytes, if nothing is known of it; never NULL. */
const struct filetype *filetype_of(const char *path);

#endif
