#include "merge.h"

#include "clock.h"
#include "json.h"
#include "merge_fields.h"
#include "number_index.h"

#include <string.h>

#define TRIES 5

static const struct kind *const clients = &kinds[KIND_CLIENT];
static const enum kind_id children[] = {KIND_CONTACT, KIND_INTERACTION, KIND_NOTE, KIND_CALLBACK,
					KIND_MESSAGE};

static void set(cJSON *doc, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(doc, name);
	cJSON_AddItemToObject(doc, name, value);
}

/* ---- what belongs to them ---- */

/* clientId of every record that filter finds becomes client's, and so does its team. */
static enum db_result move(struct db *db, const cJSON *filter, const cJSON *client,
			   const char *operator, const char * merge_id)
{
	cJSON *update = cJSON_CreateObject(), *fields = cJSON_AddObjectToObject(update, "$set");
	const char *team = json_get_str(client, "team");
	enum db_result result = DB_OK;

	cJSON_AddStringToObject(fields, "clientId", json_get_str(client, "_id"));
	cJSON_AddItemToObject(fields, "team",
			      team != NULL ? cJSON_CreateString(team) : cJSON_CreateNull());
	cJSON_AddStringToObject(cJSON_AddObjectToObject(update, operator), "merges", merge_id);
	for (size_t i = 0; i < sizeof(children) / sizeof(children[0]) && result == DB_OK; i++)
		result = db_update_many(db, kinds[children[i]].collection, filter, update, NULL);
	cJSON_Delete(update);
	return result;
}

static enum db_result move_from(struct db *db, const char *from_id, const cJSON *into,
				const char *merge_id)
{
	cJSON *filter = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(filter, "clientId", from_id);
	result = move(db, filter, into, "$push", merge_id);
	cJSON_Delete(filter);
	return result;
}

static enum db_result move_back(struct db *db, const cJSON *from, const char *merge_id)
{
	cJSON *filter = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(filter, "merges", merge_id);
	result = move(db, filter, from, "$pull", merge_id);
	cJSON_Delete(filter);
	return result;
}

/* Contacts have moved: their numbers lead to another client. */
static enum db_result index_contacts(struct db *db, const char *client_id, const char *old_id)
{
	const struct kind *contacts = &kinds[KIND_CONTACT];
	cJSON *filter = cJSON_CreateObject(), *list = NULL, *contact;
	struct db_page page = {NULL, 0};
	enum db_result result;

	cJSON_AddStringToObject(filter, "clientId", client_id);
	result = db_find(db, contacts->collection, filter, &page, &list);
	cJSON_ArrayForEach(contact, list)
	{
		cJSON *old = cJSON_Duplicate(contact, true);

		set(old, "clientId", cJSON_CreateString(old_id));
		if (result == DB_OK)
			result = number_index_add(db, contacts, NULL, contact);
		if (result == DB_OK)
			result = number_index_remove(db, contacts, old, NULL);
		cJSON_Delete(old);
	}
	cJSON_Delete(filter);
	cJSON_Delete(list);
	return result;
}

/* ---- the document, and what remembers it ---- */

enum db_result merge_get(struct db *db, const char *merge_id, cJSON **merge_r)
{
	return db_get(db, MERGES, merge_id, merge_r);
}

void merge_public(cJSON *merge)
{
	static const char *const own[] = {"intoWas", "fromWas", "settled"};
	cJSON *id = cJSON_DetachItemFromObjectCaseSensitive(merge, "_id");

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(merge, own[i]);
	cJSON_AddItemToObject(merge, "id", id);
}

static cJSON *make_merge(const char *id, const cJSON *into, const cJSON *from,
			 const struct actor *actor)
{
	cJSON *merge = cJSON_CreateObject();

	cJSON_AddStringToObject(merge, "_id", id);
	cJSON_AddStringToObject(merge, "into", json_get_str(into, "_id"));
	cJSON_AddStringToObject(merge, "from", json_get_str(from, "_id"));
	cJSON_AddNumberToObject(merge, "at", (double)clock_wall_ms());
	cJSON_AddStringToObject(merge, "by", actor->id);
	cJSON_AddStringToObject(merge, "byName", actor->name);
	cJSON_AddItemToObject(merge, "intoWas", cJSON_Duplicate(into, true));
	cJSON_AddItemToObject(merge, "fromWas", cJSON_Duplicate(from, true));
	cJSON_AddStringToObject(merge, "state", "open");
	return merge;
}

