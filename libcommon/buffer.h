/* A growable run of bytes. data is always followed by a NUL that len does not count, so text can
   be used as a C string. A zeroed struct is an empty buffer. */
#ifndef COMMON_BUFFER_H
#define COMMON_BUFFER_H

#include <stddef.h>

struct buffer {
	char *data; /* owned; NULL until the first append */
	size_t len; /* bytes in use */
	size_t cap; /* bytes allocated, len < cap */
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_append_str(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_append_int(struct buffer *buffer, long long number);
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Room for len more bytes, to be written at data + len by the caller. */
char *buffer_reserve(struct buffer *buffer, size_t len);
/* Drops the first len bytes. */
void buffer_consume(struct buffer *buffer, size_t len);
/* Forgets the bytes, keeps the memory. */
void buffer_clear(struct buffer *buffer);
/* The bytes as a string; "" for an empty buffer. Valid until the buffer changes. */
const char *buffer_str(const struct buffer *buffer);
/* Hands the memory over: the caller frees it; the buffer is empty afterwards. */
char *buffer_take(struct buffer *buffer, size_t *len_r);
void buffer_free(struct buffer *buffer);

#endif
