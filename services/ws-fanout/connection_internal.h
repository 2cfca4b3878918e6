/* Between connection.c (one socket) and ws_server.c (all of them). */
#ifndef WS_FANOUT_CONNECTION_INTERNAL_H
#define WS_FANOUT_CONNECTION_INTERNAL_H

#include "buffer.h"
#include "input.h"
#include "outbox.h"
#include "ws_server.h"

enum connection_state {
	CONNECTION_HANDSHAKE,
	CONNECTION_OPEN,
	CONNECTION_CLOSING, /* the last bytes are on their way; what comes in is thrown away */
	CONNECTION_CLOSED   /* uv_close() was called */
};

struct ws_server {
	uv_loop_t *loop;
	struct ws_server_settings set;
	uv_tcp_t listener;
	uv_prepare_t flusher; /* before the loop sleeps: writes what this iteration has queued */
	struct timer *ticker;
	struct frame *ping;
	struct connection *first, *last; /* in order of ids */
	struct connection *dirty;        /* those that have something to write */
	size_t count;
	uint64_t next_id;
	unsigned handles; /* of the server itself that are not closed yet */
	bool draining, closing;
	char read_buffer[65536]; /* shared: libuv reads and delivers in one go */
};

struct connection {
	uv_tcp_t tcp; /* first; its data points here */
	struct ws_server *server;
	struct connection *prev, *next;
	struct connection *next_dirty;
	void *user;
	uint64_t id;
	int64_t since_ms;                   /* Unix */
	int64_t deadline_ms;                /* monotonic: of the handshake, of closing; 0: none */
	int64_t heard_ms, message_since_ms; /* monotonic */
	struct buffer head;                 /* of the handshake; empty afterwards */
	struct input *input;
	struct outbox outbox;
	uv_write_t *writing; /* under way: NULL when none */
	size_t writing_len;
	size_t message_max;
	uint16_t tokens; /* messages that the client may send now */
	uint8_t state;
	uint8_t pings; /* sent since the client was heard */
	bool is_dirty, wants_room;
	bool finish;    /* closing: nothing more is expected but the end of the stream */
	bool shut_down; /* our end of the stream was sent */
	char address[46];
};

struct handshake_refusal;

/* Takes over one pending connection of the listener. */
void connection_accept(struct ws_server *server);
int connection_read_start(struct connection *connection);
/* Answers the handshake with an error, and closes. */
void connection_refuse(struct connection *connection, const struct handshake_refusal *refusal);
/* The last frame; then the client's answer to it (a close frame) and the end of the stream are
   waited for, up to a deadline. */
void connection_finish(struct connection *connection, struct frame *last, bool expect_answer);
/* Writes as much as the socket takes. */
void connection_flush(struct connection *connection);
/* Deadlines, pings, the allowance of messages. Once a second. */
void connection_tick(struct connection *connection, int64_t now_ms);
/* Ends it now. The memory is released by the loop. */
void connection_abort(struct connection *connection);

void ws_server_add(struct ws_server *server, struct connection *connection);
void ws_server_remove(struct ws_server *server, struct connection *connection);
void ws_server_mark_dirty(struct ws_server *server, struct connection *connection);

#endif
