#include "config.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT  _Alignof(max_align_t)

#define FIRST_CAPACITY 16

struct arena_block {
	struct arena_block *next;
	size_t size; /* of data */
	_Alignas(max_align_t) char data[];
};

struct arena_cleanup {
	struct arena_cleanup *next;
	void (*fn)(void *ptr);
	void *ptr;
};

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

static void run_cleanups(struct arena *a)
{
	while (a->cleanups) {
		struct arena_cleanup *c = a->cleanups;

		a->cleanups = c->next;
		c->fn(c->ptr);
	}
}

/* Frees all blocks but the last of the list that has the usual size. */
void arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;

	run_cleanups(a);
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		if (!keep && b->size == BLOCK_SIZE)
			keep = b;
		else
			free(b);
	}
	a->blocks = keep;
	a->free = keep ? keep->data : NULL;
	a->left = keep ? keep->size : 0;
	if (keep)
		keep->next = NULL;
}

void arena_release(struct arena *a)
{
	arena_reset(a);
	free(a->blocks);
	*a = (struct arena){ 0 };
}

/* Zeroed: what is large comes so from the kernel, a page when it is used. */
static struct arena_block *add_block(struct arena *a, size_t size)
{
	struct arena_block *b = mem_zero(sizeof(*b) + size);

	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = ((size ? size : 1) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	char *p;

	if (need > BLOCK_SIZE / 4) /* its own block; keep the current one */
		return add_block(a, need)->data;
	if (need > a->left) {
		a->free = add_block(a, BLOCK_SIZE)->data;
		a->left = BLOCK_SIZE;
	}
	p = a->free;
	a->free += need;
	a->left -= need;
	return memset(p, 0, need);
}

void *arena_grow(struct arena *a, void *array, size_t nr, size_t *capacity,
		 size_t size)
{
	void *larger;

	if (nr < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : FIRST_CAPACITY;
	larger = arena_alloc(a, *capacity * size);
	if (nr)
		memcpy(larger, array, nr * size);
	return larger;
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	char *text;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	if (n > 0)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

void arena_defer(struct arena *a, void (*fn)(void *ptr), void *ptr)
{
	struct arena_cleanup *c = ARENA_NEW(a, struct arena_cleanup);

	c->fn = fn;
	c->ptr = ptr;
	c->next = a->cleanups;
	a->cleanups = c;
}
