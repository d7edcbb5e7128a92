/*
 * slotnote.h - the request that a slot of the scoreboard is about, in words.
 *
 * Written by the one process that owns the slot, read by any, without locks: a
 * count is odd while the words are being written, and whoever finds it odd, or
 * changed behind his reading, reads again.  A writer that was killed meanwhile
 * leaves it odd, and nobody reads that note until the next owner writes his.
 *
 * Errors: none; what does not fit is cut.
 */
#ifndef SRC_SLOTNOTE_H
#define SRC_SLOTNOTE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* All zero: no request.  Bytes are as they came, so escape them. */
struct slot_text {
	char id[48];	 /* of the request, as in the log */
	char client[48]; /* the address that the front server tells */
	char uri[256];	 /* the beginning of it */
};

#define SLOT_TEXT_WORDS (sizeof(struct slot_text) / sizeof(uint64_t))

struct slotnote {
	_Atomic uint32_t turn;
	_Atomic uint64_t words[SLOT_TEXT_WORDS];
};

/* By the owner. */
void slotnote_write(struct slotnote *note, const char *id, const char *client,
		    const char *uri);
void slotnote_clear(struct slotnote *note);
void slotnote_copy(struct slotnote *to, struct slotnote *from);

/*
 * Its strings end within the struct, whatever is in memory.  False if it was
 * being written all the while.
 */
bool slotnote_read(struct slotnote *note, struct slot_text *text_r) MUST_CHECK;

#endif
