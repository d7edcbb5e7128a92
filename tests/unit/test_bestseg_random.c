/*
 * test_bestseg_random.c - the best sequence against a plain reading of the
 * rules, over random archives.
 *
 * The plain reading knows nothing of hours' indexes, chains or spans: it goes
 * over a flat list of files, once, as the words say.
 */
#include "config.h"

#include "archive/bestseg.h"

#include "sequence.h"

struct plain_file {
	usec_t start_us;
	usec_t length_us;
	enum segment_kind kind;
	char hash;
	off_t size;
	bool is_dead;
};

struct plain_archive {
	struct plain_file files[400];
	size_t nr;
	bool is_calm;	/* mostly full segments that follow each other */
};

static usec_t plain_end(const struct plain_file *f)
{
	return f->start_us + f->length_us;
}

/* Best segment per start time: whether a goes before b. */
static bool plain_better(const struct plain_file *a,
			 const struct plain_file *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind;
	if (a->kind == SEGMENT_FULL) {
		if (a->length_us != b->length_us)
			return a->length_us > b->length_us;
		if (a->size != b->size)
			return a->size > b->size;
		return a->hash > b->hash;	/* letters of one case only */
	}
	if (a->size != b->size)
		return a->size > b->size;
	/* By name; the length is in front of the hash, of one digit. */
	if (a->length_us != b->length_us)
		return a->length_us < b->length_us;
	return a->hash < b->hash;
}

static bool is_candidate(const struct plain_archive *p, size_t i)
{
	const struct plain_file *f = &p->files[i];

	if (f->is_dead || f->kind == SEGMENT_TEMP)
		return false;
	for (size_t k = 0; k < p->nr; k++)
		if (k != i && p->files[k].start_us == f->start_us &&
		    !p->files[k].is_dead && plain_better(&p->files[k], f))
			return false;
	return true;
}

static int by_start(const void *a, const void *b)
{
	usec_t x = ((const struct plain_file *)a)->start_us;
	usec_t y = ((const struct plain_file *)b)->start_us;

	return (x > y) - (x < y);
}

/* The candidates in order of start. */
static size_t plain_candidates(const struct plain_archive *p,
			       struct plain_file *best)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->nr; i++)
		if (is_candidate(p, i))
			best[nr++] = p->files[i];
	qsort(best, nr, sizeof(*best), by_start);
	return nr;
}

static const char *plain_text(const struct plain_file *best, size_t nr,
			      usec_t start_us, usec_t end_us)
{
	const usec_t oldest_us = utime_hour(start_us) - USEC_PER_HOUR;
	struct text *out = text_new(&seq.arena, 1 << 24);
	const struct plain_file *last = NULL;
	bool is_whole = false;

	text_puts(out, "");
	for (size_t i = 0; i < nr; i++) {
		const struct plain_file *f = &best[i];

		if (start_us >= end_us || f->start_us >= end_us)
			break;
		if (f->start_us < oldest_us)
			continue;
		if (!last && plain_end(f) <= start_us)
			continue;
		if (!last && f->start_us > start_us) {
			bool in_seam = false;

			for (size_t k = 0; k < nr; k++)
				if (best[k].kind == SEGMENT_FULL &&
				    best[k].start_us >= oldest_us &&
				    plain_end(&best[k]) <= start_us &&
				    f->start_us - plain_end(&best[k]) <= 10000)
					in_seam = true;
			if (!in_seam)
				seq_add_hole(out, f->start_us - start_us);
		}
		if (last && f->start_us < plain_end(last) - 10000)
			continue;
		if (last && (f->start_us > plain_end(last) + 10000 ||
			     last->kind != SEGMENT_FULL))
			seq_add_hole(out, f->start_us - plain_end(last));
		seq_add_us(out, f->start_us - UNIT_HOUR);
		text_puts(out, " ");
		last = f;
		if (plain_end(f) >= end_us)
			break;
	}
	if (last && last->kind == SEGMENT_FULL) {
		is_whole = plain_end(last) >= end_us;
		for (size_t i = 0; i < nr; i++)
			if (best[i].start_us >= end_us &&
			    best[i].start_us <= plain_end(last) + 10000)
				is_whole = true;
	}
	if (!last)
		seq_add_hole(out, end_us - start_us);
	else if (!is_whole)
		seq_add_hole(out, end_us - plain_end(last));
	if (out->len)
		out->data[--out->len] = '\0';
	return out->data;
}

