/*
 * cutsearch.h - what the search for the edges of a run shares; private to
 * cutedges.c (which pictures) and cutentry.c (what they can be decoded from).
 */
#ifndef MEDIA_CUTSEARCH_H
#define MEDIA_CUTSEARCH_H

#include "media/cutedges.h"

struct search {
	struct arena *arena;
	const struct cutplan *plan;
	struct cutpieces *pieces;
	const struct cut_run *run;
	struct cut_edges *edges;
	bool ends_at_gap; /* what is behind the end cannot be shown */
};

static inline enum err search_load(struct search *s, size_t piece,
				   const struct tsfile **file_r,
				   struct errmsg *e)
{
	return cutpieces_load(s->pieces, piece, file_r, e);
}

/*
 * The last unit of a partial segment that nothing follows is likely to be cut
 * itself, and does not say so.
 */
bool search_drops_last(const struct search *s, size_t piece) MUST_CHECK;
size_t search_nr_units(const struct search *s, size_t piece,
		       const struct tsfile *file) MUST_CHECK;

/* Pieces first to last, for the pictures from lo to hi. */
void search_stretch(const struct search *s, struct framestretch *stretch,
		    size_t first, size_t last, int64_t lo, int64_t hi);

/* The parameter sets of the first pieces, or of one in front of them. */
enum err search_sets(struct search *s, struct errmsg *e) MUST_CHECK;

/*
 * Lets a stretch that begins in a piece begin where its first picture can be
 * decoded from, maybe in segments in front of the range.
 */
enum err search_entry(struct search *s, struct framestretch *stretch,
		      size_t first, bool *found_r, struct errmsg *e) MUST_CHECK;

/* The first picture that can be decoded at all becomes the start. */
enum err search_move_start(struct search *s, struct errmsg *e) MUST_CHECK;

#endif
