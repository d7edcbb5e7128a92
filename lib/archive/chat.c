#include "config.h"

#include "archive/chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "archive/chatlist.h"
#include "archive/chatmerge.h"
#include "archive/chatprint.h"
#include "base/fsutil.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/threads.h"

#define MAX_TRIES    20
#define MAX_MESSAGES 5000000 /* in all files */
#define SAID_PLACES  8

/* Files of these times are read: those a little before hold later messages. */
#define BEFORE_US (120 * USEC_PER_SEC)
#define AFTER_US  (60 * USEC_PER_SEC)

/* What the bytes of an answer depend on beside the files. */
#define CHAT_VERSION UINT64_C(2)

enum state {
	UNREAD,
	READ,
	BAD,	/* left out, and why says why */
	GONE,	/* not there any more as it was listed */
	FAILED, /* and why says how */
};

struct slot {
	enum state state;
	struct errmsg why;
};

/* A struct chat, and what is behind it. */
struct reading {
	struct chat chat; /* first */
	struct chat_source source;
	struct arena *arena;
	struct chatlist list;
	struct chat_batch *batches; /* of the files of the list */
	struct slot *slots;
	struct chat_names names;
	_Atomic size_t next; /* file to read */
	_Atomic size_t nr_messages;
};

static void release_batches(struct reading *r)
{
	for (size_t i = 0; r->batches && i < r->list.nr; i++)
		chatbatch_release(&r->batches[i]);
	free(r->batches);
	free(r->slots);
	r->batches = NULL;
	r->slots = NULL;
}

static void release(void *ptr)
{
	struct reading *r = ptr;

	release_batches(r);
	chatlist_release(&r->list);
	chattexts_free(&r->names.kinds);
	chattexts_free(&r->names.receivers);
}

/* Complaints */

/* It is in one of some places, or takes a free one, or else the first. */
static bool was_said(const struct reading *r, uint64_t hash)
{
	struct chat_said *said = r->source.said;
	const size_t nr = ARRAY_SIZE(said->hashes);

	if (!said)
		return false;
	for (size_t i = 0; i < SAID_PLACES; i++) {
		uint64_t was = 0;

		if (atomic_compare_exchange_strong(
			    &said->hashes[(hash + i) % nr], &was, hash))
			return false;
		if (was == hash)
			return true;
	}
	atomic_store(&said->hashes[hash % nr], hash);
	return false;
}

static void say_ignored(struct reading *r)
{
	const struct quality *q = r->source.quality;
	const struct chatlist *list = &r->list;
	const char *first = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < list->nr_ignored && i < CHATLIST_MAX_IGNORED;
	     i++) {
		uint64_t key[] = { list->ignored[i].hash,
				   XXH3_64bits(q->channel,
					       strlen(q->channel)) };

		if (was_said(r, XXH3_64bits(key, sizeof(key))))
			continue;
		first = first ? first : list->ignored[i].path;
		nr++;
	}
	r->chat.stats.nr_names_ignored += nr;
	if (nr)
		log_warning("%zu names in the chat of '%s' are no files of "
			    "chat, such as '%s'",
			    nr, err_quote(q->channel).text, first);
}

static void say_bad(struct reading *r)
{
	const char *channel = r->source.quality->channel;

	for (size_t i = 0; i < r->list.nr; i++) {
		const struct chat_file *file = &r->list.files[i];
		const uint64_t key[] = { file->dev, file->ino, file->size,
					 (uint64_t)file->mtime_ns };

		if (r->slots[i].state != BAD)
			continue;
		r->chat.stats.nr_files_ignored++;
		if (!was_said(r, XXH3_64bits(key, sizeof(key))))
			log_warning("'%s/chat/%s' is ignored: %s",
				    err_quote(channel).text, file->path,
				    r->slots[i].why.text);
	}
}

/* Listing */

