#ifndef AUTH_SVC_ROUTES_H
#define AUTH_SVC_ROUTES_H

#include "http_server.h"

/* Their context is the struct service. */
extern const struct http_route routes[];

/* handle_login.c */
http_handler_fn handle_login;
/* handle_refresh.c */
http_handler_fn handle_refresh;
/* handle_password.c */
http_handler_fn handle_password;
/* handle_session.c */
http_handler_fn handle_me, handle_logout, handle_ws_ticket, handle_jwks;
/* handle_sessions.c */
http_handler_fn handle_own_sessions, handle_own_session_end, handle_logout_all;
http_handler_fn handle_user_sessions, handle_user_session_end, handle_user_sessions_end;
http_handler_fn handle_all_sessions;
/* handle_users.c, handle_user_change.c */
http_handler_fn handle_user_create, handle_user_list, handle_user_get;
http_handler_fn handle_user_change, handle_user_remove;
/* handle_agents.c, handle_agent_change.c, handle_import.c */
http_handler_fn handle_agent_list, handle_agent_get, handle_agent_create;
http_handler_fn handle_agent_change, handle_agent_remove, handle_agent_secret;
http_handler_fn handle_agent_import;
/* handle_unlock.c */
http_handler_fn handle_user_unlock;
/* handle_audit.c */
http_handler_fn handle_audit_list;
/* handle_teams.c */
http_handler_fn handle_team_list, handle_team_create, handle_team_change, handle_team_remove;
/* handle_ami_users.c, handle_status.c */
http_handler_fn handle_ami_register, handle_ami_login, handle_ami_logout;
http_handler_fn handle_status_get, handle_status_put, handle_status_list;
/* handle_session_data.c */
http_handler_fn handle_session_get, handle_session_put, handle_session_delete;
http_handler_fn handle_session_events, handle_session_event_add;
/* handle_redis.c */
http_handler_fn handle_redis_health, handle_sessions_health;

#endif
