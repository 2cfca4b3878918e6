/* Between eio.c (sessions), eio_poll.c (long polls) and eio_socket.c (WebSockets). */
#ifndef WS_FANOUT_EIO_INTERNAL_H
#define WS_FANOUT_EIO_INTERNAL_H

#include "eio.h"
#include "ids.h"

struct eio {
	struct hub *hub;
	struct timer *ticker;
	void *tree; /* of sessions, by sid: tsearch() */
	struct eio_session *first, *ended;
	struct frame *ping, *noop;
	size_t count;
};

/* On a WebSocket when socket is there, else on polls. */
struct eio_session {
	char sid[ID_RANDOM_LEN + 1]; /* first: the key of the tree */
	struct eio *eio;
	struct eio_session *prev, *next;
	struct outlet polling; /* what waits for the next poll */
	struct connection *socket;
	struct connection *probe; /* a WebSocket that wants to take over */
	struct connection *poll;  /* a poll that waits for something to be sent */
	struct sio_namespace *namespaces;
	int64_t since_ms;               /* Unix */
	int64_t pinged_ms, deadline_ms; /* monotonic; deadline 0: no ping is unanswered */
	uint16_t tokens;                /* packets that it may send by polls now */
	bool is_over, trusted;
	char address[46];
};

/* NULL: no such session. */
struct eio_session *eio_find(struct eio *eio, const char *sid);
/* NULL: too many. */
struct eio_session *eio_session_new(struct eio *eio, struct connection *connection);
/* 0{"sid": ...}: upgrades for a session on polls. */
void eio_write_open(const struct eio_session *session, bool upgrades, struct buffer *out);
/* A packet from the client, whatever brought it. */
void eio_take(struct eio_session *session, const char *packet, size_t len);
/* Sends what waits in answer to the poll that is there; noop when nothing waits. */
void eio_answer_poll(struct eio_session *session);

#endif
