/*
 * coveragejson.c - coverage as JSON.
 *
 * Names of segments are of an alphabet that needs no escapes (segment.h).
 */
#include "config.h"

#include "archive/coverage.h"

#include <string.h>

#include <xxhash.h>

#include "base/text.h"

struct lists {
	struct text *of[COVERAGE_KIND_COUNT];
	bool is_wanted;
	bool is_full;
	size_t length; /* of all */
};

static const char *const list_names[COVERAGE_KIND_COUNT] = {
	[COVERAGE_SPAN] = "spans",	     [COVERAGE_HOLE] = "holes",
	[COVERAGE_NONFULL] = "nonfull",	     [COVERAGE_OVERLAP] = "overlaps",
	[COVERAGE_DUPLICATE] = "duplicates",
};

/* Seconds, exact: lengths are not negative. */
static void put_seconds(struct text *out, const char *key, usec_t us)
{
	text_printf(out, ",\"%s\":%lld.%06lld", key,
		    (long long)(us / USEC_PER_SEC),
		    (long long)(us % USEC_PER_SEC));
}

static void put_time(struct text *out, const char *key, usec_t us)
{
	char time[UTIME_ISO_SIZE];

	text_printf(out, "\"%s\":\"%s\"", key, utime_format(us, time));
}

/* A size that nobody knows is null. */
static void put_file(struct text *out, const char *name, unsigned kind,
		     int64_t size)
{
	text_printf(out, ",\"kind\":\"%s\",\"name\":\"%s\"",
		    segment_kind_names[kind], name);
	if (size < 0)
		text_puts(out, ",\"size\":null");
	else
		text_printf(out, ",\"size\":%lld", (long long)size);
}

static void put_entry(struct text *out, const struct coverage_item *item)
{
	const struct hour_entry *entry = item->entry;

	put_seconds(out, "duration", entry->length_us);
	put_file(out, item->index->names + entry->name_off, entry->kind,
		 entry->size);
}

/* The chosen file first. */
static void put_files(struct text *out, const struct coverage_item *item)
{
	text_printf(out, ",\"reason\":\"%s\",\"files\":[{\"chosen\":true",
		    coverage_reason(item));
	put_entry(out, item);
	for (size_t i = 0; i < item->nr_others; i++) {
		const struct hour_other *other = &item->others[i];

		text_puts(out, "},{\"chosen\":false");
		put_seconds(out, "duration", other->length_us);
		put_file(out, item->index->names + other->name_off, other->kind,
			 other->size);
	}
	text_puts(out, "}]");
}

static void put_item(void *ctx, const struct coverage_item *item)
{
	struct lists *lists = ctx;
	struct text *out = lists->of[item->kind];
	size_t before = out->len;

	lists->is_full |= lists->length > COVERAGE_MAX_BYTES;
	if (!lists->is_wanted || lists->is_full)
		return;
	text_puts(out, out->len ? ",\n{" : "\n{");
	put_time(out, "start", item->start_us);
	switch (item->kind) {
	case COVERAGE_SPAN:
	case COVERAGE_HOLE:
		text_putc(out, ',');
		put_time(out, "end", item->end_us);
		put_seconds(out, "duration", item->end_us - item->start_us);
		if (item->kind == COVERAGE_SPAN)
			text_printf(out, ",\"segments\":%llu",
				    (unsigned long long)item->nr_segments);
		break;
	case COVERAGE_OVERLAP:
		put_seconds(out, "overlap", item->overlap_us);
		put_entry(out, item);
		break;
	case COVERAGE_NONFULL:
		put_entry(out, item);
		break;
	case COVERAGE_DUPLICATE:
		put_files(out, item);
		break;
	case COVERAGE_KIND_COUNT:
		break;
	}
	text_putc(out, '}');
	lists->length += out->len - before;
}

