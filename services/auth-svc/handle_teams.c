/* /api/users/teams: who manages whom. */
#include "fields.h"
#include "guards.h"
#include "mem.h"
#include "replies.h"
#include "routes.h"
#include "service.h"

#include <stdlib.h>
#include <string.h>

#define MANAGERS_MAX 16

struct job {
	struct service *service;
	struct http_request *request;
	const char *name; /* borrowed from the request; NULL: as it is */
	const char *managers[MANAGERS_MAX];
	size_t manager_count;
	bool has_managers;
	size_t limit;
	const char *action;
};

static const struct field create_fields[] = {
	{"name", FIELD_REQUIRED, 1, 100, field_is_name, "A text of 1 to 100 bytes"},
	{"managers", FIELD_ANY, 0, 0, NULL, "Ids of users"},
	{0},
};
static const struct field change_fields[] = {
	{"name", 0, 1, 100, field_is_name, "A text of 1 to 100 bytes"},
	{"managers", FIELD_ANY, 0, 0, NULL, "Ids of users"},
	{0},
};

static struct job *job_new(struct service *service, struct http_request *request)
{
	struct job *job = mem_new(struct job);

	job->service = service;
	job->request = request;
	return job;
}

static void write_team(const struct team *team, struct json_writer *json)
{
	const char *at = team->managers;

	json_begin_object(json);
	json_field_str(json, "id", team->id);
	json_field_str(json, "name", team->name);
	json_key(json, "managers");
	json_begin_array(json);
	while (*at != '\0') {
		size_t len = strcspn(at, " ");

		json_strn(json, at, len);
		at += len + (at[len] == ' ');
	}
	json_end_array(json);
	json_field_int(json, "members", team->members);
	json_field_int(json, "createdAt", team->created_at_ms);
	json_end_object(json);
}

static void reply_fault(struct http_request *request, enum teams_result result)
{
	switch (result) {
	case TEAMS_NONE:
		http_reply_error(request, 404, "team_not_found", "There is no such team");
		break;
	case TEAMS_NAME_TAKEN:
		http_reply_error(request, 409, "team_name_taken", "There is a team of this name");
		break;
	case TEAMS_MANAGER_UNKNOWN:
		http_reply_error(request, 409, "manager_not_found",
				 "One of the managers is no user");
		break;
	case TEAMS_UNAVAILABLE:
		reply_unavailable(request);
		break;
	default:
		http_reply_error(request, 500, "internal", "The database refused");
		break;
	}
}

static void reply_team(struct http_request *request, unsigned status, const struct team *team)
{
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	write_team(team, &json);
	http_reply_json(request, status, &body);
}

/* ---- reading ---- */

static void on_listed(enum teams_result result, const struct team *list, size_t count,
		      void *context)
{
	struct job *job = context;
	size_t shown = count < job->limit ? count : job->limit;
	struct buffer body = {0};
	struct json_writer json = json_writer_init(&body);

	if (result != TEAMS_OK && result != TEAMS_NONE) {
		reply_fault(job->request, result);
		free(job);
		return;
	}
	json_begin_object(&json);
	json_key(&json, "teams");
	json_begin_array(&json);
	for (size_t i = 0; i < shown; i++)
		write_team(&list[i], &json);
	json_end_array(&json);
	json_field_str(&json, "nextCursor", count > job->limit ? list[shown - 1].id : NULL);
	json_end_object(&json);
	http_reply_json(job->request, 200, &body);
	free(job);
}

void handle_team_list(struct http_request *request, void *context)
{
	struct service *service = context;
	const struct principal *who = http_principal(request);
	struct http_page page;
	struct job *job;

	if (!service_is_ready(service, request) || !read_row_page(request, &page))
		return;
	job = job_new(service, request);
	job->limit = page.limit;
	teams_list(service->teams, strcmp(who->teams, "*") == 0 ? NULL : who->user_id, page.cursor,
		   page.limit + 1, on_listed, job);
}

/* ---- changing ---- */

static bool is_named_before(const struct job *job, const char *id)
{
	for (size_t i = 0; i < job->manager_count; i++)
		if (strcmp(job->managers[i], id) == 0)
			return true;
	return false;
}

