/*
 * chatpair.c - messages of one kind without an id, one to one: step 4 of the
 * merge (chatmerge.h).
 *
 * Parts of the same files can never be one message, still less those that have
 * the same receivers, too.  So parts are in groups, by their files, and these
 * in classes, by their receivers: a message looks at one part of a group, and
 * only where that has a receiver which the message has already, at the least of
 * the next class.  A flood of equal messages is not compared each with each.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "archive/chatparts.h"
#include "base/numset.h"

#define NONE NUMSET_NONE

/* Parts are by number, which is the order in which they are taken. */
struct class
{
	uint32_t head; /* the least of those that have begun, or NONE */
	uint32_t stop; /* of the order by classes: where it ends */
};

struct group {
	uint32_t shown; /* its part among the shown ones, or NONE */
	uint32_t first; /* of the order by groups: where it begins */
	uint32_t stop;
	bool is_changed; /* what is shown, by this message */
};

/* Parts in an order, and some of them. */
struct subset {
	uint32_t *order;
	uint32_t *place_of;
	struct numset places;
};

struct pairing {
	struct chatmerge *m;
	const struct chat_part *parts;
	uint32_t nr;
	uint32_t *class_of;
	uint32_t *group_of;
	struct class *classes;
	struct group *groups;
	struct subset begun; /* by classes */
	struct subset heads; /* of classes, by groups */
	struct numset shown; /* of each group the least head, by number */
	uint32_t *changed;   /* groups */
	uint32_t nr_changed;
	uint32_t *by_time;
	uint32_t nr_by_time; /* that have begun */
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

static int compare_files(const struct chat_part *x, const struct chat_part *y)
{
	if (x->nr_batches != y->nr_batches)
		return x->nr_batches < y->nr_batches ? -1 : 1;
	return memcmp(x->batches, y->batches,
		      x->nr_batches * sizeof(*x->batches));
}

static int compare_classes(const struct chat_part *x, const struct chat_part *y)
{
	int diff = compare_files(x, y);

	if (diff)
		return diff;
	if (x->nr_receptions != y->nr_receptions)
		return x->nr_receptions < y->nr_receptions ? -1 : 1;
	for (uint32_t i = 0; i < x->nr_receptions; i++)
		if (x->receptions[i].receiver != y->receptions[i].receiver)
			return x->receptions[i].receiver <
					       y->receptions[i].receiver ?
				       -1 :
				       1;
	return 0;
}

static int compare_numbers(uint32_t x, uint32_t y)
{
	return (x > y) - (x < y);
}

static int by_group(const void *a, const void *b, void *parts)
{
	const struct chat_part *all = parts;
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	int diff = compare_files(&all[x], &all[y]);

	return diff ? diff : compare_numbers(x, y);
}

static int by_class(const void *a, const void *b, void *parts)
{
	const struct chat_part *all = parts;
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	int diff = compare_classes(&all[x], &all[y]);

	return diff ? diff : compare_numbers(x, y);
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

static void make_subset(struct pairing *p, struct chat_part *parts,
			int (*compare)(const void *, const void *, void *),
			struct subset *subset)
{
	struct arena *a = &p->m->scratch;

	subset->order = sorted(p, parts, compare);
	subset->place_of = arena_alloc(a, p->nr * sizeof(*subset->place_of));
	for (uint32_t i = 0; i < p->nr; i++)
		subset->place_of[subset->order[i]] = i;
	numset_init(&subset->places, a, p->nr);
}

static void make_classes(struct pairing *p, struct chat_part *parts)
{
	const uint32_t *order;
	uint32_t class = 0;

	make_subset(p, parts, by_class, &p->begun);
	order = p->begun.order;
	p->classes = arena_alloc(&p->m->scratch, p->nr * sizeof(*p->classes));
	p->class_of = arena_alloc(&p->m->scratch, p->nr * sizeof(*p->class_of));
	for (uint32_t i = 0; i < p->nr; i++) {
		class += i && compare_classes(&parts[order[i - 1]],
					      &parts[order[i]]) != 0;
		p->classes[class] =
			(struct class){ .head = NONE, .stop = i + 1 };
		p->class_of[order[i]] = class;
	}
}

static void make_groups(struct pairing *p, struct chat_part *parts)
{
	struct arena *a = &p->m->scratch;
	const uint32_t *order;
	uint32_t nr = 0;

	make_subset(p, parts, by_group, &p->heads);
	order = p->heads.order;
	p->groups = arena_alloc(a, p->nr * sizeof(*p->groups));
	p->group_of = arena_alloc(a, p->nr * sizeof(*p->group_of));
	p->changed = arena_alloc(a, p->nr * sizeof(*p->changed));
	numset_init(&p->shown, a, p->nr);
	for (uint32_t i = 0; i < p->nr; i++) {
		if (!i ||
		    compare_files(&parts[order[i - 1]], &parts[order[i]]) != 0)
			p->groups[nr++] =
				(struct group){ .shown = NONE, .first = i };
		p->groups[nr - 1].stop = i + 1;
		p->group_of[order[i]] = nr - 1;
	}
}

/* Subsets */

static void add(struct subset *subset, uint32_t part)
{
	numset_add(&subset->places, subset->place_of[part]);
}

static void drop(struct subset *subset, uint32_t part)
{
	numset_remove(&subset->places, subset->place_of[part]);
}

/* The first part from one place on, before another, or NONE. */
static uint32_t first_of(const struct subset *subset, uint32_t from,
			 uint32_t stop)
{
	uint32_t place = numset_next(&subset->places, from);

	return place < stop ? subset->order[place] : NONE;
}

static void show(struct pairing *p, struct group *group, uint32_t part)
{
	if (group->shown != NONE)
		numset_remove(&p->shown, group->shown);
	if (part != NONE)
		numset_add(&p->shown, part);
	group->shown = part;
}

static void note_change(struct pairing *p, struct group *group)
{
	if (!group->is_changed)
		p->changed[p->nr_changed++] = (uint32_t)(group - p->groups);
	group->is_changed = true;
}

/* Between messages the least head of each group is shown. */
static void show_least(struct pairing *p)
{
	while (p->nr_changed) {
		struct group *group = &p->groups[p->changed[--p->nr_changed]];

		show(p, group, first_of(&p->heads, group->first, group->stop));
		group->is_changed = false;
	}
}

static void begin(struct pairing *p, uint32_t part)
{
	struct class *class = &p->classes[p->class_of[part]];

	add(&p->begun, part);
	if (class->head < part)
		return;
	if (class->head != NONE)
		drop(&p->heads, class->head);
	class->head = part;
	add(&p->heads, part);
	note_change(p, &p->groups[p->group_of[part]]);
}

static void begin_until(struct pairing *p, double end)
{
	while (p->nr_by_time < p->nr &&
	       p->parts[p->by_time[p->nr_by_time]].time <= end)
		begin(p, p->by_time[p->nr_by_time++]);
	show_least(p);
}

static void take(struct pairing *p, uint32_t part)
{
	struct class *class = &p->classes[p->class_of[part]];
	struct group *group = &p->groups[p->group_of[part]];

	p->is_taken[part] = true;
	drop(&p->begun, part);
	drop(&p->heads, part);
	class->head =
		first_of(&p->begun, p->begun.place_of[part] + 1, class->stop);
	if (class->head != NONE)
		add(&p->heads, class->head);
	/* None of its files any more, in this message. */
	note_change(p, group);
	show(p, group, NONE);
}

/* Messages */

/* Whether the message has a receiver of a part already. */
static bool has_receiver(struct chatmerge *m, const struct chat_part *part,
			 uint64_t *nr_looks)
{
	for (uint32_t i = 0; i < part->nr_receptions; i++) {
		uint32_t receiver = part->receptions[i].receiver;

		++*nr_looks;
		if (receiver != CHAT_NOBODY &&
		    m->receiver_marks[receiver] == m->round)
			return true;
	}
	return false;
}

static bool has_file(struct chatmerge *m, const struct chat_part *part,
		     uint64_t *nr_looks)
{
	for (uint32_t i = 0; i < part->nr_batches; i++) {
		++*nr_looks;
		if (m->batch_marks[part->batches[i]] == m->round)
			return true;
	}
	return false;
}

/* Another head of the group is shown, if it has a later one that fits so far.
 */
static void pass_by(struct pairing *p, uint32_t part, uint64_t *nr_looks)
{
	struct group *group = &p->groups[p->group_of[part]];
	uint32_t next = part;

	do
		next = first_of(&p->heads, p->heads.place_of[next] + 1,
				group->stop);
	while (next != NONE && has_receiver(p->m, &p->parts[next], nr_looks));
	if (next == NONE)
		return;
	note_change(p, group);
	show(p, group, next);
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

static void add_receptions(struct pairing *p, struct chat_part *message,
			   const struct chat_part *from, size_t *capacity)
{
	for (uint32_t i = 0; i < from->nr_receptions; i++) {
		message->receptions =
			arena_grow(&p->m->scratch, message->receptions,
				   message->nr_receptions, capacity,
				   sizeof(*message->receptions));
		message->receptions[message->nr_receptions++] =
			from->receptions[i];
	}
}

/* The first ends first. */
static void narrow(struct chat_part *message, const struct chat_part *part)
{
	if (part->time > message->time)
		message->time = part->time;
	chat_set_range(message);
}

/* What the next message has in common, and its receptions. */
static void gather(struct pairing *p, struct chat_part *message,
		   size_t *capacity, uint64_t *nr_looks)
{
	struct chatmerge *m = p->m;
	uint32_t nr = 0;
	uint32_t at;

	m->round++;
	message->nr_receptions = 0;
	for (at = numset_next(&p->shown, 0); at != NONE;
	     at = numset_next(&p->shown, at + 1)) {
		const struct chat_part *part = &p->parts[at];

		if (has_file(m, part, nr_looks))
			continue;
		if (has_receiver(m, part, nr_looks)) {
			pass_by(p, at, nr_looks);
			continue;
		}
		mark(m, part);
		take(p, at);
		if (!nr++) {
			message->time = part->time;
			message->end = part->end;
			message->range = part->range;
		} else {
			narrow(message, part);
		}
		add_receptions(p, message, part, capacity);
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
	make_groups(&p, parts);
	for (uint32_t i = 0; !err && i < p.nr; i++) {
		uint64_t nr_looks = 0;

		if (p.is_taken[i])
			continue;
		begin_until(&p, parts[i].end);
		gather(&p, &message, &capacity, &nr_looks);
		chat_put(m, kind, &message);
		err = chat_look(m, nr_looks, e);
	}
	return err;
}