/* Takes over what was read already, of files that are still there. */
static void adopt(struct reading *r, struct chatlist *list)
{
	struct chat_batch *batches = mem_zero(list->nr * sizeof(*batches));
	struct slot *slots = mem_zero(list->nr * sizeof(*slots));
	size_t k = 0;

	for (size_t i = 0; i < list->nr; i++) {
		int diff = 1;

		while (k < r->list.nr &&
		       (diff = strcmp(r->list.files[k].path,
				      list->files[i].path)) < 0)
			k++;
		if (k == r->list.nr || diff != 0 ||
		    !chat_file_equal(&r->list.files[k], &list->files[i]) ||
		    (r->slots[k].state != READ && r->slots[k].state != BAD))
			continue;
		slots[i] = r->slots[k];
		batches[i] = r->batches[k];
		r->batches[k] = (struct chat_batch){ .nr = 0 };
	}
	release_batches(r);
	chatlist_release(&r->list);
	r->list = *list;
	r->batches = batches;
	r->slots = slots;
}

static enum err list_files(struct reading *r, struct errmsg *e)
{
	const uint64_t range[] = { (uint64_t)r->source.start_us,
				   (uint64_t)r->source.end_us, CHAT_VERSION };
	struct chatlist list = { .nr = 0 };
	uint64_t seed = XXH3_64bits(range, sizeof(range));
	enum err err =
		chatlist_read(r->source.quality, r->source.start_us - BEFORE_US,
			      r->source.end_us + AFTER_US, &list, e);

	if (err) {
		chatlist_release(&list);
		return err;
	}
	adopt(r, &list);
	say_ignored(r);
	r->chat.bytes = r->list.bytes;
	r->chat.hash[0] = r->list.hash[0] ^ seed;
	r->chat.hash[1] = r->list.hash[1];
	return ERR_OK;
}

enum err chat_open(const struct chat_source *source, struct arena *a,
		   struct chat **chat_r, struct errmsg *e)
{
	struct reading *r = ARENA_NEW(a, struct reading);
	enum err err;

	arena_defer(a, release, r);
	r->source = *source;
	r->arena = a;
	r->names.kinds = chattexts_new();
	r->names.receivers = chattexts_new();
	err = list_files(r, e);
	if (!err)
		*chat_r = &r->chat;
	return err;
}

/* Reading */

static enum state judge(struct slot *slot, enum state state, const char *why)
{
	slot->why = (struct errmsg){ "" };
	strncat(slot->why.text, why, sizeof(slot->why.text) - 1);
	return state;
}

static enum state parse(struct reading *r, size_t nr, const char *data,
			size_t len)
{
	struct chat_batch *batch = &r->batches[nr];
	enum err err =
		chatbatch_parse(&r->names, data, len, batch, &r->slots[nr].why);

	if (err)
		return err == ERR_CORRUPT ? BAD : FAILED;
	r->nr_messages += batch->nr;
	return READ;
}

static enum state read_file(struct reading *r, size_t nr, int fd)
{
	size_t size = (size_t)r->list.files[nr].size;
	char *data = mem_alloc(size);
	ssize_t n = fs_read_at(fd, data, size, 0);
	enum state state;

	if (n < 0)
		state = judge(&r->slots[nr], FAILED, strerror(errno));
	else if ((size_t)n != size)
		state = GONE;
	else
		state = parse(r, nr, data, size);
	free(data);
	return state;
}

static enum state open_and_read(struct reading *r, size_t nr)
{
	const struct chat_file *file = &r->list.files[nr];
	struct slot *slot = &r->slots[nr];
	bool is_gone;
	enum state state;
	int fd;

	if (file->size > CHAT_MAX_FILE)
		return judge(slot, BAD, "it is too large");
	fd = chatlist_open(r->source.quality, file, &is_gone);
	if (is_gone)
		return GONE;
	if (fd < 0)
		return judge(slot, errno == EACCES ? BAD : FAILED,
			     strerror(errno));
	state = read_file(r, nr, fd);
	fs_close(&fd);
	return state;
}

static void read_some(void *ctx, int member)
{
	struct reading *r = ctx;
	size_t nr;

	UNUSED(member);
	while ((nr = r->next++) < r->list.nr && r->nr_messages <= MAX_MESSAGES)
		if (r->slots[nr].state == UNREAD)
			r->slots[nr].state = open_and_read(r, nr);
}

