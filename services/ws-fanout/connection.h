/* One socket of a WebSocket client, from accept to close: handshake, messages in, frames out, and
   how it ends. Knows nothing of who is behind it. */
#ifndef WS_FANOUT_CONNECTION_H
#define WS_FANOUT_CONNECTION_H

#include "frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

/* RFC 6455 section 7.4.1, then our own: docs/live.md explains each. */
enum close_code {
	CLOSE_NORMAL = 1000,
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_POLICY = 1008,
	CLOSE_TRY_LATER = 1013,
	CLOSE_UNAUTHORIZED = 4401,
	CLOSE_REVOKED = 4403,
	CLOSE_RESYNC = 4408,
	CLOSE_TOO_MANY = 4429
};

/* The frame waits in the outbox until the end of this loop iteration, together with all others for
   this client. Does nothing once the connection is closing. Takes a reference of its own. */
void connection_send(struct connection *connection, struct frame *frame);
/* The same for what was asked for and is bounded by itself: however much waits already. */
void connection_send_reply(struct connection *connection, struct frame *frame);
void connection_send_text(struct connection *connection, const char *text, size_t len);
/* What waits is still sent, then the close frame; what comes from the client is not heard any more.
   reason is copied. Does nothing when the connection is closing already. */
void connection_close(struct connection *connection, enum close_code code, const char *reason);
bool connection_is_open(const struct connection *connection);

/* What waits to be written. */
size_t connection_queued(const struct connection *connection);
size_t connection_queued_frames(const struct connection *connection);
/* The hook on_room is called once when less than a quarter of the bound waits. */
void connection_want_room(struct connection *connection);
bool connection_has_room(const struct connection *connection);

/* Messages larger than this end the connection; until the client is known they may be at most
   PREAUTH_MESSAGE_MAX. */
#define PREAUTH_MESSAGE_MAX 8192
void connection_set_message_max(struct connection *connection, size_t bytes);

uint64_t connection_id(const struct connection *connection);
const char *connection_address(const struct connection *connection);
int64_t connection_since_ms(const struct connection *connection); /* Unix */
void *connection_user(const struct connection *connection);

#endif
