#include "config.h"

#include "media/edgejob.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#include "base/mem.h"
#include "base/threads.h"
#include "media/avlog.h"
#include "media/blendsource.h"
#include "media/h264.h"
#include "media/videoenc.h"

/* Raised whenever the bytes of the same job would be others. */
#define EDGE_VERSION 2

/* What may wait for a slow client; beyond it the thread waits, too. */
#define MAX_WAITING_BYTES ((size_t)64 * 1024 * 1024)

struct edgejob {
	struct edgejob_config config;
	struct blobkey key;
	bool is_stored; /* taken from the store: no thread */

	/* of the thread */
	pthread_t thread;
	bool has_thread;
	struct arena work; /* decoder and encoder */
	struct videoenc *enc;
	struct scaler *scaler;
	struct errmsg message;
	atomic_bool cancel;

	/* between the two */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct edgeunit **units; /* each from malloc(), with its bytes */
	size_t nr;
	size_t capacity;
	size_t nr_taken;
	size_t waiting_bytes;
	uint64_t total_bytes; /* too many for the store: freed when taken */
	bool is_done;
	enum err err;

	struct edgeunit *stored;
};

/* The key */

static void hash_stretch(XXH3_state_t *hash, const struct framestretch *s)
{
	XXH3_128bits_update(hash, &s->lo, sizeof(s->lo));
	XXH3_128bits_update(hash, &s->hi, sizeof(s->hi));
	XXH3_128bits_update(hash, &s->reference, sizeof(s->reference));
	XXH3_128bits_update(hash, &s->drops_last, sizeof(s->drops_last));
	XXH3_128bits_update(hash, s->sets.data, s->sets.size);
	for (size_t i = 0; i < s->nr_pieces; i++) {
		const struct rough_piece *piece = &s->pieces[i];
		const char *name = hourindex_name(piece->index, piece->entry);
		int64_t facts[] = { (int64_t)piece->size, piece->mtime_ns,
				    piece->index->head->hour_us };

		XXH3_128bits_update(hash, facts, sizeof(facts));
		XXH3_128bits_update(hash, name, strlen(name) + 1);
	}
}

static bool make_key(const struct edgejob_config *config, struct blobkey *key_r)
{
	XXH3_state_t *hash = XXH3_createState();
	int64_t facts[] = { EDGE_VERSION,	 avcodec_version(),
			    EDGE_THREADS,	 (int64_t)(EDGE_CRF * 1000),
			    config->frame_ticks, config->sps_id,
			    config->max_bps,	 (int64_t)config->nr_pairs,
			    config->shape.width, config->shape.height,
			    config->shape.format };
	const char *name = config->transition ? config->transition : "";
	XXH128_hash_t digest;

	if (!hash)
		return false;
	XXH3_128bits_reset(hash);
	XXH3_128bits_update(hash, facts, sizeof(facts));
	XXH3_128bits_update(hash, name, strlen(name) + 1);
	hash_stretch(hash, &config->a);
	if (config->transition)
		hash_stretch(hash, &config->b);
	digest = XXH3_128bits_digest(hash);
	XXH3_freeState(hash);
	*key_r = (struct blobkey){ { digest.high64, digest.low64 } };
	return true;
}

/* What the thread gives */

static void wait_for_room(struct edgejob *job)
{
	while (job->waiting_bytes > MAX_WAITING_BYTES &&
	       !atomic_load(&job->cancel))
		pthread_cond_wait(&job->changed, &job->lock);
}

static enum err take_packet(void *ctx, const AVPacket *packet, struct errmsg *e)
{
	struct edgejob *job = ctx;
	size_t size = (size_t)packet->size;
	struct edgeunit *unit = mem_alloc(sizeof(*unit) + size);
	uint8_t *data = (uint8_t *)(unit + 1);

	UNUSED(e);
	memcpy(data, packet->data, size);
	*unit = (struct edgeunit){ .pts = packet->pts,
				   .data = data,
				   .size = (uint32_t)size,
				   .is_key = packet->flags & AV_PKT_FLAG_KEY };
	pthread_mutex_lock(&job->lock);
	wait_for_room(job);
	if (job->nr == job->capacity) {
		job->capacity = job->capacity ? job->capacity * 2 : 64;
		job->units = mem_resize(job->units,
					job->capacity * sizeof(*job->units));
	}
	job->units[job->nr++] = unit;
	job->waiting_bytes += size;
	job->total_bytes += size;
	pthread_cond_broadcast(&job->changed);
	pthread_mutex_unlock(&job->lock);
	return ERR_OK;
}