static bool is_state(const cJSON *merge, const char *state)
{
	return strcmp(json_get_str(merge, "state"), state) == 0;
}

static enum db_result set_state(struct db *db, cJSON *merge, const char *state)
{
	set(merge, "state", cJSON_CreateString(state));
	return db_put(db, MERGES, merge);
}

/* The second one is marked as gone by this merge. */
static bool is_marked(const cJSON *from, const char *merge_id)
{
	const char *by = json_get_str(from, "mergedBy");

	return by != NULL && strcmp(by, merge_id) == 0;
}

/* Where the first one remembers this merge; -1: it does not. */
static int absorbed_at(const cJSON *into, const char *merge_id)
{
	const cJSON *item;
	int at = 0;

	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(into, "absorbed"))
	{
		if (strcmp(item->valuestring, merge_id) == 0)
			return at;
		at++;
	}
	return -1;
}

/* ---- merging: each step looks whether it was done ---- */

/* The second one is marked first: from then on nobody else can merge or change it. */
static enum db_result mark(struct db *db, const cJSON *merge, const struct actor *actor)
{
	const char *merge_id = json_get_str(merge, "_id");
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(merge, "fromWas");
	cJSON *from = NULL, *after;
	enum db_result result = record_get(db, clients, json_get_str(merge, "from"), &from);

	if (result == DB_OK && !is_marked(from, merge_id)) {
		after = cJSON_Duplicate(was, true);
		set(after, "mergedInto", cJSON_CreateString(json_get_str(merge, "into")));
		set(after, "mergedBy", cJSON_CreateString(merge_id));
		record_set_deleted(after, true);
		result = record_change(db, clients, was, after, actor, "merged");
		cJSON_Delete(after);
	}
	cJSON_Delete(from);
	return result;
}

/* What it was is what it is now: somebody may have changed it since. */
static enum db_result keep_into(struct db *db, cJSON *merge, const cJSON *into)
{
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(merge, "intoWas");

	if (record_version(was) == record_version(into))
		return DB_OK;
	set(merge, "intoWas", cJSON_Duplicate(into, true));
	return db_put(db, MERGES, merge);
}

/* *into_r: the first one, which has absorbed the second. */
static enum db_result absorb_once(struct db *db, cJSON *merge, const struct actor *actor,
				  cJSON **into_r)
{
	const char *merge_id = json_get_str(merge, "_id");
	cJSON *into = NULL, *joined, *list;
	enum db_result result = record_get(db, clients, json_get_str(merge, "into"), &into);

	*into_r = NULL;
	if (result == DB_OK && absorbed_at(into, merge_id) >= 0) {
		*into_r = into;
		return DB_OK;
	}
	if (result == DB_OK)
		result = record_is_live(into) ? keep_into(db, merge, into) : DB_NONE;
	if (result == DB_OK) {
		joined = merge_join(into, cJSON_GetObjectItemCaseSensitive(merge, "fromWas"));
		list = cJSON_GetObjectItemCaseSensitive(joined, "absorbed");
		if (list == NULL)
			list = cJSON_AddArrayToObject(joined, "absorbed");
		cJSON_AddItemToArray(list, cJSON_CreateString(merge_id));
		result = record_change(db, clients, into, joined, actor, "absorbed");
		if (result == DB_OK)
			*into_r = joined;
		else
			cJSON_Delete(joined);
	}
	cJSON_Delete(into);
	return result;
}

