#include "routes.h"

#define BASE  "/api/enhanced-transfers"
#define BEGIN PERMISSION_TRANSFER_CALLS, NULL, HTTP_AMI_SESSION | HTTP_IDEMPOTENT | HTTP_JSON_BODY
#define TOUCH PERMISSION_TRANSFER_CALLS, NULL, HTTP_AMI_SESSION | HTTP_IDEMPOTENT

const struct http_route routes[] = {
	{"POST", "/api/ami/calls/{callId}/transfer", handle_short, BEGIN},
	{"POST", BASE "/blind", handle_blind, BEGIN},
	{"POST", BASE "/external", handle_external, BEGIN},
	{"POST", BASE "/queue", handle_queue, BEGIN},
	{"POST", BASE "/managed", handle_managed, BEGIN},
	{"POST", BASE "/complete", handle_complete, BEGIN},
	{"POST", BASE "/{transferId}/toggle", handle_toggle, TOUCH},
	{"POST", BASE "/{transferId}/conference", handle_conference, TOUCH},
	{"DELETE", BASE "/{transferId}", handle_cancel, PERMISSION_TRANSFER_CALLS, NULL,
	 HTTP_AMI_SESSION},
	{"GET", BASE "/{transferId}/state", handle_state, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", BASE "/enhanced-status", handle_list, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", BASE "/capabilities", handle_capabilities, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", BASE "/health", handle_health, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", BASE "/history", handle_history, PERMISSION_VIEW_CALLS, NULL, 0},
	{"GET", BASE "/analytics", handle_analytics, PERMISSION_VIEW_ADMIN, NULL, 0},
	{0},
};
