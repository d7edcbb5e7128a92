/*
 * stillanswer.h - a picture made of that of a moment, as an answer.
 *
 * What /frame and /thumbnail share: the picture is found and decoded, drawn
 * upon by its handler, and sent as a file.  For a process of its own.
 */
#ifndef SRC_STILLANSWER_H
#define SRC_STILLANSWER_H

#include <libavutil/frame.h>

#include "picture/picfile.h"
#include "request.h"

struct stillanswer {
	usec_t timestamp_us;
	enum picfile_kind kind;
	/* For the ETag: what the bytes depend on beside the picture. */
	uint64_t version[2];
	bool may_change; /* that, for the same URL */
	enum err (*draw)(struct request *req, const AVFrame *frame,
			 const void *ctx, struct picture *picture_r);
	const void *ctx; /* of draw */
};

/* How many to draw with. */
int stillanswer_threads(void);

/* The answer to a POST has no ETag and is kept nowhere. */
enum err stillanswer_send(struct request *req,
			  const struct stillanswer *answer) MUST_CHECK;

#endif