/* Random archives */

static usec_t pick(uint64_t *seed, const usec_t *from, size_t nr)
{
	return from[unit_random(seed) % nr];
}

#define PICK(seed, list) pick((seed), (list), ARRAY_SIZE(list))

static void add_random_file(struct plain_archive *p, uint64_t *seed,
			    usec_t start_us, usec_t length_us)
{
	static const usec_t kinds[] = { SEGMENT_FULL, SEGMENT_FULL,
					SEGMENT_FULL, SEGMENT_FULL,
					SEGMENT_FULL, SEGMENT_SUSPECT,
					SEGMENT_PARTIAL, SEGMENT_TEMP };
	struct plain_file f = {
		.start_us = start_us,
		.length_us = length_us,
		.kind = p->is_calm && unit_random(seed) % 16 ?
				SEGMENT_FULL :
				(enum segment_kind)PICK(seed, kinds),
		.hash = (char)('a' + unit_random(seed) % 4),
		.size = (off_t)(unit_random(seed) % 3),
		.is_dead = unit_random(seed) % 16 == 0,
	};

	for (size_t i = 0; i < p->nr; i++)
		if (p->files[i].start_us == f.start_us &&
		    p->files[i].length_us == f.length_us &&
		    p->files[i].kind == f.kind && p->files[i].hash == f.hash)
			return;
	if (p->nr < ARRAY_SIZE(p->files))
		p->files[p->nr++] = f;
}

/* A run of segments with seams of all sorts, and strays between them. */
static void add_run(struct plain_archive *p, uint64_t *seed, usec_t us,
		    usec_t until_us)
{
	static const usec_t seams[] = {
		0, 0, 0, 0, 1, -1, 5000, -5000, 9999, -9999, 10000, -10000,
		10001, -10001, 20000, -20000, 1000000, -1000000, 3000000,
	};
	const size_t nr_seams = p->is_calm ? 12 : ARRAY_SIZE(seams);
	static const usec_t lengths[] = {
		2000000, 2000000, 2000000, 2002000, 1999999, 1000000, 5000000,
		10000, 9999, 10001, 5000, 1,
	};

	while (us < until_us) {
		usec_t length_us = PICK(seed, lengths);
		usec_t stray_us;

		add_random_file(p, seed, us, length_us);
		if (unit_random(seed) % 4 == 0)	/* a twin */
			add_random_file(p, seed, us,
					unit_random(seed) % 2 ?
						length_us :
						PICK(seed, lengths));
		if (unit_random(seed) % 5 == 0) {
			stray_us = us + PICK(seed, seams) +
				   (unit_random(seed) % 2 ? length_us : 0);
			add_random_file(p, seed, stray_us,
					PICK(seed, lengths));
		}
		us += length_us + pick(seed, seams, nr_seams);
		us += unit_random(seed) % (p->is_calm ? 32 : 8) ? 0 : 2000000;
	}
}

static void make_random(struct plain_archive *p, uint64_t *seed)
{
	unsigned nr_hours = 2 + (unsigned)(unit_random(seed) % 3);

	p->nr = 0;
	p->is_calm = unit_random(seed) % 2;
	for (unsigned h = 0; h <= nr_hours; h++) {
		usec_t hour_us = UNIT_HOUR + h * USEC_PER_HOUR;

		/* Around most hours' beginnings, and somewhere inside. */
		if (unit_random(seed) % 8)
			add_run(p, seed,
				hour_us - (usec_t)(unit_random(seed) %
						   12000001),
				hour_us + (usec_t)(unit_random(seed) %
						   12000001));
		if (unit_random(seed) % 3 == 0)
			add_run(p, seed, hour_us + 1800 * USEC_PER_SEC,
				hour_us + 1810 * USEC_PER_SEC);
		/* Long ones, up to an hour, some ending about an hour. */
		if (unit_random(seed) % 3 == 0)
			add_random_file(p, seed,
					hour_us + (usec_t)(unit_random(seed) %
							   3600) *
							  USEC_PER_SEC,
					(1 + (usec_t)(unit_random(seed) %
						      3600)) *
						USEC_PER_SEC);
	}
}

