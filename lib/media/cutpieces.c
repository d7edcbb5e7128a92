#include "config.h"

#include "media/cutpieces.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "media/soundconv.h"

struct loaded {
	struct arena arena;
	struct tsfile *file;
};

struct cutpieces {
	const struct cutplan *plan;
	struct loaded **loaded; /* by the number of the piece; or NULL */
};

static void drop(struct loaded **loaded)
{
	if (*loaded)
		arena_release(&(*loaded)->arena);
	free(*loaded);
	*loaded = NULL;
}

static void free_all(void *ptr)
{
	struct cutpieces *pieces = ptr;

	cutpieces_drop(pieces, 0, pieces->plan->cover.nr);
}

struct cutpieces *cutpieces_new(struct arena *a, const struct cutplan *plan)
{
	struct cutpieces *pieces = ARENA_NEW(a, struct cutpieces);

	pieces->plan = plan;
	pieces->loaded =
		arena_alloc(a, plan->cover.nr * sizeof(*pieces->loaded));
	arena_defer(a, free_all, pieces);
	return pieces;
}

/* The next piece may be copied as it lies: its grid is to go on. */
static void follow_next(const struct cutplan *plan, size_t i,
			struct tsfile *file)
{
	const struct rough_piece *pieces = plan->cover.pieces;

	if (i + 1 < plan->cover.nr && pieces[i + 1].range == pieces[i].range &&
	    plan->pieces[i + 1].audio_pts != TS_NONE)
		tsfile_follow_audio(file, plan->pieces[i + 1].audio_pts);
}

enum err cutpieces_load(struct cutpieces *pieces, size_t i,
			const struct tsfile **file_r, struct errmsg *e)
{
	const struct cutplan *plan = pieces->plan;
	struct loaded *loaded = pieces->loaded[i];
	enum err err;
	int fd;

	if (loaded) {
		*file_r = loaded->file;
		return ERR_OK;
	}
	err = roughcut_open(&plan->cover, &plan->cover.pieces[i], &fd, e);
	if (err)
		return err;
	loaded = mem_zero(sizeof(*loaded));
	arena_init(&loaded->arena);
	pieces->loaded[i] = loaded;
	err = tsfile_read(&loaded->arena, fd, plan->pieces[i].dts,
			  &loaded->file, e);
	close(fd);
	if (!err)
		follow_next(plan, i, loaded->file);
	if (!err && plan->pieces[i].converts_sound)
		err = soundconv_piece(&loaded->arena, plan, i, loaded->file, e);
	if (err)
		drop(&pieces->loaded[i]);
	else
		*file_r = loaded->file;
	return err;
}

void cutpieces_drop(struct cutpieces *pieces, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		drop(&pieces->loaded[i]);
}
