/*
 * lograte.h - holds back what a place in the code says again and again.
 *
 * A place may say LOGRATE_LINES lines in LOGRATE_WINDOW_US; what it says beyond
 * that is counted, and the last of it kept.  Its next line in another window
 * tells how many were held back before it; if there is none, whoever owns the
 * table asks for what is due and says the kept line in their stead.  So what
 * was said is always the lines written and the numbers told with them.
 *
 * Units: monotonic microseconds.  Of more places at once than LOGRATE_PLACES
 * the others are not held back.
 */
#ifndef BASE_LOGRATE_H
#define BASE_LOGRATE_H

#include <stdbool.h>
#include <stdint.h>

#define LOGRATE_LINES	  10
#define LOGRATE_WINDOW_US ((int64_t)10 * 1000 * 1000)
#define LOGRATE_PLACES	  64
#define LOGRATE_TEXT	  256

struct lograte_place {
	const char *file; /* a static string; NULL: unused */
	int line;
	int level;
	int64_t began_us;	 /* of the window */
	uint32_t nr_lines;	 /* written in it */
	uint32_t nr_held;	 /* and not */
	bool is_cut;		 /* text is */
	char text[LOGRATE_TEXT]; /* the last of those */
};

struct lograte {
	uint64_t nr_held; /* in all places together */
	struct lograte_place places[LOGRATE_PLACES];
};

void lograte_init(struct lograte *r);

/*
 * Whether a place may say a line now, and how many were held back before it.
 * If not, the line is counted, and *held_r is where level and text are to be
 * kept.
 */
bool lograte_admits(struct lograte *r, const char *file, int line,
		    int64_t now_us, uint32_t *repeated_r,
		    struct lograte_place **held_r);

/*
 * Takes a place whose window is over, with lines held back, out of the table;
 * false if there is none.  INT64_MAX ends all windows.
 */
bool lograte_take_due(struct lograte *r, int64_t now_us,
		      struct lograte_place *due_r);

#endif
