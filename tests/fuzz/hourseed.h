/*
 * hourseed.h - indexes to begin from, built of made-up listings.
 */
#ifndef TESTS_FUZZ_HOURSEED_H
#define TESTS_FUZZ_HOURSEED_H

#include "archive/hourindex.h"

#include "fuzz.h"

#define HOURSEED_URL "/segments/main/source/"

/* One listing a line: what an hour may hold. */
static const char *const hourseeds[][8] = {
	{ NULL },
	{ "00:00-2-full-a.ts" },
	{ "00:00-2-full-a.ts", "00:02-2-full-b.ts", "00:04.5-2-full-c.ts" },
	{ "00:00-2-full-a.ts", "00:00-2-full-b.ts", "00:00-2-partial-c.ts",
	  "00:02-1-full-d.ts", "00:02-2-full-e.ts", "00:04-2-full-f.tombstone",
	  "00:04-2-full-f.ts", "00:06-2-temp-g.ts" },
	{ "00:08-2-suspect-a.ts", "00:08-2-partial-b.ts",
	  "00:10-2-partial-c.ts", "00:10-2-partial-d.ts" },
	{ "00:00-2-full-a.ts", "00:01-2-full-b.ts", "00:02-2-full-c.ts",
	  "00:05-2-partial-d.ts", "00:07-2.5-suspect-e.ts",
	  "59:59.999999-3600-full-longer.ts" },
};

/* The caller drops it. */
static inline struct hourindex *hourseed_build(size_t i, bool measure)
{
	struct fs_entry entries[8] = { { 0 } };
	struct fs_list list = { .entries = entries };
	struct hour_media media = { .codecs = "avc1.64001f" };
	struct hourindex *index;
	struct hour_source source = {
		.hour_us = FUZZ_HOUR,
		.url = HOURSEED_URL,
		.fd = -1,
		.list = &list,
		.measure = measure,
		.media = measure ? &media : NULL,
	};
	struct errmsg e;

	for (; list.nr < 8 && hourseeds[i][list.nr]; list.nr++) {
		entries[list.nr].name = hourseeds[i][list.nr];
		entries[list.nr].len =
			(uint16_t)strlen(entries[list.nr].name);
	}
	MUST(!hourindex_build(&source, &index, &e));
	return index;
}

#endif
