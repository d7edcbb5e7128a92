#include "config.h"

#include "media/soundjoin.h"

#include <string.h>

#define FADE_MS 5

void framelist_append(struct arena *a, struct framelist *list,
		      const struct audio_frame *frame)
{
	if (list->nr == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct audio_frame *frames =
			arena_alloc(a, capacity * sizeof(*frames));

		if (list->nr)
			memcpy(frames, list->frames,
			       list->nr * sizeof(*frames));
		list->frames = frames;
		list->capacity = capacity;
	}
	list->frames[list->nr++] = *frame;
}

void framelist_append_copy(struct arena *a, struct framelist *list,
			   const struct audio_frame *frame)
{
	struct audio_frame copy = *frame;
	uint8_t *data = arena_alloc(a, frame->size + TSFILE_PADDING);

	memcpy(data, frame->data, frame->size);
	copy.data = data;
	framelist_append(a, list, &copy);
}

static bool is_same_kind(const struct framelist *a, const struct framelist *b)
{
	struct audio_format x, y;

	return a->nr && b->nr &&
	       adts_frame(a->frames[0].data, a->frames[0].size, &x) &&
	       adts_frame(b->frames[0].data, b->frames[0].size, &y) &&
	       x.rate == y.rate && x.channels == y.channels &&
	       x.object_type == y.object_type;
}

bool soundjoin_can(const struct soundjoin *j)
{
	return soundjoin_nr(j) && is_same_kind(&j->a, &j->b) &&
	       aac_is_plain(j->a.frames, j->a.nr) &&
	       aac_is_plain(j->b.frames, j->b.nr);
}

/* The share of the new sound at a sample from the beginning of the join. */
static float share(const struct soundjoin *j, uint32_t rate, int64_t sample)
{
	int64_t length = j->nr_middle ? (int64_t)j->nr_middle * AAC_SAMPLES :
					rate * FADE_MS / 1000;

	if (sample <= 0)
		return 0;
	return sample >= length ? 1 : (float)sample / (float)length;
}

/*
 * Decodes frames first to end - 1 of a side, as far as it has them, and adds
 * them to the mix, where frame first begins at sample at.  origin is the
 * sample at which the join begins.
 */
static enum err add_side(struct arena *scratch, const struct soundjoin *j,
			 const struct framelist *side, bool is_new,
			 int64_t first, int64_t end, int64_t at, int64_t origin,
			 struct pcm *mix, struct errmsg *e)
{
	struct pcm pcm;
	enum err err;

	if (first < 0) {
		at -= first * AAC_SAMPLES;
		first = 0;
	}
	end = end < (int64_t)side->nr ? end : (int64_t)side->nr;
	if (first >= end)
		return ERR_OK;
	err = aac_decode(scratch, side->frames, side->nr, (size_t)first,
			 (size_t)(end - first), &pcm, e);
	if (err)
		return err;
	for (unsigned c = 0; c < pcm.nr_channels && c < mix->nr_channels; c++)
		for (size_t i = 0; i < pcm.nr_samples; i++) {
			int64_t to = at + (int64_t)i;
			float gain = share(j, mix->rate, to - origin);

			if (to < 0 || to >= (int64_t)mix->nr_samples)
				continue;
			mix->planes[c][to] +=
				pcm.planes[c][i] * (is_new ? gain : 1 - gain);
		}
	return ERR_OK;
}

/* Mixes both sides and encodes the result. */
enum err soundjoin_encode(struct arena *a, const struct soundjoin *j,
			  struct audio_frame **frames_r, struct errmsg *e)
{
	int64_t nr = (int64_t)soundjoin_nr(j);
	int64_t lead = AAC_PREROLL + (int64_t)j->nr_before;
	int64_t origin = lead * AAC_SAMPLES;
	int64_t middle = (int64_t)j->nr_middle;
	int64_t a_first = (int64_t)j->a_end - lead;
	int64_t b_first = (int64_t)j->b_start - middle;
	struct audio_format format = { 0 };
	struct arena scratch;
	struct pcm mix;
	enum err err;

	if (!adts_frame(j->a.frames[0].data, j->a.frames[0].size, &format))
		return err_set(e, ERR_MEDIA, "the sound is not AAC");
	arena_init(&scratch);
	pcm_init(&scratch, format.channels == 7 ? 8 : format.channels,
		 format.rate, (size_t)(AAC_PREROLL + nr + 1) * AAC_SAMPLES,
		 &mix);
	err = add_side(&scratch, j, &j->a, false, a_first,
		       (int64_t)j->a_end + middle + 1, 0, origin, &mix, e);
	if (!err)
		err = add_side(&scratch, j, &j->b, true, b_first,
			       (int64_t)(j->b_start + j->nr_behind) + 1, origin,
			       origin, &mix, e);
	if (!err)
		err = aac_encode(a, &j->a.frames[0], &mix, (size_t)nr, frames_r,
				 e);
	arena_release(&scratch);
	return err;
}