static void write_random(const struct plain_archive *p, const char *quality)
{
	char path[256];
	char file[512];

	for (size_t i = 0; i < p->nr; i++) {
		const struct plain_file *f = &p->files[i];
		char hash[2] = { f->hash, '\0' };

		seq_put(quality, f->start_us, f->length_us,
			segment_kind_names[f->kind], hash, f->size);
		if (!f->is_dead)
			continue;
		seq_path(path, f->start_us, f->length_us,
			 segment_kind_names[f->kind], hash);
		snprintf(file, sizeof(file), SEQ_BASE "%s/%s.tombstone",
			 quality, path);
		unit_make(unit_fd, file, 0);
	}
}

/* On an edge, near one, or anywhere. */
static usec_t random_instant(const struct plain_archive *p, uint64_t *seed)
{
	static const usec_t offsets[] = {
		0, 0, 0, 1, -1, 3000, -3000, 5000, -5000, 9999, 10000, 10001,
		-9999, -10000, -10001, 500000, -500000,
	};
	uint64_t n = unit_random(seed);
	const struct plain_file *f;

	if (n % 16 == 0 || !p->nr)
		return UNIT_HOUR +
		       (usec_t)(unit_random(seed) % (4 * 3600)) * USEC_PER_SEC;
	if (n % 16 == 1)
		return UNIT_HOUR +
		       (usec_t)(unit_random(seed) % 5) * USEC_PER_HOUR;
	f = &p->files[unit_random(seed) % p->nr];
	return (n & 16 ? f->start_us : plain_end(f)) + PICK(seed, offsets);
}

static void print_archive(const struct plain_archive *p)
{
	for (size_t i = 0; i < p->nr; i++)
		print_message("#   %+.6f+%.6f %s %c %d%s\n",
			      (double)(p->files[i].start_us - UNIT_HOUR) / 1e6,
			      (double)p->files[i].length_us / 1e6,
			      segment_kind_names[p->files[i].kind],
			      p->files[i].hash, (int)p->files[i].size,
			      p->files[i].is_dead ? " deleted" : "");
}

#define NR_RANGES 30

/* How many archives: UNIT_ROUNDS, or 800. */
static unsigned nr_archives(void)
{
	const char *rounds = getenv("UNIT_ROUNDS");

	return rounds && *rounds ? (unsigned)strtoul(rounds, NULL, 10) : 800;
}

static void test_against_plain(void **state)
{
	static struct plain_archive p;
	static struct plain_file best[ARRAY_SIZE(p.files)];
	uint64_t seed = 20261107;
	unsigned nr_whole = 0, nr_empty = 0, nr_files = 0, nr_ranges = 0;

	UNUSED(state);
	for (unsigned round = 0; round < nr_archives(); round++) {
		struct hourreader *reader;
		char quality[32];
		char path[512];
		size_t nr;

		snprintf(quality, sizeof(quality), "random%u", round);
		reader = seq_reader(quality);
		make_random(&p, &seed);
		write_random(&p, quality);
		nr = plain_candidates(&p, best);
		nr_files += (unsigned)p.nr;
		for (int k = 0; k < NR_RANGES; k++) {
			usec_t start_us = random_instant(&p, &seed);
			usec_t end_us = random_instant(&p, &seed);
			const char *got, *expected;
			struct sequence s;

			/* Backwards ones are not that interesting. */
			if (end_us <= start_us && unit_random(&seed) % 8) {
				usec_t swap = start_us;

				start_us = end_us;
				end_us = swap;
			}
			seq_find(reader, start_us, end_us, &s);
			got = seq_text(&s);
			expected = plain_text(best, nr, start_us, end_us);
			nr_ranges++;
			nr_whole += !s.nr_holes;
			nr_empty += !s.nr;
			if (!strcmp(got, expected))
				continue;
			print_archive(&p);
			print_message("# archive %u, from %+.6f to %+.6f\n",
				      round,
				      (double)(start_us - UNIT_HOUR) / 1e6,
				      (double)(end_us - UNIT_HOUR) / 1e6);
			assert_string_equal(got, expected);
		}
		snprintf(path, sizeof(path), "%s/" SEQ_BASE "%s", unit_dir,
			 quality);
		unit_remove(path);
		arena_reset(&seq.arena);
	}
	print_message("# %u ranges over %u files: %u without holes, %u empty\n",
		      nr_ranges, nr_files, nr_whole, nr_empty);
	/* Not all of one sort. */
	assert_true(nr_whole > nr_ranges / 25 && nr_empty > nr_ranges / 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_plain),
	};

	return cmocka_run_group_tests(tests, seq_begin, seq_end);
}
