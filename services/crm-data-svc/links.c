#include "links.h"

#include "activity.h"
#include "clock.h"
#include "crm_event.h"
#include "json.h"

#include <string.h>

static void set_default(cJSON *doc, const char *name, cJSON *value)
{
	if (cJSON_GetObjectItemCaseSensitive(doc, name) == NULL)
		cJSON_AddItemToObject(doc, name, value);
	else
		cJSON_Delete(value);
}

void links_fill(const struct task *task, cJSON *doc)
{
	const char *extension = task->scope.who.extension;

	if (task->kind->id == KIND_INTERACTION) {
		set_default(doc, "startedAt", cJSON_CreateNumber((double)clock_wall_ms()));
		set_default(doc, "state", cJSON_CreateString("closed"));
	}
	if (task->kind->id == KIND_CALLBACK)
		set_default(doc, "status", cJSON_CreateString("open"));
	if (task->kind->id == KIND_DISPOSITION)
		set_default(doc, "order", cJSON_CreateNumber(0));
	if ((task->kind->id == KIND_INTERACTION || task->kind->id == KIND_CALLBACK) &&
	    extension[0] != '\0')
		set_default(doc, "agent", cJSON_CreateString(extension));
}

/* ---- before it is written ---- */

/* Who does not oversee others gives records to nobody but itself; nobody gives them to a team that
   it does not see. */
static bool may_give(const struct task *task, const cJSON *body, struct fault *fault)
{
	const char *owner = json_get_str(body, "owner");
	cJSON *team;
	bool sees;

	if (task->kind->id != KIND_CLIENT && task->kind->id != KIND_POST)
		return true;
	if (!task->scope.oversees && owner != NULL && strcmp(owner, task->scope.who.user_id) != 0)
		return fault_set(fault, "not_allowed", "owner", "Only the own user id can be set");
	team = cJSON_CreateObject();
	if (json_get_str(body, "team") != NULL)
		cJSON_AddStringToObject(team, "team", json_get_str(body, "team"));
	sees = scope_sees(&task->scope, team);
	cJSON_Delete(team);
	return sees || fault_set(fault, "not_allowed", "team", "Only an own team can be set");
}

/* The client must be there and be seen; its team is the record's. */
static enum db_result check_client(struct db *db, const struct task *task, cJSON *doc,
				   struct fault *fault)
{
	const char *id = json_get_str(doc, "clientId"), *team;
	cJSON *client = NULL;
	enum db_result result;

	if (id == NULL || task->kind->id == KIND_CLIENT)
		return DB_OK;
	result = record_get(db, &kinds[KIND_CLIENT], id, &client);
	if (result == DB_NONE ||
	    (result == DB_OK && (!record_is_live(client) || !scope_sees(&task->scope, client)))) {
		fault_set(fault, "unknown_client", "clientId", "There is no such client");
		result = DB_OK;
	} else if (result == DB_OK) {
		team = json_get_str(client, "team");
		cJSON_DeleteItemFromObjectCaseSensitive(doc, "team");
		if (team != NULL)
			cJSON_AddStringToObject(doc, "team", team);
	}
	cJSON_Delete(client);
	return result;
}

static enum db_result check_interaction(struct db *db, const cJSON *doc, struct fault *fault)
{
	const char *id = json_get_str(doc, "interactionId");
	cJSON *interaction = NULL;
	enum db_result result;

	if (id == NULL)
		return DB_OK;
	result = record_get(db, &kinds[KIND_INTERACTION], id, &interaction);
	cJSON_Delete(interaction);
	if (result == DB_NONE)
		fault_set(fault, "unknown_interaction", "interactionId",
			  "There is no such interaction");
	return result == DB_NONE ? DB_OK : result;
}

/* A disposition says whether the matter is settled, unless the request does. */
static enum db_result check_disposition(struct db *db, const cJSON *body, cJSON *doc,
					struct fault *fault)
{
	const char *code = json_get_str(body, "disposition");
	cJSON *disposition = NULL;
	enum db_result result;

