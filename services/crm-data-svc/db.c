#include "db.h"

#include "bson_json.h"
#include "json.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define CODE_DUPLICATE 11000
#define CODE_MAX_TIME  50
#define STRIPES        64

/* https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring:
   not the primary (any more), or shutting down. */
static bool is_leaving(uint32_t code)
{
	static const uint32_t codes[] = {91, 189, 10058, 10107, 11600, 11602, 13435, 13436};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static enum db_result classify(const bson_error_t *error)
{
	switch (error->domain) {
	case MONGOC_ERROR_STREAM:
	case MONGOC_ERROR_SERVER_SELECTION:
	case MONGOC_ERROR_CLIENT:
		return DB_AWAY;
	default:
		break;
	}
	if (error->code == CODE_DUPLICATE)
		return DB_DUPLICATE;
	if (error->code == CODE_MAX_TIME)
		return DB_SLOW;
	return is_leaving(error->code) ? DB_AWAY : DB_FAILED;
}

static enum db_result fail(struct db *db, const bson_error_t *error)
{
	enum db_result result = classify(error);

	snprintf(db->error, sizeof(db->error), "%.255s", error->message);
	db->is_away |= result == DB_AWAY;
	return result;
}

static mongoc_collection_t *open_collection(struct db *db, const char *name)
{
	return mongoc_client_get_collection(db->client, db->name, name);
}

/* {"_id": id} */
static bson_t *id_filter(const char *id)
{
	bson_t *filter = bson_new();

	bson_append_utf8(filter, "_id", 3, id, -1);
	return filter;
}

/* ---- reading ---- */

/* Takes over cursor. */
static enum db_result read_cursor(struct db *db, mongoc_cursor_t *cursor, cJSON **list_r)
{
	enum db_result result = DB_OK;
	const bson_t *document;
	bson_error_t error;

	*list_r = cJSON_CreateArray();
	while (mongoc_cursor_next(cursor, &document))
		cJSON_AddItemToArray(*list_r, bson_to_json(document));
	if (mongoc_cursor_error(cursor, &error)) {
		result = fail(db, &error);
		cJSON_Delete(*list_r);
		*list_r = NULL;
	}
	mongoc_cursor_destroy(cursor);
	return result;
}

static enum db_result find(struct db *db, const char *name, const bson_t *filter,
			   const bson_t *options, cJSON **list_r)
{
	mongoc_collection_t *collection = open_collection(db, name);
	mongoc_cursor_t *cursor =
		mongoc_collection_find_with_opts(collection, filter, options, NULL);
	enum db_result result = read_cursor(db, cursor, list_r);

	mongoc_collection_destroy(collection);
	return result;
}

enum db_result db_get(struct db *db, const char *collection, const char *id, cJSON **doc_r)
{
	bson_t *filter = id_filter(id), *options = bson_new();
	cJSON *list = NULL;
	enum db_result result;

	bson_append_int64(options, "limit", -1, 1);
	bson_append_bool(options, "singleBatch", -1, true);
	result = find(db, collection, filter, options, &list);
	*doc_r = result == DB_OK ? cJSON_DetachItemFromArray(list, 0) : NULL;
	if (result == DB_OK && *doc_r == NULL)
		result = DB_NONE;
	cJSON_Delete(list);
	bson_destroy(options);
	bson_destroy(filter);
	return result;
}

enum db_result db_find(struct db *db, const char *collection, const cJSON *filter,
		       const struct db_page *page, cJSON **list_r)
{
	bson_t *query = bson_from_json(filter), *options = bson_new(), *sort;
	enum db_result result;

	if (page->sort != NULL) {
		sort = bson_from_json(page->sort);
		bson_append_document(options, "sort", -1, sort);
		bson_destroy(sort);
	}
	if (page->limit > 0)
		bson_append_int64(options, "limit", -1, (int64_t)page->limit);
	bson_append_int64(options, "maxTimeMS", -1, db->max_time_ms);
	result = find(db, collection, query, options, list_r);
	bson_destroy(options);
	bson_destroy(query);
	return result;
}

enum db_result db_aggregate(struct db *db, const char *name, const cJSON *pipeline, cJSON **rows_r)
{
	mongoc_collection_t *collection = open_collection(db, name);
	bson_t *stages = bson_from_json(pipeline), *options = bson_new();
	enum db_result result;

	bson_append_int64(options, "maxTimeMS", -1, db->max_time_ms);
	result = read_cursor(
		db,
		mongoc_collection_aggregate(collection, MONGOC_QUERY_NONE, stages, options, NULL),
		rows_r);
	bson_destroy(options);
	bson_destroy(stages);
	mongoc_collection_destroy(collection);
	return result;
}

/* ---- writing ---- */

enum db_result db_insert(struct db *db, const char *name, const cJSON *doc)
{
	mongoc_collection_t *collection = open_collection(db, name);
	bson_t *document = bson_from_json(doc);
	bson_error_t error;
	enum db_result result = DB_OK;

	if (!mongoc_collection_insert_one(collection, document, NULL, NULL, &error))
		result = fail(db, &error);
	bson_destroy(document);
	mongoc_collection_destroy(collection);
	return result;
}

enum db_result db_insert_new(struct db *db, const char *name, const cJSON *list)
{
	mongoc_collection_t *collection = open_collection(db, name);
	bson_t *options = bson_new();
	mongoc_bulk_operation_t *bulk;
	bson_error_t error;
	enum db_result result = DB_OK;
	const cJSON *doc;

	bson_append_bool(options, "ordered", -1, false);
	bulk = mongoc_collection_create_bulk_operation_with_opts(collection, options);
	cJSON_ArrayForEach(doc, list)
	{
		bson_t *document = bson_from_json(doc);

		mongoc_bulk_operation_insert(bulk, document);
		bson_destroy(document);
	}
	if (cJSON_GetArraySize(list) > 0 && mongoc_bulk_operation_execute(bulk, NULL, &error) == 0)
		result = fail(db, &error);
	mongoc_bulk_operation_destroy(bulk);
	bson_destroy(options);
	mongoc_collection_destroy(collection);
	return result == DB_DUPLICATE ? DB_OK : result;
}

static int64_t count_of(const bson_t *reply, const char *name)
{
	bson_iter_t iter;

	return bson_iter_init_find(&iter, reply, name) ? bson_iter_as_int64(&iter) : 0;
}

/* Takes over filter; matched_r may be NULL. */
static enum db_result replace(struct db *db, const char *name, bson_t *filter, const cJSON *doc,
			      bool upsert, int64_t *matched_r)
{
	mongoc_collection_t *collection = open_collection(db, name);
	bson_t *document = bson_from_json(doc), *options = bson_new(), reply;
	bson_error_t error;
	enum db_result result = DB_OK;

	bson_append_bool(options, "upsert", -1, upsert);
	if (!mongoc_collection_replace_one(collection, filter, document, options, &reply, &error))
		result = fail(db, &error);
	else if (matched_r != NULL)
		*matched_r = count_of(&reply, "matchedCount");
	bson_destroy(&reply);
	bson_destroy(options);
	bson_destroy(document);
	bson_destroy(filter);
	mongoc_collection_destroy(collection);
	return result;
}

enum db_result db_put(struct db *db, const char *collection, const cJSON *doc)
{
	return replace(db, collection, id_filter(json_get_str(doc, "_id")), doc, true, NULL);
}

enum db_result db_replace(struct db *db, const char *collection, const cJSON *doc, int64_t version)
{
	bson_t *filter = id_filter(json_get_str(doc, "_id"));
	int64_t matched = 0;
	enum db_result result;

	/* A filter of more than the id makes FerretDB v1 read the whole collection. */
	if (!db->is_one_process)
		bson_append_int64(filter, "v", 1, version);
	result = replace(db, collection, filter, doc, false, &matched);
	return result == DB_OK && matched == 0 ? DB_CONFLICT : result;
}

/* Takes over filter. */
static enum db_result update(struct db *db, const char *name, bson_t *filter, const cJSON *change,
			     bool many, int64_t *count_r)
{
	mongoc_collection_t *collection = open_collection(db, name);
	bson_t *operators = bson_from_json(change), *options = bson_new(), reply;
	bson_error_t error;
	bool ok;
	enum db_result result = DB_OK;

	if (many) {
		ok = mongoc_collection_update_many(collection, filter, operators, NULL, &reply,
						   &error);
	} else {
		bson_append_bool(options, "upsert", -1, true);
		ok = mongoc_collection_update_one(collection, filter, operators, options, &reply,
						  &error);
	}
	if (!ok)
		result = fail(db, &error);
	else if (count_r != NULL)
		*count_r = count_of(&reply, "modifiedCount");
	bson_destroy(&reply);
	bson_destroy(options);
	bson_destroy(operators);
	bson_destroy(filter);
	mongoc_collection_destroy(collection);
	return result;
}

enum db_result db_update_many(struct db *db, const char *collection, const cJSON *filter,
			      const cJSON *change, int64_t *count_r)
{
	return update(db, collection, bson_from_json(filter), change, true, count_r);
}

enum db_result db_upsert(struct db *db, const char *collection, const char *id, const cJSON *change)
{
	return update(db, collection, id_filter(id), change, false, NULL);
}

enum db_result db_delete_many(struct db *db, const char *name, const cJSON *filter,
			      int64_t *count_r)
{
	mongoc_collection_t *collection = open_collection(db, name);
	bson_t *query = bson_from_json(filter), reply;
	bson_error_t error;
	enum db_result result = DB_OK;

	if (!mongoc_collection_delete_many(collection, query, NULL, &reply, &error))
		result = fail(db, &error);
	else if (count_r != NULL)
		*count_r = count_of(&reply, "deletedCount");
	bson_destroy(&reply);
	bson_destroy(query);
	mongoc_collection_destroy(collection);
	return result;
}

enum db_result db_command(struct db *db, const cJSON *command, cJSON **reply_r)
{
	bson_t *document = bson_from_json(command), reply;
	bson_error_t error;
	enum db_result result = DB_OK;

	*reply_r = NULL;
	if (mongoc_client_command_simple(db->client, db->name, document, NULL, &reply, &error))
		*reply_r = bson_to_json(&reply);
	else
		result = fail(db, &error);
	bson_destroy(&reply);
	bson_destroy(document);
	return result;
}

/* ---- one at a time ---- */

static pthread_mutex_t stripes[DB_LOCKS][STRIPES] = {
	[0 ... DB_LOCKS - 1] = {[0 ... STRIPES - 1] = PTHREAD_MUTEX_INITIALIZER},
};

static pthread_mutex_t *stripe_of(enum db_lock lock, const char *id)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (; *id != '\0'; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619U;
	return &stripes[lock][hash % STRIPES];
}

void db_lock(enum db_lock lock, const char *id)
{
	pthread_mutex_lock(stripe_of(lock, id));
}

void db_unlock(enum db_lock lock, const char *id)
{
	pthread_mutex_unlock(stripe_of(lock, id));
}
