#include "edit.h"

#include "custom.h"
#include "ids.h"
#include "json.h"
#include "links.h"
#include "mem.h"

#include <string.h>

const char *edit_client_of(const struct task *task, const cJSON *doc)
{
	return json_get_str(doc, task->kind->id == KIND_CLIENT ? "_id" : "clientId");
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
static void reply(struct db *db, struct task *task, const cJSON *before, cJSON *doc,
		  const char *action)
{
	task_saw(task, edit_client_of(task, doc));
	links_changed(db, task, before, doc, action);
	task_reply_record(task, before != NULL ? 200 : 201, doc);
}

/* ---- a new one ---- */

static void set_default(cJSON *doc, const char *name, const char *value)
{
	if (value[0] != '\0' && cJSON_GetObjectItemCaseSensitive(doc, name) == NULL)
		cJSON_AddStringToObject(doc, name, value);
}

static void set_id(const struct task *task, cJSON *doc)
{
	const char *name = task->kind->id_field;
	char made[ID_CALL_LEN + 1];

	id_call(made);
	cJSON_AddStringToObject(doc, "_id",
				name != NULL       ? json_get_str(doc, name)
				: task->id != NULL ? task->id
						   : made);
}

static void fill(struct task *task, cJSON *doc)
{
	char team[41];

	set_id(task, doc);
	if ((task->kind->flags & KIND_SCOPED) == 0)
		return;
	scope_team(&task->scope, team);
	set_default(doc, "team", team);
	set_default(doc, "owner", task->scope.who.user_id);
	if (task->kind->id == KIND_CLIENT)
		set_default(doc, "type", "person");
	links_fill(task, doc);
}

void edit_create(struct db *db, struct task *task, const cJSON *body, cJSON *doc)
{
	enum db_result result;

	fill(task, doc);
	if (!check(db, task, body, doc)) {
		cJSON_Delete(doc);
		return;
	}
	if (task->is_trial) {
		task_reply_record(task, 201, doc);
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
	reply(db, task, NULL, doc, "created");
}

/* ---- changes ---- */

void edit_save(struct db *db, struct task *task, const cJSON *before, cJSON *after,
	       const char *action)
{
	enum db_result result =
		task->is_trial ? DB_OK
			       : record_change(db, task->kind, before, after, &task->actor, action);

	if (result != DB_OK) {
		cJSON_Delete(after);
		task_refuse_db(task, result);
	} else if (task->is_trial) {
		task_reply_record(task, 200, after);
	} else {
		reply(db, task, before, after, action);
	}
}

void edit_change(struct db *db, struct task *task, const cJSON *before, const cJSON *body)
{
	cJSON *after = cJSON_Duplicate(before, true);
	struct fault fault;

	if (fields_apply(task->kind->fields, &task->service->phones, body, false, after, &fault) <
	    0) {
		task_refuse_field(task, &fault);
		cJSON_Delete(after);
	} else if (check(db, task, body, after)) {
		edit_save(db, task, before, after, "changed");
	} else {
		cJSON_Delete(after);
	}
}
