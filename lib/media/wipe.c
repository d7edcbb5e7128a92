#include "config.h"

#include "media/wipe.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

/*
 * The formulas are computed in the steps in which FFmpeg's av_expr_eval() would
 * compute them, each rounded to a double: a compiler that joins a product and
 * a sum (as on ARM) would round once less.
 */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

/*
 * How far, in pixels, from a cut as we compute it the formula may change.  The
 * worst is the star: asin(cos(t)) is wrong by up to 2e-8 near a multiple of pi,
 * which moves an edge by 1e-8 of the picture's size.
 */
#define NEAR (1.0 / 64)

#define MAX_CUTS 5
#define NO_CUTS	 (MAX_CUTS + 1) /* any sample of the line may be either */

#define COLUMNS_AT_ONCE 64

/* One picture of a wipe. */
struct scene {
	double width;
	double height;
	double p;
	double grown; /* how large the figure is, or what else follows from p */
	double middle; /* the line of the bat's middle */
};

struct kind {
	const char *name;
	void (*begin)(struct scene *s);

	/* The formula: whether the pixel shows the new picture. */
	bool (*is_new)(const struct scene *s, double x, double y);

	/*
	 * The places on a line where the formula changes, and maybe others; or
	 * NO_CUTS.  NULL: drawn by columns.
	 */
	size_t (*find_cuts)(const struct scene *s, double y,
			    double cuts[MAX_CUTS]);
};

struct wipe {
	const struct kind *kind;
	unsigned width;
	unsigned height;
};

/* ---- a hand of a clock, from 12 ---- */

static void begin_clock(struct scene *s)
{
	s->grown = tan(M_PI * (1 - 2 * s->p));
}

static bool is_new_clock(const struct scene *s, double x, double y)
{
	double dx = s->width / 2 - x;
	double dy = y - s->height / 2;

	return !((1 - atan2(dx, dy) / M_PI) / 2 < s->p);
}

/* The upright line at which the hand starts and ends, and the hand. */
static size_t find_cuts_clock(const struct scene *s, double y,
			      double cuts[MAX_CUTS])
{
	cuts[0] = s->width / 2;
	cuts[1] = s->width / 2 - (y - s->height / 2) * s->grown;
	return 2;
}

/* ---- a diamond ---- */

static void begin_diamond(struct scene *s)
{
	s->grown = pow(1 - s->p, 3);
}

static bool is_new_diamond(const struct scene *s, double x, double y)
{
	return fabs(x - s->width / 2) / s->width +
		       fabs(y - s->height / 2) / s->height <
	       s->grown;
}

static size_t find_cuts_diamond(const struct scene *s, double y,
				double cuts[MAX_CUTS])
{
	double dy = fabs(y - s->height / 2) / s->height;
	double half = (s->grown - dy) * s->width;

	cuts[0] = s->width / 2 - half;
	cuts[1] = s->width / 2 + half;
	return 2;
}

/* ---- a star of five points ---- */

static void begin_star(struct scene *s)
{
	s->grown = (1 - s->p) * (1 - s->p) * 0.75;
}

/* From the centre to a corner. */
static double star_unit(const struct scene *s)
{
	double w = s->width / 2;
	double h = s->height / 2;

	return sqrt(w * w + h * h);
}

static bool is_new_star(const struct scene *s, double x, double y)
{
	double dx = x - s->width / 2;
	double dy = y - s->height / 2;
	double r = sqrt(dx * dx + dy * dy) / star_unit(s);
	double point = cos(5 * (atan2(dy, dx) + M_PI / 2));

	return r < s->grown / cos((2 * asin(point) + M_PI * 3) / 10);
}

/*
 * asin(cos(t)) is a zigzag of straight lines, and so the edge is r * cos(angle
 * to one of the points) = grown: the star's outline is made of five lines, each
 * at a right angle to a point, the first of them level.
 */
static size_t find_cuts_star(const struct scene *s, double y,
			     double cuts[MAX_CUTS])
{
	double distance = s->grown * star_unit(s);
	double dy = y - s->height / 2;

	if (fabs(distance + dy) < NEAR)
		return NO_CUTS;
	for (int i = 1; i < 5; i++) {
		double point = M_PI * 2 / 5 * i - M_PI / 2;

		cuts[i - 1] = s->width / 2 +
			      (distance - dy * sin(point)) / cos(point);
	}
	return 4;
}

/* ---- a bat ---- */

