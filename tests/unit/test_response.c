/*
 * test_response.c - what HTTP asks of any answer.
 */
#include "config.h"

#include "response.h"

#include <zlib.h>

#include "fake.h"
#include "route.h"

/* As the ETag of a response whose etag is { 1, 2 }. */
#define ETAG	"\"00000000000000010000000000000002\""
#define ETAG_GZ "W/\"00000000000000010000000000000002-gz\""
#define OTHER	"\"00000000000000010000000000000003\""

static struct settings settings = { .prefix = "", .max_query_bytes = 8192 };
static struct server server = { .settings = &settings };
static struct fake fake;
static struct request req;

static int begin(void **state)
{
	UNUSED(state);
	fake_init(&fake);
	return 0;
}

static int end(void **state)
{
	UNUSED(state);
	arena_release(&req.arena);
	fake_release(&fake);
	return 0;
}

/* A new request of no headers, and a client that has got nothing. */
static void start(enum method method)
{
	request_end(&req);
	request_begin(&req, &server, &fake.client, method);
	text_clear(&fake.body);
	text_clear(&fake.headers);
	fake.nr_begun = 0;
	fake.nr_heavy = 0;
	fake.status = 0;
	fake.heavy = ERR_OK;
	fake.write = ERR_OK;
}

static void make(struct response *r, const char *data, size_t len)
{
	struct iovec *iov = ARENA_NEW(&req.arena, struct iovec);

	*iov = (struct iovec){ (void *)data, len };
	response_init(r, &req, TYPE_PLAIN);
	response_set_iov(r, &req, iov, 1, len);
	r->has_etag = true;
	r->etag[0] = 1;
	r->etag[1] = 2;
}

/* As the worker does: an error becomes the answer. */
static enum err answer(struct response *r)
{
	enum err err = response_send(&req, r);

	if (err && !fake.nr_begun)
		return response_send_error(&req, err);
	return err;
}

static void assert_body(const char *expected)
{
	assert_int_equal(fake.body.len, strlen(expected));
	if (*expected)
		assert_string_equal(fake.body.data, expected);
}

#define DATA "0123456789"

static void test_ranges(void **state)
{
	static const struct {
		struct request_headers headers;
		enum method method;
		int status;
		const char *body;	/* NULL: an error's words */
		const char *range;	/* Content-Range */
	} rows[] = {
#define RANGE(r) { "", "", "", "", r }
#define IF_RANGE(i, r) { "", "", "", i, r }
		{ RANGE(""), METHOD_GET, 200, DATA, NULL },
		{ RANGE(""), METHOD_HEAD, 200, "", NULL },
		{ RANGE("bytes=2-4"), METHOD_GET, 206, "234", "bytes 2-4/10" },
		{ RANGE("bytes=-1"), METHOD_GET, 206, "9", "bytes 9-9/10" },
		{ RANGE("bytes=9-99"), METHOD_GET, 206, "9", "bytes 9-9/10" },
		{ RANGE("bytes=0-"), METHOD_GET, 206, DATA, "bytes 0-9/10" },
		{ RANGE("bytes=2-4"), METHOD_HEAD, 206, "", "bytes 2-4/10" },
		{ RANGE("bytes=10-"), METHOD_GET, 416, NULL, "bytes */10" },
		{ RANGE("bytes=-0"), METHOD_GET, 416, NULL, "bytes */10" },
		{ RANGE("bytes=10-"), METHOD_HEAD, 416, "", "bytes */10" },
		{ RANGE("bytes=0-1,3-4"), METHOD_GET, 200, DATA, NULL },
		{ RANGE("junk"), METHOD_GET, 200, DATA, NULL },
		{ IF_RANGE(ETAG, "bytes=2-4"), METHOD_GET, 206, "234",
		  "bytes 2-4/10" },
		{ IF_RANGE(ETAG, "bytes=10-"), METHOD_GET, 416, NULL,
		  "bytes */10" },
		{ IF_RANGE(OTHER, "bytes=2-4"), METHOD_GET, 200, DATA, NULL },
		{ IF_RANGE(OTHER, "bytes=10-"), METHOD_GET, 200, DATA, NULL },
		{ IF_RANGE("W/" ETAG, "bytes=2-4"), METHOD_GET, 200, DATA,
		  NULL },
		{ IF_RANGE("*", "bytes=2-4"), METHOD_GET, 200, DATA, NULL },
		{ IF_RANGE("Sat, 07 Nov 2026 00:00:00 GMT", "bytes=2-4"),
		  METHOD_GET, 200, DATA, NULL },
		{ IF_RANGE("junk", "bytes=2-4"), METHOD_GET, 200, DATA, NULL },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct response r;
		char length[24];

		print_message("# %s, '%s', '%s'\n",
			      method_names[rows[i].method],
			      rows[i].headers.if_range, rows[i].headers.range);
		start(rows[i].method);
		req.headers = rows[i].headers;
		make(&r, DATA, 10);
		assert_int_equal(answer(&r), ERR_OK);
		assert_int_equal(fake.status, rows[i].status);
		assert_int_equal(req.status, rows[i].status);
		fake_assert_header(&fake, "Content-Range", rows[i].range);
		if (rows[i].body)
			assert_body(rows[i].body);
		if (rows[i].status == 416)
			continue;
		fake_assert_header(&fake, "ETag", ETAG);
		fake_assert_header(&fake, "Accept-Ranges", "bytes");
		snprintf(length, sizeof(length), "%d",
			 rows[i].status == 200 ? 10 :
			 rows[i].body[0]       ? (int)strlen(rows[i].body) :
						 3);
		fake_assert_header(&fake, "Content-Length", length);
		assert_int_equal(fake.length, strtoull(length, NULL, 10));
	}
}

