/* Whether agents take calls: /api/ami/users/{extension}/status, and the list of all. */
#include "availability.h"
#include "fields.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"
#include "store_agent.h"

#include <stdlib.h>
#include <string.h>

static void write_status(struct json_writer *json, const struct user *user,
			 const struct store_agent *agent)
{
	json_begin_object(json);
	json_field_str(json, "extension", user->extension);
	json_field_str(json, "userId", user->id);
	json_field_str(json, "username", user->username);
	json_field_str(json, "displayName", user->display_name);
	if (user->team_id[0] != '\0')
		json_field_str(json, "teamId", user->team_id);
	json_field_str(json, "status", agent->known ? agent->availability : "offline");
	if (agent->reason[0] != '\0')
		json_field_str(json, "reason", agent->reason);
	if (agent->known)
		json_field_int(json, "sinceAt", agent->since_ms);
	if (agent->state[0] != '\0')
		json_field_str(json, "state", agent->state);
	if (agent->device_state[0] != '\0')
		json_field_str(json, "deviceState", agent->device_state);
	if (agent->call_id[0] != '\0')
		json_field_str(json, "callId", agent->call_id);
	json_end_object(json);
}

/* ---- one ---- */

static void on_agent(bool ok, const struct store_agent *list, size_t count, void *context)
{
	struct http_request *request = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (!ok || count != 1) {
		reply_unavailable(request);
		return;
	}
	write_status(&json, http_user(request), &list[0]);
	http_reply_json(request, 200, &body);
}

static void reply_status(struct service *service, struct http_request *request)
{
	const struct user *user = http_user(request);
	const char *extension = user->extension;

	store_get_agents(service->store, &extension, 1, on_agent, request);
}

void handle_status_get(struct http_request *request, void *context)
{
	reply_status(context, request);
}

/* ---- a change ---- */

struct change {
	struct service *service;
	struct http_request *request;
};

static void on_changed(enum store_change result, void *context)
{
	struct change *change = context;

	if (result == STORE_NOT_LOGGED_IN)
		http_reply_error(change->request, 409, "not_logged_in",
				 "This extension has no live AMI session");
	else if (result == STORE_CHANGE_UNKNOWN)
		reply_unavailable(change->request);
	else
		reply_status(change->service, change->request);
	free(change);
}

static bool is_availability(const char *text)
{
	enum availability availability;

	return availability_parse(text, &availability);
}

static const struct field fields[] = {
	{"status", FIELD_REQUIRED, 1, 16, is_availability,
	 "One of available break lunch dnd wrap-up offline"},
	{"reason", FIELD_NULLABLE, 1, STORE_REASON_SIZE - 1, field_is_plain,
	 "A text of 1 to 128 bytes"},
	{0},
};

void handle_status_put(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct user *user = http_user(request);
	const char *values[2];
	struct change *change;
	struct store_status status = {
		.extension = user->extension,
		.by = http_principal(request)->user_id,
		.request_id = http_request_id(request),
	};

	if (!fields_read(request, fields, values))
		return;
	(void)availability_parse(values[0], &status.availability);
	status.reason = values[1] != NULL && values[1][0] != '\0' ? values[1] : NULL;
	if (strcmp(user->id, http_principal(request)->user_id) != 0)
		audit_act(service->audit, request, "agent:status_set", user->username, values[0],
			  false);
	change = mem_new(struct change);
	*change = (struct change){service, request};
	store_agent_set(service->store, &status, on_changed, change);
}

/* ---- all ---- */

struct list {
	struct service *service;
	struct http_request *request;
	size_t limit, count;
	bool more;
	struct user *users; /* owned */
};

static void finish(struct list *list)
{
	free(list->users);
	free(list);
}

static void on_agents(bool ok, const struct store_agent *agents, size_t count, void *context)
{
	struct list *list = context;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (!ok || count != list->count) {
		reply_unavailable(list->request);
		finish(list);
		return;
	}
	json_begin_object(&json);
	json_key(&json, "agents");
	json_begin_array(&json);
	for (size_t i = 0; i < count; i++)
		write_status(&json, &list->users[i], &agents[i]);
	json_end_array(&json);
	json_field_str(&json, "nextCursor", list->more ? list->users[count - 1].id : NULL);
	json_end_object(&json);
	http_reply_json(list->request, 200, &body);
	finish(list);
}

static void on_users(enum users_result result, const struct user *users, size_t count,
		     void *context)
{
	struct list *list = context;
	const char *extensions[STORE_AGENTS_MAX];

	if (result != USERS_OK && result != USERS_NONE) {
		reply_users_fault(list->request, result);
		finish(list);
		return;
	}
	list->more = count > list->limit;
	list->count = list->more ? list->limit : count;
	list->users = mem_array(struct user, list->count + 1);
	for (size_t i = 0; i < list->count; i++) {
		list->users[i] = users[i];
		extensions[i] = list->users[i].extension;
	}
	store_get_agents(list->service->store, extensions, list->count, on_agents, list);
}

void handle_status_list(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	struct http_page page;
	struct list *list;

	if (!service_is_ready(service, request) || !read_row_page(request, &page))
		return;
	list = mem_new(struct list);
	list->service = service;
	list->request = request;
	list->limit = page.limit;
	users_list_agents(service->users, strcmp(who->teams, "*") == 0 ? NULL : who->user_id,
			  page.cursor, page.limit + 1, on_users, list);
}
