/* POST /api/auth/login: attempt counted -> user -> password -> session -> user again -> answer. A
   name that does not exist, a wrong password and a disabled user look the same and take the same
   time. The user is read again after the session is there: whoever changed it meanwhile has either
   seen this session, or is seen here. */
#include "clock.h"
#include "fields.h"
#include "ids.h"
#include "log.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "settings.h"
#include "tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct login {
	struct service *service;
	struct http_request *request;
	char *password;     /* owned, wiped */
	char extension[33]; /* asked for; "" for the user's own */
	char username[65];
	struct user user;             /* once it was found */
	struct store_session session; /* its address is the client's from the start */
};

enum {
	FIELD_USERNAME,
	FIELD_PASSWORD,
	FIELD_EXTENSION,
	FIELD_COUNT
};

static const struct field fields[] = {
	[FIELD_USERNAME] = {"username", FIELD_REQUIRED, 1, 64, field_is_username,
			    "A text of 1 to 64 characters a-z 0-9 . _ -"},
	[FIELD_PASSWORD] = {"password", FIELD_REQUIRED, 1, 256, field_is_plain,
			    "A text of 1 to 256 bytes"},
	[FIELD_EXTENSION] = {"extension", 0, 1, 32, field_is_extension, "A text of 1 to 32 digits"},
	[FIELD_COUNT] = {0},
};

static void finish(struct login *login)
{
	sodium_memzero(login->password, strlen(login->password));
	free(login->password);
	free(login);
}

/* Nothing was learned about the password: the attempt does not count. */
static void take_back(const struct login *login)
{
	store_settle_attempt(login->service->store, login->username, login->session.address, false);
}

static void refuse_unavailable(struct login *login)
{
	reply_unavailable(login->request);
	finish(login);
}

static void refuse_busy(struct login *login)
{
	login->service->metrics.auth_logins_busy_total++;
	take_back(login);
	reply_wait(login->request, "too_many_logins", password_wait_ms(login->service->password));
	finish(login);
}

static void note(const struct login *login, const char *action, const char *detail)
{
	struct audit_entry entry = {
		login->user.id, login->user.username, action, login->username, detail, false};

	audit_add(login->service->audit, login->request, &entry);
}

/* ---- the answer ---- */

static int write_answer(const struct login *login, struct json_writer *json)
{
	const struct principal *who = &login->session.who;
	char *key = mem_printf("session:%s", who->session_id);

	int result;

	json_begin_object(json);
	json_key(json, "jwt");
	result = tokens_write(login->service->signer, &login->session, settings.auth.token_ttl_s,
			      json);
	json_key(json, "ami");
	write_ami(json, who->username, who->extension, who->permissions, who->ami_session_id);
	json_key(json, "redis");
	json_begin_object(json);
	json_field_str(json, "sessionKey", key);
	json_field_int(json, "expiresAt", who->expires_at_ms);
	json_end_object(json);
	json_key(json, "user");
	user_write(&login->user, json);
	json_end_object(json);
	free(key);
	return result;
}

static void refuse_changed(struct login *login)
{
	store_revoke_session(login->service->store, &login->session.who,
			     MSG_SESSION_REVOKED_REASON_USER_CHANGED, NULL, NULL);
	http_reply_error(login->request, 401, "invalid_credentials",
			 "The name or the password is wrong");
	finish(login);
}

static void reply_login(struct login *login)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	login->service->metrics.auth_logins_total++;
	note(login, "login:succeeded", login->session.who.extension);
	log_info("logged in", log_str("username", login->username),
		 log_str("address", login->session.address),
		 log_str("request_id", http_request_id(login->request)));
	if (write_answer(login, &json) < 0) {
		buffer_free(&body);
		http_reply_error(login->request, 500, "internal", "No token could be signed");
	} else {
		http_reply_header(login->request, "Cache-Control", "no-store");
		http_reply_json(login->request, 200, &body);
	}
	finish(login);
}

static void on_user_again(enum users_result result, const struct user *list, size_t count,
			  void *context)
{
	struct login *login = context;

	if (result != USERS_OK && result != USERS_NONE) {
		store_revoke_session(login->service->store, &login->session.who,
				     MSG_SESSION_REVOKED_REASON_USER_CHANGED, NULL, NULL);
		refuse_unavailable(login);
	} else if (count == 0 || list[0].updated_at_ms != login->user.updated_at_ms) {
		refuse_changed(login);
	} else {
		reply_login(login);
	}
}

static void on_created(bool ok, void *context)
{
	struct login *login = context;

	if (ok)
		users_find_by_id(login->service->users, login->user.id, on_user_again, login);
	else
		refuse_unavailable(login);
}

/* ---- the session ---- */

/* Of User-Agent, so that its owner knows it again in a list; what would not fit a line is left out.
 */