static void test_conditions(void **state)
{
	static const struct {
		const char *if_match;
		const char *if_none_match;
		const char *range;
		int status;
	} rows[] = {
		{ "", ETAG, "", 304 },
		{ "", "W/" ETAG, "", 304 },
		{ "", OTHER ", " ETAG, "", 304 },
		{ "", "*", "", 304 },
		{ "", OTHER, "", 200 },
		{ "", "junk", "", 200 },
		{ "", ETAG, "bytes=2-4", 304 },
		{ "", ETAG, "bytes=99-", 304 },
		{ "", OTHER, "bytes=2-4", 206 },
		{ ETAG, "", "", 200 },
		{ "*", "", "", 200 },
		{ ETAG, "", "bytes=2-4", 206 },
		{ OTHER, "", "", 412 },
		{ "W/" ETAG, "", "", 412 },
		{ "junk", "", "", 412 },
		{ OTHER, ETAG, "", 412 },	/* If-Match first */
		{ ETAG, ETAG, "", 304 },
		{ OTHER, "", "bytes=2-4", 412 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct response r;
		bool is_short = rows[i].status == 304 || rows[i].status == 412;
		bool is_known = rows[i].status == 304 && !*rows[i].if_match;

		print_message("# '%s', '%s', '%s'\n", rows[i].if_match,
			      rows[i].if_none_match, rows[i].range);
		start(METHOD_GET);
		req.headers.if_match = rows[i].if_match;
		req.headers.if_none_match = rows[i].if_none_match;
		req.headers.range = rows[i].range;
		make(&r, DATA, 10);
		assert_int_equal(response_is_known(&req, &r), is_known);
		assert_int_equal(answer(&r), ERR_OK);
		assert_int_equal(fake.status, rows[i].status);
		fake_assert_header(&fake, "ETag", ETAG);
		if (!is_short)
			continue;
		assert_body("");
		fake_assert_header(&fake, "Content-Type", NULL);
		fake_assert_header(&fake, "Content-Length", NULL);
		fake_assert_header(&fake, "Content-Encoding", NULL);
	}
}

/* Without an ETag there is nothing to compare: conditions are ignored. */
static void test_no_etag(void **state)
{
	struct response r;

	UNUSED(state);
	start(METHOD_GET);
	req.headers.if_match = OTHER;
	req.headers.if_none_match = "*";
	req.headers.if_range = ETAG;
	req.headers.range = "bytes=2-4";
	make(&r, DATA, 10);
	r.has_etag = false;
	assert_false(response_is_known(&req, &r));
	assert_int_equal(answer(&r), ERR_OK);
	assert_int_equal(fake.status, 200);
	assert_body(DATA);
	fake_assert_header(&fake, "ETag", NULL);
}

static void test_empty_body(void **state)
{
	struct response r;

	UNUSED(state);
	start(METHOD_GET);
	make(&r, "", 0);
	assert_int_equal(answer(&r), ERR_OK);
	assert_int_equal(fake.status, 200);
	fake_assert_header(&fake, "Content-Length", "0");
	assert_body("");
	start(METHOD_GET);
	req.headers.range = "bytes=0-";
	make(&r, "", 0);
	assert_int_equal(answer(&r), ERR_OK);
	assert_int_equal(fake.status, 416);
	fake_assert_header(&fake, "Content-Range", "bytes */0");
}

static void test_caching(void **state)
{
	static const struct {
		enum response_flags flags;
		const char *value;
	} rows[] = {
		{ 0, "no-cache" },
		{ RESPONSE_FINAL, "public, max-age=31536000, immutable" },
		{ RESPONSE_NO_STORE, "no-store" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct response r;

		start(METHOD_GET);
		make(&r, DATA, 10);
		r.flags = rows[i].flags;
		assert_int_equal(answer(&r), ERR_OK);
		fake_assert_header(&fake, "Cache-Control", rows[i].value);
	}
}

/* Expands what the client got and compares it. */
static void assert_gunzips(const char *expected, size_t len)
{
	char *back = malloc(len + 1);
	z_stream z = { .next_in = (Bytef *)fake.body.data,
		       .avail_in = (uInt)fake.body.len,
		       .next_out = (Bytef *)back,
		       .avail_out = (uInt)len + 1 };

	assert_non_null(back);
	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(inflateEnd(&z), Z_OK);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(back, expected, len);
	free(back);
}

static void test_gzip(void **state)
{
	static const struct {
		const char *accept;
		const char *range;
		size_t len;
		enum response_flags flags;
		enum method method;
		bool gzip;
	} rows[] = {
		{ "gzip", "", 1025, RESPONSE_TEXT, METHOD_GET, true },
		{ "gzip", "", 1025, RESPONSE_TEXT, METHOD_HEAD, true },
		{ "gzip", "", 5000, RESPONSE_TEXT, METHOD_GET, true },
		{ "gzip", "", 65536, RESPONSE_TEXT, METHOD_GET, true },
		{ "gzip", "", 500000, RESPONSE_TEXT, METHOD_GET, true },
		{ "br, *", "", 5000, RESPONSE_TEXT, METHOD_GET, true },
		{ "gzip", "", 1024, RESPONSE_TEXT, METHOD_GET, false },
		{ "gzip", "", 5000, 0, METHOD_GET, false },
		{ "", "", 5000, RESPONSE_TEXT, METHOD_GET, false },
		{ "br", "", 5000, RESPONSE_TEXT, METHOD_GET, false },
		{ "gzip;q=0", "", 5000, RESPONSE_TEXT, METHOD_GET, false },
		{ "gzip", "bytes=0-4999", 5000, RESPONSE_TEXT, METHOD_GET,
		  false },
	};
	static char data[500000];

	UNUSED(state);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = "playlist\n"[i % 9];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct response r;
		bool is_get = rows[i].method == METHOD_GET;

		print_message("# %zu bytes, '%s', '%s'\n", rows[i].len,
			      rows[i].accept, rows[i].range);
		start(rows[i].method);
		req.headers.accept_encoding = rows[i].accept;
		req.headers.range = rows[i].range;
		make(&r, data, rows[i].len);
		r.flags = rows[i].flags;
		assert_int_equal(answer(&r), ERR_OK);
		fake_assert_header(&fake, "Content-Encoding",
				   rows[i].gzip ? "gzip" : NULL);
		fake_assert_header(&fake, "ETag",
				   rows[i].gzip ? ETAG_GZ : ETAG);
		fake_assert_header(&fake, "Vary",
				   rows[i].flags & RESPONSE_TEXT ?
					   "Accept-Encoding" :
					   NULL);
		assert_non_null(fake_header(&fake, "Content-Length"));
		if (is_get)
			assert_int_equal(fake.body.len, fake.length);
		if (is_get && rows[i].gzip)
			assert_gunzips(data, rows[i].len);
		if (is_get && !rows[i].gzip)
			assert_memory_equal(fake.body.data, data,
					    rows[i].len);
		/* the same again, now known */
		start(rows[i].method);
		req.headers.accept_encoding = rows[i].accept;
		req.headers.if_none_match = rows[i].gzip ? ETAG_GZ : ETAG;
		make(&r, data, rows[i].len);
		r.flags = rows[i].flags;
		assert_int_equal(answer(&r), ERR_OK);
		assert_int_equal(fake.status, 304);
		/* and before there is a body, in either form */
		start(rows[i].method);
		req.headers.if_none_match = ETAG_GZ;
		make(&r, data, 0);
		r.flags = rows[i].flags;
		assert_int_equal(response_is_known(&req, &r),
				 (rows[i].flags & RESPONSE_TEXT) != 0);
		assert_int_equal(answer(&r), ERR_OK);
		assert_int_equal(fake.status,
				 rows[i].flags & RESPONSE_TEXT ? 304 : 200);
	}
}

/* Noise does not shrink: it is sent, and named, as it is. */
static void test_gzip_is_no_gain(void **state)
{
	static char data[100000];
	struct response r;
	uint64_t seed = 3;

	UNUSED(state);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)unit_random(&seed);
	start(METHOD_GET);
	req.headers.accept_encoding = "gzip";
	make(&r, data, sizeof(data));
	r.flags = RESPONSE_TEXT;
	assert_int_equal(answer(&r), ERR_OK);
	fake_assert_header(&fake, "Content-Encoding", NULL);
	fake_assert_header(&fake, "ETag", ETAG);
	fake_assert_header(&fake, "Content-Length", "100000");
	assert_memory_equal(fake.body.data, data, sizeof(data));
}

