/*
 * fuzz_probe.c - any bytes as a segment.
 *
 * Seeds: a few small real segments; tests/unit/test_probe.c has the ffmpeg
 * commands.
 */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "media/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("segment", MFD_CLOEXEC);
	struct hour_media media;
	struct errmsg e;

	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (probe_segment(fd, &media, &e) == ERR_OK &&
	    !memchr(media.codecs, '\0', sizeof(media.codecs)))
		abort();
	close(fd);
	return 0;
}
