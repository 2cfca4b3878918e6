/* The step that every route which is not public passes: token, then session, then AMI session, then
   permission. One pipelined round trip to Redis; no call to auth-svc. Also used by ws-fanout. */
#ifndef COMMON_AUTH_H
#define COMMON_AUTH_H

#include "http_server.h"
#include "jwt.h"
#include "reach.h"
#include "redis_link.h"

struct auth;

/* All borrowed; link and settings must outlive the answer. */
struct auth *auth_new(const struct jwt_settings *settings, struct redis_link *link);
void auth_free(struct auth **auth);

enum auth_result {
	AUTH_OK,
	AUTH_INVALID,     /* 401 invalid_token */
	AUTH_EXPIRED,     /* 401 token_expired */
	AUTH_REVOKED,     /* 401 session_revoked: the session is gone */
	AUTH_UNAVAILABLE, /* 503: Redis is away */
};

typedef void auth_done_fn(enum auth_result result, const struct principal *who, void *context);

/* Verifies token and session. done is called exactly once, maybe before this returns; who is
   borrowed and NULL unless AUTH_OK. What it may see (reach.h) is as of this moment. */
void auth_check(struct auth *auth, const char *token, auth_done_fn *done, void *context);
/* The same without a token: whether the session is alive, and whose it is. Who has it is known to
   be allowed to. expires_at_ms is the session's. */
void auth_check_session(struct auth *auth, const char *session_id, auth_done_fn *done,
			void *context);
/* http_handler_fn with a struct auth as context: Bearer token -> principal -> http_proceed(). */
void auth_http(struct http_request *request, void *auth);

#endif
