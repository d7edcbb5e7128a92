/*
 * cutanswer.h - the answers of /cut: one function a kind of cut.
 *
 * Each plans, which is where all that can fail fails, and then describes its
 * answer; the handler chooses between them.
 */
#ifndef SRC_CUTANSWER_H
#define SRC_CUTANSWER_H

#include "archive/hourcache.h"
#include "cutspec.h"
#include "media/cutrender.h"
#include "request.h"
#include "response.h"

/* A cut that is asked for; its arguments are checked, its quality exists. */
struct cut_job {
	struct request *req;
	const struct cut_args *args;
	struct hourreader *reader;
	struct time_range *ranges;
	size_t nr_ranges;
};

enum err cut_answer_rough(struct cut_job *job) MUST_CHECK;
enum err cut_answer_smart(struct cut_job *job) MUST_CHECK;
enum err cut_answer_full(struct cut_job *job) MUST_CHECK;
enum err cut_answer_container(struct cut_job *job) MUST_CHECK;

/* Headers that every cut has. */
void cut_headers(const struct cut_job *job, struct response *r,
		 const struct roughcut *cover);

/* What all cuts to the frame have in common. */
void cut_plan_spec(const struct cut_job *job, struct cut_spec *spec_r);
const char *cut_type_label(const struct cut_job *job);
void cut_count_work(const struct cut_job *job, const struct cut_work *work);
const char *cut_warnings(const struct cutplan *plan,
			 const struct cut_work *work);
void cut_plan_headers(const struct cut_job *job, struct response *r,
		      const struct cutplan *plan, const struct cut_work *work);

/* The plan instead of the video: dry_run=true. */
#define CUT_ALL UINT64_MAX
struct cut_dry_run {
	const struct roughcut *cover;
	uint64_t bytes;	     /* or LENGTH_UNKNOWN */
	uint64_t nr_encoded; /* pictures, or CUT_ALL */
	uint64_t nr_raw;
	double seconds;	      /* of the result, or 0 */
	const char *warnings; /* lines */
};
enum err cut_send_dry_run(const struct cut_job *job,
			  const struct cut_dry_run *dry) MUST_CHECK;

#endif
