/*
 * wipes.c - how long a picture of a transition takes, beside FFmpeg's xfade.
 *
 * wipes PAIRS THEIRS: draws so many pairs of 1080p pictures in 4:2:0 with each
 * of our own wipes and with fade, on one thread, and THEIRS of them with a
 * graph of FFmpeg's own: xfade=custom with the wipe's formula, or xfade=fade,
 * in 4:4:4, which is all that xfade takes.  A line for each: name, ms of ours,
 * ms of theirs for a picture.
 */
#include "config.h"

#include "media/blend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/log.h>

#include "../unit/formulas.h"
#include "media/avlog.h"

enum {
	WIDTH = 1920,
	HEIGHT = 1080,
	TICKS = 1500,
	NR = 4, /* pictures of a side, so that none is still in the cache */
	MAX_GRAPH = 4000
};

static AVFrame *pictures[2][NR];

static void die(const char *what)
{
	fprintf(stderr, "wipes: %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static AVFrame *new_picture(unsigned seed)
{
	AVFrame *frame = av_frame_alloc();

	if (!frame)
		die("out of memory");
	frame->format = AV_PIX_FMT_YUV420P;
	frame->width = WIDTH;
	frame->height = HEIGHT;
	if (av_frame_get_buffer(frame, 0) < 0)
		die("out of memory");
	for (int plane = 0; plane < 3; plane++)
		for (int y = 0; y < (plane ? HEIGHT / 2 : HEIGHT); y++)
			for (int x = 0; x < (plane ? WIDTH / 2 : WIDTH); x++) {
				seed = seed * 1664525 + 1013904223;
				frame->data[plane][y * frame->linesize[plane] +
						   x] = (uint8_t)(seed >> 24);
			}
	return frame;
}

/* Seconds a picture. */
static double ours(const char *name, int nr)
{
	const struct blend_config config = { .name = name,
					     .nr_pairs = (size_t)nr,
					     .frame_ticks = TICKS,
					     .nr_threads = 1 };
	AVFrame *out = av_frame_alloc();
	struct errmsg e = { "" };
	struct blend *blend;
	struct arena a;
	double began;
	enum err err;

	arena_init(&a);
	err = blend_open(&a, &config, pictures[0][0], pictures[1][0], &blend,
			 &e);
	began = now();
	for (int i = 0; !err && i < nr; i++) {
		pictures[0][i % NR]->pts = (int64_t)i * TICKS;
		pictures[1][i % NR]->pts = (int64_t)i * TICKS;
		err = blend_draw(blend, pictures[0][i % NR],
				 pictures[1][i % NR], out, &e);
		av_frame_unref(out);
	}
	began = now() - began;
	if (err)
		die(e.text);
	arena_release(&a);
	av_frame_free(&out);
	return began / nr;
}

static AVFilterGraph *new_graph(const char *what, int nr)
{
	static const char *const in =
		"buffer@%c=video_size=1920x1080:pix_fmt=yuv420p:"
		"time_base=1/90000:frame_rate=60,format=yuv444p[%c];";
	AVFilterGraph *graph = avfilter_graph_alloc();
	AVFilterInOut *none[2] = { NULL, NULL };
	char text[MAX_GRAPH];
	int len = 0;

	if (!graph)
		die("out of memory");
	graph->nb_threads = 1;
	for (int side = 'a'; side <= 'b'; side++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, in,
				side, side);
	snprintf(text + len, sizeof(text) - (size_t)len,
		 "[a][b]xfade=%s:duration=%f:offset=0,format=yuv420p,"
		 "buffersink@out",
		 what, nr / 60.0);
	if (avfilter_graph_parse_ptr(graph, text, &none[0], &none[1], NULL) <
		    0 ||
	    avfilter_graph_config(graph, NULL) < 0)
		die(text);
	return graph;
}

static void feed(AVFilterContext *source, AVFrame *frame, int64_t pts)
{
	frame->pts = pts;
	if (av_buffersrc_write_frame(source, frame) < 0)
		die("xfade takes no picture");
}

/* All nr pictures but the last are drawn in the transition. */
static double theirs(const char *what, int nr)
{
	AVFilterGraph *graph = new_graph(what, nr);
	AVFilterContext *a = avfilter_graph_get_filter(graph, "buffer@a");
	AVFilterContext *b = avfilter_graph_get_filter(graph, "buffer@b");
	AVFilterContext *sink =
		avfilter_graph_get_filter(graph, "buffersink@out");
	AVFrame *out = av_frame_alloc();
	double began = now();
	int got = 0;

	for (int i = 0; i < nr; i++) {
		feed(a, pictures[0][i % NR], (int64_t)i * TICKS);
		feed(b, pictures[1][i % NR], (int64_t)i * TICKS);
		while (av_buffersink_get_frame(sink, out) >= 0) {
			av_frame_unref(out);
			got++;
		}
	}
	began = now() - began;
	if (got < 1)
		die("xfade gave no picture");
	avfilter_graph_free(&graph);
	av_frame_free(&out);
	return began / got;
}

static double least(double (*draw)(const char *, int), const char *what, int nr,
		    int turns)
{
	double best = draw(what, nr);

	while (--turns > 0) {
		double again = draw(what, nr);

		best = again < best ? again : best;
	}
	return best;
}

int main(int argc, char **argv)
{
	int nr = argc > 1 ? atoi(argv[1]) : 0;
	int nr_theirs = argc > 2 ? atoi(argv[2]) : 0;
	char text[MAX_GRAPH];

	if (nr < 1 || nr_theirs < 2) {
		fprintf(stderr, "usage: wipes PAIRS THEIRS\n");
		return 2;
	}
	avlog_begin();
	for (unsigned i = 0; i < 2 * NR; i++)
		pictures[i % 2][i / 2] = new_picture(i);
	for (size_t i = 0; i < sizeof(wipes) / sizeof(*wipes); i++) {
		snprintf(text, sizeof(text), "custom:expr='if(%s,B,A)'",
			 wipes[i].is_new);
		printf("%s %.3f %.3f\n", wipes[i].name,
		       least(ours, wipes[i].name, nr, 3) * 1000,
		       least(theirs, text, nr_theirs, 1) * 1000);
	}
	printf("fade %.3f %.3f\n", least(ours, "fade", nr, 3) * 1000,
	       least(theirs, "fade", nr, 3) * 1000);
	return 0;
}