static void copy_device(const struct http_request *request, char out[STORE_DEVICE_SIZE])
{
	const char *agent = http_header(request, "User-Agent");
	size_t len = 0;

	for (; agent != NULL && *agent != '\0' && len < STORE_DEVICE_SIZE - 1; agent++)
		if (*agent >= ' ' && *agent < 0x7f)
			out[len++] = *agent;
	out[len] = '\0';
}

static void create_session(struct login *login, const char *extension)
{
	struct principal *who = &login->session.who;
	int64_t now_ms = clock_wall_ms();

	strcpy(who->user_id, login->user.id);
	strcpy(who->username, login->user.username);
	strcpy(who->extension, extension);
	id_random(who->session_id);
	id_random(who->ami_session_id);
	who->role = login->user.role;
	who->permissions = role_permissions(who->role);
	strcpy(who->teams, login->user.teams);
	strcpy(who->team, login->user.team_id);
	who->expires_at_ms = now_ms + settings.auth.session_ttl_s * 1000;
	login->session.created_at_ms = now_ms;
	login->session.idle_ms = settings.auth.session_idle_s * 1000;
	copy_device(login->request, login->session.device);
	login->session.sessions_max = settings.auth.sessions_max;
	id_random(login->session.refresh_key);
	store_create_session(login->service->store, &login->session, on_created, login);
}

static void choose_extension(struct login *login)
{
	if (user_may_log_in_at(&login->user, login->extension)) {
		create_session(login, login->extension[0] != '\0' ? login->extension
								  : login->user.extension);
		return;
	}
	take_back(login);
	note(login, "login:refused", "extension_not_allowed");
	http_reply_error(login->request, 403, "extension_not_allowed",
			 "This user cannot log in at that extension");
	finish(login);
}

/* ---- the password ---- */

static void refuse_wrong(struct login *login)
{
	login->service->metrics.auth_logins_refused_total++;
	log_warn("login refused", log_str("username", login->username),
		 log_str("address", login->session.address),
		 log_str("request_id", http_request_id(login->request)));
	note(login, "login:refused",
	     login->user.id[0] == '\0' ? "unknown"
	     : !login->user.enabled    ? "disabled"
				       : "wrong_password");
	http_reply_error(login->request, 401, "invalid_credentials",
			 "The name or the password is wrong");
	finish(login);
}

static void on_verified(enum password_result result, const char *hash, void *context)
{
	struct login *login = context;

	(void)hash;
	switch (result) {
	case PASSWORD_RIGHT:
		if (login->user.enabled)
			choose_extension(login);
		else
			refuse_wrong(login);
		break;
	case PASSWORD_WRONG:
		refuse_wrong(login);
		break;
	case PASSWORD_BUSY:
		refuse_busy(login);
		break;
	case PASSWORD_STOPPED:
		take_back(login);
		refuse_unavailable(login);
		break;
	}
}

static void on_user(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct login *login = context;
	struct service *service = login->service;
	const char *hash = NULL;

	if (result != USERS_OK && result != USERS_NONE) {
		take_back(login);
		reply_users_fault(login->request, result);
		finish(login);
		return;
	}
	if (count > 0) {
		login->user = list[0];
		hash = list[0].password_hash;
	}
	if (password_verify(service->password, login->session.address, login->password, hash,
			    on_verified, login) < 0)
		refuse_busy(login);
}

/* ---- attempts so far ---- */

static void on_reserved(bool ok, int64_t wait_ms, bool alarm, void *context)
{
	struct login *login = context;
	struct service *service = login->service;

	if (!ok) {
		refuse_unavailable(login);
		return;
	}
	if (alarm) {
		service->metrics.auth_spraying_total++;
		log_error("too many wrong passwords in a minute: somebody tries many names",
			  log_int("limit", settings.auth.failures_of_all));
	}
	if (wait_ms > 0) {
		service->metrics.auth_logins_locked_total++;
		note(login, "login:refused", "locked");
		reply_wait(login->request, "too_many_failures", wait_ms);
		finish(login);
		return;
	}
	users_find_by_name(service->users, login->username, on_user, login);
}

void handle_login(struct http_request *request, void *context)
{
	struct service *service = context;
	struct store_limits limits = {settings.auth.failures_free, settings.auth.failures_of_all};
	const char *values[FIELD_COUNT];
	struct login *login;

	if (!fields_read(request, fields, values))
		return;
	if (!bootstrap_is_done(service->bootstrap)) {
		reply_unavailable(request);
		return;
	}
	login = mem_new(struct login);
	login->service = service;
	login->request = request;
	login->password = mem_strdup(values[FIELD_PASSWORD]);
	strcpy(login->username, values[FIELD_USERNAME]);
	if (values[FIELD_EXTENSION] != NULL)
		strcpy(login->extension, values[FIELD_EXTENSION]);
	snprintf(login->session.address, sizeof(login->session.address), "%s",
		 http_client_address(request));
	store_reserve_attempt(service->store, login->username, login->session.address, &limits,
			      on_reserved, login);
}
