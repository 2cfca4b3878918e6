#include "routes.h"

const struct http_route fanout_routes[] = {
	{"GET", "/api/admin/ws/connections", handle_connections, PERMISSION_VIEW_ADMIN, NULL, 0},
	{"DELETE", "/api/admin/ws/connections/{connectionId}", handle_disconnect,
	 PERMISSION_MANAGE_USERS, NULL, 0},
	{"GET", "/api/webhooks", handle_webhooks_list, PERMISSION_MANAGE_PBX, NULL, 0},
	{"POST", "/api/webhooks", handle_webhook_add, PERMISSION_MANAGE_PBX, NULL, HTTP_JSON_BODY},
	{"GET", "/api/webhooks/{webhookId}", handle_webhook_get, PERMISSION_MANAGE_PBX, NULL, 0},
	{"PUT", "/api/webhooks/{webhookId}", handle_webhook_change, PERMISSION_MANAGE_PBX, NULL,
	 HTTP_JSON_BODY},
	{"DELETE", "/api/webhooks/{webhookId}", handle_webhook_remove, PERMISSION_MANAGE_PBX, NULL,
	 0},
	{"GET", "/api/webhooks/{webhookId}/dead-letters", handle_webhook_letters,
	 PERMISSION_MANAGE_PBX, NULL, 0},
	{"POST", "/api/webhooks/{webhookId}/replay", handle_webhook_replay, PERMISSION_MANAGE_PBX,
	 NULL, HTTP_JSON_BODY},
	{0},
};
