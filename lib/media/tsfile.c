#include "config.h"

#include "media/tsfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/mem.h"
#include "media/h264.h"

/* A stream whose payload is gathered. */
struct gather {
	const struct ts_stream *stream;
	uint8_t *data; /* all payloads, one after the other */
	size_t used;
	struct unit *units;
	size_t nr;
	size_t capacity;
	unsigned counter; /* of the last packet */
	bool is_open;	  /* a unit is being gathered */
};

struct parser {
	struct arena *arena;
	struct tsfile *file;
	struct gather video;
	struct gather audio;
	struct gather id3;
	int64_t reference; /* for unwrapping; TS_NONE before the first time */
};

/* ADTS headers */

/* Sampling frequency indexes: ISO/IEC 14496-3 table 1.18. */
static const uint32_t rates[16] = {
	96000, 88200, 64000, 48000, 44100, 32000, 24000,
	22050, 16000, 12000, 11025, 8000,  7350,
};

void adts_lc_header(uint32_t rate, unsigned channels,
		    uint8_t header[ADTS_HEADER])
{
	unsigned index = 0;

	while (index < ARRAY_SIZE(rates) && rates[index] != rate)
		index++;
	if (index == ARRAY_SIZE(rates) || !channels || channels > 7)
		BUG("AAC has no %u Hz, or no %u channels", rate, channels);
	memset(header, 0, ADTS_HEADER);
	header[0] = 0xff;
	header[1] = 0xf1; /* no CRC */
	header[2] = (uint8_t)(1U << 6 | index << 2 | channels >> 2);
	header[3] = (uint8_t)((channels & 3) << 6);
}

void adts_set_size(uint8_t header[ADTS_HEADER], size_t size)
{
	header[3] = (uint8_t)((header[3] & 0xfc) | size >> 11);
	header[4] = (uint8_t)(size >> 3);
	/* The buffer's fullness, 11 bits, all set: not said; one block. */
	header[5] = (uint8_t)((size & 7) << 5 | 0x1f);
	header[6] = 0xfc;
}

size_t adts_frame(const uint8_t *data, size_t size,
		  struct audio_format *format_r)
{
	size_t length;

	/* Sync word, and a layer that is always 0. */
	if (size < 7 || data[0] != 0xff || (data[1] & 0xf6) != 0xf0)
		return 0;
	length = (size_t)(data[3] & 3) << 11 | (size_t)data[4] << 3 |
		 data[5] >> 5;
	if (length < 7 || length > size || !rates[data[2] >> 2 & 0xf])
		return 0;
	*format_r = (struct audio_format){
		.object_type = (uint8_t)((data[2] >> 6) + 1),
		.rate_index = data[2] >> 2 & 0xf,
		.channels = (uint8_t)((data[2] & 1) << 2 | data[3] >> 6),
		.rate = rates[data[2] >> 2 & 0xf],
	};
	return length;
}

/* Packets to units */

static int64_t unwrap(struct parser *p, int64_t ts)
{
	if (ts == TS_NONE)
		return TS_NONE;
	if (p->reference == TS_NONE)
		p->reference = ts;
	return ts_unwrap(ts, p->reference);
}

static struct unit *add_unit(struct gather *g)
{
	if (g->nr == g->capacity) {
		g->capacity = g->capacity ? g->capacity * 2 : 256;
		g->units =
			mem_resize(g->units, g->capacity * sizeof(*g->units));
	}
	g->units[g->nr] = (struct unit){ .pts = TS_NONE, .dts = TS_NONE };
	return &g->units[g->nr++];
}

/* Begins a unit; the offset of its payload in the packet. */
static size_t begin_unit(struct parser *p, struct gather *g,
			 const uint8_t *packet, uint32_t nr, size_t at)
{
	struct pes_header pes;
	struct unit *unit;

	g->is_open = pes_read(packet + at, TS_PACKET - at, &pes);
	if (!g->is_open)
		return TS_PACKET;
	unit = add_unit(g);
	unit->pts = unwrap(p, pes.pts);
	unit->dts = unwrap(p, pes.dts);
	unit->packet = nr;
	/* An offset until the buffer is complete. */
	unit->data = (const uint8_t *)(uintptr_t)g->used;
	return at + pes.payload_at;
}

