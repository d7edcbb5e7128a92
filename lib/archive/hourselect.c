#include "config.h"

#include "archive/hourselect.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

struct stones {
	const struct fs_entry **entries;
	size_t nr;
};

struct sorting {
	struct candidate *all;
	size_t nr;
	struct stones stones;
	struct reject *rejects;
	size_t nr_rejects;
	size_t reject_capacity;
	size_t nr_temps;
};

void hour_selection_release(struct hour_selection *selection)
{
	free(selection->best);
	free(selection->rejects);
	*selection = (struct hour_selection){ 0 };
}

int64_t hour_file_size(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, 0) == 0 ? st.st_size : 0;
}

/* A link counts only while it leads to a file. */
static bool is_file(int fd, const struct fs_entry *entry)
{
	struct stat st;

	if (entry->type != DT_LNK)
		return fs_may_be_file(entry);
	return fstatat(fd, entry->name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static void reject(struct sorting *s, const struct candidate *c,
		   enum hour_why why)
{
	if (s->nr_rejects == s->reject_capacity) {
		s->reject_capacity = s->reject_capacity * 2 + 16;
		s->rejects = mem_resize(
			s->rejects, s->reject_capacity * sizeof(*s->rejects));
	}
	s->rejects[s->nr_rejects++] = (struct reject){ *c, why };
}

static enum err sort_names(usec_t hour_us, int fd, const struct fs_list *list,
			   size_t max, struct sorting *s,
			   struct hour_selection *selection, struct errmsg *e)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct fs_entry *entry = &list->entries[i];
		struct candidate *c = &s->all[s->nr];

		if (segment_has_suffix(entry->name, entry->len,
				       TOMBSTONE_SUFFIX)) {
			s->stones.entries[s->stones.nr++] = entry;
			continue;
		}
		if (!segment_parse(hour_us, entry->name, entry->len, &c->seg) ||
		    !is_file(fd, entry)) {
			if (entry->name[0] == '.')
				continue;
			selection->nr_ignored++;
			selection->ignored = entry->name;
			continue;
		}
		c->file = entry;
		c->size = -1;
		if (c->seg.kind == SEGMENT_TEMP) {
			if (s->nr_temps++ < max)
				reject(s, c, WHY_TEMP);
			continue;
		}
		if (s->nr == max)
			return err_set(e, ERR_LIMIT,
				       "an hour has more than %zu segments",
				       max);
		s->nr++;
	}
	return ERR_OK;
}

static int by_entry_name(const void *a, const void *b)
{
	return strcmp((*(const struct fs_entry *const *)a)->name,
		      (*(const struct fs_entry *const *)b)->name);
}

static int compare_stone(const void *key, const void *element)
{
	return strcmp(key, (*(const struct fs_entry *const *)element)->name);
}

static bool is_tombstoned(const struct stones *stones,
			  const struct candidate *c)
{
	char name[UINT8_MAX + sizeof(TOMBSTONE_SUFFIX)];

	memcpy(name, c->file->name, c->seg.stem_len);
	strcpy(name + c->seg.stem_len, TOMBSTONE_SUFFIX);
	return bsearch(name, stones->entries, stones->nr,
		       sizeof(*stones->entries), compare_stone) != NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	return (x->seg.start_us > y->seg.start_us) -
	       (x->seg.start_us < y->seg.start_us);
}

static void look_at_size(int fd, struct candidate *c)
{
	if (c->size < 0)
		c->size = hour_file_size(fd, c->file->name);
}

/* Whether a is to be preferred, and why; both begin at the same time. */
static bool is_better(int fd, struct candidate *a, struct candidate *b,
		      enum hour_why *why_r)
{
	bool is_full = a->seg.kind == SEGMENT_FULL;
	int diff = 0;

	if (a->seg.kind != b->seg.kind) {
		*why_r = is_full || b->seg.kind == SEGMENT_FULL ?
				 WHY_NOT_FULL :
				 WHY_NOT_SUSPECT;
		return a->seg.kind < b->seg.kind;
	}
	*why_r = WHY_SHORTER;
	if (is_full && a->seg.length_us != b->seg.length_us)
		return a->seg.length_us > b->seg.length_us;
	look_at_size(fd, a);
	look_at_size(fd, b);
	*why_r = WHY_SMALLER;
	if (a->size != b->size)
		return a->size > b->size;
	*why_r = WHY_LOWER_HASH;
	if (is_full)
		diff = segment_compare_hash(a->file->name, &a->seg,
					    b->file->name, &b->seg);
	if (diff)
		return diff > 0;
	*why_r = WHY_LATER_NAME;
	return strcmp(a->file->name, b->file->name) < 0;
}

/* Why those rejected since are not the best, which is known only now. */
static void explain(int fd, struct candidate *best, struct sorting *s,
		    size_t since)
{
	for (size_t i = since; i < s->nr_rejects; i++)
		is_better(fd, best, &s->rejects[i].c, &s->rejects[i].why);
}

/* Keeps the best of each start, in place. */
static size_t keep_best(int fd, struct sorting *s)
{
	struct candidate *all = s->all;
	size_t kept = 0;

	for (size_t i = 0; i < s->nr;) {
		struct candidate best = all[i];
		size_t since = s->nr_rejects;
		enum hour_why why;

		for (i++; i < s->nr && all[i].seg.start_us == best.seg.start_us;
		     i++) {
			if (is_better(fd, &all[i], &best, &why)) {
				struct candidate worse = best;

				best = all[i];
				reject(s, &worse, why);
			} else {
				reject(s, &all[i], why);
			}
		}
		explain(fd, &best, s, since);
		all[kept++] = best;
	}
	return kept;
}

static int by_start_and_name(const void *a, const void *b)
{
	const struct reject *x = a;
	const struct reject *y = b;
	int diff = by_start(&x->c, &y->c);

	if (!diff)
		diff = (x->why >= WHY_DELETED) - (y->why >= WHY_DELETED);
	return diff ? diff : strcmp(x->c.file->name, y->c.file->name);
}

static size_t drop_tombstoned(struct sorting *s)
{
	size_t kept = 0;

	if (!s->stones.nr)
		return s->nr;
	qsort(s->stones.entries, s->stones.nr, sizeof(*s->stones.entries),
	      by_entry_name);
	for (size_t i = 0; i < s->nr; i++)
		if (is_tombstoned(&s->stones, &s->all[i]))
			reject(s, &s->all[i], WHY_DELETED);
		else
			s->all[kept++] = s->all[i];
	return kept;
}

enum err hour_select(usec_t hour_us, int fd, const struct fs_list *list,
		     size_t max, struct hour_selection *selection_r,
		     struct errmsg *e)
{
	struct hour_selection selection = { 0 };
	struct sorting s = {
		/* One more than names: the place a name is parsed into. */
		.all = mem_alloc((list->nr + 1) * sizeof(*s.all)),
		.stones.entries =
			mem_alloc(list->nr * sizeof(*s.stones.entries)),
	};
	enum err err;

	err = sort_names(hour_us, fd, list, max, &s, &selection, e);
	if (!err) {
		s.nr = drop_tombstoned(&s);
		qsort(s.all, s.nr, sizeof(*s.all), by_start);
		selection.nr = keep_best(fd, &s);
		selection.best = s.all;
		if (s.nr_rejects)
			qsort(s.rejects, s.nr_rejects, sizeof(*s.rejects),
			      by_start_and_name);
		selection.rejects = s.rejects;
		selection.nr_rejects = s.nr_rejects;
		*selection_r = selection;
	} else {
		free(s.all);
		free(s.rejects);
	}
	free(s.stones.entries);
	return err;
}
