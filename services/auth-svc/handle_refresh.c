/* POST /api/auth/refresh: a refresh token for a new access token and the next refresh token. An old
   one that is used again means that somebody has a copy: the session ends. */
#include "clock.h"
#include "fields.h"
#include "log.h"
#include "mem.h"
#include "refresh_token.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "settings.h"
#include "tokens.h"

#include <stdlib.h>

struct refresh {
	struct service *service;
	struct http_request *request;
	struct refresh_token token;
	struct store_session session;
};

static const struct field fields[] = {
	{"refreshToken", FIELD_REQUIRED, 1, REFRESH_TOKEN_SIZE, field_is_plain,
	 "The refreshToken of the last answer"},
	{0},
};

static void refuse(struct refresh *refresh, const char *code, const char *message)
{
	http_reply_error(refresh->request, 401, code, "%s", message);
	free(refresh);
}

static void on_revoked(bool ok, void *context)
{
	struct refresh *refresh = context;

	if (ok) {
		refresh->service->metrics.auth_sessions_revoked_total++;
		refuse(refresh, "refresh_token_reused",
		       "The refresh token was used before; the session has ended");
	} else {
		reply_unavailable(refresh->request);
		free(refresh);
	}
}

static void end_session(struct refresh *refresh)
{
	log_warn("a refresh token was used twice: the session ends",
		 log_str("username", refresh->session.who.username),
		 log_str("address", http_client_address(refresh->request)),
		 log_str("request_id", http_request_id(refresh->request)));
	store_revoke_session(refresh->service->store, &refresh->session.who,
			     MSG_SESSION_REVOKED_REASON_REVOKED, on_revoked, refresh);
}

static void reply_tokens(struct refresh *refresh)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	refresh->session.refreshes++;
	refresh->session.idle_ms = settings.auth.session_idle_s * 1000;
	json_begin_object(&json);
	json_key(&json, "jwt");
	if (tokens_write(refresh->service->signer, &refresh->session, settings.auth.token_ttl_s,
			 &json) < 0) {
		buffer_free(&body);
		http_reply_error(refresh->request, 500, "internal", "No token could be signed");
	} else {
		json_end_object(&json);
		http_reply_header(refresh->request, "Cache-Control", "no-store");
		http_reply_json(refresh->request, 200, &body);
	}
	free(refresh);
}

static void on_counted(enum store_counted counted, void *context)
{
	struct refresh *refresh = context;

	switch (counted) {
	case STORE_COUNTED:
		reply_tokens(refresh);
		break;
	case STORE_COUNTED_BEFORE:
		end_session(refresh);
		break;
	case STORE_COUNTED_UNKNOWN:
		reply_unavailable(refresh->request);
		free(refresh);
		break;
	}
}

static void on_session(bool ok, const struct store_session *session, void *context)
{
	struct refresh *refresh = context;

	if (!ok) {
		reply_unavailable(refresh->request);
		free(refresh);
	} else if (session == NULL || session->who.expires_at_ms <= clock_wall_ms()) {
		refuse(refresh, "session_revoked", "The session has ended");
	} else if (!refresh_token_is_genuine(&refresh->token, session->refresh_key)) {
		refuse(refresh, "invalid_token", "The refresh token is not valid");
	} else {
		refresh->session = *session;
		store_count_refresh(refresh->service->store, refresh->token.session_id,
				    refresh->token.count, settings.auth.session_idle_s * 1000,
				    session->who.expires_at_ms, on_counted, refresh);
	}
}

void handle_refresh(struct http_request *request, void *context)
{
	struct service *service = context;
	struct refresh *refresh;
	const char *text;

	if (!fields_read(request, fields, &text))
		return;
	refresh = mem_new(struct refresh);
	refresh->service = service;
	refresh->request = request;
	if (refresh_token_parse(text, &refresh->token))
		store_get_session(service->store, refresh->token.session_id, on_session, refresh);
	else
		refuse(refresh, "invalid_token", "The refresh token is not valid");
}