	if (code == NULL)
		return DB_OK;
	result = record_get(db, &kinds[KIND_DISPOSITION], code, &disposition);
	if (result == DB_NONE || (result == DB_OK && !record_is_live(disposition))) {
		fault_set(fault, "unknown_disposition", "disposition",
			  "There is no such disposition");
		result = DB_OK;
	} else if (result == DB_OK && cJSON_GetObjectItemCaseSensitive(body, "resolved") == NULL) {
		cJSON_DeleteItemFromObjectCaseSensitive(doc, "resolved");
		cJSON_AddBoolToObject(doc, "resolved",
				      json_get_bool(disposition, "resolved", false));
	}
	cJSON_Delete(disposition);
	return result;
}

enum db_result links_check(struct db *db, const struct task *task, const cJSON *body, cJSON *doc,
			   struct fault *fault_r)
{
	enum db_result result;

	if (!may_give(task, body, fault_r))
		return DB_OK;
	result = check_client(db, task, doc, fault_r);
	if (result == DB_OK && fault_r->code == NULL)
		result = check_interaction(db, doc, fault_r);
	if (result == DB_OK && fault_r->code == NULL && task->kind->id == KIND_INTERACTION)
		result = check_disposition(db, body, doc, fault_r);
	return result;
}

/* ---- after it was written ---- */

int64_t links_reminder(const cJSON *callback)
{
	const char *status = json_get_str(callback, "status");

	if (!record_is_live(callback) || status == NULL || strcmp(status, "open") != 0)
		return 0;
	return json_get_int(callback, "dueAt", 0) - json_get_int(callback, "remindMs", 0);
}

static void remind(struct task *task, const cJSON *callback)
{
	task->reminders = cJSON_CreateObject();
	cJSON_AddNumberToObject(task->reminders, json_get_str(callback, "_id"),
				(double)links_reminder(callback));
}

static void announce(struct task *task, const cJSON *post)
{
	cJSON *data = cJSON_CreateObject();
	const char *team = json_get_str(post, "team");

	cJSON_AddStringToObject(data, "postId", json_get_str(post, "_id"));
	cJSON_AddStringToObject(data, "title", json_get_str(post, "title"));
	if (team != NULL)
		cJSON_AddStringToObject(data, "team", team);
	cJSON_AddStringToObject(data, "by", task->actor.id);
	task_event(task, crm_event_new("crm:post_created", NULL, NULL, data));
}

static bool is_same_team(const cJSON *before, const cJSON *doc)
{
	const char *old = json_get_str(before, "team"), *now = json_get_str(doc, "team");

	return old == now || (old != NULL && now != NULL && strcmp(old, now) == 0);
}

enum db_result links_follow(struct db *db, const cJSON *client)
{
	static const enum kind_id children[] = {KIND_CONTACT, KIND_INTERACTION, KIND_NOTE,
						KIND_CALLBACK, KIND_MESSAGE};
	const char *team = json_get_str(client, "team");
	cJSON *filter = cJSON_CreateObject(), *update = cJSON_CreateObject();
	cJSON *set = cJSON_AddObjectToObject(update, "$set");
	enum db_result result = DB_OK;

	cJSON_AddStringToObject(filter, "clientId", json_get_str(client, "_id"));
	cJSON_AddItemToObject(set, "team",
			      team != NULL ? cJSON_CreateString(team) : cJSON_CreateNull());
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]) && result == DB_OK; i++)
		result = db_update_many(db, kinds[children[i]].collection, filter, update, NULL);
	cJSON_Delete(filter);
	cJSON_Delete(update);
	return result;
}

void links_changed(struct db *db, struct task *task, const cJSON *before, const cJSON *doc,
		   const char *action)
{
	if (task->kind->id == KIND_CALLBACK)
		remind(task, doc);
	if (task->kind->id == KIND_POST && before == NULL)
		announce(task, doc);
	if (task->kind->id == KIND_CLIENT && before != NULL && !is_same_team(before, doc))
		(void)!links_follow(db, doc); /* else crm:moves has it */
	if (task->kind->id == KIND_INTERACTION && strcmp(action, "created") == 0)
		activity_note(db, doc);
}