static void test_pieces(void **state)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz";
	struct iovec iov[1000];
	struct response r;
	size_t total = 0;

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(iov); i++) {
		iov[i] = (struct iovec){ (char *)text + i % 20, i % 7 };
		total += i % 7;
	}
	start(METHOD_GET);
	response_init(&r, &req, TYPE_PLAIN);
	response_set_iov(&r, &req, iov, 1000, total);
	assert_int_equal(answer(&r), ERR_OK);
	assert_int_equal(fake.body.len, total);
	/* every range of the first pieces is the same part of the whole */
	for (size_t first = 0; first < 60; first++)
		for (size_t last = first; last < 60; last++) {
			char *whole = malloc(total);
			char range[40];

			assert_non_null(whole);
			start(METHOD_GET);
			response_init(&r, &req, TYPE_PLAIN);
			response_set_iov(&r, &req, iov, 1000, total);
			assert_int_equal(answer(&r), ERR_OK);
			memcpy(whole, fake.body.data, total);
			start(METHOD_GET);
			snprintf(range, sizeof(range), "bytes=%zu-%zu", first,
				 last);
			req.headers.range = range;
			response_init(&r, &req, TYPE_PLAIN);
			response_set_iov(&r, &req, iov, 1000, total);
			assert_int_equal(answer(&r), ERR_OK);
			assert_int_equal(fake.status, 206);
			assert_int_equal(fake.body.len, last - first + 1);
			assert_memory_equal(fake.body.data, whole + first,
					    fake.body.len);
			free(whole);
		}
}

