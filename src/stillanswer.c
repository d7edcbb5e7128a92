#include "config.h"

#include "stillanswer.h"

#include "base/threads.h"
#include "media/still.h"
#include "observe.h"
#include "response.h"

#define MAX_THREADS 4

int stillanswer_threads(void)
{
	return cores_at_most(MAX_THREADS);
}

/* A damaged source is no failure of ours: there is no picture in it. */
static enum err refuse_damage(struct request *req, enum err err)
{
	return err == ERR_MEDIA || err == ERR_CORRUPT ?
		       err_set(&req->error, ERR_HOLES,
			       "contains holes: the picture of that moment "
			       "cannot be decoded") :
		       err;
}

static enum err find_still(struct request *req, usec_t timestamp_us,
			   struct still *still)
{
	struct hourreader *reader;
	enum err err = request_reader(req, &reader);

	return err ? err :
		     still_find(&req->arena, reader, timestamp_us, req->now_us,
				still, &req->error);
}

static enum err extract(struct request *req, const struct stillanswer *answer,
			const struct still *still, const uint8_t **data_r,
			size_t *size_r)
{
	const AVFrame *frame;
	struct picture picture;
	struct work work;
	enum err err;

	work_begin(&work);
	err = refuse_damage(req, still_decode(&req->arena, still,
					      stillanswer_threads(), &frame,
					      &req->error));
	if (!err)
		err = answer->draw(req, frame, answer->ctx, &picture);
	if (!err)
		err = picfile_encode(&req->arena, &picture, answer->kind,
				     stillanswer_threads(), data_r, size_r,
				     &req->error);
	work_end(&work, req, WORK_EXTRACT_FRAME, "", 1, err);
	return err;
}

enum err stillanswer_send(struct request *req, const struct stillanswer *answer)
{
	const uint8_t *data;
	size_t size;
	bool is_post = req->method == METHOD_POST;
	struct still still;
	struct response r;
	enum err err = refuse_damage(
		req, find_still(req, answer->timestamp_us, &still));

	if (err)
		return err;
	response_init(&r, req,
		      answer->kind == PICFILE_PNG ? TYPE_PNG : TYPE_JPEG);
	r.has_etag = !is_post;
	r.etag[0] = still.hash[0] ^ answer->version[0];
	r.etag[1] = still.hash[1] ^ answer->version[1];
	if (is_post)
		r.flags = RESPONSE_NO_STORE;
	else if (still.plan.cover.is_settled && !answer->may_change)
		r.flags = RESPONSE_FINAL;
	if (response_is_known(req, &r))
		return response_send(req, &r);
	err = extract(req, answer, &still, &data, &size);
	if (err)
		return err;
	response_set_bytes(&r, req, data, size);
	return response_send(req, &r);
}
