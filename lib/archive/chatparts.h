/*
 * chatparts.h - inside the merge of chat (chatmerge.h): the messages of one
 * kind, on their way from the entries of files to the answer.
 *
 * A part is one entry, or several that were found to be one message.  All of a
 * kind lives in the scratch arena, until the next kind.
 */
#ifndef ARCHIVE_CHATPARTS_H
#define ARCHIVE_CHATPARTS_H

#include <stdbool.h>

#include "archive/chatmerge.h"

/*
 * The receiver of entries without receivers: their only reception is at their
 * time, and has an id that only those of the same range share.
 */
#define CHAT_NOBODY UINT32_MAX

struct chat_part {
	double time;
	double end;
	double range;			   /* as it will be answered */
	struct chat_reception *receptions; /* by id, and so by receiver */
	uint32_t nr_receptions;
	uint32_t nr_batches;
	uint32_t *batches; /* ascending */
};

struct chatmerge {
	const struct chat_names *names;
	const struct chat_batch *batches;
	size_t nr_batches;
	uint32_t *rank; /* of receivers, by their numbers */
	struct arena *arena;
	struct arena scratch;
	struct chat_messages *out;
	size_t capacity; /* of out */
	/* Which receivers and batches a message has, if equal to round. */
	uint64_t *receiver_marks;
	uint64_t *batch_marks;
	uint64_t round;
	uint64_t nr_looks; /* against hours of comparing */
};

/* Three-way, of doubles that are no NaN. */
static inline int chat_compare(double a, double b)
{
	return (a > b) - (a < b);
}

/* Makes the range of a part, of which time and end are known. */
static inline void chat_set_range(struct chat_part *part)
{
	part->range = part->end - part->time;
}

/* Of two parts, three-way: by ids, one after the other. */
int chat_compare_ids(const struct chat_part *a, const struct chat_part *b);

/*
 * Counts n comparisons of what cannot be one message: ERR_LIMIT where there are
 * so many that files must have been made for that.
 */
enum err chat_look(struct chatmerge *m, uint64_t n,
		   struct errmsg *e) MUST_CHECK;

/*
 * Step 3: joins parts, whose receptions have ids below nr_ids, in place; nr is
 * then how many are left.
 */
enum err chat_join_same(struct chatmerge *m, struct chat_part *parts,
			size_t *nr, uint32_t nr_ids,
			struct errmsg *e) MUST_CHECK;

/* Step 4: pairs the parts and puts the messages out. */
enum err chat_pair(struct chatmerge *m, uint32_t kind, struct chat_part *parts,
		   size_t nr, struct errmsg *e) MUST_CHECK;

/* Adds a message; its receptions are copied, without that of nobody. */
void chat_put(struct chatmerge *m, uint32_t kind, const struct chat_part *part);

#endif
