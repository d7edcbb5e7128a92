#include "config.h"

#include "archive/chatparts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* About a second of comparing. */
#define MAX_LOOKS UINT64_C(200000000)

enum err chat_look(struct chatmerge *m, uint64_t n, struct errmsg *e)
{
	m->nr_looks += n;
	if (m->nr_looks <= MAX_LOOKS)
		return ERR_OK;
	return err_set(
		e, ERR_LIMIT,
		"the chat of this range has too many equal messages; ask "
		"for a shorter one");
}

int chat_compare_ids(const struct chat_part *a, const struct chat_part *b)
{
	uint32_t common = a->nr_receptions < b->nr_receptions ?
				  a->nr_receptions :
				  b->nr_receptions;

	for (uint32_t i = 0; i < common; i++)
		if (a->receptions[i].id != b->receptions[i].id)
			return a->receptions[i].id < b->receptions[i].id ? -1 :
									   1;
	return (a->nr_receptions > b->nr_receptions) -
	       (a->nr_receptions < b->nr_receptions);
}

void chat_put(struct chatmerge *m, uint32_t kind, const struct chat_part *part)
{
	struct chat_reception *copy = arena_alloc(
		m->arena, part->nr_receptions * sizeof(*part->receptions));
	struct chat_message message = { .time = part->time,
					.range = part->range,
					.receptions = copy,
					.kind = kind };

	for (uint32_t i = 0; i < part->nr_receptions; i++)
		if (part->receptions[i].receiver != CHAT_NOBODY)
			copy[message.nr_receptions++] = part->receptions[i];
	m->out->messages[m->out->nr++] = message;
}

/* Receivers by name */

struct name {
	const char *text;
	uint32_t nr;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text,
		      ((const struct name *)b)->text);
}

/* By their numbers, which of the texts are receivers of any message. */
static bool *find_receivers(struct chatmerge *m, uint32_t nr_texts)
{
	bool *is_used = arena_alloc(&m->scratch, nr_texts);

	for (size_t i = 0; i < m->nr_batches; i++)
		for (size_t k = 0; k < m->batches[i].nr_receptions; k++)
			is_used[m->batches[i].receptions[k].receiver] = true;
	return is_used;
}

/* Of files that were read in vain, there are texts that none has. */
static enum err rank_receivers(struct chatmerge *m, struct errmsg *e)
{
	uint32_t nr_texts = chattexts_count(m->names->receivers);
	const bool *is_used = find_receivers(m, nr_texts);
	struct name *names =
		arena_alloc(&m->scratch, nr_texts * sizeof(*names));
	uint32_t *receivers;
	uint32_t nr = 0;

	for (uint32_t i = 0; i < nr_texts; i++)
		if (is_used[i])
			names[nr++] = (struct name){
				chattexts_get(m->names->receivers, i)->text, i
			};
	if (nr > CHAT_MAX_NAMES)
		return err_set(e, ERR_LIMIT,
			       "the chat of this range has more than %d "
			       "receivers",
			       CHAT_MAX_NAMES);
	if (nr)
		qsort(names, nr, sizeof(*names), by_text);
	receivers = arena_alloc(m->arena, nr * sizeof(*receivers));
	m->rank = arena_alloc(m->arena, nr_texts * sizeof(*m->rank));
	m->receiver_marks =
		arena_alloc(m->arena, nr * sizeof(*m->receiver_marks));
	for (uint32_t i = 0; i < nr; i++) {
		m->rank[names[i].nr] = i;
		receivers[i] = names[i].nr;
	}
	m->out->receivers = receivers;
	m->out->nr_receivers = nr;
	return ERR_OK;
}

/* Entries as parts */

static int by_receiver(const void *a, const void *b)
{
	const struct chat_reception *x = a;
	const struct chat_reception *y = b;

	if (x->receiver != y->receiver)
		return x->receiver < y->receiver ? -1 : 1;
	return chat_compare(x->time, y->time);
}

static void make_part(struct chatmerge *m, const struct chat_entry *entry,
		      struct chat_part *part)
{
	const struct chat_reception *all = m->batches[entry->batch].receptions;
	uint32_t nr = entry->nr_receptions;

	*part = (struct chat_part){
		.time = entry->time,
		.end = entry->time + entry->range,
		.range = entry->range,
		.receptions = arena_alloc(&m->scratch,
					  (nr + 1) * sizeof(*part->receptions)),
		.nr_receptions = nr,
		.batches = arena_alloc(&m->scratch, sizeof(*part->batches)),
		.nr_batches = 1,
	};
	part->batches[0] = entry->batch;
	for (uint32_t i = 0; i < nr; i++) {
		part->receptions[i] = all[entry->first + i];
		part->receptions[i].receiver =
			m->rank[all[entry->first + i].receiver];
	}
	if (nr > 1)
		qsort(part->receptions, nr, sizeof(*part->receptions),
		      by_receiver);
}