/* DB_CONFLICT: they are not what they were, and only part may have been done. */
static enum db_result complete(struct db *db, cJSON *merge, const struct actor *actor,
			       cJSON **client_r)
{
	const char *merge_id = json_get_str(merge, "_id");
	const char *into_id = json_get_str(merge, "into"), *from_id = json_get_str(merge, "from");
	enum db_result result = mark(db, merge, actor);

	*client_r = NULL;
	if (result == DB_CONFLICT) /* it may have been this very merge that was first */
		result = mark(db, merge, actor);
	if (result == DB_OK)
		result = DB_CONFLICT;
	else
		return result == DB_NONE ? DB_CONFLICT : result;
	for (int i = 0; i < TRIES && result == DB_CONFLICT; i++)
		result = absorb_once(db, merge, actor, client_r);
	if (result == DB_OK)
		result = move_from(db, from_id, *client_r, merge_id);
	if (result == DB_OK)
		result = index_contacts(db, into_id, from_id);
	if (result == DB_OK)
		result = set_state(db, merge, "done");
	return result == DB_NONE ? DB_CONFLICT : result;
}

/* ---- and back ---- */

/* A client with the fields that it had, whatever has become of it. */
static cJSON *as_it_was(const cJSON *was, const cJSON *now)
{
	cJSON *after = cJSON_Duplicate(was, true);

	set(after, "v", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(now, "v"), true));
	return after;
}

/* *from_r: the second one, which stands for itself again. */
static enum db_result unmark(struct db *db, const cJSON *merge, const struct actor *actor,
			     cJSON **from_r)
{
	const cJSON *was = cJSON_GetObjectItemCaseSensitive(merge, "fromWas");
	cJSON *from = NULL, *second;
	enum db_result result = record_get(db, clients, json_get_str(merge, "from"), &from);

	*from_r = from;
	if (result != DB_OK || !is_marked(from, json_get_str(merge, "_id")))
		return result;
	second = as_it_was(was, from);
	result = record_change(db, clients, from, second, actor, "unmerged");
	*from_r = second;
	cJSON_Delete(from);
	return result;
}

/* *into_r: the first one, without the second. */
static enum db_result let_go(struct db *db, const cJSON *merge, const struct actor *actor,
			     cJSON **into_r)
{
	cJSON *into = NULL, *first;
	enum db_result result = record_get(db, clients, json_get_str(merge, "into"), &into);

	*into_r = into;
	if (result != DB_OK || absorbed_at(into, json_get_str(merge, "_id")) < 0)
		return result;
	first = merge_without(into, merge);
	cJSON_DeleteItemFromArray(cJSON_GetObjectItemCaseSensitive(first, "absorbed"),
				  absorbed_at(first, json_get_str(merge, "_id")));
	result = record_change(db, clients, into, first, actor, "released");
	*into_r = first;
	cJSON_Delete(into);
	return result;
}

static enum db_result part_once(struct db *db, const cJSON *merge, const struct actor *actor,
				cJSON **client_r)
{
	cJSON *from = NULL;
	enum db_result result = unmark(db, merge, actor, &from);

	*client_r = NULL;
	if (result == DB_OK)
		result = let_go(db, merge, actor, client_r);
	if (result == DB_OK)
		result = move_back(db, from, json_get_str(merge, "_id"));
	if (result == DB_OK)
		result = index_contacts(db, json_get_str(merge, "from"),
					json_get_str(merge, "into"));
	cJSON_Delete(from);
	if (result != DB_OK) {
		cJSON_Delete(*client_r);
		*client_r = NULL;
	}
	return result;
}

/* state: what the merge is afterwards. */
static enum db_result part(struct db *db, cJSON *merge, const char *state,
			   const struct actor *actor, cJSON **client_r)
{
	enum db_result result = DB_CONFLICT;

	for (int i = 0; i < TRIES && result == DB_CONFLICT; i++)
		result = part_once(db, merge, actor, client_r);
	return result == DB_OK ? set_state(db, merge, state) : result;
}

/* ---- what is asked for ---- */

static enum db_result complete_or_part(struct db *db, cJSON *merge, const struct actor *actor,
				       cJSON **client_r)
{
	cJSON *first = NULL;
	enum db_result result = complete(db, merge, actor, client_r), parted;

	if (result != DB_CONFLICT)
		return result;
	cJSON_Delete(*client_r);
	*client_r = NULL;
	parted = part(db, merge, "abandoned", actor, &first);
	cJSON_Delete(first);
	return parted == DB_OK ? DB_CONFLICT : parted;
}

