/* What every kind of record has: make, read, change, delete, restore, its history. */
#include "audit.h"
#include "cache.h"
#include "edit.h"
#include "ids.h"
#include "json.h"
#include "mem.h"
#include "routes.h"
#include "task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what several of them need ---- */

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
	task_saw(task, edit_client_of(task, doc));
	task_reply_record(task, 200, doc);
}

void handle_record_get(struct http_request *request, void *service)
{
	task_start(request, service, MONGO_FAST, get);
}

/* ---- a client, by the cache ---- */

static bool sees_entry(const struct scope *scope, const struct cache_entry *entry)
{
	cJSON *doc = cJSON_CreateObject();
	bool sees;

	if (entry->team[0] != '\0')
		cJSON_AddStringToObject(doc, "team", entry->team);
	cJSON_AddStringToObject(doc, "owner", entry->owner);
	sees = scope_sees(scope, doc);
	cJSON_Delete(doc);
	return sees;
}

static const char *text_of(const cJSON *doc, const char *name)
{
	const char *text = json_get_str(doc, name);

	return text != NULL ? text : "";
}

static void fill_cache(struct task *task)
{
	struct cache_entry entry = {.version = task->etag};
	char *doc;

	if (task->status != 200)
		return;
	doc = cJSON_PrintUnformatted(task->reply);
	entry.doc = doc;
	entry.team = text_of(task->reply, "team");
	entry.owner = text_of(task->reply, "owner");
	cache_fill(task->service->cache, json_get_str(task->reply, "id"), &entry);
	free(doc);
}

/* While MongoDB is away nobody reads: who did could not be kept. */
static bool answer_from_cache(struct http_request *request, struct service *service)
{
	struct cache_entry entry;
	struct scope scope;
	struct buffer body = {0};
	char etag[32];
	cJSON *seen;

	scope_init(&scope, http_principal(request));
	if (!cache_answer(request, &entry) || !mongo_is_up(service->mongo) ||
	    audit_is_full(service->audit) || !sees_entry(&scope, &entry))
		return false;
	seen = cJSON_CreateArray();
	cJSON_AddItemToArray(seen, cJSON_CreateString(http_param(request, "id")));
	audit_add(service->audit, &scope.who, http_client_address(request), http_method(request),
		  http_route_path(request), seen);
	cJSON_Delete(seen);
	snprintf(etag, sizeof(etag), "\"%" PRId64 "\"", entry.version);
	http_reply_header(request, "ETag", etag);
	buffer_append_str(&body, entry.doc);
	http_reply_json(request, 200, &body);
	return true;
}

void handle_client_get(struct http_request *request, void *_service)
{
	struct service *service = _service;
	struct task *task;

	if (answer_from_cache(request, service)) {
		service->metrics.crm_cache_hits_total++;
		return;
	}
	service->metrics.crm_cache_misses_total++;
	task = task_new(request, service);
	if (task == NULL)
		return;
	task->settle = fill_cache;
	task_run(task, MONGO_FAST, get);
}

/* ---- a new one ---- */

static void create(struct db *db, struct task *task)
{
	cJSON *doc = task->draft;

	task->draft = NULL;
	edit_create(db, task, http_json(task->request), doc);
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
		task_free(task);
		task_reply_fault(request, &fault);
		return;
	}
	task->draft = doc;
	task_run(task, MONGO_FAST, create);
}

/* ---- changes ---- */

static void change(struct db *db, struct task *task)
{
	cJSON *before = get_seen(db, task);

	if (before == NULL)
		return;
	if (!refuse_deleted(task, before) && matches(task, before))
		edit_change(db, task, before, http_json(task->request));
	cJSON_Delete(before);
}

void handle_record_change(struct http_request *request, void *service)
{
	struct task *task = task_new(request, service);
	const char *id = http_param(request, "id");

	if (task == NULL)
		return;
	if (task->kind->id == KIND_CLIENT && id_is_safe(id, 160) &&
	    cJSON_GetObjectItemCaseSensitive(http_json(request), "team") != NULL)
		task_look_later(service, STORE_MOVES, id);
	task_run(task, MONGO_FAST, change);
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
		edit_save(db, task, before, after, deleted ? "deleted" : "restored");
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
	task_saw(task, edit_client_of(task, doc));
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
