#include "auth.h"

#include "clock.h"
#include "log.h"
#include "mem.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An unknown kid asks for the JWKS at most this often, however many made-up ones arrive. */
#define FETCH_GAP_MS 1000
/* Without any unknown kid: so that a key that was withdrawn stops counting. */
#define REFRESH_MS 60000

struct check {
	struct auth *auth;
	struct jwt_claims claims;
	char *token; /* owned; only while it waits for the JWKS */
	auth_done_fn *done;
	void *context;
	struct check *next;
	/* Of Redis' answers: */
	size_t waiting;
	bool failed, alive;
	struct principal who; /* valid when alive */
	char teams_version[REACH_VERSION_MAX + 1];
};

struct auth {
	struct redis_link *link;
	struct jwt_keys *keys;
	struct reach *reach;
	struct check *waiting; /* for the JWKS, newest first */
	size_t pending;        /* commands under way */
	bool fetching, freed;
	int64_t fetched_at_ms; /* monotonic, of the last request; 0 before the first */
	unsigned char document_hash[crypto_generichash_BYTES];
};

struct auth *auth_new(const struct jwt_settings *settings, struct redis_link *link)
{
	struct auth *auth = mem_new(struct auth);

	auth->link = link;
	auth->keys = jwt_keys_new(settings);
	auth->reach = reach_new(link);
	return auth;
}

static void release(struct auth *auth)
{
	if (!auth->freed || auth->pending > 0)
		return;
	jwt_keys_free(&auth->keys);
	reach_free(&auth->reach);
	free(auth);
}

/* Answers that are still on their way are waited for: it frees itself after the last. */
void auth_free(struct auth **_auth)
{
	struct auth *auth = *_auth;

	*_auth = NULL;
	if (auth == NULL)
		return;
	auth->freed = true;
	release(auth);
}

static void finish(struct check *check, enum auth_result result, const struct principal *who)
{
	check->done(result, who, check->context);
	free(check->token);
	free(check);
}

static enum auth_result from_jwt(enum jwt_result result)
{
	return result == JWT_EXPIRED ? AUTH_EXPIRED : AUTH_INVALID;
}

/* ---- the session ---- */

enum session_field {
	FIELD_USER_ID,
	FIELD_USERNAME,
	FIELD_ROLE,
	FIELD_EXTENSION,
	FIELD_AMI_SESSION,
	FIELD_TEAMS,
	FIELD_TEAM,
	FIELD_EXPIRES,
	FIELD_COUNT
};

/* False when the field does not fit: then someone else wrote it. */
static bool copy_field(const redisReply *reply, enum session_field field, char *out, size_t size)
{
	const redisReply *value = reply->element[field];
	size_t len = value->type == REDIS_REPLY_STRING ? (size_t)value->len : 0;

	if (len >= size)
		return false;
	memcpy(out, len > 0 ? value->str : "", len);
	out[len] = '\0';
	return true;
}

static bool read_principal(const redisReply *reply, const struct jwt_claims *claims,
			   struct principal *who_r)
{
	char role[33], expires[24];
	int64_t expires_at_ms;

	if (!copy_field(reply, FIELD_USER_ID, who_r->user_id, sizeof(who_r->user_id)) ||
	    !copy_field(reply, FIELD_USERNAME, who_r->username, sizeof(who_r->username)) ||
	    !copy_field(reply, FIELD_EXTENSION, who_r->extension, sizeof(who_r->extension)) ||
	    !copy_field(reply, FIELD_AMI_SESSION, who_r->ami_session_id,
			sizeof(who_r->ami_session_id)) ||
	    !copy_field(reply, FIELD_TEAMS, who_r->teams, sizeof(who_r->teams)) ||
	    !copy_field(reply, FIELD_TEAM, who_r->team, sizeof(who_r->team)) ||
	    !copy_field(reply, FIELD_ROLE, role, sizeof(role)) ||
	    !copy_field(reply, FIELD_EXPIRES, expires, sizeof(expires)))
		return false;
	expires_at_ms = strtoll(expires, NULL, 10);
	if ((claims->subject[0] != '\0' && strcmp(who_r->user_id, claims->subject) != 0) ||
	    !role_parse(role, &who_r->role) || expires_at_ms <= clock_wall_ms())
		return false;
	strcpy(who_r->session_id, claims->session_id);
	who_r->permissions = role_permissions(who_r->role);
	who_r->expires_at_ms =
		claims->expires_at_s > 0 ? claims->expires_at_s * 1000 : expires_at_ms;
	return true;
}

static void settle(struct check *check)
{
	struct auth *auth = check->auth;

	if (check->failed)
		finish(check, AUTH_UNAVAILABLE, NULL);
	else if (check->alive)
		finish(check, AUTH_OK, &check->who);
	else
		finish(check, AUTH_REVOKED, NULL);
	auth->pending--;
	release(auth);
}

static void on_teams(bool ok, void *context)
{
	struct check *check = context;

	check->failed = !ok;
	settle(check);
}

static void arrive(struct check *check)
{
	if (--check->waiting > 0)
		return;
	if (check->failed || !check->alive)
		settle(check);
	else
		reach_load(check->auth->reach, check->who.teams, check->teams_version, on_teams,
			   check);
}

static void on_session(const redisReply *reply, void *context)
{
	struct check *check = context;

	if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != FIELD_COUNT)
		check->failed = true;
	else
		check->alive = read_principal(reply, &check->claims, &check->who);
	arrive(check);
}

static void on_teams_version(const redisReply *reply, void *context)
{
	struct check *check = context;

	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		check->failed = true;
	else if (reply->type == REDIS_REPLY_STRING)
		snprintf(check->teams_version, sizeof(check->teams_version), "%s", reply->str);
	arrive(check);
}

