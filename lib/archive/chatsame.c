/*
 * chatsame.c - messages of one kind that several files tell of: step 3 of the
 * merge (chatmerge.h).
 *
 * A file that was merged and the files it was made of agree: what shares a
 * reception is one message.  Files that were merged in different orders may
 * not, where equal messages are close to each other; then whichever has more
 * receivers goes before, and of the others is kept what nobody has told of yet,
 * so that each reception is in the answer once.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "archive/chatparts.h"

#define NONE UINT32_MAX

/* A message that grows. */
struct group {
	struct chat_part part;
	size_t receptions_capacity;
	size_t batches_capacity;
};

struct owner {
	uint32_t group;
	uint32_t next; /* or NONE */
};

struct joining {
	struct chatmerge *m;
	struct group *groups;
	uint32_t nr;
	uint32_t *first; /* of the owners of each id, or NONE */
	struct owner *owners;
	uint32_t nr_owners;
	size_t owners_capacity;
};

/* What was merged before what it was made of. */
static int by_rank(const void *a, const void *b)
{
	const struct chat_part *x = a;
	const struct chat_part *y = b;
	int diff;

	if (x->nr_receptions != y->nr_receptions)
		return x->nr_receptions > y->nr_receptions ? -1 : 1;
	diff = chat_compare(x->end, y->end);
	if (!diff)
		diff = chat_compare(y->time, x->time);
	if (!diff)
		diff = chat_compare(x->range, y->range);
	return diff ? diff : chat_compare_ids(x, y);
}

static bool intersects(const struct chat_part *a, const struct chat_part *b)
{
	return a->time <= b->end && b->time <= a->end;
}

/*
 * Two that one receiver tells of have ranges apart.  Not so what was merged: it
 * may have been narrowed by another message each time.
 */
static bool are_two(const struct chat_part *a, const struct chat_part *b)
{
	return a->nr_receptions == 1 && b->nr_receptions == 1 &&
	       !intersects(a, b);
}

static void add_batches(struct joining *j, struct group *group,
			const struct chat_part *from)
{
	struct chat_part *to = &group->part;

	for (uint32_t i = 0; i < from->nr_batches; i++) {
		to->batches = arena_grow(
			&j->m->scratch, to->batches, to->nr_batches,
			&group->batches_capacity, sizeof(*to->batches));
		to->batches[to->nr_batches++] = from->batches[i];
	}
}

static void add_reception(struct joining *j, uint32_t nr,
			  const struct chat_reception *reception)
{
	struct group *group = &j->groups[nr];
	struct chat_part *to = &group->part;
	uint32_t at = to->nr_receptions;

	to->receptions = arena_grow(&j->m->scratch, to->receptions, at,
				    &group->receptions_capacity,
				    sizeof(*to->receptions));
	for (; at && to->receptions[at - 1].id > reception->id; at--)
		to->receptions[at] = to->receptions[at - 1];
	to->receptions[at] = *reception;
	to->nr_receptions++;
	j->owners = arena_grow(&j->m->scratch, j->owners, j->nr_owners,
			       &j->owners_capacity, sizeof(*j->owners));
	j->owners[j->nr_owners] = (struct owner){ nr, j->first[reception->id] };
	j->first[reception->id] = j->nr_owners++;
}

/* Whether a group has an id. */
static bool has(const struct joining *j, uint32_t group, uint32_t id)
{
	for (uint32_t i = j->first[id]; i != NONE; i = j->owners[i].next)
		if (j->owners[i].group == group)
			return true;
	return false;
}

/* Whether a part has another reception of a receiver of the group. */
static bool contradicts(const struct joining *j, uint32_t nr,
			const struct chat_part *part)
{
	const struct chat_part *group = &j->groups[nr].part;
	uint32_t k = 0;

	for (uint32_t i = 0; i < part->nr_receptions; i++) {
		const struct chat_reception *r = &part->receptions[i];

		while (k < group->nr_receptions &&
		       group->receptions[k].receiver < r->receiver)
			k++;
		if (k < group->nr_receptions &&
		    group->receptions[k].receiver == r->receiver &&
		    group->receptions[k].id != r->id)
			return true;
	}
	return false;
}

static void join(struct joining *j, uint32_t nr, const struct chat_part *part)
{
	struct chat_part *group = &j->groups[nr].part;
	bool differs = group->time != part->time || group->end != part->end ||
		       group->range != part->range;

	group->time = part->time > group->time ? part->time : group->time;
	group->end = part->end < group->end ? part->end : group->end;
	if (differs)
		chat_set_range(group);
	for (uint32_t i = 0; i < part->nr_receptions; i++)
		if (!has(j, nr, part->receptions[i].id))
			add_reception(j, nr, &part->receptions[i]);
	add_batches(j, &j->groups[nr], part);
}

