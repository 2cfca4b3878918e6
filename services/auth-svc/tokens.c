#include "tokens.h"

#include "clock.h"
#include "refresh_token.h"

#include <stdlib.h>
#include <string.h>

/* An access token never outlives its session. */
static struct jwt_claims make_claims(const struct principal *who, int64_t token_ttl_s)
{
	int64_t now_s = clock_wall_ms() / 1000;
	struct jwt_claims claims = {
		.role = who->role,
		.issued_at_s = now_s,
		.expires_at_s = now_s + token_ttl_s,
	};

	if (claims.expires_at_s > who->expires_at_ms / 1000)
		claims.expires_at_s = who->expires_at_ms / 1000;
	strcpy(claims.subject, who->user_id);
	strcpy(claims.username, who->username);
	strcpy(claims.session_id, who->session_id);
	strcpy(claims.extension, who->extension);
	return claims;
}

int tokens_write(const struct signer *signer, const struct store_session *session,
		 int64_t token_ttl_s, struct json_writer *json)
{
	const struct principal *who = &session->who;
	struct jwt_claims claims = make_claims(who, token_ttl_s);
	char *token = signer_sign(signer, &claims);
	int64_t idle_at_ms = clock_wall_ms() + session->idle_ms;
	char refresh[REFRESH_TOKEN_SIZE];

	if (token == NULL)
		return -1;
	refresh_token_write(who->session_id, session->refreshes, session->refresh_key, refresh);
	json_begin_object(json);
	json_field_str(json, "token", token);
	json_field_str(json, "tokenType", "Bearer");
	json_field_int(json, "expiresAt", claims.expires_at_s * 1000);
	json_field_str(json, "refreshToken", refresh);
	json_field_int(json, "refreshExpiresAt",
		       idle_at_ms < who->expires_at_ms ? idle_at_ms : who->expires_at_ms);
	json_end_object(json);
	free(token);
	return 0;
}