static int compare_receptions(const struct chat_part *a,
			      const struct chat_part *b)
{
	if (a->nr_receptions != b->nr_receptions)
		return a->nr_receptions < b->nr_receptions ? -1 : 1;
	for (uint32_t i = 0; i < a->nr_receptions; i++) {
		int diff = by_receiver(&a->receptions[i], &b->receptions[i]);

		if (diff)
			return diff;
	}
	return 0;
}

/* By all that is known of an entry but its file. */
static int by_content(const void *a, const void *b)
{
	const struct chat_part *x = a;
	const struct chat_part *y = b;
	int diff = chat_compare(x->time, y->time);

	if (!diff)
		diff = chat_compare(x->end, y->end);
	if (!diff)
		diff = chat_compare(x->range, y->range);
	return diff ? diff : compare_receptions(x, y);
}

/* With an id: step 2 */

/* Those of all nr parts, of each receiver the earliest. */
static void unite_receptions(struct chatmerge *m, const struct chat_part *parts,
			     size_t nr, struct chat_part *to)
{
	struct chat_reception *all;
	uint32_t nr_all = 0;
	uint32_t kept = 0;

	for (size_t i = 0; i < nr; i++)
		nr_all += parts[i].nr_receptions;
	all = arena_alloc(&m->scratch, nr_all * sizeof(*all));
	nr_all = 0;
	for (size_t i = 0; i < nr; i++) {
		memcpy(all + nr_all, parts[i].receptions,
		       parts[i].nr_receptions * sizeof(*all));
		nr_all += parts[i].nr_receptions;
	}
	if (nr_all)
		qsort(all, nr_all, sizeof(*all), by_receiver);
	for (uint32_t i = 0; i < nr_all; i++)
		if (!kept || all[kept - 1].receiver != all[i].receiver)
			all[kept++] = all[i];
	to->receptions = all;
	to->nr_receptions = kept;
}

/* The parts, in order of content, have an instant in common. */
static void put_united(struct chatmerge *m, uint32_t kind,
		       const struct chat_part *parts, size_t nr, double end)
{
	struct chat_part united = parts[0];

	if (by_content(&parts[0], &parts[nr - 1]) != 0) {
		united.time = parts[nr - 1].time;
		united.end = end;
		chat_set_range(&united);
		unite_receptions(m, parts, nr, &united);
	}
	chat_put(m, kind, &united);
}

/* In order of time, the end that all have before them is the earliest. */
static void merge_by_id(struct chatmerge *m, uint32_t kind,
			struct chat_part *parts, size_t nr)
{
	size_t first = 0;

	qsort(parts, nr, sizeof(*parts), by_content);
	while (first < nr) {
		double end = parts[first].end;
		size_t i = first + 1;

		for (; i < nr && parts[i].time <= end; i++)
			if (parts[i].end < end)
				end = parts[i].end;
		put_united(m, kind, parts + first, i - first, end);
		first = i;
	}
}

/* Without an id: what is the same reception */

struct occurrence {
	struct chat_reception *reception;
	double range; /* of nobody's; else 0 */
	uint32_t batch;
	uint32_t part;
	uint32_t nth; /* of equal ones in its file */
};

static int compare_occurrences(const struct occurrence *a,
			       const struct occurrence *b)
{
	int diff = by_receiver(a->reception, b->reception);

	return diff ? diff : chat_compare(a->range, b->range);
}