/* The groups that tell of the same, by their marks in related[]. */
struct related {
	uint32_t group; /* the first, or NONE */
	bool several;
	bool *is_told; /* of each reception of the part: by one of them */
};

static enum err find_related(struct joining *j, const struct chat_part *part,
			     struct related *found, struct errmsg *e)
{
	uint64_t nr_looks = 0;

	for (uint32_t i = 0; i < part->nr_receptions; i++) {
		uint32_t at = j->first[part->receptions[i].id];

		for (; at != NONE; at = j->owners[at].next) {
			uint32_t group = j->owners[at].group;

			nr_looks++;
			if (are_two(&j->groups[group].part, part))
				continue;
			found->is_told[i] = true;
			if (found->group == NONE)
				found->group = group;
			found->several |= found->group != group;
		}
	}
	return chat_look(j->m, nr_looks, e);
}

/* A group of what none of the related ones tells of, if there is any. */
static void add_group(struct joining *j, const struct chat_part *part,
		      const bool *is_told)
{
	struct group *group = &j->groups[j->nr];
	bool is_new = false;

	for (uint32_t i = 0; i < part->nr_receptions; i++) {
		if (is_told[i])
			continue;
		if (!is_new)
			*group = (struct group){ .part = {
							 .time = part->time,
							 .end = part->end,
							 .range = part->range,
						 } };
		is_new = true;
		add_reception(j, j->nr, &part->receptions[i]);
	}
	if (!is_new)
		return;
	add_batches(j, group, part);
	j->nr++;
}

static enum err take(struct joining *j, const struct chat_part *part,
		     struct errmsg *e)
{
	struct related found = {
		.group = NONE,
		.is_told = arena_alloc(&j->m->scratch, part->nr_receptions),
	};
	enum err err = find_related(j, part, &found, e);

	if (err)
		return err;
	if (found.group != NONE)
		err = chat_look(j->m, j->groups[found.group].part.nr_receptions,
				e);
	if (err)
		return err;
	if (found.group != NONE && !found.several &&
	    intersects(&j->groups[found.group].part, part) &&
	    !contradicts(j, found.group, part))
		join(j, found.group, part);
	else
		add_group(j, part, found.is_told);
	return ERR_OK;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_batches(struct chat_part *part)
{
	uint32_t nr = 0;

	qsort(part->batches, part->nr_batches, sizeof(*part->batches),
	      by_number);
	for (uint32_t i = 0; i < part->nr_batches; i++)
		if (!nr || part->batches[nr - 1] != part->batches[i])
			part->batches[nr++] = part->batches[i];
	part->nr_batches = nr;
}

/* Those that are equal but for their files are one from the beginning. */
static size_t join_equal(struct chatmerge *m, struct chat_part *parts,
			 size_t nr)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr;) {
		size_t nr_equal = 1;
		uint32_t *batches;

		while (i + nr_equal < nr &&
		       !by_rank(&parts[i], &parts[i + nr_equal]))
			nr_equal++;
		batches = arena_alloc(&m->scratch, nr_equal * sizeof(*batches));
		for (size_t k = 0; k < nr_equal; k++)
			batches[k] = parts[i + k].batches[0];
		parts[kept] = parts[i];
		parts[kept].batches = batches;
		parts[kept].nr_batches = (uint32_t)nr_equal;
		sort_batches(&parts[kept++]);
		i += nr_equal;
	}
	return kept;
}

static bool any_shared(const struct chat_part *parts, size_t nr,
		       uint32_t nr_ids)
{
	size_t nr_receptions = 0;

	for (size_t i = 0; i < nr; i++)
		nr_receptions += parts[i].nr_receptions;
	return nr_receptions > nr_ids;
}

enum err chat_join_same(struct chatmerge *m, struct chat_part *parts,
			size_t *nr, uint32_t nr_ids, struct errmsg *e)
{
	struct joining j = { .m = m };
	enum err err = ERR_OK;

	if (!any_shared(parts, *nr, nr_ids))
		return ERR_OK;
	qsort(parts, *nr, sizeof(*parts), by_rank);
	*nr = join_equal(m, parts, *nr);
	if (!any_shared(parts, *nr, nr_ids))
		return ERR_OK;
	j.groups = arena_alloc(&m->scratch, *nr * sizeof(*j.groups));
	j.first = arena_alloc(&m->scratch, nr_ids * sizeof(*j.first));
	memset(j.first, 0xff, nr_ids * sizeof(*j.first));
	for (size_t i = 0; !err && i < *nr; i++)
		err = take(&j, &parts[i], e);
	if (err)
		return err;
	*nr = j.nr;
	for (size_t i = 0; i < *nr; i++) {
		parts[i] = j.groups[i].part;
		sort_batches(&parts[i]);
	}
	return ERR_OK;
}
