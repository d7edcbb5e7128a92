#include "config.h"

#include "media/waveform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/fsutil.h"
#include "base/threads.h"
#include "media/peakpack.h"

/*
 * Samples in a block: the most that will do.  Peaks in fine and coarse blocks
 * are kept.
 */
#define ONE_SAMPLE   1
#define TINY_BLOCK   8
#define FINE_BLOCK   128
#define FOLD	     32
#define COARSE_BLOCK (FINE_BLOCK * FOLD)

/* A column is at least so many blocks, or it is made of smaller ones. */
#define BLOCKS_A_COLUMN 16
#define NOMINAL_RATE	48000

/* Segments whose samples are in memory at once. */
#define MAX_EXACT 8

/* Segments that a thread takes: it has to read the one before the first. */
#define CHUNK 8

/* Times of neighbours may differ so much. */
#define SLACK_NS (INT64_C(20) * 1000000)
#define NS_A_US	 1000

/* The sound of a segment begins at most so long before its pictures. */
#define AHEAD_US (100 * USEC_PER_MS)

/* What is farther than this outside of a segment's own time is damaged. */
#define AROUND_US USEC_PER_SEC

struct wave_segment {
	const struct hourindex *index;
	uint32_t entry;
	bool after_hole;
	const struct wave_segment *before; /* its sound goes on from that */
	struct blobkey key;
};

static const struct hour_entry *entry_of(const struct wave_segment *segment)
{
	return &segment->index->entries[segment->entry];
}

/* The plan */

static struct blobkey key_of(const struct wave_segment *segment)
{
	char text[2 * PATH_MAX];
	XXH128_hash_t digest;
	size_t len;

	hourindex_path(segment->index, segment->entry, text);
	len = strlen(text) + 1;
	if (segment->before) {
		hourindex_path(segment->before->index, segment->before->entry,
			       text + len);
		len += strlen(text + len);
	}
	digest = XXH3_128bits(text, len);
	return (struct blobkey){ { digest.high64, digest.low64 } };
}

/* The first segment of a time, or soon after; *has_r false if there is none. */
static enum err find_at(struct hourreader *reader, usec_t start_us,
			struct wave_segment *segment_r, bool *has_r,
			struct errmsg *e)
{
	struct time_range moment = { start_us, start_us + SEAM_US };
	struct sequence seq;
	enum err err = bestseg_find(reader, &moment, &seq, e);

	*has_r = !err && seq.nr;
	if (*has_r)
		*segment_r = (struct wave_segment){
			.index = seq.spans[0].index,
			.entry = seq.spans[0].first,
		};
	return err;
}

static bool are_neighbours(const struct wave_segment *a,
			   const struct wave_segment *b)
{
	usec_t apart_us = entry_of(b)->start_us - hour_entry_end(entry_of(a));

	return entry_of(a)->kind == SEGMENT_FULL &&
	       entry_of(a)->start_us < entry_of(b)->start_us &&
	       apart_us >= -SEAM_US && apart_us <= SEAM_US;
}

/*
 * The segment that the first one goes on from, so that its peaks are the same
 * in a neighbour's answer, and the one that goes on behind the last, since the
 * sound of a segment may begin a little before its pictures.
 */
static enum err find_neighbours(struct hourreader *reader,
				struct waveform *wave, struct errmsg *e)
{
	struct wave_segment *first = &wave->segments[0];
	struct wave_segment *last = &wave->segments[wave->nr_segments - 1];
	struct wave_segment *before =
		ARENA_NEW(reader->arena, struct wave_segment);
	usec_t end_us = hour_entry_end(entry_of(last));
	bool has;
	enum err err =
		find_at(reader, entry_of(first)->start_us - 1, before, &has, e);

	if (has && are_neighbours(before, first))
		first->before = before;
	if (err || end_us > wave->range.end_us + AHEAD_US)
		return err;
	err = find_at(reader, end_us, last + 1, &has, e);
	if (has && are_neighbours(last, last + 1)) {
		last[1].before = last;
		wave->nr_segments++;
	}
	return err;
}

static void list_segments(struct waveform *wave, const struct sequence *seq)
{
	for (size_t s = 0; s < seq->nr; s++) {
		const struct segspan *span = &seq->spans[s];

		for (uint32_t i = span->first; i <= span->last;
		     i = segspan_next(span, i)) {
			struct wave_segment *segment =
				&wave->segments[wave->nr_segments];

			segment->index = span->index;
			segment->entry = i;
			segment->after_hole = segspan_is_after_hole(span, i);
			if (wave->nr_segments++ && !segment->after_hole)
				segment->before = segment - 1;
			if (entry_of(segment)->kind != SEGMENT_FULL)
				wave->is_settled = false;
		}
	}
}