static void test_stream(void **state)
{
	struct response r;

	UNUSED(state);
	start(METHOD_GET);
	req.headers.range = "bytes=2-4";
	make(&r, DATA, 10);
	r.flags = RESPONSE_STREAM;
	r.has_etag = false;
	assert_int_equal(answer(&r), ERR_OK);
	assert_int_equal(fake.status, 200);
	assert_body(DATA);
	fake_assert_header(&fake, "Content-Length", NULL);
	fake_assert_header(&fake, "Accept-Ranges", NULL);
	fake_assert_header(&fake, "ETag", NULL);
}

/* The front server sends the body and does its own ranges and conditions. */
static void test_elsewhere(void **state)
{
	struct response r;

	UNUSED(state);
	start(METHOD_GET);
	req.headers.range = "bytes=2-4";
	req.headers.if_none_match = ETAG;
	make(&r, DATA, 10);
	r.flags = RESPONSE_ELSEWHERE | RESPONSE_FINAL;
	response_header(&r, "X-Accel-Redirect", "/internal/%s", "x");
	assert_int_equal(answer(&r), ERR_OK);
	assert_int_equal(fake.status, 200);
	assert_body("");
	fake_assert_header(&fake, "X-Accel-Redirect", "/internal/x");
	fake_assert_header(&fake, "Content-Length", NULL);
	fake_assert_header(&fake, "Content-Type", TYPE_PLAIN);
	assert_int_equal(fake.nr_heavy, 0);
}

