#include "config.h"

#include "base/gzip.h"

#include <string.h>
#include <zlib.h>

#define RAW_DEFLATE (-MAX_WBITS)
#define OUT_STEP    ((size_t)64 * 1024)
#define IN_STEP	    ((size_t)1024 * 1024 * 1024)
#define TRAILER	    8

/* RFC 1952 2.3: deflate, no flags, no time, fastest, Unix. */
static const unsigned char member_head[10] = {
	0x1f, 0x8b, 8, 0, 0, 0, 0, 4, 3
};

static bool begin(z_stream *z, enum gzip_level level)
{
	*z = (z_stream){ 0 };
	return deflateInit2(z, (int)level, Z_DEFLATED, RAW_DEFLATE,
			    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
}

/* Runs deflate until it has taken all input and given all it has to give. */
static bool run(z_stream *z, int flush, struct text *out)
{
	int rc;

	do {
		char *to = text_reserve(out, OUT_STEP);

		if (!to)
			return false;
		z->next_out = (Bytef *)to;
		z->avail_out = OUT_STEP;
		rc = deflate(z, flush);
		out->len += OUT_STEP - z->avail_out;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return false;
	} while (!z->avail_out);
	return true;
}

static bool feed(z_stream *z, const char *text, size_t len, uint32_t *crc,
		 struct text *out)
{
	while (len) {
		size_t n = len < IN_STEP ? len : IN_STEP;

		*crc = (uint32_t)crc32_z(*crc, (const Bytef *)text, n);
		z->next_in = (Bytef *)(uintptr_t)text;
		z->avail_in = (uInt)n;
		if (!run(z, Z_NO_FLUSH, out))
			return false;
		text += n;
		len -= n;
	}
	return true;
}

size_t gzip_block_bound(size_t len)
{
	/* deflate's own bound, a flush, and the step it is written in. */
	return len + len / 1000 + 64 + OUT_STEP;
}

bool gzip_make_block(const void *text, size_t len, struct text *out,
		     uint32_t *crc_r)
{
	uint32_t crc = 0;
	z_stream z;
	bool ok;

	if (!begin(&z, GZIP_FAST))
		return false;
	ok = feed(&z, text, len, &crc, out) && run(&z, Z_FULL_FLUSH, out);
	deflateEnd(&z);
	if (ok)
		*crc_r = crc;
	return ok;
}

/* A member in the making. */
struct join {
	struct gzip_member *member;
	struct text *out; /* what is compressed here */
	size_t taken;	  /* of it, by pieces of the member */
	z_stream z;
	uint32_t crc;
	uint32_t plain_size; /* modulo 2^32, as the format wants it */
	bool is_open;	     /* z has been fed since the last flush */
};

static void add_piece(struct join *j, const void *data, size_t size)
{
	struct gzip_member *member = j->member;

	member->iov[member->nr_iov++] = (struct iovec){
		.iov_base = (void *)(uintptr_t)data,
		.iov_len = size,
	};
	member->length += size;
}

/*
 * Adds what was compressed since the last time.  The buffer may still move, so
 * the piece holds an offset until settle().
 */
static void add_compressed(struct join *j)
{
	size_t size = j->out->len - j->taken;

	if (size)
		add_piece(j, NULL, size);
	j->taken = j->out->len;
}

static void settle(struct join *j)
{
	char *at = j->out->data;

	for (int i = 0; i < j->member->nr_iov; i++) {
		struct iovec *iov = &j->member->iov[i];

		if (iov->iov_base)
			continue;
		iov->iov_base = at;
		at += iov->iov_len;
	}
}

static bool join_block(struct join *j, const struct gzip_block *block,
		       size_t plain_size)
{
	if (j->is_open && !run(&j->z, Z_FULL_FLUSH, j->out))
		return false;
	j->is_open = false;
	add_compressed(j);
	add_piece(j, block->data, block->size);
	j->crc = (uint32_t)crc32_combine(j->crc, block->crc,
					 (z_off_t)plain_size);
	return true;
}

static bool join_all(struct join *j, const struct iovec *pieces,
		     const struct gzip_block *blocks, int nr)
{
	unsigned char trailer[TRAILER];
	bool ok = true;

	text_append(j->out, member_head, sizeof(member_head));
	for (int i = 0; ok && i < nr; i++) {
		j->plain_size += (uint32_t)pieces[i].iov_len;
		if (blocks && blocks[i].size) {
			ok = join_block(j, &blocks[i], pieces[i].iov_len);
			continue;
		}
		ok = feed(&j->z, pieces[i].iov_base, pieces[i].iov_len, &j->crc,
			  j->out);
		j->is_open = true;
	}
	if (!ok || !run(&j->z, Z_FINISH, j->out))
		return false;
	for (int i = 0; i < 4; i++) {
		trailer[i] = (unsigned char)(j->crc >> (8 * i));
		trailer[i + 4] = (unsigned char)(j->plain_size >> (8 * i));
	}
	text_append(j->out, trailer, sizeof(trailer));
	add_compressed(j);
	settle(j);
	return !j->out->overflowed;
}

bool gzip_join(struct arena *a, const struct iovec *pieces,
	       const struct gzip_block *blocks, int nr, enum gzip_level level,
	       struct gzip_member *member_r)
{
	struct gzip_member member = { 0 };
	struct join j = { .member = &member };
	uint64_t plain_size = 0;
	bool ok;

	for (int i = 0; i < nr; i++)
		plain_size += pieces[i].iov_len;
	j.out = text_new(a, (size_t)plain_size + 2 * OUT_STEP);
	member.iov = arena_alloc(a, (2 * (size_t)nr + 1) * sizeof(*pieces));
	if (!begin(&j.z, level))
		return false;
	ok = join_all(&j, pieces, blocks, nr);
	deflateEnd(&j.z);
	if (ok && member.length < plain_size)
		*member_r = member;
	return ok && member.length < plain_size;
}
