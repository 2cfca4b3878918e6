/* Between connection*.c (one socket) and ws_server.c (all of them). */
#ifndef WS_FANOUT_CONNECTION_INTERNAL_H
#define WS_FANOUT_CONNECTION_INTERNAL_H

#include "buffer.h"
#include "input.h"
#include "ws_server.h"

enum connection_state {
	CONNECTION_REQUEST, /* head, and body if there is one */
	CONNECTION_WAITING, /* for the answer of whoever took the request */
	CONNECTION_OPEN,    /* a WebSocket */
	CONNECTION_STREAM,  /* server-sent events */
	CONNECTION_CLOSING, /* the last bytes are on their way; what comes in is thrown away */
	CONNECTION_CLOSED   /* uv_close() was called */
};

struct ws_server {
	uv_loop_t *loop;
	struct ws_server_settings set;
	struct outlet_limits limits;
	uv_tcp_t listener;
	uv_prepare_t flusher; /* before the loop sleeps: writes what this iteration has queued */
	struct timer *ticker, *drainer;
	struct frame *ping, *comment;    /* to see whether a WebSocket, a stream is alive */
	struct connection *first, *last; /* in order of ids */
	struct connection *dirty;        /* those that have something to write */
	size_t count;
	uint64_t next_id;
	unsigned handles; /* of the server itself that are not closed yet */
	int64_t drain_started_ms, drain_ms;
	size_t drain_count, drain_closed;
	bool draining, closing;
	char read_buffer[65536]; /* shared: libuv reads and delivers in one go */
};

struct connection {
	uv_tcp_t tcp; /* first; its data points here */
	struct outlet outlet;
	struct ws_server *server;
	struct connection *prev, *next;
	struct connection *next_dirty;
	void *user;
	const struct connection_hooks *hooks;
	char *origin; /* of a plain request from another site that may connect; owned */
	uint64_t id;
	int64_t since_ms;                   /* Unix */
	int64_t deadline_ms;                /* monotonic: of the request, of closing; 0: none */
	int64_t heard_ms, message_since_ms; /* monotonic */
	struct buffer head;                 /* head and body of the request; empty afterwards */
	struct input *input;
	uv_write_t *writing; /* under way: NULL when none */
	size_t writing_len;
	size_t message_max;
	uint16_t tokens; /* messages that the client may send now */
	uint8_t state;
	uint8_t pings; /* sent since the client was heard */
	bool is_dirty, deflate;
	bool finish;    /* closing: nothing more is expected but the end of the stream */
	bool shut_down; /* our end of the stream was sent */
	char address[46];
};

/* Takes over one pending connection of the listener. */
void connection_accept(struct ws_server *server);
int connection_read_start(struct connection *connection);
/* Bytes of the request; bytes of WebSocket frames. */
void connection_take_request(struct connection *connection, const char *bytes, size_t len);
void connection_take_frames(struct connection *connection, const char *bytes, size_t len);
/* The last frame (or NULL); then the client's answer to it (a close frame) and the end of the
   stream are waited for, up to a deadline. */
void connection_finish(struct connection *connection, struct frame *last, bool expect_answer);
/* Writes as much as the socket takes. */
void connection_flush(struct connection *connection);
/* Deadlines, pings, the allowance of messages. Once a second. */
void connection_tick(struct connection *connection, int64_t now_ms);
/* The server stops: told to come back, at a moment of its own. */
void connection_go_away(struct connection *connection);
/* Ends it now. The memory is released by the loop. */
void connection_abort(struct connection *connection);

void ws_server_add(struct ws_server *server, struct connection *connection);
void ws_server_remove(struct ws_server *server, struct connection *connection);
void ws_server_mark_dirty(struct ws_server *server, struct connection *connection);

#endif
