#include "routes_numbers.h"

const struct http_route number_routes[] = {
	{"GET", "/api/ami/calls/history", handle_history_list, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", "/api/ami/calls/history.csv", handle_history_csv, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", "/api/ami/calls/history/{callId}", handle_history_get, PERMISSION_VIEW_CALLS, NULL,
	 0},
	{0},
};
