/*
 * seed_cut.c - writes a beginning of fuzz_cut's corpus: segments that follow
 * each other, the second with a tag of ID3.
 *
 *	seed_cut OUT FLAGS SEGMENT...
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "media/psi.h"
#include "media/tsout.h"

#define MAX_BYTES ((size_t)1 << 20)

/* Puts a packet with a tag of ID3, as a cut would have it, behind a segment. */
struct tag {
	struct sink sink;
	FILE *out;
};

static enum err put(struct sink *s, const struct iovec *iov, int nr_iov,
		    struct errmsg *e)
{
	struct tag *t = (struct tag *)s;

	for (int i = 0; i < nr_iov; i++)
		if (fwrite(iov[i].iov_base, 1, iov[i].iov_len, t->out) !=
		    iov[i].iov_len)
			return err_set(e, ERR_IO, "cannot write");
	return ERR_OK;
}

static void put_tag(FILE *out)
{
	static struct tsout made;
	struct tag tag = { .sink = { .write = put }, .out = out };
	struct tsout_format format;
	struct errmsg e;

	tsout_format_init(&format, TYPE_H264, TYPE_ADTS, true);
	fwrite(format.pat, 1, TS_PACKET, out);
	fwrite(format.pmt, 1, TS_PACKET, out);
	tsout_init(&made, &format, &tag.sink);
	if (tsout_id3(&made, (const uint8_t *)"ID3\4\0\0\0\0\0\0", 10, 140000,
		      &e) ||
	    tsout_flush(&made, &e))
		exit(1);
}

static bool add(FILE *out, const char *path, bool is_tagged)
{
	static uint8_t data[MAX_BYTES];
	FILE *in = fopen(path, "r");
	size_t size = in ? fread(data, 1, sizeof(data), in) : 0;
	size_t told = size + (is_tagged ? 3 * TS_PACKET : 0);
	bool ok = in != NULL;

	putc(0, out);
	putc((int)(told >> 16), out);
	putc((int)(told >> 8 & 255), out);
	putc((int)(told & 255), out);
	ok = ok && fwrite(data, 1, size, out) == size;
	if (is_tagged)
		put_tag(out);
	if (in)
		fclose(in);
	return ok;
}

int main(int argc, char **argv)
{
	FILE *out;
	bool ok = true;
	int flags;

	if (argc < 4)
		return 2;
	out = fopen(argv[1], "w");
	if (!out)
		return 1;
	flags = atoi(argv[2]);
	/* From 0.05 s on for 2 s; then the second range. */
	for (int i = 0; i < 8; i++)
		putc(i == 0 ? flags : i == 1 ? 5 : i == 2 ? 100 : 10 * i, out);
	for (int i = 3; i < argc; i++)
		ok = add(out, argv[i], i == 4) && ok;
	return fclose(out) == 0 && ok ? 0 : 1;
}