static void put_sum(struct text *out, const struct coverage_sum *sum)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "spans", sum->nr_spans },
		{ "holes", sum->nr_holes },
		{ "full", sum->nr_kind[SEGMENT_FULL] },
		{ "suspect", sum->nr_kind[SEGMENT_SUSPECT] },
		{ "partial", sum->nr_kind[SEGMENT_PARTIAL] },
		{ "bytes", sum->bytes },
		{ "overlaps", sum->nr_overlaps },
		{ "duplicates", sum->nr_duplicates },
		{ "deleted", sum->nr_deleted },
		{ "temp", sum->nr_temp },
	};

	put_seconds(out, "covered", sum->covered_us);
	put_seconds(out, "missing", sum->missing_us);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		text_printf(out, ",\"%s\":%llu", counts[i].key,
			    (unsigned long long)counts[i].value);
}

static void put_head(struct text *out, const struct coverage *c)
{
	usec_t hour_us = utime_hour(c->range.start_us);

	text_putc(out, '{');
	put_time(out, "start", c->range.start_us);
	text_putc(out, ',');
	put_time(out, "end", c->range.end_us);
	text_printf(out, ",\n\"totals\":{\"segments\":%llu",
		    (unsigned long long)c->nr_segments);
	put_sum(out, &c->total);
	text_puts(out, "},\n\"hours\":[");
	for (size_t i = 0; i < c->nr_hours; i++, hour_us += USEC_PER_HOUR) {
		char hour[UTIME_HOUR_SIZE];

		text_printf(out, "%s\n{\"hour\":\"%s\"", i ? "," : "",
			    utime_format_hour(hour_us, hour));
		put_sum(out, &c->hours[i]);
		text_putc(out, '}');
	}
	text_putc(out, ']');
}

static void add_piece(struct coverage_json *json, const char *text, size_t len)
{
	json->iov[json->nr_iov++] =
		(struct iovec){ .iov_base = (void *)(uintptr_t)text,
				.iov_len = len };
	json->length += len;
	json->hash = XXH3_64bits_withSeed(text, len, json->hash);
}

static void join(struct arena *a, const struct text *head,
		 const struct lists *lists, struct coverage_json *json)
{
	json->iov = arena_alloc(a, (2 * COVERAGE_KIND_COUNT + 2) *
					   sizeof(*json->iov));
	add_piece(json, head->data, head->len);
	for (int i = 0; lists->is_wanted && i < COVERAGE_KIND_COUNT; i++) {
		const char *key = arena_printf(a, "%s,\n\"%s\":[", i ? "]" : "",
					       list_names[i]);

		add_piece(json, key, strlen(key));
		add_piece(json, lists->of[i]->data, lists->of[i]->len);
	}
	if (lists->is_wanted)
		add_piece(json, "]}\n", 3);
	else
		add_piece(json, "}\n", 2);
}

enum err coverage_json(struct hourreader *reader,
		       const struct time_range *range, bool with_lists,
		       struct coverage_json *json_r, struct errmsg *e)
{
	struct arena *a = reader->arena;
	struct text *head = text_new(a, COVERAGE_MAX_BYTES);
	struct lists lists = { .is_wanted = with_lists };
	struct coverage_json json = { 0 };
	enum err err;

	for (int i = 0; i < COVERAGE_KIND_COUNT; i++) {
		/* The last item may pass the limit. */
		lists.of[i] = text_new(a, 2 * COVERAGE_MAX_BYTES);
		text_puts(lists.of[i], "");
	}
	err = coverage_find(reader, range, HOUR_WANT_SIZES, put_item, &lists,
			    &json.coverage, e);
	if (err)
		return err;
	put_head(head, &json.coverage);
	if (lists.is_full || head->overflowed)
		return err_set(e, ERR_LIMIT,
			       "the lists would be longer than %zu MB: ask for "
			       "a shorter range, or with lists=false",
			       COVERAGE_MAX_BYTES >> 20);
	join(a, head, &lists, &json);
	*json_r = json;
	return ERR_OK;
}
