#include "indexes.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

struct index {
	const char *collection;
	const char *keys; /* fields parted by one blank; '-' first: descending */
};

/* Each list begins with what is always asked ("k.live") and ends with what it is sorted by. */
static const struct index indexes[] = {
	{"clients", "k.live -updatedAt -_id"},
	{"clients", "k.live name _id"},
	{"clients", "k.live team -updatedAt"},
	{"clients", "k.words"},
	{"clients", "k.numbers"},
	{"clients", "k.emails"},
	{"clients", "tags"},
	{"clients", "mergedInto"},
	{"contacts", "clientId name"},
	{"contacts", "merges"},
	{"contacts", "k.words"},
	{"contacts", "k.emails"},
	{"contacts", "k.numbers"},
	{"interactions", "clientId -startedAt"},
	{"interactions", "k.live -startedAt -_id"},
	{"interactions", "agent -startedAt"},
	{"interactions", "k.hour"},
	{"interactions", "merges"},
	{"interactions", "k.words"},
	{"notes", "clientId -createdAt"},
	{"notes", "k.words"},
	{"notes", "merges"},
	{"notes", "interactionId"},
	{"posts", "k.live -createdAt"},
	{"callbacks", "clientId dueAt"},
	{"callbacks", "status dueAt"},
	{"callbacks", "agent dueAt"},
	{"callbacks", "merges"},
	{"messages", "clientId -createdAt"},
	{"messages", "status"},
	{"messages", "interactionId -createdAt"},
	{"messages", "k.words"},
	{"messages", "merges"},
	{"changes", "record v"},
	{"merges", "into"},
	{"merges", "from"},
	{"merges", "state"},
	{"jobs", "state"},
	{"job_parts", "madeAt"},
	{"audit", "clients -at"},
	{"audit", "at"},
};

/* {"key": {...}, "name": "..."} from "a -b" */
static cJSON *describe(const struct index *index)
{
	cJSON *spec = cJSON_CreateObject(), *key = cJSON_AddObjectToObject(spec, "key");
	char keys[128], *save = NULL, *word;

	snprintf(keys, sizeof(keys), "%s", index->keys);
	for (word = strtok_r(keys, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		cJSON_AddNumberToObject(key, word + (word[0] == '-'), word[0] == '-' ? -1 : 1);
	cJSON_AddStringToObject(spec, "name", index->keys);
	return spec;
}

static bool is_there(const cJSON *known, const char *name)
{
	const cJSON *index;

	cJSON_ArrayForEach(index, known)
	{
		const char *own = json_get_str(index, "name");

		if (own != NULL && strcmp(own, name) == 0)
			return true;
	}
	return false;
}

/* *reply_r holds the list; a collection that is not there has none. */
static enum db_result list(struct db *db, const char *collection, cJSON **reply_r)
{
	cJSON *command = cJSON_CreateObject();
	enum db_result result;

	cJSON_AddStringToObject(command, "listIndexes", collection);
	cJSON_AddNumberToObject(cJSON_AddObjectToObject(command, "cursor"), "batchSize", 100);
	result = db_command(db, command, reply_r);
	cJSON_Delete(command);
	return result == DB_FAILED ? DB_OK : result;
}

static enum db_result create(struct db *db, const char *collection, cJSON *missing)
{
	cJSON *command = cJSON_CreateObject(), *reply = NULL;
	enum db_result result;

	cJSON_AddStringToObject(command, "createIndexes", collection);
	cJSON_AddItemReferenceToObject(command, "indexes", missing);
	result = db_command(db, command, &reply);
	cJSON_Delete(reply);
	cJSON_Delete(command);
	if (result != DB_OK) {
		char reason[200];

		snprintf(reason, sizeof(reason), "%.199s", db->error);
		snprintf(db->error, sizeof(db->error), "no indexes of %s: %s", collection, reason);
	}
	return result;
}

/* All of one collection; *at stands behind them afterwards. Only what is missing is asked for:
   FerretDB v1 breaks the connection when one of several is there. */
static enum db_result make_for(struct db *db, size_t *at)
{
	const char *collection = indexes[*at].collection;
	cJSON *missing = cJSON_CreateArray(), *reply = NULL;
	const cJSON *known;
	enum db_result result = list(db, collection, &reply);

	known = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(reply, "cursor"),
						 "firstBatch");
	for (; *at < sizeof(indexes) / sizeof(indexes[0]) &&
	       strcmp(indexes[*at].collection, collection) == 0;
	     (*at)++)
		if (!is_there(known, indexes[*at].keys))
			cJSON_AddItemToArray(missing, describe(&indexes[*at]));
	if (result == DB_OK && missing->child != NULL)
		result = create(db, collection, missing);
	cJSON_Delete(missing);
	cJSON_Delete(reply);
	return result;
}

enum db_result indexes_make(struct db *db)
{
	enum db_result result = DB_OK;

	for (size_t at = 0; at < sizeof(indexes) / sizeof(indexes[0]) && result == DB_OK;)
		result = make_for(db, &at);
	return result;
}
