/* JSON over WebSocket at /ws: docs/live.md. */
#ifndef WS_FANOUT_WEBSOCKET_H
#define WS_FANOUT_WEBSOCKET_H

#include "ws_server.h"

/* See struct ws_endpoint. */
void websocket_open(struct connection *connection, const struct request *request, void *hub);

#endif
