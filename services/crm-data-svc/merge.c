#include "merge.h"

#include "clock.h"
#include "ids.h"
#include "json.h"
#include "number_index.h"

#include <string.h>

#define MERGES "merges"

static const struct kind *const clients = &kinds[KIND_CLIENT];
static const enum kind_id children[] = {KIND_CONTACT, KIND_INTERACTION, KIND_NOTE, KIND_CALLBACK,
					KIND_MESSAGE};

static void set(cJSON *doc, const char *name, cJSON *value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(doc, name);
	cJSON_AddItemToObject(doc, name, value);
}

/* ---- the fields ---- */

static bool is_same_item(const cJSON *a, const cJSON *b)
{
	const char *number = json_get_str(a, "number");

	if (number != NULL && json_get_str(b, "number") != NULL)
		return strcmp(number, json_get_str(b, "number")) == 0;
	return cJSON_Compare(a, b, true) != 0;
}

static void join_list(cJSON *into, const cJSON *from)
{
	const cJSON *item, *known;

	cJSON_ArrayForEach(item, from)
	{
		bool is_there = false;

		cJSON_ArrayForEach(known, into)
		{
			is_there |= is_same_item(known, item);
		}
		if (!is_there)
			cJSON_AddItemToArray(into, cJSON_Duplicate(item, true));
	}
}

/* Lists are joined; of all else the first one's counts, the second's fills gaps. */
static cJSON *join(const cJSON *into, const cJSON *from)
{
	cJSON *joined = cJSON_Duplicate(into, true), *own;

	for (const struct field *field = clients->fields; field->name != NULL; field++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, field->name);

		own = cJSON_GetObjectItemCaseSensitive(joined, field->name);
		if (item == NULL || (field->flags & FIELD_READ_ONLY) != 0)
			continue;
		if (own == NULL)
			cJSON_AddItemToObject(joined, field->name, cJSON_Duplicate(item, true));
		else if (cJSON_IsArray(own) && cJSON_IsArray(item))
			join_list(own, item);
	}
	return joined;
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

/* ---- merging ---- */

static cJSON *make_merge(const cJSON *into, const cJSON *from, const struct actor *actor)
{
	cJSON *merge = cJSON_CreateObject();
	char id[ID_CALL_LEN + 1];

	id_call(id);
	cJSON_AddStringToObject(merge, "_id", id);
	cJSON_AddStringToObject(merge, "into", json_get_str(into, "_id"));
	cJSON_AddStringToObject(merge, "from", json_get_str(from, "_id"));
	cJSON_AddNumberToObject(merge, "at", (double)clock_wall_ms());
	cJSON_AddStringToObject(merge, "by", actor->id);
	cJSON_AddItemToObject(merge, "intoWas", cJSON_Duplicate(into, true));
	cJSON_AddItemToObject(merge, "fromWas", cJSON_Duplicate(from, true));
	cJSON_AddStringToObject(merge, "state", "done");
	return merge;
}

/* The second one is marked first: from then on nobody else can merge or change it. */
static enum db_result mark_merged(struct db *db, const cJSON *from, const char *into_id,
				  const char *merge_id, const struct actor *actor)
{
	cJSON *after = cJSON_Duplicate(from, true);
	enum db_result result;

	set(after, "mergedInto", cJSON_CreateString(into_id));
	set(after, "mergedBy", cJSON_CreateString(merge_id));
	record_set_deleted(after, true);
	result = record_change(db, clients, from, after, actor, "merged");
	cJSON_Delete(after);
	return result;
}

enum db_result merge_clients(struct db *db, const cJSON *into, const cJSON *from,
			     const struct actor *actor, cJSON **client_r, cJSON **merge_r)
{
	cJSON *merge = make_merge(into, from, actor), *joined = join(into, from);
	const char *merge_id = json_get_str(merge, "_id");
	const char *into_id = json_get_str(into, "_id"), *from_id = json_get_str(from, "_id");
	enum db_result result = db_insert(db, MERGES, merge);

	if (result == DB_OK)
		result = mark_merged(db, from, into_id, merge_id, actor);
	if (result == DB_OK)
		result = record_change(db, clients, into, joined, actor, "absorbed");
	if (result == DB_OK)
		result = move_from(db, from_id, joined, merge_id);
	if (result == DB_OK)
		result = index_contacts(db, into_id, from_id);
	*client_r = result == DB_OK ? joined : NULL;
	*merge_r = result == DB_OK ? merge : NULL;
	if (result != DB_OK) {
		cJSON_Delete(joined);
		cJSON_Delete(merge);
	}
	return result;
}

/* ---- and back ---- */

/* A client with the fields that it had, whatever has become of it. */
static cJSON *as_it_was(const cJSON *was, const cJSON *now)
{
	cJSON *after = cJSON_Duplicate(was, true);

	set(after, "v", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(now, "v"), true));
	return after;
}

/* Takes out of the first what it got of the second; what was changed in it since stays. */
static cJSON *without(const cJSON *now, const cJSON *was, const cJSON *from)
{
	cJSON *after = cJSON_Duplicate(now, true), *joined = join(was, from);

	for (const struct field *field = clients->fields; field->name != NULL; field++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(now, field->name);
		const cJSON *old = cJSON_GetObjectItemCaseSensitive(was, field->name);

		if (!cJSON_Compare(item, cJSON_GetObjectItemCaseSensitive(joined, field->name),
				   true))
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(after, field->name);
		if (old != NULL)
			cJSON_AddItemToObject(after, field->name, cJSON_Duplicate(old, true));
	}
	cJSON_Delete(joined);
	return after;
}

static enum db_result part(struct db *db, const cJSON *merge, const cJSON *into, const cJSON *from,
			   const struct actor *actor, cJSON **client_r)
{
	const cJSON *from_was = cJSON_GetObjectItemCaseSensitive(merge, "fromWas");
	cJSON *first = without(into, cJSON_GetObjectItemCaseSensitive(merge, "intoWas"), from_was);
	cJSON *second = as_it_was(from_was, from);
	const char *merge_id = json_get_str(merge, "_id");
	enum db_result result = record_change(db, clients, from, second, actor, "unmerged");

	if (result == DB_OK)
		result = record_change(db, clients, into, first, actor, "released");
	if (result == DB_OK)
		result = move_back(db, second, merge_id);
	if (result == DB_OK)
		result =
			index_contacts(db, json_get_str(second, "_id"), json_get_str(first, "_id"));
	cJSON_Delete(second);
	*client_r = result == DB_OK ? first : NULL;
	if (result != DB_OK)
		cJSON_Delete(first);
	return result;
}

enum db_result merge_undo(struct db *db, const char *merge_id, const struct actor *actor,
			  cJSON **client_r)
{
	cJSON *merge = NULL, *into = NULL, *from = NULL;
	const char *by;
	enum db_result result = db_get(db, MERGES, merge_id, &merge);

	*client_r = NULL;
	if (result == DB_OK)
		result = record_get(db, clients, json_get_str(merge, "into"), &into);
	if (result == DB_OK)
		result = record_get(db, clients, json_get_str(merge, "from"), &from);
	by = json_get_str(from, "mergedBy");
	if (result == DB_OK && (by == NULL || strcmp(by, merge_id) != 0 || !record_is_live(into)))
		result = DB_CONFLICT;
	if (result == DB_OK)
		result = part(db, merge, into, from, actor, client_r);
	cJSON_Delete(merge);
	cJSON_Delete(into);
	cJSON_Delete(from);
	return result;
}
