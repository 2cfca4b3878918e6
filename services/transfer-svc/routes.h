#ifndef TRANSFER_SVC_ROUTES_H
#define TRANSFER_SVC_ROUTES_H

#include "http_server.h"

/* Their context is the struct service. */
extern const struct http_route routes[];

/* handle_begin.c */
http_handler_fn handle_short, handle_blind, handle_external, handle_queue, handle_managed;
/* handle_control.c */
http_handler_fn handle_complete, handle_cancel, handle_toggle, handle_conference;
/* handle_read.c */
http_handler_fn handle_state, handle_list, handle_capabilities, handle_health;
/* handle_history.c */
http_handler_fn handle_history, handle_analytics;

#endif
