/* PUT and DELETE /api/users/agents/{id}, and a new secret for its telephone. */
#include "agent_fields.h"
#include "agent_news.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct change {
	struct service *service;
	struct http_request *request;
	struct agent_wish wish;
	struct agent agent; /* as it stands afterwards */
	bool ends_sessions;
};

static struct change *change_new(struct service *service, struct http_request *request)
{
	struct change *change = mem_new(struct change);

	change->service = service;
	change->request = request;
	change->wish.user = *(const struct user *)http_user(request);
	return change;
}

static void finish(struct change *change)
{
	sodium_memzero(change, sizeof(*change));
	free(change);
}

static struct users_actor actor_of(struct http_request *request)
{
	const struct principal *who = http_principal(request);

	return (struct users_actor){who->user_id, who->username, http_client_address(request)};
}

/* ---- change ---- */

static void reply_agent(struct change *change)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	agent_write(&change->agent, &json);
	http_reply_json(change->request, 200, &body);
}

static void on_ended(bool ok, size_t count, void *context)
{
	struct change *change = context;

	change->service->metrics.auth_sessions_revoked_total += count;
	if (!ok)
		reply_unavailable(change->request);
	else if (change->agent.user.id[0] != '\0')
		reply_agent(change);
	else
		http_reply_json(change->request, 204, NULL);
	finish(change);
}

static void on_changed(enum agents_result result, const struct agent *list, size_t count,
		       void *context)
{
	struct change *change = context;

	(void)count;
	if (result == AGENTS_NONE ||
	    (result == AGENTS_OK && !user_is_like(&list[0].user, &change->wish.user))) {
		http_reply_error(change->request, 409, "changed_meanwhile",
				 "Somebody else has changed this agent");
		finish(change);
	} else if (result != AGENTS_OK) {
		reply_agents_fault(change->request, result);
		finish(change);
	} else {
		change->agent = list[0];
		agent_changed(change->service, change->request, &list[0]);
		store_set_session_field(change->service->store, list[0].user.id, "team",
					list[0].user.team_id);
		if (change->ends_sessions) {
			sessions_end(change->service->store, list[0].user.id, NULL,
				     MSG_SESSION_REVOKED_REASON_USER_CHANGED, on_ended, change);
		} else {
			reply_agent(change);
			finish(change);
		}
	}
}

void handle_agent_change(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *values[AGENT_FIELDS];
	struct users_actor actor = actor_of(request);
	struct change *change;
	bool enabled;

	if (!fields_read(request, agent_change_fields, values))
		return;
	change = change_new(service, request);
	enabled = change->wish.user.enabled;
	agent_fill(&change->wish.user, values);
	change->ends_sessions = enabled != change->wish.user.enabled;
	if (agent_read_queues(request, &change->wish))
		agents_change(service->agents, &change->wish, &actor, on_changed, change);
	else
		finish(change);
}

/* ---- removal ---- */

static void on_removed(enum agents_result result, const struct agent *list, size_t count,
		       void *context)
{
	struct change *change = context;

	(void)list;
	(void)count;
	if (result != AGENTS_OK) {
		reply_agents_fault(change->request, result);
		finish(change);
		return;
	}
	agent_removed(change->service, change->request, &change->wish.user);
	sessions_end(change->service->store, change->wish.user.id, NULL,
		     MSG_SESSION_REVOKED_REASON_USER_CHANGED, on_ended, change);
}

void handle_agent_remove(struct http_request *request, void *context)
{
	struct service *service = context;
	struct users_actor actor = actor_of(request);
	const struct user *user = http_user(request);

	if (strcmp(user->id, http_principal(request)->user_id) == 0)
		http_reply_error(request, 403, "own_account", "Nobody removes the own account");
	else
		agents_remove(service->agents, user, &actor, on_removed,
			      change_new(service, request));
}

/* ---- a new secret ---- */

static void on_secret(enum agents_result result, const struct agent *list, size_t count,
		      void *context)
{
	struct change *change = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	(void)list;
	(void)count;
	if (result == AGENTS_OK) {
		audit_act(change->service->audit, change->request, "agent:secret_changed",
			  change->wish.user.username, change->wish.user.extension, true);
		json_begin_object(&json);
		write_sip(&json, change->wish.user.extension, change->wish.secret);
		json_end_object(&json);
		http_reply_header(change->request, "Cache-Control", "no-store");
		http_reply_json(change->request, 200, &body);
	} else {
		reply_agents_fault(change->request, result);
	}
	finish(change);
}

void handle_agent_secret(struct http_request *request, void *context)
{
	struct service *service = context;
	struct users_actor actor = actor_of(request);
	struct change *change = change_new(service, request);

	agents_make_secret(change->wish.secret);
	agents_change_secret(service->agents, &change->wish.user, change->wish.secret, &actor,
			     on_secret, change);
}