static void take_packet(struct parser *p, struct gather *g,
			const uint8_t *packet, uint32_t nr)
{
	size_t at = ts_payload_at(packet);
	bool is_lost =
		g->is_open && ts_counter(packet) != ((g->counter + 1) & 0x0f);

	if (at == TS_PACKET || ts_is_damaged(packet) || ts_is_scrambled(packet))
		return;
	/* A packet may be sent twice: 2.4.3.3. */
	if (g->is_open && ts_counter(packet) == g->counter &&
	    !ts_begins_unit(packet))
		return;
	if (ts_begins_unit(packet))
		at = begin_unit(p, g, packet, nr, at);
	else if (is_lost)
		g->units[g->nr - 1].flags |= UNIT_CUT;
	g->counter = ts_counter(packet);
	if (!g->is_open || at >= TS_PACKET)
		return;
	memcpy(g->data + g->used, packet + at, TS_PACKET - at);
	g->used += TS_PACKET - at;
	g->units[g->nr - 1].size += TS_PACKET - at;
}

static struct gather *gather_of(struct parser *p, unsigned pid)
{
	if (p->video.stream && p->video.stream->pid == pid)
		return &p->video;
	if (p->audio.stream && p->audio.stream->pid == pid)
		return &p->audio;
	if (p->id3.stream && p->id3.stream->pid == pid)
		return &p->id3;
	return NULL;
}

/* The sums of the payloads of each stream, so that no buffer moves. */
static void make_room(struct parser *p)
{
	const struct tsfile *file = p->file;
	struct gather *all[] = { &p->video, &p->audio, &p->id3 };

	for (size_t i = 0; i < file->nr_packets; i++) {
		const uint8_t *packet = file->packets + i * TS_PACKET;
		struct gather *g = gather_of(p, ts_pid(packet));

		if (g)
			g->used += TS_PACKET - ts_payload_at(packet);
	}
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i]->data =
			arena_alloc(p->arena, all[i]->used + TSFILE_PADDING);
		all[i]->used = 0;
	}
}

static void find_pcr(struct tsfile *file, const uint8_t *packet)
{
	if (file->pcr == TS_NONE && ts_pid(packet) == file->program.pcr_pid &&
	    ts_has_pcr(packet))
		file->pcr = ts_pcr(packet);
}

/* Units get their bytes, and are moved to the arena. */
static struct unit *settle(struct parser *p, struct gather *g)
{
	struct unit *units =
		arena_alloc(p->arena, (g->nr + 1) * sizeof(*units));

	for (size_t i = 0; i < g->nr; i++) {
		units[i] = g->units[i];
		units[i].data = g->data + (uintptr_t)units[i].data;
	}
	free(g->units);
	g->units = NULL;
	return units;
}

static void gather_all(struct parser *p)
{
	struct tsfile *file = p->file;

	make_room(p);
	for (size_t i = 0; i < file->nr_packets; i++) {
		const uint8_t *packet = file->packets + i * TS_PACKET;
		struct gather *g = gather_of(p, ts_pid(packet));

		find_pcr(file, packet);
		if (g)
			take_packet(p, g, packet, (uint32_t)i);
	}
	file->units = settle(p, &p->video);
	file->nr_units = p->video.nr;
	file->tags = settle(p, &p->id3);
	file->nr_tags = p->id3.nr;
}

/* Units to what they are */

static void look_at_video(struct tsfile *file)
{
	for (size_t i = 0; i < file->nr_units; i++) {
		struct unit *unit = &file->units[i];

		if (file->video->type == TYPE_H264)
			unit->flags |= h264_unit_flags(unit->data, unit->size,
						       &unit->nr_auds);
	}
}

/*
 * A time is rounded to ticks and a frame need not be a whole number of them,
 * so one packet's time alone would put frames up to a tick beside their place.
 */
static void settle_grid(struct tsfile *file, size_t end)
{
	const struct audio_grid *g = &file->grid;
	int64_t q = g->least + (g->most - g->least) / 2;

	for (size_t i = g->first; g->rate && i < end; i++, q += AAC_STEP_Q)
		file->frames[i].pts =
			(q + g->rate / 2 - (q < 0 ? g->rate - 1 : 0)) / g->rate;
}

/* Whether the time of frame i fits; then the grid is known better. */
static bool fit_time(struct audio_grid *g, size_t i, int64_t pts, uint32_t rate)
{
	int64_t at = pts * rate - (int64_t)(i - g->first) * AAC_STEP_Q;
	int64_t least = at - rate / 2;
	int64_t most = at + rate / 2;

	if (g->rate != rate || least > g->most || most < g->least)
		return false;
	g->least = least > g->least ? least : g->least;
	g->most = most < g->most ? most : g->most;
	return true;
}

/* Takes the time of frame i; one that does not fit begins a new grid. */
static void add_time(struct tsfile *file, size_t i, int64_t pts, uint32_t rate)
{
	if (fit_time(&file->grid, i, pts, rate))
		return;
	settle_grid(file, i);
	file->grid = (struct audio_grid){
		.first = i,
		.rate = rate,
		.least = pts * rate - rate / 2,
		.most = pts * rate + rate / 2,
	};
}

