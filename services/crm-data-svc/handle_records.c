/* What every kind of record has: make, read, change, delete, restore, its history. */
#include "custom.h"
#include "ids.h"
#include "json.h"
#include "links.h"
#include "mem.h"
#include "routes.h"
#include "task.h"

#include <stdlib.h>
#include <string.h>

/* ---- what several of them need ---- */

static const char *client_of(const struct task *task, const cJSON *doc)
{
	return json_get_str(doc, task->kind->id == KIND_CLIENT ? "_id" : "clientId");
}

/* The record of the path, when the caller may see it. NULL: it was refused. */
static cJSON *get_seen(struct db *db, struct task *task)
{
	cJSON *doc = NULL;
	enum db_result result = DB_NONE;

	if (id_is_safe(http_param(task->request, "id"), 160))
		result = record_get(db, task->kind, http_param(task->request, "id"), &doc);
	if (result == DB_OK && (task->kind->flags & KIND_SCOPED) != 0 &&
	    !scope_sees(&task->scope, doc))
		result = DB_NONE;
	if (result == DB_OK)
		return doc;
	cJSON_Delete(doc);
	task_refuse_db(task, result);
	return NULL;
}

/* What was deleted or merged is told apart from what never was. */
static bool refuse_deleted(struct task *task, const cJSON *doc)
{
	const char *into = json_get_str(doc, "mergedInto");
	cJSON *details;

	if (record_is_live(doc))
		return false;
	task_refuse(task, 410, into != NULL ? "merged" : "deleted",
		    into != NULL ? "It was merged into another one" : "It was deleted");
	if (into != NULL) {
		details = cJSON_AddObjectToObject(cJSON_GetObjectItem(task->reply, "error"),
						  "details");
		cJSON_AddStringToObject(details, "mergedInto", into);
	}
	return true;
}

static bool matches(struct task *task, const cJSON *doc)
{
	if (task->match == MATCH_NONE) {
		task_refuse(task, 428, "precondition_required",
			    "Say in If-Match which version is meant");
		return false;
	}
	if (task->match == MATCH_ANY || task->match == record_version(doc))
		return true;
	task_refuse_db(task, DB_CONFLICT);
	return false;
}

/* What the table cannot know: custom fields, records that are named. */
static bool check(struct db *db, struct task *task, const cJSON *body, cJSON *doc)
{
	struct fault fault = {0};
	enum db_result result = DB_OK;

	if (task->kind->id == KIND_CLIENT)
		result = custom_check(db, cJSON_GetObjectItemCaseSensitive(doc, "custom"), &fault);
	if (result == DB_OK && fault.code == NULL)
		result = links_check(db, task, body, doc, &fault);
	if (result != DB_OK)
		task_refuse_db(task, result);
	else if (fault.code != NULL)
		task_refuse_field(task, &fault);
	return result == DB_OK && fault.code == NULL;
}

/* before NULL: it is new. Takes over doc. */
static void reply_changed(struct db *db, struct task *task, const cJSON *before, cJSON *doc,
			  const char *action)
{
	task_saw(task, client_of(task, doc));
	links_changed(db, task, before, doc, action);
	task_reply_record(task, before != NULL ? 200 : 201, doc);
}

/* ---- one record ---- */

static void get(struct db *db, struct task *task)
{
	cJSON *doc = get_seen(db, task);

	if (doc == NULL)
		return;
	if (refuse_deleted(task, doc)) {
		cJSON_Delete(doc);
		return;
	}
	task_saw(task, client_of(task, doc));
	task_reply_record(task, 200, doc);
}

void handle_record_get(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, get);
}

/* ---- a new one ---- */

static void set_default(cJSON *doc, const char *name, const char *value)
{
	if (value[0] != '\0' && cJSON_GetObjectItemCaseSensitive(doc, name) == NULL)
		cJSON_AddStringToObject(doc, name, value);
}

static void fill(struct task *task, cJSON *doc)
{
	char id[ID_CALL_LEN + 1], team[41];
	const char *name = task->kind->id_field;

	id_call(id);
	cJSON_AddStringToObject(doc, "_id", name != NULL ? json_get_str(doc, name) : id);
	if ((task->kind->flags & KIND_SCOPED) == 0)
		return;
	scope_team(&task->scope, team);
	set_default(doc, "team", team);
	set_default(doc, "owner", task->scope.who.user_id);
	if (task->kind->id == KIND_CLIENT)
		set_default(doc, "type", "person");
	links_fill(task, doc);
}

