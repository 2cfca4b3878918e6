/* permessage-deflate (RFC 7692) without context between messages, so that a compressed frame is
   shared by all its readers and no client costs a window. */
#ifndef WS_FANOUT_DEFLATE_H
#define WS_FANOUT_DEFLATE_H

#include "buffer.h"
#include "frame.h"
#include "request.h"

#include <stdbool.h>

/* Whether one of the offers in Sec-WebSocket-Extensions can be taken as we speak it. */
bool deflate_is_offered(struct request_text extensions);
/* A text frame: compressed when that makes it smaller. */
struct frame *deflate_frame(const char *text, size_t len);
/* The payload of a compressed message, as sent. -1: not valid. 1: more than max bytes. */
int deflate_inflate(const char *bytes, size_t len, size_t max, struct buffer *out);

#endif
