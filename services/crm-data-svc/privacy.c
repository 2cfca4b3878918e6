#include "privacy.h"

#include "clock.h"
#include "json.h"
#include "number_index.h"

#define EVERYTHING 100000

static const enum kind_id children[] = {KIND_CONTACT, KIND_INTERACTION, KIND_NOTE, KIND_CALLBACK,
					KIND_MESSAGE};

#define CHILDREN (sizeof(children) / sizeof(children[0]))

static enum db_result find_of(struct db *db, const struct kind *kind, const char *field,
			      const char *client_id, cJSON **list_r)
{
	cJSON *filter = cJSON_CreateObject();
	struct db_page page = {NULL, EVERYTHING};
	enum db_result result;

	cJSON_AddStringToObject(filter, field, client_id);
	result = db_find(db, kind->collection, filter, &page, list_r);
	cJSON_Delete(filter);
	return result;
}

enum db_result privacy_gather(struct db *db, const cJSON *client, cJSON **all_r)
{
	cJSON *all = cJSON_CreateObject(), *copy = cJSON_Duplicate(client, true), *list, *item;
	enum db_result result = DB_OK;

	for (size_t i = 0; i < CHILDREN && result == DB_OK; i++) {
		list = NULL;
		result = find_of(db, &kinds[children[i]], "clientId", json_get_str(client, "_id"),
				 &list);
		cJSON_ArrayForEach(item, list)
		{
			record_public(item);
		}
		if (list != NULL)
			cJSON_AddItemToObject(all, kinds[children[i]].collection, list);
	}
	record_public(copy);
	cJSON_AddItemToObject(all, "client", copy);
	*all_r = result == DB_OK ? all : NULL;
	if (result != DB_OK)
		cJSON_Delete(all);
	return result;
}

/* ---- forgetting ---- */

static enum db_result forget_history(struct db *db, const char *id)
{
	cJSON *filter = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(filter, "record", id);
	result = db_delete_many(db, "changes", filter, NULL);
	cJSON_Delete(filter);
	return result;
}

/* Fields that are not in the table but come with calls and messages. */
static void drop_more(cJSON *doc)
{
	static const char *const names[] = {"fromName", "recordings", "candidates",
					    "media",    "hungUpBy",   "transfers"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(doc, names[i]);
}

/* A number is the id of its conversation. */
static enum db_result forget_conversations(struct db *db, const cJSON *doc)
{
	const cJSON *keys = cJSON_GetObjectItemCaseSensitive(doc, "k"), *number;
	enum db_result result = DB_OK;

	cJSON_ArrayForEach(number, cJSON_GetObjectItemCaseSensitive(keys, "numbers"))
	{
		cJSON *filter = cJSON_CreateObject();

		cJSON_AddStringToObject(filter, "_id", number->valuestring);
		if (result == DB_OK)
			result = db_delete_many(db, "conversations", filter, NULL);
		cJSON_Delete(filter);
	}
	return result;
}

static enum db_result erase_record(struct db *db, const struct kind *kind, const cJSON *doc,
				   const struct actor *actor)
{
	cJSON *after = cJSON_Duplicate(doc, true);
	enum db_result result;

	for (const struct field *field = kind->fields; field->name != NULL; field++) {
		if ((field->flags & FIELD_PERSONAL) == 0)
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(after, field->name);
		if ((field->flags & FIELD_REQUIRED) != 0)
			cJSON_AddStringToObject(after, field->name, "erased");
	}
	drop_more(after);
	if (kind->id == KIND_CLIENT)
		record_set_deleted(after, true);
	cJSON_DeleteItemFromObjectCaseSensitive(after, "erasedAt");
	cJSON_AddNumberToObject(after, "erasedAt", (double)clock_wall_ms());
	result = number_index_remove(db, kind, doc, NULL);
	if (result == DB_OK)
		result = forget_conversations(db, doc);
	if (result == DB_OK)
		result = forget_history(db, json_get_str(doc, "_id"));
	if (result == DB_OK)
		result = record_change(db, kind, doc, after, actor, "erased");
	cJSON_Delete(after);
	return result;
}

static enum db_result erase_of(struct db *db, const struct kind *kind, const char *field,
			       const char *client_id, const struct actor *actor, int64_t *records)
{
	cJSON *list = NULL, *item;
	enum db_result result = find_of(db, kind, field, client_id, &list);

	cJSON_ArrayForEach(item, list)
	{
		if (result == DB_OK)
			result = erase_record(db, kind, item, actor);
		*records += result == DB_OK;
	}
	cJSON_Delete(list);
	return result;
}

/* Merges hold clients as they were. */
static enum db_result forget_merges(struct db *db, const char *client_id)
{
	static const char *const sides[] = {"into", "from"};
	enum db_result result = DB_OK;

	for (size_t i = 0; i < 2 && result == DB_OK; i++) {
		cJSON *filter = cJSON_CreateObject();

		cJSON_AddStringToObject(filter, sides[i], client_id);
		result = db_delete_many(db, "merges", filter, NULL);
		cJSON_Delete(filter);
	}
	return result;
}

enum db_result privacy_erase(struct db *db, const cJSON *client, const struct actor *actor,
			     int64_t *records_r)
{
	const char *id = json_get_str(client, "_id");
	cJSON *filter = cJSON_CreateObject();
	enum db_result result = DB_OK;

	*records_r = 0;
	for (size_t i = 0; i < CHILDREN && result == DB_OK; i++)
		result = erase_of(db, &kinds[children[i]], "clientId", id, actor, records_r);
	if (result == DB_OK) /* the same person, under other names */
		result = erase_of(db, &kinds[KIND_CLIENT], "mergedInto", id, actor, records_r);
	if (result == DB_OK)
		result = forget_merges(db, id);
	cJSON_AddStringToObject(filter, "_id", id);
	if (result == DB_OK)
		result = db_delete_many(db, "activity", filter, NULL);
	cJSON_Delete(filter);
	if (result == DB_OK)
		result = erase_record(db, &kinds[KIND_CLIENT], client, actor);
	*records_r += result == DB_OK;
	return result;
}
