/* Server-sent events at /api/events, for programs that have no WebSocket: docs/live.md. */
#ifndef WS_FANOUT_SSE_H
#define WS_FANOUT_SSE_H

#include "ws_server.h"

/* See struct ws_endpoint. */
void sse_request(struct connection *connection, const struct request *request, const char *body,
		 size_t len, void *hub);

#endif
