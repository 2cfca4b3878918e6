/* GET /api/admin/ami/connections */
#ifndef HANDLE_CONNECTIONS_H
#define HANDLE_CONNECTIONS_H

#include "http_server.h"

void handle_connections(struct http_request *request, void *service);

#endif
