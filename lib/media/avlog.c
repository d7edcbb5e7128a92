#include "config.h"

#include "media/avlog.h"

#include <stdio.h>
#include <string.h>

#include <libavutil/error.h>
#include <libavutil/log.h>

#include "base/compiler.h"
#include "base/log.h"

static void log_av(void *owner, int level, const char *fmt, va_list ap)
	PRINTF_LIKE(3, 0);

static void log_av(void *owner, int level, const char *fmt, va_list ap)
{
	char line[256];
	int print_prefix = 1;

	if (level > AV_LOG_ERROR)
		return;
	av_log_format_line2(owner, level, fmt, ap, line, sizeof(line),
			    &print_prefix);
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
}

void avlog_begin(void)
{
	av_log_set_callback(log_av);
}

const char *avlog_text(int averror, char buf[AVLOG_TEXT_SIZE])
{
	if (av_strerror(averror, buf, AVLOG_TEXT_SIZE) < 0)
		snprintf(buf, AVLOG_TEXT_SIZE, "error %d", averror);
	return buf;
}

void av_free_nothing(void *opaque, uint8_t *data)
{
	UNUSED(opaque);
	UNUSED(data);
}
