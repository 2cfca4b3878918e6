/* Who is behind a connection: principal, rooms, what is still missed. */
#ifndef WS_FANOUT_CLIENT_H
#define WS_FANOUT_CLIENT_H

#include "connection.h"
#include "hub.h"
#include "principal.h"
#include "rooms.h"

#include "json.h"

struct catchup;

struct client {
	struct occupant occupant; /* first: rooms know clients by it */
	struct hub *hub;
	struct connection *connection; /* NULL when the socket is gone */
	struct catchup *catchup;       /* NULL: every topic is live */
	struct principal who;          /* valid when known */
	int64_t auth_deadline_ms;      /* monotonic, for the first message */
	unsigned refs; /* one for the connection, one for each answer that is on its way */
	bool known, checking;
};

extern const struct ws_hooks client_hooks;

struct client *client_ref(struct client *client);
void client_unref(struct client **client);

/* {"type": <type> is begun, id is echoed when it is not NULL; the caller adds fields. */
struct json_writer client_message(struct buffer *out, const char *type, const char *id);
/* Ends the object, sends it, frees the buffer. */
void client_send(struct client *client, struct json_writer *writer, struct buffer *out);
void client_error(struct client *client, const char *code, const char *message, const char *id);
/* An error, then the end. */
void client_refuse(struct client *client, const char *code, const char *message, const char *id,
		   enum close_code close_code);
/* "topics": [{"topic": "call"}, {"topic": "agent", "extensions": ["1001"]}] */
void client_write_topics(const struct client *client, struct json_writer *writer);
/* Every topic that the role may follow, as far as it may; session and ami only when asked for. */
void client_join_default(struct client *client);

#endif