static void test_holes(void **state)
{
	static const struct {
		uint32_t nr;
		usec_t length_us;
		const char *count;
		const char *duration;
	} rows[] = {
		{ 0, 0, "0", "0.000000" },
		{ 1, 1, "1", "0.000001" },
		{ 3, 12 * USEC_PER_SEC + 345678, "3", "12.345678" },
		{ UINT32_MAX, 1000 * USEC_PER_HOUR, "4294967295",
		  "3600000.000000" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct response r;

		start(METHOD_GET);
		make(&r, DATA, 10);
		response_holes(&r, &req, rows[i].nr, rows[i].length_us);
		assert_int_equal(answer(&r), ERR_OK);
		fake_assert_header(&fake, "X-Holes", rows[i].count);
		fake_assert_header(&fake, "X-Holes-Duration",
				   rows[i].duration);
	}
}

/* Over a megabyte is heavy; headers alone never are. */
static void test_heavy(void **state)
{
	static char data[RESPONSE_LIGHT_BYTES + 1];
	static const struct {
		size_t len;
		const char *range;
		enum method method;
		enum err go;
		unsigned nr_heavy;
		int status;
	} rows[] = {
		{ RESPONSE_LIGHT_BYTES, "", METHOD_GET, ERR_OK, 0, 200 },
		{ RESPONSE_LIGHT_BYTES + 1, "", METHOD_GET, ERR_OK, 1, 200 },
		{ RESPONSE_LIGHT_BYTES + 1, "", METHOD_HEAD, ERR_OK, 0, 200 },
		{ RESPONSE_LIGHT_BYTES + 1, "bytes=0-9", METHOD_GET, ERR_OK, 0,
		  206 },
		{ RESPONSE_LIGHT_BYTES + 1, "", METHOD_GET, ERR_BUSY, 1, 503 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct response r;

		print_message("# %zu bytes\n", rows[i].len);
		start(rows[i].method);
		fake.heavy = rows[i].go;
		req.headers.range = rows[i].range;
		make(&r, data, rows[i].len);
		assert_int_equal(answer(&r), ERR_OK);
		assert_int_equal(fake.nr_heavy, rows[i].nr_heavy);
		assert_int_equal(fake.status, rows[i].status);
		fake_assert_header(&fake, "Retry-After",
				   rows[i].status == 503 ? "5" : NULL);
	}
	/* in the process that handed it over nothing is sent */
	start(METHOD_GET);
	fake.heavy = ERR_HANDED;
	{
		struct response r;

		make(&r, data, sizeof(data));
		assert_int_equal(response_send(&req, &r), ERR_HANDED);
	}
	assert_int_equal(fake.nr_begun, 0);
	assert_int_equal(fake.body.len, 0);
}

/* No value can end its header or begin another. */
static void test_injection(void **state)
{
	static const char *const values[] = {
		"a\r\nX-Injected: 1", "a\nX-Injected: 1", "a\rX-Injected: 1",
		"\r\n\r\n<html>",     "\n",		  "a\x01\x1f\x7f",
		"\t",
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct response r;
		const char *value;

		start(METHOD_GET);
		make(&r, DATA, 10);
		response_header(&r, "X-Value", "%s", values[i]);
		assert_int_equal(answer(&r), ERR_OK);
		assert_null(fake_header(&fake, "X-Injected"));
		assert_null(strstr(fake.headers.data, "\r\n\r\n"));
		value = fake_header(&fake, "X-Value");
		assert_non_null(value);
		if (!value)	/* gcc does not know that we are not here */
			return;
		assert_int_equal(strlen(value), strlen(values[i]));
		for (const char *p = value; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		print_message("# %s\n", value);
	}
}

/* A header is whole or there is no answer: half a path is another path. */
static void test_long_headers(void **state)
{
	static const struct {
		size_t len;
		int status;
	} rows[] = {
		{ 100, 200 },  { 1199, 200 }, { 1200, 200 },
		{ 3000, 200 }, { 5000, 413 }, { 9000, 413 },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *value = calloc(1, rows[i].len + 1);
		struct response r;

		print_message("# %zu\n", rows[i].len);
		assert_non_null(value);
		memset(value, 'a', rows[i].len);
		start(METHOD_GET);
		make(&r, DATA, 10);
		r.flags = RESPONSE_ELSEWHERE;
		response_header(&r, "X-Accel-Redirect", "%s", value);
		assert_int_equal(answer(&r), ERR_OK);
		assert_int_equal(fake.status, rows[i].status);
		fake_assert_header(&fake, "X-Accel-Redirect",
				   rows[i].status == 200 ? value : NULL);
		free(value);
	}
}

static const char *const cors[] = {
	"Access-Control-Allow-Origin",	"Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers", "Access-Control-Max-Age",
	"Access-Control-Expose-Headers", "X-Request-Id",
};

static void assert_cors(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cors); i++)
		assert_non_null(fake_header(&fake, cors[i]));
	fake_assert_header(&fake, "Access-Control-Allow-Origin", "*");
}

static void test_cors(void **state)
{
	struct response r;

	UNUSED(state);
	start(METHOD_GET);
	make(&r, DATA, 10);
	assert_int_equal(answer(&r), ERR_OK);
	assert_cors();
	start(METHOD_GET);
	req.headers.if_none_match = ETAG;
	make(&r, DATA, 10);
	assert_int_equal(answer(&r), ERR_OK);
	assert_cors();
	start(METHOD_OPTIONS);
	assert_int_equal(response_send_options(&req), ERR_OK);
	assert_int_equal(fake.status, 204);
	assert_body("");
	assert_cors();
	for (int err = ERR_INPUT; err < ERR_GONE; err++) {
		start(METHOD_GET);
		assert_int_equal(response_send_error(&req, (enum err)err),
				 ERR_OK);
		assert_cors();
	}
}

static void test_errors(void **state)
{
	static const struct {
		enum err err;
		const char *text;
		enum method method;
		const char *body;
	} rows[] = {
		{ ERR_INPUT, "start: is required", METHOD_GET,
		  "start: is required\n" },
		{ ERR_INPUT, "start: is required", METHOD_HEAD, "" },
		{ ERR_NOTFOUND, "", METHOD_GET,
		  "no such channel, quality, hour or file\n" },
		{ ERR_BUSY, "later", METHOD_GET, "later (request an-id)\n" },
		{ ERR_IO, "it broke", METHOD_GET,
		  "it broke (request an-id)\n" },
		{ ERR_METHOD, "not so", METHOD_GET, "not so\n" },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char length[24];

		start(rows[i].method);
		request_set_id(&req, "an-id");
		snprintf(req.error.text, sizeof(req.error.text), "%s",
			 rows[i].text);
		assert_int_equal(response_send_error(&req, rows[i].err),
				 ERR_OK);
		assert_body(rows[i].body);
		snprintf(length, sizeof(length), "%zu",
			 strlen(rows[rows[i].method == METHOD_HEAD ? 0 : i]
					.body));
		fake_assert_header(&fake, "Content-Length", length);
		fake_assert_header(&fake, "X-Request-Id", "an-id");
		fake_assert_header(&fake, "Content-Type", TYPE_PLAIN);
		fake_assert_header(&fake, "Cache-Control", "no-store");
		fake_assert_header(&fake, "Retry-After",
				   rows[i].err == ERR_BUSY ? "5" : NULL);
		fake_assert_header(&fake, "Allow",
				   rows[i].err == ERR_METHOD ?
					   "GET, HEAD, OPTIONS" :
					   NULL);
	}
}

/* What the sink says is what the handler hears, and nothing follows. */
static void test_client_leaves(void **state)
{
	struct response r;

	UNUSED(state);
	start(METHOD_GET);
	fake.write = ERR_GONE;
	make(&r, DATA, 10);
	assert_int_equal(answer(&r), ERR_GONE);
	assert_int_equal(fake.nr_begun, 1);
	assert_int_equal(fake.status, 200);
}

static void test_text(void **state)
{
	struct text *text;
	struct response r;
	char first[4096];

	UNUSED(state);
	for (int i = 0; i < 3; i++) {
		start(METHOD_GET);
		text = text_new(&req.arena, 100);
		text_puts(text, i < 2 ? "same" : "other");
		response_init(&r, &req, TYPE_JSON);
		response_set_text(&r, &req, text);
		assert_int_equal(answer(&r), ERR_OK);
		assert_body(i < 2 ? "same" : "other");
		fake_assert_header(&fake, "Content-Type", TYPE_JSON);
		if (i == 0)
			snprintf(first, sizeof(first), "%s",
				 fake_header(&fake, "ETag"));
		else if (i == 1)
			fake_assert_header(&fake, "ETag", first);
		else
			assert_string_not_equal(fake_header(&fake, "ETag"),
						first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_no_etag),
		cmocka_unit_test(test_empty_body),
		cmocka_unit_test(test_caching),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_gzip_is_no_gain),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_heavy),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_long_headers),
		cmocka_unit_test(test_cors),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_client_leaves),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
