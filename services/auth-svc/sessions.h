/* Sessions as people see them, and the end of all that a user has. */
#ifndef AUTH_SVC_SESSIONS_H
#define AUTH_SVC_SESSIONS_H

#include "json.h"
#include "store.h"

/* current_id: of the session that asks, which is marked. */
void session_write(const struct store_session *session, const char *current_id,
		   struct json_writer *json);
/* {"sessions": [...], "nextCursor": next} */
void sessions_write(const struct store_session *list, size_t count, const char *next,
		    const char *current_id, struct buffer *out);

/* ok: all have ended. */
typedef void sessions_done_fn(bool ok, size_t count, void *context);

/* Ends every session of the user but that one (NULL: every one). done is called once, maybe before
   this returns; NULL: nobody waits. */
void sessions_end(struct store *store, const char *user_id, const char *keep_id,
		  enum msg_session_revoked_reason reason, sessions_done_fn *done, void *context);

#endif
