/*
 * fuzz_h264.c - any bytes as an access unit, and as frames of sound: what is
 * found lies within them, and parameter sets read the same once written.
 */
#include "config.h"

#include "fuzz.h"
#include "media/h264.h"
#include "media/tsfile.h"

/* The headers one by one, and as a plain search would find them. */
static void check_headers(const uint8_t *data, size_t size)
{
	size_t at = annexb_next(data, size, 0);
	size_t plain = 0;

	for (;;) {
		while (plain + 3 < size && !(!data[plain] && !data[plain + 1] &&
					     data[plain + 2] == 1))
			plain++;
		plain = plain + 3 < size ? plain + 3 : size;
		MUST(at == plain);
		if (at == size)
			return;
		at = annexb_next(data, size, at);
	}
}

static void check_sets(const uint8_t *data, size_t size)
{
	struct h264_sets sets, again;
	struct arena a;
	uint8_t nr_auds;
	uint8_t flags;
	unsigned id;

	arena_init(&a);
	h264_read_sets(&a, data, size, &sets);
	h264_read_sets(&a, sets.data, sets.size, &again);
	MUST(sets.size == again.size && sets.ids == again.ids);
	MUST(!sets.size || !memcmp(sets.data, again.data, sets.size));
	flags = h264_unit_flags(sets.data, sets.size, &nr_auds);
	MUST(!(flags & ~(UNIT_SPS | UNIT_PPS)) && !nr_auds);
	MUST(!sets.size == !flags);
	MUST(h264_after_sets(sets.data, sets.size) == sets.size);
	id = h264_free_id(sets.ids);
	MUST(id >= 7 && id < 31);
	arena_release(&a);
}

static void check_sound(const uint8_t *data, size_t size)
{
	struct audio_format format;
	size_t at = 0;

	while (at < size) {
		size_t len = adts_frame(data + at, size - at, &format);

		MUST(len <= size - at);
		at += len ? len : 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	size_t after = h264_after_sets(copy, size);
	uint8_t nr_auds;
	uint8_t flags = h264_unit_flags(copy, size, &nr_auds);

	MUST(after <= size);
	MUST(!(flags & UNIT_AUD) == !nr_auds);
	check_headers(copy, size);
	check_sets(copy, size);
	check_sound(copy, size);
	free(copy);
	return 0;
}
