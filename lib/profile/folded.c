#include "config.h"

#include "profile/folded.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_LINE ((size_t)16 * 1024)

void folded_init(struct folded *f, folded_name_fn *name, void *ctx)
{
	*f = (struct folded){ .name = name, .ctx = ctx };
}

void folded_release(struct folded *f)
{
	for (size_t i = 0; i < f->nr; i++)
		free(f->rows[i].text);
	free(f->rows);
	*f = (struct folded){ .name = NULL };
}

static void put_part(struct text *line, const char *part)
{
	if (line->len)
		text_putc(line, ';');
	for (; *part; part++) {
		unsigned char c = (unsigned char)*part;

		text_putc(line, c <= ' ' || c >= 0x7f || strchr(";\"\\{}", c) ?
					'_' :
					(char)c);
	}
}

static void put_frames(const struct folded *f, const struct stack *stack,
		       struct text *line)
{
	const char *last = "";

	for (uint32_t i = stack->nr; i-- > 0;) {
		/* All but the innermost are where a call returns to. */
		uintptr_t address = stack->frames[i] - (i > 0);
		const char *name = f->name(f->ctx, address);

		if (strcmp(name, last) != 0)
			put_part(line, name);
		last = name;
	}
}

static void add_stack(void *ctx, const struct stack *stack, uint64_t count)
{
	struct folded *f = ctx;
	struct text line;

	f->total += count;
	if (f->nr == FOLDED_MAX) {
		f->nr_other += count;
		return;
	}
	if (f->nr == f->capacity) {
		f->capacity = f->capacity ? f->capacity * 2 : 256;
		f->rows = mem_resize(f->rows, f->capacity * sizeof(*f->rows));
	}
	text_init(&line, MAX_LINE);
	put_part(&line, stack->role ? stack->role : "-");
	put_part(&line, stack->endpoint ? stack->endpoint : "-");
	put_part(&line, stack->thread[0] ? stack->thread : "-");
	put_frames(f, stack, &line);
	f->rows[f->nr++] = (struct folded_row){ mem_strdup(line.data), count };
	text_release(&line);
}

void folded_add(struct folded *f, struct stacktable *table)
{
	stacktable_each(table, add_stack, f);
}

static int by_text(const void *a, const void *b)
{
	const struct folded_row *x = a;
	const struct folded_row *y = b;

	return strcmp(x->text, y->text);
}

void folded_merge(struct folded *f)
{
	size_t nr = 0;

	if (f->nr)
		qsort(f->rows, f->nr, sizeof(*f->rows), by_text);
	for (size_t i = 0; i < f->nr; i++) {
		if (nr && !strcmp(f->rows[nr - 1].text, f->rows[i].text)) {
			f->rows[nr - 1].count += f->rows[i].count;
			free(f->rows[i].text);
		} else {
			f->rows[nr++] = f->rows[i];
		}
	}
	f->nr = nr;
}

void folded_put(const struct folded *f, struct text *out)
{
	for (size_t i = 0; i < f->nr; i++)
		text_printf(out, "%s %" PRIu64 "\n", f->rows[i].text,
			    f->rows[i].count);
	if (f->nr_other)
		text_printf(out, "other %" PRIu64 "\n", f->nr_other);
}
