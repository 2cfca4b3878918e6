#include "task.h"

#include "audit.h"
#include "clock.h"
#include "http_audit.h"
#include "ids.h"
#include "json.h"
#include "mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_HEAD "/api/crm/"
#define LATER_MS  10000 /* then whoever began with it is done, or dead */

cJSON *task_client(struct db *db, struct task *task, bool live, const char *id)
{
	cJSON *client = NULL;
	enum db_result result = id != NULL && id_is_safe(id, 160)
					? record_get(db, &kinds[KIND_CLIENT], id, &client)
					: DB_NONE;

	if (result == DB_OK && (!live || record_is_live(client)) &&
	    scope_sees(&task->scope, client))
		return client;
	cJSON_Delete(client);
	task_refuse_db(task, result == DB_OK ? DB_NONE : result);
	return NULL;
}

/* ---- what it came to ---- */

void task_reply(struct task *task, unsigned status, cJSON *reply)
{
	cJSON_Delete(task->reply);
	task->reply = reply;
	task->status = status;
}

static cJSON *error_new(const char *code, const char *message)
{
	cJSON *reply = cJSON_CreateObject();
	cJSON *error = cJSON_AddObjectToObject(reply, "error");

	cJSON_AddStringToObject(error, "code", code);
	cJSON_AddStringToObject(error, "message", message);
	return reply;
}

void task_refuse(struct task *task, unsigned status, const char *code, const char *message)
{
	task_reply(task, status, error_new(code, message));
}

void task_refuse_field(struct task *task, const struct fault *fault)
{
	cJSON *details;

	task_refuse(task, 400, fault->code, fault->message);
	details = cJSON_AddObjectToObject(cJSON_GetObjectItem(task->reply, "error"), "details");
	cJSON_AddStringToObject(details, "field", fault->field);
}

void task_reply_fault(struct http_request *request, const struct fault *fault)
{
	cJSON *details = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(details, "field", fault->field);
	text = cJSON_PrintUnformatted(details);
	http_reply_error_details(request, 400, fault->code, text, "%s", fault->message);
	free(text);
	cJSON_Delete(details);
}

void task_refuse_db(struct task *task, enum db_result result)
{
	switch (result) {
	case DB_NONE:
		task_refuse(task, 404, "not_found", "There is no such record");
		break;
	case DB_DUPLICATE:
		task_refuse(task, 409, "already_exists", "There is a record of this name");
		break;
	case DB_CONFLICT:
		task_refuse(task, 412, "changed_meanwhile",
			    "Somebody else has changed it: read it again");
		break;
	case DB_SLOW:
		task_refuse(task, 503, "too_slow", "The database takes too long: ask for less");
		break;
	case DB_AWAY:
		task_refuse(task, 503, "unavailable", "The database is away");
		break;
	default:
		task_refuse(task, 500, "internal", "The database refused");
		break;
	}
}

void task_reply_record(struct task *task, unsigned status, cJSON *doc)
{
	task->etag = record_version(doc);
	record_public(doc);
	task_reply(task, status, doc);
}

void task_saw(struct task *task, const char *client_id)
{
	if (client_id == NULL)
		return;
	if (task->seen == NULL)
		task->seen = cJSON_CreateArray();
	cJSON_AddItemToArray(task->seen, cJSON_CreateString(client_id));
}

void task_look_later(struct service *service, enum store_schedule schedule, const char *id)
{
	store_add_due(service->link, schedule, id, clock_wall_ms() + LATER_MS);
}

void task_event(struct task *task, cJSON *event)
{
	if (task->events == NULL)
		task->events = cJSON_CreateArray();
	cJSON_AddItemToArray(task->events, event);
}

/* ---- the answer ---- */

static void add_headers(struct task *task)
{
	char etag[32];

	if (task->etag > 0) {
		snprintf(etag, sizeof(etag), "\"%" PRId64 "\"", task->etag);
		http_reply_header(task->request, "ETag", etag);
	}
	if (task->location != NULL)
		http_reply_header(task->request, "Location", task->location);
	if (task->status == 503)
		http_reply_header(task->request, "Retry-After", "1");
}

static void answer(struct task *task)
{
	struct buffer body = {0};
	char *text;

	if (task->send != NULL && task->status == 200) {
		task->send(task);
		return;
	}
	add_headers(task);
	if (task->type != NULL) {
		http_reply_text(task->request, task->status, task->type, &task->raw);
		return;
	}
	text = task->reply != NULL ? cJSON_PrintUnformatted(task->reply) : NULL;
	if (text != NULL)
		buffer_append_str(&body, text);
	free(text);
	http_reply_json(task->request, task->status, text != NULL ? &body : NULL);
}

