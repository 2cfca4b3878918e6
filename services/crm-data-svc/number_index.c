#include "number_index.h"

#include "json.h"
#include "mem.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define NUMBERS "numbers"

static bool is_party(const struct kind *kind)
{
	return kind->id == KIND_CLIENT || kind->id == KIND_CONTACT;
}

static char *entry_of(const struct kind *kind, const cJSON *doc)
{
	const char *id = json_get_str(doc, "_id");

	return kind->id == KIND_CLIENT ? mem_strdup(id)
				       : mem_printf("%s:%s", json_get_str(doc, "clientId"), id);
}

/* The numbers by which a record is found; a deleted one by none. */
static const cJSON *numbers_of(const cJSON *doc)
{
	const cJSON *keys = cJSON_GetObjectItemCaseSensitive(doc, "k");

	return doc != NULL && record_is_live(doc)
		       ? cJSON_GetObjectItemCaseSensitive(keys, "numbers")
		       : NULL;
}

static bool has_number(const cJSON *numbers, const char *number)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, numbers)
	{
		if (cJSON_IsString(item) && strcmp(item->valuestring, number) == 0)
			return true;
	}
	return false;
}

/* A number that nobody has is not kept. */
static enum db_result drop_unused(struct db *db, const char *number)
{
	cJSON *index = NULL, *filter;
	enum db_result result = db_get(db, NUMBERS, number, &index);

	if (result == DB_OK &&
	    cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(index, "of")) == 0) {
		filter = cJSON_CreateObject();
		cJSON_AddStringToObject(filter, "_id", number);
		if (!db->is_one_process) /* else the lock is enough, and the id alone is fast */
			cJSON_AddArrayToObject(filter, "of");
		result = db_delete_many(db, NUMBERS, filter, NULL);
		cJSON_Delete(filter);
	}
	cJSON_Delete(index);
	return result == DB_NONE ? DB_OK : result;
}

/* {operator: {"of": entry}} */
static enum db_result put_entry(struct db *db, const char *number, const char *operator,
				const char * entry)
{
	cJSON *update = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(cJSON_AddObjectToObject(update, operator), "of", entry);
	db_lock(DB_LOCK_NUMBER, number);
	result = db_upsert(db, NUMBERS, number, update);
	if (result == DB_DUPLICATE) /* two made it at once: now it is there */
		result = db_upsert(db, NUMBERS, number, update);
	if (result == DB_OK && strcmp(operator, "$pull") == 0)
		result = drop_unused(db, number);
	db_unlock(DB_LOCK_NUMBER, number);
	cJSON_Delete(update);
	return result;
}

/* The operator for every number that is in one record and not in the other. */
static enum db_result put_entries(struct db *db, const struct kind *kind, const cJSON *in,
				  const cJSON *not_in, const char *operator)
{
	const cJSON *item, *others = numbers_of(not_in);
	enum db_result result = DB_OK;
	char *entry;

	if (!is_party(kind) || in == NULL)
		return DB_OK;
	entry = entry_of(kind, in);
	cJSON_ArrayForEach(item, numbers_of(in))
	{
		if (result == DB_OK && !has_number(others, item->valuestring))
			result = put_entry(db, item->valuestring, operator, entry);
	}
	free(entry);
	return result;
}

enum db_result number_index_add(struct db *db, const struct kind *kind, const cJSON *before,
				const cJSON *after)
{
	return put_entries(db, kind, after, before, "$addToSet");
}

enum db_result number_index_remove(struct db *db, const struct kind *kind, const cJSON *before,
				   const cJSON *after)
{
	return put_entries(db, kind, before, after, "$pull");
}

/* The live record of that id, when it has the number (number NULL: whatever it has). */
static enum db_result get_holder(struct db *db, enum kind_id kind, const char *id,
				 const char *number, cJSON **doc_r)
{
	enum db_result result = record_get(db, &kinds[kind], id, doc_r);

	if (result == DB_OK && record_is_live(*doc_r) &&
	    (number == NULL || has_number(numbers_of(*doc_r), number)))
		return DB_OK;
	cJSON_Delete(*doc_r);
	*doc_r = NULL;
	return result == DB_OK ? DB_NONE : result;
}

static bool is_listed(const cJSON *list, const char *id)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (strcmp(json_get_str(item, "_id"), id) == 0)
			return true;
	}
	return false;
}

static enum db_result add_client(struct db *db, const char *entry, const char *number, cJSON *list)
{
	const char *colon = strchr(entry, ':');
	char *id = colon != NULL ? mem_strndup(entry, (size_t)(colon - entry)) : mem_strdup(entry);
	cJSON *client = NULL, *contact = NULL;
	enum db_result result = DB_OK;

	if (!is_listed(list, id)) {
		if (colon != NULL)
			result = get_holder(db, KIND_CONTACT, colon + 1, number, &contact);
		if (result == DB_OK)
			result = get_holder(db, KIND_CLIENT, id, colon != NULL ? NULL : number,
					    &client);
		if (client != NULL && contact != NULL)
			cJSON_AddItemToObject(client, "contact", contact);
		else
			cJSON_Delete(contact);
		if (client != NULL)
			cJSON_AddItemToArray(list, client);
	}
	free(id);
	return result == DB_NONE ? DB_OK : result;
}

enum db_result number_index_find(struct db *db, const char *number, size_t max, cJSON **list_r)
{
	cJSON *index = NULL;
	const cJSON *item;
	enum db_result result = db_get(db, NUMBERS, number, &index);

	*list_r = cJSON_CreateArray();
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(index, "of"))
	{
		if (result == DB_OK && cJSON_IsString(item) &&
		    (size_t)cJSON_GetArraySize(*list_r) < max)
			result = add_client(db, item->valuestring, number, *list_r);
	}
	cJSON_Delete(index);
	if (result == DB_OK || result == DB_NONE)
		return DB_OK;
	cJSON_Delete(*list_r);
	*list_r = NULL;
	return result;
}
