/*
 * chatpair.c - messages of one kind without an id, one to one: step 4 of the
 * merge (chatmerge.h).
 *
 * Parts that have the same receivers and are of the same files can never be one
 * message.  So each such class has a queue of its parts that have begun, and a
 * message looks only at the head of each: a flood of equal messages is not
 * compared each with each.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "archive/chatparts.h"

struct class
{
	uint32_t *queue; /* a heap: parts by number, the least on top */
	uint32_t nr;
	uint32_t part; /* any of it */
};

struct head {
	uint32_t part;
	uint32_t class;
};

struct pairing {
	struct chatmerge *m;
	const struct chat_part *parts; /* in the order they are taken */
	uint32_t nr;
	uint32_t *class_of;
	struct class *classes;
	uint32_t *by_time; /* parts */
	uint32_t nr_begun;
	struct head *heads; /* of the queues that are not empty */
	uint32_t nr_heads;
	bool *is_taken;
};

/* The order in which they are taken. */
static int by_end(const void *a, const void *b)
{
	const struct chat_part *x = a;
	const struct chat_part *y = b;
	int diff = chat_compare(x->end, y->end);

	if (!diff)
		diff = chat_compare(x->time, y->time);
	if (!diff)
		diff = chat_compare(x->range, y->range);
	return diff ? diff : chat_compare_ids(x, y);
}

static int compare_classes(const struct chat_part *x, const struct chat_part *y)
{
	if (x->nr_receptions != y->nr_receptions)
		return x->nr_receptions < y->nr_receptions ? -1 : 1;
	if (x->nr_batches != y->nr_batches)
		return x->nr_batches < y->nr_batches ? -1 : 1;
	for (uint32_t i = 0; i < x->nr_receptions; i++)
		if (x->receptions[i].receiver != y->receptions[i].receiver)
			return x->receptions[i].receiver <
					       y->receptions[i].receiver ?
				       -1 :
				       1;
	return memcmp(x->batches, y->batches,
		      x->nr_batches * sizeof(*x->batches));
}

static int by_class(const void *a, const void *b, void *parts)
{
	const struct chat_part *all = parts;

	return compare_classes(&all[*(const uint32_t *)a],
			       &all[*(const uint32_t *)b]);
}

static int by_time(const void *a, const void *b, void *parts)
{
	const struct chat_part *all = parts;

	return chat_compare(all[*(const uint32_t *)a].time,
			    all[*(const uint32_t *)b].time);
}

static uint32_t *sorted(struct pairing *p, struct chat_part *parts,
			int (*compare)(const void *, const void *, void *))
{
	uint32_t *order = arena_alloc(&p->m->scratch, p->nr * sizeof(*order));

	for (uint32_t i = 0; i < p->nr; i++)
		order[i] = i;
	qsort_r(order, p->nr, sizeof(*order), compare, parts);
	return order;
}

/* The room of a class is what it needs in the order by classes. */
static void make_classes(struct pairing *p, struct chat_part *parts)
{
	struct arena *a = &p->m->scratch;
	uint32_t *order = sorted(p, parts, by_class);
	uint32_t *room = arena_alloc(a, p->nr * sizeof(*room));
	uint32_t class = 0;

	p->classes = arena_alloc(a, p->nr * sizeof(*p->classes));
	p->class_of = arena_alloc(a, p->nr * sizeof(*p->class_of));
	p->heads = arena_alloc(a, p->nr * sizeof(*p->heads));
	for (uint32_t i = 0; i < p->nr; i++) {
		if (!i || compare_classes(&parts[order[i - 1]],
					  &parts[order[i]]) != 0) {
			class += i != 0;
			p->classes[class].queue = room + i;
			p->classes[class].part = order[i];
		}
		p->class_of[order[i]] = class;
	}
}

/* Queues */

static void push(struct class *class, uint32_t part)
{
	uint32_t at = class->nr++;

	while (at && class->queue[(at - 1) / 2] > part) {
		class->queue[at] = class->queue[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	class->queue[at] = part;
}

static void pop(struct class *class)
{
	uint32_t last = class->queue[--class->nr];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < class->nr &&
		    class->queue[child + 1] < class->queue[child])
			child++;
		if (child >= class->nr || class->queue[child] >= last)
			break;
		class->queue[at] = class->queue[child];
		at = child;
	}
	class->queue[at] = last;
}

