#include "config.h"

#include "media/soundjoin.h"

#include <string.h>

#define FADE_MS 5

void framelist_append(struct arena *a, struct framelist *list,
		      const struct audio_frame *frame)
{
	list->frames = arena_grow(a, list->frames, list->nr, &list->capacity,
				  sizeof(*frame));
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

/* The best of places i, from first towards last; first if all are bad. */
static size_t choose(const struct audio_frame *frames, size_t first,
		     size_t last, const struct audio_frame *own, bool is_end)
{
	size_t fair = first;
	bool has_fair = false;

	for (size_t n = 0; n <= (first > last ? first - last : last - first);
	     n++) {
		size_t i = first > last ? first - n : first + n;
		const struct audio_frame *made = &frames[i - 1];
		const struct audio_frame *copied = &own[i - 1];
		enum aac_seam seam = is_end ? aac_seam(copied, made) :
					      aac_seam(made, copied);

		if (seam == AAC_SEAM_GOOD)
			return i;
		if (seam == AAC_SEAM_FAIR && !has_fair) {
			has_fair = true;
			fair = i;
		}
	}
	return fair;
}

/*
 * A copied frame and an encoded one only fit where both have windows of the
 * same shape and length; so more are encoded than are needed, and those beyond
 * the best places at both ends are the source's own after all.
 */
static void trim(const struct soundjoin *j, struct audio_frame *frames)
{
	size_t nr = soundjoin_nr(j);
	size_t new_at = j->nr_before + j->nr_middle; /* the first pure B */
	size_t fades = j->nr_middle ? 0 : 1;	     /* of these, mixed */
	/* As if both went over all of the frames. */
	const struct audio_frame *a = j->a.frames + j->a_end - j->nr_before;
	const struct audio_frame *b = j->b.frames + j->b_start;

	if (j->nr_before > 1) {
		size_t begin = choose(frames, j->nr_before - 1, 1, a, false);

		memcpy(frames, a, begin * sizeof(*frames));
	}
	if (j->nr_behind > fades + 1) {
		size_t end = choose(frames + new_at, fades + 1,
				    j->nr_behind - 1, b, true);

		memcpy(frames + new_at + end, b + end,
		       (nr - new_at - end) * sizeof(*frames));
	}
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
	if (!err)
		trim(j, *frames_r);
	return err;
}
