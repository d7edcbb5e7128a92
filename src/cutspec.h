/*
 * cutspec.h - the arguments of /cut, checked.
 */
#ifndef SRC_CUTSPEC_H
#define SRC_CUTSPEC_H

#include "archive/range.h"
#include "media/cutplan.h"
#include "media/transition.h"
#include "param.h"

enum cut_type {
	CUT_ROUGH,
	CUT_FAST,
	CUT_SMART,
	CUT_MPEGTS,
	CUT_WEBM,
	CUT_MP4,
	CUT_MKV,
};

extern const char *const cut_types[];

struct cut_args {
	struct range_spec range;
	struct transition *transitions;
	size_t nr_transitions;
	int type;  /* enum cut_type */
	int mixed; /* enum cut_mixed */
	bool allow_holes;
	bool stream;
	bool dry_run;
	bool faststart;
	const char *crf_text; /* or NULL */
	double crf;	      /* -1: the type's own */
	const char *download;
};

extern const struct param cut_params[];

/*
 * Checks what needs no archive: the transitions against the ranges, and the
 * type against the ending of the URL, which chooses it.
 */
enum err cut_args_check(struct request *req, struct cut_args *args,
			const char *ending) MUST_CHECK;

#endif