/* Puts what begins until then into its queue. */
static void begin_until(struct pairing *p, double end)
{
	while (p->nr_begun < p->nr &&
	       p->parts[p->by_time[p->nr_begun]].time <= end) {
		uint32_t part = p->by_time[p->nr_begun++];
		uint32_t class = p->class_of[part];

		if (!p->classes[class].nr)
			p->heads[p->nr_heads++].class = class;
		push(&p->classes[class], part);
	}
}

static int by_head(const void *a, const void *b)
{
	uint32_t x = ((const struct head *)a)->part;
	uint32_t y = ((const struct head *)b)->part;

	return (x > y) - (x < y);
}

/* The queues that are not empty, in the order of what is first in each. */
static void sort_heads(struct pairing *p)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < p->nr_heads; i++) {
		uint32_t class = p->heads[i].class;

		if (p->classes[class].nr)
			p->heads[nr++] =
				(struct head){ p->classes[class].queue[0],
					       class };
	}
	p->nr_heads = nr;
	qsort(p->heads, nr, sizeof(*p->heads), by_head);
}

/* Messages */

/* Whether no receiver and no file of a part is in the message already. */
static bool fits(const struct chatmerge *m, const struct chat_part *part)
{
	for (uint32_t i = 0; i < part->nr_receptions; i++) {
		uint32_t receiver = part->receptions[i].receiver;

		if (receiver != CHAT_NOBODY &&
		    m->receiver_marks[receiver] == m->round)
			return false;
	}
	for (uint32_t i = 0; i < part->nr_batches; i++)
		if (m->batch_marks[part->batches[i]] == m->round)
			return false;
	return true;
}

static void mark(struct chatmerge *m, const struct chat_part *part)
{
	for (uint32_t i = 0; i < part->nr_receptions; i++)
		if (part->receptions[i].receiver != CHAT_NOBODY)
			m->receiver_marks[part->receptions[i].receiver] =
				m->round;
	for (uint32_t i = 0; i < part->nr_batches; i++)
		m->batch_marks[part->batches[i]] = m->round;
}

static int by_receiver(const void *a, const void *b)
{
	uint32_t x = ((const struct chat_reception *)a)->receiver;
	uint32_t y = ((const struct chat_reception *)b)->receiver;

	return (x > y) - (x < y);
}

/* What the next message has in common, and its receptions. */
static void gather(struct pairing *p, struct chat_part *message,
		   size_t *capacity)
{
	struct chatmerge *m = p->m;
	uint32_t nr = 0;

	m->round++;
	message->nr_receptions = 0;
	for (uint32_t i = 0; i < p->nr_heads; i++) {
		const struct chat_part *part = &p->parts[p->heads[i].part];

		if (!fits(m, part))
			continue;
		mark(m, part);
		p->is_taken[p->heads[i].part] = true;
		pop(&p->classes[p->heads[i].class]);
		if (!nr++) {
			message->time = part->time;
			message->end = part->end;
			message->range = part->range;
		} else {
			/* The first ends first. */
			message->time = part->time > message->time ?
						part->time :
						message->time;
			chat_set_range(message);
		}
		for (uint32_t k = 0; k < part->nr_receptions; k++) {
			message->receptions =
				arena_grow(&m->scratch, message->receptions,
					   message->nr_receptions, capacity,
					   sizeof(*message->receptions));
			message->receptions[message->nr_receptions++] =
				part->receptions[k];
		}
	}
	qsort(message->receptions, message->nr_receptions,
	      sizeof(*message->receptions), by_receiver);
}

enum err chat_pair(struct chatmerge *m, uint32_t kind, struct chat_part *parts,
		   size_t nr, struct errmsg *e)
{
	struct pairing p = { .m = m, .parts = parts, .nr = (uint32_t)nr };
	struct chat_part message = { .nr_receptions = 0 };
	size_t capacity = 0;
	enum err err = ERR_OK;

	qsort(parts, nr, sizeof(*parts), by_end);
	p.by_time = sorted(&p, parts, by_time);
	p.is_taken = arena_alloc(&m->scratch, nr);
	make_classes(&p, parts);
	for (uint32_t i = 0; !err && i < p.nr; i++) {
		if (p.is_taken[i])
			continue;
		begin_until(&p, parts[i].end);
		sort_heads(&p);
		gather(&p, &message, &capacity);
		chat_put(m, kind, &message);
		err = chat_look(m, p.nr_heads, e);
	}
	return err;
}
