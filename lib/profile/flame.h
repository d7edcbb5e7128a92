/*
 * flame.h - what the stacks of a running server add up to, for /metrics.
 *
 * In shared memory, with one writer: a row is written, then published by the
 * number of rows, and never changes but for its count, which only grows.  So a
 * reader needs no lock, and a writer that died is followed by another that goes
 * on where it was.
 *
 * The first FLAME_ROWS distinct stacks have a row; the rest are summed as
 * "other".  Of a deep stack the functions in the middle are left out.
 */
#ifndef PROFILE_FLAME_H
#define PROFILE_FLAME_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/text.h"
#include "profile/folded.h"

#define FLAME_ROWS 1000
#define FLAME_TEXT 1000

struct flame_row {
	_Atomic uint64_t nr_samples;
	char text[FLAME_TEXT];
};

/* Zeroed is empty. */
struct flame {
	_Atomic uint32_t nr;
	_Atomic uint64_t nr_other;
	struct flame_row rows[FLAME_ROWS];
};

/* By the writer alone; f is merged. */
void flame_add(struct flame *flame, const struct folded *f);

/* Appends flamegraph_total, in seconds: samples divided by hz. */
void flame_put(struct flame *flame, uint32_t hz, struct text *out);

#endif
