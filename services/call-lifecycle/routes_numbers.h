/* What call-lifecycle serves beside live calls: the history. Handlers' context is the struct
   service. */
#ifndef LIFECYCLE_ROUTES_NUMBERS_H
#define LIFECYCLE_ROUTES_NUMBERS_H

#include "http_server.h"

extern const struct http_route number_routes[];

http_handler_fn handle_history_list, handle_history_get, handle_history_csv;

#endif
