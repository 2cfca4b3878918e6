/* POST /api/auth/login: failures so far -> user -> password -> session -> answer. A name that does
   not exist, a wrong password and a disabled user look the same and take the same time. */
#include "clock.h"
#include "fields.h"
#include "ids.h"
#include "lockout.h"
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
	char address[64];   /* of the client */
	char username[65];
	struct user user; /* once it was found */
	struct store_session session;
};

enum {
	FIELD_USERNAME,
	FIELD_PASSWORD,
	FIELD_EXTENSION,
	FIELD_COUNT
};

static const struct field fields[] = {
	[FIELD_USERNAME] = {"username", true, 1, 64, field_is_username,
			    "A text of 1 to 64 characters a-z 0-9 . _ -"},
	[FIELD_PASSWORD] = {"password", true, 1, 256, field_is_plain, "A text of 1 to 256 bytes"},
	[FIELD_EXTENSION] = {"extension", false, 1, 32, field_is_extension,
			     "A text of 1 to 32 digits"},
	[FIELD_COUNT] = {0},
};

static void finish(struct login *login)
{
	sodium_memzero(login->password, strlen(login->password));
	free(login->password);
	free(login);
}

static void refuse_unavailable(struct login *login)
{
	reply_unavailable(login->request);
	finish(login);
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
	json_begin_object(json);
	json_field_str(json, "username", who->username);
	if (who->extension[0] != '\0')
		json_field_str(json, "extension", who->extension);
	write_permissions(json, who->permissions);
	json_field_str(json, "sessionId", who->ami_session_id);
	json_end_object(json);
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

static void on_created(bool ok, void *context)
{
	struct login *login = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (!ok) {
		refuse_unavailable(login);
		return;
	}
	login->service->metrics.auth_logins_total++;
	log_info("logged in", log_str("username", login->username),
		 log_str("address", login->address),
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

/* ---- the session ---- */

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
	who->expires_at_ms = now_ms + settings.auth.session_ttl_s * 1000;
	login->session.address = login->address;
	login->session.created_at_ms = now_ms;
	login->session.sessions_max = settings.auth.sessions_max;
	id_random(login->session.refresh_key);
	store_create_session(login->service->store, &login->session, on_created, login);
}

/* The user's own extension; who has none and oversees others may take any for a session. */
static void choose_extension(struct login *login)
{
	const struct user *user = &login->user;

	if (login->extension[0] == '\0' || strcmp(login->extension, user->extension) == 0) {
		create_session(login, user->extension);
	} else if (user->extension[0] == '\0' && user->role > ROLE_AGENT) {
		create_session(login, login->extension);
	} else {
		http_reply_error(login->request, 403, "extension_not_allowed",
				 "This user cannot log in at that extension");
		finish(login);
	}
}

/* ---- the password ---- */

static void on_failure_counted(bool ok, void *context)
{
	struct login *login = context;

	if (!ok) {
		refuse_unavailable(login);
		return;
	}
	http_reply_error(login->request, 401, "invalid_credentials",
			 "The name or the password is wrong");
	finish(login);
}

static void on_verified(enum password_result result, const char *hash, void *context)
{
	struct login *login = context;

	(void)hash;
	if (result == PASSWORD_STOPPED) {
		refuse_unavailable(login);
	} else if (result == PASSWORD_WRONG || !login->user.enabled) {
		login->service->metrics.auth_logins_refused_total++;
		log_warn("login refused", log_str("username", login->username),
			 log_str("address", login->address),
			 log_str("request_id", http_request_id(login->request)));
		store_add_failure(login->service->store, login->username, login->address,
				  on_failure_counted, login);
	} else {
		choose_extension(login);
	}
}

static void on_user(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct login *login = context;
	struct service *service = login->service;
	const char *hash = NULL;

	if (result != USERS_OK && result != USERS_NONE) {
		reply_users_fault(login->request, result);
		finish(login);
		return;
	}
	if (count > 0) {
		login->user = list[0];
		hash = list[0].password_hash;
	}
	if (password_verify(service->password, login->password, hash, on_verified, login) < 0) {
		service->metrics.auth_logins_busy_total++;
		reply_wait(login->request, "too_many_logins", 1000);
		finish(login);
	}
}

/* ---- failures so far ---- */

static void on_failures(bool ok, struct store_failures user, struct store_failures address,
			void *context)
{
	struct login *login = context;
	struct service *service = login->service;
	int64_t free_count = settings.auth.failures_free;
	int64_t wait_ms, address_wait_ms;

	if (!ok) {
		refuse_unavailable(login);
		return;
	}
	wait_ms = lockout_wait_ms(user.count, free_count, user.since_ms);
	address_wait_ms = lockout_wait_ms(address.count, free_count * LOCKOUT_ADDRESS_FACTOR,
					  address.since_ms);
	if (address_wait_ms > wait_ms)
		wait_ms = address_wait_ms;
	if (wait_ms > 0) {
		service->metrics.auth_logins_locked_total++;
		reply_wait(login->request, "too_many_failures", wait_ms);
		finish(login);
		return;
	}
	users_find_by_name(service->users, login->username, on_user, login);
}

void handle_login(struct http_request *request, void *context)
{
	struct service *service = context;
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
	snprintf(login->address, sizeof(login->address), "%s", http_client_address(request));
	store_get_failures(service->store, login->username, login->address, on_failures, login);
}
