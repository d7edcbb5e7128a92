/*
 * chattexts.h - texts that many messages have in common, each kept once.
 *
 * A text gets a number, from 0 on, in the order in which threads bring them:
 * nothing that is answered may depend on that order.  Several threads may add;
 * looking one up is for when all have ended.
 *
 * Texts are compared, not their hashes alone: whoever chats could make two with
 * one hash.
 */
#ifndef ARCHIVE_CHATTEXTS_H
#define ARCHIVE_CHATTEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct chat_text {
	const char *text; /* NUL-terminated */
	uint32_t len;
	uint64_t tag; /* of whoever added it first */
	uint64_t hash[2];
};

struct chattexts;

struct chattexts *chattexts_new(void) MUST_CHECK;
void chattexts_free(struct chattexts **texts);

/* The number of a text, which may be new; len is less than 4 GB. */
uint32_t chattexts_add(struct chattexts *texts, const char *text, size_t len,
		       uint64_t tag) MUST_CHECK;

uint32_t chattexts_count(const struct chattexts *texts);
const struct chat_text *chattexts_get(const struct chattexts *texts,
				      uint32_t nr);

/* An order of all texts that is the same for the same texts. */
int chattexts_compare(const struct chat_text *a, const struct chat_text *b);

#endif
