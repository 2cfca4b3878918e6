/* What auth-svc tells on events:session, as JSON. Both append to out. */
#ifndef AUTH_SVC_SESSION_EVENT_H
#define AUTH_SVC_SESSION_EVENT_H

#include "principal.h"

#include "msg_session_revoked.h"

/* who->expires_at_ms is the session's. */
void session_event_created(const struct principal *who, struct buffer *out);
void session_event_revoked(const struct principal *who, enum msg_session_revoked_reason reason,
			   struct buffer *out);

#endif
