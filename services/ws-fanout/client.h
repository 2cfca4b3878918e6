/* Who is behind a connection, a Socket.IO namespace or a stream: principal, rooms, what is still
   missed. */
#ifndef WS_FANOUT_CLIENT_H
#define WS_FANOUT_CLIENT_H

#include "hub.h"
#include "outlet.h"
#include "principal.h"
#include "rooms.h"

#include "json.h"

struct acks;
struct catchup;
struct client;
struct team_filter;
struct type_filter;

/* How messages reach it, whatever they say. */
struct client_protocol {
	const char *name; /* "websocket" */
	/* text is {"type": type, ...}; id is NULL, or what the client's message had. */
	void (*send)(struct client *client, const char *type, const char *id, const char *text,
		     size_t len);
	/* The client is known: whatever comes before the welcome. May be NULL. */
	void (*admit)(struct client *client);
	/* What the client follows has changed. May be NULL. */
	void (*followed)(struct client *client);
	/* The end: what waits is still sent. */
	void (*end)(struct client *client, enum close_code code, const char *reason);
};

struct client {
	struct occupant occupant; /* first: rooms know clients by it */
	struct hub *hub;
	struct client *prev, *next; /* of the hub, in order of ids */
	const struct client_protocol *protocol;
	struct outlet *outlet;     /* NULL when it is gone */
	void *carrier;             /* of the protocol */
	struct catchup *catchup;   /* NULL: every topic is live */
	struct acks *acks;         /* NULL: it does not acknowledge */
	struct type_filter *types; /* NULL: events of every type */
	struct team_filter *teams; /* NULL: events of everyone */
	struct principal who;      /* valid when known */
	uint64_t id;
	int64_t since_ms;         /* Unix */
	int64_t auth_deadline_ms; /* monotonic, for the first message */
	unsigned refs;            /* one for the carrier, one for each answer that is on its way */
	uint8_t format;           /* enum event_format */
	uint8_t topic;            /* TOPIC_COUNT: no namespace of one topic alone */
	bool known, checking;
	char address[46];
};

/* The caller holds one reference, and gives it up with client_leave(). */
struct client *client_new(struct hub *hub, const struct client_protocol *protocol,
			  struct outlet *outlet, const char *address, int64_t since_ms);
/* Nothing more reaches it. Gives up the caller's reference. */
void client_leave(struct client **client);
struct client *client_ref(struct client *client);
void client_unref(struct client **client);
/* Once a second: the end of the token, and what waits for Redis. */
void client_tick(struct client *client);
/* Whether something that is sent would still reach it. */
bool client_is_open(const struct client *client);

/* ---- messages to it ---- */

struct answer {
	struct json_writer json;
	struct buffer text;
	const char *type, *id;
};

/* {"type": <type>, "id": <id>, is begun, the id where it is not NULL; the caller adds fields. The
   struct must not move. */
void answer_begin(struct answer *answer, const char *type, const char *id);
/* Ends the object, sends it, frees it. */
void client_answer(struct client *client, struct answer *answer);
void client_error(struct client *client, const char *code, const char *message, const char *id);
/* An error, then the end. */
void client_refuse(struct client *client, const char *code, const char *message, const char *id,
		   enum close_code close_code);
void client_end(struct client *client, enum close_code code, const char *reason);
/* One that the client sits in a room for: left out when it follows other types only, or when it is
   of other teams. */
void client_send_event(struct client *client, struct event *event);
/* Up to where it has everything, for each topic. at_r holds TOPIC_COUNT. */
void client_positions(const struct client *client, struct entry_id *at_r);

/* ---- rooms ---- */

/* "topics": [{"topic": "call"}, {"topic": "agent", "extensions": ["1001"], "types": [...]}] */
void client_write_topics(const struct client *client, struct json_writer *writer);
/* "connectionId" */
void client_write_id(const struct client *client, struct json_writer *writer);
/* Every topic that the role may follow, as far as it may; session and ami only when asked for. */
void client_join_default(struct client *client);

#endif