/* sent: what redis_link_command() answered. */
static void asked(struct check *check, int sent)
{
	if (sent == 0)
		check->waiting++;
	else
		check->failed = true;
}

/* One round trip: both answers come together. */
static void ask_session(struct check *check)
{
	struct redis_link *link = check->auth->link;

	check->who.reach = check->auth->reach;
	check->auth->pending++;
	check->waiting = 1; /* until both are asked for */
	asked(check, redis_link_command(link, on_teams_version, check, "GET team:version"));
	asked(check, redis_link_command(link, on_session, check,
					"HMGET session:%s userId username role extension "
					"amiSessionId teams team expiresAt",
					check->claims.session_id));
	arrive(check);
}

/* ---- the keys ---- */

static void load(struct auth *auth, const char *document, size_t len)
{
	unsigned char hash[crypto_generichash_BYTES];
	const char *error;
	int count;

	crypto_generichash(hash, sizeof(hash), (const unsigned char *)document, len, NULL, 0);
	if (memcmp(hash, auth->document_hash, sizeof(hash)) == 0)
		return;
	count = jwt_keys_load_jwks(auth->keys, document, len, &error);
	if (count < 0) {
		log_warn("JWKS refused", log_str("reason", error));
		return;
	}
	memcpy(auth->document_hash, hash, sizeof(hash));
	log_info("JWKS loaded", log_int("keys", count));
}

static void check_again(struct check *check, bool answered)
{
	enum jwt_result result;

	if (!answered) {
		finish(check, AUTH_UNAVAILABLE, NULL);
		return;
	}
	result = jwt_verify(check->auth->keys, check->token, &check->claims);
	if (result == JWT_OK)
		ask_session(check);
	else
		finish(check, from_jwt(result), NULL);
}

static void on_jwks(const redisReply *reply, void *context)
{
	struct auth *auth = context;
	struct check *check = auth->waiting;
	bool answered = reply != NULL && reply->type != REDIS_REPLY_ERROR;

	auth->fetching = false;
	auth->waiting = NULL;
	if (answered && reply->type == REDIS_REPLY_STRING)
		load(auth, reply->str, (size_t)reply->len);
	while (check != NULL) {
		struct check *next = check->next;

		check_again(check, answered);
		check = next;
	}
	auth->pending--;
	release(auth);
}

/* Returns -1 when Redis is away. */
static int fetch(struct auth *auth)
{
	if (redis_link_command(auth->link, on_jwks, auth, "GET auth:jwks") < 0)
		return -1;
	auth->pending++;
	auth->fetching = true;
	auth->fetched_at_ms = clock_mono_ms();
	return 0;
}

static bool fetched_within(const struct auth *auth, int64_t ms)
{
	return auth->fetched_at_ms != 0 && clock_mono_ms() - auth->fetched_at_ms < ms;
}

static void wait_for_keys(struct check *check, const char *token)
{
	struct auth *auth = check->auth;

	if (!auth->fetching) {
		if (fetched_within(auth, FETCH_GAP_MS)) {
			finish(check, AUTH_INVALID, NULL);
			return;
		}
		if (fetch(auth) < 0) {
			finish(check, AUTH_UNAVAILABLE, NULL);
			return;
		}
	}
	check->token = mem_strdup(token);
	check->next = auth->waiting;
	auth->waiting = check;
}

/* ---- the check ---- */

void auth_check(struct auth *auth, const char *token, auth_done_fn *done, void *context)
{
	struct check *check = mem_new(struct check);
	enum jwt_result result;

	*check = (struct check){.auth = auth, .done = done, .context = context};
	if (!auth->fetching && !fetched_within(auth, REFRESH_MS))
		(void)fetch(auth);
	result = jwt_verify(auth->keys, token, &check->claims);
	if (result == JWT_OK)
		ask_session(check);
	else if (result == JWT_UNKNOWN_KEY)
		wait_for_keys(check, token);
	else
		finish(check, from_jwt(result), NULL);
}

void auth_check_session(struct auth *auth, const char *session_id, auth_done_fn *done,
			void *context)
{
	struct check *check = mem_new(struct check);

	*check = (struct check){.auth = auth, .done = done, .context = context};
	snprintf(check->claims.session_id, sizeof(check->claims.session_id), "%s", session_id);
	ask_session(check);
}

static void on_checked(enum auth_result result, const struct principal *who, void *context)
{
	struct http_request *request = context;

	switch (result) {
	case AUTH_OK:
		*http_principal(request) = *who;
		http_proceed(request);
		break;
	case AUTH_INVALID:
		http_reply_error(request, 401, "invalid_token", "The token is not valid");
		break;
	case AUTH_EXPIRED:
		http_reply_error(request, 401, "token_expired", "The token has expired");
		break;
	case AUTH_REVOKED:
		http_reply_error(request, 401, "session_revoked", "The session has ended");
		break;
	case AUTH_UNAVAILABLE:
		http_reply_error(request, 503, "unavailable", "Sessions cannot be checked now");
		break;
	}
}

/* The token after "Bearer " (RFC 6750, 2.1), or NULL. */
static const char *bearer_token(const struct http_request *request)
{
	const char *value = http_header(request, "Authorization");

	if (value == NULL || strncasecmp(value, "Bearer ", 7) != 0)
		return NULL;
	value += 7;
	value += strspn(value, " ");
	return value[0] != '\0' ? value : NULL;
}

void auth_http(struct http_request *request, void *auth)
{
	const char *token = bearer_token(request);

	if (token == NULL)
		http_reply_error(request, 401, "invalid_token",
				 "An Authorization header with a Bearer token is needed");
	else
		auth_check(auth, token, on_checked, request);
}
