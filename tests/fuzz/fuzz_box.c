/*
 * fuzz_box.c - any bytes as a box; written anew it reads the same.
 */
#include "config.h"

#include <stdio.h>

#include "picture/box.h"

#include "fuzz.h"

static void check_box(const char *text)
{
	struct errmsg e = { "" };
	struct box box, again;
	char written[64];

	if (box_parse(text, &box, &e)) {
		MUST(e.text[0]);
		return;
	}
	MUST(box_width(&box) >= 1 && box_width(&box) <= BOX_MAX_SIDE);
	MUST(box_height(&box) >= 1 && box_height(&box) <= BOX_MAX_SIDE);
	MUST(!box_check(&box, &e));
	snprintf(written, sizeof(written), "%d,%d,%d,%d", box.left, box.top,
		 box.right, box.bottom);
	MUST(!box_parse(written, &again, &e));
	MUST(!memcmp(&again, &box, sizeof(box)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_box(text);
	free(text);
	return 0;
}