void tsfile_follow_audio(struct tsfile *file, int64_t next_pts)
{
	if (file->grid.rate &&
	    fit_time(&file->grid, file->nr_frames, next_pts, file->grid.rate))
		settle_grid(file, file->nr_frames);
}

/*
 * Splits the payloads of the audio into frames.  One may begin in one PES
 * packet and end in the next, so they are found in the whole of the payloads;
 * a packet's time is that of the first frame that begins in it.
 */
static void split_audio(struct parser *p)
{
	struct tsfile *file = p->file;
	struct unit *units = settle(p, &p->audio);
	const uint8_t *end = p->audio.data + p->audio.used;
	size_t max = p->audio.used / 7 + 1;
	int64_t pts = TS_NONE;
	size_t next = 0;

	file->frames = arena_alloc(p->arena, max * sizeof(*file->frames));
	for (const uint8_t *at = p->audio.data; at < end;) {
		struct audio_format format;
		size_t size = adts_frame(at, (size_t)(end - at), &format);

		for (; next < p->audio.nr && units[next].data <= at; next++)
			if (units[next].pts != TS_NONE)
				pts = units[next].pts;
		if (!size) {
			at++;
			continue;
		}
		if (!file->format.rate)
			file->format = format;
		if (pts != TS_NONE)
			add_time(file, file->nr_frames, pts, format.rate);
		pts = TS_NONE;
		if (file->grid.rate)
			file->frames[file->nr_frames++] = (struct audio_frame){
				.data = at,
				.size = size,
			};
		at += size;
	}
	settle_grid(file, file->nr_frames);
}

static void find_span(struct tsfile *file)
{
	int64_t first = INT64_MAX;
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < file->nr_units; i++) {
		int64_t pts = file->units[i].pts;

		if (pts == TS_NONE)
			continue;
		first = pts < first ? pts : first;
		last = pts > last ? pts : last;
	}
	/* Not those of the first and the last frame: times may be anything. */
	for (size_t i = 0, nr = first > last ? file->nr_frames : 0; i < nr;
	     i++) {
		int64_t pts = file->frames[i].pts;

		first = pts < first ? pts : first;
		last = pts > last ? pts : last;
	}
	file->first_pts = first > last ? TS_NONE : first;
	file->last_pts = first > last ? TS_NONE : last;
}

/* The file */

/* Of one that the next does not follow, bytes are missing. */
static bool is_packet(const uint8_t *data, size_t size, size_t at)
{
	size_t next = at + TS_PACKET;

	return data[at] == TS_SYNC && (next >= size || data[next] == TS_SYNC);
}

/* Finds the packets; those out of sync are copied together. */
static void find_packets(struct parser *p, const uint8_t *data, size_t size)
{
	struct tsfile *file = p->file;
	size_t at = ts_find_sync(data, size, 0);
	uint8_t *copy;
	size_t nr = 0;

	file->packets = data + at;
	while (at + (nr + 1) * TS_PACKET <= size &&
	       data[at + nr * TS_PACKET] == TS_SYNC)
		nr++;
	file->nr_packets = nr;
	file->skipped = size - nr * TS_PACKET;
	if (file->skipped < TS_PACKET)
		return; /* but for the ends: the usual case */
	copy = arena_alloc(p->arena, size);
	nr = 0;
	while (at + TS_PACKET <= size) {
		if (is_packet(data, size, at)) {
			memcpy(copy + nr++ * TS_PACKET, data + at, TS_PACKET);
			at += TS_PACKET;
		} else {
			at = ts_find_sync(data, size, at + 1);
		}
	}
	file->packets = copy;
	file->nr_packets = nr;
	file->skipped = size - nr * TS_PACKET;
}

/* Takes a packet; true once both tables are known. */
static bool find_table(struct tsfile *file, const uint8_t *packet,
		       bool *has_pat)
{
	unsigned pid = ts_pid(packet);

	if (*has_pat)
		return pid == file->pmt_pid && psi_feed(&file->pmt, packet) &&
		       psi_read_pmt(&file->pmt, &file->program);
	*has_pat = pid == TS_PID_PAT && psi_feed(&file->pat, packet) &&
		   psi_read_pat(&file->pat, &file->pmt_pid);
	return false;
}

static bool find_tables(struct tsfile *file)
{
	bool has_pat = false;

	for (size_t i = 0; i < file->nr_packets; i++)
		if (find_table(file, file->packets + i * TS_PACKET, &has_pat))
			return true;
	return false;
}

