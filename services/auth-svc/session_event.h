/* What auth-svc tells on events:session, as JSON. All append to out. */
#ifndef AUTH_SVC_SESSION_EVENT_H
#define AUTH_SVC_SESSION_EVENT_H

#include "principal.h"

#include "msg_session_revoked.h"

/* who->expires_at_ms is the session's. */
void session_event_created(const struct principal *who, struct buffer *out);
void session_event_revoked(const struct principal *who, enum msg_session_revoked_reason reason,
			   struct buffer *out);
/* Stands for a version that only Redis knows; it is put in there. */
#define SESSION_EVENT_ANY_VERSION INT64_C(4503599627370497)
void session_event_changed(const struct principal *who, int64_t version, struct buffer *out);
/* Of no session: who sees whom has changed. */
void session_event_teams_changed(const char *version, struct buffer *out);

#endif
