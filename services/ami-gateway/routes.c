#include "routes.h"

#include "handle_connections.h"

const struct http_route gateway_routes[] = {
	{"GET", "/api/admin/ami/connections", handle_connections, PERMISSION_VIEW_ADMIN, NULL, 0},
	{0},
};
