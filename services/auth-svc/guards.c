#include "guards.h"

#include "fields.h"
#include "mem.h"
#include "replies.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

bool may_see_team(const struct principal *who, const char *team_id)
{
	const char *at = who->teams;
	size_t len = strlen(team_id);

	if (strcmp(who->teams, "*") == 0)
		return true;
	while (len > 0 && *at != '\0') {
		size_t word = strcspn(at, " ");

		if (word == len && strncmp(at, team_id, len) == 0)
			return true;
		at += word + (at[word] == ' ');
	}
	return false;
}

bool may_give_role(const struct principal *who, enum role role)
{
	return role < who->role || principal_may(who, PERMISSION_MANAGE_ADMINS);
}

static void refuse(struct http_request *request, const char *code, const char *message)
{
	http_reply_error(request, 403, code, "%s", message);
}

static void hand_over(struct http_request *request, const struct user *user)
{
	struct user *copy = mem_new(struct user);

	*copy = *user;
	http_set_user(request, copy, free);
	http_proceed(request);
}

static bool replied_fault(struct http_request *request, enum users_result result)
{
	if (result != USERS_OK)
		reply_users_fault(request, result);
	return result != USERS_OK;
}

/* ---- by id ---- */

static void on_user(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct http_request *request = context;

	(void)count;
	if (replied_fault(request, result))
		return;
	if (may_give_role(http_principal(request), list[0].role))
		hand_over(request, &list[0]);
	else
		refuse(request, "role_not_allowed", "Only users of a role below the own one");
}

static void on_any_user(enum users_result result, const struct user *list, size_t count,
			void *context)
{
	struct http_request *request = context;

	(void)count;
	if (!replied_fault(request, result))
		hand_over(request, &list[0]);
}

static bool is_agent(struct http_request *request, enum users_result result,
		     const struct user *list)
{
	if (replied_fault(request, result))
		return false;
	if (list[0].extension[0] == '\0') {
		reply_users_fault(request, USERS_NONE);
		return false;
	}
	return true;
}

static void on_agent(enum users_result result, const struct user *list, size_t count, void *context)
{
	struct http_request *request = context;

	(void)count;
	if (!is_agent(request, result, list))
		return;
	if (may_see_team(http_principal(request), list[0].team_id))
		hand_over(request, &list[0]);
	else
		refuse(request, "not_in_team", "This agent is of another team");
}

static void on_agent_change(enum users_result result, const struct user *list, size_t count,
			    void *context)
{
	if (is_agent(context, result, list))
		on_user(result, list, count, context);
}

static void find_id(struct http_request *request, void *context, users_done_fn *done)
{
	struct service *service = context;
	const char *id = http_param(request, "id");

	if (!bootstrap_is_done(service->bootstrap))
		reply_unavailable(request);
	else if (field_is_row_id(id))
		users_find_by_id(service->users, id, done, request);
	else
		reply_users_fault(request, USERS_NONE);
}

void guard_user(struct http_request *request, void *context)
{
	find_id(request, context, on_user);
}

void guard_user_any(struct http_request *request, void *context)
{
	find_id(request, context, on_any_user);
}

void guard_agent(struct http_request *request, void *context)
{
	find_id(request, context, on_agent);
}

void guard_agent_change(struct http_request *request, void *context)
{
	find_id(request, context, on_agent_change);
}

/* ---- by extension ---- */

static bool is_own(struct http_request *request)
{
	const struct principal *who = http_principal(request);

	return who->extension[0] != '\0' &&
	       strcmp(who->extension, http_param(request, "extension")) == 0;
}

static void on_extension(enum users_result result, const struct user *list, size_t count,
			 void *context)
{
	struct http_request *request = context;

	(void)count;
	if (replied_fault(request, result))
		return;
	if (is_own(request) || may_see_team(http_principal(request), list[0].team_id))
		hand_over(request, &list[0]);
	else
		refuse(request, "not_in_team", "This agent is of another team");
}

static void find_extension(struct http_request *request, void *context, enum permission others)
{
	struct service *service = context;
	const char *extension = http_param(request, "extension");

	if (!is_own(request) && !principal_may(http_principal(request), others))
		refuse(request, "not_own_extension", "This is another one's extension");
	else if (!bootstrap_is_done(service->bootstrap))
		reply_unavailable(request);
	else if (field_is_extension(extension) && strlen(extension) <= 32)
		users_find_by_extension(service->users, extension, on_extension, request);
	else
		reply_users_fault(request, USERS_NONE);
}

void guard_extension(struct http_request *request, void *context)
{
	find_extension(request, context, PERMISSION_MONITOR_CALLS);
}

void guard_extension_change(struct http_request *request, void *context)
{
	find_extension(request, context, PERMISSION_MANAGE_AGENTS);
}

/* ---- by session ---- */

void guard_session(struct http_request *request, void *context)
{
	const struct principal *who = http_principal(request);

	(void)context;
	if (strcmp(who->session_id, http_param(request, "sessionId")) == 0 ||
	    principal_may(who, PERMISSION_MANAGE_USERS))
		http_proceed(request);
	else
		refuse(request, "not_own_session", "This is another session than the caller's");
}
