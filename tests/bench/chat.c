/*
 * chat.c - how long json-c alone takes with files of chat.
 *
 * chat FILE...: reads each, parses every line of it, and prints the same into
 * memory; as the merge must at least do.  One processor.  Prints seconds.
 */
#include "config.h"

#include <json-c/json.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fsutil.h"
#include "base/mem.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_file(const char *path, size_t *size_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(path);
		exit(1);
	}
	*size_r = (size_t)st.st_size;
	data = mem_alloc(*size_r);
	if (fs_read_at(fd, data, *size_r, 0) != st.st_size) {
		perror(path);
		exit(1);
	}
	close(fd);
	return data;
}

/* The bytes printed. */
static size_t through(struct json_tokener *tokener, const char *data,
		      size_t size)
{
	const char *end = data + size;
	size_t printed = 0;

	while (data < end) {
		const char *stop = memchr(data, '\n', (size_t)(end - data));
		struct json_object *object;
		size_t len;

		stop = stop ? stop : end;
		json_tokener_reset(tokener);
		object = json_tokener_parse_ex(tokener, data,
					       (int)(stop - data));
		(void)json_object_to_json_string_length(
			object,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
			&len);
		printed += len;
		json_object_put(object);
		data = stop + 1;
	}
	return printed;
}

int main(int argc, char **argv)
{
	struct json_tokener *tokener = json_tokener_new();
	size_t printed = 0;
	double began = now();

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	for (int i = 1; i < argc; i++) {
		size_t size;
		char *data = read_file(argv[i], &size);

		printed += through(tokener, data, size);
		free(data);
	}
	printf("%.4f %zu\n", now() - began, printed);
	json_tokener_free(tokener);
	return 0;
}
