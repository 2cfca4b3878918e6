/* The REST routes. Their context is the struct hub. */
#ifndef WS_FANOUT_ROUTES_H
#define WS_FANOUT_ROUTES_H

#include "http_server.h"

extern const struct http_route fanout_routes[];

void handle_connections(struct http_request *request, void *hub);
void handle_disconnect(struct http_request *request, void *hub);
void handle_webhooks_list(struct http_request *request, void *hub);
void handle_webhook_add(struct http_request *request, void *hub);
void handle_webhook_get(struct http_request *request, void *hub);
void handle_webhook_change(struct http_request *request, void *hub);
void handle_webhook_remove(struct http_request *request, void *hub);
void handle_webhook_letters(struct http_request *request, void *hub);
void handle_webhook_replay(struct http_request *request, void *hub);

#endif
