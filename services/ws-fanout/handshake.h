/* The opening handshake of RFC 6455 section 4.2, strict: one GET, no body, no folded lines. */
#ifndef WS_FANOUT_HANDSHAKE_H
#define WS_FANOUT_HANDSHAKE_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define HANDSHAKE_MAX      8192 /* bytes of the request's head */
#define HANDSHAKE_PATH     "/ws"
#define HANDSHAKE_PROTOCOL "mayday.v1"

struct handshake {
	char path[64];
	char host[256];
	char origin[256]; /* "" when not from a browser */
	char key[25];
	char real_ip[46]; /* X-Real-IP: to be believed only from our own proxy */
	bool protocol;    /* mayday.v1 is among the subprotocols offered */
	bool other_protocols;
};

struct handshake_refusal {
	unsigned status;
	const char *code, *message; /* of the error body */
};

/* Length of the request's head with its blank line, 0 when it is not complete yet. */
size_t handshake_head_len(const char *bytes, size_t len);
/* Reads a complete head. NULL when it may go on; else why not (static). */
const struct handshake_refusal *handshake_parse(const char *head, size_t len,
						struct handshake *handshake_r);
/* allowed: origins parted by blanks, "*" for any, "" for none but the server's own host. */
bool handshake_origin_allowed(const struct handshake *handshake, const char *allowed);
/* 101 Switching Protocols. */
void handshake_accept(const struct handshake *handshake, struct buffer *out);
/* A complete HTTP response with the one error shape. */
void handshake_refuse(const struct handshake_refusal *refusal, struct buffer *out);

extern const struct handshake_refusal handshake_too_large, handshake_bad_origin, handshake_full,
	handshake_draining, handshake_too_slow;

#endif
