#include "config.h"

#include "slotnote.h"

#include <stdio.h>
#include <string.h>

#define MAX_TRIES 1000

_Static_assert(sizeof(struct slot_text) % sizeof(uint64_t) == 0,
	       "a note is whole words");

static void write_text(struct slotnote *note, const struct slot_text *text)
{
	/* Who died here before may have left it odd. */
	uint32_t turn =
		atomic_load_explicit(&note->turn, memory_order_relaxed) | 1;
	uint64_t words[SLOT_TEXT_WORDS];

	memcpy(words, text, sizeof(words));
	atomic_store_explicit(&note->turn, turn, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < SLOT_TEXT_WORDS; i++)
		atomic_store_explicit(&note->words[i], words[i],
				      memory_order_relaxed);
	atomic_store_explicit(&note->turn, turn + 1, memory_order_release);
}

void slotnote_write(struct slotnote *note, const char *id, const char *client,
		    const char *uri)
{
	struct slot_text text = { .id = "" };

	snprintf(text.id, sizeof(text.id), "%s", id);
	snprintf(text.client, sizeof(text.client), "%s", client);
	snprintf(text.uri, sizeof(text.uri), "%.*s", (int)sizeof(text.uri) - 1,
		 uri);
	write_text(note, &text);
}

void slotnote_clear(struct slotnote *note)
{
	static const struct slot_text none;

	write_text(note, &none);
}

void slotnote_copy(struct slotnote *to, struct slotnote *from)
{
	struct slot_text text = { .id = "" };

	if (slotnote_read(from, &text))
		write_text(to, &text);
	else
		slotnote_clear(to);
}

static bool try_read(struct slotnote *note, struct slot_text *text_r)
{
	uint32_t turn = atomic_load_explicit(&note->turn, memory_order_acquire);
	uint64_t words[SLOT_TEXT_WORDS];

	if (turn & 1)
		return false;
	for (size_t i = 0; i < SLOT_TEXT_WORDS; i++)
		words[i] = atomic_load_explicit(&note->words[i],
						memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&note->turn, memory_order_relaxed) != turn)
		return false;
	memcpy(text_r, words, sizeof(words));
	return true;
}

bool slotnote_read(struct slotnote *note, struct slot_text *text_r)
{
	struct slot_text text;
	int tries = 0;

	while (!try_read(note, &text))
		if (++tries == MAX_TRIES)
			return false;
	text.id[sizeof(text.id) - 1] = '\0';
	text.client[sizeof(text.client) - 1] = '\0';
	text.uri[sizeof(text.uri) - 1] = '\0';
	*text_r = text;
	return true;
}
