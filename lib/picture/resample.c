#include "config.h"

#include "picture/resample.h"

#include <math.h>
#include <string.h>

#define NR_LOBES 3 /* of the filter, on either side */

/* Weights are whole numbers of 1 / (1 << BITS). */
#define BITS 22

#define CHANNELS 3

/* Samples that are added up at once, in as many registers as there are. */
#define LANES 32

/* What one pixel is made of: pixels of the source from first on. */
struct taps {
	int first;
	int nr;
	const int32_t *weights;
};

/* One direction. */
struct axis {
	int from_size; /* of the crop */
	int to_size;
	int offset; /* of the crop in the source */
	int limit;  /* the source's size */
	int begin;  /* what is seen */
	int end;
};

static double sinc(double x)
{
	if (x == 0.0)
		return 1.0;
	x *= M_PI;
	return sin(x) / x;
}

static double lanczos(double x)
{
	if (x < -NR_LOBES || x >= NR_LOBES)
		return 0.0;
	return sinc(x) * sinc(x / NR_LOBES);
}

static int32_t to_whole(double weight)
{
	return (int32_t)((weight < 0 ? -0.5 : 0.5) + weight * (1 << BITS));
}

/* Leaves out what is outside of the source, where all is 0, and weights of 0.
 */
static struct taps trim(const struct axis *axis, int first, int nr,
			const int32_t *weights)
{
	int skip = 0;

	first += axis->offset;
	while (nr && (first + nr > axis->limit || !weights[nr - 1]))
		nr--;
	while (skip < nr && (first + skip < 0 || !weights[skip]))
		skip++;
	return (struct taps){ first + skip, nr - skip, weights + skip };
}

/*
 * The weights of all that is seen, in the order of operations that Pillow has:
 * the last bits of a double decide how a weight is rounded.
 */
static struct taps *make_taps(struct arena *a, const struct axis *axis)
{
	double scale = (double)axis->from_size / axis->to_size;
	double filter_scale = scale < 1.0 ? 1.0 : scale;
	double support = NR_LOBES * filter_scale;
	double step = 1.0 / filter_scale;
	size_t nr_most = (size_t)ceil(support) * 2 + 1;
	size_t nr_seen = (size_t)(axis->end - axis->begin);
	double *exact = arena_alloc(a, nr_most * sizeof(*exact));
	int32_t *weights = arena_alloc(a, nr_seen * nr_most * sizeof(*weights));
	struct taps *taps = arena_alloc(a, nr_seen * sizeof(*taps));

	for (int i = axis->begin; i < axis->end; i++) {
		double center = (i + 0.5) * scale;
		int first = (int)(center - support + 0.5);
		int end = (int)(center + support + 0.5);
		double sum = 0.0;

		first = first < 0 ? 0 : first;
		end = end > axis->from_size ? axis->from_size : end;
		for (int k = 0; k < end - first; k++) {
			exact[k] = lanczos((k + first - center + 0.5) * step);
			sum += exact[k];
		}
		for (int k = 0; k < end - first; k++)
			weights[k] = to_whole(sum != 0.0 ? exact[k] / sum :
							   exact[k]);
		taps[i - axis->begin] = trim(axis, first, end - first, weights);
		weights += nr_most;
	}
	return taps;
}

static uint8_t to_byte(int32_t sum)
{
	sum >>= BITS;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static void resample_row(const uint8_t *from, const struct taps *taps, int nr,
			 uint8_t *to)
{
	for (; nr; nr--, taps++, to += CHANNELS) {
		const uint8_t *p = from + (ptrdiff_t)taps->first * CHANNELS;
		const int32_t *weights = taps->weights;
		int32_t red = 1 << (BITS - 1);
		int32_t green = red;
		int32_t blue = red;

		for (int k = 0; k < taps->nr; k++, p += CHANNELS) {
			red += p[0] * weights[k];
			green += p[1] * weights[k];
			blue += p[2] * weights[k];
		}
		to[0] = to_byte(red);
		to[1] = to_byte(green);
		to[2] = to_byte(blue);
	}
}

/*
 * from: the first of the rows that are weighed, each of size samples, a
 * multiple of LANES.
 */
static void sum_rows(const uint8_t *from, const struct taps *taps, size_t size,
		     uint8_t *to)
{
	for (size_t at = 0; at < size; at += LANES) {
		const uint8_t *row = from + at;
		int32_t sums[LANES];

		for (int i = 0; i < LANES; i++)
			sums[i] = 1 << (BITS - 1);
		for (int k = 0; k < taps->nr; k++, row += size) {
			int32_t weight = taps->weights[k];

			for (int i = 0; i < LANES; i++)
				sums[i] += row[i] * weight;
		}
		for (int i = 0; i < LANES; i++)
			to[at + (size_t)i] = to_byte(sums[i]);
	}
}

/* Rows of the source that any of the taps need. */
static void find_rows(const struct taps *taps, int nr, int *first_r, int *end_r)
{
	int first = INT32_MAX;
	int end = 0;

	for (int i = 0; i < nr; i++) {
		int behind = taps[i].first + taps[i].nr;

		if (!taps[i].nr)
			continue;
		first = taps[i].first < first ? taps[i].first : first;
		end = behind > end ? behind : end;
	}
	*first_r = end ? first : 0;
	*end_r = end;
}

/* The first pass: rows first to end - 1 of the source in their new width. */
static uint8_t *resample_rows(struct arena *a, const struct picture *from,
			      const struct taps *columns, int width, int first,
			      int end, size_t stride)
{
	size_t from_stride = (size_t)from->width * CHANNELS;
	uint8_t *rows = arena_alloc(a, (size_t)(end - first) * stride);

	for (int y = first; y < end; y++)
		resample_row(from->pixels + (size_t)y * from_stride, columns,
			     width, rows + (size_t)(y - first) * stride);
	return rows;
}

enum err resample(struct arena *a, const struct picture *from,
		  const struct box *crop, int width, int height,
		  const struct box *seen, struct picture *to_r,
		  struct errmsg *e)
{
	const struct axis across = { box_width(crop), width,	  crop->left,
				     from->width,     seen->left, seen->right };
	const struct axis down = { box_height(crop), height,	crop->top,
				   from->height,     seen->top, seen->bottom };
	size_t size = (size_t)box_width(seen) * CHANNELS;
	size_t stride = (size + LANES - 1) / LANES * LANES;
	enum err err = picture_new(a, box_width(seen), box_height(seen),
				   CHANNELS, to_r, e);
	struct taps *columns, *rows;
	uint8_t *wide, *row;
	int first, end;

	if (err)
		return err;
	columns = make_taps(a, &across);
	rows = make_taps(a, &down);
	find_rows(rows, to_r->height, &first, &end);
	wide = resample_rows(a, from, columns, to_r->width, first, end, stride);
	row = arena_alloc(a, stride);
	for (int y = 0; y < to_r->height; y++) {
		size_t at = rows[y].nr ? (size_t)(rows[y].first - first) : 0;

		sum_rows(wide + at * stride, &rows[y], stride, row);
		memcpy(to_r->pixels + (size_t)y * size, row, size);
	}
	return ERR_OK;
}
