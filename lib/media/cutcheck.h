/*
 * cutcheck.h - runs of a cut that have nothing where something must be.
 *
 * Errors: ERR_INPUT for a transition without pictures, ERR_HOLES for a range
 *         without any; those of reading segments.
 */
#ifndef MEDIA_CUTCHECK_H
#define MEDIA_CUTCHECK_H

#include "media/cutedges.h"

/*
 * Whoever goes through the runs counts each: an empty one is passed over,
 * unless nothing is left of its range, or a transition needs it.
 */
enum err cutcheck_count(const struct cutplan *plan, const struct cut_run *run,
			bool is_empty, bool *has_range,
			struct errmsg *e) MUST_CHECK;

/* Whether there are pictures for the transition from one run to the next. */
enum err cutcheck_blend(const struct transition *transition,
			const struct cut_edges *from,
			const struct cut_edges *to,
			struct errmsg *e) MUST_CHECK;

/*
 * The same of all runs beside transitions: for cuts that are made while they
 * are sent, when it would be too late to say so.
 */
enum err cutcheck_transitions(const struct cutplan *plan,
			      struct errmsg *e) MUST_CHECK;

#endif
