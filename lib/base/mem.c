#include "config.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void *checked(void *ptr, size_t size)
{
	if (!ptr) {
		log_error("out of memory for %zu bytes", size);
		exit(EXIT_FAILURE);
	}
	return ptr;
}

void *mem_alloc(size_t size)
{
	return checked(malloc(size ? size : 1), size);
}

void *mem_zero(size_t size)
{
	return checked(calloc(1, size ? size : 1), size);
}

void *mem_resize(void *ptr, size_t size)
{
	return checked(realloc(ptr, size ? size : 1), size);
}

char *mem_strdup(const char *text)
{
	return checked(strdup(text), strlen(text) + 1);
}
