#include "config.h"

#include "media/wavecolumns.h"

#include <stdbool.h>

#define NS_PER_SEC INT64_C(1000000000)

void wavecolumns_init(struct arena *a, size_t nr, int64_t length,
		      struct wavecolumns *w)
{
	if (!nr || nr > WAVE_MAX_COLUMNS || length < 1 || length > WAVE_MAX_NS)
		BUG("no %zu columns of %lld ns", nr, (long long)length);
	*w = (struct wavecolumns){
		.columns = arena_alloc(a, nr * sizeof(*w->columns)),
		.nr = nr,
		.length = length,
	};
}

/* Where a column begins, or the last one ends. */
static int64_t column_at(const struct wavecolumns *w, size_t column)
{
	return w->length * (int64_t)column / (int64_t)w->nr;
}

/* A block, or silence without one. */
struct stretch {
	const struct soundpeaks *peaks;
	size_t block;
	size_t nr_blocks;
};

static void add_to_column(struct wavecolumns *w, struct wave_column *column,
			  const struct stretch *s, int64_t time)
{
	const struct soundpeaks *peaks = s->peaks;
	int16_t least = peaks ? peaks->extremes[2 * s->block] : 0;
	int16_t greatest = peaks ? peaks->extremes[2 * s->block + 1] : 0;

	if (!column->time || least < column->least)
		column->least = least;
	if (!column->time || greatest > column->greatest)
		column->greatest = greatest;
	column->time += time;
	if (!peaks)
		return;
	/* What is mono is heard on all channels. */
	for (uint32_t c = 0; c < PEAKS_MAX_CHANNELS; c++) {
		uint32_t from = peaks->nr_channels == 1 ? 0 : c;

		if (from < peaks->nr_channels)
			column->sums[c] +=
				peaks->means[from * s->nr_blocks + s->block] *
				(double)time;
	}
	if (peaks->nr_channels > w->nr_channels)
		w->nr_channels = peaks->nr_channels;
}

/* From where all has been put in; s NULL: nothing, which does not count. */
static void put(struct wavecolumns *w, const struct stretch *s, int64_t until)
{
	if (until > w->length)
		until = w->length;
	while (w->at < until) {
		int64_t end = column_at(w, w->column + 1);
		int64_t to = end < until ? end : until;

		if (s && to > w->at)
			add_to_column(w, &w->columns[w->column], s, to - w->at);
		w->at = to;
		if (to == end && w->column + 1 < w->nr)
			w->column++;
	}
}

void wavecolumns_silence(struct wavecolumns *w, int64_t until)
{
	put(w, &(struct stretch){ 0 }, until);
}

void wavecolumns_skip(struct wavecolumns *w, int64_t until)
{
	put(w, NULL, until);
}

/* When a sample of a segment is heard. */
static int64_t time_of(const struct soundpeaks *peaks, int64_t start,
		       int64_t sample)
{
	return start + (peaks->first + sample) * NS_PER_SEC / peaks->rate;
}

int64_t wavecolumns_begin(const struct soundpeaks *peaks, int64_t start)
{
	return time_of(peaks, start, 0);
}

void wavecolumns_add(struct wavecolumns *w, const struct soundpeaks *peaks,
		     int64_t start, int64_t least, int64_t most)
{
	size_t nr_blocks = soundpeaks_nr_blocks(peaks);
	struct stretch s = { peaks, 0, nr_blocks };

	for (; s.block < nr_blocks; s.block++) {
		int64_t first = (int64_t)s.block * peaks->block;
		int64_t last = first + peaks->block;
		int64_t from, to;

		if (last > peaks->nr_samples)
			last = peaks->nr_samples;
		from = time_of(peaks, start, first);
		to = time_of(peaks, start, last);
		from = from > least ? from : least;
		to = to < most ? to : most;
		if (to <= from || to <= w->at)
			continue;
		if (from >= w->length)
			break;
		if (from > w->at)
			wavecolumns_skip(w, from);
		put(w, &s, to);
	}
}

double wave_column_mean(const struct wavecolumns *w, size_t column,
			uint32_t channel)
{
	const struct wave_column *c = &w->columns[column];

	return c->time ? c->sums[channel] / (double)c->time : 0;
}
