#include "routes_numbers.h"

const struct http_route number_routes[] = {
	{"GET", "/api/ami/agents", handle_agents, PERMISSION_MONITOR_CALLS, NULL, 0},
	{"GET", "/api/ami/agents/{extension}", handle_agent, PERMISSION_VIEW_CALLS,
	 guard_agent_view, 0},
	{"PUT", "/api/ami/agents/{extension}/pause", handle_agent_pause, PERMISSION_VIEW_CALLS,
	 guard_agent_change, HTTP_AMI_SESSION | HTTP_JSON_BODY},
	{"PUT", "/api/ami/agents/{extension}/unpause", handle_agent_unpause, PERMISSION_VIEW_CALLS,
	 guard_agent_change, HTTP_AMI_SESSION | HTTP_JSON_BODY},
	{"PUT", "/api/ami/agents/{extension}/queues/{name}", handle_agent_log_in,
	 PERMISSION_VIEW_CALLS, guard_agent_change, HTTP_AMI_SESSION},
	{"DELETE", "/api/ami/agents/{extension}/queues/{name}", handle_agent_log_out,
	 PERMISSION_VIEW_CALLS, guard_agent_change, HTTP_AMI_SESSION},
	{"GET", "/api/ami/queues", handle_queues, PERMISSION_MONITOR_CALLS, NULL, 0},
	{"GET", "/api/ami/queues/{name}", handle_queue, PERMISSION_MONITOR_CALLS, NULL, 0},
	{"GET", "/api/ami/calls/history", handle_history_list, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", "/api/ami/calls/history.csv", handle_history_csv, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", "/api/ami/calls/history/{callId}", handle_history_get, PERMISSION_VIEW_CALLS, NULL,
	 0},
	{0},
};
