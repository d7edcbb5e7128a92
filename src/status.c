#include "config.h"

#include "status.h"

#include <stddef.h>

static const struct {
	int http;
	int exit;
} of[] = {
	[ERR_OK] = { 200, 0 },
	[ERR_INPUT] = { 400, 2 },
	[ERR_FORBIDDEN] = { 403, 3 },
	[ERR_NOTFOUND] = { 404, 4 },
	[ERR_METHOD] = { 405, 2 },
	[ERR_HOLES] = { 406, 6 },
	[ERR_FORMAT] = { 406, 6 },
	[ERR_LIMIT] = { 413, 2 },
	[ERR_RANGE] = { 416, 2 },
	[ERR_UNBUILT] = { 501, 5 },
	[ERR_BUSY] = { 503, 7 },
	[ERR_CORRUPT] = { 500, 1 },
	[ERR_MEDIA] = { 500, 1 },
	[ERR_IO] = { 500, 1 },
	[ERR_GONE] = { 499, 1 }, /* never sent; for the metrics */
	[ERR_HANDED] = { 0, 0 }, /* not ours to say any more */
};
_Static_assert(ARRAY_SIZE(of) == ERR_COUNT, "an error has no status");

int status_of(enum err err)
{
	return of[err].http;
}

int exit_status_of(enum err err)
{
	return of[err].exit;
}

const char *status_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 304, "Not Modified" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 412, "Precondition Failed" },
		{ 413, "Payload Too Large" },
		{ 416, "Range Not Satisfiable" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}
