/* Every Redis key and command of auth-svc. */
#ifndef AUTH_SVC_STORE_H
#define AUTH_SVC_STORE_H

#include "ids.h"
#include "principal.h"
#include "redis_link.h"

#include "msg_session_revoked.h"

struct store;

/* link is borrowed and must outlive the answers. */
struct store *store_new(struct redis_link *link);
void store_free(struct store **store);

/* ok: Redis has done it. False: it is away, or not known to have done it. */
typedef void store_done_fn(bool ok, void *context);

/* Every function below calls done exactly once, maybe before it returns; done may be NULL. */

/* fn is called whenever what is said of an agent's availability may be another one. */
void store_on_agent(struct store *store, void (*fn)(const char *extension, void *context),
		    void *context);

/* auth:jwks */
void store_put_jwks(struct store *store, const char *jwks);

/* ---- attempts to log in: auth:fail:user:<name>, auth:fail:addr:<address>, auth:fail:all ---- */

struct store_limits {
	int64_t failures_free;   /* of a user; an address has ten times as many */
	int64_t failures_of_all; /* in a minute; past it one is all that is free */
};

/* wait_ms > 0: too many failures, come back then. alarm: the limit of all was just crossed. */
typedef void store_reserved_fn(bool ok, int64_t wait_ms, bool alarm, void *context);

/* Counts the attempt as a failure, before its password is looked at. */
void store_reserve_attempt(struct store *store, const char *username, const char *address,
			   const struct store_limits *limits, store_reserved_fn *done,
			   void *context);
/* It was none. right: nor were those before it, for this user. */
void store_settle_attempt(struct store *store, const char *username, const char *address,
			  bool right);

/* Those of a user do not count any more. */
void store_forget_attempts(struct store *store, const char *username, store_done_fn *done,
			   void *context);

/* ---- sessions: session:<sid>, user:sessions:<userId>, sessions, events:session,
	session:changes ---- */

#define STORE_DEVICE_SIZE 49

struct store_session {
	struct principal who; /* expires_at_ms is the session's */
	char address[64];
	char device[STORE_DEVICE_SIZE]; /* what the client says that it is */
	int64_t created_at_ms;
	int64_t refreshed_at_ms;
	int64_t idle_ms;      /* it ends when it is not refreshed for so long */
	int64_t ttl_ms;       /* when it was read: what is left of it */
	int64_t sessions_max; /* of one user: beyond them the oldest end */
	/* The mac key of its refresh tokens, and how many were given out before the last. */
	char refresh_key[ID_RANDOM_LEN + 1];
	int64_t refreshes;
};

void store_create_session(struct store *store, const struct store_session *session,
			  store_done_fn *done, void *context);
/* The agent at its extension is offline when this was its last AMI session. */
void store_revoke_session(struct store *store, const struct principal *who,
			  enum msg_session_revoked_reason reason, store_done_fn *done,
			  void *context);

/* session NULL: there is none. sessions_max and idle_ms are not read. */
typedef void store_session_fn(bool ok, const struct store_session *session, void *context);

void store_get_session(struct store *store, const char *session_id, store_session_fn *done,
		       void *context);

/* list is borrowed for the call. next: where the following page begins, NULL after the last. */
typedef void store_sessions_fn(bool ok, const struct store_session *list, size_t count,
			       const char *next, void *context);

/* Those of one user, oldest first. */
void store_list_user_sessions(struct store *store, const char *user_id, store_sessions_fn *done,
			      void *context);
/* Everyone's, by extension; cursor NULL: from the start. */
void store_list_sessions(struct store *store, const char *cursor, size_t limit,
			 store_sessions_fn *done, void *context);
/* What stands in all sessions of the user: "teams" or "team", as in struct principal. */
void store_set_session_field(struct store *store, const char *user_id, const char *field,
			     const char *value);
/* The AMI session of a session: "" ends it. */
void store_set_ami_session(struct store *store, const struct principal *who,
			   const char *ami_session_id, const char *extension, store_done_fn *done,
			   void *context);

enum store_counted {
	STORE_COUNTED,
	STORE_COUNTED_BEFORE, /* refreshes was not count: another one came first */
	STORE_COUNTED_UNKNOWN,
};

typedef void store_counted_fn(enum store_counted counted, void *context);

/* refreshes: count -> count + 1; the session then ends idle_ms from now, or at expires_at_ms. */
void store_count_refresh(struct store *store, const char *session_id, int64_t count,
			 int64_t idle_ms, int64_t expires_at_ms, store_counted_fn *done,
			 void *context);

/* cache:ticket:<ticket>: a WebSocket may be opened with it once, within ttl_ms. */
void store_put_ticket(struct store *store, const char *ticket, const char *session_id,
		      int64_t ttl_ms, store_done_fn *done, void *context);

/* ---- teams: team:<id>:extensions, teams, team:version ---- */

struct store_member {
	int64_t team_id;
	const char *extension;
};

/* Replaces all of them. */
void store_put_teams(struct store *store, const struct store_member *members, size_t count);
/* team:version, events:session: every daemon looks at the teams again. */
void store_tell_teams(struct store *store);

/* ---- actions:<pbx> ---- */

/* One with one field, for every PBX of pbxs (parted by blanks). */
void store_add_action(struct store *store, const char *pbxs, const char *action, const char *field,
		      const char *value, const char *request_id);

/* ---- the audit's stream ---- */

extern const char *const store_audit_streams[];
#define STORE_AUDIT_GROUP "auth-svc"

void store_add_audit(struct store *store, const char *text, size_t len);
void store_ack_audit(struct redis_link *link, const char *const *ids, size_t count,
		     store_done_fn *done, void *context);

#endif
