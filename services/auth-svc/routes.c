#include "routes.h"

#include "guards.h"

const struct http_route routes[] = {
	{"POST", "/api/auth/login", handle_login, PERMISSION_NONE, NULL,
	 HTTP_PUBLIC | HTTP_JSON_BODY},
	{"POST", "/api/auth/refresh", handle_refresh, PERMISSION_NONE, NULL,
	 HTTP_PUBLIC | HTTP_JSON_BODY},
	{"POST", "/api/auth/logout", handle_logout, PERMISSION_NONE, NULL, 0},
	{"POST", "/api/auth/logout-all", handle_logout_all, PERMISSION_NONE, NULL, 0},
	{"POST", "/api/auth/password", handle_password, PERMISSION_NONE, NULL, HTTP_JSON_BODY},
	{"GET", "/api/auth/sessions", handle_own_sessions, PERMISSION_NONE, NULL, 0},
	{"DELETE", "/api/auth/sessions/{sessionId}", handle_own_session_end, PERMISSION_NONE, NULL,
	 0},
	{"GET", "/api/auth/me", handle_me, PERMISSION_NONE, NULL, 0},
	{"POST", "/api/auth/ws-ticket", handle_ws_ticket, PERMISSION_NONE, NULL, 0},
	{"GET", "/.well-known/jwks.json", handle_jwks, PERMISSION_NONE, NULL, HTTP_PUBLIC},
	{"POST", "/api/users", handle_user_create, PERMISSION_MANAGE_USERS, NULL, HTTP_JSON_BODY},
	{"GET", "/api/users", handle_user_list, PERMISSION_MANAGE_USERS, NULL, 0},
	{"GET", "/api/users/{id}", handle_user_get, PERMISSION_MANAGE_USERS, guard_user_any, 0},
	{"PUT", "/api/users/{id}", handle_user_change, PERMISSION_MANAGE_USERS, guard_user,
	 HTTP_JSON_BODY},
	{"DELETE", "/api/users/{id}", handle_user_remove, PERMISSION_MANAGE_USERS, guard_user, 0},
	{"GET", "/api/users/{id}/sessions", handle_user_sessions, PERMISSION_MANAGE_USERS,
	 guard_user, 0},
	{"DELETE", "/api/users/{id}/sessions", handle_user_sessions_end, PERMISSION_MANAGE_USERS,
	 guard_user, 0},
	{"DELETE", "/api/users/{id}/sessions/{sessionId}", handle_user_session_end,
	 PERMISSION_MANAGE_USERS, guard_user, 0},
	{"GET", "/api/admin/redis/sessions", handle_all_sessions, PERMISSION_MANAGE_USERS, NULL, 0},
	{0},
};
