/* The listening socket and everything that is connected to it. */
#ifndef WS_FANOUT_WS_SERVER_H
#define WS_FANOUT_WS_SERVER_H

#include "connection.h"
#include "metrics_list.h"

#include <uv.h>

struct ws_server;

struct ws_hooks {
	/* The handshake is done. What it returns is connection_user(). */
	void *(*on_open)(struct connection *connection, void *context);
	/* text is valid UTF-8 and not NUL-terminated. */
	void (*on_message)(void *user, const char *text, size_t len);
	/* See connection_want_room(). */
	void (*on_room)(void *user);
	/* Once a second for every open connection. */
	void (*on_tick)(void *user);
	/* The socket is gone; connection is not to be used after this. */
	void (*on_gone)(void *user);
};

struct ws_server_settings {
	const char *listen;  /* address:port */
	const char *origins; /* see handshake_origin_allowed() */
	size_t connections_max, message_max, queue_max;
	int64_t ping_ms;
	const struct ws_hooks *hooks;   /* outlives the server */
	void *context;                  /* of on_open */
	struct fanout_metrics *metrics; /* outlives the server */
};

/* NULL with *error_r (static) when it cannot listen. Strings in set must outlive the server. */
struct ws_server *ws_server_open(uv_loop_t *loop, const struct ws_server_settings *set,
				 const char **error_r);
/* No new connections; those that are there are told to go away. */
void ws_server_drain(struct ws_server *server);
/* Writes what waits now, not only at the end of the loop's iteration. */
void ws_server_flush(struct ws_server *server);
size_t ws_server_count(const struct ws_server *server);
/* Open connections with an id above `after`, in order of ids, until fn says false. */
void ws_server_each(const struct ws_server *server, uint64_t after,
		    bool (*fn)(struct connection *connection, void *context), void *context);
/* Cuts what is left: on_gone is called for each before this returns. The loop releases the rest. */
void ws_server_close(struct ws_server **server);

#endif