static int by_file(const void *a, const void *b)
{
	const struct occurrence *x = a;
	const struct occurrence *y = b;
	int diff = compare_occurrences(x, y);

	if (diff)
		return diff;
	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

static int by_nth(const void *a, const void *b)
{
	const struct occurrence *x = a;
	const struct occurrence *y = b;
	int diff = compare_occurrences(x, y);

	return diff ? diff : (x->nth > y->nth) - (x->nth < y->nth);
}

static void count_in_files(struct occurrence *all, size_t nr)
{
	qsort(all, nr, sizeof(*all), by_file);
	for (size_t i = 1; i < nr; i++)
		if (all[i].batch == all[i - 1].batch &&
		    !compare_occurrences(&all[i], &all[i - 1]))
			all[i].nth = all[i - 1].nth + 1;
}

/*
 * Ids are in the order of by_nth(), so that they say the same of parts whatever
 * files there are.  How many there are.
 */
static uint32_t number_receptions(struct occurrence *all, size_t nr)
{
	uint32_t id = 0;

	qsort(all, nr, sizeof(*all), by_nth);
	for (size_t i = 0; i < nr; i++) {
		id += i && by_nth(&all[i - 1], &all[i]) != 0;
		all[i].reception->id = id;
	}
	return id + 1;
}

static uint32_t identify(struct chatmerge *m, struct chat_part *parts,
			 size_t nr)
{
	struct occurrence *all;
	size_t nr_all = 0;

	qsort(parts, nr, sizeof(*parts), by_content);
	for (size_t i = 0; i < nr; i++) {
		struct chat_part *part = &parts[i];

		if (!part->nr_receptions)
			part->receptions[part->nr_receptions++] =
				(struct chat_reception){ .time = part->time,
							 .receiver =
								 CHAT_NOBODY };
		nr_all += part->nr_receptions;
	}
	all = arena_alloc(&m->scratch, nr_all * sizeof(*all));
	nr_all = 0;
	for (size_t i = 0; i < nr; i++)
		for (uint32_t k = 0; k < parts[i].nr_receptions; k++) {
			struct chat_reception *r = &parts[i].receptions[k];

			all[nr_all++] = (struct occurrence){
				.reception = r,
				.range = r->receiver == CHAT_NOBODY ?
						 parts[i].range :
						 0,
				.batch = parts[i].batches[0],
				.part = (uint32_t)i,
			};
		}
	count_in_files(all, nr_all);
	return number_receptions(all, nr_all);
}

/* All kinds */

static enum err merge_kind(struct chatmerge *m, uint32_t kind,
			   struct chat_entry *const *entries, size_t nr,
			   struct errmsg *e)
{
	struct chat_part *parts = arena_alloc(&m->scratch, nr * sizeof(*parts));
	enum err err = ERR_OK;

	for (size_t i = 0; i < nr; i++)
		make_part(m, entries[i], &parts[i]);
	if (nr == 1) {
		chat_put(m, kind, &parts[0]);
	} else if (chattexts_get(m->names->kinds, kind)->tag) {
		merge_by_id(m, kind, parts, nr);
	} else {
		uint32_t nr_ids = identify(m, parts, nr);

		err = chat_join_same(m, parts, &nr, nr_ids, e);
		if (!err)
			err = chat_pair(m, kind, parts, nr, e);
	}
	arena_reset(&m->scratch);
	return err;
}

/* The entries by kinds; those of kind k end at ends[k]. */
static struct chat_entry **sort_by_kind(struct chatmerge *m,
					struct chat_batch *batches,
					size_t *ends)
{
	uint32_t nr_kinds = chattexts_count(m->names->kinds);
	struct chat_entry **order = mem_alloc(m->out->nr_read * sizeof(*order));
	size_t at = 0;

	for (size_t i = 0; i < m->nr_batches; i++)
		for (size_t k = 0; k < batches[i].nr; k++)
			ends[batches[i].entries[k].kind]++;
	for (uint32_t i = 0; i < nr_kinds; i++) {
		size_t nr = ends[i];

		ends[i] = at;
		at += nr;
	}
	for (size_t i = 0; i < m->nr_batches; i++)
		for (size_t k = 0; k < batches[i].nr; k++) {
			struct chat_entry *entry = &batches[i].entries[k];

			entry->batch = (uint32_t)i;
			order[ends[entry->kind]++] = entry;
		}
	return order;
}

static enum err merge_kinds(struct chatmerge *m, struct chat_batch *batches,
			    struct errmsg *e)
{
	uint32_t nr_kinds = chattexts_count(m->names->kinds);
	size_t *ends = mem_zero(nr_kinds * sizeof(*ends));
	struct chat_entry **order = sort_by_kind(m, batches, ends);
	size_t from = 0;
	enum err err = ERR_OK;

	for (uint32_t i = 0; !err && i < nr_kinds; i++) {
		if (ends[i] > from)
			err = merge_kind(m, i, order + from, ends[i] - from, e);
		from = ends[i];
	}
	free(order);
	free(ends);
	return err;
}

enum err chat_merge(const struct chat_names *names, struct chat_batch *batches,
		    size_t nr_batches, struct arena *a,
		    struct chat_messages *messages_r, struct errmsg *e)
{
	struct chat_messages out = { .nr = 0 };
	struct chatmerge m = { .names = names,
			       .batches = batches,
			       .nr_batches = nr_batches,
			       .arena = a,
			       .out = &out };
	enum err err;

	arena_init(&m.scratch);
	for (size_t i = 0; i < nr_batches; i++)
		out.nr_read += batches[i].nr;
	/* No more come out than went in. */
	out.messages = arena_alloc(a, out.nr_read * sizeof(*out.messages));
	m.batch_marks = arena_alloc(a, nr_batches * sizeof(*m.batch_marks));
	err = rank_receivers(&m, e);
	if (!err)
		err = merge_kinds(&m, batches, e);
	arena_release(&m.scratch);
	if (!err)
		*messages_r = out;
	return err;
}