/* The work */

static void encoder_config(const struct edgejob_config *config,
			   const AVCodecContext *source,
			   struct videoenc_config *enc_r)
{
	*enc_r = (struct videoenc_config){
		.kind = VIDEO_EDGE,
		.nr_threads = EDGE_THREADS,
		.crf = EDGE_CRF,
		.frame_ticks = config->frame_ticks,
		.profile = source->profile,
		/* Of other pictures than the source's it says nothing. */
		.level = config->shape.width ? 0 : source->level,
		.sps_id = config->sps_id,
		.max_bps = config->max_bps,
	};
}

/* In the shape that is asked for. */
static enum err shape(const struct edgejob_config *config,
		      struct scaler *scaler, const AVFrame **frame,
		      struct errmsg *e)
{
	if (!config->shape.width || has_shape(*frame, &config->shape))
		return ERR_OK;
	return scaler_scale(scaler, *frame, &config->shape, *frame, frame, e);
}

static enum err encode(struct edgejob *job, const AVCodecContext *source,
		       const AVFrame *frame, struct errmsg *e)
{
	enum err shaped = shape(&job->config, job->scaler, &frame, e);

	if (shaped)
		return shaped;
	if (!job->enc) {
		struct videoenc_config config;
		enum err err;

		encoder_config(&job->config, source, &config);
		config.take = take_packet;
		config.ctx = job;
		err = videoenc_open(&job->work, &config, frame, &job->enc, e);
		if (err)
			return err;
	}
	return videoenc_put(job->enc, frame, e);
}

/* The pictures of A as they are. */
static enum err run_plain(struct edgejob *job, AVFrame *frame, struct errmsg *e)
{
	struct framesource *src;
	bool has = true;
	enum err err = framesource_open(&job->work, &job->config.a,
					EDGE_DECODERS, &job->cancel, &src, e);

	while (!err) {
		err = framesource_next(src, frame, &has, e);
		if (err || !has)
			break;
		err = encode(job, framesource_context(src), frame, e);
		av_frame_unref(frame);
	}
	return err;
}

/* Those of A and B drawn into one. */
static enum err run_blend(struct edgejob *job, AVFrame *frame, struct errmsg *e)
{
	const struct blendsource_config config = {
		.transition = job->config.transition,
		.a = job->config.a,
		.b = job->config.b,
		.nr_pairs = job->config.nr_pairs,
		.frame_ticks = job->config.frame_ticks,
		.nr_threads = EDGE_DECODERS,
		.cancel = &job->cancel,
	};
	struct blendsource *src;
	bool has = true;
	enum err err = blendsource_open(&job->work, &config, &src, e);

	while (!err) {
		err = blendsource_next(src, frame, &has, e);
		if (err || !has)
			break;
		err = encode(job, blendsource_context(src), frame, e);
		av_frame_unref(frame);
	}
	return err;
}

static enum err do_work(struct edgejob *job, struct errmsg *e)
{
	AVFrame *frame = framesource_frame(&job->work);
	enum err err;

	if (!frame)
		return err_set(e, ERR_IO, "out of memory");
	err = job->config.transition ? run_blend(job, frame, e) :
				       run_plain(job, frame, e);
	if (!err && job->enc)
		err = videoenc_finish(job->enc, e);
	return err;
}

static void store(const struct edgejob *job)
{
	struct edgeunit *units = mem_alloc((job->nr + 1) * sizeof(*units));

	for (size_t i = 0; i < job->nr; i++)
		units[i] = *job->units[i];
	edgestore_put(job->config.store, &job->key, units, job->nr);
	free(units);
}

static void *run_thread(void *ptr)
{
	struct edgejob *job = ptr;
	const struct edgegate *gate = job->config.gate;
	enum err err = ERR_OK;

	if (gate)
		err = gate->enter(gate->ctx, &job->cancel, &job->message);
	if (!err) {
		err = do_work(job, &job->message);
		if (gate)
			gate->leave(gate->ctx);
	}

	/* Codecs have threads and many megabytes: not longer than needed. */
	arena_release(&job->work);
	pthread_mutex_lock(&job->lock);
	job->err = err;
	job->is_done = true;
	pthread_cond_broadcast(&job->changed);
	pthread_mutex_unlock(&job->lock);
	if (!err && job->nr && job->total_bytes <= BLOBSTORE_MAX_BYTES)
		store(job);
	return NULL;
}