static enum err make_keys(struct waveform *wave, struct errmsg *e)
{
	XXH3_state_t *hash = XXH3_createState();
	XXH128_hash_t digest;

	if (!hash)
		return err_set(e, ERR_IO, "out of memory");
	XXH3_128bits_reset(hash);
	XXH3_128bits_update(hash, &wave->range, sizeof(wave->range));
	for (size_t i = 0; i < wave->nr_segments; i++) {
		wave->segments[i].key = key_of(&wave->segments[i]);
		XXH3_128bits_update(hash, &wave->segments[i].key,
				    sizeof(struct blobkey));
	}
	digest = XXH3_128bits_digest(hash);
	XXH3_freeState(hash);
	wave->hash[0] = digest.high64;
	wave->hash[1] = digest.low64;
	return ERR_OK;
}

enum err waveform_plan(struct hourreader *reader, const struct wave_spec *spec,
		       struct waveform *wave_r, struct errmsg *e)
{
	struct waveform *wave = wave_r;
	struct sequence seq;
	enum err err = bestseg_find(reader, &spec->range, &seq, e);

	if (err)
		return err;
	err = sequence_check(&seq, e);
	if (err)
		return err;
	*wave = (struct waveform){
		.quality = reader->quality,
		.range = spec->range,
		.segments = arena_alloc(reader->arena,
					(size_t)(sequence_count(&seq) + 1) *
						sizeof(*wave->segments)),
		.nr_holes = seq.nr_holes,
		.holes_us = seq.holes_us,
		.ends_in_hole = seq.hole_at_end,
		.is_settled =
			!seq.nr_holes &&
			spec->range.end_us + USEC_PER_HOUR <= spec->now_us,
	};
	list_segments(wave, &seq);
	wavecolumns_init(reader->arena, spec->nr_columns,
			 (spec->range.end_us - spec->range.start_us) * NS_A_US,
			 &wave->columns);
	err = find_neighbours(reader, wave, e);
	return err ? err : make_keys(wave, e);
}

/* Decoding, by several threads */

static bool is_kept(uint32_t block)
{
	return block == FINE_BLOCK || block == COARSE_BLOCK;
}

/* Segments that follow each other, in or around ten minutes. */
struct batch {
	const struct wave_segment *segments;
	const struct soundpeaks **peaks; /* of each; NULL: to be decoded */
	size_t *missing;		 /* their numbers */
	size_t nr_missing;
	atomic_size_t next; /* of missing, to be taken */
	const struct waveform *wave;
	const struct wave_means *means;
	uint32_t block;
	atomic_bool stops;
};

struct worker {
	struct batch *batch;
	struct peakdecoder *decoder;
	struct arena results;
	const struct wave_segment *last; /* that was decoded */
	enum err err;
	struct errmsg message;
};

static enum err open_segment(const struct waveform *wave,
			     const struct wave_segment *segment, int *fd_r,
			     struct errmsg *e)
{
	char path[PATH_MAX];

	hourindex_path(segment->index, segment->entry, path);
	*fd_r = quality_open(wave->quality, path, O_RDONLY | O_NONBLOCK);
	if (*fd_r >= 0)
		return ERR_OK;
	return err_set(e, errno == ENOENT ? ERR_BUSY : ERR_IO,
		       "cannot read segment '%s': %s", err_quote(path).text,
		       errno == ENOENT ? "it vanished; try again" :
					 strerror(errno));
}

/* Of what is kept all that it can be; of samples only those asked for. */
static void find_window(const struct batch *batch,
			const struct wave_segment *segment,
			struct peak_source *source)
{
	const struct time_range *range = &batch->wave->range;
	usec_t start_us = entry_of(segment)->start_us;

	source->from_us = -AROUND_US;
	source->to_us = entry_of(segment)->length_us + AROUND_US;
	if (is_kept(batch->block))
		return;
	if (source->from_us < range->start_us - start_us - AHEAD_US)
		source->from_us = range->start_us - start_us - AHEAD_US;
	if (source->to_us > range->end_us - start_us + AHEAD_US)
		source->to_us = range->end_us - start_us + AHEAD_US;
}

static enum err decode_segment(struct worker *worker, size_t nr)
{
	struct batch *batch = worker->batch;
	const struct wave_segment *segment = &batch->segments[nr];
	struct soundpeaks *peaks =
		ARENA_NEW(&worker->results, struct soundpeaks);
	struct errmsg *e = &worker->message;
	struct peak_source source = { .fd = -1, .before = PEAKS_BEGIN };
	enum err err;

