/* Writes commands in RESP, the protocol of Redis (https://redis.io/docs/reference/protocol-spec/),
   into a buffer: an array of as many bulk strings as the command has words. */
#ifndef COMMON_RESP_H
#define COMMON_RESP_H

#include "buffer.h"

void resp_array(struct buffer *out, size_t count);
void resp_bulk(struct buffer *out, const void *bytes, size_t len);
void resp_text(struct buffer *out, const char *text);
/* A whole command. lens may be NULL: then every word ends at its NUL. */
void resp_command(struct buffer *out, size_t argc, const char *const *argv, const size_t *lens);

#endif
