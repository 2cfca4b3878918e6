/* The opening handshake of RFC 6455 section 4.2, and answers that refuse a request. */
#ifndef WS_FANOUT_HANDSHAKE_H
#define WS_FANOUT_HANDSHAKE_H

#include "buffer.h"
#include "request.h"

#define HANDSHAKE_PROTOCOL "mayday.v1"

/* NULL when it may go on as a WebSocket; else why not (static). */
const struct request_refusal *handshake_check(const struct request *request);
/* 101 Switching Protocols. deflate: permessage-deflate was agreed on. */
void handshake_accept(const struct request *request, bool deflate, struct buffer *out);
/* A complete HTTP response with the one error shape. */
void handshake_refuse(const struct request_refusal *refusal, struct buffer *out);
/* "Bad Request" of 400. */
const char *handshake_status_text(unsigned status);

extern const struct request_refusal handshake_too_large, handshake_bad_origin, handshake_full,
	handshake_draining, handshake_too_slow, handshake_bad_path, handshake_bad_method;

#endif
