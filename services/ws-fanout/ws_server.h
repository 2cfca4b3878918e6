/* The listening socket and everything that is connected to it. */
#ifndef WS_FANOUT_WS_SERVER_H
#define WS_FANOUT_WS_SERVER_H

#include "connection.h"
#include "metrics_list.h"

#include <uv.h>

struct ws_server;

/* A path, and what is there. */
struct ws_endpoint {
	const char *path; /* NULL ends the table */
	/* A WebSocket was opened: gives it a user. NULL: there are none here. request is borrowed.
	 */
	void (*on_open)(struct connection *connection, const struct request *request,
			void *context);
	/* Any other GET or POST: answers it, now or later. NULL: only WebSockets are here. */
	void (*on_request)(struct connection *connection, const struct request *request,
			   const char *body, size_t len, void *context);
};

struct ws_server_settings {
	const char *listen;  /* address:port */
	const char *origins; /* see request_origin_allowed() */
	size_t connections_max, message_max, queue_max;
	int64_t ping_ms;
	bool deflate;                        /* for clients that ask for it */
	int64_t drain_ms;                    /* over so long sockets are closed, by and by */
	const struct ws_endpoint *endpoints; /* outlives the server */
	void *context;                       /* of the endpoints */
	struct fanout_metrics *metrics;      /* outlives the server */
};

/* NULL with *error_r (static) when it cannot listen. Strings in set must outlive the server. */
struct ws_server *ws_server_open(uv_loop_t *loop, const struct ws_server_settings *set,
				 const char **error_r);
/* No new connections; those that are there are closed, spread over drain_ms, so that not all come
   back at once. */
void ws_server_drain(struct ws_server *server);
/* Writes what waits now, not only at the end of the loop's iteration. */
void ws_server_flush(struct ws_server *server);
const struct outlet_limits *ws_server_limits(const struct ws_server *server);
size_t ws_server_count(const struct ws_server *server);
/* Cuts what is left: on_gone is called for each before this returns. The loop releases the rest. */
void ws_server_close(struct ws_server **server);

#endif
