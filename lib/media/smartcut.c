#include "config.h"

#include "media/smartcut.h"

#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <xxhash.h>

#include "base/fsutil.h"
#include "media/tsraw.h"

/* Raised whenever the bytes of the same cut would be others. */
#define CUT_VERSION 1

/* Read, rewritten and sent at once. */
#define CHUNK_PACKETS 5577 /* a MiB, nearly */

/* Whoever sends parts one after the other. */
struct sender {
	const struct cutplan *plan;
	struct sink *to;
	struct tsout_counters counters; /* before the part */
	struct tsraw_map map;
	const struct cut_piece *mapped; /* whose map it is, or NULL */
	uint8_t *chunk;
};

static struct sender *new_sender(struct arena *a, const struct cutplan *plan,
				 struct sink *to)
{
	struct sender *s = ARENA_NEW(a, struct sender);

	s->plan = plan;
	s->to = to;
	s->chunk = arena_alloc(a, CHUNK_PACKETS * TS_PACKET);
	return s;
}

/* Sends the part of a chunk that lies in [skip, skip + count). */
static enum err send_chunk(struct sender *s, size_t len, uint64_t *skip,
			   uint64_t *count, struct errmsg *e)
{
	size_t from = *skip < len ? (size_t)*skip : len;
	size_t part = len - from;

	part = part < *count ? part : (size_t)*count;
	*skip -= from;
	*count -= part;
	return part ? sink_write(s->to, s->chunk + from, part, e) : ERR_OK;
}

/* Files */

/* Neighbours nearly always have the same PIDs. */
static void set_map(struct sender *s, size_t piece)
{
	const struct cut_piece *p = &s->plan->pieces[piece];

	if (!s->mapped || s->mapped->pmt_pid != p->pmt_pid ||
	    memcmp(&s->mapped->program, &p->program, sizeof(p->program)) != 0)
		tsraw_map_init(&s->map, &s->plan->out, &p->program, p->pmt_pid);
	s->mapped = p;
}

static enum err rewrite_file(struct sender *s, const struct cut_raw *from,
			     int fd, uint64_t nr_packets, uint64_t skip,
			     uint64_t count, struct errmsg *e)
{
	struct tsraw raw = {
		.format = &s->plan->out,
		.map = &s->map,
		.video_delta = from->video_delta,
		.audio_delta = from->audio_delta,
		.frame_ticks = from->frame_ticks,
		.counters = &s->counters,
	};
	enum err err = ERR_OK;

	tsraw_begin(&raw);
	for (uint64_t done = 0; !err && count && done < nr_packets;) {
		uint64_t left = nr_packets - done;
		size_t nr = left < CHUNK_PACKETS ? (size_t)left : CHUNK_PACKETS;

		err = fs_read_all(fd, s->chunk, nr * TS_PACKET,
				  done * TS_PACKET, "a segment", e);
		if (!err)
			err = tsraw_rewrite(&raw, s->chunk, nr, e);
		if (!err)
			err = send_chunk(s, nr * TS_PACKET, &skip, &count, e);
		done += nr;
	}
	return err;
}

static enum err send_file(struct sender *s, const struct cut_raw *raw,
			  uint64_t skip, uint64_t count, struct errmsg *e)
{
	const struct rough_piece *piece = &s->plan->cover.pieces[raw->piece];
	enum err err;
	int fd;

	err = roughcut_open(&s->plan->cover, piece, &fd, e);
	if (err)
		return err;
	set_map(s, raw->piece);
	err = rewrite_file(s, raw, fd, piece->size / TS_PACKET, skip, count, e);
	close(fd);
	return err;
}

static enum err skip_file(struct sender *s, const struct cut_raw *raw,
			  struct errmsg *e)
{
	const struct rough_piece *piece = &s->plan->cover.pieces[raw->piece];
	enum err err;
	int fd;

	err = roughcut_open(&s->plan->cover, piece, &fd, e);
	if (err)
		return err;
	set_map(s, raw->piece);
	err = tsraw_skip(&s->map, fd, piece->size / TS_PACKET, &s->counters, e);
	close(fd);
	return err;
}

/* Made packets */

static void add_counters(struct tsout_counters *to,
			 const struct tsout_counters *what)
{
	for (size_t i = 0; i < OUT_NR; i++)
		to->next[i] = (uint8_t)(to->next[i] + what->next[i]);
}