static void begin_bat(struct scene *s)
{
	double p = s->p;
	double raised = p < 0.5 ? 0.4 * (0.5 - p) * (0.5 - p) : 0;

	s->grown = 0.3 / pow(1 - p, 4);
	s->middle = s->height * (0.5 - raised);
}

/* In the curve's own measure, upwards. */
static double bat_y(const struct scene *s, double y)
{
	return (s->middle - y) * 6 * s->grown / s->height;
}

static bool is_in_wing(double x, double y)
{
	double third = y / 3;

	return x < 7 * sqrt(1 - third * third);
}

static bool is_under_edge(double x, double y)
{
	if (x > 3)
		return is_in_wing(x, y);
	if (x > 1)
		return y <
		       6 * sqrt(10) / 7 + 1.5 - x / 2 -
			       3 * sqrt(10) / 7 * sqrt(4 - (x - 1) * (x - 1));
	if (x > 0.75)
		return y < 9 - 8 * x;
	if (x > 0.5)
		return y < 3 * x + 0.75;
	return y < 2.25;
}

static bool is_over_edge(double x, double y)
{
	double arc = fabs(x - 2) - 1;

	if (x > 4)
		return is_in_wing(x, y);
	return y > x / 2 - (3 * sqrt(33) - 7) / 112 * x * x - 3 +
			   sqrt(1 - arc * arc);
}

static bool is_new_bat(const struct scene *s, double px, double py)
{
	double x = fabs(px - s->width / 2) * 14 * s->grown / s->width;
	double y = bat_y(s, py);

	return y > 0 ? is_under_edge(x, y) : is_over_edge(x, y);
}

static const struct kind kinds[] = {
	{ "clockwipe", begin_clock, is_new_clock, find_cuts_clock },
	{ "starwipe", begin_star, is_new_star, find_cuts_star },
	{ "batman", begin_bat, is_new_bat, NULL },
	{ "diamondwipe", begin_diamond, is_new_diamond, find_cuts_diamond },
};

/* ---- drawing ---- */

/* What one call draws. */
struct drawing {
	struct scene scene;
	const struct kind *kind;
	const struct wipe_plane *plane;
	unsigned width; /* in samples */
};

static bool is_new(const struct drawing *d, unsigned x, unsigned line)
{
	return d->kind->is_new(&d->scene, (double)(x << d->plane->shift_x),
			       (double)(line << d->plane->shift_y));
}

/* Samples from to to - 1 of a line, from one of the pictures. */
static void copy(const struct drawing *d, unsigned line, unsigned from,
		 unsigned to, bool from_new)
{
	const struct wipe_plane *p = d->plane;
	const uint8_t *in = from_new ? p->b + (ptrdiff_t)line * p->stride_b :
				       p->a + (ptrdiff_t)line * p->stride_a;
	uint8_t *out = p->out + (ptrdiff_t)line * p->stride_out;
	size_t skip = (size_t)from * p->bytes_per_sample;

	memcpy(out + skip, in + skip,
	       (size_t)(to - from) * p->bytes_per_sample);
}

/* The first sample that begins at this place of the picture or behind it. */
static unsigned first_from(const struct drawing *d, double place)
{
	double x = ceil(place / (double)(1U << d->plane->shift_x));

	if (!(x > 0))
		return 0;
	return x < d->width ? (unsigned)x : d->width;
}

static void sort(double *values, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		double value = values[i];
		size_t k = i;

		for (; k > 0 && values[k - 1] > value; k--)
			values[k] = values[k - 1];
		values[k] = value;
	}
}

static void ask_each(const struct drawing *d, unsigned line, unsigned from,
		     unsigned to)
{
	for (unsigned x = from; x < to; x++)
		copy(d, line, x, x + 1, is_new(d, x, line));
}

static void draw_line(const struct drawing *d, unsigned line)
{
	double y = (double)(line << d->plane->shift_y);
	double cuts[MAX_CUTS];
	size_t nr = d->kind->find_cuts(&d->scene, y, cuts);
	unsigned x = 0;

	if (nr == NO_CUTS) {
		ask_each(d, line, 0, d->width);
		return;
	}
	sort(cuts, nr);
	for (size_t i = 0; i <= nr && x < d->width; i++) {
		unsigned sure = d->width;
		unsigned doubtful = d->width;

		if (i < nr) {
			sure = first_from(d, cuts[i] - NEAR);
			doubtful = first_from(d, cuts[i] + NEAR);
		}
		if (x < sure) {
			copy(d, line, x, sure, is_new(d, x, line));
			x = sure;
		}
		if (x < doubtful) {
			ask_each(d, line, x, doubtful);
			x = doubtful;
		}
	}
}