void task_free(struct task *task)
{
	cJSON_Delete(task->reply);
	cJSON_Delete(task->events);
	cJSON_Delete(task->seen);
	cJSON_Delete(task->reminders);
	buffer_free(&task->raw);
	free(task->location);
	cJSON_Delete(task->draft);
	free(task);
}

/* What takes more than editing is kept beside what is done to users. */
static void keep_act(const struct task *task)
{
	enum permission permission = http_route(task->request)->permission;
	char path[100];

	if (strcmp(http_method(task->request), "GET") == 0 ||
	    (permission != PERMISSION_MANAGE_CLIENTS && permission != PERMISSION_ALL_CLIENTS))
		return;
	snprintf(path, sizeof(path), "%s", http_path(task->request));
	(void)http_audit(task->service->link, task->request, "crm:changed", path,
			 http_method(task->request));
}

static void tell(struct task *task)
{
	struct service *service = task->service;

	if (task->settle != NULL)
		task->settle(task);
	if (task->status >= 300)
		return;
	keep_act(task);
	if (task->seen != NULL)
		audit_add(service->audit, &task->scope.who, http_client_address(task->request),
			  http_method(task->request), http_route_path(task->request), task->seen);
	if (task->events != NULL || task->reminders != NULL)
		store_commit(service->link, task->events, NULL, task->reminders, NULL, NULL);
}

static void on_done(void *_task)
{
	struct task *task = _task;
	struct service *service = task->service;

	if (task->status == 0)
		task_refuse(task, 503, "unavailable", "It is stopping");
	if (!service->is_closed)
		tell(task);
	answer(task);
	task_free(task);
	service_release(service);
}

static void on_thread(struct db *db, void *_task)
{
	struct task *task = _task;

	task->work(db, task);
}

/* ---- the beginning ---- */

/* "/api/crm/clients/{id}/..." -> the kind "clients". */
static const struct kind *kind_of(struct http_request *request)
{
	const char *path = http_route_path(request);
	const char *part = path + sizeof(PATH_HEAD) - 1;

	if (strncmp(path, PATH_HEAD, sizeof(PATH_HEAD) - 1) != 0)
		return NULL;
	return kind_find(part, strcspn(part, "/"));
}

/* False: 400 was replied. */
static bool read_match(struct http_request *request, int64_t *match_r)
{
	const char *text = http_header(request, "If-Match");
	char *end;

	*match_r = MATCH_NONE;
	if (text == NULL)
		return true;
	if (strcmp(text, "*") == 0) {
		*match_r = MATCH_ANY;
		return true;
	}
	if (text[0] == '"') {
		*match_r = strtoll(text + 1, &end, 10);
		if (*match_r > 0 && strcmp(end, "\"") == 0)
			return true;
	}
	http_reply_error(request, 400, "bad_request", "If-Match must be an ETag of ours, or *");
	return false;
}

struct task *task_alone(struct service *service, const struct kind *kind,
			const struct principal *who)
{
	struct task *task = mem_new(struct task);

	task->service = service;
	task->kind = kind;
	scope_init(&task->scope, who);
	task->actor = (struct actor){task->scope.who.user_id, task->scope.who.username};
	return task;
}

struct task *task_new(struct http_request *request, struct service *service)
{
	struct task *task = task_alone(service, kind_of(request), http_principal(request));

	task->request = request;
	if (read_match(request, &task->match) && http_page(request, &task->page))
		return task;
	task_free(task);
	return NULL;
}

void task_run(struct task *task, enum mongo_lane lane, task_work_fn *work)
{
	task->work = work;
	if (!audit_is_full(task->service->audit) &&
	    mongo_run(task->service->mongo, lane, on_thread, on_done, task) == 0) {
		service_hold(task->service);
		return;
	}
	http_reply_error(task->request, 503, "unavailable",
			 mongo_is_up(task->service->mongo) ? "Too much waits for the database"
							   : "The database is away");
	task_free(task);
}

void task_start(struct http_request *request, struct service *service, enum mongo_lane lane,
		task_work_fn *work)
{
	struct task *task = task_new(request, service);

	if (task != NULL)
		task_run(task, lane, work);
}
