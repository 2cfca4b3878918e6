/* Duplicate clients: merging them, and taking it back. */
#include "ids.h"
#include "json.h"
#include "merge.h"
#include "routes.h"
#include "task.h"

#include <string.h>

static void reply(struct task *task, enum db_result result, cJSON *client, const char *merge_id)
{
	cJSON *body;

	if (result != DB_OK) {
		task_refuse_db(task, result);
		return;
	}
	task_saw(task, json_get_str(client, "_id"));
	task->etag = record_version(client);
	record_public(client);
	body = cJSON_CreateObject();
	cJSON_AddStringToObject(body, "mergeId", merge_id);
	cJSON_AddItemToObject(body, "client", client);
	task_reply(task, 200, body);
}

static void merge_both(struct db *db, struct task *task, const cJSON *into, const cJSON *from)
{
	const char *id = cJSON_GetStringValue(task->draft);
	cJSON *client = NULL;
	enum db_result result;

	if (task->match == MATCH_NONE) {
		task_refuse(task, 428, "precondition_required",
			    "Say in If-Match which version is meant");
		return;
	}
	if (task->match != MATCH_ANY && task->match != record_version(into)) {
		task_refuse_db(task, DB_CONFLICT);
		return;
	}
	task_saw(task, json_get_str(from, "_id"));
	result = merge_clients(db, id, into, from, &task->actor, &client);
	reply(task, result, client, id);
}

static void merge(struct db *db, struct task *task)
{
	const cJSON *body = http_json(task->request);
	const char *from_id = json_get_str(body, "from");
	cJSON *into, *from;

	if (from_id == NULL || cJSON_GetArraySize(body) != 1 ||
	    strcmp(from_id, http_param(task->request, "id")) == 0) {
		task_refuse(task, 400, "invalid_field", "from must be the id of another client");
		return;
	}
	into = task_client(db, task, true, http_param(task->request, "id"));
	from = into != NULL ? task_client(db, task, true, from_id) : NULL;
	if (from != NULL)
		merge_both(db, task, into, from);
	cJSON_Delete(into);
	cJSON_Delete(from);
}

void handle_merge(struct http_request *request, void *service)
{
	struct task *task = task_new(request, service);
	char id[ID_CALL_LEN + 1];

	if (task == NULL)
		return;
	id_call(id);
	task->draft = cJSON_CreateString(id);
	task_look_later(service, STORE_MERGES, id);
	task_run(task, MONGO_FAST, merge);
}

/* Both must be seen by who parts them. */
static enum db_result check_undo(struct db *db, struct task *task, const cJSON *merge)
{
	static const char *const sides[] = {"into", "from"};
	enum db_result result = DB_OK;

	for (size_t i = 0; i < 2 && result == DB_OK; i++) {
		cJSON *client = NULL;

		result =
			record_get(db, &kinds[KIND_CLIENT], json_get_str(merge, sides[i]), &client);
		if (result == DB_OK && !scope_sees(&task->scope, client))
			result = DB_NONE;
		cJSON_Delete(client);
	}
	return result;
}

static void undo(struct db *db, struct task *task)
{
	const char *id = http_param(task->request, "id");
	cJSON *client = NULL, *merge = NULL;
	enum db_result result = DB_NONE;

	if (id_is_safe(id, 160))
		result = merge_get(db, id, &merge);
	if (result == DB_OK)
		result = check_undo(db, task, merge);
	if (result == DB_OK) {
		task_saw(task, json_get_str(merge, "from"));
		result = merge_undo(db, merge, &task->actor, &client);
	}
	cJSON_Delete(merge);
	if (result == DB_CONFLICT)
		task_refuse(task, 409, "cannot_be_undone",
			    "It was undone already, or the client was merged or deleted since");
	else
		reply(task, result, client, id);
}

void handle_merge_undo(struct http_request *request, void *service)
{
	if (id_is_safe(http_param(request, "id"), 160))
		task_look_later(service, STORE_MERGES, http_param(request, "id"));
	task_start(request, service, MONGO_FAST, undo);
}
