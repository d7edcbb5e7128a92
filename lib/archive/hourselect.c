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
};

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
		if (c->seg.kind == SEGMENT_TEMP)
			continue;
		if (s->nr == max)
			return err_set(e, ERR_LIMIT,
				       "an hour has more than %zu segments",
				       max);
		c->file = entry;
		c->size = -1;
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

/* Whether a is to be preferred; both begin at the same time. */
static bool is_better(int fd, struct candidate *a, struct candidate *b)
{
	int diff;

	if (a->seg.kind != b->seg.kind)
		return a->seg.kind < b->seg.kind;
	if (a->seg.kind == SEGMENT_FULL && a->seg.length_us != b->seg.length_us)
		return a->seg.length_us > b->seg.length_us;
	look_at_size(fd, a);
	look_at_size(fd, b);
	if (a->size != b->size)
		return a->size > b->size;
	if (a->seg.kind == SEGMENT_FULL) {
		diff = segment_compare_hash(a->file->name, &a->seg,
					    b->file->name, &b->seg);
		if (diff)
			return diff > 0;
	}
	return strcmp(a->file->name, b->file->name) < 0;
}

/* Keeps the best of each start, in place. */
static size_t keep_best(int fd, struct candidate *all, size_t nr)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr; i++) {
		if (kept && all[kept - 1].seg.start_us == all[i].seg.start_us) {
			if (is_better(fd, &all[i], &all[kept - 1]))
				all[kept - 1] = all[i];
			continue;
		}
		all[kept++] = all[i];
	}
	return kept;
}

static size_t drop_tombstoned(struct sorting *s)
{
	size_t kept = 0;

	if (!s->stones.nr)
		return s->nr;
	qsort(s->stones.entries, s->stones.nr, sizeof(*s->stones.entries),
	      by_entry_name);
	for (size_t i = 0; i < s->nr; i++)
		if (!is_tombstoned(&s->stones, &s->all[i]))
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
		selection.nr = keep_best(fd, s.all, s.nr);
		selection.best = s.all;
		*selection_r = selection;
	} else {
		free(s.all);
	}
	free(s.stones.entries);
	return err;
}