static enum err send_made(struct sender *s, const struct smartcut *cut,
			  const struct cut_part *part, uint64_t skip,
			  uint64_t count, struct errmsg *e)
{
	struct tsout_counters within = { { 0 } };
	uint64_t done = 0;
	enum err err = ERR_OK;

	while (!err && count && done < part->size) {
		uint64_t left = part->size - done;
		size_t len = CHUNK_PACKETS * TS_PACKET;

		len = left < len ? (size_t)left : len;
		err = spool_read(cut->spool, part->spooled + done, s->chunk,
				 len, e);
		if (err)
			break;
		tsout_counters_apply(&s->counters, &within, s->chunk,
				     len / TS_PACKET);
		err = send_chunk(s, len, &skip, &count, e);
		done += len;
	}
	add_counters(&s->counters, &part->counters);
	return err;
}

/* Making */

static struct cut_part *add_part(struct arena *a, struct smartcut *cut)
{
	struct cut_part *part;

	cut->parts = arena_grow(a, cut->parts, cut->nr, &cut->capacity,
				sizeof(*part));
	part = &cut->parts[cut->nr++];
	*part = (struct cut_part){ .offset = cut->length };
	return part;
}

/* A taker that remembers. */
struct maker {
	struct sink sink;
	struct tsout out;
	struct arena *arena;
	struct smartcut *cut;
	uint64_t begun; /* of the stretch, in the spool */
	const struct smartcut_config *config;
};

static enum err spool_write(struct sink *sink, const struct iovec *iov,
			    int nr_iov, struct errmsg *e)
{
	struct maker *m = (struct maker *)sink;
	enum err err = ERR_OK;

	for (int i = 0; !err && i < nr_iov; i++)
		err = spool_append(m->cut->spool, iov[i].iov_base,
				   iov[i].iov_len, e);
	return err;
}

/* What was made since the last file becomes a part. */
static enum err remember_made(struct maker *m, struct errmsg *e)
{
	struct smartcut *cut = m->cut;
	enum err err = tsout_flush(&m->out, e);
	uint64_t size = spool_size(cut->spool) - m->begun;
	struct cut_part *part;

	if (err || !size)
		return err;
	part = add_part(m->arena, cut);
	part->size = size;
	part->spooled = m->begun;
	part->counters = m->out.counters;
	cut->length += size;
	m->begun += size;
	tsout_begin_stretch(&m->out);
	return ERR_OK;
}

static enum err remember_raw(void *ctx, const struct cut_raw *raw,
			     struct errmsg *e)
{
	struct maker *m = ctx;
	struct smartcut *cut = m->cut;
	uint64_t size = cut->plan->cover.pieces[raw->piece].size;
	enum err err = remember_made(m, e);
	struct cut_part *part;

	if (err)
		return err;
	part = add_part(m->arena, cut);
	part->size = size / TS_PACKET * TS_PACKET;
	part->is_raw = true;
	part->raw = *raw;
	cut->length += part->size;
	tsout_pass(&m->out);
	return ERR_OK;
}

static bool maker_is_gone(void *ctx)
{
	const struct maker *m = ctx;

	return m->config->is_gone && m->config->is_gone(m->config->ctx);
}

enum err smartcut_make(struct arena *a, const struct cutplan *plan,
		       const struct smartcut_config *config,
		       struct smartcut *cut_r, struct errmsg *e)
{
	struct maker *m = ARENA_NEW(a, struct maker);
	const struct cut_taker taker = { .units = &m->out.units,
					 .raw = remember_raw,
					 .is_gone = maker_is_gone,
					 .ctx = m };
	enum err err;

	*cut_r = (struct smartcut){ .plan = plan,
				    .spool = spool_new(a, config->spool_dir) };
	m->sink.write = spool_write;
	m->arena = a;
	m->cut = cut_r;
	m->config = config;
	tsout_init(&m->out, &plan->out, &m->sink);
	err = cutrender_run(a, plan, &config->means, &taker, &cut_r->work, e);
	return err ? err : remember_made(m, e);
}

/* Sending what was remembered */

enum err smartcut_send(const struct smartcut *cut, uint64_t offset,
		       uint64_t count, struct sink *sink, struct errmsg *e)
{
	struct arena work;
	struct sender *s;
	enum err err = ERR_OK;

	arena_init(&work);
	s = new_sender(&work, cut->plan, sink);
	for (size_t i = 0; !err && count && i < cut->nr; i++) {
		const struct cut_part *part = &cut->parts[i];
		uint64_t skip = 0;
		uint64_t size;

		if (offset >= part->offset + part->size) {
			/* Nothing of it is asked for but its counters. */
			if (part->is_raw)
				err = skip_file(s, &part->raw, e);
			else
				add_counters(&s->counters, &part->counters);
			continue;
		}
		if (offset > part->offset)
			skip = offset - part->offset;
		size = part->size - skip;
		size = size < count ? size : count;
		count -= size;
		err = part->is_raw ? send_file(s, &part->raw, skip, size, e) :
				     send_made(s, cut, part, skip, size, e);
	}
	arena_release(&work);
	return err;
}

