/* PUT and DELETE /api/users/{id}: what changes who somebody is, or what it may do, ends its
   sessions. */
#include "fields.h"
#include "guards.h"
#include "log.h"
#include "mem.h"
#include "password_rules.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "sessions.h"

#include <stdlib.h>
#include <string.h>

struct change {
	struct service *service;
	struct http_request *request;
	struct user user; /* as it shall be; as it stands afterwards */
	bool ends_sessions;
};

enum {
	FIELD_PASSWORD,
	FIELD_ROLE,
	FIELD_EXTENSION,
	FIELD_DISPLAY_NAME,
	FIELD_EMAIL,
	FIELD_TEAM,
	FIELD_ENABLED,
	FIELD_COUNT
};

static const struct field fields[] = {
	[FIELD_PASSWORD] = {"password", 0, PASSWORD_MIN, PASSWORD_MAX, field_is_plain,
			    "A text of 12 to 256 bytes"},
	[FIELD_ROLE] = {"role", 0, 1, 32, field_is_role, "The name of a role"},
	[FIELD_EXTENSION] = {"extension", FIELD_NULLABLE, 1, 32, field_is_extension,
			     "A text of 1 to 32 digits, or null"},
	[FIELD_DISPLAY_NAME] = {"displayName", FIELD_NULLABLE, 1, 100, field_is_display_name,
				"A text of 1 to 100 bytes, without quotes and brackets, or null"},
	[FIELD_EMAIL] = {"email", FIELD_NULLABLE, 3, 254, field_is_email,
			 "An e-mail address, or null"},
	[FIELD_TEAM] = {"teamId", FIELD_NULLABLE, 1, 18, field_is_row_id,
			"The id of a team, or null"},
	[FIELD_ENABLED] = {"enabled", FIELD_FLAG, 0, 0, NULL, "true or false"},
	[FIELD_COUNT] = {0},
};

/* ---- the answer ---- */

static void reply_changed(struct change *change)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	user_write(&change->user, &json);
	http_reply_json(change->request, 200, &body);
	free(change);
}

static void on_ended(bool ok, size_t count, void *context)
{
	struct change *change = context;

	change->service->metrics.auth_sessions_revoked_total += count;
	if (ok) {
		reply_changed(change);
	} else {
		reply_unavailable(change->request);
		free(change);
	}
}

static void on_changed(enum users_result result, const struct user *list, size_t count,
		       void *context)
{
	struct change *change = context;

	(void)count;
	if (result == USERS_NONE) {
		http_reply_error(change->request, 409, "changed_meanwhile",
				 "Somebody else has changed this user");
		free(change);
		return;
	}
	if (result != USERS_OK) {
		reply_users_fault(change->request, result);
		free(change);
		return;
	}
	change->user = list[0];
	audit_act(change->service->audit, change->request, "user:changed", list[0].username,
		  role_name(list[0].role), true);
	teams_publish(change->service->teams);
	store_set_session_field(change->service->store, list[0].id, "team", list[0].team_id);
	if (change->ends_sessions)
		sessions_end(change->service->store, change->user.id, NULL,
			     MSG_SESSION_REVOKED_REASON_USER_CHANGED, on_ended, change);
	else
		reply_changed(change);
}

/* ---- the change ---- */

static void write_change(struct change *change)
{
	const struct principal *who = http_principal(change->request);
	struct users_actor actor = {who->user_id, who->username,
				    http_client_address(change->request)};

	users_change(change->service->users, &change->user, &actor, "user:changed",
		     role_name(change->user.role), on_changed, change);
}

static void on_hashed(enum password_result result, const char *hash, void *context)
{
	struct change *change = context;

	if (result == PASSWORD_RIGHT) {
		strcpy(change->user.password_hash, hash);
		write_change(change);
		return;
	}
	if (result == PASSWORD_BUSY)
		reply_wait(change->request, "too_many_logins",
			   password_wait_ms(change->service->password));
	else
		reply_unavailable(change->request);
	free(change);
}

