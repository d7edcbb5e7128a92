#include "config.h"

#include "base/lograte.h"

#include <stddef.h>

void lograte_init(struct lograte *r)
{
	r->nr_held = 0;
	for (size_t i = 0; i < LOGRATE_PLACES; i++)
		r->places[i].file = NULL;
}

static bool is_over(const struct lograte_place *place, int64_t now_us)
{
	return now_us - place->began_us >= LOGRATE_WINDOW_US;
}

/*
 * The entry of a place, or one that it may have: an unused one, or one whose
 * window is over with nothing held back.  NULL if there is neither.
 */
static struct lograte_place *find(struct lograte *r, const char *file, int line,
				  int64_t now_us)
{
	struct lograte_place *spare = NULL;

	for (size_t i = 0; i < LOGRATE_PLACES; i++) {
		struct lograte_place *place = &r->places[i];

		if (place->file == file && place->line == line)
			return place;
		if (!spare && (!place->file ||
			       (is_over(place, now_us) && !place->nr_held)))
			spare = place;
	}
	if (spare)
		spare->file = NULL;
	return spare;
}

bool lograte_admits(struct lograte *r, const char *file, int line,
		    int64_t now_us, uint32_t *repeated_r,
		    struct lograte_place **held_r)
{
	struct lograte_place *place = find(r, file, line, now_us);

	*repeated_r = 0;
	if (!place)
		return true;
	if (place->file && !is_over(place, now_us)) {
		if (place->nr_lines < LOGRATE_LINES) {
			place->nr_lines++;
			return true;
		}
		place->nr_held++;
		r->nr_held++;
		*held_r = place;
		return false;
	}
	if (place->file) {
		*repeated_r = place->nr_held;
		r->nr_held -= place->nr_held;
	}
	place->file = file;
	place->line = line;
	place->began_us = now_us;
	place->nr_lines = 1;
	place->nr_held = 0;
	return true;
}

bool lograte_take_due(struct lograte *r, int64_t now_us,
		      struct lograte_place *due_r)
{
	for (size_t i = 0; r->nr_held && i < LOGRATE_PLACES; i++) {
		struct lograte_place *place = &r->places[i];

		if (!place->file || !place->nr_held ||
		    (now_us != INT64_MAX && !is_over(place, now_us)))
			continue;
		*due_r = *place;
		r->nr_held -= place->nr_held;
		place->file = NULL;
		return true;
	}
	return false;
}
