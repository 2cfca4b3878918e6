/* What a person may ask for: everything that is kept of it, and that it is forgotten; and who has
   looked at it. */
#include "clock.h"
#include "ids.h"
#include "json.h"
#include "privacy.h"
#include "routes.h"
#include "task.h"

static cJSON *get_client(struct db *db, struct task *task)
{
	const char *id = http_param(task->request, "id");
	cJSON *client = NULL;
	enum db_result result =
		id_is_safe(id, 160) ? record_get(db, &kinds[KIND_CLIENT], id, &client) : DB_NONE;

	if (result == DB_OK && scope_sees(&task->scope, client))
		return client;
	cJSON_Delete(client);
	task_refuse_db(task, result == DB_OK ? DB_NONE : result);
	return NULL;
}

static void export(struct db *db, struct task *task)
{
	cJSON *client = get_client(db, task), *all = NULL;
	enum db_result result;

	if (client == NULL)
		return;
	task_saw(task, json_get_str(client, "_id"));
	result = privacy_gather(db, client, &all);
	cJSON_Delete(client);
	if (result == DB_OK)
		task_reply(task, 200, all);
	else
		task_refuse_db(task, result);
}

void handle_personal_data(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_JOBS, export);
}

static void erase(struct db *db, struct task *task)
{
	cJSON *client = get_client(db, task), *reply;
	enum db_result result;
	int64_t records = 0;

	if (client == NULL)
		return;
	task_saw(task, json_get_str(client, "_id"));
	result = privacy_erase(db, client, &task->actor, &records);
	cJSON_Delete(client);
	if (result != DB_OK) {
		task_refuse_db(task, result);
		return;
	}
	reply = cJSON_CreateObject();
	cJSON_AddNumberToObject(reply, "records", (double)records);
	cJSON_AddNumberToObject(reply, "erasedAt", (double)clock_wall_ms());
	task_reply(task, 200, reply);
}

void handle_erase(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_JOBS, erase);
}

static void audit(struct db *db, struct task *task)
{
	cJSON *filter = cJSON_CreateObject(), *sort = cJSON_CreateObject(), *list = NULL, *reply;
	struct db_page page = {sort, task->page.limit};
	enum db_result result;

	cJSON_AddStringToObject(filter, "clients", http_param(task->request, "id"));
	cJSON_AddNumberToObject(sort, "at", -1);
	result = db_find(db, "audit", filter, &page, &list);
	cJSON_Delete(filter);
	cJSON_Delete(sort);
	if (result != DB_OK) {
		task_refuse_db(task, result);
		return;
	}
	for (cJSON *item = list->child; item != NULL; item = item->next)
		cJSON_DeleteItemFromObjectCaseSensitive(item, "clients");
	reply = cJSON_CreateObject();
	cJSON_AddItemToObject(reply, "entries", list);
	task_reply(task, 200, reply);
}

void handle_audit(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, audit);
}
