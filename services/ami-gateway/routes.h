#ifndef ROUTES_H
#define ROUTES_H

#include "http_server.h"

/* Handlers get the struct service as context. */
extern const struct http_route gateway_routes[];

#endif
