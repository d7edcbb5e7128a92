#include "config.h"

#include "media/cutcheck.h"

enum err cutcheck_count(const struct cutplan *plan, const struct cut_run *run,
			bool is_empty, bool *has_range, struct errmsg *e)
{
	const struct time_range *range = &plan->cover.ranges[run->range];
	char start[UTIME_ISO_SIZE], end[UTIME_ISO_SIZE];

	if (run->begins_range)
		*has_range = false;
	*has_range |= !is_empty;
	if (is_empty && (run->in || run->out))
		return err_set(e, ERR_INPUT,
			       "transition: there is nothing left of a range "
			       "beside it");
	if (!run->ends_range || *has_range)
		return ERR_OK;
	utime_format(range->start_us, start);
	utime_format(range->end_us, end);
	return err_set(e, ERR_HOLES,
		       "contains holes: there is no picture from %s to %s",
		       start, end);
}

enum err cutcheck_blend(const struct transition *transition,
			const struct cut_edges *from,
			const struct cut_edges *to, struct errmsg *e)
{
	if (from->nr_pairs && to->lead_in.nr_pieces)
		return ERR_OK;
	return err_set(e, ERR_INPUT,
		       "transition: '%s' has no pictures to blend: there is a "
		       "hole beside it, or it is shorter than a picture",
		       transition->name);
}

static enum err check_runs(struct arena *a, const struct cutplan *plan,
			   struct errmsg *e)
{
	struct cutpieces *pieces = cutpieces_new(a, plan);
	struct cut_edges edges[2]; /* of this run and the one before */
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < plan->nr_runs; i++) {
		const struct cut_run *run = &plan->runs[i];
		struct cut_edges *to = &edges[i % 2];
		bool has_range = false;

		if (!run->in && !run->out)
			continue;
		err = cutedges_find(a, plan, pieces, run, CUT_WHOLE, to, e);
		if (!err)
			err = cutcheck_count(plan, run, to->is_empty,
					     &has_range, e);
		if (!err && run->in)
			err = cutcheck_blend(run->in, &edges[(i + 1) % 2], to,
					     e);
		cutpieces_drop(pieces, run->first, run->last + 1);
	}
	return err;
}

enum err cutcheck_transitions(const struct cutplan *plan, struct errmsg *e)
{
	struct arena a;
	enum err err;

	arena_init(&a);
	err = check_runs(&a, plan, e);
	arena_release(&a);
	return err;
}