	find_window(batch, segment, &source);
	err = open_segment(batch->wave, segment, &source.fd, e);
	if (!err && segment->before && segment->before == worker->last)
		source.before = PEAKS_GO_ON;
	else if (!err && segment->before)
		err = open_segment(batch->wave, segment->before, &source.before,
				   e);
	if (!err)
		err = soundpeaks_decode(worker->decoder, &worker->results,
					&source, batch->block, peaks, e);
	fs_close(&source.fd);
	if (source.before >= 0)
		close(source.before);
	worker->last = segment;
	batch->peaks[nr] = peaks;
	return err;
}

/* Whether the client is there is for the main thread to ask. */
static bool must_stop(struct worker *worker, int member)
{
	struct batch *batch = worker->batch;
	const struct wave_means *means = batch->means;

	if (!member && means->is_gone && means->is_gone(means->ctx)) {
		worker->err = ERR_GONE;
		atomic_store(&batch->stops, true);
	}
	return atomic_load(&batch->stops);
}

static void run_worker(void *ctx, int member)
{
	struct worker *worker = &((struct worker *)ctx)[member];
	struct batch *batch = worker->batch;
	size_t first;

	while ((first = atomic_fetch_add(&batch->next, CHUNK)) <
	       batch->nr_missing) {
		size_t left = batch->nr_missing - first;

		for (size_t i = 0; i < CHUNK && i < left; i++) {
			if (must_stop(worker, member))
				return;
			worker->err = decode_segment(worker,
						     batch->missing[first + i]);
			if (worker->err)
				atomic_store(&batch->stops, true);
		}
	}
}

static enum err decode_missing(struct batch *batch, struct worker *workers,
			       struct errmsg *e)
{
	int nr = batch->means->nr_threads;
	enum err err = ERR_OK;

	for (int i = 0; i < nr; i++) {
		workers[i].batch = batch;
		workers[i].last = NULL;
		workers[i].err = ERR_OK;
	}
	team_run(batch->nr_missing > CHUNK ? nr : 1, run_worker, workers);
	for (int i = 0; i < nr; i++) {
		if (workers[i].err && !err)
			*e = workers[i].message;
		err = err ? err : workers[i].err;
	}
	return err;
}

/* What is kept */

/* Of the same ten minutes, in blocks of both sizes. */
struct packs {
	struct peakpack *fine;
	struct peakpack *coarse;
};

static struct peakpack *load(struct arena *a, const struct batch *batch,
			     uint32_t block)
{
	const struct quality *quality = batch->wave->quality;
	usec_t start_us = entry_of(batch->segments)->start_us;

	return peakpack_load(a, batch->means->store, quality->channel,
			     quality->name, start_us - start_us % PEAKPACK_US,
			     block);
}

/* Looks up what is kept, and lists what is not. */
static void find_kept(struct arena *a, struct batch *batch, size_t nr,
		      uint32_t block, struct packs *packs)
{
	struct peakpack *pack = NULL;

	if (block == FINE_BLOCK)
		pack = packs->fine = load(a, batch, block);
	else if (block == COARSE_BLOCK)
		pack = packs->coarse = load(a, batch, block);
	for (size_t i = 0; i < nr; i++) {
		if (pack)
			batch->peaks[i] =
				peakpack_find(pack, &batch->segments[i].key);
		if (!batch->peaks[i])
			batch->missing[batch->nr_missing++] = i;
	}
}

/* Keeps what was decoded; block is what is wanted of it. */
static void keep(struct arena *a, struct batch *batch, uint32_t block,
		 struct packs *packs)
{
	if (!packs->fine)
		packs->fine = load(a, batch, FINE_BLOCK);
	if (!packs->coarse)
		packs->coarse = load(a, batch, COARSE_BLOCK);
	for (size_t i = 0; i < batch->nr_missing; i++) {
		size_t nr = batch->missing[i];
		const struct blobkey *key = &batch->segments[nr].key;
		struct soundpeaks *coarse = ARENA_NEW(a, struct soundpeaks);

		soundpeaks_fold(a, batch->peaks[nr], FOLD, coarse);
		peakpack_add(packs->fine, key, batch->peaks[nr]);
		peakpack_add(packs->coarse, key, coarse);
		if (block == COARSE_BLOCK)
			batch->peaks[nr] = coarse;
	}
	peakpack_put(packs->fine);
	peakpack_put(packs->coarse);
}

/* The columns */

static int64_t ns_of(const struct waveform *wave, usec_t us)
{
	return (us - wave->range.start_us) * NS_A_US;
}

