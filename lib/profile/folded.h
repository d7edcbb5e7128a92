/*
 * folded.h - stacks as lines of text, as flame graph tools read them.
 *
 *	ROLE;ENDPOINT;THREAD;outermost function;...;innermost function COUNT
 *
 * Functions in the same one, or in the same file without symbols, that call
 * each other are one.  Spaces and what else has a meaning in such a line, or in
 * a label of a metric, become "_".
 *
 * Errors: none; stacks beyond FOLDED_MAX are summed as "other".
 */
#ifndef PROFILE_FOLDED_H
#define PROFILE_FOLDED_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "profile/stacktable.h"

#define FOLDED_MAX 20000

struct folded_row {
	char *text;
	uint64_t count;
};

/* Names the function of an address; a symbols_name() without its type. */
typedef const char *folded_name_fn(void *ctx, uintptr_t address);

struct folded {
	folded_name_fn *name;
	void *ctx;
	struct folded_row *rows;
	size_t nr;
	size_t capacity;
	uint64_t nr_other;
	uint64_t total;
};

void folded_init(struct folded *f, folded_name_fn *name, void *ctx);
void folded_release(struct folded *f);

/* Adds what a table holds; of addresses of calls the call is named. */
void folded_add(struct folded *f, struct stacktable *table);

/* Sorts, and makes one row of those that read the same. */
void folded_merge(struct folded *f);

/* Appends the rows as lines. */
void folded_put(const struct folded *f, struct text *out);

#endif
