/* What call-lifecycle serves beside live calls: agents, queues, the
   history. Handlers' context is the struct
   service. */
#ifndef LIFECYCLE_ROUTES_NUMBERS_H
#define LIFECYCLE_ROUTES_NUMBERS_H

#include "http_server.h"

extern const struct http_route number_routes[];

/* Whose agent it is: the own extension, else who may oversee or manage. */
http_handler_fn guard_agent_view, guard_agent_change;

http_handler_fn handle_agents, handle_agent, handle_agent_pause, handle_agent_unpause,
	handle_agent_log_in, handle_agent_log_out, handle_queues, handle_queue;
http_handler_fn handle_call_stats, handle_historical_stats, handle_agent_time;
http_handler_fn handle_history_list, handle_history_get, handle_history_csv;

#endif
