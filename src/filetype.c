#include "config.h"

#include "filetype.h"

#include <string.h>

#include "archive/segment.h"
#include "base/compiler.h"
#include "response.h"

#define TYPE_SCRIPT "text/javascript; charset=utf-8"

static const struct filetype types[] = {
	{ ".ts", TYPE_MPEGTS, false, false },
	{ ".json", TYPE_JSON, true, false },
	{ ".png", TYPE_PNG, false, false },
	{ ".jpg", TYPE_JPEG, false, false },
	{ ".jpeg", TYPE_JPEG, false, false },
	{ ".gif", "image/gif", false, false },
	{ ".webp", "image/webp", false, false },
	{ ".ico", "image/x-icon", false, false },
	{ ".mp4", "video/mp4", false, false },
	{ ".mkv", "video/x-matroska", false, false },
	{ ".webm", TYPE_WEBM, false, false },
	{ ".m3u8", TYPE_PLAYLIST, true, false },
	{ ".txt", TYPE_PLAIN, true, false },
	{ ".LICENSE", TYPE_PLAIN, true, false },
	{ ".vtt", TYPE_VTT, true, false },
	{ ".woff2", "font/woff2", false, false },
	{ ".webmanifest", "application/manifest+json", true, false },
	{ ".html", "text/html; charset=utf-8", true, true },
	{ ".css", "text/css; charset=utf-8", true, true },
	{ ".js", TYPE_SCRIPT, true, true },
	{ ".mjs", TYPE_SCRIPT, true, true },
	{ ".svg", "image/svg+xml", true, true },
};
static const struct filetype unknown = { "", TYPE_BYTES, false, false };

const struct filetype *filetype_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (segment_has_suffix(path, strlen(path), types[i].suffix))
			return &types[i];
	return &unknown;
}