/* False: 400 was replied. */
static bool read_managers(struct job *job)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(http_json(job->request), "managers");
	const cJSON *item;

	job->has_managers = list != NULL;
	if (list != NULL && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MANAGERS_MAX)) {
		field_reply_fault(job->request, "managers", "A list of at most 16 ids of users");
		return false;
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || !field_is_row_id(item->valuestring)) {
			field_reply_fault(job->request, "managers", "One of them is no id");
			return false;
		}
		if (!is_named_before(job, item->valuestring))
			job->managers[job->manager_count++] = item->valuestring;
	}
	return true;
}

static struct users_actor actor_of(struct http_request *request)
{
	const struct principal *who = http_principal(request);

	return (struct users_actor){who->user_id, who->username, http_client_address(request)};
}

static void on_written(enum teams_result result, const struct team *list, size_t count,
		       void *context)
{
	struct job *job = context;

	(void)count;
	if (result == TEAMS_OK) {
		teams_publish(job->service->teams);
		audit_act(job->service->audit, job->request, job->action, list[0].name, NULL, true);
		reply_team(job->request, strcmp(job->action, "team:created") == 0 ? 201 : 200,
			   &list[0]);
	} else {
		reply_fault(job->request, result);
	}
	free(job);
}

void handle_team_create(struct http_request *request, void *context)
{
	struct service *service = context;
	struct users_actor actor = actor_of(request);
	const char *values[2];
	struct job *job;

	if (!service_is_ready(service, request) || !fields_read(request, create_fields, values))
		return;
	job = job_new(service, request);
	job->action = "team:created";
	if (read_managers(job))
		teams_add(service->teams, values[0], job->managers, job->manager_count, &actor,
			  on_written, job);
	else
		free(job);
}

static void on_found_to_change(enum teams_result result, const struct team *list, size_t count,
			       void *context)
{
	struct job *job = context;
	struct users_actor actor = actor_of(job->request);

	(void)count;
	if (result == TEAMS_OK) {
		teams_change(job->service->teams, &list[0], job->name,
			     job->has_managers ? job->managers : NULL, job->manager_count, &actor,
			     on_written, job);
	} else {
		reply_fault(job->request, result);
		free(job);
	}
}

/* False: 404 was replied. */
static bool has_id(struct http_request *request)
{
	bool ok = field_is_row_id(http_param(request, "id"));

	if (!ok)
		reply_fault(request, TEAMS_NONE);
	return ok;
}

void handle_team_change(struct http_request *request, void *context)
{
	struct service *service = context;
	const char *values[2];
	struct job *job;

	if (!service_is_ready(service, request) || !has_id(request) ||
	    !fields_read(request, change_fields, values))
		return;
	job = job_new(service, request);
	job->action = "team:changed";
	job->name = values[0];
	if (read_managers(job))
		teams_find(service->teams, http_param(request, "id"), on_found_to_change, job);
	else
		free(job);
}

static void on_removed(enum teams_result result, const struct team *list, size_t count,
		       void *context)
{
	struct job *job = context;

	(void)list;
	(void)count;
	if (result == TEAMS_OK || result == TEAMS_NONE) { /* what is read last is not there */
		teams_publish(job->service->teams);
		audit_act(job->service->audit, job->request, "team:removed",
			  http_param(job->request, "id"), NULL, true);
		http_reply_json(job->request, 204, NULL);
	} else {
		reply_fault(job->request, result);
	}
	free(job);
}

static void on_found_to_remove(enum teams_result result, const struct team *list, size_t count,
			       void *context)
{
	struct job *job = context;
	struct users_actor actor = actor_of(job->request);

	(void)count;
	if (result == TEAMS_OK) {
		teams_remove(job->service->teams, &list[0], &actor, on_removed, job);
	} else {
		reply_fault(job->request, result);
		free(job);
	}
}

void handle_team_remove(struct http_request *request, void *context)
{
	struct service *service = context;

	if (service_is_ready(service, request) && has_id(request))
		teams_find(service->teams, http_param(request, "id"), on_found_to_remove,
			   job_new(service, request));
}