static void set(char *out, const char *value, bool *changed)
{
	if (value == NULL || strcmp(out, value) == 0)
		return;
	strcpy(out, value);
	*changed = true;
}

static void apply(struct change *change, const char *const *values)
{
	struct user *user = &change->user;
	enum role role = user->role;
	bool enabled = user->enabled, changed = false;

	set(user->extension, values[FIELD_EXTENSION], &change->ends_sessions);
	set(user->display_name, values[FIELD_DISPLAY_NAME], &changed);
	set(user->email, values[FIELD_EMAIL], &changed);
	set(user->team_id, values[FIELD_TEAM], &changed);
	if (values[FIELD_ROLE] != NULL)
		(void)role_parse(values[FIELD_ROLE], &user->role);
	if (values[FIELD_ENABLED] != NULL)
		user->enabled = strcmp(values[FIELD_ENABLED], "true") == 0;
	if (user->role != role || user->enabled != enabled || values[FIELD_PASSWORD] != NULL)
		change->ends_sessions = true;
}

/* False: it was replied. Nobody locks the own account, or gives itself another role. */
static bool is_allowed(struct http_request *request, const struct user *before,
		       const struct user *user, const char *password)
{
	const struct principal *who = http_principal(request);
	const char *fault = password != NULL ? password_fault(password, user->username) : NULL;

	if (fault != NULL) {
		field_reply_fault(request, "password", fault);
	} else if (!may_give_role(who, user->role)) {
		http_reply_error(request, 403, "role_not_allowed",
				 "Only roles below the own one can be given");
	} else if (strcmp(who->user_id, user->id) == 0 &&
		   (user->role != before->role || !user->enabled || password != NULL)) {
		http_reply_error(request, 403, "own_account",
				 "Not for the own account; a password is changed at "
				 "/api/auth/password");
	} else {
		return true;
	}
	return false;
}

void handle_user_change(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct user *before = http_user(request);
	const char *values[FIELD_COUNT];
	struct change *change;

	if (!fields_read(request, fields, values))
		return;
	change = mem_new(struct change);
	change->service = service;
	change->request = request;
	change->user = *before;
	apply(change, values);
	if (!is_allowed(request, before, &change->user, values[FIELD_PASSWORD])) {
		free(change);
	} else if (values[FIELD_PASSWORD] == NULL) {
		write_change(change);
	} else if (password_hash(service->password, http_client_address(request),
				 values[FIELD_PASSWORD], on_hashed, change) < 0) {
		reply_wait(request, "too_many_logins", password_wait_ms(service->password));
		free(change);
	}
}

/* ---- removal ---- */

static void on_all_ended(bool ok, size_t count, void *context)
{
	struct change *change = context;

	change->service->metrics.auth_sessions_revoked_total += count;
	if (ok)
		http_reply_json(change->request, 204, NULL);
	else
		reply_unavailable(change->request);
	free(change);
}

static void on_removed(enum users_result result, const struct user *list, size_t count,
		       void *context)
{
	struct change *change = context;

	(void)list;
	(void)count;
	if (result != USERS_OK) {
		reply_users_fault(change->request, result);
		free(change);
		return;
	}
	audit_act(change->service->audit, change->request, "user:removed", change->user.username,
		  role_name(change->user.role), true);
	log_info("a user was removed", log_str("username", change->user.username),
		 log_str("by", http_principal(change->request)->username),
		 log_str("request_id", http_request_id(change->request)));
	teams_publish(change->service->teams);
	sessions_end(change->service->store, change->user.id, NULL,
		     MSG_SESSION_REVOKED_REASON_USER_CHANGED, on_all_ended, change);
}

void handle_user_remove(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	const struct user *user = http_user(request);
	struct users_actor actor = {who->user_id, who->username, http_client_address(request)};
	struct change *change;

	if (strcmp(who->user_id, user->id) == 0) {
		http_reply_error(request, 403, "own_account", "Nobody removes the own account");
		return;
	}
	change = mem_new(struct change);
	change->service = service;
	change->request = request;
	change->user = *user;
	users_remove(service->users, user, &actor, on_removed, change);
}
