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

/* auth:jwks */
void store_put_jwks(struct store *store, const char *jwks);

/* ---- failed logins: auth:fail:user:<name>, auth:fail:addr:<address> ---- */

struct store_failures {
	int64_t count;
	int64_t since_ms; /* since the last one */
};

typedef void store_failures_fn(bool ok, struct store_failures user, struct store_failures address,
			       void *context);

void store_get_failures(struct store *store, const char *username, const char *address,
			store_failures_fn *done, void *context);
void store_add_failure(struct store *store, const char *username, const char *address,
		       store_done_fn *done, void *context);

/* ---- sessions: session:<sid>, user:sessions:<userId>, events:session, session:changes ---- */

struct store_session {
	struct principal who; /* expires_at_ms is the session's */
	const char *address;
	int64_t created_at_ms;
	int64_t sessions_max; /* of one user: beyond them the oldest end */
	/* The mac key of its refresh tokens, and how many were given out before the last. */
	char refresh_key[ID_RANDOM_LEN + 1];
	int64_t refreshes;
};

/* Forgets the user's failed logins too. */
void store_create_session(struct store *store, const struct store_session *session,
			  store_done_fn *done, void *context);
void store_revoke_session(struct store *store, const struct principal *who,
			  enum msg_session_revoked_reason reason, store_done_fn *done,
			  void *context);

/* session NULL: there is none. address, created_at_ms and sessions_max are not read. */
typedef void store_session_fn(bool ok, const struct store_session *session, void *context);

void store_get_session(struct store *store, const char *session_id, store_session_fn *done,
		       void *context);

enum store_counted {
	STORE_COUNTED,
	STORE_COUNTED_BEFORE, /* refreshes was not count: another one came first */
	STORE_COUNTED_UNKNOWN,
};

typedef void store_counted_fn(enum store_counted counted, void *context);

/* refreshes: count -> count + 1. */
void store_count_refresh(struct store *store, const char *session_id, int64_t count,
			 store_counted_fn *done, void *context);

/* cache:ticket:<ticket>: a WebSocket may be opened with it once, within ttl_ms. */
void store_put_ticket(struct store *store, const char *ticket, const char *session_id,
		      int64_t ttl_ms, store_done_fn *done, void *context);

#endif
