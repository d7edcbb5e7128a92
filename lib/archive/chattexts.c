#include "config.h"

#include "archive/chattexts.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/arena.h"
#include "base/mem.h"

#define FIRST_SLOTS 1024
#define FREE	    UINT32_MAX

struct chattexts {
	pthread_mutex_t lock;
	struct arena arena; /* of the texts */
	struct chat_text *texts;
	uint32_t nr;
	uint32_t capacity;
	uint32_t *slots; /* numbers of texts, by their hash; half are free */
	uint32_t nr_slots;
};

static uint32_t *new_slots(uint32_t nr)
{
	uint32_t *slots = mem_alloc(nr * sizeof(*slots));

	memset(slots, 0xff, nr * sizeof(*slots));
	return slots;
}

struct chattexts *chattexts_new(void)
{
	struct chattexts *t = mem_zero(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	t->nr_slots = FIRST_SLOTS;
	t->slots = new_slots(t->nr_slots);
	return t;
}

void chattexts_free(struct chattexts **texts)
{
	struct chattexts *t = *texts;

	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	arena_release(&t->arena);
	free(t->texts);
	free(t->slots);
	free(t);
	*texts = NULL;
}

static bool is_text(const struct chat_text *t, const char *text, size_t len,
		    const XXH128_hash_t *hash)
{
	return t->hash[0] == hash->low64 && t->hash[1] == hash->high64 &&
	       t->len == len && !memcmp(t->text, text, len);
}

/* The slot of a text, or the free one where it belongs. */
static uint32_t *find_slot(const struct chattexts *t, const char *text,
			   size_t len, const XXH128_hash_t *hash)
{
	uint32_t at = (uint32_t)hash->low64 & (t->nr_slots - 1);

	while (t->slots[at] != FREE &&
	       !is_text(&t->texts[t->slots[at]], text, len, hash))
		at = (at + 1) & (t->nr_slots - 1);
	return &t->slots[at];
}

static void grow_slots(struct chattexts *t)
{
	free(t->slots);
	t->nr_slots *= 2;
	t->slots = new_slots(t->nr_slots);
	for (uint32_t i = 0; i < t->nr; i++) {
		uint32_t at = (uint32_t)t->texts[i].hash[0] & (t->nr_slots - 1);

		while (t->slots[at] != FREE)
			at = (at + 1) & (t->nr_slots - 1);
		t->slots[at] = i;
	}
}

static uint32_t append(struct chattexts *t, const char *text, size_t len,
		       uint64_t tag, const XXH128_hash_t *hash)
{
	if (t->nr == t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : FIRST_SLOTS;
		t->texts =
			mem_resize(t->texts, t->capacity * sizeof(*t->texts));
	}
	t->texts[t->nr] = (struct chat_text){
		.text = arena_strndup(&t->arena, text, len),
		.len = (uint32_t)len,
		.tag = tag,
		.hash = { hash->low64, hash->high64 },
	};
	return t->nr++;
}

uint32_t chattexts_add(struct chattexts *t, const char *text, size_t len,
		       uint64_t tag)
{
	XXH128_hash_t hash = XXH3_128bits(text, len);
	uint32_t *slot;
	uint32_t nr;

	pthread_mutex_lock(&t->lock);
	slot = find_slot(t, text, len, &hash);
	nr = *slot;
	if (nr == FREE) {
		nr = *slot = append(t, text, len, tag, &hash);
		if (t->nr > t->nr_slots / 2)
			grow_slots(t);
	}
	pthread_mutex_unlock(&t->lock);
	return nr;
}

uint32_t chattexts_count(const struct chattexts *t)
{
	return t->nr;
}

const struct chat_text *chattexts_get(const struct chattexts *t, uint32_t nr)
{
	return &t->texts[nr];
}

int chattexts_compare(const struct chat_text *a, const struct chat_text *b)
{
	size_t common = a->len < b->len ? a->len : b->len;
	int diff;

	for (int i = 0; i < 2; i++)
		if (a->hash[i] != b->hash[i])
			return a->hash[i] < b->hash[i] ? -1 : 1;
	diff = memcmp(a->text, b->text, common);
	return diff ? diff : (a->len > b->len) - (a->len < b->len);
}
