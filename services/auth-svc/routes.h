#ifndef AUTH_SVC_ROUTES_H
#define AUTH_SVC_ROUTES_H

#include "http_server.h"

/* Their context is the struct service. */
extern const struct http_route routes[];

/* handle_login.c */
http_handler_fn handle_login;
/* handle_refresh.c */
http_handler_fn handle_refresh;
/* handle_session.c */
http_handler_fn handle_me, handle_logout, handle_ws_ticket, handle_jwks;
/* handle_users.c */
http_handler_fn handle_user_create, handle_user_list, handle_user_get;

#endif
