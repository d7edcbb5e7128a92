#include "config.h"

#include "archive/chatprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/threads.h"

#define CHUNK 4096 /* messages that a thread prints at once */
/* Of one chunk: names are as long as lines at most. */
#define MAX_TEXT ((size_t)1 << 40)

struct printing {
	const struct chat_names *names;
	const struct chat_messages *messages;
	struct text **receivers; /* by rank: "NAME": */
	struct iovec *iov;	 /* one, and two a message */
	struct text **texts;	 /* of chunks */
	size_t nr_chunks;
	_Atomic size_t next; /* chunk */
};

size_t chat_print_number(double number, char *to)
{
	int len = 0;

	for (int digits = 15; digits <= 17; digits++) {
		len = snprintf(to, CHAT_NUMBER_SIZE, "%.*g", digits, number);
		if (strtod(to, NULL) == number)
			break;
	}
	if (!to[strcspn(to, ".e")])
		len += sprintf(to + len, ".0");
	return (size_t)len;
}

static void put_number(struct text *out, double number)
{
	char text[CHAT_NUMBER_SIZE];

	text_append(out, text, chat_print_number(number, text));
}

/* What follows the text of the kind. */
static void put_rest(const struct printing *p,
		     const struct chat_message *message, bool is_first,
		     struct text *out)
{
	text_puts(out, is_first ? "\"receivers\":{" : ",\"receivers\":{");
	for (uint32_t i = 0; i < message->nr_receptions; i++) {
		const struct chat_reception *r = &message->receptions[i];
		const struct text *name = p->receivers[r->receiver];

		if (i)
			text_putc(out, ',');
		text_append(out, name->data, name->len);
		put_number(out, r->time);
	}
	text_puts(out, "},\"time\":");
	put_number(out, message->time);
	text_puts(out, ",\"time_range\":");
	put_number(out, message->range);
}

static void print_chunk(struct printing *p, size_t chunk)
{
	const struct chat_messages *all = p->messages;
	struct text *out = p->texts[chunk];
	size_t first = chunk * CHUNK;
	size_t last = first + CHUNK < all->nr ? first + CHUNK : all->nr;
	size_t offset = 0;

	for (size_t i = first; i < last; i++) {
		const struct chat_message *message = &all->messages[i];
		const struct chat_text *kind =
			chattexts_get(p->names->kinds, message->kind);
		size_t from = out->len;

		/* Without its closing brace. */
		p->iov[2 * i + 1] =
			(struct iovec){ (void *)(uintptr_t)kind->text,
					kind->len - 1 };
		put_rest(p, message, kind->len == 2, out);
		text_puts(out, i + 1 < all->nr ? "},\n" : "}]\n");
		p->iov[2 * i + 2].iov_len = out->len - from;
	}
	for (size_t i = first; i < last; i++) {
		p->iov[2 * i + 2].iov_base = out->data + offset;
		offset += p->iov[2 * i + 2].iov_len;
	}
}

static void print_chunks(void *ctx, int member)
{
	struct printing *p = ctx;
	size_t chunk;

	UNUSED(member);
	while ((chunk = p->next++) < p->nr_chunks)
		print_chunk(p, chunk);
}

static struct text *quote(struct arena *a, const struct chat_text *name)
{
	struct json_object *string =
		json_object_new_string_len(name->text, (int)name->len);
	struct text *text = text_new(a, MAX_TEXT);

	json_append(text, string);
	text->data[text->len - 1] = ':'; /* not a line feed */
	json_object_put(string);
	return text;
}

void chat_print(const struct chat_names *names,
		const struct chat_messages *messages, int nr_threads,
		struct arena *a, struct chat_json *json_r)
{
	uint32_t nr_receivers = messages->nr_receivers;
	size_t nr_iov = 2 * messages->nr + 1;
	struct printing p = {
		.names = names,
		.messages = messages,
		.nr_chunks = (messages->nr + CHUNK - 1) / CHUNK,
	};

	p.iov = arena_alloc(a, nr_iov * sizeof(*p.iov));
	p.iov[0].iov_base = (void *)(uintptr_t)(messages->nr ? "[" : "[]\n");
	p.iov[0].iov_len = messages->nr ? 1 : 3;
	p.receivers = arena_alloc(a, nr_receivers * sizeof(*p.receivers));
	for (uint32_t i = 0; i < nr_receivers; i++)
		p.receivers[i] =
			quote(a, chattexts_get(names->receivers,
					       messages->receivers[i]));
	p.texts = arena_alloc(a, p.nr_chunks * sizeof(*p.texts));
	for (size_t i = 0; i < p.nr_chunks; i++)
		p.texts[i] = text_new(a, MAX_TEXT);
	team_run((size_t)nr_threads < p.nr_chunks ? nr_threads :
						    (int)p.nr_chunks,
		 print_chunks, &p);
	*json_r = (struct chat_json){ .iov = p.iov, .nr_iov = (int)nr_iov };
	for (size_t i = 0; i < nr_iov; i++)
		json_r->length += p.iov[i].iov_len;
}
