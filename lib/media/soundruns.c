#include "config.h"

#include "media/soundruns.h"

/* Of more than so many, whatever they are, none is believed. */
#define MAX_RUNS 512

/* Steps of the times up to this are rounding. */
#define SLACK (20 * TS_HZ / 1000)

struct run {
	size_t first;
	size_t nr; /* frames */
	int64_t start;
	int64_t end;
	size_t best;   /* frames of the best that ends with it */
	size_t before; /* the run before it in that, or itself */
};

static int64_t step_of(const struct tsfile *file)
{
	return file->format.rate ?
		       (int64_t)AAC_SAMPLES * TS_HZ / file->format.rate :
		       0;
}

static bool goes_on(const struct run *run, size_t i, int64_t pts)
{
	return i == run->first + run->nr && pts >= run->end - SLACK &&
	       pts <= run->end + SLACK;
}

/* The runs within the time; their number, or MAX_RUNS + 1. */
static size_t find_runs(const struct tsfile *file, int64_t from, int64_t to,
			struct run runs[MAX_RUNS])
{
	int64_t step = step_of(file);
	size_t nr = 0;

	for (size_t i = 0; i < file->nr_frames; i++) {
		int64_t pts = file->frames[i].pts;

		if (pts < from || pts >= to)
			continue;
		if (!nr || !goes_on(&runs[nr - 1], i, pts)) {
			if (nr == MAX_RUNS)
				return MAX_RUNS + 1;
			runs[nr++] = (struct run){ .first = i, .start = pts };
		}
		runs[nr - 1].nr++;
		runs[nr - 1].end = pts + step;
	}
	return nr;
}

/* The last run of the best that go forward. */
static size_t find_best(struct run *runs, size_t nr)
{
	size_t last = 0;

	for (size_t i = 0; i < nr; i++) {
		runs[i].best = runs[i].nr;
		runs[i].before = i;
		for (size_t k = 0; k < i; k++)
			if (runs[k].end <= runs[i].start + SLACK &&
			    runs[k].best + runs[i].nr > runs[i].best) {
				runs[i].best = runs[k].best + runs[i].nr;
				runs[i].before = k;
			}
		if (runs[i].best > runs[last].best)
			last = i;
	}
	return last;
}

const bool *soundruns_find(struct arena *a, const struct tsfile *file,
			   int64_t from, int64_t to)
{
	bool *marks = arena_alloc(a, file->nr_frames * sizeof(*marks));
	struct run *runs = arena_alloc(a, MAX_RUNS * sizeof(*runs));
	size_t nr = find_runs(file, from, to, runs);
	size_t i;

	if (!nr || nr > MAX_RUNS)
		return marks;
	for (i = find_best(runs, nr);; i = runs[i].before) {
		for (size_t k = 0; k < runs[i].nr; k++)
			marks[runs[i].first + k] = true;
		if (runs[i].before == i)
			return marks;
	}
}