static void create(struct db *db, struct task *task)
{
	cJSON *doc = task->draft;
	enum db_result result;

	task->draft = NULL;
	fill(task, doc);
	if (!check(db, task, http_json(task->request), doc)) {
		cJSON_Delete(doc);
		return;
	}
	result = record_create(db, task->kind, doc, &task->actor, "created");
	if (result != DB_OK) {
		cJSON_Delete(doc);
		task_refuse_db(task, result);
		return;
	}
	task->location =
		mem_printf("/api/crm/%s/%s", task->kind->collection, json_get_str(doc, "_id"));
	reply_changed(db, task, NULL, doc, "created");
}

void handle_record_create(struct http_request *request, void *service)
{
	struct task *task = task_new(request, service);
	struct fault fault;
	cJSON *doc;

	if (task == NULL)
		return;
	doc = cJSON_CreateObject();
	if (fields_apply(task->kind->fields, &task->service->phones, http_json(request), true, doc,
			 &fault) < 0) {
		cJSON_Delete(doc);
		free(task);
		task_reply_fault(request, &fault);
		return;
	}
	task->draft = doc;
	task_run(task, MONGO_FAST, create);
}

/* ---- changes ---- */

/* Takes over after. */
static void save(struct db *db, struct task *task, const cJSON *before, cJSON *after,
		 const char *action)
{
	enum db_result result = record_change(db, task->kind, before, after, &task->actor, action);

	if (result == DB_OK) {
		reply_changed(db, task, before, after, action);
		return;
	}
	cJSON_Delete(after);
	task_refuse_db(task, result);
}

static void change(struct db *db, struct task *task)
{
	cJSON *before = get_seen(db, task), *after;
	const cJSON *body = http_json(task->request);
	struct fault fault;

	if (before == NULL)
		return;
	if (!refuse_deleted(task, before) && matches(task, before)) {
		after = cJSON_Duplicate(before, true);
		if (fields_apply(task->kind->fields, &task->service->phones, body, false, after,
				 &fault) < 0) {
			task_refuse_field(task, &fault);
			cJSON_Delete(after);
		} else if (check(db, task, body, after)) {
			save(db, task, before, after, "changed");
		} else {
			cJSON_Delete(after);
		}
	}
	cJSON_Delete(before);
}

void handle_record_change(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, change);
}

static void set_deleted(struct db *db, struct task *task, bool deleted)
{
	cJSON *before = get_seen(db, task), *after;

	if (before == NULL)
		return;
	if (deleted && refuse_deleted(task, before)) {
		cJSON_Delete(before);
		return;
	}
	if (json_get_str(before, "mergedInto") != NULL || (!deleted && record_is_live(before))) {
		task_refuse(task, 409, "not_deleted", "It is not deleted, or it was merged");
	} else if (matches(task, before)) {
		after = cJSON_Duplicate(before, true);
		record_set_deleted(after, deleted);
		save(db, task, before, after, deleted ? "deleted" : "restored");
	}
	cJSON_Delete(before);
}

static void delete (struct db *db, struct task *task)
{
	set_deleted(db, task, true);
}

void handle_record_delete(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, delete);
}

static void restore(struct db *db, struct task *task)
{
	set_deleted(db, task, false);
}

void handle_record_restore(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, restore);
}

/* ---- history ---- */

static void history(struct db *db, struct task *task)
{
	const char *cursor = task->page.cursor;
	int64_t before = cursor != NULL ? strtoll(cursor, NULL, 10) : 0, oldest = 0;
	cJSON *doc = get_seen(db, task), *list = NULL, *reply;
	enum db_result result;

	if (doc == NULL)
		return;
	result = record_history(db, task->kind, json_get_str(doc, "_id"), record_version(doc),
				before, task->page.limit, &list);
	task_saw(task, client_of(task, doc));
	cJSON_Delete(doc);
	if (result != DB_OK) {
		task_refuse_db(task, result);
		return;
	}
	for (const cJSON *item = list->child; item != NULL; item = item->next)
		oldest = json_get_int(item, "version", 0);
	reply = cJSON_CreateObject();
	cJSON_AddItemToObject(reply, "changes", list);
	if (oldest > 1) {
		char *next = mem_printf("%lld", (long long)oldest);

		cJSON_AddStringToObject(reply, "nextCursor", next);
		free(next);
	} else {
		cJSON_AddNullToObject(reply, "nextCursor");
	}
	task_reply(task, 200, reply);
}

void handle_record_history(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, history);
}
