#include "routes.h"

const struct http_route routes[] = {
	{"POST", "/api/ami/calls/originate", handle_originate, PERMISSION_MAKE_CALLS, NULL,
	 HTTP_AMI_SESSION | HTTP_IDEMPOTENT | HTTP_JSON_BODY},
	{"GET", "/api/ami/calls", handle_list, PERMISSION_VIEW_CALLS, NULL, HTTP_AMI_SESSION},
	{"GET", "/api/ami/calls/{callId}", handle_get, PERMISSION_VIEW_CALLS, guard_call,
	 HTTP_AMI_SESSION},
	{"DELETE", "/api/ami/calls/{callId}", handle_hang_up, PERMISSION_MAKE_CALLS, guard_call,
	 HTTP_AMI_SESSION},
	{"PUT", "/api/ami/calls/{callId}/hold", handle_hold, PERMISSION_MAKE_CALLS, guard_call,
	 HTTP_AMI_SESSION},
	{"PUT", "/api/ami/calls/{callId}/unhold", handle_unhold, PERMISSION_MAKE_CALLS, guard_call,
	 HTTP_AMI_SESSION},
	{"POST", "/api/ami/calls/{callId}/transfer", handle_transfer, PERMISSION_TRANSFER_CALLS,
	 guard_call, HTTP_AMI_SESSION | HTTP_IDEMPOTENT | HTTP_JSON_BODY},
	{0},
};
