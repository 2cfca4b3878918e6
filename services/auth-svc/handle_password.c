/* POST /api/auth/password: the caller's own. The current one is asked for, and counted like a
   login; the other sessions end. */
#include "fields.h"
#include "log.h"
#include "mem.h"
#include "password_rules.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "sessions.h"
#include "settings.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change {
	struct service *service;
	struct http_request *request;
	char *current, *wanted; /* owned, wiped */
	char address[64];
	struct user user;
};

enum {
	CURRENT,
	WANTED,
	COUNT
};

static const struct field fields[] = {
	[CURRENT] = {"currentPassword", FIELD_REQUIRED, 1, PASSWORD_MAX, field_is_plain,
		     "A text of 1 to 256 bytes"},
	[WANTED] = {"newPassword", FIELD_REQUIRED, PASSWORD_MIN, PASSWORD_MAX, field_is_plain,
		    "A text of 12 to 256 bytes"},
	[COUNT] = {0},
};

static void wipe(char *text)
{
	sodium_memzero(text, strlen(text));
	free(text);
}

static void finish(struct change *change)
{
	wipe(change->current);
	wipe(change->wanted);
	free(change);
}

static void take_back(const struct change *change, bool right)
{
	store_settle_attempt(change->service->store, http_principal(change->request)->username,
			     change->address, right);
}

static void refuse_busy(struct change *change)
{
	reply_wait(change->request, "too_many_logins", password_wait_ms(change->service->password));
	finish(change);
}

static void on_others_ended(bool ok, size_t count, void *context)
{
	struct change *change = context;

	change->service->metrics.auth_sessions_revoked_total += count;
	if (ok)
		http_reply_json(change->request, 204, NULL);
	else
		reply_unavailable(change->request);
	finish(change);
}

static void on_changed(enum users_result result, const struct user *list, size_t count,
		       void *context)
{
	struct change *change = context;
	const struct principal *who = http_principal(change->request);

	(void)list;
	(void)count;
	if (result != USERS_OK) {
		reply_users_fault(change->request, result);
		finish(change);
		return;
	}
	log_info("a password was changed", log_str("username", who->username),
		 log_str("request_id", http_request_id(change->request)));
	audit_act(change->service->audit, change->request, "password:changed", who->username, NULL,
		  true);
	sessions_end(change->service->store, who->user_id, who->session_id,
		     MSG_SESSION_REVOKED_REASON_USER_CHANGED, on_others_ended, change);
}

static void on_hashed(enum password_result result, const char *hash, void *context)
{
	struct change *change = context;
	const struct principal *who = http_principal(change->request);
	struct users_actor actor = {who->user_id, who->username, change->address};

	if (result == PASSWORD_BUSY) {
		refuse_busy(change);
		return;
	}
	if (result != PASSWORD_RIGHT) {
		reply_unavailable(change->request);
		finish(change);
		return;
	}
	strcpy(change->user.password_hash, hash);
	users_change(change->service->users, &change->user, &actor, "password:changed", "",
		     on_changed, change);
}

static void on_verified(enum password_result result, const char *hash, void *context)
{
	struct change *change = context;

	(void)hash;
	if (result == PASSWORD_WRONG) {
		audit_act(change->service->audit, change->request, "password:refused",
			  change->user.username, NULL, false);
		http_reply_error(change->request, 403, "wrong_password",
				 "The current password is wrong");
		finish(change);
		return;
	}
	take_back(change, result == PASSWORD_RIGHT);
	if (result == PASSWORD_STOPPED) {
		reply_unavailable(change->request);
		finish(change);
	} else if (result == PASSWORD_BUSY ||
		   password_hash(change->service->password, change->address, change->wanted,
				 on_hashed, change) < 0) {
		refuse_busy(change);
	}
}

static void on_user(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct change *change = context;

	(void)count;
	if (result != USERS_OK) {
		take_back(change, false);
		reply_users_fault(change->request, result);
		finish(change);
		return;
	}
	change->user = list[0];
	if (password_verify(change->service->password, change->address, change->current,
			    change->user.password_hash, on_verified, change) < 0) {
		take_back(change, false);
		refuse_busy(change);
	}
}

static void on_reserved(bool ok, int64_t wait_ms, bool alarm, void *context)
{
	struct change *change = context;

	(void)alarm;
	if (ok && wait_ms == 0) {
		users_find_by_id(change->service->users, http_principal(change->request)->user_id,
				 on_user, change);
		return;
	}
	if (ok)
		reply_wait(change->request, "too_many_failures", wait_ms);
	else
		reply_unavailable(change->request);
	finish(change);
}

void handle_password(struct http_request *request, void *context)
{
	struct service *service = context;
	struct store_limits limits = {settings.auth.failures_free, settings.auth.failures_of_all};
	const struct principal *who = http_principal(request);
	const char *values[COUNT];
	const char *fault;
	struct change *change;

	if (!fields_read(request, fields, values))
		return;
	fault = password_fault(values[WANTED], who->username);
	if (fault != NULL) {
		field_reply_fault(request, "newPassword", fault);
		return;
	}
	change = mem_new(struct change);
	change->service = service;
	change->request = request;
	change->current = mem_strdup(values[CURRENT]);
	change->wanted = mem_strdup(values[WANTED]);
	snprintf(change->address, sizeof(change->address), "%s", http_client_address(request));
	store_reserve_attempt(service->store, who->username, change->address, &limits, on_reserved,
			      change);
}