static enum err check(const struct reading *r, bool *any_gone_r,
		      struct errmsg *e)
{
	*any_gone_r = false;
	if (r->nr_messages > MAX_MESSAGES)
		return err_set(e, ERR_LIMIT,
			       "the chat of this range has more than %d "
			       "messages; ask for a shorter one",
			       MAX_MESSAGES);
	for (size_t i = 0; i < r->list.nr; i++) {
		if (r->slots[i].state == FAILED)
			return err_set(e, ERR_IO,
				       "cannot read a file of chat: %s",
				       r->slots[i].why.text);
		*any_gone_r |= r->slots[i].state == GONE;
	}
	return ERR_OK;
}

/* Until all files of one list were there. */
static enum err read_files(struct reading *r, int nr_threads, struct errmsg *e)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		bool any_gone;
		enum err err;

		r->next = 0;
		r->nr_messages = 0;
		for (size_t k = 0; k < r->list.nr; k++)
			r->nr_messages += r->batches[k].nr;
		team_run(nr_threads, read_some, r);
		err = check(r, &any_gone, e);
		if (err || !any_gone)
			return err;
		r->chat.stats.nr_retries++;
		err = list_files(r, e);
		if (err)
			return err;
	}
	return err_set(e, ERR_BUSY, "the chat is being rewritten; try again");
}

/* Answering */

static void keep_range(const struct reading *r, struct chat_messages *m)
{
	double start = (double)r->source.start_us / 1e6;
	double end = (double)r->source.end_us / 1e6;
	size_t kept = 0;

	for (size_t i = 0; i < m->nr; i++)
		if (m->messages[i].time < end &&
		    m->messages[i].time + m->messages[i].range >= start)
			m->messages[kept++] = m->messages[i];
	m->nr = kept;
}

static int compare_receptions(const struct chat_message *a,
			      const struct chat_message *b)
{
	if (a->nr_receptions != b->nr_receptions)
		return a->nr_receptions < b->nr_receptions ? -1 : 1;
	for (uint32_t i = 0; i < a->nr_receptions; i++) {
		const struct chat_reception *x = &a->receptions[i];
		const struct chat_reception *y = &b->receptions[i];

		if (x->receiver != y->receiver)
			return x->receiver < y->receiver ? -1 : 1;
		if (x->time != y->time)
			return x->time < y->time ? -1 : 1;
	}
	return 0;
}

static int by_time(const void *a, const void *b, void *ctx)
{
	const struct chat_message *x = a;
	const struct chat_message *y = b;
	const struct chattexts *kinds = ctx;
	int diff;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->range != y->range)
		return x->range < y->range ? -1 : 1;
	diff = x->kind == y->kind ?
		       0 :
		       chattexts_compare(chattexts_get(kinds, x->kind),
					 chattexts_get(kinds, y->kind));
	return diff ? diff : compare_receptions(x, y);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t count_conflicts(const struct reading *r,
			      const struct chat_messages *m)
{
	uint64_t *ids = mem_alloc(m->nr * sizeof(*ids));
	size_t nr_conflicts = 0;
	size_t nr = 0;

	for (size_t i = 0; i < m->nr; i++) {
		ids[nr] =
			chattexts_get(r->names.kinds, m->messages[i].kind)->tag;
		nr += ids[nr] != 0;
	}
	qsort(ids, nr, sizeof(*ids), by_number);
	for (size_t i = 1; i < nr; i++)
		nr_conflicts += ids[i] == ids[i - 1];
	free(ids);
	return nr_conflicts;
}

enum err chat_read(struct chat *chat, int nr_threads, struct errmsg *e)
{
	struct reading *r = (struct reading *)chat;
	struct chat_messages messages;
	struct chat_json json;
	enum err err = read_files(r, nr_threads, e);

	if (err)
		return err;
	say_bad(r);
	err = chat_merge(&r->names, r->batches, r->list.nr, r->arena, &messages,
			 e);
	if (err)
		return err;
	release_batches(r);
	chat->stats.nr_messages = messages.nr_read;
	keep_range(r, &messages);
	qsort_r(messages.messages, messages.nr, sizeof(*messages.messages),
		by_time, r->names.kinds);
	chat->stats.nr_conflicts = count_conflicts(r, &messages);
	chat_print(&r->names, &messages, nr_threads, r->arena, &json);
	chat->iov = json.iov;
	chat->nr_iov = json.nr_iov;
	chat->length = json.length;
	return ERR_OK;
}
