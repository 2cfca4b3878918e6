/* Before a merge and after it: who may be the same as a client, and what was merged with it. */
#include "json.h"
#include "merge.h"
#include "number_index.h"
#include "routes.h"
#include "summary.h"
#include "task.h"

#include <string.h>

#define SAME_MAX 20

/* ---- who may be the same ---- */

static bool is_listed(const cJSON *list, const char *id)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (strcmp(json_get_str(item, "id"), id) == 0)
			return true;
	}
	return false;
}

/* Adds those of found that are not the client itself, by what they are the same. */
static void add_found(struct db *db, struct task *task, const cJSON *client, const cJSON *found,
		      const char *by, cJSON *list)
{
	const cJSON *item;
	cJSON *summary;

	cJSON_ArrayForEach(item, found)
	{
		const char *id = json_get_str(item, "_id");

		if (strcmp(id, json_get_str(client, "_id")) == 0 || is_listed(list, id) ||
		    !scope_sees(&task->scope, item) || cJSON_GetArraySize(list) == SAME_MAX)
			continue;
		task_saw(task, id);
		summary = summary_of(db, item);
		cJSON_AddStringToObject(summary, "same", by);
		cJSON_AddItemToArray(list, summary);
	}
}

static enum db_result find_by_email(struct db *db, const char *email, cJSON **found_r)
{
	cJSON *filter = cJSON_CreateObject();
	struct db_page page = {NULL, SAME_MAX};
	enum db_result result;

	cJSON_AddStringToObject(filter, "k.emails", email);
	cJSON_AddBoolToObject(filter, "k.live", true);
	result = db_find(db, kinds[KIND_CLIENT].collection, filter, &page, found_r);
	cJSON_Delete(filter);
	return result;
}

static enum db_result find_same(struct db *db, struct task *task, const cJSON *client, cJSON *list)
{
	const cJSON *keys = cJSON_GetObjectItemCaseSensitive(client, "k"), *item;
	enum db_result result = DB_OK;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(keys, "numbers"))
	{
		cJSON *found = NULL;

		if (result == DB_OK)
			result = number_index_find(db, item->valuestring, SAME_MAX, &found);
		add_found(db, task, client, found, "number", list);
		cJSON_Delete(found);
	}
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(keys, "emails"))
	{
		cJSON *found = NULL;

		if (result == DB_OK)
			result = find_by_email(db, item->valuestring, &found);
		add_found(db, task, client, found, "email", list);
		cJSON_Delete(found);
	}
	return result;
}

static void duplicates(struct db *db, struct task *task)
{
	cJSON *client = task_client(db, task, false, http_param(task->request, "id")), *reply,
	      *list;
	enum db_result result;

	if (client == NULL)
		return;
	reply = cJSON_CreateObject();
	list = cJSON_AddArrayToObject(reply, "clients");
	result = find_same(db, task, client, list);
	task_reply(task, 200, reply);
	if (result != DB_OK)
		task_refuse_db(task, result);
	cJSON_Delete(client);
}

void handle_duplicates(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, duplicates);
}

/* ---- what was merged ---- */

static cJSON *either_side(const char *client_id)
{
	static const char *const sides[] = {"into", "from"};
	cJSON *filter = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(filter, "$or");

	for (size_t i = 0; i < 2; i++) {
		cJSON *side = cJSON_CreateObject();

		cJSON_AddStringToObject(side, sides[i], client_id);
		cJSON_AddItemToArray(list, side);
	}
	return filter;
}

static void merges(struct db *db, struct task *task)
{
	cJSON *client = task_client(db, task, false, http_param(task->request, "id")), *filter,
	      *sort, *list = NULL, *reply, *item;
	struct db_page page = {NULL, task->page.limit};
	enum db_result result;

	if (client == NULL)
		return;
	filter = either_side(json_get_str(client, "_id"));
	page.sort = sort = cJSON_CreateObject();
	cJSON_AddNumberToObject(sort, "at", -1);
	result = db_find(db, MERGES, filter, &page, &list);
	cJSON_ArrayForEach(item, list)
	{
		merge_public(item);
	}
	reply = cJSON_CreateObject();
	cJSON_AddItemToObject(reply, "merges", list != NULL ? list : cJSON_CreateArray());
	task_saw(task, json_get_str(client, "_id"));
	task_reply(task, 200, reply);
	if (result != DB_OK)
		task_refuse_db(task, result);
	cJSON_Delete(client);
	cJSON_Delete(filter);
	cJSON_Delete(sort);
}

void handle_merge_list(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_SLOW, merges);
}