enum err tsfile_parse(struct arena *a, const uint8_t *data, size_t size,
		      int64_t reference, struct tsfile **file_r,
		      struct errmsg *e)
{
	struct tsfile *file = ARENA_NEW(a, struct tsfile);
	struct parser p = { .arena = a, .file = file, .reference = reference };

	file->pcr = TS_NONE;
	find_packets(&p, data, size);
	if (!find_tables(file))
		return err_set(e, ERR_MEDIA,
			       "a segment is no MPEG-TS: it has no tables");
	p.video.stream = file->video =
		program_stream(&file->program, STREAM_VIDEO);
	p.audio.stream = file->audio =
		program_stream(&file->program, STREAM_AUDIO);
	p.id3.stream = file->id3 = program_stream(&file->program, STREAM_ID3);
	if (!file->video && !file->audio)
		return err_set(e, ERR_MEDIA,
			       "a segment has neither video nor audio");
	gather_all(&p);
	if (file->video)
		look_at_video(file);
	split_audio(&p);
	find_span(file);
	*file_r = file;
	return ERR_OK;
}

enum err tsfile_read(struct arena *a, int fd, int64_t reference,
		     struct tsfile **file_r, struct errmsg *e)
{
	struct stat st;
	uint8_t *data;
	enum err err;

	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_IO, "cannot read a segment: %s",
			       strerror(errno));
	if ((uint64_t)st.st_size > TSFILE_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "a segment has over %llu MB",
			       (unsigned long long)(TSFILE_MAX_BYTES >> 20));
	data = arena_alloc(a, (size_t)st.st_size + 1);
	err = fs_read_all(fd, data, (size_t)st.st_size, 0, "a segment", e);
	return err ? err :
		     tsfile_parse(a, data, (size_t)st.st_size, reference,
				  file_r, e);
}

/* The sound alone */

/* Pieces that stay in the processor's cache. */
#define THIN_PACKETS 1024

/* The packets of a file without those that only go on with a picture. */
struct thinner {
	struct tsfile tables;
	unsigned video_pid; /* TS_NR_PIDS until the tables are known */
	bool has_pat;
	uint8_t *packets;
	size_t used;
	size_t capacity;
};

static void free_packets(void *ptr)
{
	free(((struct thinner *)ptr)->packets);
}

static void learn(struct thinner *t, const uint8_t *packet)
{
	const struct ts_stream *video;

	if (!find_table(&t->tables, packet, &t->has_pat))
		return;
	video = program_stream(&t->tables.program, STREAM_VIDEO);
	t->video_pid = video ? video->pid : TS_PID_NULL;
}

static void thin(struct thinner *t, const uint8_t *packets, size_t nr)
{
	if (t->capacity - t->used < nr * TS_PACKET) {
		t->capacity = 2 * t->capacity + nr * TS_PACKET;
		t->packets = mem_resize(t->packets, t->capacity);
	}
	for (size_t i = 0; i < nr; i++) {
		const uint8_t *packet = packets + i * TS_PACKET;
		unsigned pid = ts_pid(packet);

		if (t->video_pid == TS_NR_PIDS)
			learn(t, packet);
		if (pid == TS_PID_NULL ||
		    (pid == t->video_pid && !ts_begins_unit(packet)))
			continue;
		memcpy(t->packets + t->used, packet, TS_PACKET);
		t->used += TS_PACKET;
	}
}

static bool are_in_sync(const uint8_t *packets, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (packets[i * TS_PACKET] != TS_SYNC)
			return false;
	return true;
}

enum err tsfile_read_sound(struct arena *a, int fd, struct tsfile **file_r,
			   struct errmsg *e)
{
	struct thinner *t = ARENA_NEW(a, struct thinner);
	const size_t size = THIN_PACKETS * TS_PACKET;
	uint8_t *data = arena_alloc(a, size);
	uint64_t offset = 0;
	ssize_t got;

	t->video_pid = TS_NR_PIDS;
	arena_defer(a, free_packets, t);
	while ((got = fs_read_at(fd, data, size, offset)) > 0) {
		size_t nr = (size_t)got / TS_PACKET;

		/* What is damaged is looked at as a whole. */
		if (!are_in_sync(data, nr) || offset > TSFILE_MAX_BYTES)
			return tsfile_read(a, fd, TS_NONE, file_r, e);
		thin(t, data, nr);
		offset += (uint64_t)got;
	}
	if (got < 0)
		return err_set(e, ERR_IO, "cannot read a segment: %s",
			       strerror(errno));
	return tsfile_parse(a, t->packets, t->used, TS_NONE, file_r, e);
}