/* The caller's side */

/* What was taken before the last one is not looked at again. */
static void free_taken(struct edgejob *job)
{
	if (job->total_bytes > BLOBSTORE_MAX_BYTES && job->nr_taken) {
		free(job->units[job->nr_taken - 1]);
		job->units[job->nr_taken - 1] = NULL;
	}
}

void edgejob_stop(struct edgejob *job)
{
	if (!job->has_thread)
		return;
	pthread_mutex_lock(&job->lock);
	atomic_store(&job->cancel, true);
	pthread_cond_broadcast(&job->changed);
	pthread_mutex_unlock(&job->lock);
	pthread_join(job->thread, NULL);
	job->has_thread = false;
}

static void free_job(void *ptr)
{
	struct edgejob *job = ptr;

	edgejob_stop(job);
	for (size_t i = 0; i < job->nr; i++)
		free(job->units[i]);
	free(job->units);
	arena_release(&job->work);
	pthread_mutex_destroy(&job->lock);
	pthread_cond_destroy(&job->changed);
}

enum err edgejob_start(struct arena *a, const struct edgejob_config *config,
		       struct edgejob **job_r, struct errmsg *e)
{
	struct edgejob *job = ARENA_NEW(a, struct edgejob);
	pthread_condattr_t attr;
	int error;

	avlog_begin();
	job->config = *config;
	arena_init(&job->work);
	job->scaler = scaler_new(&job->work);
	pthread_mutex_init(&job->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&job->changed, &attr);
	pthread_condattr_destroy(&attr);
	arena_defer(a, free_job, job);
	*job_r = job;
	if (!make_key(config, &job->key))
		return err_set(e, ERR_IO, "out of memory");
	job->is_stored = edgestore_get(config->store, &job->key, a,
				       &job->stored, &job->nr);
	if (job->is_stored) {
		job->units = mem_alloc((job->nr + 1) * sizeof(*job->units));
		for (size_t i = 0; i < job->nr; i++) {
			job->units[i] = mem_alloc(sizeof(**job->units));
			*job->units[i] = job->stored[i];
		}
		job->is_done = true;
		return ERR_OK;
	}
	error = thread_start(&job->thread, run_thread, job);
	if (error)
		return err_set(e, ERR_BUSY, "cannot start a thread: %s",
			       strerror(error));
	job->has_thread = true;
	return ERR_OK;
}

static void wait_for_change(struct edgejob *job, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (long)ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (job->nr_taken == job->nr && !job->is_done)
		if (pthread_cond_timedwait(&job->changed, &job->lock, &until) ==
		    ETIMEDOUT)
			break;
}

enum err edgejob_next(struct edgejob *job, int ms,
		      const struct edgeunit **unit_r, bool *is_end_r,
		      struct errmsg *e)
{
	enum err err = ERR_OK;

	*unit_r = NULL;
	*is_end_r = false;
	pthread_mutex_lock(&job->lock);
	wait_for_change(job, ms);
	free_taken(job);
	if (job->nr_taken < job->nr) {
		const struct edgeunit *unit = job->units[job->nr_taken++];

		*unit_r = unit;
		if (!job->is_stored)
			job->waiting_bytes -= unit->size;
		pthread_cond_broadcast(&job->changed);
	} else if (job->is_done) {
		*is_end_r = true;
		err = job->err;
		if (err)
			*e = job->message;
	}
	pthread_mutex_unlock(&job->lock);
	return err;
}

/* Headers alone */

enum err edgejob_headers(struct arena *a, const struct edgejob_config *config,
			 const uint8_t **data_r, size_t *size_r,
			 struct errmsg *e)
{
	struct videoenc_config enc;
	struct framesource *src;
	struct arena work;
	AVFrame *frame;
	const AVFrame *made;
	bool has = false;
	enum err err;

	arena_init(&work);
	*data_r = NULL;
	*size_r = 0;
	err = framesource_open(&work, &config->a, 1, NULL, &src, e);
	frame = framesource_frame(&work);
	if (!err && !frame)
		err = err_set(e, ERR_IO, "out of memory");
	if (!err)
		err = framesource_next(src, frame, &has, e);
	made = frame;
	if (!err && has)
		err = shape(config, scaler_new(&work), &made, e);
	if (!err && has) {
		encoder_config(config, framesource_context(src), &enc);
		err = videoenc_headers(a, &enc, made, data_r, size_r, e);
	}
	arena_release(&work);
	return err;
}
