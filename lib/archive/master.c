/*
 * master.c - the HLS master playlist: playlist_master() of playlist.h.
 *
 * The bandwidth of a variant is measured over the last MEASURED_HOURS hours of
 * the range that hold anything, so that a range of a month costs no more than
 * one of a day; its codecs, size and frame rate are those of one segment of
 * the newest of them.
 */
#include "config.h"

#include "archive/playlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uri.h"

#define MEASURED_HOURS 12

struct variant {
	const char *quality;
	uint64_t bandwidth;
	uint64_t average; /* 0 if not measured */
	struct hour_media media;
	usec_t first_us; /* of all its hours */
	usec_t end_us;
	bool has_hours;
	bool has_data; /* in the range */
};

struct master {
	const struct archive *archive;
	struct hourcache *cache;
	struct arena *arena;
	const struct master_spec *spec;
	struct variant *variants;
	size_t nr;
	/* an absent start becomes this, if has_start: what players can ask */
	bool has_start;
	usec_t start_us;
};

/* What to say where nothing is measured: the original's numbers. */
static uint64_t assumed_bandwidth(const char *quality)
{
	static const struct {
		const char *name;
		uint64_t bps;
	} known[] = {
		{ "720p", 2373000 },
		{ "480p", 1427999 },
		{ "360p", 630000 },
		{ "160p", 230000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strncmp(quality, known[i].name, strlen(known[i].name)))
			return known[i].bps;
	return 6846146; /* 1080p, source and unknown */
}

/* A full segment, if there is one; in the middle it is past any lead-in. */
static uint32_t choose_probed(const struct hourindex *index)
{
	uint32_t nr = index->head->nr_entries;

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t at = (nr / 2 + i) % nr;

		if (index->entries[at].kind == SEGMENT_FULL)
			return at;
	}
	return nr / 2;
}

static struct hourindex *probe(struct hourreader *reader,
			       struct hourindex *index,
			       playlist_probe_fn *probe_fn)
{
	char hour[UTIME_HOUR_SIZE];
	struct hour_media media = { 0 };

	if ((index->head->flags & HOUR_PROBED) || !index->head->nr_entries)
		return index;
	probe_fn(reader->quality,
		 arena_printf(reader->arena, "%s/%s",
			      utime_format_hour(index->head->hour_us, hour),
			      hourindex_name(index, choose_probed(index))),
		 &media);
	return hourcache_put_media(reader, index, &media);
}

/* Fills in what the newest hours of the sequence tell. */
static enum err measure(struct master *m, struct hourreader *reader,
			const struct sequence *seq, struct variant *v,
			struct errmsg *e)
{
	usec_t seen_us = INT64_MAX;
	uint64_t peak = 0;
	uint64_t bytes = 0;
	usec_t length_us = 0;
	int nr = 0;

	for (size_t i = seq->nr; i-- > 0 && nr < MEASURED_HOURS;) {
		struct hourindex *index;
		usec_t hour_us = seq->spans[i].index->head->hour_us;
		enum err err;

		if (hour_us >= seen_us)
			continue;
		seen_us = hour_us;
		err = hourcache_get(reader, hour_us, HOUR_WANT_SIZES, &index,
				    e);
		if (err)
			return err;
		if (!index || !index->head->nr_entries)
			continue;
		if (!nr++) {
			index = probe(reader, index, m->spec->probe);
			v->media = index->head->media;
		}
		if (index->head->peak_bps > peak)
			peak = index->head->peak_bps;
		bytes += index->head->total_bytes;
		length_us += index->head->total_us;
	}
	/* Files that are no video say nothing of a bandwidth. */
	if (v->media.codecs[0] && peak && length_us) {
		v->bandwidth = peak;
		v->average =
			(uint64_t)((double)bytes * 8e6 / (double)length_us);
	}
	return ERR_OK;
}

static enum err look_at(struct master *m, struct variant *v, struct errmsg *e)
{
	const struct range_spec *want = m->spec->range;
	struct time_range range = {
		.start_us = want->has_start ? want->start_us : v->first_us,
		.end_us = want->has_end ? want->end_us : v->end_us,
	};
	struct hourreader *reader;
	struct sequence seq;
	struct quality *quality;
	enum err err;

	v->bandwidth = assumed_bandwidth(v->quality);
	v->has_data = !want->has_start && !want->has_end;
	if (!v->has_hours)
		return ERR_OK;
	if (m->has_start && range.start_us < m->start_us)
		range.start_us = m->start_us;
	/*
	 * A given start may be centuries before the first hour, and every hour
	 * of a range is looked for; the last one may hold an hour's segment.
	 */
	if (range.start_us < v->first_us)
		range.start_us = v->first_us;
	if (range.end_us > v->end_us + USEC_PER_HOUR)
		range.end_us = v->end_us + USEC_PER_HOUR;
	err = archive_quality(m->archive, m->arena, m->spec->channel,
			      v->quality, &quality, e);
	if (err)
		return err;
	reader = hourcache_reader(m->cache, quality, m->arena);
	err = bestseg_find(reader, &range, &seq, e);
	if (err)
		return err;
	v->has_data = seq.nr > 0 || (v->has_data && !m->has_start);
	return measure(m, reader, &seq, v, e);
}

/* Lists the qualities but chat, and the hours of each. */
static enum err find_variants(struct master *m, struct errmsg *e)
{
	struct name_list names;
	enum err err;

