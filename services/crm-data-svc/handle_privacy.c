/* What a person may ask for: everything that is kept of it, and that it is forgotten; and who has
   looked at it. */
#include "clock.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "privacy.h"
#include "routes.h"
#include "task.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void export(struct db *db, struct task *task)
{
	cJSON *client = task_client(db, task, false, http_param(task->request, "id")), *all = NULL;
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
	cJSON *client = task_client(db, task, false, http_param(task->request, "id")), *reply;
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

/* ---- who has looked: a cursor is the last entry's time, a colon and its id ---- */

/* Takes over value. */
static cJSON *condition(const char *field, const char *operator, cJSON * value)
{
	cJSON *condition = cJSON_CreateObject();

	cJSON_AddItemToObject(cJSON_AddObjectToObject(condition, field), operator, value);
	return condition;
}

static bool add_cursor(cJSON *filter, const char *cursor)
{
	char *id;
	long long at = strtoll(cursor, &id, 10);
	cJSON *either, *same;

	if (id == cursor || *id != ':' || !id_is_safe(id + 1, 160))
		return false;
	either = cJSON_AddArrayToObject(filter, "$or");
	cJSON_AddItemToArray(either, condition("at", "$lt", cJSON_CreateNumber((double)at)));
	same = condition("_id", "$lt", cJSON_CreateString(id + 1));
	cJSON_AddNumberToObject(same, "at", (double)at);
	cJSON_AddItemToArray(either, same);
	return true;
}

/* How often it was in that moment; whom else the entry names is not told. */
static void count_times(cJSON *entry, const char *client_id)
{
	const cJSON *client;
	int times = 0;

	cJSON_ArrayForEach(client, cJSON_GetObjectItemCaseSensitive(entry, "clients"))
	{
		times += strcmp(client->valuestring, client_id) == 0;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(entry, "clients");
	cJSON_AddNumberToObject(entry, "times", times);
}

/* Takes over list. */
static cJSON *audit_page(const struct task *task, cJSON *list)
{
	cJSON *reply = cJSON_CreateObject(), *last = NULL, *item;
	char *next;

	cJSON_ArrayForEach(item, list)
	{
		count_times(item, http_param(task->request, "id"));
		last = item;
	}
	cJSON_AddItemToObject(reply, "entries", list);
	if ((size_t)cJSON_GetArraySize(list) < task->page.limit) {
		cJSON_AddNullToObject(reply, "nextCursor");
		return reply;
	}
	next = mem_printf("%" PRId64 ":%s", json_get_int(last, "at", 0), json_get_str(last, "_id"));
	cJSON_AddStringToObject(reply, "nextCursor", next);
	free(next);
	return reply;
}

static void audit(struct db *db, struct task *task)
{
	cJSON *client = task_client(db, task, false, http_param(task->request, "id")), *filter,
	      *sort, *list = NULL;
	struct db_page page = {NULL, task->page.limit};
	enum db_result result;

	if (client == NULL)
		return;
	filter = cJSON_CreateObject();
	cJSON_AddStringToObject(filter, "clients", json_get_str(client, "_id"));
	page.sort = sort = cJSON_CreateObject();
	cJSON_AddNumberToObject(sort, "at", -1);
	cJSON_AddNumberToObject(sort, "_id", -1);
	if (task->page.cursor != NULL && !add_cursor(filter, task->page.cursor)) {
		task_refuse(task, 400, "invalid_cursor", "This is no cursor of this list");
	} else {
		result = db_find(db, "audit", filter, &page, &list);
		if (result == DB_OK)
			task_reply(task, 200, audit_page(task, list));
		else
			task_refuse_db(task, result);
	}
	cJSON_Delete(client);
	cJSON_Delete(filter);
	cJSON_Delete(sort);
}

void handle_audit(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, audit);
}
