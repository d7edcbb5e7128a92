#include "config.h"

#include "media/transition.h"

#include <string.h>

/* A list of words, not of lines. */
/* clang-format off */
static const char *const names[] = {
	"fade", "fadeblack", "fadewhite", "fadegrays", "wipeleft", "wiperight",
	"wipeup", "wipedown", "slideleft", "slideright", "slideup",
	"slidedown", "circlecrop", "rectcrop", "distance", "radial",
	"smoothleft", "smoothright", "smoothup", "smoothdown", "circleopen",
	"circleclose", "vertopen", "vertclose", "horzopen", "horzclose",
	"dissolve", "pixelize", "diagtl", "diagtr", "diagbl", "diagbr",
	"hlslice", "hrslice", "vuslice", "vdslice", "hblur", "wipetl", "wipetr",
	"wipebl", "wipebr", "squeezeh", "squeezev", "zoomin", "hlwind",
	"hrwind", "vuwind", "vdwind", "coverleft", "coverright", "coverup",
	"coverdown", "revealleft", "revealright", "revealup", "revealdown",
	/* ours */
	"clockwipe", "starwipe", "batman", "diamondwipe",
};
/* clang-format on */

enum err transition_parse(const char *text, struct transition *transition_r,
			  struct errmsg *e)
{
	const char *comma = strchr(text, ',');
	size_t len = comma ? (size_t)(comma - text) : strlen(text);
	struct transition t = { 0 };

	if (!*text) {
		*transition_r = t;
		return ERR_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names) && !t.name; i++)
		if (strlen(names[i]) == len && !memcmp(names[i], text, len))
			t.name = names[i];
	if (!t.name)
		return err_set(e, ERR_INPUT, "there is no transition '%s'",
			       err_quote_len(text, len).text);
	if (!comma ||
	    !utime_parse_seconds(comma + 1, strlen(comma + 1),
				 TRANSITION_MAX_US, &t.length_us) ||
	    !t.length_us)
		return err_set(e, ERR_INPUT,
			       "'%s' is not TYPE,SECONDS with more than 0 and "
			       "at most 60 seconds",
			       err_quote(text).text);
	*transition_r = t;
	return ERR_OK;
}