/* What there is no sound for: silent, but between neighbours. */
static void pass(struct wavecolumns *w, int64_t until, bool is_joined)
{
	if (is_joined && until - w->at <= SLACK_NS)
		wavecolumns_skip(w, until);
	else
		wavecolumns_silence(w, until);
}

/* Sound goes a little beyond its segment where the next one follows. */
static void add_segment(struct waveform *wave,
			const struct wave_segment *segment,
			const struct soundpeaks *peaks)
{
	const struct wave_segment *end = wave->segments + wave->nr_segments;
	const struct wave_segment *next = segment + 1;
	struct wavecolumns *w = &wave->columns;
	int64_t start = ns_of(wave, entry_of(segment)->start_us);
	int64_t least = segment->before ? INT64_MIN : start;
	int64_t most = ns_of(wave, hour_entry_end(entry_of(segment)));
	int64_t begin;

	if (!peaks->nr_samples)
		return;
	if (next < end && next->before)
		most += AHEAD_US * NS_A_US;
	wave->rate = peaks->rate > wave->rate ? peaks->rate : wave->rate;
	begin = wavecolumns_begin(peaks, start);
	begin = begin > least ? begin : least;
	if (begin > w->at)
		pass(w, begin < w->length ? begin : w->length,
		     segment->before != NULL);
	wavecolumns_add(w, peaks, start, least, most);
}

static enum err fill_batch(struct waveform *wave,
			   const struct wave_means *means, uint32_t block,
			   const struct wave_segment *first, size_t nr,
			   struct worker *workers, struct errmsg *e)
{
	struct batch batch = { .segments = first,
			       .wave = wave,
			       .means = means,
			       .block = is_kept(block) ? FINE_BLOCK : block };
	struct packs packs = { 0 };
	struct arena a;
	enum err err = ERR_OK;

	arena_init(&a);
	batch.peaks = arena_alloc(&a, nr * sizeof(*batch.peaks));
	batch.missing = arena_alloc(&a, nr * sizeof(*batch.missing));
	find_kept(&a, &batch, nr, block, &packs);
	if (batch.nr_missing)
		err = decode_missing(&batch, workers, e);
	if (!err && batch.nr_missing && is_kept(block))
		keep(&a, &batch, block, &packs);
	for (size_t i = 0; !err && i < nr; i++)
		add_segment(wave, &first[i], batch.peaks[i]);
	for (int i = 0; i < means->nr_threads; i++)
		arena_reset(&workers[i].results);
	arena_release(&a);
	return err;
}

/* Segments of the same ten minutes; of samples, only some. */
static size_t batch_size(const struct waveform *wave, size_t first,
			 uint32_t block)
{
	usec_t slot = entry_of(&wave->segments[first])->start_us / PEAKPACK_US;
	size_t i = first;

	while (i < wave->nr_segments &&
	       entry_of(&wave->segments[i])->start_us / PEAKPACK_US == slot &&
	       (is_kept(block) || i - first < MAX_EXACT))
		i++;
	return i - first;
}

static uint32_t block_for(const struct wavecolumns *w)
{
	int64_t samples =
		w->length / (int64_t)w->nr * NOMINAL_RATE / 1000000000;

	return samples >= BLOCKS_A_COLUMN * COARSE_BLOCK ? COARSE_BLOCK :
	       samples >= BLOCKS_A_COLUMN * FINE_BLOCK	 ? FINE_BLOCK :
	       samples >= BLOCKS_A_COLUMN * TINY_BLOCK	 ? TINY_BLOCK :
							   ONE_SAMPLE;
}

static enum err open_workers(struct arena *a, struct worker *workers, int nr,
			     struct errmsg *e)
{
	enum err err = ERR_OK;

	for (int i = 0; !err && i < nr; i++)
		err = peakdecoder_open(a, &workers[i].decoder, e);
	return err;
}

enum err waveform_fill(struct waveform *wave, const struct wave_means *means,
		       struct errmsg *e)
{
	uint32_t block = block_for(&wave->columns);
	struct worker *workers;
	struct arena a;
	enum err err;

	arena_init(&a);
	workers = arena_alloc(&a, (size_t)means->nr_threads * sizeof(*workers));
	err = open_workers(&a, workers, means->nr_threads, e);
	for (size_t i = 0; !err && i < wave->nr_segments;) {
		size_t nr = batch_size(wave, i, block);

		err = fill_batch(wave, means, block, &wave->segments[i], nr,
				 workers, e);
		i += nr;
	}
	pass(&wave->columns, wave->columns.length, !wave->ends_in_hole);
	for (int i = 0; i < means->nr_threads; i++)
		arena_release(&workers[i].results);
	arena_release(&a);
	return err;
}