/* Sending at once */

/* A taker that sends. */
struct streamer {
	struct sink sink;
	struct tsout out;
	struct sender *sender;
	struct tsout_counters within;
	const struct smartcut_config *config;
};

static enum err stream_write(struct sink *sink, const struct iovec *iov,
			     int nr_iov, struct errmsg *e)
{
	struct streamer *s = (struct streamer *)sink;
	enum err err = ERR_OK;

	for (int i = 0; !err && i < nr_iov; i++) {
		/* At most what tsout holds, which is less than a chunk. */
		memcpy(s->sender->chunk, iov[i].iov_base, iov[i].iov_len);
		tsout_counters_apply(&s->sender->counters, &s->within,
				     s->sender->chunk,
				     iov[i].iov_len / TS_PACKET);
		err = sink_write(s->sender->to, s->sender->chunk,
				 iov[i].iov_len, e);
	}
	return err;
}
_Static_assert(TSOUT_BUFFER_PACKETS <= CHUNK_PACKETS, "a chunk holds it");

/* What is made does not wait: the first bytes count. */
static enum err stream_video(struct unitsink *units,
			     const struct out_unit *unit, struct errmsg *e)
{
	struct tsout *out = (struct tsout *)units;
	enum err err = tsout_video(out, unit, e);

	return err ? err : tsout_flush(out, e);
}

static enum err stream_raw(void *ctx, const struct cut_raw *raw,
			   struct errmsg *e)
{
	struct streamer *s = ctx;
	enum err err = tsout_flush(&s->out, e);

	if (err)
		return err;
	add_counters(&s->sender->counters, &s->out.counters);
	s->within = (struct tsout_counters){ { 0 } };
	tsout_begin_stretch(&s->out);
	tsout_pass(&s->out);
	return send_file(s->sender, raw, 0, UINT64_MAX, e);
}

static bool streamer_is_gone(void *ctx)
{
	const struct streamer *s = ctx;

	return s->config->is_gone && s->config->is_gone(s->config->ctx);
}

enum err smartcut_stream(struct arena *a, const struct cutplan *plan,
			 const struct smartcut_config *config,
			 struct sink *sink, struct cut_work *work_r,
			 struct errmsg *e)
{
	struct streamer *s = ARENA_NEW(a, struct streamer);
	const struct cut_taker taker = { .units = &s->out.units,
					 .raw = stream_raw,
					 .is_gone = streamer_is_gone,
					 .ctx = s };
	enum err err;

	s->sink.write = stream_write;
	s->sender = new_sender(a, plan, sink);
	s->config = config;
	tsout_init(&s->out, &plan->out, &s->sink);
	s->out.units.video = stream_video;
	err = cutrender_run(a, plan, &config->means, &taker, work_r, e);
	return err ? err : tsout_flush(&s->out, e);
}

void smartcut_hash(const struct cutplan *plan, const struct cut_spec *spec,
		   uint64_t hash_r[2])
{
	XXH3_state_t *hash = XXH3_createState();
	int64_t facts[] = { CUT_VERSION, avcodec_version(), spec->keeps_clock };
	XXH128_hash_t digest;

	if (!hash)
		BUG("out of memory");
	XXH3_128bits_reset(hash);
	XXH3_128bits_update(hash, facts, sizeof(facts));
	XXH3_128bits_update(hash, plan->cover.hash, sizeof(plan->cover.hash));
	for (size_t i = 0; i < spec->nr_ranges; i++)
		XXH3_128bits_update(hash, &spec->ranges[i],
				    sizeof(spec->ranges[i]));
	for (size_t i = 0; i < spec->nr_transitions; i++) {
		const struct transition *t = &spec->transitions[i];
		const char *name = t->name ? t->name : "";

		XXH3_128bits_update(hash, name, strlen(name) + 1);
		XXH3_128bits_update(hash, &t->length_us, sizeof(t->length_us));
	}
	digest = XXH3_128bits_digest(hash);
	XXH3_freeState(hash);
	hash_r[0] = digest.high64;
	hash_r[1] = digest.low64;
}