/* The first of these lines at which the pixel is as wanted; or the last. */
static unsigned first_line(const struct drawing *d, unsigned x, unsigned first,
			   unsigned last, bool wanted)
{
	while (first < last) {
		unsigned line = first + (last - first) / 2;

		if (is_new(d, x, line) == wanted)
			last = line;
		else
			first = line + 1;
	}
	return first;
}

/* A few columns beside each other. */
struct columns {
	unsigned from; /* samples */
	unsigned to;
	unsigned top[COLUMNS_AT_ONCE];	  /* the first line in the figure */
	unsigned bottom[COLUMNS_AT_ONCE]; /* the first below it */
	unsigned first;			  /* line at which one begins */
	unsigned all;			  /* at which all have begun */
	unsigned none;			  /* at which one ends */
	unsigned last;			  /* at which all have ended */
};

/*
 * A column of the bat is in one piece, above and below its middle, and that
 * holds in rounded numbers too: each step of the formula, as a function of y
 * alone, rises or falls all the way.
 */
static void find_columns(const struct drawing *d, unsigned first, unsigned last,
			 struct columns *c)
{
	unsigned middle = first;

	while (middle < last &&
	       bat_y(&d->scene, (double)(middle << d->plane->shift_y)) > 0)
		middle++;
	c->first = c->none = last;
	c->all = c->last = first;
	for (unsigned x = c->from; x < c->to; x++) {
		unsigned top = first_line(d, x, first, middle, true);
		unsigned bottom = first_line(d, x, middle, last, false);

		c->top[x - c->from] = top;
		c->bottom[x - c->from] = bottom;
		c->first = top < c->first ? top : c->first;
		c->all = top > c->all ? top : c->all;
		c->none = bottom < c->none ? bottom : c->none;
		c->last = bottom > c->last ? bottom : c->last;
	}
}

static bool is_in_column(const struct columns *c, unsigned x, unsigned line)
{
	return c->top[x - c->from] <= line && line < c->bottom[x - c->from];
}

static void draw_columns(const struct drawing *d, const struct columns *c,
			 unsigned line)
{
	bool is_in;

	if (line < c->first || line >= c->last) {
		copy(d, line, c->from, c->to, false);
		return;
	}
	if (line >= c->all && line < c->none) {
		copy(d, line, c->from, c->to, true);
		return;
	}
	for (unsigned x = c->from, end; x < c->to; x = end) {
		is_in = is_in_column(c, x, line);
		for (end = x + 1; end < c->to; end++)
			if (is_in_column(c, end, line) != is_in)
				break;
		copy(d, line, x, end, is_in);
	}
}

static void draw_by_columns(const struct drawing *d, unsigned first,
			    unsigned last)
{
	struct columns c;

	for (c.from = 0; c.from < d->width; c.from = c.to) {
		c.to = d->width;
		if (c.to - c.from > COLUMNS_AT_ONCE)
			c.to = c.from + COLUMNS_AT_ONCE;
		find_columns(d, first, last, &c);
		for (unsigned line = first; line < last; line++)
			draw_columns(d, &c, line);
	}
}

/* ---- the interface ---- */

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

bool wipe_is(const char *name)
{
	return find_kind(name);
}

struct wipe *wipe_new(struct arena *a, const char *name, unsigned width,
		      unsigned height)
{
	struct wipe *wipe = ARENA_NEW(a, struct wipe);

	wipe->kind = find_kind(name);
	if (!wipe->kind)
		BUG("no wipe '%s'", name);
	wipe->width = width;
	wipe->height = height;
	return wipe;
}

void wipe_draw(const struct wipe *wipe, double progress,
	       const struct wipe_plane *plane, unsigned first, unsigned last)
{
	unsigned more = (1U << plane->shift_x) - 1;
	struct drawing d = {
		.scene = {
			.width = wipe->width,
			.height = wipe->height,
			.p = progress,
		},
		.kind = wipe->kind,
		.plane = plane,
		.width = (wipe->width + more) >> plane->shift_x,
	};

	d.kind->begin(&d.scene);
	if (!d.kind->find_cuts) {
		draw_by_columns(&d, first, last);
		return;
	}
	for (unsigned line = first; line < last; line++)
		draw_line(&d, line);
}
