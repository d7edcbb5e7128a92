#include "config.h"

#include "media/peakfile.h"

#define LAYOUT_VERSION 2
#define BITS	       16
#define NOMINAL_RATE   48000
#define NS_PER_SEC     INT64_C(1000000000)

struct layout {
	uint32_t rate;
	uint32_t samples_a_pixel;
};

static struct layout layout_of(const struct wavecolumns *w, uint32_t rate)
{
	struct layout layout = { .rate = rate ? rate : NOMINAL_RATE };
	double samples = (double)w->length * layout.rate / (double)NS_PER_SEC /
			 (double)w->nr;

	layout.samples_a_pixel = samples < 1 ? 1 :
				 samples > INT32_MAX ?
					       INT32_MAX :
					       (uint32_t)(samples + 0.5);
	return layout;
}

void peakfile_json(const struct wavecolumns *w, uint32_t rate, struct text *out)
{
	struct layout layout = layout_of(w, rate);

	text_printf(out,
		    "{\"version\":%d,\"channels\":1,\"sample_rate\":%u,"
		    "\"samples_per_pixel\":%u,\"bits\":%d,\"length\":%zu,"
		    "\"data\":[",
		    LAYOUT_VERSION, layout.rate, layout.samples_a_pixel, BITS,
		    w->nr);
	for (size_t i = 0; i < w->nr; i++)
		text_printf(out, "%s%d,%d", i ? "," : "", w->columns[i].least,
			    w->columns[i].greatest);
	text_puts(out, "]}\n");
}

static void put_little_endian(struct text *out, uint32_t value, int nr_bytes)
{
	for (int i = 0; i < nr_bytes; i++)
		text_putc(out, (char)(value >> 8 * i & 0xff));
}

void peakfile_dat(const struct wavecolumns *w, uint32_t rate, struct text *out)
{
	struct layout layout = layout_of(w, rate);
	const uint32_t head[] = {
		LAYOUT_VERSION,	 0, /* flags: 16 bits */
		layout.rate,	 layout.samples_a_pixel,
		(uint32_t)w->nr, 1, /* channels */
	};

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		put_little_endian(out, head[i], 4);
	for (size_t i = 0; i < w->nr; i++) {
		put_little_endian(out, (uint16_t)w->columns[i].least, 2);
		put_little_endian(out, (uint16_t)w->columns[i].greatest, 2);
	}
}
