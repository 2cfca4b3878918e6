#include "routes.h"

const struct http_route fanout_routes[] = {
	{"GET", "/api/admin/ws/connections", handle_connections, PERMISSION_VIEW_ADMIN, NULL, 0},
	{0},
};
