/* Whom a request is about, and whether the caller may. Each finds what its handler needs, or
   replies. */
#ifndef AUTH_SVC_GUARDS_H
#define AUTH_SVC_GUARDS_H

#include "http_server.h"
#include "users.h"

/* The user of {id}, as http_user(): one of a role below the caller's, unless it may manage_admins.
 */
http_handler_fn guard_user;
/* The same for reading: of any role. */
http_handler_fn guard_user_any;
/* The user of {id}, who has an extension: 404 when it has none; a manager's must be in one of its
   teams. */
http_handler_fn guard_agent;
/* The same, and one of a role below the caller's. */
http_handler_fn guard_agent_change;
/* The user whose extension is {extension}: the caller, or of one of the teams that it sees. */
http_handler_fn guard_extension;
/* The same for who sets another's status: it takes manage_agents. */
http_handler_fn guard_extension_change;
/* The session of {sessionId}: the caller's own, or one that it may manage. Nothing is read. */
http_handler_fn guard_session;

/* Whether the caller may see the users of this team. */
bool may_see_team(const struct principal *who, const char *team_id);
bool may_give_role(const struct principal *who, enum role role);

#endif