	err = archive_qualities(m->archive, m->arena, m->spec->channel, &names,
				e);
	if (err)
		return err;
	m->variants =
		arena_alloc(m->arena, (names.nr + 1) * sizeof(*m->variants));
	for (size_t i = 0; i < names.nr; i++) {
		struct variant *v = &m->variants[m->nr];
		struct quality *quality;

		if (!strcmp(names.names[i], "chat"))
			continue;
		v->quality = names.names[i];
		/* One that vanishes meanwhile is no variant. */
		if (archive_quality(m->archive, m->arena, m->spec->channel,
				    v->quality, &quality, e))
			continue;
		v->has_hours = archive_hour_span(quality, &v->first_us,
						 &v->end_us, e) == ERR_OK;
		m->nr++;
	}
	return ERR_OK;
}

/*
 * With no start and more archive than a list without one may cover, the
 * variants get a start.  A list without an end becomes longer with every hour
 * that begins, and a player asks again for what it was given; so it begins with
 * half of what is allowed, and is good for as long again.
 */
static void choose_start(struct master *m)
{
	const struct range_spec *want = m->spec->range;
	usec_t limit_us = m->spec->limits->max_implicit_us;
	usec_t length_us = limit_us / 2;
	usec_t first_us = INT64_MAX;
	usec_t end_us = INT64_MIN;

	for (size_t i = 0; i < m->nr; i++) {
		const struct variant *v = &m->variants[i];

		if (!v->has_hours)
			continue;
		first_us = v->first_us < first_us ? v->first_us : first_us;
		end_us = v->end_us > end_us ? v->end_us : end_us;
	}
	if (want->has_start || first_us > end_us)
		return;
	if (want->has_end) {
		end_us = want->end_us;
		length_us = limit_us;
	}
	m->has_start = end_us - first_us > limit_us;
	m->start_us = end_us - length_us;
}

static int by_preference(const void *a, const void *b)
{
	const struct variant *x = a;
	const struct variant *y = b;
	bool x_is_source = !strcmp(x->quality, "source");
	bool y_is_source = !strcmp(y->quality, "source");

	if (x_is_source != y_is_source)
		return x_is_source ? -1 : 1;
	if (x->bandwidth != y->bandwidth)
		return x->bandwidth > y->bandwidth ? -1 : 1;
	return strcmp(x->quality, y->quality);
}

/* A name as the inside of a quoted-string, which has no escapes. */
static const char *quotable(struct arena *a, const char *name)
{
	char *copy = arena_strndup(a, name, strlen(name));

	for (char *p = copy; *p; p++)
		if (*p == '"' || (unsigned char)*p < 0x20)
			*p = '_';
	return copy;
}

static void put_stream_inf(struct text *out, const struct variant *v,
			   const char *name)
{
	text_printf(out,
		    "#EXT-X-STREAM-INF:VIDEO=\"%s\",NAME=\"%s\",BANDWIDTH=%llu",
		    name, name, (unsigned long long)v->bandwidth);
	if (v->average)
		text_printf(out, ",AVERAGE-BANDWIDTH=%llu",
			    (unsigned long long)v->average);
	if (v->media.codecs[0])
		text_printf(out, ",CODECS=\"%s\"", v->media.codecs);
	if (v->media.width)
		text_printf(out, ",RESOLUTION=%ux%u", v->media.width,
			    v->media.height);
	if (v->media.rate_den)
		text_printf(out, ",FRAME-RATE=%.3f",
			    (double)v->media.rate_num / v->media.rate_den);
	text_putc(out, '\n');
}

static void put_variant(const struct master *m, const struct variant *v,
			bool is_first, struct text *out)
{
	const char *name = quotable(m->arena, v->quality);
	const char *query = m->spec->query;
	char start[UTIME_ISO_SIZE];

	text_printf(out,
		    "#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID=\"%s\",NAME=\"%s\","
		    "AUTOSELECT=YES,DEFAULT=%s\n",
		    name, name, is_first ? "YES" : "NO");
	put_stream_inf(out, v, name);
	text_printf(out, "%s/playlist/%s/%s.m3u8", m->spec->prefix,
		    uri_encoded(m->arena, m->spec->channel),
		    uri_encoded(m->arena, v->quality));
	if (*query)
		text_printf(out, "?%s", query);
	if (m->has_start)
		text_printf(out, "%cstart=%s", *query ? '&' : '?',
			    utime_format(m->start_us, start));
	text_putc(out, '\n');
}

enum err playlist_master(const struct archive *archive, struct hourcache *cache,
			 struct arena *a, const struct master_spec *spec,
			 struct text *out, struct errmsg *e)
{
	struct master m = {
		.archive = archive, .cache = cache, .arena = a, .spec = spec
	};
	bool is_first = true;
	enum err err;

	if (!archive_has_channel(archive, spec->channel))
		return err_set(e, ERR_NOTFOUND, "no channel '%s'",
			       err_quote(spec->channel).text);
	err = find_variants(&m, e);
	if (err)
		return err;
	choose_start(&m);
	for (size_t i = 0; !err && i < m.nr; i++)
		err = look_at(&m, &m.variants[i], e);
	if (err)
		return err;
	if (m.nr)
		qsort(m.variants, m.nr, sizeof(*m.variants), by_preference);
	text_puts(out, "#EXTM3U\n#EXT-X-VERSION:4\n");
	for (size_t i = 0; i < m.nr; i++) {
		if (!m.variants[i].has_data)
			continue;
		put_variant(&m, &m.variants[i], is_first, out);
		is_first = false;
	}
	return text_check(out, "the playlist", e);
}
