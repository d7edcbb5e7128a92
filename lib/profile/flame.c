#include "config.h"

#include "profile/flame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "metrics/metrics.h"

/* Keeps role, endpoint and thread, and as many of the innermost as fit. */
static void shorten(const char *from, char to[FLAME_TEXT])
{
	static const char gap[] = ";...";
	const char *head = from;
	const char *tail;
	size_t len = strlen(from);
	size_t head_len;

	if (len < FLAME_TEXT) {
		memcpy(to, from, len + 1);
		return;
	}
	for (int i = 0; i < 3 && *head; i++)
		head += strcspn(head + 1, ";") + 1;
	head_len = (size_t)(head - from);
	if (head_len > FLAME_TEXT / 2)
		head_len = FLAME_TEXT / 2;
	tail = from + len - (FLAME_TEXT - head_len - sizeof(gap));
	tail += strcspn(tail, ";");
	snprintf(to, FLAME_TEXT, "%.*s%s%s", (int)head_len, from, gap, tail);
}

static struct flame_row *find_row(struct flame *flame, const char *text)
{
	uint32_t nr = flame->nr;
	struct flame_row *row;

	for (uint32_t i = 0; i < nr && i < FLAME_ROWS; i++)
		if (!strcmp(flame->rows[i].text, text))
			return &flame->rows[i];
	if (nr >= FLAME_ROWS)
		return NULL;
	row = &flame->rows[nr];
	memcpy(row->text, text, strlen(text) + 1);
	atomic_store_explicit(&flame->nr, nr + 1, memory_order_release);
	return row;
}

void flame_add(struct flame *flame, const struct folded *f)
{
	flame->nr_other += f->nr_other;
	for (size_t i = 0; i < f->nr; i++) {
		char text[FLAME_TEXT];
		struct flame_row *row;

		shorten(f->rows[i].text, text);
		row = find_row(flame, text);
		if (row)
			row->nr_samples += f->rows[i].count;
		else
			flame->nr_other += f->rows[i].count;
	}
}

static void put_row(struct text *out, const char *stack, uint64_t nr,
		    uint32_t hz)
{
	uint64_t ms = nr * 1000 / hz;

	text_printf(out,
		    "flamegraph_total{stack=\"%s\"} %" PRIu64 ".%03" PRIu64
		    "\n",
		    stack, ms / 1000, ms % 1000);
}

void flame_put(struct flame *flame, uint32_t hz, struct text *out)
{
	uint32_t nr = atomic_load_explicit(&flame->nr, memory_order_acquire);

	metrics_put_head(out, FAMILY_FLAMEGRAPH, "");
	for (uint32_t i = 0; i < nr && i < FLAME_ROWS; i++)
		put_row(out, flame->rows[i].text, flame->rows[i].nr_samples,
			hz);
	put_row(out, "other", flame->nr_other, hz);
}
