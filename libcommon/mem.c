#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *there(void *memory, size_t size)
{
	if (memory == NULL && size > 0) {
		fprintf(stderr, "level=error msg=\"out of memory\" bytes=%zu\n", size);
		abort();
	}
	return memory;
}

void *mem_alloc(size_t size)
{
	return there(calloc(1, size), size);
}

void *mem_alloc_array(size_t size, size_t count)
{
	return there(calloc(count, size), count > 0 ? size : 0);
}

void *mem_grow(void *memory, size_t size)
{
	return there(realloc(memory, size), size);
}

char *mem_strdup(const char *text)
{
	return text != NULL ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *mem_vprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return there(text, 1);
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = mem_vprintf(format, args);
	va_end(args);
	return text;
}
