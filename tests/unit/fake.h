/*
 * fake.h - a client that remembers its answer, and a request for it.
 *
 * Everything an answer can do to a client is recorded; go_heavy answers what
 * the test says.  A request is made over a server that has only settings,
 * unless the test opens more of it.
 */
#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include "base/text.h"
#include "client.h"
#include "request.h"
#include "server.h"
#include "unit.h"

#define FAKE_MAX ((size_t)64 * 1024 * 1024)

struct fake {
	struct client client;
	struct sink sink;
	enum err heavy; /* what go_heavy answers */
	enum err write; /* what the sink answers */
	/* recorded */
	unsigned nr_heavy;
	unsigned nr_begun;
	int status;
	uint64_t length;
	struct text headers;
	struct text body;
};

static inline enum err fake_begin(struct client *c,
				  const struct response_head *head,
				  struct errmsg *e)
{
	struct fake *f = (struct fake *)c;

	UNUSED(e);
	f->nr_begun++;
	f->status = head->status;
	f->length = head->length;
	text_clear(&f->headers);
	text_append(&f->headers, head->headers->data, head->headers->len);
	return ERR_OK;
}

static inline enum err fake_go_heavy(struct client *c, struct errmsg *e)
{
	struct fake *f = (struct fake *)c;

	f->nr_heavy++;
	return f->heavy ? err_set(e, f->heavy, "no place") : ERR_OK;
}

static inline struct fake *fake_of_sink(struct sink *s)
{
	return (void *)((char *)s - offsetof(struct fake, sink));
}

static inline enum err fake_write(struct sink *s, const struct iovec *iov,
				  int nr_iov, struct errmsg *e)
{
	struct fake *f = fake_of_sink(s);

	if (f->write)
		return err_set(e, f->write, "the sink is told to fail");
	for (int i = 0; i < nr_iov; i++)
		text_append(&f->body, iov[i].iov_base, iov[i].iov_len);
	assert_false(f->body.overflowed);
	return ERR_OK;
}

static inline void fake_init(struct fake *f)
{
	*f = (struct fake){
		.client = { .begin = fake_begin,
			    .expect_long = fake_go_heavy,
			    .go_heavy = fake_go_heavy },
		.sink = { .write = fake_write,
			  .copy_file = sink_copy_by_reading },
	};
	f->client.sink = &f->sink;
	text_init(&f->headers, FAKE_MAX);
	text_init(&f->body, FAKE_MAX);
}

static inline void fake_release(struct fake *f)
{
	text_release(&f->headers);
	text_release(&f->body);
}

/* The value of a header, or NULL; it stays until the next call. */
static inline const char *fake_header(const struct fake *f, const char *name)
{
	static char value[4096];
	size_t len = strlen(name);

	for (const char *p = f->headers.data; p && *p;) {
		size_t line = strcspn(p, "\r");

		assert_memory_equal(p + line, "\r\n", 2);
		if (!strncasecmp(p, name, len) && p[len] == ':') {
			snprintf(value, sizeof(value), "%.*s",
				 (int)(line - len - 2), p + len + 2);
			return value;
		}
		p += line + 2;
	}
	return NULL;
}

/* Compares a header with what is expected of it, NULL if it must be absent. */
static inline void fake_assert_header(const struct fake *f, const char *name,
				      const char *expected)
{
	const char *value = fake_header(f, name);

	print_message("# %s: %s\n", name, value ? value : "(absent)");
	if (!expected) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_string_equal(value, expected);
}

/* A server over the scratch directory as its archive, without a cache. */
static inline int fake_open_server(struct server *server,
				   struct settings *settings)
{
	static char *argv[] = { (char *)"restreamer",
				(char *)"--cache",
				(char *)"none",
				(char *)"--base",
				NULL,
				NULL };
	struct errmsg e;
	int nr_words;

	argv[4] = unit_dir;
	return settings_read(settings, OPTIONS_SERVE, 5, argv, NULL, NULL,
			     &nr_words, &e) ||
			       server_open(server, settings, &e) ?
		       -1 :
		       0;
}

#endif
