#include "routes.h"

const struct http_route fanout_routes[] = {
	{"GET", "/api/admin/ws/connections", handle_connections, PERMISSION_VIEW_ADMIN, NULL, 0},
	{"DELETE", "/api/admin/ws/connections/{connectionId}", handle_disconnect,
	 PERMISSION_MANAGE_USERS, NULL, 0},
	{0},
};