enum db_result merge_clients(struct db *db, const char *merge_id, const cJSON *into,
			     const cJSON *from, const struct actor *actor, cJSON **client_r)
{
	cJSON *merge = make_merge(merge_id, into, from, actor);
	enum db_result result;

	*client_r = NULL;
	db_lock(DB_LOCK_MERGE, merge_id);
	result = db_insert(db, MERGES, merge);
	if (result == DB_OK)
		result = complete_or_part(db, merge, actor, client_r);
	db_unlock(DB_LOCK_MERGE, merge_id);
	cJSON_Delete(merge);
	if (result != DB_OK) {
		cJSON_Delete(*client_r);
		*client_r = NULL;
	}
	return result;
}

/* Whether it can be undone, or has begun to be. */
static enum db_result begin_undo(struct db *db, cJSON *merge)
{
	cJSON *into = NULL, *from = NULL;
	enum db_result result = record_get(db, clients, json_get_str(merge, "into"), &into);

	if (result == DB_OK)
		result = record_get(db, clients, json_get_str(merge, "from"), &from);
	if (result == DB_OK && !is_state(merge, "undoing") &&
	    (!is_state(merge, "done") || !is_marked(from, json_get_str(merge, "_id")) ||
	     !record_is_live(into)))
		result = DB_CONFLICT;
	if (result == DB_OK) {
		cJSON_DeleteItemFromObjectCaseSensitive(merge, "settled");
		result = set_state(db, merge, "undoing");
	}
	cJSON_Delete(into);
	cJSON_Delete(from);
	return result;
}

enum db_result merge_undo(struct db *db, const cJSON *merge, const struct actor *actor,
			  cJSON **client_r)
{
	const char *merge_id = json_get_str(merge, "_id");
	cJSON *now = NULL;
	enum db_result result;

	*client_r = NULL;
	db_lock(DB_LOCK_MERGE, merge_id);
	result = merge_get(db, merge_id, &now); /* nobody else is at it now */
	if (result == DB_OK)
		result = begin_undo(db, now);
	if (result == DB_OK)
		result = part(db, now, "undone", actor, client_r);
	db_unlock(DB_LOCK_MERGE, merge_id);
	cJSON_Delete(now);
	return result;
}

/* ---- what was left ---- */

/* Something may have been written to the other one in the very moment. */
static enum db_result move_late(struct db *db, const cJSON *merge)
{
	cJSON *from = NULL, *into = NULL;
	enum db_result result = record_get(db, clients, json_get_str(merge, "from"), &from);

	if (result == DB_OK && is_marked(from, json_get_str(merge, "_id"))) {
		result = record_get(db, clients, json_get_str(merge, "into"), &into);
		if (result == DB_OK)
			result = move_from(db, json_get_str(merge, "from"), into,
					   json_get_str(merge, "_id"));
		if (result == DB_OK)
			result = index_contacts(db, json_get_str(merge, "into"),
						json_get_str(merge, "from"));
	}
	cJSON_Delete(from);
	cJSON_Delete(into);
	return result;
}

static enum db_result settle(struct db *db, cJSON *merge)
{
	const struct actor actor = {json_get_str(merge, "by"), json_get_str(merge, "byName")};
	cJSON *client = NULL;
	enum db_result result = DB_OK;

	if (is_state(merge, "open"))
		result = complete_or_part(db, merge, &actor, &client);
	else if (is_state(merge, "undoing"))
		result = part(db, merge, "undone", &actor, &client);
	else if (is_state(merge, "done"))
		result = move_late(db, merge);
	cJSON_Delete(client);
	if (result == DB_OK || result == DB_CONFLICT || result == DB_NONE) {
		set(merge, "settled", cJSON_CreateTrue());
		result = db_put(db, MERGES, merge);
	}
	return result;
}

enum db_result merge_settle(struct db *db, const char *merge_id)
{
	cJSON *merge = NULL;
	enum db_result result;

	db_lock(DB_LOCK_MERGE, merge_id);
	result = merge_get(db, merge_id, &merge);
	if (result == DB_OK)
		result = settle(db, merge);
	db_unlock(DB_LOCK_MERGE, merge_id);
	cJSON_Delete(merge);
	return result;
}
