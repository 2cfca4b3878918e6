/* One TCP connection of a client, from accept to close: the request, then a WebSocket, an answer,
   or a stream of server-sent events. Knows nothing of who is behind it. */
#ifndef WS_FANOUT_CONNECTION_H
#define WS_FANOUT_CONNECTION_H

#include "outlet.h"
#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

/* What happens to a connection, for its user. Any may be NULL. */
struct connection_hooks {
	/* text is valid UTF-8 and not NUL-terminated. */
	void (*on_message)(void *user, const char *text, size_t len);
	/* See outlet_want_room(). */
	void (*on_room)(void *user);
	/* Once a second while it is open. */
	void (*on_tick)(void *user);
	/* The server stops: say so, and close it. */
	void (*on_leaving)(void *user);
	/* It is gone; not to be used after this. */
	void (*on_gone)(void *user);
};

/* Frames and their bound. Open while it is a WebSocket or a stream. */
struct outlet *connection_outlet(struct connection *connection);
/* hooks outlive the connection. NULL, NULL: nobody. */
void connection_set_user(struct connection *connection, void *user,
			 const struct connection_hooks *hooks);
void *connection_user(const struct connection *connection);

/* ---- a WebSocket, or a stream ---- */

/* What waits is still sent, then (on a WebSocket) the close frame; what comes from the client is
   not heard any more. reason is copied. Does nothing when the connection is closing already. */
void connection_close(struct connection *connection, enum close_code code, const char *reason);
/* Messages larger than this end the connection; until the client is known they may be at most
   PREAUTH_MESSAGE_MAX. */
#define PREAUTH_MESSAGE_MAX 8192
void connection_set_message_max(struct connection *connection, size_t bytes);
/* permessage-deflate was agreed on. */
bool connection_deflates(const struct connection *connection);

/* ---- any other request: exactly one of these answers it ---- */

void connection_respond(struct connection *connection, unsigned status, const char *content_type,
			const char *body, size_t len);
/* With the one error shape. */
void connection_refuse(struct connection *connection, const struct request_refusal *refusal);
/* text/event-stream: from here on the outlet is open. */
void connection_stream(struct connection *connection);

/* ---- questions ---- */

uint64_t connection_id(const struct connection *connection);
const char *connection_address(const struct connection *connection);
int64_t connection_since_ms(const struct connection *connection); /* Unix */

#endif
