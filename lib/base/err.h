/*
 * err.h - what can go wrong, and the words for it.
 *
 * The code decides, the message informs: nothing parses a message, and nothing
 * shows a client a path of this machine or an errno text that names one.  The
 * lowest function that knows the subject writes the message; its callers pass
 * it up unchanged.
 *
 * Style of messages: lower case, what failed first, the subject in single
 * quotes, no full stop.  What a client sent is quoted through errmsg_quote()
 * where it may be long or strange.
 *
 * A bug of ours is not an error: it is BUG(), which says where and aborts the
 * process.  Nothing that a client or a file on disk can cause is a BUG().
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

#include "base/compiler.h"

#define ERR_LIST(X)                                                            \
	X(OK, "no error")                                                      \
	X(INPUT, "the caller's text is not valid")                             \
	X(FORBIDDEN, "the name is hidden or the feature is disabled")          \
	X(NOTFOUND, "no such channel, quality, hour or file")                  \
	X(METHOD, "the thing exists but not for this method")                  \
	X(HOLES, "the range is not covered, or not fully")                     \
	X(FORMAT, "the source is of a kind that cannot be cut so")            \
	X(LIMIT, "larger than we allow")                                       \
	X(RANGE, "asked for bytes past the end")                               \
	X(UNBUILT, "not configured, or not in this version")                   \
	X(BUSY, "no capacity now; later there will be")                        \
	X(CORRUPT, "stored bytes contradict themselves")                       \
	X(MEDIA, "the media library refused the data")                         \
	X(IO, "a system call failed")                                          \
	X(GONE, "the receiver went away")                                      \
	X(HANDED, "another process has taken over the answer")

enum err {
#define ERR_ENUM(name, text) ERR_##name,
	ERR_LIST(ERR_ENUM)
#undef ERR_ENUM
		ERR_COUNT
};

/*
 * One per request, embedded in its owner.  No allocation, so that it works
 * when memory does not.  An empty string means no message.
 */
struct errmsg {
	char text[320];
};

/* The name of an error as in the list above ("INPUT"), for logs. */
const char *err_name(enum err err);

/* The general meaning of an error, for when there is no message. */
const char *err_text(enum err err);

/* Writes the message and returns err, so that a failure is one statement. */
enum err err_set(struct errmsg *e, enum err err, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A piece of a client's text, printable and short, for use in a message. */
struct errquote {
	char text[72];
};
struct errquote err_quote(const char *text);
struct errquote err_quote_len(const char *text, unsigned long len);

#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
NORETURN void bug_at(const char *file, int line, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#endif
