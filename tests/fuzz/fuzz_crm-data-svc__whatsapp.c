/* What the provider sends, into a database in memory: it changes nothing when it comes again, and
   nothing but texts of ours gets into a document. */
#include "whatsapp.h"

#include "json.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static cJSON *store; /* {collection: {id: document}} */

static cJSON *collection_of(const char *name)
{
	cJSON *found = cJSON_GetObjectItemCaseSensitive(store, name);

	return found != NULL ? found : cJSON_AddObjectToObject(store, name);
}

/* No key that MongoDB would take for an operator or a path, no text that is none. */
static void check(const cJSON *item)
{
	for (; item != NULL; item = item->next) {
		if (item->string != NULL && strpbrk(item->string, "$.") != NULL)
			abort();
		if (cJSON_IsString(item) &&
		    !utf8_valid(item->valuestring, strlen(item->valuestring)))
			abort();
		check(item->child);
	}
}

static void keep(const char *collection, const cJSON *doc)
{
	const char *id = json_get_str(doc, "_id");

	check(doc->child);
	cJSON_DeleteItemFromObjectCaseSensitive(collection_of(collection), id);
	cJSON_AddItemToObject(collection_of(collection), id, cJSON_Duplicate(doc, true));
}

/* ---- db.h, as far as messages need it ---- */

enum db_result db_get(struct db *db, const char *collection, const char *id, cJSON **doc_r)
{
	const cJSON *doc = cJSON_GetObjectItemCaseSensitive(collection_of(collection), id);

	(void)db;
	*doc_r = doc != NULL ? cJSON_Duplicate(doc, true) : NULL;
	return doc != NULL ? DB_OK : DB_NONE;
}

enum db_result db_insert(struct db *db, const char *collection, const cJSON *doc)
{
	(void)db;
	if (cJSON_GetObjectItemCaseSensitive(collection_of(collection), json_get_str(doc, "_id")))
		return DB_DUPLICATE;
	keep(collection, doc);
	return DB_OK;
}

enum db_result db_put(struct db *db, const char *collection, const cJSON *doc)
{
	(void)db;
	keep(collection, doc);
	return DB_OK;
}

enum db_result db_replace(struct db *db, const char *collection, const cJSON *doc, int64_t version)
{
	(void)version;
	return db_put(db, collection, doc);
}

enum db_result db_upsert(struct db *db, const char *collection, const char *id, const cJSON *update)
{
	(void)db, (void)collection, (void)id, (void)update;
	return DB_OK;
}

enum db_result db_delete_many(struct db *db, const char *collection, const cJSON *filter,
			      int64_t *count_r)
{
	(void)db, (void)collection, (void)filter, (void)count_r;
	return DB_OK;
}

void db_lock(enum db_lock lock, const char *id)
{
	(void)lock, (void)id;
}

void db_unlock(enum db_lock lock, const char *id)
{
	(void)lock, (void)id;
}

/* ---- the fuzzer ---- */

static unsigned receive(const cJSON *payload)
{
	struct db db = {0};
	cJSON *events = cJSON_CreateArray();
	unsigned received = 0;

	if (whatsapp_receive(&db, payload, events, &received) != DB_OK)
		abort();
	cJSON_Delete(events);
	return received;
}

/* One that was sent, whose statuses are told. */
static void put_sent(void)
{
	cJSON *message = cJSON_CreateObject();

	cJSON_AddStringToObject(message, "_id", "out-1");
	cJSON_AddStringToObject(message, "direction", "outbound");
	cJSON_AddStringToObject(message, "status", "queued");
	cJSON_AddNumberToObject(message, "v", 1);
	keep("messages", message);
	cJSON_Delete(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error;
	cJSON *payload = json_parse((const char *)data, size, &error), *before;

	if (payload == NULL)
		return 0;
	store = cJSON_CreateObject();
	put_sent();
	receive(payload);
	before = cJSON_Duplicate(collection_of("messages"), true);
	if (receive(payload) != 0 || !cJSON_Compare(before, collection_of("messages"), true))
		abort();
	cJSON_Delete(before);
	cJSON_Delete(store);
	cJSON_Delete(payload);
	return 0;
}
