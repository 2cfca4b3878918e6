/* The tokens of a session, as login and refresh answer them. */
#ifndef AUTH_SVC_TOKENS_H
#define AUTH_SVC_TOKENS_H

#include "json.h"
#include "signer.h"
#include "store.h"

/* Writes {"token", "tokenType", "expiresAt", "refreshToken", "refreshExpiresAt"}: a new access
   token and the session's refresh token of this count. Returns 0, or -1 when it cannot be signed.
 */
int tokens_write(const struct signer *signer, const struct store_session *session,
		 int64_t token_ttl_s, struct json_writer *json) __attribute__((warn_unused_result));

#endif
