#include "buffer.h"

#include "mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST 128

char *buffer_reserve(struct buffer *buffer, size_t len)
{
	size_t cap = buffer->cap > 0 ? buffer->cap : BUFFER_FIRST;

	assert(len < SIZE_MAX / 4 && buffer->len < SIZE_MAX / 4);
	while (cap <= buffer->len + len)
		cap *= 2;
	if (cap != buffer->cap) {
		buffer->data = mem_grow(buffer->data, cap);
		buffer->cap = cap;
	}
	return buffer->data + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
	char *end = buffer_reserve(buffer, len);

	if (len > 0)
		memcpy(end, bytes, len);
	end[len] = '\0';
	buffer->len += len;
}

void buffer_append_str(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

void buffer_append_char(struct buffer *buffer, char byte)
{
	buffer_append(buffer, &byte, 1);
}

void buffer_append_int(struct buffer *buffer, long long number)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	unsigned long long rest =
		number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (number < 0)
		*--at = '-';
	buffer_append(buffer, at, (size_t)(digits + sizeof(digits) - at));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	va_list again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(len >= 0);
	vsnprintf(buffer_reserve(buffer, (size_t)len), (size_t)len + 1, format, again);
	va_end(again);
	buffer->len += (size_t)len;
}

void buffer_consume(struct buffer *buffer, size_t len)
{
	assert(len <= buffer->len);
	if (len == 0)
		return;
	buffer->len -= len;
	memmove(buffer->data, buffer->data + len, buffer->len + 1);
}

void buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

const char *buffer_str(const struct buffer *buffer)
{
	return buffer->data != NULL ? buffer->data : "";
}

char *buffer_take(struct buffer *buffer, size_t *len_r)
{
	char *data = buffer->data != NULL ? buffer->data : mem_strdup("");

	if (len_r != NULL)
		*len_r = buffer->len;
	*buffer = (struct buffer){0};
	return data;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
