#include "routes.h"

const struct http_route routes[] = {
	{"POST", "/api/auth/login", handle_login, PERMISSION_NONE, NULL,
	 HTTP_PUBLIC | HTTP_JSON_BODY},
	{"POST", "/api/auth/refresh", handle_refresh, PERMISSION_NONE, NULL,
	 HTTP_PUBLIC | HTTP_JSON_BODY},
	{"POST", "/api/auth/logout", handle_logout, PERMISSION_NONE, NULL, 0},
	{"GET", "/api/auth/me", handle_me, PERMISSION_NONE, NULL, 0},
	{"POST", "/api/auth/ws-ticket", handle_ws_ticket, PERMISSION_NONE, NULL, 0},
	{"GET", "/.well-known/jwks.json", handle_jwks, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"POST", "/api/users", handle_user_create, PERMISSION_MANAGE_USERS, NULL, HTTP_JSON_BODY},
	{"GET", "/api/users", handle_user_list, PERMISSION_MANAGE_USERS, NULL, 0},
	{"GET", "/api/users/{id}", handle_user_get, PERMISSION_MANAGE_USERS, NULL, 0},
	{0},
};
